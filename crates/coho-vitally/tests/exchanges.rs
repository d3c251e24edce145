//! Every exchange, told as a story: an operation and Vitally's answers in, what was asked and the verdict out.
//!
//! A case is a file in `fixtures/exchanges/`; its snapshot stands beside it. No socket is opened.

#[path = "support/operations.rs"]
mod operations;
#[path = "support/script.rs"]
mod script;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use coho_core::object::Object;
use coho_core::operation::{Known, Operation};
use coho_core::row_state::{Origin, Verb};
use coho_core::sync::{Associations, Mode};
use coho_core::target::{ExternalId, VitallyId};
use coho_core::time::Time;
use coho_core::value::Value;
use coho_core::verdict::Verdict;
use coho_vitally::Record;
use coho_vitally::address::Paths;
use coho_vitally::exchange;
use coho_vitally::request::{Answer, Reply, Request};
use coho_vitally::resolved::{Match, Resolved, Unlinking};
use operations::{Deed, operation_with};
use script::{Script, run};
use serde::Deserialize;

type Failure = Box<dyn std::error::Error>;

/// Vitally's clock, and ours, in every case.
const NOW: &str = "2026-11-24T10:00:00Z";

/// A case, as it is written down.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    /// `upsert account acme`
    deed: String,
    /// `new`, `assumed`, `created ID`, `found ID`, or `unclear since TIME`
    known: String,
    /// Paths with values.
    #[serde(default)]
    fields: BTreeMap<String, serde_json::Value>,
    /// What was acknowledged before.
    #[serde(default)]
    sent: BTreeMap<String, serde_json::Value>,
    /// `account acme: ID`
    #[serde(default)]
    resolved: BTreeMap<String, String>,
    /// The objects whose routes are known to take only Vitally's ids.
    #[serde(default)]
    only_vitallys_ids: Vec<String>,
    /// The e-mail address, where that is what finds the record.
    email: Option<String>,
    /// What the caller's search of that address found: `none`, `several`, or a record.
    #[serde(rename = "match")]
    found: Option<String>,
    /// Whether links only grow.
    #[serde(default)]
    associations: Links,
    /// Whether there is a token of the Analytics API.
    #[serde(default)]
    analytics: Token,
    /// Whether answers have a `Date`.
    #[serde(default)]
    date: Date,
    /// `STATUS BODY`, `lost WHY` or `not-sent WHY`
    answers: Vec<String>,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Date {
    #[default]
    Told,
    Absent,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Links {
    #[default]
    Add,
    Exact,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Token {
    Present,
    #[default]
    Absent,
}

fn check(path: &Path) -> datatest_stable::Result<()> {
    let text = std::fs::read_to_string(path)?;
    let case: Case = serde_saphyr::from_str(&text)?;
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
    let operation = case.operation()?;
    let answers: Vec<Answer> =
        case.answers.iter().map(|answer| read_answer(answer, case.date)).collect::<Result<_, _>>()?;
    let (mut script, mut paths) = (Script::new(answers), case.paths()?);
    let verdict = run(exchange::deliver(&mut script, &operation, &case.resolved()?, &mut paths));
    let mut story = String::new();
    for ((request, _), answer) in script.told.iter().zip(&case.answers) {
        tell_request(&mut story, request)?;
        writeln!(story, "    {answer}")?;
    }
    let verdict = verdict.ok_or_else(|| format!("no answer is left:\n{story}"))?;
    tell_verdict(&mut story, &verdict)?;
    match script.left() {
        0 => Ok(story),
        left => Err(format!("the last {left} answers were never asked for:\n{story}").into()),
    }
}

impl Case {
    fn operation(&self) -> Result<Operation, Failure> {
        let mut words = self.deed.splitn(3, ' ');
        let mut word = || words.next().ok_or("a deed is `VERB OBJECT ID`");
        let (deed, object, target) = (deed(word()?)?, object(word()?)?, word()?);
        let (fields, sent) = (values(&self.fields)?, values(&self.sent)?);
        let pairs = |values: &[(String, Value)]| -> Vec<(String, Value)> { values.to_vec() };
        let (fields, sent) = (pairs(&fields), pairs(&sent));
        let fields: Vec<(&str, Value)> =
            fields.iter().map(|(path, value)| (path.as_str(), value.clone())).collect();
        let sent: Vec<(&str, Value)> =
            sent.iter().map(|(path, value)| (path.as_str(), value.clone())).collect();
        let associations = match self.associations {
            Links::Add => Associations::Add,
            Links::Exact => Associations::Exact,
        };
        let operation = operation_with(associations, (object, target), deed, self.known()?, &fields, &sent)?;
        Ok(Operation { email: self.email.clone(), ..operation })
    }

    fn known(&self) -> Result<Known, Failure> {
        let words: Vec<&str> = self.known.split(' ').collect();
        let id = |text: &str| (text != "-").then(|| VitallyId::new(text));
        Ok(match words.as_slice() {
            ["new"] => Known::New,
            ["assumed"] => Known::Assumed,
            ["created", text] => Known::There { id: id(text), origin: Origin::Created },
            ["found", text] => Known::There { id: id(text), origin: Origin::Found },
            ["unclear", "since", since] => Known::Unclear { since: since.parse()?, id: None, origin: None },
            ["unclear", "since", since, "found", text] => {
                Known::Unclear { since: since.parse()?, id: id(text), origin: Some(Origin::Found) }
            }
            ["unclear", "since", since, "created", text] => {
                Known::Unclear { since: since.parse()?, id: id(text), origin: Some(Origin::Created) }
            }
            _ => return Err(format!("`{}` is not known to be known", self.known).into()),
        })
    }

    fn resolved(&self) -> Result<Resolved, Failure> {
        let record = |(name, id): (&String, &String)| -> Result<_, Failure> {
            let (kind, external_id) = name.split_once(' ').ok_or("a reference is `OBJECT ID`")?;
            Ok(((object(kind)?, ExternalId::parse(external_id)?), VitallyId::new(id.as_str())))
        };
        let resolved: Resolved = self.resolved.iter().map(record).collect::<Result<_, Failure>>()?;
        let resolved = match self.found.as_deref() {
            None => resolved,
            Some("none") => resolved.with_match(Match::None),
            Some("several") => resolved.with_match(Match::Several),
            Some(body) => {
                let record = Record::parse(body).ok_or("what the caller found is a record")?;
                resolved.with_match(Match::One(Box::new(record)))
            }
        };
        Ok(match self.analytics {
            Token::Present => resolved.with_unlinking(Unlinking::Possible).with_time(NOW.parse()?),
            Token::Absent => resolved,
        })
    }

    fn paths(&self) -> Result<Paths, Failure> {
        self.only_vitallys_ids
            .iter()
            .try_fold(Paths::default(), |paths, name| Ok(paths.only_vitallys(object(name)?)))
    }
}

fn deed(name: &str) -> Result<Deed, Failure> {
    Ok(match name {
        "upsert" => Deed::Write(Mode::Upsert),
        "update" => Deed::Write(Mode::Update),
        "insert" => Deed::Write(Mode::Insert),
        "remove" => Deed::Remove,
        "probe-write" => Deed::Probe(Verb::Write),
        "probe-remove" => Deed::Probe(Verb::Remove),
        _ => return Err(format!("nobody can `{name}`").into()),
    })
}

fn object(name: &str) -> Result<Object, Failure> {
    Object::parse(name).ok_or_else(|| format!("there is no object `{name}`").into())
}

fn values(members: &BTreeMap<String, serde_json::Value>) -> Result<Vec<(String, Value)>, Failure> {
    let value = |json: &serde_json::Value| coho_core::json::parse(&json.to_string());
    members.iter().map(|(path, json)| Ok((path.clone(), value(json)?))).collect()
}

fn read_answer(text: &str, date: Date) -> Result<Answer, Failure> {
    let (head, rest) = text.split_once(' ').unwrap_or((text, ""));
    let now: Time = NOW.parse()?;
    Ok(match head {
        "lost" => Answer::Lost { why: rest.to_owned() },
        "not-sent" => Answer::NotSent { why: rest.to_owned() },
        status => Answer::Reply(Reply {
            status: status.parse()?,
            body: rest.to_owned(),
            date: match date {
                Date::Told => Some(now),
                Date::Absent => None,
            },
            asked: now,
            elapsed: Duration::from_millis(100),
        }),
    })
}

fn tell_request(story: &mut String, request: &Request) -> std::fmt::Result {
    if !request.after.is_zero() {
        writeln!(story, "after {} ms", request.after.as_millis())?;
    }
    writeln!(story, "{} {}", request.method.as_str(), request.path)?;
    match &request.body {
        Some(body) if body.len() > 500 => writeln!(story, "    {} bytes", body.len()),
        Some(body) => writeln!(story, "    {body}"),
        None => Ok(()),
    }
}

fn tell_verdict(story: &mut String, verdict: &Verdict) -> std::fmt::Result {
    match verdict {
        Verdict::Applied { id, origin, notes, lost } => {
            let id = id.as_ref().map_or("no id", VitallyId::as_str);
            writeln!(
                story,
                "applied: {id}, {}",
                if *origin == Origin::Created { "created" } else { "found" }
            )?;
            notes.iter().try_for_each(|note| writeln!(story, "note: {note}"))?;
            lost.iter()
                .try_for_each(|(path, id)| writeln!(story, "lost: {path} {}", coho_core::json::write(id)))
        }
        Verdict::Accepted => writeln!(story, "accepted"),
        Verdict::Gone => writeln!(story, "gone"),
        Verdict::Missing => writeln!(story, "missing"),
        Verdict::Exists => writeln!(story, "exists"),
        Verdict::Ambiguous => writeln!(story, "ambiguous"),
        Verdict::Rejected { code, message } => writeln!(story, "rejected: {code}: {message}"),
        Verdict::Deferred { message } => writeln!(story, "deferred: {message}"),
        Verdict::Unsent { why } => writeln!(story, "unsent: {why}"),
        Verdict::Unsure { why } => writeln!(story, "unsure: {why}"),
        Verdict::Halt { code, message } => writeln!(story, "halt: {code}: {message}"),
    }
}

datatest_stable::harness! {
    { test = check, root = "fixtures/exchanges", pattern = r"\.yaml$" },
}
