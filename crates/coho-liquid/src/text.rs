//! A value's text: how it is rendered, how it is joined, and its JSON. Every byte is charged before it is written.

use std::borrow::Cow;
use std::fmt::Write;

use coho_core::value::Value;

use super::budget::Meter;
use super::fault::Fault;
use super::value::{Moment, Val, item, range_length};

/// The text of a value as a template renders it.
pub(crate) fn text<'v>(value: &'v Val<'_>, meter: &Meter) -> Result<Cow<'v, str>, Fault> {
    Ok(match value {
        Val::Text(text) => Cow::Borrowed(text),
        Val::Nil | Val::Blank | Val::Empty => Cow::Borrowed(""),
        Val::Bool(true) => Cow::Borrowed("true"),
        Val::Bool(false) => Cow::Borrowed("false"),
        Val::Digits(digits) => Cow::Borrowed(shortest(digits)),
        Val::Int(_) | Val::Float(_) | Val::Moment(_) | Val::Range(..) | Val::List(_) | Val::Map(_) => {
            let mut out = String::new();
            write(value, &mut out, meter)?;
            Cow::Owned(out)
        }
    })
}

/// The same for a value that is not needed afterwards: text is passed on as it is.
pub(crate) fn into_text<'a>(value: Val<'a>, meter: &Meter) -> Result<Cow<'a, str>, Fault> {
    match value {
        Val::Text(text) => Ok(text),
        other => Ok(Cow::Owned(text(&other, meter)?.into_owned())),
    }
}

/// Writes a value's text: lists without anything between their items, objects as JSON.
pub(crate) fn write(value: &Val<'_>, out: &mut String, meter: &Meter) -> Result<(), Fault> {
    match value {
        Val::Nil | Val::Blank | Val::Empty => {}
        Val::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Val::Int(number) => number_text(out, number),
        Val::Float(number) => number_text(out, number),
        Val::Digits(digits) => push(shortest(digits), out, meter)?,
        Val::Text(text) => push(text, out, meter)?,
        Val::Moment(moment) => out.push_str(&moment_text(*moment)),
        Val::Range(from, to) => {
            let count = range_length(*from, *to);
            meter.items(count)?;
            (*from..=*to).take(count).for_each(|number| number_text(out, &number));
        }
        Val::List(items) => {
            meter.steps(items.len())?;
            items.iter().try_for_each(|item| write(item, out, meter))?;
        }
        Val::Map(_) => json(value, &mut Layout::compact(), out, meter)?,
    }
    Ok(())
}

fn push(text: &str, out: &mut String, meter: &Meter) -> Result<(), Fault> {
    meter.bytes(text.len())?;
    out.push_str(text);
    Ok(())
}

fn number_text(out: &mut String, number: &impl std::fmt::Display) {
    // Writing to a string cannot fail.
    let written = write!(out, "{number}");
    debug_assert!(written.is_ok(), "a string takes all text");
}

pub(crate) fn moment_text(moment: Moment) -> String {
    moment.to_value().scalar_text().unwrap_or_default()
}

/// A decimal without zeros at the end of its fraction.
pub(crate) fn shortest(digits: &str) -> &str {
    if !digits.contains('.') {
        return digits;
    }
    digits.trim_end_matches('0').trim_end_matches('.')
}

/// Items with a separator; a list inside a list is written with commas.
pub(crate) fn join(list: &Val<'_>, separator: &str, meter: &Meter) -> Result<String, Fault> {
    let mut out = String::new();
    let mut at = 0;
    while let Some(next) = item(list, at) {
        meter.steps(1)?;
        if at > 0 {
            push(separator, &mut out, meter)?;
        }
        out.push_str(&item_text(&next, meter)?);
        at += 1;
    }
    Ok(out)
}

/// The text of an item among others: a list is written with commas.
pub(crate) fn item_text<'v>(item: &'v Val<'_>, meter: &Meter) -> Result<Cow<'v, str>, Fault> {
    match item {
        Val::List(_) | Val::Range(..) => join(item, ",", meter).map(Cow::Owned),
        Val::Text(value) => {
            meter.bytes(value.len())?;
            Ok(Cow::Borrowed(value))
        }
        other => text(other, meter),
    }
}

/// How JSON is laid out.
pub(crate) struct Layout {
    indent: usize,
    level: usize,
}

impl Layout {
    pub(crate) fn compact() -> Self {
        Self { indent: 0, level: 0 }
    }

    /// At most ten spaces a level, as JavaScript has it.
    pub(crate) fn indented(spaces: i64) -> Self {
        Self { indent: usize::try_from(spaces.clamp(0, 10)).unwrap_or(0), level: 0 }
    }

    fn line(&self, out: &mut String, meter: &Meter) -> Result<(), Fault> {
        if self.indent > 0 {
            let spaces = self.indent * self.level;
            meter.bytes(spaces)?;
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', spaces));
        }
        Ok(())
    }
}

/// The JSON text of a value: numbers with their digits, objects in their order.
pub(crate) fn json(
    value: &Val<'_>,
    layout: &mut Layout,
    out: &mut String,
    meter: &Meter,
) -> Result<(), Fault> {
    meter.steps(1)?;
    match value {
        Val::Nil => out.push_str("null"),
        Val::Text(text) => quote(text, out, meter)?,
        Val::Moment(moment) => quote(&moment_text(*moment), out, meter)?,
        Val::Blank | Val::Empty => out.push_str("\"\""),
        Val::Bool(_) | Val::Int(_) | Val::Float(_) | Val::Digits(_) => write(value, out, meter)?,
        Val::Range(from, to) => {
            let count = range_length(*from, *to);
            meter.items(count)?;
            let items: Vec<_> = (*from..=*to).take(count).map(Val::Int).collect();
            enclose(['[', ']'], items.iter().map(|item| (None, item)), layout, out, meter)?;
        }
        Val::List(items) => enclose(['[', ']'], items.iter().map(|item| (None, item)), layout, out, meter)?,
        Val::Map(members) => {
            let members = members.iter().map(|(name, value)| (Some(name.as_ref()), value));
            enclose(['{', '}'], members, layout, out, meter)?;
        }
    }
    Ok(())
}

fn enclose<'m, 'a: 'm>(
    [open, close]: [char; 2],
    items: impl Iterator<Item = (Option<&'m str>, &'m Val<'a>)>,
    layout: &mut Layout,
    out: &mut String,
    meter: &Meter,
) -> Result<(), Fault> {
    out.push(open);
    layout.level += 1;
    let mut any = false;
    for (name, value) in items {
        if any {
            out.push(',');
        }
        any = true;
        layout.line(out, meter)?;
        if let Some(name) = name {
            quote(name, out, meter)?;
            out.push_str(if layout.indent > 0 { ": " } else { ":" });
        }
        json(value, layout, out, meter)?;
    }
    layout.level -= 1;
    if any {
        layout.line(out, meter)?;
    }
    out.push(close);
    Ok(())
}

fn quote(text: &str, out: &mut String, meter: &Meter) -> Result<(), Fault> {
    meter.bytes(text.len() + 2)?;
    out.push('"');
    let plain = |byte: u8| byte >= 0x20 && byte != b'"' && byte != b'\\';
    if text.bytes().all(plain) {
        out.push_str(text);
    } else {
        text.chars().for_each(|c| escape(c, out));
    }
    out.push('"');
    Ok(())
}

fn escape(c: char, out: &mut String) {
    match c {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        '\u{8}' => out.push_str("\\b"),
        '\u{c}' => out.push_str("\\f"),
        c if (c as u32) < 0x20 => {
            let digit = |value: u32| char::from_digit(value, 16).unwrap_or('0');
            out.extend(['\\', 'u', '0', '0', digit(c as u32 >> 4), digit(c as u32 & 15)]);
        }
        c => out.push(c),
    }
}

/// At most [`coho_core::value::PREVIEW`] characters of a value, for messages.
pub(crate) fn preview(value: &Val<'_>) -> String {
    match value {
        Val::Text(text) => format!("\"{}\"", coho_core::value::preview(text)),
        Val::List(_) | Val::Range(..) => "a list".to_owned(),
        Val::Map(_) => "an object".to_owned(),
        Val::Nil => "nil".to_owned(),
        Val::Blank => "`blank`".to_owned(),
        Val::Empty => "`empty`".to_owned(),
        Val::Bool(flag) => flag.to_string(),
        Val::Int(number) => number.to_string(),
        Val::Float(number) => number.to_string(),
        Val::Digits(digits) => coho_core::value::preview(digits),
        Val::Moment(moment) => Value::text(moment_text(*moment)).preview(),
    }
}
