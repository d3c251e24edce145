//! The state file.

use coho_simulator::{RecordKind, Seed, Simulator, StartError, StateFileError};
use serde_json::{Value, json};

use crate::stage::{Failure, Stage, client, settings, start_on};

/// A folder that is gone with the test, and a path for a state file in it.
fn place() -> Result<(tempfile::TempDir, std::path::PathBuf), Failure> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("vitally.db");
    Ok((folder, path))
}

#[tokio::test]
async fn records_ids_and_definitions_outlive_the_simulator() {
    let (_folder, path) = place().unwrap();
    let stage = Stage { vitally: start_on(&path).await.unwrap(), client: client().unwrap() };
    let body = json!({"externalId": "a-1", "name": "One", "traits": {"seats": 3}});
    stage.post("/resources/accounts", &body).await.unwrap();
    let account = stage.vitally.record(RecordKind::Account, "a-1").unwrap();
    let user = json!({"externalId": "u-1", "email": "ada@acme.io", "accountIds": [account.id.to_string()]});
    stage.post("/resources/users", &user).await.unwrap();
    stage.vitally.seed(Seed::account("a-2")).unwrap();
    let client = stage.client;
    stage.vitally.stop().await;

    let stage = Stage { vitally: start_on(&path).await.unwrap(), client };
    assert_eq!(stage.vitally.record(RecordKind::Account, "a-1"), Some(account));
    let found: Value = stage.get("/resources/users/u-1").await.unwrap().json().await.unwrap();
    assert_eq!(found["accounts"][0]["externalId"], "a-1");
    let fields: Value =
        stage.get("/resources/customFields?model=accounts").await.unwrap().json().await.unwrap();
    assert_eq!(fields[0]["path"], "seats");
    let made = stage.vitally.seed(Seed::account("a-3")).unwrap();
    assert!(
        stage.vitally.records(RecordKind::Account).iter().filter(|record| record.id == made).count() == 1
    );
    assert_eq!(stage.vitally.count(RecordKind::Account), 3);
}

#[tokio::test]
async fn what_was_deleted_stays_deleted() {
    let (_folder, path) = place().unwrap();
    let stage = Stage { vitally: start_on(&path).await.unwrap(), client: client().unwrap() };
    stage.vitally.seed(Seed::account("a-1")).unwrap();
    stage.vitally.seed(Seed::user("u-1").account_link("a-1")).unwrap();
    let url = format!("{}/resources/accounts/a-1", stage.vitally.url());
    let answer = stage.client.delete(url).basic_auth("sk_live_1", Some("")).send().await.unwrap();
    assert_eq!(answer.status(), 204);
    stage.vitally.stop().await;
    let vitally = start_on(&path).await.unwrap();
    assert_eq!((vitally.count(RecordKind::Account), vitally.count(RecordKind::User)), (0, 0));
}

/// What a process that is killed leaves behind is what its files hold at that moment.
#[tokio::test]
async fn every_answered_write_is_in_the_files_while_the_simulator_runs() {
    let (folder, path) = place().unwrap();
    let stage = Stage { vitally: start_on(&path).await.unwrap(), client: client().unwrap() };
    stage.post("/resources/accounts", &json!({"externalId": "a-1", "name": "One"})).await.unwrap();
    let copy = folder.path().join("copy.db");
    std::fs::copy(&path, &copy).unwrap();
    std::fs::copy(folder.path().join("vitally.db-wal"), folder.path().join("copy.db-wal")).unwrap();
    let survivor = start_on(&copy).await.unwrap();
    assert_eq!(survivor.records(RecordKind::Account), stage.vitally.records(RecordKind::Account));
    assert_eq!(survivor.count(RecordKind::Account), 1);
}

#[tokio::test]
async fn a_file_has_one_simulator_at_a_time() {
    let (_folder, path) = place().unwrap();
    let first = start_on(&path).await.unwrap();
    let second = start_on(&path).await.unwrap_err();
    assert!(matches!(second, StartError::State(StateFileError::Open { .. })), "{second:?}");
    first.stop().await;
    start_on(&path).await.unwrap().stop().await;
}

#[tokio::test]
async fn a_foreign_database_is_not_touched() {
    let (_folder, path) = place().unwrap();
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("CREATE TABLE other (id INTEGER)").unwrap();
    drop(other);
    let error = start_on(&path).await.unwrap_err();
    assert!(matches!(error, StartError::State(StateFileError::Foreign { .. })), "{error:?}");
}

#[tokio::test]
async fn an_address_in_use_is_an_error_that_names_it() {
    let first = Simulator::start(settings()).await.unwrap();
    let mut again = settings();
    again.listen = first.address();
    let error = Simulator::start(again).await.unwrap_err();
    assert_eq!(error.to_string(), format!("cannot listen on {}", first.address()));
}
