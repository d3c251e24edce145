//! Keys and external ids: duplicates, nulls, and rows that become another record.

use coho_simulator::RecordKind;

use crate::stage::{ACCOUNTS, Ran, Stage};

async fn stage(rows: &str) -> Stage {
    let stage = Stage::accounts().await.unwrap();
    put(&stage, rows);
    stage
}

/// Replaces all rows by these `(id, external id)`.
fn put(stage: &Stage, rows: &str) {
    let columns = rows.split(' ').filter(|pair| !pair.is_empty()).map(|pair| {
        let (id, external) = pair.split_once('=').unwrap();
        format!("({id}, '{external}', 'Name', NULL, 1, 0)")
    });
    let columns: Vec<_> = columns.collect();
    stage.sql("DELETE FROM accounts").unwrap();
    stage.sql(&format!("INSERT INTO accounts VALUES {}", columns.join(", "))).unwrap();
}

fn external_ids(stage: &Stage) -> Vec<String> {
    let mut ids: Vec<_> = stage
        .vitally
        .records(RecordKind::Account)
        .into_iter()
        .filter_map(|record| record.external_id)
        .collect();
    ids.sort();
    ids
}

fn problems(ran: &Ran) -> Vec<String> {
    let problems = ran.report.syncs[0].problems.values();
    problems.map(|problem| format!("{} x {}", problem.count, problem.first.message)).collect()
}

#[tokio::test]
async fn rows_with_one_key_are_all_invalid_and_their_record_is_not_removed() {
    let stage = stage("1=a 2=b").await;
    stage.run().await.unwrap();
    put(&stage, "1=a 1=c 2=b");
    let ran = stage.run().await.unwrap();
    assert_eq!(
        (ran.told_all().as_str(), ran.calls.len()),
        ("completed-with-errors: 1 unchanged, 2 invalid", 0)
    );
    assert_eq!(problems(&ran), ["2 x 2 rows have the primary key `1`"]);
}

#[tokio::test]
async fn two_new_keys_with_one_external_id_are_both_invalid() {
    let stage = stage("1=a 2=a 3=b").await;
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.told_all(), "completed-with-errors: 1 delivered, 2 invalid");
    assert_eq!(problems(&ran), ["2 x external id `a` is also used by another row of the model"]);
    assert_eq!(external_ids(&stage), ["b"]);
}

#[tokio::test]
async fn a_new_key_with_the_external_id_of_an_old_one_is_invalid() {
    let stage = stage("1=a").await;
    stage.run().await.unwrap();
    put(&stage, "1=a 2=a");
    let ran = stage.run().await.unwrap();
    assert_eq!(
        (ran.told_all().as_str(), ran.calls.len()),
        ("completed-with-errors: 1 unchanged, 1 invalid", 0)
    );
    assert_eq!(problems(&ran), ["1 x external id `a` is also that of the row with key `1`"]);
}

#[tokio::test]
async fn an_external_id_may_go_to_and_fro() {
    for policy in ["keep", "delete"] {
        let mut stage = stage("1=a").await;
        stage.sync("accounts", &ACCOUNTS.replace("delete-created", policy));
        for external in ["a", "b", "a", "b", "c", "a", "b"] {
            put(&stage, &format!("1={external}"));
            let ran = stage.run().await.unwrap();
            assert!(ran.told_all().starts_with("completed:"), "{}", ran.told_all());
            assert!(external_ids(&stage).contains(&external.to_owned()), "{policy} {external}");
            assert_eq!(stage.run().await.unwrap().calls, [""; 0], "{policy} {external}");
        }
    }
}

/// A key that removed a record and became another one still tells that the first one is gone.
#[tokio::test]
async fn a_record_that_another_key_removed_is_made_again_whatever_became_of_that_key() {
    let mut stage = stage("1=a").await;
    let guards = "guards: { max_removed: { share: 100%, floor: 100 }, empty_source: allow }\n";
    let policy = |removed: &str| format!("{}{guards}", ACCOUNTS.replace("delete-created", removed));
    for (removed, rows, held) in [
        ("keep", "1=a 9=z", ["a", "z"].as_slice()),
        ("keep", "2=a 9=z", &["a", "z"]),
        ("delete", "9=z", &["z"]),
        ("keep", "2=b 9=z", &["b", "z"]),
        ("keep", "1=a 2=b 9=z", &["a", "b", "z"]),
    ] {
        stage.sync("accounts", &policy(removed));
        put(&stage, rows);
        let ran = stage.run().await.unwrap();
        assert_eq!(external_ids(&stage), held, "{rows}: {}", ran.told_all());
        assert_eq!(stage.run().await.unwrap().calls, [""; 0], "{rows}");
    }
}
