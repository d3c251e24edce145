//! Departures: what is deleted, what is not, and what would go along.

use coho_core::event::Silence;
use coho_engine::run::Options;
use coho_engine::stop::Stop;
use coho_simulator::RecordKind;

use crate::stage::{ACCOUNTS, Failure, Stage, USERS};

/// Two accounts; Ada is in the first, Bea in the second.
async fn stage() -> Result<Stage, Failure> {
    let stage = Stage::with(&[("accounts", ACCOUNTS), ("users", USERS)]).await?;
    stage.many_accounts(1, 3)?;
    stage
        .sql("INSERT INTO users VALUES (1, 'u-1', 'Ada', 'a-001', NULL), (2, 'u-2', 'Bea', 'a-002', NULL)")?;
    stage.run().await?;
    Ok(stage)
}

#[tokio::test]
async fn keep_that_becomes_delete_deletes_nothing_that_left_before() {
    let mut stage = Stage::accounts().await.unwrap();
    stage.sync("accounts", &ACCOUNTS.replace("delete-created", "keep"));
    stage.many_accounts(1, 5).unwrap();
    stage.run().await.unwrap();
    stage.sql("DELETE FROM accounts WHERE id = 1").unwrap();
    assert_eq!(stage.run().await.unwrap().told_all(), "completed: 3 unchanged, 1 released");
    // Under `keep` it was let be; the same run shows the new policy and another row that left.
    stage.sync("accounts", &ACCOUNTS.replace("delete-created", "delete"));
    stage.sql("DELETE FROM accounts WHERE id = 2").unwrap();
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.calls, ["DELETE /accounts/<a-002>"]);
    assert_eq!(stage.run().await.unwrap().calls, [""; 0]);
    assert!(stage.vitally.record(RecordKind::Account, "a-001").is_some());
}

#[tokio::test]
async fn an_account_with_a_user_that_another_sync_holds_is_not_deleted() {
    let stage = stage().await.unwrap();
    stage.sql("DELETE FROM accounts WHERE id = 1").unwrap();
    stage.advance(std::time::Duration::from_secs(60));
    let ran = stage.try_run(&Options::default(), &Silence, &Stop::new()).await.unwrap().unwrap();
    assert_eq!(ran.calls, [""; 0]);
    assert!(ran.told("accounts").ends_with("1 unchanged, 1 stale"), "{}", ran.told("accounts"));
    let why = stage.ask_ledger("SELECT code || ': ' || message FROM fates WHERE fate = 'stale'").unwrap();
    assert_eq!(why.len(), 1, "{why:?}");
    assert!(why[0].contains("user"), "{why:?}");
    assert_eq!(stage.vitally.count(RecordKind::User), 2);
    // Its users leave: now it goes.
    stage.sql("DELETE FROM users WHERE id = 1").unwrap();
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.calls, ["DELETE /users/<u-1>", "DELETE /accounts/<a-001>"]);
}

#[tokio::test]
async fn an_account_whose_users_leave_in_the_same_run_is_deleted_after_them() {
    let stage = stage().await.unwrap();
    stage.sql("DELETE FROM accounts WHERE id = 1; DELETE FROM users WHERE id = 1").unwrap();
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.calls, ["DELETE /users/<u-1>", "DELETE /accounts/<a-001>"]);
}

#[tokio::test]
async fn a_user_that_moves_survives_the_account_that_it_leaves() {
    let stage = stage().await.unwrap();
    let before = stage.vitally.record(RecordKind::User, "u-1").unwrap().id;
    stage.sql("UPDATE users SET account = 'a-002' WHERE id = 1; DELETE FROM accounts WHERE id = 1").unwrap();
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.calls.last().unwrap(), "DELETE /accounts/<a-001>", "{:#?}", ran.calls);
    assert_eq!(stage.vitally.record(RecordKind::User, "u-1").map(|user| user.id), Some(before));
    assert_eq!(stage.records()[1], r#"user u-1 "Ada" in <a-002>"#);
    assert_eq!(stage.run().await.unwrap().calls, [""; 0]);
}

#[tokio::test]
async fn two_accounts_of_one_user_do_not_take_it_along_together() {
    let stage = stage().await.unwrap();
    // Ada is in both accounts: links are added, none is taken away.
    stage.sql("UPDATE users SET account = 'a-002' WHERE id = 1; DELETE FROM users WHERE id = 2").unwrap();
    stage.run().await.unwrap();
    assert!(
        stage.records().contains(&r#"user u-1 "Ada" in <a-001> in <a-002>"#.to_owned()),
        "{:#?}",
        stage.records()
    );
    stage.sql("DELETE FROM accounts").unwrap();
    stage.sql("INSERT INTO accounts VALUES (9, 'a-009', 'Nine', NULL, 9, 0)").unwrap();
    stage.advance(std::time::Duration::from_secs(60));
    stage.try_run(&Options::default(), &Silence, &Stop::new()).await.unwrap().unwrap();
    assert!(stage.vitally.record(RecordKind::User, "u-1").is_some(), "{:#?}", stage.vitally.calls());
    // The first account is gone: what is left of the user's links is the second, in each later run too.
    stage.advance(std::time::Duration::from_secs(60));
    let ran = stage.try_run(&Options::default(), &Silence, &Stop::new()).await.unwrap().unwrap();
    assert_eq!(ran.calls, [""; 0]);
    let codes: Vec<_> = ran.report.syncs[0].problems.keys().map(ToString::to_string).collect();
    assert_eq!(codes, ["takes-users-along"]);
}

/// Ada is in both accounts; her row names this one. The first account is deleted and made again.
async fn made_again(row: &str) -> Result<Stage, Failure> {
    let stage = stage().await?;
    for account in ["a-002", row] {
        stage.sql(&format!("UPDATE users SET account = '{account}' WHERE id = 1"))?;
        stage.run().await?;
    }
    stage.sql("DELETE FROM accounts WHERE id = 1")?;
    assert_eq!(stage.run().await?.calls, ["DELETE /accounts/<a-001>"]);
    let waits = if row == "a-001" { "1 deferred, 1 unchanged" } else { "1 touched, 1 unchanged" };
    assert!(stage.run().await?.told("users").ends_with(waits));
    stage.many_accounts(1, 2)?;
    stage.run().await?;
    Ok(stage)
}

#[tokio::test]
async fn a_user_is_linked_again_to_an_account_that_was_deleted_and_is_made_again() {
    let stage = made_again("a-001").await.unwrap();
    let ada = r#"user u-1 "Ada" in <a-001> in <a-002>"#.to_owned();
    let ada_as_well = r#"user u-1 "Ada" in <a-002> in <a-001>"#.to_owned();
    let records = stage.records();
    assert!(records.contains(&ada) || records.contains(&ada_as_well), "{records:#?}");
    assert_eq!(stage.run().await.unwrap().calls, [""; 0]);
}

#[tokio::test]
async fn an_account_that_is_made_again_has_no_user_of_the_one_before() {
    let stage = made_again("a-002").await.unwrap();
    stage.sql("DELETE FROM users WHERE id = 2; DELETE FROM accounts WHERE id = 2").unwrap();
    stage.advance(std::time::Duration::from_secs(60));
    stage.run_alone().await.unwrap();
    assert!(stage.vitally.record(RecordKind::User, "u-1").is_some(), "she has no other account");
}

#[tokio::test]
async fn a_user_that_was_let_be_and_went_with_its_account_is_made_again() {
    let mut stage = stage().await.unwrap();
    stage.sync("users", &USERS.replace("delete-created", "keep"));
    let before = stage.records();
    stage.sql("DELETE FROM users WHERE id = 1").unwrap();
    assert_eq!(stage.run().await.unwrap().told("users"), "completed: 1 unchanged, 1 released");
    stage.sql("DELETE FROM accounts WHERE id = 1").unwrap();
    stage.run().await.unwrap();
    assert_eq!(stage.vitally.count(RecordKind::User), 1, "Vitally deletes a user with its last account");
    stage.many_accounts(1, 2).unwrap();
    stage.sql("INSERT INTO users VALUES (1, 'u-1', 'Ada', 'a-001', NULL)").unwrap();
    let ran = stage.run().await.unwrap();
    assert_eq!(stage.records(), before, "{:#?}", ran.calls);
    assert_eq!(stage.run().await.unwrap().calls, [""; 0]);
}

#[tokio::test]
async fn a_user_that_was_let_be_and_whose_row_is_back_does_not_go_with_an_account() {
    let mut stage = stage().await.unwrap();
    stage.sync("users", &USERS.replace("delete-created", "keep"));
    stage.sql("DELETE FROM users WHERE id = 1").unwrap();
    assert_eq!(stage.run().await.unwrap().told("users"), "completed: 1 unchanged, 1 released");
    // The row is back, but waits for an account that is not there; the one that the user is in leaves.
    stage.sql("INSERT INTO users VALUES (1, 'u-1', 'Ada', 'a-009', NULL)").unwrap();
    stage.sql("DELETE FROM accounts WHERE id = 1").unwrap();
    let ran = stage.run().await.unwrap();
    assert!(ran.told("users").ends_with("1 deferred, 1 unchanged"), "{}", ran.told("users"));
    assert!(ran.told("accounts").ends_with("1 unchanged, 1 stale"), "{}", ran.told("accounts"));
    assert!(stage.vitally.record(RecordKind::User, "u-1").is_some());
    // It leaves again, and is let be again: now it goes with its account.
    stage.sql("DELETE FROM users WHERE id = 1").unwrap();
    let calls = [stage.run().await.unwrap().calls, stage.run().await.unwrap().calls].concat();
    assert_eq!(calls, ["DELETE /accounts/<a-001>"]);
}

#[tokio::test]
async fn a_record_that_returns_later_is_ours_again() {
    let stage = Stage::accounts().await.unwrap();
    stage.many_accounts(1, 4).unwrap();
    stage.run().await.unwrap();
    stage.sql("DELETE FROM accounts WHERE id = 1").unwrap();
    assert_eq!(stage.run().await.unwrap().calls, ["DELETE /accounts/<a-001>"]);
    stage.many_accounts(1, 2).unwrap();
    let ran = stage.run().await.unwrap();
    assert!(ran.calls[0].starts_with(r#"POST /accounts {"externalId":"a-001""#), "{:#?}", ran.calls);
    stage.sql("DELETE FROM accounts WHERE id = 1").unwrap();
    assert_eq!(stage.run().await.unwrap().calls, ["DELETE /accounts/<a-001>"], "it is ours again");
}

#[tokio::test]
async fn rows_that_a_new_filter_of_the_model_leaves_out_have_left() {
    let mut stage = Stage::accounts().await.unwrap();
    stage.many_accounts(1, 41).unwrap();
    stage.run().await.unwrap();
    stage.file(
        "models/accounts.yaml",
        "source: app\nsql: select * from accounts where seats <= 38\nprimary_key: id\n",
    );
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.told_all(), "completed: 2 removed, 38 unchanged");
    // A filter that leaves almost nothing looks like an accident.
    stage.file(
        "models/accounts.yaml",
        "source: app\nsql: select * from accounts where seats <= 3\nprimary_key: id\n",
    );
    let ran = stage.run().await.unwrap();
    assert_eq!(
        (ran.told_all().as_str(), ran.calls.len()),
        ("held (max-removed): 3 unchanged, 35 held, 2 kept", 0)
    );
    stage.file("models/accounts.yaml", "source: app\ntable: accounts\nprimary_key: id\n");
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.told_all(), "completed: 2 delivered, 38 unchanged");
}

#[tokio::test]
async fn an_organization_with_a_user_that_is_held_is_not_deleted() {
    let users = USERS.replace(
        "accountIds: { column: account, lookup: account.externalId }",
        "organizationIds: { column: account, lookup: organization.externalId }",
    );
    let stage =
        Stage::with(&[("organizations", crate::stage::ORGANIZATIONS), ("users", &users)]).await.unwrap();
    stage.sql("INSERT INTO organizations VALUES (1, 'o-1', 'One'), (2, 'o-2', 'Two'); INSERT INTO users VALUES (1, 'u-1', 'Ada', 'o-1', NULL)").unwrap();
    stage.run().await.unwrap();
    stage.sql("DELETE FROM organizations WHERE id = 1").unwrap();
    stage.advance(std::time::Duration::from_secs(60));
    stage.try_run(&Options::default(), &Silence, &Stop::new()).await.unwrap().unwrap();
    assert_eq!(stage.vitally.count(RecordKind::User), 1, "{:#?}", stage.vitally.calls());
}

/// Contacts that are linked by Vitally's own ids.
const CONTACTS: &str = "
id: contacts
model: contacts
to: vitally
object: user
match: { externalId: external }
fields:
  name: name
  accountIds: { column: accounts, lookup: account.id, split: ',' }
removed: keep
";

#[tokio::test]
async fn an_account_that_stays_for_one_user_still_counts_as_a_link_of_another() {
    let mut stage = stage().await.unwrap();
    stage.many_accounts(3, 9).unwrap();
    stage.run().await.unwrap();
    let id = |account| stage.vitally.record(RecordKind::Account, account).unwrap().id;
    let ids = format!("{},{}", id("a-001"), id("a-002"));
    stage.sql(&format!("CREATE TABLE contacts (id, external, name, accounts); INSERT INTO contacts VALUES (7, 'u-7', 'Cleo', '{ids}')")).unwrap();
    stage.file("models/contacts.yaml", "source: app\ntable: contacts\nprimary_key: id\n");
    stage.sync("contacts", CONTACTS);
    stage.sql("DELETE FROM users WHERE id = 2").unwrap();
    stage.run().await.unwrap();
    // Ada is only in the first account, which therefore stays; so Cleo keeps a link whatever becomes of the second one.
    stage.sql("DELETE FROM accounts WHERE id < 3").unwrap();
    stage.advance(std::time::Duration::from_secs(60));
    let ran = stage.try_run(&Options::default(), &Silence, &Stop::new()).await.unwrap().unwrap();
    assert_eq!(ran.calls, ["DELETE /accounts/<a-002>"]);
    assert!(ran.told("accounts").ends_with("1 removed, 6 unchanged, 1 stale"), "{}", ran.told("accounts"));
    assert_eq!(stage.vitally.count(RecordKind::User), 2);
}
