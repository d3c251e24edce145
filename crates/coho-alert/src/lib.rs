//! Alerts: when a state changes, who is told of it, and the bytes that each channel takes.
//!
//! **What it is:** [`found`] holds a run against the rules, [`machine`] takes what it found into the state of each alert, [`tell`] finds the difference between how
//! things stand and what each recipient was told, [`message`] puts it into words. All of that is pure. [`channel`] makes of
//! a message what Slack, PagerDuty, Twilio, mail servers, webhooks, Teams and commands take, within the limits of [`limit`];
//! [`send`] tries once to deliver it.
//!
//! **What it is not:** it knows nothing of runs, ledgers or files, and has no clock. Who repeats what, and when, is the
//! outbox's matter. What an alert is stands in `coho_core::alert`.
//!
//! **Where to begin:** [`tell::tell`]; then [`send::Notifier::send`].
//!
//! ```
//! use std::collections::BTreeMap;
//!
//! use coho_alert::machine::{Observation, advance};
//! use coho_alert::message::{Frame, Notification};
//! use coho_alert::tell::tell;
//! use coho_core::alert::remembered::{Detail, Remembered};
//! use coho_core::alert::{AlertKey, Level, Recipient, Subject, Trigger};
//! use coho_core::time::Time;
//! use coho_core::sync::SyncId;
//!
//! let subject = Subject::Sync { destination: "vitally".to_owned(), sync: SyncId::new("accounts") };
//! let key = AlertKey { subject, trigger: Trigger::Failed };
//! let detail = Detail { brief: "run failed".to_owned(), what: "the table is gone".to_owned(), ..Detail::default() };
//! let now = Time::UNIX_EPOCH;
//!
//! let mut remembered = Remembered::default();
//! advance(&mut remembered.alerts, &BTreeMap::from([(key, Observation::bad(Level::Critical, detail))]), now);
//! let notices = tell(&remembered, &[Recipient::new("ops")], None, now, &mut || "message-1".to_owned());
//! let frame = Frame { project: "acme", public_url: None, examples: true, now };
//! let message = Notification::compose(&notices[0], &frame);
//! assert_eq!(message.title(), "[acme] accounts: run failed (critical)");
//! ```

pub mod machine;
pub mod found;
pub mod tell;
pub mod limit;
pub mod message;
pub mod request;
pub mod channel;
pub mod send;
