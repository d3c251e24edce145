//! Texts that are kept as shapes and values: what is read of them, by Coho and in SQL, and what is left of them.

use coho_core::call::Headers;
use coho_core::fields::{Difference, Sent};
use coho_core::key::Key;
use coho_core::path::FieldPath;
use coho_core::row_state::{DeliveryState, Pending, RowState};
use coho_core::target::VitallyId;
use coho_core::value::Value;
use coho_core::verdict::{Call, RowStatus};
use coho_ledger::history::RowFilter;
use coho_ledger::run::{Kept, Run, RunEnding, RunStatus};
use coho_ledger::settle::{OpType, RowResult, Settlement};
use rusqlite::Connection;

use super::history::{begin, call, status};
use super::retention::seconds;
use super::stage::{Stage, Tested, at, delivered};

type Failure = Box<dyn std::error::Error>;

/// A delivered row with a name, as all of its texts have it.
fn settlement(key: &str, name: &str) -> Result<Settlement, Failure> {
    let sent: Sent =
        [(FieldPath::new("name"), Value::text(name)), (FieldPath::new("traits.seats"), Value::Int(42))]
            .into();
    let changes: Vec<_> = sent
        .iter()
        .map(|(path, value)| Difference { path: path.clone(), before: None, after: value.clone() })
        .collect();
    let mut row_state = delivered(key)?;
    if let DeliveryState::Delivered { sent: known, .. } = &mut row_state.delivery {
        *known = sent;
    }
    let body = format!(r#"{{"externalId":"{key}","name":"{name}","traits":{{"seats":42}}}}"#);
    let headers: Headers = [("date".to_owned(), "Sat, 28 Nov 2026 18:00:00 GMT".to_owned())].into();
    let request = Call {
        method: "POST",
        request: Some(body.clone()),
        status: Some(200),
        headers,
        response: body,
        ..call()
    };
    let status = RowResult { changes, ..status(key, Some(OpType::Added), RowStatus::Delivered) };
    // The second call's answer is none of JSON.
    let calls = vec![request.clone(), Call { response: format!("no answer for {name}"), ..request }];
    Ok(Settlement { key: Key::new(key), row_state: Some(row_state), arrived: None, status, calls })
}

fn settle(stage: &Stage, id: &str, seconds: i64, settlements: &[Settlement]) -> Result<Run, Failure> {
    let run = begin(stage, id, seconds)?;
    stage.ledger.settle(&stage.lease, &run, &stage.scope, settlements)?;
    let ending = RunEnding { status: RunStatus::Success, error: None, at: at(seconds + 1) };
    stage.ledger.end_run(&stage.lease, &run, &ending)?;
    Ok(run)
}

fn ask(stage: &Stage, sql: &str) -> Result<Vec<String>, Failure> {
    let connection = Connection::open(stage.path())?;
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// What pages read of a row.
fn told(stage: &Stage, run: &Run, settlement: &Settlement) -> Result<(), Failure> {
    let key = &settlement.key;
    let calls = stage.ledger.calls(&stage.scope, run.id(), Some(key), 9)?;
    assert_eq!(calls.into_iter().map(|(_, call)| call).collect::<Vec<_>>(), settlement.calls);
    let calls = stage.ledger.requests_of_row(&stage.scope, run.id(), key, 9)?;
    assert_eq!(calls.into_iter().map(|found| found.call).collect::<Vec<_>>(), settlement.calls);
    let filter = RowFilter { key: Some(key.clone()), ..RowFilter::default() };
    assert_eq!(stage.ledger.rows(&stage.scope, &filter, 9)?[0].status, settlement.status);
    let row_state = settlement.row_state.clone().map(|state| RowState { version: 1, ..state });
    assert_eq!(stage.ledger.row_state(&stage.scope, key)?, row_state);
    Ok(())
}

#[test]
fn what_many_rows_have_in_common_is_kept_once_and_each_reads_back() -> Tested {
    let stage = Stage::new()?;
    let names = ["Acme", "", "Ä \"quoted\" \\ \u{1} \u{1f} \u{1c}", "true"];
    let settlements: Vec<_> = names
        .iter()
        .enumerate()
        .map(|(at, name)| {
            let name = serde_json::to_string(name)?;
            // The text of the body has the name as JSON writes it.
            let written = name.trim_matches('"').to_owned();
            let mut one = settlement(&format!("acc-{at}"), &written)?;
            let real: String = serde_json::from_str(&name)?;
            one.status.changes[0].after = Value::text(&*real);
            if let Some(RowState { delivery: DeliveryState::Delivered { sent, .. }, .. }) = &mut one.row_state
            {
                sent.insert(FieldPath::new("name"), Value::text(&*real));
            }
            Ok(one)
        })
        .collect::<Result<_, Failure>>()?;
    let run = settle(&stage, "r1", 1, &settlements)?;
    for settlement in &settlements {
        told(&stage, &run, settlement)?;
    }
    assert_eq!(ask(&stage, "SELECT CAST(count(*) AS TEXT) FROM shapes")?, ["4"]);
    assert_eq!(
        ask(&stage, "SELECT replace(own, char(31), '|') FROM calls WHERE key = 'acc-0' ORDER BY id")?,
        ["Sat, 28 Nov 2026 18:00:00 GMT|", "Sat, 28 Nov 2026 18:00:00 GMT|"]
    );
    Ok(())
}

#[test]
fn the_views_show_the_texts_as_they_were() -> Tested {
    let stage = Stage::new()?;
    let one = settlement("acc-1", "A \\u0041 \\\"b\\\"")?;
    settle(&stage, "r1", 1, std::slice::from_ref(&one))?;
    for (column, texts) in [
        (
            "request",
            one.calls.iter().map(|call| call.request.clone().unwrap_or_default()).collect::<Vec<_>>(),
        ),
        ("response", one.calls.iter().map(|call| call.response.clone()).collect()),
        ("response_headers", vec![r#"{"date":"Sat, 28 Nov 2026 18:00:00 GMT"}"#.to_owned(); 2]),
    ] {
        assert_eq!(
            ask(&stage, &format!("SELECT {column} FROM sync_calls ORDER BY call_id"))?,
            texts,
            "{column}"
        );
    }
    let fields = r#"{"name":{"after":"A \\u0041 \\\"b\\\""},"traits.seats":{"after":42}}"#;
    assert_eq!(ask(&stage, "SELECT fields FROM sync_changelog")?, [fields]);
    let sent = r#"{"name":"A \\u0041 \\\"b\\\"","traits.seats":42}"#;
    assert_eq!(ask(&stage, "SELECT fields FROM sync_snapshot")?, [sent]);
    Ok(())
}

#[test]
fn after_a_purge_no_text_and_no_shape_has_a_value_of_the_row() -> Tested {
    let stage = Stage::new()?;
    let (one, mut other) = (settlement("acc-1", "Planted name")?, settlement("acc-2", "Acme")?);
    // What only this row has: an outline of its own.
    let body = r#"{"externalId":"acc-2","Planted field":1}"#;
    other.calls.push(Call { method: "PUT", request: Some(body.to_owned()), ..call() });
    let run = settle(&stage, "r1", 1, &[one.clone(), other.clone()])?;
    let planted = "SELECT coalesce(own, '') FROM calls WHERE own LIKE '%Planted%' UNION ALL
        SELECT fields FROM fates WHERE fields LIKE '%Planted%' UNION ALL SELECT sent FROM memory WHERE sent LIKE '%Planted%'
        UNION ALL SELECT request FROM shapes WHERE request LIKE '%Planted%'";
    assert_eq!(ask(&stage, planted)?.len(), 3);
    let sync = stage.scope.sync().clone();
    let (purged, _) = stage.ledger.purge(&stage.lease, &sync, &Key::new("acc-1"), at(9))?;
    assert_eq!((purged.row_states, purged.rows, purged.calls), (1, 1, 2));
    assert_eq!(ask(&stage, planted)?.len(), 1, "the field of the other row");
    told(&stage, &run, &other)?;
    stage.ledger.purge(&stage.lease, &sync, &Key::new("acc-2"), at(9))?;
    stage.ledger.scrub(&stage.lease)?;
    assert_eq!(ask(&stage, planted)?, [""; 0]);
    let bytes = std::fs::read(stage.path())?;
    assert!(!bytes.windows(7).any(|window| window == b"Planted"));
    assert_eq!(ask(&stage, "SELECT CAST(count(*) AS TEXT) FROM shapes")?, ["0"]);
    // What is written next makes the shapes anew.
    let run = settle(&stage, "r2", 20, &[settlement("acc-3", "New")?])?;
    told(&stage, &run, &settlement("acc-3", "New")?)
}

#[test]
fn a_transaction_that_failed_leaves_no_shape_behind_that_a_later_one_takes_for_there() -> Tested {
    let stage = Stage::new()?;
    let run = begin(&stage, "r1", 1)?;
    let one = settlement("acc-1", "Acme")?;
    Connection::open(stage.path())?
        .execute_batch("CREATE TRIGGER full BEFORE INSERT ON calls BEGIN SELECT RAISE(ABORT, 'full'); END")?;
    assert!(stage.ledger.settle(&stage.lease, &run, &stage.scope, std::slice::from_ref(&one)).is_err());
    Connection::open(stage.path())?.execute_batch("DROP TRIGGER full")?;
    stage.ledger.settle(&stage.lease, &run, &stage.scope, std::slice::from_ref(&one))?;
    told(&stage, &run, &one)
}

#[test]
fn shapes_go_with_the_last_of_their_texts() -> Tested {
    let stage = Stage::new()?;
    settle(&stage, "r1", 1, &[settlement("acc-1", "Acme")?])?;
    let day = 86_400;
    let number = "SELECT CAST(count(*) AS TEXT) FROM shapes";
    assert_eq!(ask(&stage, number)?, ["4"]);
    stage.ledger.retain(&stage.lease, &seconds(1), at(day))?;
    assert_eq!(ask(&stage, number)?, ["4"], "somebody may write with them still");
    stage.ledger.retain(&stage.lease, &seconds(1), at(3 * day))?;
    assert_eq!(ask(&stage, number)?, ["1"], "what was sent is remembered");
    assert!(stage.row_state("acc-1")?.is_some_and(|state| state.pending == Pending::None));
    Ok(())
}

#[test]
fn a_call_that_is_kept_keeps_the_status_that_has_its_values() -> Tested {
    let stage = Stage::new()?;
    let one = settlement("acc-1", "Acme")?;
    let run = begin(&stage, "r1", 1)?;
    stage.ledger.settle(&stage.lease, &run, &stage.scope, std::slice::from_ref(&one))?;
    // The same row failed in the same run.
    let failed = status("acc-1", Some(OpType::Changed), RowStatus::Rejected);
    stage.ledger.record(&stage.lease, &run, &stage.scope, &[failed])?;
    let ending = RunEnding { status: RunStatus::Warning, error: None, at: at(2) };
    stage.ledger.end_run(&stage.lease, &run, &ending)?;
    stage.ledger.retain(&stage.lease, &seconds(10), at(50))?;
    assert_eq!(stage.ledger.run(run.id())?.map(|run| run.kept), Some(Kept::Failures));
    let calls = stage.ledger.calls(&stage.scope, run.id(), Some(&one.key), 9)?;
    assert_eq!(calls.into_iter().map(|(_, call)| call).collect::<Vec<_>>(), one.calls);
    Ok(())
}

#[test]
fn records_whose_ids_end_alike_are_told_apart() -> Tested {
    let stage = Stage::new()?;
    for (key, id) in [("acc-1", "v-1-000000000001"), ("acc-2", "v-2-000000000001")] {
        let mut held = delivered(key)?;
        if let DeliveryState::Delivered { id: known, .. } = &mut held.delivery {
            *known = Some(VitallyId::new(id));
        }
        stage.write(key, Some(held))?;
        assert_eq!(stage.ledger.holder_of_id(&stage.scope, &VitallyId::new(id))?, [Key::new(key)]);
    }
    Ok(())
}
