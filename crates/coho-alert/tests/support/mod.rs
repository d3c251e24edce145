//! What the tests of channels share: messages to send, receivers, and checks of what arrives.

#![allow(dead_code, reason = "each test takes what it needs")]

pub(crate) mod check;
pub(crate) mod receiver;

use chrono::TimeDelta;
use coho_alert::message::{Frame, Notification};
use coho_alert::tell::{Notice, Turn, Turned};
use coho_core::alert::remembered::{Alert, Detail, Told};
use coho_core::alert::{AlertKey, Level, Subject, Trigger};
use coho_core::sync::SyncId;
use coho_core::time::Time;

pub(crate) fn now() -> Time {
    "2026-11-24T07:00:00Z".parse().unwrap()
}

pub(crate) fn detail() -> Detail {
    Detail {
        brief: "12 of 400 rows rejected".to_owned(),
        what: "Vitally refused 12 of 400 rows [refused]: \"mrr must be < 1 & > 0\"".to_owned(),
        count: Some(12),
        examples: vec!["acme".to_owned(), "bolt".to_owned(), "cobalt".to_owned(), "delta".to_owned()],
        remedy: Some("read Vitally's text; mend the row or the mapping".to_owned()),
        run: Some("01a20d2a".to_owned()),
    }
}

pub(crate) fn turned(
    sync: &str,
    trigger: Trigger,
    turn: Turn,
    level: Option<Level>,
    detail: Detail,
) -> Turned {
    let subject = Subject::Sync { destination: "vitally".to_owned(), sync: SyncId::new(sync) };
    let opened_by = if turn == Turn::Opened { "message-1" } else { "message-0" };
    let since = now() - TimeDelta::hours(3);
    let told = Told {
        level,
        at: now(),
        message: "message-1".to_owned(),
        opened_by: opened_by.to_owned(),
        opened_at: since,
    };
    let alert = Alert { level, streak: 1, since, detail };
    Turned { key: AlertKey { subject, trigger }, turn, level, alert, told }
}

pub(crate) fn composed(turns: Vec<Turned>) -> Notification {
    let notice = Notice { id: "message-1".to_owned(), recipient: "ops".to_owned(), turns };
    let frame =
        Frame { project: "acme", public_url: Some("https://coho.example.com"), examples: true, now: now() };
    Notification::compose(&notice, &frame)
}

/// Rejected rows, for the first time.
pub(crate) fn opened() -> Notification {
    composed(vec![turned("accounts", Trigger::Rejected, Turn::Opened, Some(Level::Warning), detail())])
}

/// The end of what `message-0` opened.
pub(crate) fn recovered() -> Notification {
    let well = Detail {
        brief: "no rows rejected".to_owned(),
        what: "Vitally refuses no rows any more".to_owned(),
        run: Some("01a20d2b".to_owned()),
        ..Detail::default()
    };
    composed(vec![turned("accounts", Trigger::Rejected, Turn::Recovered, None, well)])
}

/// Several changes at once.
pub(crate) fn several() -> Notification {
    let failed = Detail {
        brief: "run failed [source-failed]".to_owned(),
        what: "cannot read the table `users`: it does not exist".to_owned(),
        remedy: Some("see the cause".to_owned()),
        run: Some("01a20d2a".to_owned()),
        ..Detail::default()
    };
    composed(vec![
        turned("users", Trigger::Failed, Turn::Opened, Some(Level::Critical), failed),
        turned("accounts", Trigger::Rejected, Turn::Opened, Some(Level::Warning), detail()),
    ])
}
