//! The text of a script, and how an answer is shortened so that a snapshot stays readable.

use std::error::Error;
use std::time::Duration;

use serde_json::Value;

/// One block of a script.
pub(crate) enum Block {
    Request { method: String, path: String, body: String },
    Order { order: Order, text: String },
}

/// What is done to the simulator between requests.
#[derive(Clone, Copy)]
pub(crate) enum Order {
    Switches,
    Advance,
    Seed,
    Fault,
    Key,
    Next,
    Whole,
    Token,
    Lifecycle,
    Flush,
    State,
}

impl Order {
    const ALL: [Self; 11] = [
        Self::Switches,
        Self::Advance,
        Self::Seed,
        Self::Fault,
        Self::Key,
        Self::Next,
        Self::Whole,
        Self::Token,
        Self::Lifecycle,
        Self::Flush,
        Self::State,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Switches => "switches",
            Self::Advance => "advance",
            Self::Seed => "seed",
            Self::Fault => "fault",
            Self::Key => "key",
            Self::Next => "next",
            Self::Whole => "whole",
            Self::Token => "token",
            Self::Lifecycle => "lifecycle",
            Self::Flush => "flush",
            Self::State => "state",
        }
    }
}

pub(crate) fn read(text: &str) -> Result<Vec<Block>, Box<dyn Error>> {
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    lines.join("\n").split("\n\n").map(str::trim).filter(|text| !text.is_empty()).map(block).collect()
}

fn block(text: &str) -> Result<Block, Box<dyn Error>> {
    if let Some(order) = text.strip_prefix('@') {
        let (name, text) = order.split_once(char::is_whitespace).unwrap_or((order, ""));
        let order =
            Order::ALL.into_iter().find(|order| order.name() == name).ok_or(format!("no order @{name}"))?;
        return Ok(Block::Order { order, text: text.trim().to_owned() });
    }
    let (head, body) = text.split_once('\n').unwrap_or((text, ""));
    let (method, path) = head.split_once(' ').ok_or(format!("not METHOD PATH: {head}"))?;
    Ok(Block::Request {
        method: method.to_owned(),
        path: path.trim().to_owned(),
        body: body.trim().to_owned(),
    })
}

/// `7d`, `90s`.
pub(crate) fn duration(text: &str) -> Result<Duration, Box<dyn Error>> {
    let digits = text.trim_end_matches(char::is_alphabetic);
    let seconds = match text.strip_prefix(digits) {
        Some("s") => 1,
        Some("m") => 60,
        Some("h") => 3_600,
        Some("d") => 86_400,
        Some(_) | None => return Err(format!("not a time: {text}").into()),
    };
    Ok(Duration::from_secs(digits.parse::<u64>()? * seconds))
}

/// Leaves out the members of records that are null, zero or empty, and shows the parents of a user by their names.
/// `@whole` asks for everything.
pub(crate) fn brief(value: Value) -> Value {
    match value {
        Value::Object(members) if members.contains_key("createdAt") && members.contains_key("segments") => {
            Value::Object(members.into_iter().filter(|(_, value)| !is_nothing(value)).map(parent).collect())
        }
        Value::Object(members) => {
            Value::Object(members.into_iter().map(|(name, value)| (name, brief(value))).collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(brief).collect()),
        scalar @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => scalar,
    }
}

fn parent((name, value): (String, Value)) -> (String, Value) {
    match (name.as_str(), value) {
        ("accounts" | "organizations", Value::Array(parents)) => {
            let names = parents.iter().filter_map(|parent| parent.get("externalId").cloned()).collect();
            (name, Value::Array(names))
        }
        (_, value) => (name, value),
    }
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Bool(true) => false,
        Value::Number(number) => number.to_string() == "0",
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
    }
}
