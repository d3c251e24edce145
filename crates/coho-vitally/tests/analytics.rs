//! Operations as messages, and batches told as stories: operations and Vitally's answers in; what was sent, and a verdict for
//! each operation, out.
//!
//! A case is a file in `fixtures/analytics/`; its snapshot stands beside it. No socket is opened.

#[path = "support/operations.rs"]
mod operations;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use coho_core::json::Json;
use coho_core::object::Object;
use coho_core::operation::{Known, Operation};
use coho_core::row_state::Verb;
use coho_core::sync::{Associations, Mode};
use coho_core::time::Time;
use coho_core::value::Value;
use coho_core::verdict::Verdict;
use coho_vitally::analytics::Outgoing;
use coho_vitally::analytics::batch::{Batch, BatchStep};
use coho_vitally::analytics::limits::{BatchLimits, Lessons};
use coho_vitally::request::{Answer, Reply, Request};
use operations::{Deed, operation_with};
use serde::Deserialize;

type Failure = Box<dyn std::error::Error>;

/// When every intent was made.
const NOW: &str = "2026-11-24T10:00:00Z";

/// A case, as it is written down.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    /// What it shows.
    about: String,
    operations: Vec<Written>,
    #[serde(default)]
    limits: Option<WrittenLimits>,
    /// `STATUS BODY`, `lost WHY` or `not-sent WHY`, for the first calls.
    #[serde(default)]
    answers: Vec<String>,
    /// Records with which a batch is refused, for all further calls; others are taken.
    #[serde(default)]
    refused: BTreeSet<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    /// `upsert account acme`; `NAME..NAME` stands for many: `upsert account a-1..a-9`.
    deed: String,
    #[serde(default)]
    known: WrittenKnown,
    #[serde(default)]
    fields: serde_json::Map<String, Json>,
    /// What was acknowledged before.
    #[serde(default)]
    sent: serde_json::Map<String, Json>,
    /// Whether links only grow.
    #[serde(default)]
    associations: WrittenAssociations,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum WrittenAssociations {
    #[default]
    Add,
    Exact,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum WrittenKnown {
    #[default]
    New,
    Unclear,
}

#[derive(Clone, Copy, Deserialize)]
struct WrittenLimits {
    messages: usize,
    bytes: usize,
}

fn check(path: &Path) -> datatest_stable::Result<()> {
    let case: Case = serde_json::from_str(&std::fs::read_to_string(path)?)?;
    let story = play(&case)?;
    let name = path.file_stem().and_then(|name| name.to_str()).ok_or("a case needs a name")?;
    let folder = std::env::current_dir()?.join(path.parent().ok_or("a case is in a folder")?);
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(folder);
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.set_input_file(path);
    settings.bind(|| insta::assert_snapshot!(name, story));
    Ok(())
}

fn play(case: &Case) -> Result<String, Failure> {
    let mut all = Vec::new();
    for written in &case.operations {
        all.extend(written.operations()?);
    }
    let at: Time = NOW.parse()?;
    let outgoing = all.iter().map(|operation| {
        let message_id = format!("m-{}", operation.target);
        Outgoing { operation, message_id, at }
    });
    let outgoing: Vec<Outgoing<'_>> = outgoing.collect();
    let limits = case.limits.map_or_else(BatchLimits::default, |limits| BatchLimits {
        messages: limits.messages,
        bytes: limits.bytes,
    });
    let mut story = format!("{}\n", case.about);
    let mut answers = case.answers.iter();
    let mut step = Batch::start(&outgoing, limits, Lessons::default());
    loop {
        match step {
            BatchStep::Ask(request, _, batch) => {
                let messages = tell(&mut story, &request)?;
                let answer = match answers.next() {
                    Some(answer) => answer.clone(),
                    None => case.answer(&messages),
                };
                writeln!(story, "    {answer}")?;
                step = batch.on(&read_answer(&answer, at)?);
            }
            BatchStep::Done(verdicts, _) => {
                tell_verdicts(&mut story, &all, &verdicts)?;
                return match answers.next() {
                    None => Ok(story),
                    Some(answer) => Err(format!("`{answer}` was never asked for:\n{story}").into()),
                };
            }
        }
    }
}

impl Case {
    fn answer(&self, messages: &[Json]) -> String {
        let is_refused = messages.iter().any(|message| self.refused.contains(&record(message)));
        if is_refused { r#"400 {"error":"no"}"# } else { r#"200 {"message":"Success."}"# }.to_owned()
    }
}

impl Written {
    fn operations(&self) -> Result<Vec<Operation>, Failure> {
        let mut words = self.deed.splitn(3, ' ');
        let mut word = || words.next().ok_or("a deed is `VERB OBJECT ID`");
        let (verb, object, target) = (word()?, word()?, word()?);
        let deed = match verb {
            "upsert" => Deed::Write(Mode::Upsert),
            "update" => Deed::Write(Mode::Update),
            "remove" => Deed::Remove,
            "repeat" => Deed::Probe(Verb::Write),
            _ => return Err(format!("nobody can `{verb}`").into()),
        };
        let object = Object::parse(object).ok_or("there is no such object")?;
        let (fields, sent) = (values(&self.fields)?, values(&self.sent)?);
        let known = match self.known {
            WrittenKnown::New => Known::New,
            WrittenKnown::Unclear => Known::Unclear { since: NOW.parse()?, id: None, origin: None },
        };
        let associations = match self.associations {
            WrittenAssociations::Add => Associations::Add,
            WrittenAssociations::Exact => Associations::Exact,
        };
        let one = |target: &str| {
            operation_with(associations, (object, target), deed, known.clone(), &fields, &sent)
        };
        targets(target)?.iter().map(|target| one(target)).collect()
    }
}

fn values(members: &serde_json::Map<String, Json>) -> Result<Vec<(&str, Value)>, Failure> {
    members.iter().map(|(path, json)| Ok((path.as_str(), value(json)?))).collect()
}

/// `a-1..a-3` is three.
fn targets(text: &str) -> Result<Vec<String>, Failure> {
    let Some((first, last)) = text.split_once("..") else { return Ok(vec![text.to_owned()]) };
    let (name, from) = first.split_once('-').ok_or("a range is `a-1..a-9`")?;
    let (_, to) = last.split_once('-').ok_or("a range is `a-1..a-9`")?;
    Ok((from.parse::<u32>()?..=to.parse::<u32>()?).map(|number| format!("{name}-{number}")).collect())
}

/// `{"timestamp": …}`, `{"date": …}` and `{"long": N}` stand for what JSON has not.
fn value(json: &Json) -> Result<Value, Failure> {
    if let Some(text) = json.get("timestamp").and_then(Json::as_str) {
        return Ok(Value::Timestamp(text.parse()?));
    }
    if let Some(text) = json.get("date").and_then(Json::as_str) {
        return Ok(Value::Date(text.parse()?));
    }
    if let Some(length) = json.get("long").and_then(Json::as_u64) {
        return Ok(Value::text("x".repeat(usize::try_from(length)?)));
    }
    Ok(coho_core::json::parse(&json.to_string())?)
}

fn read_answer(text: &str, asked: Time) -> Result<Answer, Failure> {
    let (head, rest) = text.split_once(' ').unwrap_or((text, ""));
    Ok(match head {
        "lost" => Answer::Lost { why: rest.to_owned() },
        "not-sent" => Answer::NotSent { why: rest.to_owned() },
        status => Answer::Reply(Reply {
            status: status.parse()?,
            body: rest.to_owned(),
            date: None,
            asked,
            elapsed: Duration::from_millis(100),
        }),
    })
}

fn record(message: &Json) -> String {
    let kind = message.get("type").and_then(Json::as_str).unwrap_or_default();
    let name = match kind {
        "track" => "messageId".to_owned(),
        kind => format!("{kind}Id"),
    };
    message.get(&name).and_then(Json::as_str).unwrap_or_default().to_owned()
}

/// Few messages are told whole, many by the records that they are of.
fn tell(story: &mut String, request: &Request) -> Result<Vec<Json>, Failure> {
    writeln!(story, "{} {}", request.method.as_str(), request.path)?;
    let messages: Vec<Json> = serde_json::from_str(request.body.as_deref().unwrap_or_default())?;
    if messages.len() <= 4 && request.body.as_ref().is_some_and(|body| body.len() < 1_000) {
        for message in &messages {
            writeln!(story, "    {message}")?;
        }
    } else {
        let records: Vec<String> = messages.iter().map(record).collect();
        let (first, last) = (records.first(), records.last());
        let (first, last) = (first.ok_or("a batch is never empty")?, last.ok_or("a batch is never empty")?);
        writeln!(story, "    {} messages, {first} to {last}", messages.len())?;
    }
    Ok(messages)
}

fn tell_verdicts(story: &mut String, all: &[Operation], verdicts: &[Verdict]) -> Result<(), Failure> {
    let mut told: Vec<(String, String, String)> = Vec::new();
    for (operation, verdict) in all.iter().zip(verdicts) {
        let (target, verdict) = (operation.target.to_string(), show(verdict));
        match told.last_mut() {
            Some((_, last, same)) if *same == verdict => *last = target,
            Some(_) | None => told.push((target.clone(), target, verdict)),
        }
    }
    for (first, last, verdict) in told {
        let range = if first == last { first } else { format!("{first} to {last}") };
        writeln!(story, "{range}: {verdict}")?;
    }
    Ok(())
}

fn show(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Accepted => "accepted".to_owned(),
        Verdict::Rejected { code, message } => format!("rejected: {code}: {message}"),
        Verdict::Unsent { why } => format!("unsent: {why}"),
        Verdict::Unsure { why } => format!("unsure: {why}"),
        Verdict::Halt { code, message } => format!("halt: {code}: {message}"),
        Verdict::Applied { .. }
        | Verdict::Gone
        | Verdict::Missing
        | Verdict::Exists
        | Verdict::Ambiguous
        | Verdict::Deferred { .. } => format!("{verdict:?}"),
    }
}

datatest_stable::harness! {
    { test = check, root = "fixtures/analytics", pattern = r"\.json$" },
}
