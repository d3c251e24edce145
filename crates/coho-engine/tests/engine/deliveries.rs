//! Deliveries: what is sent the first time, what when something changes, and that nothing is sent otherwise.

use crate::stage::{ACCOUNTS, Stage};

const ROWS: &str = "INSERT INTO accounts VALUES
    (1, 'a-1', 'Acme', 'pro', 5, 0), (2, 'a-2', 'Bolt', 'free', 1, 0), (3, 'a-3', 'Cobalt', NULL, NULL, 0)";

#[tokio::test]
async fn the_first_run_delivers_all_and_the_second_sends_nothing() {
    let stage = Stage::accounts().await.unwrap();
    stage.sql(ROWS).unwrap();
    let first = stage.run().await.unwrap();
    assert_eq!(first.told_all(), "completed: 3 delivered");
    assert_eq!(
        first.calls,
        [
            r#"POST /accounts {"externalId":"a-1","name":"Acme","traits":{"plan":"pro","seats":5}}"#,
            r#"POST /accounts {"externalId":"a-2","name":"Bolt","traits":{"plan":"free","seats":1}}"#,
            r#"POST /accounts {"externalId":"a-3","name":"Cobalt"}"#,
        ]
    );
    let second = stage.run().await.unwrap();
    assert_eq!(second.told_all(), "completed: 3 unchanged");
    assert_eq!(second.calls, [""; 0]);
    assert_eq!(
        stage.records(),
        [
            r#"account a-1 "Acme" plan="pro" seats=5"#,
            r#"account a-2 "Bolt" plan="free" seats=1"#,
            r#"account a-3 "Cobalt""#
        ]
    );
}

#[tokio::test]
async fn a_changed_row_sends_one_put_with_only_the_changed_fields() {
    let stage = Stage::accounts().await.unwrap();
    stage.sql(ROWS).unwrap();
    stage.run().await.unwrap();
    stage.sql("UPDATE accounts SET seats = 6 WHERE id = 1; UPDATE accounts SET name = 'BOLT', plan = 'pro' WHERE id = 2").unwrap();
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.told_all(), "completed: 2 delivered, 1 unchanged");
    assert_eq!(
        ran.calls,
        [
            r#"PUT /accounts/<a-1> {"traits":{"seats":6}}"#,
            r#"PUT /accounts/<a-2> {"name":"BOLT","traits":{"plan":"pro"}}"#
        ]
    );
    assert_eq!(stage.run().await.unwrap().calls, [""; 0]);
}

#[tokio::test]
async fn a_column_that_nobody_maps_causes_no_call() {
    let stage = Stage::accounts().await.unwrap();
    stage.sql(ROWS).unwrap();
    stage.run().await.unwrap();
    stage
        .sql("UPDATE accounts SET noise = noise + 1; ALTER TABLE accounts ADD COLUMN more DEFAULT 7")
        .unwrap();
    let ran = stage.run().await.unwrap();
    assert_eq!((ran.told_all().as_str(), ran.calls.len()), ("completed: 3 unchanged", 0));
}

#[tokio::test]
async fn a_new_mapping_causes_exactly_the_calls_that_it_must() {
    let mut stage = Stage::accounts().await.unwrap();
    stage.sql(ROWS).unwrap();
    stage.run().await.unwrap();
    let tiers = "traits: { plan: plan, seats: seats, tier: plan }";
    stage.sync("accounts", &ACCOUNTS.replace("traits: { plan: plan, seats: seats }", tiers));
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.told_all(), "completed: 2 delivered, 1 touched");
    assert_eq!(
        ran.calls,
        [
            r#"PUT /accounts/<a-1> {"traits":{"tier":"pro"}}"#,
            r#"PUT /accounts/<a-2> {"traits":{"tier":"free"}}"#
        ]
    );
    assert_eq!(stage.run().await.unwrap().told_all(), "completed: 3 unchanged");
}

#[tokio::test]
async fn a_field_that_is_no_longer_mapped_is_forgotten_and_not_cleared() {
    let mut stage = Stage::accounts().await.unwrap();
    stage.sql(ROWS).unwrap();
    stage.run().await.unwrap();
    stage.sync("accounts", &ACCOUNTS.replace("plan: plan, ", ""));
    let ran = stage.run().await.unwrap();
    assert_eq!((ran.told_all().as_str(), ran.calls.len()), ("completed: 3 touched", 0));
    assert_eq!(stage.records()[0], r#"account a-1 "Acme" plan="pro" seats=5"#);
}

#[tokio::test]
async fn a_mapping_written_another_way_touches_rows_and_sends_nothing() {
    let mut stage = Stage::accounts().await.unwrap();
    stage.sql(ROWS).unwrap();
    stage.run().await.unwrap();
    stage.sync("accounts", &ACCOUNTS.replace("seats: seats", "seats: { column: seats, as: integer }"));
    let ran = stage.run().await.unwrap();
    assert_eq!((ran.told_all().as_str(), ran.calls.len()), ("completed: 3 touched", 0));
    assert_eq!(stage.run().await.unwrap().told_all(), "completed: 3 unchanged");
}

#[tokio::test]
async fn what_only_the_clock_changes_causes_no_call() {
    let mut stage = Stage::accounts().await.unwrap();
    stage.sql(ROWS).unwrap();
    let stamped = r#"traits: { template: "{{ | json_construct : 'plan', row.plan, 'at', run.startedAt }}" }"#;
    stage.sync("accounts", &ACCOUNTS.replace("traits: { plan: plan, seats: seats }", stamped));
    assert_eq!(stage.run().await.unwrap().calls.len(), 3);
    stage.advance(std::time::Duration::from_secs(3_600));
    let upper =
        r#"traits: { template: "{{ | json_construct : 'plan', row['plan'], 'at', run.startedAt }}" }"#;
    stage.sync("accounts", &ACCOUNTS.replace("traits: { plan: plan, seats: seats }", upper));
    assert_eq!(stage.run().await.unwrap().told_all(), "completed: 3 touched");
    stage.sql("UPDATE accounts SET plan = 'max' WHERE id = 2").unwrap();
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.told_all(), "completed: 1 delivered, 2 unchanged");
    assert!(ran.calls[0].contains(r#""plan":"max""#) && ran.calls[0].contains(r#""at":"#), "{:?}", ran.calls);
}

#[tokio::test]
async fn a_column_that_only_a_template_reads_counts_and_others_do_not() {
    let mut stage = Stage::accounts().await.unwrap();
    stage.sql(ROWS).unwrap();
    let template = r#"traits: { size: { template: "{% if row.seats > 3 %}big{% else %}small{% endif %}" } }"#;
    stage.sync("accounts", &ACCOUNTS.replace("traits: { plan: plan, seats: seats }", template));
    stage.sql("UPDATE accounts SET seats = 1 WHERE id = 3").unwrap();
    stage.run().await.unwrap();
    stage.sql("UPDATE accounts SET plan = 'other'; UPDATE accounts SET seats = 4 WHERE id = 2").unwrap();
    let ran = stage.run().await.unwrap();
    assert_eq!(ran.calls, [r#"PUT /accounts/<a-2> {"traits":{"size":"big"}}"#]);
}
