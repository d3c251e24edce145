//! What a run found: its summaries, held against the rules, as findings. Pure, like all that decides.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use coho_core::alert::remembered::Detail;
use coho_core::alert::rules::{Bounds, Rules, Shares, Steady};
use coho_core::alert::{AlertKey, Level, Subject, Trigger};
use coho_core::code::{Code, Family};
use coho_core::failure::Failure;
use coho_core::plan::{SyncStatus, SyncSummary};
use coho_core::sync::SyncId;
use coho_core::time::Time;
use coho_core::verdict::RowStatus;

use crate::limit::EXAMPLES;
use crate::machine::Observation;

/// A sync of a run, and what it is held against.
#[derive(Clone, Debug)]
pub struct Ran<'a> {
    /// What it did.
    pub summary: &'a SyncSummary,
    /// Its destination.
    pub destination: &'a str,
    /// The source of its model.
    pub source: &'a str,
    /// The rules.
    pub rules: &'a Rules,
    /// Whether it looked at all rows: of a part of them nothing follows for the others.
    pub is_whole: bool,
    /// How many rows earlier good runs read, the newest first.
    pub earlier: &'a [u64],
    /// The run.
    pub run: &'a str,
}

/// All findings of a run.
pub type Findings = BTreeMap<AlertKey, Observation>;

/// How many earlier runs there must be, so that their median says something.
const ENOUGH: usize = 3;

/// What the syncs of a run found.
pub fn run(syncs: &[Ran<'_>]) -> Findings {
    let mut findings = Findings::new();
    for ran in syncs {
        of_sync(ran, &mut findings);
    }
    let mut refusing: BTreeMap<Subject, Vec<&Ran<'_>>> = BTreeMap::new();
    for ran in syncs {
        if let Some(subject) = refused_by(ran) {
            refusing.entry(subject).or_default().push(ran);
        }
    }
    for (subject, syncs) in refusing {
        let ids: Vec<_> = syncs.iter().map(|ran| ran.summary.sync.to_string()).collect();
        let code = syncs.first().and_then(|ran| failure(&ran.summary.status)).map(|(code, _)| code);
        let key = AlertKey { subject: subject.clone(), trigger: Trigger::Credentials };
        findings.insert(
            key,
            credentials(&subject, code.unwrap_or(Code::UNAUTHORIZED), &ids, syncs.first().map(|ran| ran.run)),
        );
    }
    findings
}

/// A destination or a source does not accept who asks: one alert, whatever number of syncs cannot run because of it.
pub fn credentials(subject: &Subject, code: Code, syncs: &[String], run: Option<&str>) -> Observation {
    let noun = if syncs.len() == 1 { "sync" } else { "syncs" };
    let what = format!("{subject} refuses its credentials; the {noun} {} cannot run", syncs.join(", "));
    let detail =
        Detail { run: run.map(str::to_owned), ..detail(format!("credentials refused [{code}]"), what) };
    Observation::bad(Level::Critical, with_remedy(detail, code))
}

/// A run that ended before any of its syncs began, for each of them.
pub fn failed_before(syncs: &[(String, SyncId, &Rules)], error: &impl Failure) -> Findings {
    let code = error.code();
    let finding = |(destination, sync, rules): &(String, SyncId, &Rules)| {
        let what = format!("the run could not start: {error}");
        let detail = with_help(detail(format!("run failed [{code}]"), what), error.help(), code);
        let subject = Subject::Sync { destination: destination.clone(), sync: sync.clone() };
        (AlertKey { subject, trigger: Trigger::Failed }, steady(rules.failed, detail))
    };
    syncs.iter().map(finding).collect()
}

/// When a sync ran well last, and when it was to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fresh {
    /// When its last successful run ended.
    pub good: Option<Time>,
    /// The first time of its schedule since its last successful run began.
    pub expected: Option<Time>,
}

/// How old the last successful run of a sync is, and how late it is by its schedule.
pub fn freshness(
    destination: &str,
    sync: &SyncId,
    rules: &Rules,
    fresh: Fresh,
    now: Time,
) -> (AlertKey, Observation) {
    let subject = Subject::Sync { destination: destination.to_owned(), sync: sync.clone() };
    let key = AlertKey { subject, trigger: Trigger::Freshness };
    let age = fresh.good.map_or(TimeDelta::zero(), |last| now - last);
    let by_age = rules.freshness.age.level(age);
    let late = fresh.expected.filter(|due| rules.freshness.grace.is_some_and(|grace| now - *due >= grace));
    let (brief, what, level) = match (late, by_age, fresh.good) {
        (Some(due), _, _) => (
            format!("late by {}", hours(now - due)),
            format!("{sync} was due at {} and has had no successful run since", crate::message::text(due)),
            Some(Level::Critical),
        ),
        (None, Some(level), Some(last)) => (
            format!("no successful run for {}", hours(age)),
            format!("{sync} has had no successful run since {}", crate::message::text(last)),
            Some(level),
        ),
        (None, _, _) => ("runs again".to_owned(), format!("{sync} runs again"), None),
    };
    let detail =
        detail(brief, what).remedied("check that `coho serve`, or whatever starts `coho run`, is running");
    (key, Observation { level, ..Observation::well(detail) })
}

/// How much of the ledger's disk is free, in thousandths: the less, the worse.
pub fn disk(rules: &Shares, free: u64) -> (AlertKey, Observation) {
    let is_below = |bound: Option<u32>| bound.is_some_and(|bound| free <= u64::from(bound));
    let level = match (is_below(rules.warning), is_below(rules.critical)) {
        (_, true) => Some(Level::Critical),
        (true, false) => Some(Level::Warning),
        (false, false) => None,
    };
    let brief = format!("{} of the disk free", percent(free));
    let what = format!("{} of the ledger's disk is free", percent(free));
    let detail = detail(brief, what).remedied("free disk space: without it, nothing can be sent");
    (
        AlertKey { subject: Subject::Ledger, trigger: Trigger::Disk },
        Observation { level, ..Observation::well(detail) },
    )
}

fn of_sync(ran: &Ran<'_>, findings: &mut Findings) {
    let mut found = |trigger: Trigger, mut finding: Observation| {
        finding.detail.run = Some(ran.run.to_owned());
        let sync = ran.summary.sync.clone();
        let subject = Subject::Sync { destination: ran.destination.to_owned(), sync };
        findings.insert(AlertKey { subject, trigger }, finding);
    };
    match (&ran.summary.status, failure(&ran.summary.status)) {
        // A person stopped it: nothing is known.
        (SyncStatus::Interrupted, _) => return,
        // It is an alert of the destination or the source.
        (_, Some(_)) if refused_by(ran).is_some() => return,
        // What a failed run says of rows is a part of the failure.
        (status, Some((code, message))) => {
            let own = status.problems().first().and_then(|problem| problem.help.clone());
            let detail = with_help(detail(format!("run {} [{code}]", status.name()), message), own, code);
            return found(Trigger::Failed, steady(ran.rules.failed, detail));
        }
        (_, None) => found(
            Trigger::Failed,
            Observation::well(detail("run succeeded".to_owned(), "the run succeeded".to_owned())),
        ),
    }
    if ran.is_whole {
        found(Trigger::Rejected, rejected(ran));
        found(
            Trigger::Invalid,
            rows(
                ran,
                &ran.rules.invalid,
                ran.summary.counts.status(RowStatus::Invalid),
                Family::Row,
                "invalid",
            ),
        );
        found(Trigger::Held, held(ran));
        found(Trigger::Duration, duration(ran));
        found(Trigger::Volume, volume(ran));
    }
    if ran.summary.calls > 0 {
        let subject = Subject::Destination(ran.destination.to_owned());
        findings.insert(AlertKey { subject, trigger: Trigger::Credentials }, accepted(ran.run));
    }
    let subject = Subject::Source(ran.source.to_owned());
    findings.insert(AlertKey { subject, trigger: Trigger::Credentials }, accepted(ran.run));
}

fn accepted(run: &str) -> Observation {
    let detail = detail("credentials accepted".to_owned(), "the credentials are accepted".to_owned());
    Observation::well(Detail { run: Some(run.to_owned()), ..detail })
}

/// Why a sync failed or halted, if it did.
fn failure(status: &SyncStatus) -> Option<(Code, String)> {
    match status {
        SyncStatus::Failed(problems) => {
            let first = problems.first()?;
            let more = match problems.len() {
                1 => String::new(),
                count => format!(" (and {} more)", count - 1),
            };
            Some((first.code, format!("{first}{more}")))
        }
        SyncStatus::Halted { code, message, .. } => Some((*code, format!("{message} [{code}]"))),
        SyncStatus::Completed
        | SyncStatus::CompletedWithErrors
        | SyncStatus::Held
        | SyncStatus::TimeUp
        | SyncStatus::Interrupted => None,
    }
}

/// Who refuses the credentials, where that is why the sync did not run.
fn refused_by(ran: &Ran<'_>) -> Option<Subject> {
    let (code, _) = failure(&ran.summary.status)?;
    // Who halts a run halts all its syncs, also those that go elsewhere.
    let at = match &ran.summary.status {
        SyncStatus::Halted { at, .. } => at.as_deref(),
        SyncStatus::Completed
        | SyncStatus::CompletedWithErrors
        | SyncStatus::Held
        | SyncStatus::TimeUp
        | SyncStatus::Failed(_)
        | SyncStatus::Interrupted => None,
    };
    match code {
        Code::UNAUTHORIZED | Code::FORBIDDEN => {
            Some(Subject::Destination(at.unwrap_or(ran.destination).to_owned()))
        }
        Code::SOURCE_REFUSED => Some(Subject::Source(ran.source.to_owned())),
        _ => None,
    }
}

fn steady(rule: Option<Steady>, detail: Detail) -> Observation {
    match rule {
        Some(Steady { level, after }) => Observation { after, ..Observation::bad(level, detail) },
        None => Observation::well(detail),
    }
}

/// Those that were refused just now, and those that wait since.
fn rejected(ran: &Ran<'_>) -> Observation {
    let count = ran.summary.counts.status(RowStatus::Rejected) + ran.summary.waiting;
    rows(ran, &ran.rules.rejected, count, Family::Record, "rejected")
}

fn rows(ran: &Ran<'_>, bounds: &Bounds, count: u64, family: Family, word: &str) -> Observation {
    let all = ran.summary.counts.read;
    let level = bounds.level(count, all);
    let of_family = |code: Code| code.entry().is_some_and(|entry| entry.family == family);
    let problems = || ran.summary.problems.iter().filter(|(kind, _)| of_family(kind.code));
    let examples = problems().filter_map(|(_, problem)| Some(problem.key.as_ref()?.as_str().to_owned()));
    let worst = problems().max_by_key(|(_, problem)| problem.count).map(|(kind, _)| kind);
    let mostly = worst.map(|kind| format!(", mostly {kind}")).unwrap_or_default();
    let noun = if count == 1 { "row is" } else { "rows are" };
    let (brief, what) = match count {
        0 => (format!("no rows {word}"), format!("no rows are {word} any more")),
        _ => (format!("{count} of {all} rows {word}"), format!("{count} {noun} {word}, of {all}{mostly}")),
    };
    let detail =
        Detail { count: Some(count), examples: examples.take(EXAMPLES).collect(), ..detail(brief, what) };
    let remedy = worst.map(|kind| kind.code);
    let detail = remedy.map_or_else(|| detail.clone(), |code| with_remedy(detail.clone(), code));
    Observation { level, after: bounds.after, critical_after: bounds.critical_after, detail }
}

fn held(ran: &Ran<'_>) -> Observation {
    let guards = &ran.summary.guards;
    let count: u64 = guards.iter().map(|guard| guard.held).sum();
    let Some(first) = guards.first().filter(|_| count > 0) else {
        return Observation::well(detail(
            "nothing held".to_owned(),
            "guards no longer hold anything".to_owned(),
        ));
    };
    let codes: Vec<_> = guards.iter().map(|guard| guard.code.to_string()).collect();
    let brief = format!("{} held [{}]", counted(count, "operation"), codes.join(", "));
    let detail = Detail { count: Some(count), ..detail(brief, first.message.clone()) }.remedied(&first.help);
    steady(ran.rules.held, detail)
}

fn duration(ran: &Ran<'_>) -> Observation {
    let time = TimeDelta::milliseconds(i64::try_from(ran.summary.millis).unwrap_or(i64::MAX / 1_000));
    let brief = format!("run took {}", hours(time));
    let what = format!("the run took {}", hours(time));
    Observation { level: ran.rules.duration.level(time), ..Observation::well(detail(brief, what)) }
}

fn volume(ran: &Ran<'_>) -> Observation {
    let (read, earlier) = (ran.summary.counts.read, ran.earlier);
    let brief = counted(read, "row");
    let Some(median) = median(earlier).filter(|median| *median > 0 && earlier.len() >= ENOUGH) else {
        return Observation::well(detail(brief.clone(), brief));
    };
    let permille =
        u64::try_from(u128::from(read.abs_diff(median)) * 1_000 / u128::from(median)).unwrap_or(u64::MAX);
    let more = if read < median { "fewer" } else { "more" };
    let brief = format!("{brief}, {} {more} than usual", percent(permille));
    let what = format!(
        "the model has {}; the median of the last {} runs is {median}",
        counted(read, "row"),
        earlier.len()
    );
    let level = ran.rules.volume.level(permille);
    let detail = Detail { count: Some(read), ..detail(brief, what) };
    Observation {
        level,
        ..Observation::well(detail.remedied("check that the model reads everything that it should"))
    }
}

fn median(numbers: &[u64]) -> Option<u64> {
    let mut sorted = numbers.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied()
}

fn detail(brief: String, what: String) -> Detail {
    Detail { brief, what, ..Detail::default() }
}

fn with_remedy(detail: Detail, code: Code) -> Detail {
    with_help(detail, None, code)
}

/// With what the failure itself says is to be done, which is closer than what its code says.
fn with_help(detail: Detail, own: Option<String>, code: Code) -> Detail {
    Detail { remedy: own.or_else(|| code.help()), ..detail }
}

trait Remedied {
    fn remedied(self, remedy: &str) -> Self;
}

impl Remedied for Detail {
    fn remedied(self, remedy: &str) -> Self {
        Self { remedy: Some(remedy.to_owned()), ..self }
    }
}

/// `1 row`, `2 rows`
fn counted(count: u64, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// `3.5 %`
fn percent(permille: u64) -> String {
    match permille % 10 {
        0 => format!("{} %", permille / 10),
        tenth => format!("{}.{tenth} %", permille / 10),
    }
}

/// `26 h`, `4 min`, `12 s`
fn hours(time: TimeDelta) -> String {
    match (time.num_hours(), time.num_minutes()) {
        (2.., _) => format!("{} h", time.num_hours()),
        (_, 2..) => format!("{} min", time.num_minutes()),
        (_, _) => format!("{} s", time.num_seconds()),
    }
}

#[cfg(test)]
mod tests;
