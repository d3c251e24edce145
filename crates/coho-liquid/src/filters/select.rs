//! Filters that look into the objects of an array: by a property's value, or by an expression.

use std::borrow::Cow;

use super::super::fault::Fault;
use super::super::scene::Scene;
use super::super::text::{Layout, json};
use super::super::value::Val;
use super::arg::{Kind, may, need};
use super::general::equal;
use super::items::{enumerated, is_truthy, items, property, property_if_any};
use super::{Args, Body, Filter};

const BY: &[super::arg::Arg] = &[need("property", Kind::Property), may("value", Kind::Any)];
const EACH: &[super::arg::Arg] = &[need("variable", Kind::Text), need("condition", Kind::Expression)];

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
        .says("Returns the first object whose property has this value, or is true.")
        .example("{{ row.items | find: 'sku', 'B2' }}", "{\"sku\":\"B2\",\"qty\":5}"),
    Filter::with("find_exp", Body::Each(Each::Find))
        .takes(EACH)
        .types("array", "any")
        .says("Returns the first item that meets the condition.")
        .example("{{ row.items | find_exp: 'i', 'i.qty > 2' }}", "{\"sku\":\"B2\",\"qty\":5}"),
    Filter::new("find_index", find_index)
        .takes(BY)
        .types("array", "integer")
        .says(
            "Returns the index of the first object whose property has this value, or is true, starting at 0.",
        )
        .example("{{ row.items | find_index: 'sku', 'B2' }}", "1"),
    Filter::with("find_index_exp", Body::Each(Each::FindIndex))
        .takes(EACH)
        .types("array", "integer")
        .says("Returns the index of the first item that meets the condition, starting at 0.")
        .example("{{ row.items | find_index_exp: 'i', 'i.qty > 2' }}", "1"),
    Filter::new("group_by", group_by)
        .takes(&[need("property", Kind::Property)])
        .types("array", "array")
        .says("Groups objects by a property; returns an object with `name` and `items` for each value.")
        .example("{{ row.items | group_by: 'sku' | map: 'name' }}", "[\"A1\",\"B2\"]"),
    Filter::with("group_by_exp", Body::Each(Each::GroupBy))
        .takes(EACH)
        .types("array", "array")
        .says("Groups items by the value of an expression.")
        .example("{{ row.items | group_by_exp: 'i', 'i.qty > 2' | map: 'name' }}", "[false,true]"),
    Filter::new("has", has)
        .takes(BY)
        .types("array", "boolean")
        .says("Returns whether any object's property has this value, or is true.")
        .example("{{ row.items | has: 'sku', 'Z9' }}", "false"),
    Filter::with("has_exp", Body::Each(Each::Has))
        .takes(EACH)
        .types("array", "boolean")
        .says("Returns whether any item meets the condition.")
        .example("{{ row.items | has_exp: 'i', 'i.qty == 5' }}", "true"),
    Filter::new("map", map)
        .takes(&[need("property", Kind::Property)])
        .types("array", "array")
        .says("Takes one property of each object.")
        .example("{{ row.items | map: 'sku' }}", "[\"A1\",\"B2\"]"),
    Filter::new("reject", reject)
        .takes(BY)
        .types("array", "array")
        .says("Removes the objects whose property has this value, or is true.")
        .example("{{ row.items | reject: 'sku', 'B2' }}", "[{\"sku\":\"A1\",\"qty\":2}]"),
    Filter::with("reject_exp", Body::Each(Each::Reject))
        .takes(EACH)
        .types("array", "array")
        .says("Removes the items that meet the condition.")
        .example("{{ row.items | reject_exp: 'i', 'i.qty > 2' }}", "[{\"sku\":\"A1\",\"qty\":2}]"),
    Filter::new("where", where_)
        .takes(BY)
        .types("array", "array")
        .says("Keeps the objects whose property has this value, or is true.")
        .example("{{ row.items | where: 'sku', 'B2' | map: 'qty' }}", "[5]"),
    Filter::with("where_exp", Body::Each(Each::Where))
        .takes(EACH)
        .types("array", "array")
        .says("Keeps the items that meet the condition.")
        .example("{{ row.items | where_exp: 'i', 'i.qty > 2' | map: 'sku' }}", "[\"B2\"]"),
];

fn matches<'a>(value: &Val<'a>, args: &Args<'a>, scene: &Scene<'a>) -> Result<bool, Fault> {
    match args.get(1) {
        None => Ok(value.is_true()),
        Some(wanted) => equal(value, wanted, scene),
    }
}

/// `tags[0]` and `geo['lat']` as `tags.0` and `geo.lat`: what compares a property may name it as an expression does.
fn dotted(name: Val<'_>) -> Val<'_> {
    match name {
        Val::Text(text) if text.contains('[') => {
            let parts = text.split(['[', ']', '.', '\'', '"']).filter(|part| !part.is_empty());
            Val::text(parts.collect::<Vec<_>>().join("."))
        }
        name => name,
    }
}

/// Whether a property is none that an item has: as in LiquidJS, `first`, `last` and `size` are members of what a path leads to, and of
/// what `map` takes, but not what items are compared by.
fn is_made(item: &Val<'_>, name: &Val<'_>) -> bool {
    let Val::Text(name) = name else { return false };
    let root = name.split('.').next().unwrap_or_default();
    matches!(root, "first" | "last" | "size") && item.member(root).is_none()
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
    let name = dotted(args.value(0));
    let mark = |item: Val<'a>| {
        let found = if is_made(&item, &name) { Val::Nil } else { lookup(&item, &name, scene)? };
        let hit = matches(&found, args, scene)?;
        Ok((item, Val::Bool(hit)))
    };
    items(value, scene)?.into_iter().map(mark).collect()
}

/// What a filter with an expression goes through: `group_by_exp` takes an object apart, the others take it for one item.
pub(crate) fn listed<'a>(each: Each, value: &Val<'a>, scene: &Scene<'a>) -> Result<Vec<Val<'a>>, Fault> {
    if each == Each::GroupBy { enumerated(value, scene) } else { items(value, scene) }
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
    let name = dotted(args.value(0));
    let by = |item: Val<'a>| {
        let found = if is_made(&item, &name) { Val::Nil } else { property(&item, &name, scene)? };
        Ok((item, found))
    };
    let list = enumerated(&value, scene)?.into_iter().map(by).collect::<Result<Vec<_>, Fault>>()?;
    Each::GroupBy.finish(list, scene)
}
