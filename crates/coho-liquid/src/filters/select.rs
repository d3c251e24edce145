//! Filters that look into the objects of an array: by a property's value, or by an expression.

use std::borrow::Cow;

use super::super::fault::Fault;
use super::super::scene::Scene;
use super::super::text::{Layout, json, preview, text};
use super::super::value::{Val, item};
use super::array::{items, last_of};
use super::general::{equal, size_of};
use super::{Args, Body, Filter, Kind, may, need};

const BY: &[super::Arg] = &[need("property", Kind::Property), may("value", Kind::Any)];
const EACH: &[super::Arg] = &[need("variable", Kind::Text), need("condition", Kind::Expression)];

/// What becomes of the items for which an expression was evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Each {
    Where,
    Reject,
    Find,
    FindIndex,
    Has,
    GroupBy,
}

pub(super) const FILTERS: &[Filter] = &[
    Filter::new("find", find)
        .takes(BY)
        .types("array", "any")
        .says("The first object whose property has this value, or is true.")
        .example("{{ row.items | find: 'sku', 'B2' }}", "{\"sku\":\"B2\",\"qty\":5}"),
    Filter::with("find_exp", Body::Each(Each::Find))
        .takes(EACH)
        .types("array", "any")
        .says("The first item for which the condition holds.")
        .example("{{ row.items | find_exp: 'i', 'i.qty > 2' }}", "{\"sku\":\"B2\",\"qty\":5}"),
    Filter::new("find_index", find_index)
        .takes(BY)
        .types("array", "integer")
        .says("The place of that object, from 0.")
        .example("{{ row.items | find_index: 'sku', 'B2' }}", "1"),
    Filter::with("find_index_exp", Body::Each(Each::FindIndex))
        .takes(EACH)
        .types("array", "integer")
        .says("The place of that item, from 0.")
        .example("{{ row.items | find_index_exp: 'i', 'i.qty > 2' }}", "1"),
    Filter::new("group_by", group_by)
        .takes(&[need("property", Kind::Property)])
        .types("array", "array")
        .says("An object with `name` and `items` for each value of the property.")
        .example("{{ row.items | group_by: 'sku' | map: 'name' }}", "[\"A1\",\"B2\"]"),
    Filter::with("group_by_exp", Body::Each(Each::GroupBy))
        .takes(EACH)
        .types("array", "array")
        .says("The same for each value of the expression.")
        .example("{{ row.items | group_by_exp: 'i', 'i.qty > 2' | map: 'name' }}", "[false,true]"),
    Filter::new("has", has)
        .takes(BY)
        .types("array", "boolean")
        .says("Whether any object's property has this value, or is true.")
        .example("{{ row.items | has: 'sku', 'Z9' }}", "false"),
    Filter::with("has_exp", Body::Each(Each::Has))
        .takes(EACH)
        .types("array", "boolean")
        .says("Whether the condition holds for any item.")
        .example("{{ row.items | has_exp: 'i', 'i.qty == 5' }}", "true"),
    Filter::new("map", map)
        .takes(&[need("property", Kind::Property)])
        .types("array", "array")
        .says("The property of each object.")
        .example("{{ row.items | map: 'sku' }}", "[\"A1\",\"B2\"]"),
    Filter::new("reject", reject)
        .takes(BY)
        .types("array", "array")
        .says("Without the objects whose property has this value, or is true.")
        .example("{{ row.items | reject: 'sku', 'B2' }}", "[{\"sku\":\"A1\",\"qty\":2}]"),
    Filter::with("reject_exp", Body::Each(Each::Reject))
        .takes(EACH)
        .types("array", "array")
        .says("Without the items for which the condition holds.")
        .example("{{ row.items | reject_exp: 'i', 'i.qty > 2' }}", "[{\"sku\":\"A1\",\"qty\":2}]"),
    Filter::new("where", where_)
        .takes(BY)
        .types("array", "array")
        .says("The objects whose property has this value, or is true.")
        .example("{{ row.items | where: 'sku', 'B2' | map: 'qty' }}", "[5]"),
    Filter::with("where_exp", Body::Each(Each::Where))
        .takes(EACH)
        .types("array", "array")
        .says("The items for which the condition holds.")
        .example("{{ row.items | where_exp: 'i', 'i.qty > 2' | map: 'sku' }}", "[\"B2\"]"),
];

/// A property of an item, where a number is no item with properties.
pub(crate) fn property<'a>(item: &Val<'a>, name: &Val<'a>, scene: &Scene<'a>) -> Result<Val<'a>, Fault> {
    let named = matches!(name, Val::Text(_));
    if named && matches!(item, Val::Int(_) | Val::Float(_) | Val::Digits(_)) {
        return Err(Fault::failed(format!("{} has no property {}", preview(item), preview(name))));
    }
    property_if_any(item, name, scene)
}

/// A property of an item: the member of this exact name, else along its dots; nil where there is none.
fn property_if_any<'a>(item: &Val<'a>, name: &Val<'a>, scene: &Scene<'a>) -> Result<Val<'a>, Fault> {
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

fn matches<'a>(value: &Val<'a>, args: &Args<'a>, scene: &Scene<'a>) -> Result<bool, Fault> {
    match args.get(1) {
        None => Ok(value.is_true()),
        Some(wanted) => equal(value, wanted, scene),
    }
}

/// How a property is found.
type Lookup = for<'a> fn(&Val<'a>, &Val<'a>, &Scene<'a>) -> Result<Val<'a>, Fault>;

/// The items, each with whether it is meant.
fn marked<'a>(
    value: &Val<'a>,
    args: &Args<'a>,
    lookup: Lookup,
    scene: &Scene<'a>,
) -> Result<Vec<(Val<'a>, Val<'a>)>, Fault> {
    let name = args.value(0);
    let mark = |item: Val<'a>| {
        let hit = matches(&lookup(&item, &name, scene)?, args, scene)?;
        Ok((item, Val::Bool(hit)))
    };
    items(value, scene)?.into_iter().map(mark).collect()
}

/// What a filter with an expression goes through: `group_by_exp` takes an object apart, the others take it for one item.
pub(crate) fn listed<'a>(each: Each, value: &Val<'a>, scene: &Scene<'a>) -> Result<Vec<Val<'a>>, Fault> {
    if each == Each::GroupBy { enumerated(value, scene) } else { items(value, scene) }
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

impl Each {
    /// The filter's result, from the items with what the expression gave for each.
    pub(crate) fn finish<'a>(
        self,
        list: Vec<(Val<'a>, Val<'a>)>,
        scene: &Scene<'a>,
    ) -> Result<Val<'a>, Fault> {
        match self {
            Self::Where => kept(list, scene, true),
            Self::Reject => kept(list, scene, false),
            Self::Find => {
                Ok(list.into_iter().find(|(_, hit)| is_truthy(hit)).map_or(Val::Nil, |(item, _)| item))
            }
            Self::FindIndex => {
                let at = list.iter().position(|(_, hit)| is_truthy(hit));
                Ok(at.and_then(|at| i64::try_from(at).ok()).map_or(Val::Nil, Val::Int))
            }
            Self::Has => Ok(Val::Bool(list.iter().any(|(_, hit)| is_truthy(hit)))),
            Self::GroupBy => grouped(list, scene),
        }
    }
}

/// The items for which the expression is exactly this: as in LiquidJS, neither `where_exp` nor `reject_exp` keeps an item for
/// which it is a number, a text or nil.
fn kept<'a>(list: Vec<(Val<'a>, Val<'a>)>, scene: &Scene<'a>, wanted: bool) -> Result<Val<'a>, Fault> {
    let chosen = list.into_iter().filter(|(_, hit)| matches!(hit, Val::Bool(hit) if *hit == wanted));
    Val::list(chosen.map(|(item, _)| item).collect(), &scene.meter)
}

fn grouped<'a>(list: Vec<(Val<'a>, Val<'a>)>, scene: &Scene<'a>) -> Result<Val<'a>, Fault> {
    let mut places = std::collections::HashMap::new();
    let mut groups: Vec<(Val<'a>, Vec<Val<'a>>)> = Vec::new();
    for (item, name) in list {
        let mut written = String::new();
        json(&name, &mut Layout::compact(), &mut written, &scene.meter)?;
        let at = *places.entry(written).or_insert(groups.len());
        match groups.get_mut(at) {
            Some((_, items)) => items.push(item),
            None => groups.push((name, vec![item])),
        }
    }
    let object = |(name, items)| {
        let items = Val::list(items, &scene.meter)?;
        Val::map(vec![(Cow::Borrowed("name"), name), (Cow::Borrowed("items"), items)], &scene.meter)
    };
    Val::list(groups.into_iter().map(object).collect::<Result<_, _>>()?, &scene.meter)
}

fn where_<'a>(value: Val<'a>, args: &Args<'a>, scene: &Scene<'a>) -> Result<Val<'a>, Fault> {
    Each::Where.finish(marked(&value, args, property, scene)?, scene)
}

fn reject<'a>(value: Val<'a>, args: &Args<'a>, scene: &Scene<'a>) -> Result<Val<'a>, Fault> {
    Each::Reject.finish(marked(&value, args, property, scene)?, scene)
}

fn find<'a>(value: Val<'a>, args: &Args<'a>, scene: &Scene<'a>) -> Result<Val<'a>, Fault> {
    Each::Find.finish(marked(&value, args, property_if_any, scene)?, scene)
}

fn find_index<'a>(value: Val<'a>, args: &Args<'a>, scene: &Scene<'a>) -> Result<Val<'a>, Fault> {
    Each::FindIndex.finish(marked(&value, args, property_if_any, scene)?, scene)
}

fn has<'a>(value: Val<'a>, args: &Args<'a>, scene: &Scene<'a>) -> Result<Val<'a>, Fault> {
    Each::Has.finish(marked(&value, args, property, scene)?, scene)
}

fn map<'a>(value: Val<'a>, args: &Args<'a>, scene: &Scene<'a>) -> Result<Val<'a>, Fault> {
    let name = args.value(0);
    let list = items(&value, scene)?;
    Val::list(list.iter().map(|item| property(item, &name, scene)).collect::<Result<_, _>>()?, &scene.meter)
}

fn group_by<'a>(value: Val<'a>, args: &Args<'a>, scene: &Scene<'a>) -> Result<Val<'a>, Fault> {
    let name = args.value(0);
    let by = |item: Val<'a>| Ok((item.clone(), property(&item, &name, scene)?));
    let list = enumerated(&value, scene)?.into_iter().map(by).collect::<Result<Vec<_>, Fault>>()?;
    Each::GroupBy.finish(list, scene)
}
