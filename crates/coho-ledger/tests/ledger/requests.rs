//! Runs that were asked for: each time of a schedule is taken once, one request waits at a time, and one is open until its run
//! ends otherwise than by being interrupted.

use std::error::Error;

use coho_core::counts::Counts;
use coho_core::decide::RunKind;
use coho_core::object::Object;
use coho_core::sync::SyncId;
use coho_core::time::Time;
use coho_ledger::lease::Lease;
use coho_ledger::request::{RunRequest, ScopeName, State};
use coho_ledger::run::{Run, RunEnding, RunId, RunStatus, SyncStart};
use coho_ledger::token::TokenScope;
use coho_ledger::{Ledger, Opening};
use coho_schedule::{Asked, AskedBy, DueTick, Follow, StopRule};

use super::stage::{TTL, Tested, at, holder};

fn name(sync: &str) -> ScopeName {
    ScopeName { workspace: "production".to_owned(), sync: SyncId::new(sync) }
}

fn tick(tick: Time, missed: u64) -> Asked {
    Asked::for_tick(DueTick { tick, missed })
}

fn open(ledger: &Ledger) -> Result<Vec<RunRequest>, coho_ledger::LedgerError> {
    ledger.open_requests("production")
}

/// Begins a run of syncs, each of which begins too.
fn begin(ledger: &Ledger, lease: &Lease, id: &str, syncs: &[&str]) -> Result<Run, Box<dyn Error>> {
    let run = ledger.begin_run(
        lease,
        &RunId::new(id),
        RunKind::Sync,
        &coho_core::started::Started::default(),
        at(50),
    )?;
    let names: Vec<_> = syncs.iter().map(|sync| name(sync)).collect();
    ledger.take_requests(lease, &run, &names)?;
    for sync in syncs {
        let scope = ledger.scope(lease, "production", &SyncId::new(*sync), Object::Account)?;
        let start = SyncStart {
            model: "m".to_owned(),
            destination: "vitally".to_owned(),
            primary_key: vec!["id".to_owned()],
            at: at(50),
        };
        ledger.begin_sync(lease, &run, &scope, &start)?;
    }
    Ok(run)
}

fn end(ledger: &Ledger, lease: &Lease, run: &Run, sync: &str, status: RunStatus) -> Tested {
    let scope = ledger.scope(lease, "production", &SyncId::new(sync), Object::Account)?;
    let ending = RunEnding { status, error: None, at: at(60) };
    ledger.end_sync(lease, run, &scope, &ending, &Counts::default())?;
    Ok(ledger.end_run(lease, run, &ending)?)
}

#[test]
fn a_time_of_a_schedule_is_taken_once() -> Tested {
    let ledger = Ledger::temporary(at(0))?;
    let accounts = name("accounts");
    assert_eq!(ledger.taken(&accounts, "every 15m", at(1))?, at(1));
    assert_eq!(ledger.taken(&accounts, "every 15m", at(2))?, at(1), "it is remembered");
    let first = ledger.ask_for_tick(&accounts, &tick(at(10), 0), at(1), at(11))?;
    assert!(first.is_some());
    assert_eq!(
        ledger.ask_for_tick(&accounts, &tick(at(10), 0), at(1), at(11))?,
        None,
        "another server was faster"
    );
    assert_eq!(ledger.taken(&accounts, "every 15m", at(12))?, at(10));
    assert_eq!(ledger.taken(&accounts, "every 30m", at(20))?, at(20), "another schedule begins anew");
    Ok(())
}

#[test]
fn whatever_is_asked_for_while_a_request_waits_joins_it() -> Tested {
    let ledger = Ledger::temporary(at(0))?;
    let accounts = name("accounts");
    ledger.taken(&accounts, "every 15m", at(1))?;
    let first = ledger.ask(&accounts, AskedBy::Api, at(5))?;
    assert_eq!(ledger.ask(&accounts, AskedBy::Api, at(6))?, first);
    assert_eq!(ledger.ask_for_tick(&accounts, &tick(at(10), 2), at(1), at(11))?, Some(first));
    assert_eq!(ledger.ask_for_tick(&accounts, &tick(at(20), 0), at(10), at(21))?, Some(first));
    let asked = Asked { cause: AskedBy::Api, tick: Some(at(20)), missed: 3 };
    let request = RunRequest {
        id: first,
        sync: SyncId::new("accounts"),
        asked,
        at: at(5),
        state: State::Waiting,
        part: None,
        error: None,
    };
    assert_eq!(open(&ledger)?, [request]);
    Ok(())
}

#[test]
fn a_trigger_while_a_run_goes_on_queues_exactly_one() -> Tested {
    let ledger = Ledger::temporary(at(0))?;
    let lease = ledger.acquire(&holder("a"), at(0), TTL)?;
    let accounts = name("accounts");
    let first = ledger.ask(&accounts, AskedBy::Api, at(5))?;
    let run = begin(&ledger, &lease, "run-1", &["accounts"])?;
    let second = ledger.ask(&accounts, AskedBy::Api, at(51))?;
    assert_ne!(first, second);
    assert_eq!(ledger.ask(&accounts, AskedBy::Page, at(52))?, second);
    let states: Vec<_> = open(&ledger)?.into_iter().map(|request| (request.id, request.state)).collect();
    assert_eq!(states, [(first, State::Running), (second, State::Waiting)]);
    end(&ledger, &lease, &run, "accounts", RunStatus::Warning)?;
    assert_eq!(open(&ledger)?.len(), 1);
    let ended = ledger.requests(&accounts, 10)?.remove(1);
    assert_eq!(ended.state, State::Done(RunStatus::Warning));
    assert_eq!(ended.part.map(|part| (part.run, part.ended)), Some((RunId::new("run-1"), Some(at(60)))));
    Ok(())
}

#[test]
fn a_request_whose_run_died_is_carried_out_by_the_next_one() -> Tested {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("ledger.db");
    let accounts = name("accounts");
    let first = {
        let ledger = Ledger::open(&path, &Opening::new(at(0)))?;
        let lease = ledger.acquire(&holder("a"), at(0), TTL)?;
        let first = ledger.ask(&accounts, AskedBy::Schedule, at(5))?;
        begin(&ledger, &lease, "run-1", &["accounts"])?;
        first
    };
    let ledger = Ledger::open(&path, &Opening::new(at(70)))?;
    assert_eq!(open(&ledger)?.len(), 1, "it is open though its run seems to go on");
    let lease = ledger.acquire(&holder("b"), at(70), TTL)?;
    let run = begin(&ledger, &lease, "run-2", &["accounts"])?;
    end(&ledger, &lease, &run, "accounts", RunStatus::Success)?;
    assert_eq!(open(&ledger)?, []);
    let all = ledger.requests(&accounts, 10)?;
    assert_eq!(
        all.iter().map(|request| (request.id, request.state)).collect::<Vec<_>>(),
        [(first, State::Done(RunStatus::Success))]
    );
    Ok(())
}

#[test]
fn a_sync_that_ended_is_not_run_again_because_another_one_of_its_run_was_interrupted() -> Tested {
    let ledger = Ledger::temporary(at(0))?;
    let lease = ledger.acquire(&holder("a"), at(0), TTL)?;
    ledger.ask(&name("accounts"), AskedBy::Api, at(5))?;
    ledger.ask(&name("users"), AskedBy::Api, at(5))?;
    let run = begin(&ledger, &lease, "run-1", &["accounts", "users"])?;
    end(&ledger, &lease, &run, "accounts", RunStatus::Success)?;
    end(&ledger, &lease, &run, "users", RunStatus::Interrupted)?;
    let open: Vec<_> = open(&ledger)?.into_iter().map(|request| (request.sync, request.state)).collect();
    assert_eq!(open, [(SyncId::new("users"), State::Interrupted)]);
    Ok(())
}

#[test]
fn a_request_for_which_no_run_can_begin_is_given_up() -> Tested {
    let ledger = Ledger::temporary(at(0))?;
    let accounts = name("accounts");
    let first = ledger.ask(&accounts, AskedBy::Api, at(5))?;
    ledger.give_up(&[first], "the ledger is another project's", at(6))?;
    assert_eq!(open(&ledger)?, []);
    let given_up = ledger.requests(&accounts, 10)?.remove(0);
    assert_eq!(given_up.state, State::Done(RunStatus::Failed));
    assert_eq!(given_up.error.as_deref(), Some("the ledger is another project's"));
    assert_ne!(ledger.ask(&accounts, AskedBy::Api, at(7))?, first, "the next one is another");
    Ok(())
}

#[test]
fn a_follower_is_asked_for_once_when_all_others_have_run() -> Tested {
    let ledger = Ledger::temporary(at(0))?;
    let lease = ledger.acquire(&holder("a"), at(0), TTL)?;
    let followed = [name("accounts"), name("users")];
    let before = begin(&ledger, &lease, "run-0", &["accounts", "users"])?;
    end(&ledger, &lease, &before, "accounts", RunStatus::Success)?;
    end(&ledger, &lease, &before, "users", RunStatus::Success)?;
    let events = name("events");
    ledger.taken(&events, "after accounts and users", at(61))?;
    let follow = |rule| ledger.ask_to_follow(&events, &followed, rule, at(62));
    assert_eq!(follow(StopRule::Failure)?, Follow::Wait, "what ran before does not count");

    let run = begin(&ledger, &lease, "run-1", &["accounts"])?;
    end(&ledger, &lease, &run, "accounts", RunStatus::Warning)?;
    assert_eq!(follow(StopRule::Failure)?, Follow::Wait);
    let run = begin(&ledger, &lease, "run-2", &["users"])?;
    assert_eq!(follow(StopRule::Failure)?, Follow::Wait);
    end(&ledger, &lease, &run, "users", RunStatus::Success)?;
    assert_eq!(follow(StopRule::Failure)?, Follow::Run);
    assert_eq!(follow(StopRule::Failure)?, Follow::Wait, "once");
    assert_eq!(open(&ledger)?[0].asked, Asked::by(AskedBy::Sequence));

    let run = begin(&ledger, &lease, "run-3", &["accounts", "users"])?;
    end(&ledger, &lease, &run, "accounts", RunStatus::Warning)?;
    end(&ledger, &lease, &run, "users", RunStatus::Success)?;
    assert_eq!(follow(StopRule::Problems)?, Follow::Stop);
    assert_eq!(open(&ledger)?.len(), 1);
    Ok(())
}

#[test]
fn a_token_is_known_by_its_digest_until_it_is_revoked() -> Tested {
    let ledger = Ledger::temporary(at(0))?;
    assert!(ledger.add_token("airflow", &[7; 32], TokenScope::Trigger, at(1))?);
    assert!(!ledger.add_token("airflow", &[8; 32], TokenScope::Read, at(2))?, "names are unique");
    assert_eq!(ledger.token(&[7; 32])?, Some(TokenScope::Trigger));
    assert_eq!(ledger.token(&[8; 32])?, None);
    assert!(ledger.revoke_token("airflow", at(3))?);
    assert!(!ledger.revoke_token("airflow", at(4))?);
    assert_eq!(ledger.token(&[7; 32])?, None);
    assert_eq!(ledger.tokens()?[0].revoked, Some(at(3)));
    Ok(())
}
