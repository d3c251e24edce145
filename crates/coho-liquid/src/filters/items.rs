//! What values are made of: items, characters, properties, sizes.

use std::borrow::Cow;

use super::super::fault::Fault;
use super::super::scene::Scene;
use super::super::text::{preview, text};
use super::super::value::{Val, item, range_length};

/// The items of a value.
pub(super) fn items<'a>(value: &Val<'a>, scene: &Scene<'a>) -> Result<Vec<Val<'a>>, Fault> {
    match value {
        Val::Nil => Ok(Vec::new()),
        Val::Blank | Val::Empty => Ok(vec![Val::text("")]),
        Val::List(_) | Val::Range(..) => {
            let count = size_of(value);
            scene.meter.items(count)?;
            Ok((0..count).map_while(|at| item(value, at)).collect())
        }
        other => Ok(vec![other.clone()]),
    }
}

/// The items as a loop goes through them.
pub(crate) fn enumerated<'a>(value: &Val<'a>, scene: &Scene<'a>) -> Result<Vec<Val<'a>>, Fault> {
    match value {
        Val::Map(members) => {
            scene.meter.items(members.len())?;
            let pair = |(name, value): &(Cow<'a, str>, Val<'a>)| {
                Val::list(vec![Val::Text(name.clone()), value.clone()], &scene.meter)
            };
            members.iter().map(pair).collect()
        }
        Val::Text(text) if text.is_empty() => Ok(Vec::new()),
        Val::Text(_) | Val::List(_) | Val::Range(..) => items(value, scene),
        _ => Ok(Vec::new()),
    }
}

/// The size of a value, as `.size` and `size` have it.
pub(crate) fn size_of(value: &Val<'_>) -> usize {
    match value {
        Val::Text(text) if text.is_ascii() => text.len(),
        Val::Text(text) => text.encode_utf16().count(),
        Val::List(items) => items.len(),
        Val::Map(members) => members.len(),
        Val::Range(from, to) => range_length(*from, *to),
        Val::Nil
        | Val::Bool(_)
        | Val::Int(_)
        | Val::Float(_)
        | Val::Digits(_)
        | Val::Moment(_)
        | Val::Blank
        | Val::Empty => 0,
    }
}

/// An object's first name with its value, as `.first` and `first` have it.
pub(crate) fn first_pair<'a>(
    members: &[(Cow<'a, str>, Val<'a>)],
    scene: &Scene<'a>,
) -> Result<Val<'a>, Fault> {
    match members.first() {
        Some((name, value)) => Val::list(vec![Val::Text(name.clone()), value.clone()], &scene.meter),
        None => Ok(Val::Nil),
    }
}

/// The last item of a list, as `.last` and `last` have it.
pub(super) fn last_of<'a>(list: &Val<'a>) -> Val<'a> {
    size_of(list).checked_sub(1).and_then(|at| item(list, at)).unwrap_or(Val::Nil)
}

/// A property of an item, where a number is no item with properties.
pub(crate) fn property<'a>(item: &Val<'a>, name: &Val<'a>, scene: &Scene<'a>) -> Result<Val<'a>, Fault> {
    let named = matches!(name, Val::Text(_));
    if named && matches!(item, Val::Int(_) | Val::Float(_) | Val::Digits(_)) {
        return Err(Fault::failed(format!("{} has no property {}", preview(item), preview(name))));
    }
    property_if_any(item, name, scene)
}

/// A property of an item: the member of this exact name, else along its dots; nil where there is none.
pub(super) fn property_if_any<'a>(
    item: &Val<'a>,
    name: &Val<'a>,
    scene: &Scene<'a>,
) -> Result<Val<'a>, Fault> {
    scene.meter.steps(1)?;
    let name = text(name, &scene.meter)?;
    if let Val::Map(members) = item {
        scene.meter.steps(members.len() / 32)?;
    }
    if let Some(value) = item.member(&name) {
        return Ok(value.clone());
    }
    let mut value = item.clone();
    for part in name.split('.') {
        let Some(next) = value.member(part).cloned().or_else(|| part_of(&value, part)) else {
            return Ok(Val::Nil);
        };
        value = next;
    }
    Ok(value)
}

/// What every text, list or object has without naming it: `size`, `length`, `first`, `last`.
pub(crate) fn part_of<'a>(value: &Val<'a>, name: &str) -> Option<Val<'a>> {
    let size = || Some(Val::Int(i64::try_from(size_of(value)).unwrap_or(i64::MAX)));
    match (name, value) {
        ("size", Val::Map(_)) | ("size" | "length", Val::Text(_) | Val::List(_) | Val::Range(..)) => size(),
        ("first", Val::List(_) | Val::Range(..)) => Some(item(value, 0).unwrap_or(Val::Nil)),
        ("last", Val::List(_) | Val::Range(..)) => Some(last_of(value)),
        (name, Val::Text(text)) => character(text, place(name)?),
        (name, Val::List(_) | Val::Range(..)) => item(value, place(name)?),
        _ => None,
    }
}

/// The place that a name spells: `map: '0'` gives first items.
fn place(name: &str) -> Option<usize> {
    let plain = name == "0" || !name.starts_with('0') && !name.starts_with('+');
    name.parse().ok().filter(|_| plain)
}

/// A character by its place, which JavaScript counts in UTF-16 units; the halves of one are the whole.
pub(crate) fn character<'a>(text: &str, at: usize) -> Option<Val<'a>> {
    let mut units = 0;
    let found = text.chars().find(|c| {
        units += c.len_utf16();
        units > at
    });
    found.map(|c| Val::text(c.to_string()))
}

/// Whether JavaScript takes a value for true: `find_exp` and its kin ask that, conditions do not.
pub(super) fn is_truthy(value: &Val<'_>) -> bool {
    match value {
        Val::Int(number) => *number != 0,
        Val::Float(number) => *number != 0.0,
        Val::Digits(digits) => digits.bytes().any(|digit| matches!(digit, b'1'..=b'9')),
        Val::Text(text) => !text.is_empty(),
        other => other.is_true(),
    }
}
