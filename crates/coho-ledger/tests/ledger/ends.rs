//! How rows end that are not sent: recorded by joins with a plan's file, as one by one.

use coho_core::code::Code;
use coho_core::key::Key;
use coho_core::secret::{Masker, Secret};
use coho_core::verdict::RowStatus;
use coho_ledger::history::RowFilter;
use coho_ledger::run::Run;
use coho_ledger::settle::RowResult;
use rusqlite::{Connection, params};

use super::history::begin;
use super::stage::{Stage, Tested, at};

/// Key, status, code and message.
type End<'a> = (&'a str, RowStatus, Option<Code>, Option<&'a str>);

/// A plan's file with these ends.
fn plan(ends: &[End<'_>]) -> rusqlite::Result<Connection> {
    let connection = Connection::open_in_memory()?;
    connection.execute_batch(
        "CREATE TEMP TABLE ends (seq INTEGER PRIMARY KEY, key TEXT, status TEXT, reason TEXT, code TEXT, message TEXT)",
    )?;
    for (key, status, code, message) in ends {
        let code = code.map(Code::as_str);
        connection.execute(
            "INSERT INTO ends (key, status, reason, code, message) VALUES (?1, ?2, 'why', ?3, ?4)",
            params![key, status.as_str(), code, message],
        )?;
    }
    Ok(connection)
}

fn record_all(stage: &Stage, run: &Run, ends: &[End<'_>]) -> Tested {
    Ok(stage.ledger.record_ends(&stage.lease, &plan(ends)?, run, &stage.scope, 1..=100, at(9))?)
}

fn record_each(stage: &Stage, run: &Run, ends: &[End<'_>]) -> Tested {
    let statuses: Vec<_> = ends.iter().map(row).collect();
    Ok(stage.ledger.record(&stage.lease, run, &stage.scope, &statuses)?)
}

fn row((key, status, code, message): &End<'_>) -> RowResult {
    RowResult {
        key: Some(Key::new(*key)),
        op_type: None,
        status: *status,
        reason: "why".to_owned(),
        code: *code,
        message: message.map(str::to_owned),
        changes: Vec::new(),
        at: at(9),
    }
}

/// What each run recorded, and what stands in the end.
type History = (Vec<Vec<RowResult>>, Vec<(Key, RowStatus)>);

/// The history of these runs.
fn history(
    runs: &[&[End<'_>]],
    record: impl Fn(&Stage, &Run, &[End<'_>]) -> Tested,
) -> Result<History, Box<dyn std::error::Error>> {
    let stage = Stage::new()?;
    let mut recorded = Vec::new();
    for (number, ends) in runs.iter().enumerate() {
        let run = begin(&stage, &format!("r{number}"), 1)?;
        record(&stage, &run, ends)?;
        let of_run = RowFilter { run: Some(run.id().clone()), ..RowFilter::default() };
        let rows = stage.ledger.rows(&stage.scope, &of_run, 100)?;
        recorded.push(rows.into_iter().map(|row| row.status).collect());
    }
    Ok((recorded, stage.ledger.standing(&stage.scope, None, 100)?))
}

#[test]
fn all_at_once_is_as_one_by_one() -> Tested {
    let (null, owner) = (Some(Code::NULL_REQUIRED), Some(Code::NO_OWNER));
    let runs: &[&[End<'_>]] = &[
        &[
            ("1", RowStatus::Invalid, null, Some("name is null")),
            ("2", RowStatus::Rejected, null, Some("no such plan")),
            ("3", RowStatus::Held, owner, None),
            ("4", RowStatus::Learned, None, None),
        ],
        // Said already, another message, nothing more to say of a row that waits, and said again in a run of its own.
        &[
            ("1", RowStatus::Invalid, null, Some("name is null")),
            ("2", RowStatus::Held, null, None),
            ("3", RowStatus::Held, owner, Some("held by a guard")),
            ("4", RowStatus::Learned, None, None),
        ],
        // Another code, well again, and well again for the first time.
        &[
            ("1", RowStatus::Invalid, owner, Some("name is null")),
            ("2", RowStatus::Touched, None, None),
            ("3", RowStatus::Stale, None, Some("held by a guard")),
            ("5", RowStatus::Invalid, None, None),
        ],
    ];
    let (recorded, standing) = history(runs, record_all)?;
    assert_eq!(recorded.iter().map(Vec::len).collect::<Vec<_>>(), [4, 2, 4]);
    let stands = [("1", RowStatus::Invalid), ("3", RowStatus::Stale), ("5", RowStatus::Invalid)];
    assert_eq!(standing, stands.map(|(key, status)| (Key::new(key), status)));
    assert_eq!((recorded, standing), history(runs, record_each)?);
    Ok(())
}

#[test]
fn what_is_recorded_at_once_has_no_secret() -> Tested {
    let stage = Stage::new()?;
    stage.ledger.mask(&Masker::new(&[Secret::new("hush-hush-hush")]))?;
    let ends: &[End<'_>] = &[("1", RowStatus::Invalid, None, Some("it is hush-hush-hush"))];
    let first = begin(&stage, "r1", 1)?;
    record_all(&stage, &first, ends)?;
    record_all(&stage, &begin(&stage, "r2", 1)?, ends)?;
    let rows = stage.ledger.rows(&stage.scope, &RowFilter::default(), 100)?;
    let messages: Vec<_> = rows.into_iter().map(|row| row.status.message.unwrap_or_default()).collect();
    assert_eq!(messages, ["it is ***"], "it is masked, and said once");
    Ok(())
}
