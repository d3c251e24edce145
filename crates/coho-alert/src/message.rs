//! A message: what one recipient is told at one moment, as plain texts. The outbox keeps it as JSON, and so do webhooks and
//! commands get it; [`crate::channel`] makes of it what each other channel takes.

use chrono::SecondsFormat;
use coho_core::alert::{AlertKey, Level, Subject, Trigger};
use coho_core::code::Code;
use coho_core::terminal::escape;
use coho_core::time::Time;
use serde::{Deserialize, Serialize};

use crate::limit::{EXAMPLES, cut};
use crate::tell::{Notice, Turn, Turned};

/// The longest text of a line, in characters; what others wrote may be any length.
const LONGEST_TEXT: usize = 1_000;

/// What one recipient is told at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notification {
    /// The id, the same however often it is sent.
    pub id: String,
    /// The form of this document: 1.
    pub version: u32,
    /// The project.
    pub project: String,
    /// When it was written, in RFC 3339.
    pub at: String,
    /// Whether it only tries the channel.
    pub test: bool,
    /// One for each alert, the gravest first.
    pub alerts: Vec<Line>,
}

/// What is told of one alert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Which alert, the same as long as it is open and whenever it opens again.
    pub alert: String,
    /// The sync, or what else it is about.
    pub subject: String,
    /// What is watched: `failed`, `rejected`, …
    pub trigger: String,
    /// What became of it: `opened`, `worse`, `better`, `recovered` or `reminder`.
    pub turn: String,
    /// How bad it is: `warning`, `critical`; null if it is not.
    pub level: Option<String>,
    /// Since when it is, or was, open, in RFC 3339.
    pub since: String,
    /// A few words without texts of others.
    pub brief: String,
    /// What happened.
    pub what: String,
    /// How many rows.
    pub count: Option<u64>,
    /// The keys of a few of them.
    pub examples: Vec<String>,
    /// What to do about it.
    pub remedy: Option<String>,
    /// The run's page.
    pub link: Option<String>,
    /// The command that shows more.
    pub command: Option<String>,
    /// The message that opened the alert; its own id where this one does.
    pub opened_by: String,
}

/// What a message is composed with.
#[derive(Clone, Debug)]
pub struct Frame<'a> {
    /// The project's name.
    pub project: &'a str,
    /// Where Coho's pages are, without a slash at the end.
    pub public_url: Option<&'a str>,
    /// Whether the recipient is shown the keys of rows, and the texts of errors.
    pub examples: bool,
    /// When it is.
    pub now: Time,
}

impl Notification {
    /// The message of a notice.
    pub fn compose(notice: &Notice, frame: &Frame<'_>) -> Self {
        Self {
            id: notice.id.clone(),
            version: 1,
            project: clean(frame.project),
            at: text(frame.now),
            test: false,
            alerts: notice.turns.iter().map(|turned| line(turned, frame)).collect(),
        }
    }

    /// A message that tries a channel.
    pub fn test(id: &str, recipient: &str, frame: &Frame<'_>) -> Self {
        let what =
            format!("this is a test of the recipient `{recipient}`: alerts from the project look like this");
        let line = Line {
            alert: format!("coho:{}:test", clean(frame.project)),
            subject: "test".to_owned(),
            trigger: "test".to_owned(),
            turn: Turn::Opened.as_str().to_owned(),
            level: Some(Level::Warning.as_str().to_owned()),
            since: text(frame.now),
            brief: "a test: nothing is wrong".to_owned(),
            what,
            count: None,
            examples: Vec::new(),
            remedy: None,
            link: frame.public_url.map(str::to_owned),
            command: Some("coho alerts".to_owned()),
            opened_by: id.to_owned(),
        };
        let project = clean(frame.project);
        Self { id: id.to_owned(), version: 1, project, at: text(frame.now), test: true, alerts: vec![line] }
    }

    /// The message as the outbox keeps it.
    pub fn to_json(&self) -> String {
        // Texts, numbers and lists always make a document.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The message that [`Notification::to_json`] wrote.
    pub fn from_json(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// One line that says the most. It holds no texts of others.
    pub fn title(&self) -> String {
        match self.alerts.as_slice() {
            [line] => format!("[{}] {}: {} ({})", self.project, line.subject, line.brief, line.state()),
            lines => format!("[{}] {}", self.project, summed(lines)),
        }
    }

    /// How bad the worst of it is; `None` where all that it tells is well.
    pub fn level(&self) -> Option<Level> {
        self.alerts.iter().filter_map(Line::level).max()
    }
}

impl Line {
    /// How bad it is.
    pub fn level(&self) -> Option<Level> {
        self.level.as_deref().and_then(Level::parse)
    }

    /// What became of it.
    pub fn turn(&self) -> Option<Turn> {
        Turn::parse(&self.turn)
    }

    /// One word or two: `critical`, `recovered`, `still critical`.
    pub fn state(&self) -> String {
        match (self.turn(), self.level.as_deref()) {
            (Some(Turn::Reminder), Some(level)) => format!("still {level}"),
            (Some(Turn::Better), Some(level)) => format!("now {level}"),
            (_, Some(level)) => level.to_owned(),
            (_, None) => "recovered".to_owned(),
        }
    }

    /// All that is said of it besides its title, one sentence a line.
    pub fn details(&self) -> Vec<String> {
        let mut lines = vec![self.what.clone()];
        if !self.examples.is_empty() {
            lines.push(format!("for example: {}", self.examples.join(", ")));
        }
        lines.push(match self.level {
            Some(_) => format!("since {}", self.since),
            None => format!("it was open since {}", self.since),
        });
        lines.extend(self.remedy.as_ref().map(|remedy| format!("help: {remedy}")));
        lines
    }
}

/// `1 critical, 2 recovered`
fn summed(lines: &[Line]) -> String {
    let states = ["critical", "still critical", "warning", "now warning", "recovered"];
    let count = |state: &&str| lines.iter().filter(|line| line.state() == **state).count();
    let parts = states.iter().map(|state| (count(state), state)).filter(|(count, _)| *count > 0);
    let parts: Vec<_> = parts.map(|(count, state)| format!("{count} {state}")).collect();
    parts.join(", ")
}

fn line(turned: &Turned, frame: &Frame<'_>) -> Line {
    let detail = &turned.alert.detail;
    let subject = clean(&turned.key.subject.name());
    let brief = match (turned.level, detail.brief.is_empty(), turned.alert.level) {
        (_, true, _) => turned.key.trigger.as_str().to_owned(),
        // It is still bad, but not so bad that this recipient asked to be told.
        (None, false, Some(_)) => format!("no longer critical: {}", detail.brief),
        (_, false, _) => detail.brief.clone(),
    };
    let examples = detail.examples.iter().filter(|_| frame.examples).take(EXAMPLES);
    // The text of an error may quote a value of a row.
    let quotes = turned.key.trigger == Trigger::Failed && !frame.examples;
    let what = if detail.what.is_empty() || quotes { &brief } else { &detail.what };
    Line {
        alert: name(frame.project, &turned.key),
        trigger: turned.key.trigger.as_str().to_owned(),
        turn: turned.turn.as_str().to_owned(),
        level: turned.level.map(|level| level.as_str().to_owned()),
        since: text(turned.told.opened_at),
        what: bounded(what),
        brief: cut(&clean(&brief), 200),
        count: detail.count,
        examples: examples.map(|key| cut(&clean(key), 60)).collect(),
        remedy: if quotes { of_code(&detail.brief) } else { detail.remedy.as_deref().map(bounded) },
        link: link(detail.run.as_deref(), frame),
        command: Some(command(turned, detail.run.as_deref())),
        opened_by: turned.told.opened_by.clone(),
        subject,
    }
}

/// What the code behind a few words says is to be done: what an error itself says may quote a value of a row, as the error does.
fn of_code(brief: &str) -> Option<String> {
    let (_, code) = brief.strip_suffix(']')?.rsplit_once('[')?;
    Code::parse(code)?.help()
}

/// `coho:acme:vitally/accounts:failed`
fn name(project: &str, key: &AlertKey) -> String {
    let subject = match &key.subject {
        Subject::Sync { destination, sync } => format!("{destination}/{sync}"),
        Subject::Destination(_) | Subject::Source(_) | Subject::Ledger => key.subject.to_string(),
    };
    clean(&format!("coho:{project}:{subject}:{}", key.trigger.as_str()))
}

fn link(run: Option<&str>, frame: &Frame<'_>) -> Option<String> {
    Some(format!("{}/runs/{}", frame.public_url?, run?))
}

/// What to type for more.
fn command(turned: &Turned, run: Option<&str>) -> String {
    let key = &turned.key;
    let rows = |sync: &dyn std::fmt::Display, status: &str| format!("coho rows {sync} --status {status}");
    match (&key.subject, key.trigger, run) {
        (_, _, Some(run)) if turned.level.is_none() => format!("coho runs {run}"),
        (Subject::Sync { sync, .. }, Trigger::Rejected, _) => rows(sync, "rejected"),
        (Subject::Sync { sync, .. }, Trigger::Invalid, _) => rows(sync, "invalid"),
        (Subject::Sync { sync, .. }, Trigger::Held, _) => rows(sync, "held"),
        (Subject::Destination(_) | Subject::Source(_), _, _) => "coho check".to_owned(),
        (Subject::Sync { .. }, _, Some(run)) => format!("coho runs {run}"),
        (Subject::Sync { .. } | Subject::Ledger, _, _) => "coho alerts".to_owned(),
    }
}

/// A text that nothing obeys: neither a terminal nor the head of a mail.
fn clean(text: &str) -> String {
    escape(text).into_owned()
}

fn bounded(text: &str) -> String {
    cut(&clean(text), LONGEST_TEXT)
}

/// A time as people and programs read it.
pub(crate) fn text(time: Time) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}
