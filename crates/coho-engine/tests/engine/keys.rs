//! Keys and external ids: duplicates, nulls, and rows that become another record.

use coho_core::decide::RunKind;
use coho_core::verdict::RowStatus;
use coho_engine::run::Options;
use coho_simulator::{FaultAnswer, RecordKind, ScriptedFault, Seed, Trouble};

use crate::stage::{ACCOUNTS, Ran, Stage, USERS};

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

fn origins(stage: &Stage) -> Vec<String> {
    stage
        .ask_ledger(
            "SELECT target || ' ' || standing || ' ' || coalesce(origin, '') FROM memory ORDER BY key",
        )
        .unwrap()
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
async fn rows_with_a_null_key_are_invalid_and_the_rest_is_sent() {
    let stage = stage("1=a NULL=b NULL=c").await;
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.told_all(), "completed-with-errors: 1 delivered, 2 invalid");
    assert_eq!(ran.report.syncs[0].problems.values().next().unwrap().first.code.as_str(), "null-key");
}

#[tokio::test]
async fn two_new_keys_with_one_external_id_are_both_invalid() {
    let stage = stage("1=a 2=a 3=b").await;
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.told_all(), "completed-with-errors: 1 delivered, 2 invalid");
    assert_eq!(problems(&ran), ["2 x external id `a` is also that of another row of the model"]);
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
async fn two_keys_that_swap_their_external_ids_lose_no_record() {
    let stage = stage("1=a 2=b").await;
    stage.run().await.unwrap();
    put(&stage, "1=b 2=a");
    let ran = stage.run().await.unwrap();
    assert_eq!(external_ids(&stage), ["a", "b"], "{:?}", ran.calls);
    assert!(!ran.calls.iter().any(|call| call.starts_with("DELETE")), "{:?}", ran.calls);
    assert_eq!(stage.run().await.unwrap().calls, [""; 0]);
}

#[tokio::test]
async fn a_renamed_key_that_keeps_its_external_id_keeps_its_record() {
    let stage = stage("1=a 2=b").await;
    stage.run().await.unwrap();
    put(&stage, "11=a 2=b");
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.told_all(), "completed: 1 delivered, 1 unchanged, 1 released");
    assert_eq!(external_ids(&stage), ["a", "b"]);
    assert_eq!(stage.run().await.unwrap().calls, [""; 0]);
    assert_eq!(external_ids(&stage), ["a", "b"]);
}

#[tokio::test]
async fn a_changed_external_id_is_a_new_record_and_removes_the_old_one() {
    let stage = stage("1=a").await;
    stage.run().await.unwrap();
    put(&stage, "1=b");
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.told_all(), "completed: 1 delivered, 1 removed");
    assert_eq!(
        ran.calls,
        [r#"POST /accounts {"externalId":"b","name":"Name","traits":{"seats":1}}"#, "DELETE /accounts/<a>"]
    );
    assert_eq!(origins(&stage), ["b delivered created", "a removed "]);
    assert_eq!(stage.run().await.unwrap().calls, [""; 0]);
}

#[tokio::test]
async fn a_changed_external_id_keeps_the_old_record_under_keep() {
    let mut stage = stage("1=a").await;
    stage.sync("accounts", &ACCOUNTS.replace("delete-created", "keep"));
    stage.run().await.unwrap();
    put(&stage, "1=b");
    assert_eq!(stage.run().await.unwrap().told_all(), "completed: 1 delivered, 1 released");
    assert_eq!(external_ids(&stage), ["a", "b"]);
    assert_eq!(stage.run().await.unwrap().calls, [""; 0]);
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

#[tokio::test]
async fn rows_that_move_to_one_external_id_keep_their_old_records() {
    let stage = stage("1=a 2=b 3=c").await;
    stage.run().await.unwrap();
    put(&stage, "1=x 2=x 3=c");
    let ran = stage.run().await.unwrap();
    assert_eq!(
        (ran.told_all().as_str(), ran.calls.len()),
        ("completed-with-errors: 1 unchanged, 2 invalid", 0)
    );
    put(&stage, "1=a 2=b 3=c");
    assert_eq!(stage.run().await.unwrap().told_all(), "completed: 3 unchanged");
}

#[tokio::test]
async fn a_row_that_moves_to_a_record_of_another_row_keeps_its_old_one() {
    let stage = stage("1=a 2=b").await;
    stage.run().await.unwrap();
    put(&stage, "1=b 2=b");
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.calls, [""; 0]);
    assert_eq!(external_ids(&stage), ["a", "b"]);
}

#[tokio::test]
async fn a_chain_of_moves_onto_a_held_record_is_invalid_as_a_whole() {
    let stage = stage("1=a 2=b 3=c").await;
    stage.run().await.unwrap();
    // 3 stays, so 2 cannot move to its record, so 1 cannot move to that of 2.
    put(&stage, "1=b 2=c 3=c");
    let ran = stage.run().await.unwrap();
    assert_eq!(
        (ran.told_all().as_str(), ran.calls.len()),
        ("completed-with-errors: 1 unchanged, 2 invalid", 0)
    );
    assert_eq!(external_ids(&stage), ["a", "b", "c"]);
}

#[tokio::test]
async fn an_invalid_row_whose_external_id_changed_keeps_its_old_record() {
    let stage = stage("1=a").await;
    stage.run().await.unwrap();
    put(&stage, "1=b");
    stage.sql("UPDATE accounts SET name = NULL").unwrap();
    let ran = stage.run().await.unwrap();
    assert_eq!((ran.told_all().as_str(), ran.calls.len()), ("completed-with-errors: 1 invalid", 0));
    assert_eq!(external_ids(&stage), ["a"]);
}

#[tokio::test]
async fn an_external_id_that_is_null_is_invalid() {
    let stage = stage("1=a").await;
    stage.sql("UPDATE accounts SET external = NULL").unwrap();
    assert_eq!(stage.run().await.unwrap().told_all(), "completed-with-errors: 1 invalid");
}

#[tokio::test]
async fn a_record_that_several_new_rows_want_is_held_until_one_is_left() {
    let mut stage = stage("1=a 2=b").await;
    stage.sync("accounts", &ACCOUNTS.replace("delete-created", "delete"));
    stage.run().await.unwrap();
    put(&stage, "2=b 11=a 12=a");
    let ran = stage.run().await.unwrap();
    assert_eq!(
        (ran.told_all().as_str(), ran.calls.len()),
        ("completed-with-errors: 1 unchanged, 2 invalid, 1 held", 0)
    );
    put(&stage, "2=b 11=a");
    assert_eq!(stage.run().await.unwrap().told_all(), "completed: 1 delivered, 1 unchanged, 1 released");
    assert_eq!(external_ids(&stage), ["a", "b"]);
}

#[tokio::test]
async fn a_row_that_returns_to_a_record_that_another_row_had_meanwhile_sends_what_differs() {
    let mut stage = stage("1=a 2=b").await;
    stage.sync("accounts", &ACCOUNTS.replace("delete-created", "keep"));
    stage.run().await.unwrap();
    put(&stage, "2=b 11=a");
    stage.sql("UPDATE accounts SET seats = 9, plan = 'pro' WHERE id = 11").unwrap();
    stage.run().await.unwrap();
    put(&stage, "1=a 2=b");
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.calls, [r#"PUT /accounts/<a> {"traits":{"plan":null,"seats":1}}"#]);
    assert_eq!(stage.run().await.unwrap().calls, [""; 0]);
}

#[tokio::test]
async fn a_record_that_a_row_let_go_may_be_taken_over_while_that_row_is_invalid() {
    let mut stage = stage("1=a 2=b").await;
    stage.sync("accounts", &ACCOUNTS.replace("delete-created", "keep"));
    stage.run().await.unwrap();
    put(&stage, "2=b");
    stage.run().await.unwrap();
    put(&stage, "1=b 2=b 3=a");
    assert_eq!(
        stage.run().await.unwrap().told_all(),
        "completed-with-errors: 1 delivered, 1 unchanged, 1 invalid"
    );
}

#[tokio::test]
async fn a_record_that_a_row_came_back_to_is_not_taken_over() {
    let mut stage = stage("1=a 2=b").await;
    stage.sync("accounts", &ACCOUNTS.replace("delete-created", "keep"));
    stage.run().await.unwrap();
    put(&stage, "2=b");
    stage.run().await.unwrap();
    put(&stage, "1=a 2=b 3=a");
    assert_eq!(
        stage.run().await.unwrap().told_all(),
        "completed-with-errors: 1 touched, 1 unchanged, 1 invalid"
    );
}

#[tokio::test]
async fn a_row_that_returns_to_a_record_that_was_removed_under_another_key_is_sent_whole() {
    let mut stage = stage("1=a 2=b").await;
    stage.sync("accounts", &ACCOUNTS.replace("delete-created", "keep"));
    stage.run().await.unwrap();
    put(&stage, "2=b");
    stage.run().await.unwrap();
    put(&stage, "2=b 11=a");
    stage.run().await.unwrap();
    stage.sync("accounts", &ACCOUNTS.replace("delete-created", "delete"));
    put(&stage, "2=b");
    assert_eq!(stage.run().await.unwrap().calls, ["DELETE /accounts/<a>"]);
    put(&stage, "1=a 2=b");
    stage.run().await.unwrap();
    assert_eq!(stage.records()[0], r#"account a "Name" seats=1"#);
    assert_eq!(stage.run().await.unwrap().calls, [""; 0]);
}

#[tokio::test]
async fn a_departure_that_waits_for_its_removal_is_not_taken_by_the_next_one() {
    let mut stage = stage("1=a").await;
    stage.sync("accounts", &ACCOUNTS.replace("delete-created", "delete"));
    stage.run().await.unwrap();
    let refusal = FaultAnswer { body: Some(r#"{"error":"no"}"#.to_owned()), ..FaultAnswer::status(400) };
    stage
        .vitally
        .script(ScriptedFault::once(Trouble::Answer(refusal)).on("DELETE", "/resources/accounts/*").times(2));
    put(&stage, "1=b");
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.told_all(), "completed-with-errors: 1 delivered, 1 rejected");
    // It goes on to a third record: two removals wait beside each other.
    put(&stage, "1=c");
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.told_all(), "completed-with-errors: 1 delivered, 1 rejected, 1 held");
    let departures =
        stage.ask_ledger("SELECT departure || ' ' || target FROM memory ORDER BY departure").unwrap();
    assert_eq!(departures, ["0 c", "1 a", "2 b"]);
    stage.advance(std::time::Duration::from_secs(86_400));
    stage.run().await.unwrap();
    assert_eq!(external_ids(&stage), ["c"]);
    assert_eq!(stage.run().await.unwrap().calls, [""; 0]);
}

#[tokio::test]
async fn a_row_may_be_called_like_the_record_that_another_row_left() {
    let mut stage = Stage::with(&[("users", USERS)]).await.unwrap();
    stage.sync("users", &USERS.replace("delete-created", "delete"));
    stage.vitally.seed(Seed::account("a-1")).unwrap();
    // `Acme` waits for its account; `Acme (was Foo)` is another company, whatever it looks like.
    let rows = "('Acme', 'u-acme', 'Acme', 'missing', NULL), ('Acme (was Foo)', 'Foo', 'Foo', 'a-1', NULL)";
    stage.sql(&format!("INSERT INTO users VALUES {rows}, ('Other', 'u-2', 'Other', 'a-1', NULL)")).unwrap();
    stage.run().await.unwrap();
    assert_eq!(stage.vitally.count(RecordKind::User), 2);
    stage.sql("DELETE FROM users WHERE id = 'Acme (was Foo)'").unwrap();
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.calls.last().unwrap(), "DELETE /users/<Foo>", "{:?}", ran.calls);
    assert_eq!(stage.vitally.count(RecordKind::User), 1);
}

#[tokio::test]
async fn a_record_that_a_row_left_is_shown_by_its_name() {
    let stage = stage("1=a").await;
    stage.run().await.unwrap();
    put(&stage, "1=b");
    let plan = &stage.plan().await.unwrap()[0];
    let shown: Vec<_> = plan.samples.iter().map(|sample| sample.key.to_string()).collect();
    assert_eq!(shown, ["1", "1 (was a)"]);
}

#[tokio::test]
async fn a_long_chain_of_moves_onto_a_held_record_is_followed_to_its_end() {
    const ROWS: usize = 2_000;
    let stage = Stage::accounts().await.unwrap();
    stage.many_accounts(0, ROWS).unwrap();
    stage.run_with(&Options { run_kind: RunKind::Baseline, ..Options::default() }).await.unwrap();
    // Each row wants the record of the next one, and the last one stays.
    let last = ROWS - 1;
    stage.sql(&format!("UPDATE accounts SET external = printf('a-%03d', id + 1) WHERE id < {last}")).unwrap();
    let plan = &stage.plan().await.unwrap()[0];
    assert_eq!(plan.counts.status(RowStatus::Invalid), last as u64);
    assert_eq!(plan.counts.planned(), 0);
}

#[tokio::test]
async fn examples_are_of_what_is_really_planned() {
    let stage = stage("1=x 2=x 3=x 4=x 5=a 6=b 7=c 8=d").await;
    let plan = &stage.plan().await.unwrap()[0];
    let shown: Vec<_> = plan.samples.iter().map(|sample| sample.target.to_string()).collect();
    assert_eq!(shown, ["a", "b", "c"]);
    assert_eq!(plan.counts.writes, 4);
}

#[tokio::test]
async fn a_user_whose_key_is_renamed_to_and_fro_takes_nobodys_address() {
    let contacts = "
id: contacts
model: users
to: vitally
object: user
match: { email: email, externalId: external }
fields: { name: name, accountIds: { column: account, lookup: account.externalId } }
";
    let stage = Stage::with(&[("contacts", contacts)]).await.unwrap();
    stage.vitally.seed(Seed::account("acme")).unwrap();
    let old = Seed::user("old").email("a@acme.io").account_link("acme");
    stage.vitally.seed(old).unwrap();
    for (key, email) in [(1, "a@acme.io"), (2, "b@acme.io"), (1, "b@acme.io")] {
        let row = format!("INSERT INTO users VALUES ({key}, 'c', 'Ada', 'acme', '{email}')");
        stage.sql(&format!("DELETE FROM users; {row}")).unwrap();
        stage.run().await.unwrap();
    }
    // The first key knows `old`. Its new address is that of the user whom the second key made.
    let of = |id: &str| stage.vitally.record(RecordKind::User, id).and_then(|user| user.email);
    assert_eq!((of("old").as_deref(), of("c").as_deref()), (Some("a@acme.io"), Some("b@acme.io")));
}
