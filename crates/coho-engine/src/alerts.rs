//! Alerts of runs: what a run found is decided and written in the transaction that ends it, and sent afterwards.
//!
//! [`channels`] makes channels of what the project says, [`deliver`] sends what waits in the outbox, [`disk`] asks how full the
//! ledger's disk is.

mod channels;
mod deliver;
mod disk;
#[cfg(test)]
mod law;

use coho_core::failure::Failure as _;
use std::collections::BTreeSet;

use chrono::{Duration, TimeDelta};
use coho_alert::channel::Channel;
use coho_alert::channel::ping::Check;
use coho_alert::found::{self, Findings, Fresh, Ran};
use coho_alert::machine::{advance, close};
use coho_alert::message::{Frame, Notification};
use coho_alert::request::Posting;
use coho_alert::send::Notifier;
use coho_alert::tell::{Notice, tell};
use coho_core::alert::remembered::{Mute, Remembered};
use coho_core::alert::rules::Rules;
use coho_core::alert::{Recipient, Subject};
use coho_core::code::Code;
use coho_core::plan::SyncSummary;
use coho_core::sync::{Sync, SyncId};
use coho_core::time::Time;
use coho_ledger::Ledger;
use coho_ledger::alerts::Telling;
use coho_ledger::outbox::Failing;
use coho_ledger::run::{Past, RunStatus};
use coho_ledger::written::Written;

pub use coho_alert::channel::ping::Ping;

pub use self::deliver::{BOUND, Delivered};
use crate::context::Engine;
use crate::failure::EngineError;
use crate::lost::OnLost;

/// How many earlier runs the median of rows is taken of.
const EARLIER: usize = 10;

/// How long done messages are kept, in days.
const KEEP_MESSAGES_DAYS: i64 = 30;

/// What is known of alerts at a moment.
#[derive(Clone, Debug, Default)]
pub struct AlertsNow {
    /// Alerts, what was told, mutes.
    pub remembered: Remembered,
    /// Recipients whose messages do not get through.
    pub failing: Vec<Failing>,
    /// The messages that wait to be sent.
    pub waiting: BTreeSet<String>,
}

/// What came of trying a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tried {
    /// The recipient.
    pub recipient: String,
    /// The kind of its channel.
    pub kind: &'static str,
    /// Why the message was not taken; none where it was.
    pub error: Option<String>,
}

impl Engine<'_> {
    /// What a run that ended found, before it is ended in the ledger.
    pub(crate) fn found(
        &self,
        ledger: &Ledger,
        run: &str,
        is_whole: bool,
        summaries: &[SyncSummary],
    ) -> Result<Findings, EngineError> {
        let mut pasts = Vec::new();
        for summary in summaries {
            pasts.push(self.past(ledger, &summary.sync)?);
        }
        let mut syncs = Vec::new();
        for (summary, past) in summaries.iter().zip(&pasts) {
            syncs.extend(self.ran(run, is_whole, summary, past));
        }
        let mut findings = found::run(&syncs);
        findings.extend(self.found_by_time(ledger)?);
        Ok(findings)
    }

    fn ran<'s>(
        &'s self,
        run: &'s str,
        is_whole: bool,
        summary: &'s SyncSummary,
        past: &'s Past,
    ) -> Option<Ran<'s>> {
        let project = self.setup.project;
        let sync = project.sync(&summary.sync)?;
        let rules = project.alerts.rules.get(&summary.sync)?;
        // The run itself is among them if it did not fail.
        let own = usize::from(past.read.first() == Some(&summary.counts.read));
        Some(Ran {
            summary,
            destination: &sync.destination,
            source: project.model(&sync.model).map_or("", |model| &model.source),
            rules,
            is_whole,
            earlier: past.read.get(own..).unwrap_or_default(),
            run,
        })
    }

    fn past(&self, ledger: &Ledger, sync: &SyncId) -> Result<Past, EngineError> {
        match self.setup.project.sync(sync) {
            Some(sync) => Ok(ledger.past(&sync.destination, &sync.id, EARLIER + 1)?),
            None => Ok(Past::default()),
        }
    }

    /// What depends on the time and on the machine, not on a run.
    fn found_by_time(&self, ledger: &Ledger) -> Result<Findings, EngineError> {
        let (project, now) = (self.setup.project, self.setup.clock.now());
        let mut findings = Findings::new();
        let record = match ledger.under_way(&self.setup.holder.host, now)?.and_then(|under_way| under_way.run)
        {
            Some(run) => ledger.run(&run)?,
            None => None,
        };
        let syncs = record.iter().flat_map(|record| &record.syncs);
        let running: BTreeSet<_> = syncs
            .filter(|sync| sync.status == RunStatus::Running)
            .map(|sync| (sync.destination.as_str(), &sync.sync))
            .collect();
        for sync in &project.syncs {
            let Some(rules) = project.alerts.rules.get(&sync.id) else { continue };
            // Of a sync whose run is under way it is not known yet.
            if running.contains(&(sync.destination.as_str(), &sync.id)) {
                continue;
            }
            let past = ledger.past(&sync.destination, &sync.id, 1)?;
            let fresh = Fresh { good: past.last_good.or(past.first), expected: self.expected(ledger, sync)? };
            let (key, finding) = found::freshness(&sync.destination, &sync.id, rules, fresh, now);
            findings.insert(key, finding);
        }
        if let Some(free) = disk::free(ledger.path()) {
            let (key, finding) = found::disk(&project.alerts.disk, free);
            findings.insert(key, finding);
        }
        Ok(findings)
    }

    /// What a run that could not begin found.
    pub(crate) fn found_before(&self, syncs: &[&Sync], error: &EngineError) -> Findings {
        let code = error.code();
        // Nobody did anything wrong: the next run goes on.
        if [Code::INTERRUPTED, Code::LEASE_HELD, Code::LEASE_LOST].contains(&code) {
            return Findings::new();
        }
        let project = self.setup.project;
        if let Some(destination) = error.refusing() {
            let told = syncs.iter().filter(|sync| sync.destination == destination);
            let ids: Vec<_> = told.map(|sync| sync.id.to_string()).collect();
            let subject = Subject::Destination(destination.to_owned());
            let finding = found::credentials(&subject, code, &ids, None);
            let key = coho_core::alert::AlertKey { subject, trigger: coho_core::alert::Trigger::Credentials };
            return [(key, finding)].into();
        }
        let ruled = |sync: &&Sync| -> Option<(String, SyncId, &Rules)> {
            let rules = project.alerts.rules.get(&sync.id)?;
            Some((sync.destination.clone(), sync.id.clone(), rules))
        };
        let syncs: Vec<_> = syncs.iter().filter_map(ruled).collect();
        found::failed_before(&syncs, error)
    }

    /// What is told because of findings: called in the transaction that writes it.
    pub(crate) fn telling(&self, mut remembered: Remembered, findings: &Findings, next: u64) -> Telling {
        let (project, now) = (self.setup.project, self.setup.clock.now());
        let alerts = &project.alerts;
        advance(&mut remembered.alerts, findings, now);
        close(&mut remembered.alerts, |subject| self.is_there(subject), now);
        let recipients: Vec<_> = alerts.recipients.iter().map(|(recipient, _)| recipient.clone()).collect();
        let mut number = next;
        let mut id = || {
            number += 1;
            self.message_id(number, now)
        };
        let notices = tell(&remembered, &recipients, alerts.remind, now, &mut id);
        let names =
            recipients.iter().map(|recipient| recipient.name.clone()).chain(self.webhook_names()).collect();
        let messages = notices.iter().map(|notice| self.written(notice, &recipients, now)).collect();
        let told = notices.into_iter().flat_map(|notice| {
            let recipient = notice.recipient;
            notice.turns.into_iter().map(move |turned| ((turned.key, recipient.clone()), turned.told))
        });
        Telling { alerts: remembered.alerts, told: told.collect(), messages, recipients: names }
    }

    fn written(&self, notice: &Notice, recipients: &[Recipient], now: Time) -> Written {
        let shows = |recipient: &Recipient| recipient.name == notice.recipient && recipient.examples;
        let frame = self.frame(recipients.iter().any(shows), now);
        let body = Notification::compose(notice, &frame).to_json();
        Written { id: notice.id.clone(), recipient: notice.recipient.clone(), body }
    }

    fn frame(&self, examples: bool, now: Time) -> Frame<'_> {
        let project = self.setup.project;
        Frame { project: &project.name, public_url: project.alerts.public_url.as_deref(), examples, now }
    }

    /// An id that no other message has: numbers may come again after old messages were pruned.
    fn message_id(&self, number: u64, now: Time) -> String {
        let name = format!("coho message {number} {} {}", self.setup.holder.id, now.timestamp_micros());
        uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, name.as_bytes()).to_string()
    }

    /// Whether the project still has what an alert is about. A sync that goes to several targets has alerts at each.
    fn is_there(&self, subject: &Subject) -> bool {
        let project = self.setup.project;
        let has_targets = project.target.is_some();
        match subject {
            Subject::Sync { destination, sync } => {
                let found = project.sync(sync).filter(|sync| project.alerts.rules.contains_key(&sync.id));
                found.is_some_and(|sync| has_targets || sync.destination == *destination)
            }
            Subject::Destination(name) => {
                has_targets || project.syncs.iter().any(|sync| sync.destination == *name)
            }
            Subject::Source(name) => project.models.iter().any(|model| model.source == *name),
            Subject::Ledger => {
                let rules = &project.alerts.disk;
                rules.warning.is_some() || rules.critical.is_some()
            }
        }
    }

    /// Looks at what depends on time, such as freshness, reminders and mutes that ended, and sends what waits.
    pub async fn check_alerts(&self) -> Result<Delivered, EngineError> {
        let Some(ledger) = self.ledger_of_alerts()? else { return Ok(Delivered::default()) };
        let findings = self.found_by_time(&ledger)?;
        let now = self.setup.clock.now();
        ledger.tell(now, |remembered, next| self.telling(remembered, &findings, next))?;
        let delivered = self.deliver(&ledger, BOUND).await;
        self.finish(&ledger);
        delivered
    }

    /// What is known of alerts.
    pub fn alerts(&self) -> Result<AlertsNow, EngineError> {
        let Some(ledger) = self.ledger_to_read()? else { return Ok(AlertsNow::default()) };
        let (remembered, failing) = (ledger.alerts()?, ledger.failing()?);
        Ok(AlertsNow { remembered, failing, waiting: ledger.waiting_messages()? })
    }

    /// Silences a sync for a while.
    pub fn mute(&self, sync: &SyncId, time: Duration, why: &str) -> Result<Mute, EngineError> {
        let now = self.setup.clock.now();
        let mute = Mute { sync: sync.clone(), until: now + time, why: why.to_owned(), since: now };
        let ledger = self.ledger_to_write(&[], OnLost::Refuse)?;
        ledger.mute(&mute)?;
        self.finish(&ledger);
        Ok(mute)
    }

    /// Lifts a silence, and tells what is open. Returns whether there was one.
    pub async fn unmute(&self, sync: &SyncId) -> Result<bool, EngineError> {
        let Some(ledger) = self.ledger_of_alerts()? else { return Ok(false) };
        let lifted = ledger.unmute(sync)?;
        // The check opens it again.
        self.finish(&ledger);
        drop(ledger);
        self.check_alerts().await?;
        Ok(lifted)
    }

    /// Sends a message that says it is a test to each recipient, or to those that are named. Nothing is remembered of it.
    pub async fn test_alerts(&self, names: &[String]) -> Result<Vec<Tried>, EngineError> {
        let now = self.setup.clock.now();
        let sender = self.sender()?;
        let mut tried = Vec::new();
        for (number, (recipient, channel)) in (0..).zip(self.channels()) {
            if !names.is_empty() && !names.contains(&recipient.name) {
                continue;
            }
            let id = self.message_id(number, now);
            let message = Notification::test(&id, &recipient.name, &self.frame(recipient.examples, now));
            let error = match &channel {
                Ok(channel) => {
                    match sender.send(channel, &message, &std::collections::BTreeMap::new(), now).await {
                        Posting::Done { .. } => None,
                        Posting::Later { why, .. } | Posting::Never { why } => Some(why),
                    }
                }
                Err(why) => Some(why.clone()),
            };
            let kind = channel.as_ref().map_or("email", Channel::kind);
            tried.push(Tried { recipient: recipient.name.clone(), kind, error });
        }
        Ok(tried)
    }

    /// Pings whoever waits for runs, if the project names somebody. What came of it is a warning at most.
    pub async fn ping(&self, ping: Ping, summary: &str) {
        let Some(url) = &self.setup.project.alerts.ping else { return };
        let Ok(sender) = self.sender() else { return };
        match sender.ping(&Check { url: url.clone() }, ping, summary).await {
            Posting::Done { .. } => {}
            Posting::Later { why, .. } | Posting::Never { why } => {
                tracing::warn!("the ping did not arrive: {why}");
            }
        }
    }

    pub(crate) fn sender(&self) -> Result<Notifier, EngineError> {
        Ok(Notifier::new(self.setup.project.masker.clone())?)
    }

    /// The ledger for writing, if there is one.
    fn ledger_of_alerts(&self) -> Result<Option<Ledger>, EngineError> {
        let is_there = if self.ledger_is_remote() {
            self.ledger_to_read()?.is_some()
        } else {
            self.ledger_path().exists()
        };
        is_there.then(|| self.ledger_to_write(&[], OnLost::Refuse)).transpose()
    }

    /// Deletes messages that were done long ago.
    pub(crate) fn prune_messages(&self, ledger: &Ledger) -> Result<(), EngineError> {
        ledger.prune_messages(self.setup.clock.now() - TimeDelta::days(KEEP_MESSAGES_DAYS))?;
        Ok(())
    }
}
