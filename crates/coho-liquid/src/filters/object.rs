//! Filters of objects and JSON.

use std::borrow::Cow;

use super::super::fault::Fault;
use super::super::number::Number;
use super::super::scene::Scene;
use super::super::text::{self, Layout, into_text, preview};
use super::super::value::{Val, item};
use super::arg::{Arg, Kind, may, need};
use super::{Args, Filter, Input};

const KEYS: Arg = need("key", Kind::Any);

pub(super) const FILTERS: &[Filter] = &[
    Filter::new("except", except).takes(&[KEYS]).more(KEYS).types("object", "object").says("Removes these keys from the object; each argument may also be an array of keys.").example("{{ row.address | except: 'zip' }}", "{\"city\":\"Bergen\"}"),
    Filter::new("inspect", json).takes(&[may("indent", Kind::Whole)]).types("any", "text").says("The same as `json`.").example("{{ row.address | inspect }}", "\"{\\\"city\\\":\\\"Bergen\\\",\\\"zip\\\":\\\"5003\\\"}\""),
    Filter::new("json", json).takes(&[may("indent", Kind::Whole)]).types("any", "text").says("Converts the value to JSON text, on one line or indented by the given number of spaces.").example("{{ row.tags | json }}", "\"[\\\"b\\\",\\\"a\\\",\\\"b\\\"]\""),
    Filter::new("jsonify", json).takes(&[may("indent", Kind::Whole)]).types("any", "text").says("The same as `json`.").example("{{ row.tags | jsonify }}", "\"[\\\"b\\\",\\\"a\\\",\\\"b\\\"]\""),
    Filter::new("json_array", json_array).more(may("item", Kind::Any)).headless().types("any or nothing", "array").says("Makes an array of these values; a value before the filter comes first.").example("{{ | json_array: row.plan, row.seats }}", "[\"pro\",12]"),
    Filter::new("json_construct", json_construct).more(may("key or value", Kind::Any)).headless().types("text or nothing", "object").says("Makes an object of alternating keys and values, in order; a value before the filter is the first key.").example("{{ | json_construct : 'plan', row['plan'], 'seats', row['seats'] }}", "{\"plan\":\"pro\",\"seats\":12}"),
    Filter::new("keys", keys).types("object", "array").says("Lists the object's keys in order.").example("{{ row.address | keys }}", "[\"city\",\"zip\"]"),
    Filter::new("only", only).takes(&[KEYS]).more(KEYS).types("object", "object").says("Keeps only these keys of the object; each argument may also be an array of keys.").example("{{ row.address | only: 'zip' }}", "{\"zip\":\"5003\"}"),
    Filter::new("parse", parse_json).types("text", "any").says("The same as `parse_json`: Hightouch's name for it.").example("{{ row.json | parse }}", "{\"a\":[1,2]}"),
    Filter::new("parse_json", parse_json).types("text", "any").says("Parses JSON text; numbers keep their digits.").example("{{ row.json | parse_json }}", "{\"a\":[1,2]}"),
];

fn json<'a>(value: Val<'a>, args: &Args<'a>, scene: &Scene<'a>) -> Result<Val<'a>, Fault> {
    // As in LiquidJS, what is not there has no JSON; nil is `null`.
    if args.input == Input::Undefined {
        return Ok(Val::Nil);
    }
    let indent = match args.get(0) {
        None => 0,
        Some(indent) => Number::of(indent)?.truncated().unwrap_or(0),
    };
    let mut out = String::new();
    text::json(&value, &mut Layout::indented(indent), &mut out, &scene.meter)?;
    Ok(Val::text(out))
}

fn parse_json<'a>(value: Val<'a>, _: &Args<'a>, scene: &Scene<'a>) -> Result<Val<'a>, Fault> {
    let text = match value {
        Val::Text(text) => text,
        other => return Ok(other),
    };
    // What is parsed takes several times the room of its text.
    scene.meter.bytes(text.len().saturating_mul(8))?;
    match coho_core::json::parse(&text) {
        Ok(parsed) => Val::own(parsed, &scene.meter),
        Err(_) => Err(Fault::failed(format!("{} is not JSON", preview(&Val::Text(text))))),
    }
}

fn json_array<'a>(value: Val<'a>, args: &Args<'a>, scene: &Scene<'a>) -> Result<Val<'a>, Fault> {
    // Without a head the renderer gives no value, which is not the same as nil.
    let head = (args.input != Input::Nothing).then_some(value);
    Val::list(head.into_iter().chain(args.values.iter().cloned()).collect(), &scene.meter)
}

fn json_construct<'a>(value: Val<'a>, args: &Args<'a>, scene: &Scene<'a>) -> Result<Val<'a>, Fault> {
    let head = (args.input != Input::Nothing).then_some(value);
    let mut parts = head.into_iter().chain(args.values.iter().cloned());
    let mut members: Vec<(Cow<'a, str>, Val<'a>)> = Vec::with_capacity(args.values.len() / 2 + 1);
    while let Some(key) = parts.next() {
        let key = key_text(key, scene)?;
        let value = parts.next().unwrap_or(Val::Nil);
        scene.meter.steps(members.len() + 1)?;
        match members.iter_mut().find(|(known, _)| *known == key) {
            Some(member) => member.1 = value,
            None => members.push((key, value)),
        }
    }
    Val::map(members, &scene.meter)
}

fn key_text<'a>(key: Val<'a>, scene: &Scene<'a>) -> Result<Cow<'a, str>, Fault> {
    match key {
        Val::Nil | Val::List(_) | Val::Map(_) | Val::Range(..) | Val::Blank | Val::Empty => {
            Err(Fault::failed(format!("expected text as an object's key, found {}", key.kind())))
        }
        other => into_text(other, &scene.meter),
    }
}

fn keys<'a>(value: Val<'a>, _: &Args<'a>, scene: &Scene<'a>) -> Result<Val<'a>, Fault> {
    match value {
        Val::Nil => Ok(Val::Nil),
        Val::Map(members) => {
            Val::list(members.iter().map(|(name, _)| Val::Text(name.clone())).collect(), &scene.meter)
        }
        other => Err(no_object("keys", &other)),
    }
}

fn no_object(filter: &str, value: &Val<'_>) -> Fault {
    Fault::failed(format!("`{filter}` needs an object, found {}", value.kind()))
        .help("turn JSON text into an object with `parse_json`")
}

fn except<'a>(value: Val<'a>, args: &Args<'a>, scene: &Scene<'a>) -> Result<Val<'a>, Fault> {
    choose("except", value, args, scene, |named| !named)
}

fn only<'a>(value: Val<'a>, args: &Args<'a>, scene: &Scene<'a>) -> Result<Val<'a>, Fault> {
    choose("only", value, args, scene, |named| named)
}

fn choose<'a>(
    filter: &str,
    value: Val<'a>,
    args: &Args<'a>,
    scene: &Scene<'a>,
    kept: impl Fn(bool) -> bool,
) -> Result<Val<'a>, Fault> {
    let members = match value {
        Val::Nil => return Ok(Val::Nil),
        Val::Map(members) => members,
        other => return Err(no_object(filter, &other)),
    };
    let mut names = Vec::new();
    for value in &args.values {
        if !matches!(value, Val::List(_)) {
            names.push(key_text(value.clone(), scene)?);
        }
        let mut at = 0;
        while let Some(name) = item(value, at) {
            scene.meter.steps(1)?;
            names.push(key_text(name, scene)?);
            at += 1;
        }
    }
    scene.meter.steps(members.len().saturating_mul(names.len()))?;
    let chosen = members.iter().filter(|(name, _)| kept(names.contains(name))).cloned().collect();
    Val::map(chosen, &scene.meter)
}
