//! Filters of any value.

use coho_core::sync::Cast;

use super::super::fault::Fault;
use super::super::number::order;
use super::super::scene::Scene;
use super::super::text::{into_text, preview};
use super::super::value::{Val, item};
use super::arg::{Kind, may, need};
use super::items::size_of;
use super::{Args, Filter};

pub(super) const FILTERS: &[Filter] = &[
    Filter::new("cast", cast)
        .takes(&[need("type", Kind::Text)])
        .says("Casts the value to `text`, `number`, `integer`, `boolean`, `date`, `timestamp` or `json`, like `as:` in a mapping. A value that cannot be cast is a problem of its row.")
        .example("{{ '42' | cast: 'integer' }}", "42"),
    Filter::new("default", default)
        .takes(&[may("value", Kind::Any)])
        .named(&["allow_false"])
        .says("Replaces nil, false, an empty text, an empty array or an empty object by another value. With `allow_false: true`, false stays.")
        .example("{{ row.nothing | default: 'none' }}", "\"none\""),
    Filter::new("raw", raw)
        .says("Returns the value as it is: Coho escapes nothing by itself.")
        .example("{{ '<b>' | raw }}", "\"<b>\""),
    Filter::new("size", size)
        .types("text, array or object", "integer")
        .says("Counts characters (UTF-16 units, as in LiquidJS), items or members; 0 for anything else.")
        .example("{{ row.tags | size }}", "3"),
    Filter::new("slice", slice)
        .takes(&[need("start", Kind::Whole), may("length", Kind::Length)])
        .types("text or array", "text or array")
        .says("Returns one character or item, or the given number of them; a negative start counts from the end.")
        .example("{{ row.name | slice: 0, 3 }}", "\"Ann\""),
];

fn cast<'a>(value: Val<'a>, args: &Args<'a>, scene: &Scene<'a>) -> Result<Val<'a>, Fault> {
    let name = args.text(0, &scene.meter)?;
    let to = Cast::ALL.into_iter().find(|cast| cast.name() == name).ok_or_else(|| {
        let names: Vec<_> = Cast::ALL.iter().map(|cast| cast.name()).collect();
        Fault::failed(format!("unknown type {}", preview(&Val::Text(name))))
            .help(format!("use one of {}", names.join(", ")))
    })?;
    Val::own(crate::cast::cast(value.to_value(&scene.meter)?, to)?, &scene.meter)
}

pub(super) fn is_lacking(value: &Val<'_>) -> bool {
    match value {
        Val::Nil | Val::Bool(false) | Val::Blank | Val::Empty => true,
        Val::Text(text) => text.is_empty(),
        Val::List(items) => items.is_empty(),
        Val::Map(members) => members.is_empty(),
        Val::Range(from, to) => to < from,
        Val::Bool(true) | Val::Int(_) | Val::Float(_) | Val::Digits(_) | Val::Moment(_) => false,
    }
}

fn default<'a>(value: Val<'a>, args: &Args<'a>, _: &Scene<'a>) -> Result<Val<'a>, Fault> {
    let kept = matches!(value, Val::Bool(false)) && args.flag("allow_false");
    Ok(if kept || !is_lacking(&value) { value } else { args.value(0) })
}

fn raw<'a>(value: Val<'a>, _: &Args<'a>, _: &Scene<'a>) -> Result<Val<'a>, Fault> {
    Ok(value)
}

fn size<'a>(value: Val<'a>, _: &Args<'a>, _: &Scene<'a>) -> Result<Val<'a>, Fault> {
    Ok(Val::Int(i64::try_from(size_of(&value)).unwrap_or(i64::MAX)))
}

fn slice<'a>(value: Val<'a>, args: &Args<'a>, scene: &Scene<'a>) -> Result<Val<'a>, Fault> {
    let start = args.whole(0)?.unwrap_or(0);
    let length = match args.get(1) {
        None => 1,
        Some(Val::Nil) => 0,
        Some(_) => args.whole(1)?.unwrap_or(1),
    };
    if matches!(value, Val::Nil) {
        return Val::list(Vec::new(), &scene.meter);
    }
    if !matches!(value, Val::List(_) | Val::Range(..)) {
        let text = into_text(value, &scene.meter)?;
        scene.meter.bytes(text.len())?;
        let (from, to) = window(text.chars().count(), start, length);
        return Ok(Val::text(text.chars().skip(from).take(to - from).collect::<String>()));
    }
    let (from, to) = window(size_of(&value), start, length);
    scene.meter.items(to - from)?;
    let items = (from..to).map_while(|at| item(&value, at)).collect();
    Val::list(items, &scene.meter)
}

/// The stretch of a thing of this size that is meant; empty where it begins outside.
fn window(size: usize, start: i64, length: i64) -> (usize, usize) {
    let size = i64::try_from(size).unwrap_or(i64::MAX);
    let from = if start < 0 { size.saturating_add(start) } else { start };
    if from < 0 || from > size || length <= 0 {
        return (0, 0);
    }
    let to = from.saturating_add(length).min(size);
    (usize::try_from(from).unwrap_or(0), usize::try_from(to).unwrap_or(0))
}

/// Whether two values are equal, by LiquidJS's rules: numbers by value, no number equals a text.
pub(crate) fn equal(left: &Val<'_>, right: &Val<'_>, scene: &Scene<'_>) -> Result<bool, Fault> {
    scene.meter.steps(1)?;
    Ok(match (left, right) {
        (Val::Nil, Val::Nil) => true,
        (Val::Bool(left), Val::Bool(right)) => left == right,
        (Val::Text(left), Val::Text(right)) => left == right,
        (Val::Empty, other) | (other, Val::Empty) => is_empty(other),
        (Val::Blank, other) | (other, Val::Blank) => is_blank(other),
        (Val::Moment(left), other) | (other, Val::Moment(left)) => {
            super::super::dates::moment(other, None) == Some(left.utc())
        }
        (Val::List(_) | Val::Range(..), Val::List(_) | Val::Range(..)) => equal_items(left, right, scene)?,
        (Val::Map(left), Val::Map(right)) => {
            left.len() == right.len() && equal_members(left, &Val::Map(right.clone()), scene)?
        }
        _ => order(left, right) == Some(std::cmp::Ordering::Equal),
    })
}

fn equal_items(left: &Val<'_>, right: &Val<'_>, scene: &Scene<'_>) -> Result<bool, Fault> {
    if size_of(left) != size_of(right) {
        return Ok(false);
    }
    let mut at = 0;
    while let (Some(left), Some(right)) = (item(left, at), item(right, at)) {
        if !equal(&left, &right, scene)? {
            return Ok(false);
        }
        at += 1;
    }
    Ok(true)
}

fn equal_members(
    left: &[(std::borrow::Cow<'_, str>, Val<'_>)],
    right: &Val<'_>,
    scene: &Scene<'_>,
) -> Result<bool, Fault> {
    for (name, value) in left {
        scene.meter.steps(left.len())?;
        match right.member(name) {
            Some(other) if equal(value, other, scene)? => {}
            _ => return Ok(false),
        }
    }
    Ok(true)
}

fn is_empty(value: &Val<'_>) -> bool {
    match value {
        Val::Text(text) => text.is_empty(),
        Val::List(items) => items.is_empty(),
        Val::Map(members) => members.is_empty(),
        Val::Range(from, to) => to < from,
        Val::Empty => true,
        Val::Nil
        | Val::Bool(_)
        | Val::Int(_)
        | Val::Float(_)
        | Val::Digits(_)
        | Val::Moment(_)
        | Val::Blank => false,
    }
}

fn is_blank(value: &Val<'_>) -> bool {
    match value {
        Val::Text(text) => text.trim().is_empty(),
        Val::Nil | Val::Bool(false) | Val::Blank => true,
        Val::Empty => false,
        other => is_empty(other),
    }
}
