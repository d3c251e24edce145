//! Records through the Analytics API: batches that are taken, and nothing of what became of them.
//!
//! [`super::events`] has the events that go the same way.

use std::time::Duration;

use coho_core::event::Silence;
use coho_engine::run::Options;
use coho_engine::send::PARCELS;
use coho_engine::stop::Stop;
use coho_simulator::{RecordKind, ScriptedFault, Switches, Trouble};
use serde_json::json;

use crate::crash::crash;
use crate::stage::{Failure, Stage, told};

const BATCH: &str = "/analytics/v1/batch";

const DAY: Duration = Duration::from_secs(24 * 3_600);

const ORGANIZATIONS: &str = "
id: organizations
model: organizations
to: vitally
object: organization
api: analytics
match: { externalId: external }
fields: { name: name }
";

const ACCOUNTS: &str = "
id: accounts
model: accounts
to: vitally
object: account
api: analytics
match: { externalId: external }
fields:
  name: name
  traits: { plan: plan, seats: seats }
";

/// A user's accounts are a list: the rows are a file's.
const USERS: &str = "
id: users
model: members
to: vitally
object: user
api: analytics
match: { externalId: external }
fields:
  name: name
  email: email
  accountIds: { column: accounts, lookup: account.externalId }
";

const MEMBERS: &str = "source: files\nfile: members.ndjson\nprimary_key: id\n";

async fn accounts() -> Result<Stage, Failure> {
    let stage = Stage::with_analytics(&[("accounts", ACCOUNTS)]).await?;
    stage.sql(
        "INSERT INTO accounts VALUES
           (1, 'a-1', 'Acme', 'pro', 5, 0), (2, 'a-2', 'Bolt', 'free', 1, 0), (3, 'a-3', 'Cobalt', NULL, NULL, 0)",
    )?;
    Ok(stage)
}

/// The messages of all calls: type, record, link and traits.
fn messages(calls: &[String]) -> Vec<String> {
    let mut lines = Vec::new();
    for call in calls {
        let body = call.split_once(" [").map(|(_, body)| format!("[{body}")).unwrap_or_default();
        let messages: Vec<serde_json::Value> = serde_json::from_str(&body).unwrap_or_default();
        for message in messages {
            let of = ["type", "organizationId", "userId", "accountId"];
            let of: Vec<_> = of.iter().filter_map(|name| message[*name].as_str()).collect();
            lines.push(format!("{} {}", of.join(" "), message["traits"]));
        }
    }
    lines
}

#[tokio::test]
async fn records_are_taken_in_batches_and_the_second_run_sends_nothing() {
    let stage = accounts().await.unwrap();
    stage.many_accounts(10, 240).unwrap();
    let first = stage.run().await.unwrap();
    assert_eq!((first.told_all(), first.calls.len()), ("completed: 233 accepted".to_owned(), 3));
    assert_eq!((first.plans[0].calls.least, first.plans[0].calls.most), (3, 3));
    assert_eq!(stage.vitally.count(RecordKind::Account), 233);
    let second = stage.run().await.unwrap();
    assert_eq!((second.told_all(), second.calls.len()), ("completed: 233 unchanged".to_owned(), 0));
}

#[tokio::test]
async fn a_changed_record_is_sent_whole_and_no_other_is() {
    let stage = accounts().await.unwrap();
    stage.run().await.unwrap();
    stage.sql("UPDATE accounts SET seats = 6, noise = 1 WHERE id = 1; UPDATE accounts SET noise = 1 WHERE id = 2").unwrap();
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.told_all(), "completed: 1 accepted, 2 unchanged");
    assert_eq!(messages(&ran.calls), [r#"account a-1 {"name":"Acme","plan":"pro","seats":6}"#]);
    assert_eq!(stage.records()[0], r#"account a-1 "Acme" plan="pro" seats=6"#);
}

#[tokio::test]
async fn a_value_that_comes_back_arrives_whatever_vitally_remembers_of_messages() {
    for dedupe in ["forever", "per-type", "10m", "off"] {
        let stage = accounts().await.unwrap();
        let limit = stage.vitally.switches().limit;
        stage.vitally.set_switches(Switches { limit, ..format!("dedupe={dedupe}").parse().unwrap() });
        for seats in [1, 2, 1, 2, 1] {
            stage.sql(&format!("UPDATE accounts SET seats = {seats} WHERE id = 1")).unwrap();
            stage.run().await.unwrap();
            assert!(
                stage.records()[0].ends_with(&format!("seats={seats}")),
                "{dedupe}: {:?}",
                stage.records()
            );
        }
        assert_eq!(stage.vitally.dropped(), []);
    }
}

#[tokio::test]
async fn a_null_is_omitted_or_clears_what_was_sent() {
    let stage = accounts().await.unwrap();
    let first = stage.run().await.unwrap();
    assert_eq!(
        messages(&first.calls)[2],
        r#"account a-3 {"name":"Cobalt"}"#,
        "a null that was never sent is omitted"
    );
    stage.sql("UPDATE accounts SET plan = NULL WHERE id = 1").unwrap();
    let ran = stage.run().await.unwrap();
    assert_eq!(messages(&ran.calls), [r#"account a-1 {"name":"Acme","plan":null,"seats":5}"#]);
    assert_eq!(stage.records()[0], r#"account a-1 "Acme" seats=5"#);
    stage.sql("UPDATE accounts SET seats = 6 WHERE id = 1").unwrap();
    stage.run().await.unwrap();
    assert_eq!(stage.run().await.unwrap().calls, [""; 0]);
    assert_eq!(stage.records()[0], r#"account a-1 "Acme" seats=6"#);
}

#[tokio::test]
async fn a_user_is_one_message_for_each_account_the_first_one_last() {
    let mut stage = Stage::with_analytics(&[("accounts", ACCOUNTS), ("users", USERS)]).await.unwrap();
    stage.file("models/members.yaml", MEMBERS);
    stage.many_accounts(1, 4).unwrap();
    let ada = |accounts: &[&str]| json!({"id": 1, "external": "u-1", "name": "Ada", "accounts": accounts, "email": "ada@acme.io"});
    let bea = json!({"id": 2, "external": "u-2", "name": "Bea", "accounts": [], "email": "bea@acme.io"});
    let cleo =
        json!({"id": 3, "external": "u-3", "name": "Cleo", "accounts": ["a-002"], "email": "cleo@acme.io"});
    stage.rows("members.ndjson", &[ada(&["a-001", "a-002", "a-003"]), bea.clone(), cleo.clone()]).unwrap();
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.told("users"), "completed-with-errors: 2 accepted, 1 invalid");
    assert_eq!(ran.calls.len(), 2);
    assert_eq!(
        messages(&ran.calls[1..]),
        [
            r#"user u-1 a-002 {"email":"ada@acme.io","name":"Ada"}"#,
            r#"user u-1 a-003 {"email":"ada@acme.io","name":"Ada"}"#,
            r#"user u-1 a-001 {"email":"ada@acme.io","name":"Ada"}"#,
            r#"user u-3 a-002 {"email":"cleo@acme.io","name":"Cleo"}"#,
        ]
    );
    let user = stage.records().into_iter().find(|line| line.starts_with("user u-1")).unwrap();
    assert_eq!(user, "user u-1 \"Ada\" <ada@acme.io> in <a-001> in <a-002> in <a-003>");
    stage.rows("members.ndjson", &[ada(&["a-001"]), bea, cleo]).unwrap();
    assert_eq!(stage.run().await.unwrap().calls, [""; 0], "links are only added");
}

#[tokio::test]
async fn users_with_several_accounts_fill_the_batches_of_a_window() {
    let mut stage = Stage::with_analytics(&[("users", USERS)]).await.unwrap();
    stage.file("models/members.yaml", MEMBERS);
    let row = |id| json!({"id": id, "external": format!("u-{id}"), "name": "Name", "accounts": ["a", "b", "c"], "email": null});
    stage.rows("members.ndjson", &(0..410).map(row).collect::<Vec<_>>()).unwrap();
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.told_all(), "completed: 410 accepted");
    assert_eq!(ran.calls.len(), 13, "1,230 messages");
}

#[tokio::test]
async fn organizations_and_accounts_go_in_the_order_of_what_refers_to_what() {
    let accounts = ACCOUNTS.replace(
        "  name: name\n",
        "  name: name\n  organizationId: { column: plan, lookup: organization.externalId }\n",
    );
    let stage =
        Stage::with_analytics(&[("accounts", &accounts), ("organizations", ORGANIZATIONS)]).await.unwrap();
    stage.sql("INSERT INTO organizations VALUES (1, 'o-1', 'Group')").unwrap();
    stage.sql("INSERT INTO accounts VALUES (1, 'a-1', 'Acme', 'o-1', 5, 0)").unwrap();
    let ran = stage.run().await.unwrap();
    assert_eq!(
        messages(&ran.calls),
        [r#"organization o-1 {"name":"Group"}"#, r#"account o-1 a-1 {"name":"Acme","plan":"o-1","seats":5}"#]
    );
    assert_eq!(
        stage.records(),
        [r#"organization o-1 "Group""#, r#"account a-1 "Acme" plan="o-1" seats=5 of <o-1>"#]
    );
}

#[tokio::test]
async fn what_was_taken_is_told_apart_from_what_was_delivered() {
    let rest = crate::stage::ORGANIZATIONS;
    let stage = Stage::with_analytics(&[("organizations", rest), ("accounts", ACCOUNTS)]).await.unwrap();
    stage.sql("INSERT INTO organizations VALUES (1, 'o-1', 'Group')").unwrap();
    stage.sql("INSERT INTO accounts VALUES (1, 'a-1', 'Acme', 'pro', 5, 0)").unwrap();
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.told("organizations"), "completed: 1 delivered");
    assert_eq!(ran.told("accounts"), "completed: 1 accepted");
    let statuses = stage.ask_ledger("SELECT fate FROM fates ORDER BY fate").unwrap();
    assert_eq!(statuses, ["accepted", "delivered"]);
}

#[tokio::test]
async fn a_row_that_left_is_kept_and_its_return_sends_only_what_differs() {
    let stage = accounts().await.unwrap();
    stage.run().await.unwrap();
    stage
        .sql("CREATE TABLE away AS SELECT * FROM accounts; DELETE FROM accounts WHERE id IN (1, 2)")
        .unwrap();
    let ran = stage.run().await.unwrap();
    assert_eq!((ran.told_all(), ran.calls.len()), ("completed: 1 unchanged, 2 released".to_owned(), 0));
    stage.sql("INSERT INTO accounts SELECT * FROM away WHERE id IN (1, 2); UPDATE accounts SET seats = 9 WHERE id = 2").unwrap();
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.told_all(), "completed: 1 accepted, 1 touched, 1 unchanged");
    assert_eq!(messages(&ran.calls), [r#"account a-2 {"name":"Bolt","plan":"free","seats":9}"#]);
}

#[tokio::test]
async fn what_may_have_arrived_is_repeated_even_where_its_row_left() {
    for trouble in [Trouble::DropBefore, Trouble::DropAfterCommit] {
        let stage = accounts().await.unwrap();
        stage.vitally.script(ScriptedFault::once(trouble.clone()).on("POST", BATCH).times(3));
        assert_eq!(stage.run_alone().await.unwrap().told_all(), "completed-with-errors: 3 deferred");
        stage.sql("DELETE FROM accounts WHERE id = 1").unwrap();
        stage.advance(DAY);
        let ran = stage.run().await.unwrap();
        assert_eq!(ran.told_all(), "completed: 3 accepted");
        let mut sent = messages(&ran.calls);
        sent.sort();
        assert_eq!(
            sent,
            [
                r#"account a-1 {"name":"Acme","plan":"pro","seats":5}"#,
                r#"account a-2 {"name":"Bolt","plan":"free","seats":1}"#,
                r#"account a-3 {"name":"Cobalt"}"#,
            ]
        );
        assert_eq!(stage.records().len(), 3, "{trouble:?}");
        assert_eq!(stage.run().await.unwrap().told_all(), "completed: 2 unchanged, 1 released");
        assert_eq!(stage.run().await.unwrap().calls, [""; 0]);
    }
}

#[tokio::test]
async fn a_refused_record_is_found_in_its_batch_and_tried_again() {
    let mut stage = accounts().await.unwrap();
    stage.many_accounts(10, 110).unwrap();
    stage.sync("accounts", &ACCOUNTS.replace("seats: seats", "seats: { column: seats, as: json }"));
    stage.sql("UPDATE accounts SET seats = '5' WHERE id < 10; UPDATE accounts SET seats = '{\"a\": 1}' WHERE id = 50").unwrap();
    let ran = stage.run().await.unwrap();
    assert_eq!(
        ran.told_all(),
        "completed-with-errors: 102 accepted, 1 invalid",
        "nested values are caught before"
    );
    stage.sync("accounts", ACCOUNTS);
    let refuse = coho_simulator::FaultAnswer::status(400);
    stage.sql("UPDATE accounts SET seats = 7 WHERE id IN (1, 2)").unwrap();
    stage.vitally.script(ScriptedFault::once(Trouble::Answer(refuse)).on("POST", BATCH).times(2));
    let ran = stage.run_alone().await.unwrap();
    assert!(ran.told_all().contains("1 rejected"), "{}", ran.told_all());
    stage.advance(DAY);
    stage.run_alone().await.unwrap();
    assert_eq!(told::records(&stage.vitally)[0], r#"account a-010 "Account 10" plan="free" seats=10"#);
    assert!(stage.records().iter().any(|line| line == r#"account a-1 "Acme" plan="pro" seats=7"#));
    assert!(stage.records().iter().any(|line| line == r#"account a-2 "Bolt" plan="free" seats=7"#));
}

#[tokio::test]
async fn a_run_that_is_killed_leaves_intents_of_batches_and_the_next_one_makes_them_good() {
    for (trouble, after) in [(Trouble::Hang, 0), (Trouble::Hang, 2), (Trouble::HangAfterCommit, 0)] {
        let mut stage = accounts().await.unwrap();
        stage.concurrency(1);
        stage.analytics();
        stage.run().await.unwrap();
        stage.sql("UPDATE accounts SET seats = 100").unwrap();
        stage.many_accounts(10, 1_800).unwrap();
        stage.advance(DAY);
        crash(&stage, trouble.clone(), after).await.unwrap();
        let writes =
            stage.ask_ledger("SELECT CAST(sum(json_array_length(writes)) AS TEXT) FROM batches").unwrap();
        let open: usize = writes[0].parse().unwrap();
        assert!((1..=100 * PARCELS).contains(&open), "{trouble:?} {after}: {open}");
        assert_eq!(stage.ask_ledger("SELECT key FROM memory WHERE pending <> 'none'").unwrap(), [""; 0]);
        stage.advance(DAY);
        let plan = stage.plan().await.unwrap();
        let ran = stage.run().await.unwrap();
        assert_eq!(plan[0].changes, ran.plans[0].changes, "{trouble:?} {after}");
        let left = stage.ask_ledger("SELECT CAST(count(*) AS TEXT) FROM batches").unwrap();
        assert_eq!(left, ["0"], "{trouble:?} {after}");
        assert_eq!(stage.ask_ledger("SELECT key FROM memory WHERE pending <> 'none'").unwrap(), [""; 0]);
        assert_eq!(stage.vitally.count(RecordKind::Account), 1_793);
        assert!(stage.records().iter().any(|line| line == r#"account a-1 "Acme" plan="pro" seats=100"#));
        assert_eq!(stage.run().await.unwrap().calls, [""; 0]);
    }
}

#[tokio::test]
async fn as_many_batches_are_under_way_as_the_project_allows() {
    let mut stage = accounts().await.unwrap();
    stage.many_accounts(10, 1_800).unwrap();
    stage.concurrency(12);
    stage.analytics();
    stage.vitally.script(ScriptedFault::once(Trouble::Hang).on("POST", BATCH).after(3).times(1_000));
    let (options, stop) = (Options::default(), Stop::new());
    let running = stage.try_run(&options, &Silence, &stop);
    let all_came = async {
        while stage.vitally.calls().len() < 3 + 12 {
            tokio::task::yield_now().await;
        }
    };
    // Of the rate something must be known first. The twelve that follow are not answered, so all of them are under way.
    tokio::select! {
        _ = running => panic!("the run ended by itself"),
        () = all_came => {}
    }
}

#[tokio::test]
async fn what_was_refused_stops_a_run_that_allows_no_more_of_it() {
    let mut stage = accounts().await.unwrap();
    stage.many_accounts(10, 1_500).unwrap();
    stage.sync("accounts", &format!("{ACCOUNTS}guards: {{ max_rejected: 0 }}\n"));
    stage.concurrency(1);
    stage.analytics();
    let refuse = coho_simulator::FaultAnswer::status(400);
    // The first batch is refused, then its halves, until a single record is.
    stage.vitally.script(ScriptedFault::once(Trouble::Answer(refuse)).on("POST", BATCH).times(7));
    let ran = stage.run_alone().await.unwrap();
    let rejected = stage.ask_ledger("SELECT key FROM fates WHERE fate = 'rejected'").unwrap();
    let accepted = stage.ask_ledger("SELECT key FROM memory WHERE standing = 'delivered'").unwrap();
    assert_eq!((rejected.len(), accepted.len()), (1, 99), "no further batch is begun: {}", ran.told_all());
    assert_eq!(stage.ask_ledger("SELECT CAST(count(*) AS TEXT) FROM batches").unwrap(), ["0"]);
}
