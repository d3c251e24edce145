//! What pages and the command line ask: calls with their attempts, failures by cause, stages, what started a run.

use std::sync::Arc;
use std::time::Duration;

use coho_core::call::{AddressSource, Attempt, Headers, Route, Wait, WaitWhy};
use coho_core::code::Code;
use coho_core::counts::Counts;
use coho_core::decide::RunKind;
use coho_core::key::Key;
use coho_core::secret::{Masker, Secret};
use coho_core::started;
use coho_core::started::{Commit, FullWhy, Started, StartedBy};
use coho_core::sync::Api;
use coho_core::verdict::{Call, RowStatus};
use coho_ledger::look::requests::WantedCalls;
use coho_ledger::look::{FailureGroup, FailuresOf};
use coho_ledger::run::{Kept, Run, RunEnding, RunId, RunStatus};
use coho_ledger::settle::{OpType, RowResult, Settlement};
use coho_ledger::stages::StageStart;

use super::history::{begin, call, status};
use super::stage::{Stage, Tested, at};

fn headers(pairs: &[(&str, &str)]) -> Headers {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// A call of an attempt after a wait, with a body that is long enough to be packed.
fn told(number: u32, body: &str) -> Call {
    let route = Route {
        api: Api::Rest,
        source: AddressSource::Eu,
        address: "https://rest.vitally-eu.io".to_owned(),
        headers: headers(&[("authorization", "***")]),
    };
    Call {
        route: Some(Arc::new(route)),
        attempt: Attempt { number, wait: Wait::new(Duration::from_millis(750), WaitWhy::Backoff) },
        status: Some(503),
        headers: headers(&[("retry-after", "30")]),
        request: Some(body.to_owned()),
        response: body.repeat(40),
        response_cut: 7,
        ..call()
    }
}

/// Settles a key with the calls of its exchange.
fn settle(stage: &Stage, run: &Run, key: &Key, calls: &[Call]) -> Tested {
    let status = status(key.as_str(), Some(OpType::Added), RowStatus::Delivered);
    let settled =
        Settlement { key: key.clone(), row_state: None, arrived: None, status, calls: calls.to_vec() };
    Ok(stage.ledger.settle(&stage.lease, run, &stage.scope, &[settled])?)
}

#[test]
fn a_call_reads_back_with_all_that_was_told_of_it() -> Tested {
    let stage = Stage::new()?;
    let run = begin(&stage, "r1", 1)?;
    let (key, calls) = (Key::new("1"), [told(1, "{\"name\":\"Acme\"}"), told(2, "{\"name\":\"Acme\"}")]);
    settle(&stage, &run, &key, &calls)?;
    let found = stage.ledger.calls(&stage.scope, run.id(), Some(&key), 9)?;
    assert_eq!(found.into_iter().map(|(_, call)| call).collect::<Vec<_>>(), calls);
    let connection = rusqlite::Connection::open(stage.path())?;
    let (packed, plain): (i64, i64) =
        connection.query_row("SELECT count(response_zlib), sum(length(response)) FROM calls", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
    assert_eq!((packed, plain), (2, 0), "both answers are long, and are kept compressed");
    let endpoints: i64 = connection.query_row("SELECT count(*) FROM endpoints", [], |row| row.get(0))?;
    assert_eq!(endpoints, 1);
    Ok(())
}

#[test]
fn a_secret_in_a_body_that_is_compressed_is_masked_too() -> Tested {
    let stage = Stage::new()?;
    stage.ledger.mask(&Masker::new(&[Secret::new("hush-hush-hush")]))?;
    let run = begin(&stage, "r1", 1)?;
    let calls =
        [Call { headers: headers(&[("via", "hush-hush-hush")]), ..told(1, "you sent hush-hush-hush. ") }];
    stage.ledger.settle_batch(
        &stage.lease,
        &run,
        &stage.scope,
        &[],
        &calls.map(|call| (call, Vec::new())),
    )?;
    let kept = &stage.ledger.calls(&stage.scope, run.id(), None, 9)?[0].1;
    assert!(!kept.response.contains("hush") && kept.response.contains("***"), "{}", kept.response);
    assert_eq!((kept.headers["via"].as_str(), kept.request.as_deref()), ("***", Some("you sent ***. ")));
    Ok(())
}

#[test]
fn rows_lead_to_their_calls_and_calls_to_their_rows() -> Tested {
    let stage = Stage::new()?;
    let run = begin(&stage, "r1", 1)?;
    let (key, own) = (Key::new("1"), [call(), told(1, "{}"), told(2, "{}")]);
    settle(&stage, &run, &key, &own)?;
    let shared = [(call(), vec![Key::new("2"), Key::new("1")])];
    stage.ledger.settle_batch(&stage.lease, &run, &stage.scope, &[], &shared)?;
    let all = stage.ledger.requests_of_run(run.id(), &WantedCalls::default(), 9)?;
    let places: Vec<_> = all.iter().map(|call| (call.number, call.exchange)).collect();
    assert_eq!(places, [(1, 1), (2, 1), (3, 1), (4, 4)], "calls of one operation are one exchange");
    assert_eq!(stage.ledger.calls(&stage.scope, run.id(), Some(&key), 9)?.len(), 4);
    let found = |number| stage.ledger.numbered_call(number);
    assert_eq!(found(2)?.map(|call| call.key), Some(Some(key)));
    let keys: Vec<_> = stage.ledger.rows_of_request(4, 9)?.into_iter().map(|(key, _)| key).collect();
    assert_eq!((found(4)?.map(|call| call.key), keys), (Some(None), vec![Key::new("1"), Key::new("2")]));
    let behind = WantedCalls { after: Some(3), ..WantedCalls::default() };
    assert_eq!(stage.ledger.requests_of_run(run.id(), &behind, 9)?.len(), 1);
    let delivered = [Call { status: Some(200), ..call() }];
    stage.ledger.settle_batch(
        &stage.lease,
        &run,
        &stage.scope,
        &[],
        &delivered.map(|call| (call, Vec::new())),
    )?;
    let failed = WantedCalls { failed: true, ..WantedCalls::default() };
    let failed = stage.ledger.requests_of_run(run.id(), &failed, 9)?;
    assert_eq!(failed.len(), 4, "one without an answer, two of 503, and the shared one");
    Ok(())
}

fn refused(key: &str, message: &str) -> RowResult {
    RowResult {
        code: Some(Code::REFUSED),
        message: Some(message.to_owned()),
        ..status(key, Some(OpType::Added), RowStatus::Rejected)
    }
}

fn end(stage: &Stage, run: &Run, seconds: i64) -> Tested {
    let ending = RunEnding { status: RunStatus::Warning, error: None, at: at(seconds) };
    stage.ledger.end_sync(&stage.lease, run, &stage.scope, &ending, &Counts::default())?;
    Ok(stage.ledger.end_run(&stage.lease, run, &ending)?)
}

/// A run that writes these statuses down.
fn ran(stage: &Stage, id: &str, seconds: i64, statuses: &[RowResult]) -> Tested {
    let run = begin(stage, id, seconds)?;
    stage.ledger.record(&stage.lease, &run, &stage.scope, statuses)?;
    end(stage, &run, seconds + 1)
}

fn failures(stage: &Stage, of: FailuresOf<'_>) -> Result<Vec<FailureGroup>, Box<dyn std::error::Error>> {
    Ok(stage.ledger.failures(&stage.scope, of, 9)?)
}

#[test]
fn failures_are_grouped_by_cause_those_of_the_most_rows_first() -> Tested {
    let stage = Stage::new()?;
    let taken = [refused("9", "name \"Acme\" is taken")];
    let seats = (1..=4).map(|n| refused(&n.to_string(), &format!("seats: {n}00 is more than 50")));
    let nameless =
        RowResult { key: None, code: Some(Code::NULL_KEY), ..status("", None, RowStatus::Invalid) };
    let statuses: Vec<_> = taken.into_iter().chain(seats).chain([nameless]).collect();
    ran(&stage, "r1", 1, &statuses)?;
    let groups = failures(&stage, FailuresOf::Run(&RunId::new("r1")))?;
    let shown: Vec<_> = groups.iter().map(|group| (group.cause.to_string(), group.count)).collect();
    assert_eq!(
        shown,
        [
            ("refused: seats: # is more than #".to_owned(), 4),
            ("refused: name \"…\" is taken".to_owned(), 1),
            ("null-key".to_owned(), 1),
        ]
    );
    assert_eq!(groups[0].examples, ["1", "2", "3"].map(Key::new));
    assert_eq!(groups[0].message.as_deref(), Some("seats: 100 is more than 50"));
    assert_eq!((groups[0].first, groups[0].healed, groups[0].came_back), (at(5), None, false));
    assert_eq!(groups[2].examples, []);
    assert_eq!(failures(&stage, FailuresOf::Run(&RunId::new("r0")))?, []);
    Ok(())
}

#[test]
fn a_cause_is_healed_when_no_row_waits_with_it_and_may_come_back() -> Tested {
    let stage = Stage::new()?;
    let well = |key: &str| status(key, Some(OpType::Changed), RowStatus::Delivered);
    ran(&stage, "r1", 1, &[refused("1", "no"), refused("2", "no")])?;
    ran(&stage, "r2", 10, &[well("1")])?;
    let now = failures(&stage, FailuresOf::Now)?;
    assert_eq!((now[0].count, now[0].healed, now[0].came_back), (1, None, false));
    ran(&stage, "r3", 20, &[well("2")])?;
    assert_eq!(failures(&stage, FailuresOf::Now)?, []);
    let healed = failures(&stage, FailuresOf::Run(&RunId::new("r1")))?;
    assert_eq!((healed[0].count, healed[0].healed), (2, Some(at(21))));
    ran(&stage, "r4", 30, &[refused("3", "no")])?;
    let back = failures(&stage, FailuresOf::Run(&RunId::new("r4")))?;
    assert_eq!((back[0].came_back, back[0].first, back[0].healed), (true, at(5), None));
    assert!(!failures(&stage, FailuresOf::Run(&RunId::new("r1")))?[0].came_back);
    assert!(failures(&stage, FailuresOf::Now)?[0].came_back);
    Ok(())
}

#[test]
fn a_run_says_what_started_it_and_each_sync_why_all_rows_were_evaluated() -> Tested {
    let stage = Stage::new()?;
    let started = Started {
        by: Some(StartedBy::CatchUp),
        user: Some("deploy".to_owned()),
        host: Some("east".to_owned()),
        arguments: Some("run accounts --resend".to_owned()),
        scheduled: Some(at(-60)),
        version: Some("0.1.0".to_owned()),
        project: Some("a1b2".to_owned()),
        commit: Some(Commit { id: "c0ffee".to_owned(), is_dirty: true }),
    };
    let id = RunId::new("r1");
    let run = stage.ledger.begin_run(&stage.lease, &id, RunKind::Sync, &started, at(1))?;
    let record = stage.ledger.run(&id)?.ok_or("no run")?;
    assert_eq!((record.start, record.kept), (started, Kept::All));
    end(&stage, &run, 2)?;
    let run = begin(&stage, "r2", 3)?;
    stage.ledger.mark_full(&stage.lease, &run, &stage.scope, FullWhy::MappingChanged)?;
    let record = stage.ledger.run(run.id())?.ok_or("no run")?;
    assert_eq!((record.start, record.syncs[0].full_why), (Started::default(), Some(FullWhy::MappingChanged)));
    Ok(())
}

#[test]
fn stages_follow_each_other_and_the_last_one_goes_on() -> Tested {
    let stage = Stage::new()?;
    let run = begin(&stage, "r1", 1)?;
    let next = |ended, rows, next, seconds| {
        let next = StageStart {
            stage: next,
            phase: (next == started::Stage::Send).then_some("fresh"),
            at: at(seconds),
        };
        stage.ledger.next_stage(&stage.lease, &run, &stage.scope, (at(ended), rows), Some(next))
    };
    next(1, None, started::Stage::Read, 1)?;
    next(3, Some(10), started::Stage::Sort, 3)?;
    next(4, Some(10), started::Stage::Send, 6)?;
    let of = |ends: Option<i64>| -> Result<Vec<_>, Box<dyn std::error::Error>> {
        let stages = stage.ledger.stages(run.id())?;
        assert_eq!(stages.last().and_then(|last| last.ended), ends.map(at));
        Ok(stages.into_iter().map(|one| (one.stage.as_str(), one.phase, one.began, one.rows)).collect())
    };
    let phase = Some("fresh".to_owned());
    let expected = |rows| {
        vec![
            ("read", None, at(1), Some(10)),
            ("sort", None, at(3), Some(10)),
            ("send", phase.clone(), at(6), rows),
        ]
    };
    assert_eq!(of(None)?, expected(None));
    stage.ledger.next_stage(&stage.lease, &run, &stage.scope, (at(9), Some(4)), None)?;
    assert_eq!(of(Some(9))?, expected(Some(4)));
    Ok(())
}
