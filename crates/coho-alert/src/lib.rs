//! Alerts: what counts as an alert, who is notified, and the requests that each channel takes.
//!
//! **What it is:** [`found`] compares a run with the rules. [`machine`] updates the state of each alert. [`tell`] finds what each recipient
//! has not been told yet. [`message`] puts that into words. All of this is pure. [`channel`] turns a message into a request for Slack,
//! PagerDuty, Twilio, a mail server, a webhook, Teams or a command, within the limits of [`limit`]; [`send`] makes one attempt to
//! deliver it.
//!
//! **What it is not:** it knows nothing of runs, ledgers or files, and has no clock. The outbox decides who tries again, and when.
//! `coho_core::alert` defines what an alert is.
//!
//! **Where to begin:** [`tell::tell`], then [`send::Notifier::send`].
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
