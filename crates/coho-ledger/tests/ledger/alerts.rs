//! Alerts and the outbox: what is told is written with the end of the run, each message is claimed by one process at a time, and
//! what could not be delivered is told anew.

use std::collections::BTreeMap;

use coho_core::alert::remembered::{Alert, Detail, Mute, Told};
use coho_core::alert::{AlertKey, Level, Subject, Trigger};
use coho_core::decide::RunKind;
use coho_core::secret::{Masker, Secret};
use coho_core::sync::SyncId;
use coho_core::time::Time;
use coho_ledger::Ledger;
use coho_ledger::alerts::Telling;
use coho_ledger::outbox::DeliveryAttempt;
use coho_ledger::run::{RunEnding, RunId, RunStatus};
use coho_ledger::written::Written;

use super::stage::{TTL, Tested, at, holder};

fn key() -> AlertKey {
    let sync = SyncId::new("accounts");
    AlertKey { subject: Subject::Sync { destination: "vitally".to_owned(), sync }, trigger: Trigger::Failed }
}

fn alert(level: Option<Level>, now: Time) -> Alert {
    let detail = Detail {
        brief: "run failed".to_owned(),
        what: "the token is hush-hush-hush".to_owned(),
        count: Some(4),
        examples: vec!["acme".to_owned(), "bolt \"1\"".to_owned()],
        remedy: Some("mend it".to_owned()),
        run: Some("run-1".to_owned()),
    };
    Alert { level, streak: u32::from(level.is_some()), since: now, detail }
}

fn told(level: Option<Level>, message: &str, opened_by: &str, now: Time) -> Told {
    let (message, opened_by) = (message.to_owned(), opened_by.to_owned());
    Told { level, at: now, message, opened_by, opened_at: at(0) }
}

/// One message to `ops`, which tells the level.
fn telling(level: Option<Level>, message: &str, opened_by: &str, now: Time) -> Telling {
    let written =
        Written { id: message.to_owned(), recipient: "ops".to_owned(), body: format!("body of {message}") };
    Telling {
        alerts: [(key(), alert(level, now))].into(),
        told: vec![((key(), "ops".to_owned()), told(level, message, opened_by, now))],
        messages: vec![written],
        recipients: ["ops".to_owned()].into(),
    }
}

fn sent() -> DeliveryAttempt {
    DeliveryAttempt::Sent { receipt: Some("receipt".to_owned()) }
}

#[test]
fn what_is_told_is_written_with_the_end_of_the_run_and_reads_back() -> Tested {
    let ledger = Ledger::temporary(at(0))?;
    ledger.mask(&Masker::new(&[Secret::new("hush-hush-hush")]))?;
    let lease = ledger.acquire(&holder("a"), at(0), TTL)?;
    let run = ledger.begin_run(
        &lease,
        &RunId::new("run-1"),
        RunKind::Sync,
        &coho_core::started::Started::default(),
        at(0),
    )?;
    let ending = RunEnding { status: RunStatus::Failed, error: None, at: at(1) };
    let critical = Some(Level::Critical);
    ledger.end_run_telling(&lease, &run, &ending, |before, next| {
        assert_eq!(next, 1);
        assert_eq!(before, coho_core::alert::remembered::Remembered::default());
        telling(critical, "m1", "m1", at(1))
    })?;
    let remembered = ledger.alerts()?;
    let mut expected = alert(critical, at(1));
    expected.detail.what = "the token is ***".to_owned();
    assert_eq!(remembered.alerts, BTreeMap::from([(key(), expected)]));
    let known = remembered.told.get(&(key(), "ops".to_owned()));
    assert_eq!(known, Some(&told(critical, "m1", "m1", at(1))));
    assert_eq!(ledger.waiting_messages()?, ["m1".to_owned()].into());
    Ok(())
}

#[test]
fn a_message_is_claimed_by_one_process_until_the_claim_ends() -> Tested {
    let ledger = Ledger::temporary(at(0))?;
    ledger.tell(at(1), |_, _| telling(Some(Level::Critical), "m1", "m1", at(1)))?;
    let first = ledger.claim("ops", "one", at(1), at(60))?.ok_or("a message is due")?;
    assert_eq!((first.id.as_str(), first.attempts), ("m1", 1));
    assert_eq!(ledger.claim("ops", "two", at(59), at(120))?, None);
    let second = ledger.claim("ops", "two", at(60), at(120))?.ok_or("the claim ended")?;
    assert_eq!(second.attempts, 2);
    // Who was taken for dead answers for nothing any more.
    assert!(!ledger.settle_message("m1", "one", &sent(), at(61))?);
    assert!(ledger.settle_message("m1", "two", &sent(), at(61))?);
    assert_eq!(ledger.claim("ops", "one", at(200), at(260))?, None);
    assert_eq!(
        ledger.receipts(&["m1".to_owned()].into())?,
        BTreeMap::from([("m1".to_owned(), "receipt".to_owned())])
    );
    Ok(())
}

#[test]
fn a_recipients_messages_are_sent_in_order() -> Tested {
    let ledger = Ledger::temporary(at(0))?;
    ledger.tell(at(1), |_, _| telling(Some(Level::Critical), "m1", "m1", at(1)))?;
    ledger.tell(at(2), |_, _| telling(None, "m2", "m1", at(2)))?;
    let first = ledger.claim("ops", "one", at(3), at(60))?.ok_or("a message is due")?;
    assert_eq!(first.id, "m1");
    assert_eq!(ledger.claim("ops", "two", at(3), at(60))?, None);
    let later = DeliveryAttempt::Later { due: at(100), error: "it answered 500".to_owned() };
    ledger.settle_message("m1", "one", &later, at(4))?;
    assert_eq!(ledger.claim("ops", "two", at(99), at(160))?, None);
    let failing = ledger.failing()?;
    assert_eq!(
        failing.iter().map(|one| (one.recipient.as_str(), one.waiting)).collect::<Vec<_>>(),
        [("ops", 2)]
    );
    assert_eq!(ledger.claim("ops", "two", at(100), at(160))?.ok_or("it is due")?.id, "m1");
    ledger.settle_message("m1", "two", &sent(), at(101))?;
    assert_eq!(ledger.claim("ops", "two", at(101), at(160))?.ok_or("it is due")?.id, "m2");
    ledger.settle_message("m2", "two", &sent(), at(102))?;
    assert_eq!(ledger.failing()?, []);
    // All is well and everybody knows: nothing is left.
    ledger.tell(at(103), |remembered, _| {
        assert!(remembered.told.is_empty());
        Telling { alerts: remembered.alerts, recipients: ["ops".to_owned()].into(), ..Telling::default() }
    })?;
    assert_eq!(ledger.alerts()?, coho_core::alert::remembered::Remembered::default());
    Ok(())
}

#[test]
fn what_a_lost_message_told_is_unknown_again() -> Tested {
    let ledger = Ledger::temporary(at(0))?;
    let critical = Some(Level::Critical);
    ledger.tell(at(1), |_, _| telling(critical, "m1", "m1", at(1)))?;
    ledger.claim("ops", "one", at(1), at(60))?;
    let failed = DeliveryAttempt::Failed { error: "it answered 404".to_owned() };
    ledger.settle_message("m1", "one", &failed, at(2))?;
    assert!(ledger.alerts()?.told.is_empty());
    assert_eq!(ledger.failing()?.len(), 1);

    ledger.tell(at(3), |_, _| telling(critical, "m2", "m2", at(3)))?;
    ledger.claim("ops", "one", at(3), at(60))?;
    ledger.settle_message("m2", "one", &sent(), at(4))?;
    ledger.tell(at(5), |_, _| telling(None, "m3", "m2", at(5)))?;
    ledger.claim("ops", "one", at(5), at(60))?;
    ledger.settle_message("m3", "one", &failed, at(6))?;
    let remembered = ledger.alerts()?;
    assert_eq!(remembered.told.get(&(key(), "ops".to_owned())), Some(&told(critical, "m2", "m2", at(3))));
    Ok(())
}

#[test]
fn a_recipient_that_is_gone_gets_nothing_and_is_forgotten() -> Tested {
    let ledger = Ledger::temporary(at(0))?;
    ledger.tell(at(1), |_, _| telling(Some(Level::Critical), "m1", "m1", at(1)))?;
    ledger.tell(at(2), |remembered, _| Telling { alerts: remembered.alerts, ..Telling::default() })?;
    assert_eq!(ledger.claim("ops", "one", at(2), at(60))?, None);
    let remembered = ledger.alerts()?;
    assert!(remembered.told.is_empty() && remembered.alerts.contains_key(&key()));
    Ok(())
}

#[test]
fn a_mute_stands_until_it_is_lifted_or_ends() -> Tested {
    let ledger = Ledger::temporary(at(0))?;
    let sync = SyncId::new("accounts");
    let mute = Mute { sync: sync.clone(), until: at(100), why: "moving".to_owned(), since: at(0) };
    ledger.mute(&mute)?;
    assert_eq!(ledger.alerts()?.mute(&sync, at(99)), Some(&mute));
    assert_eq!(ledger.alerts()?.mute(&sync, at(100)), None);
    assert!(ledger.unmute(&sync)?);
    assert!(!ledger.unmute(&sync)?);
    ledger.mute(&mute)?;
    ledger.tell(at(100), |_, _| Telling::default())?;
    assert_eq!(ledger.alerts()?.mutes, []);
    Ok(())
}

#[test]
fn messages_are_pruned_but_those_that_opened_what_is_not_over() -> Tested {
    let ledger = Ledger::temporary(at(0))?;
    ledger.tell(at(1), |_, _| telling(Some(Level::Critical), "m1", "m1", at(1)))?;
    ledger.claim("ops", "one", at(1), at(60))?;
    ledger.settle_message("m1", "one", &sent(), at(2))?;
    assert_eq!(ledger.prune_messages(at(1_000))?, 0);
    ledger.tell(at(3), |_, _| telling(None, "m2", "m1", at(3)))?;
    ledger.claim("ops", "one", at(3), at(60))?;
    ledger.settle_message("m2", "one", &sent(), at(4))?;
    assert_eq!(ledger.prune_messages(at(1_000))?, 2);
    Ok(())
}
