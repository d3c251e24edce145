//! Filters of arrays. A value that is no array is taken as an array of one; nil as an empty one.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::HashSet;

use super::super::fault::Fault;
use super::super::number::{Number, Operation, order};
use super::super::scene::Scene;
use super::super::text::{self, Layout, into_text, item_text, json, text};
use super::super::value::{Val, item};
use super::arg::{Kind, may, need};
use super::items::{first_pair, is_truthy, items, last_of, property};
use super::{Args, Filter};

const PROPERTY: &[super::arg::Arg] = &[may("property", Kind::Property)];
const ITEM: &[super::arg::Arg] = &[need("item", Kind::Any)];

pub(super) const FILTERS: &[Filter] = &[
    Filter::new("array_to_sentence_string", sentence)
        .takes(&[may("connector", Kind::Text)])
        .types("array", "text")
        .says("Joins the items as a sentence: `a, b, and c`.")
        .example("{{ row.tags | array_to_sentence_string }}", "\"b, a, and b\""),
    Filter::new("compact", compact)
        .takes(PROPERTY)
        .types("array", "array")
        .says("Removes nil items, or objects whose property is nil.")
        .example("{{ | json_array: 1, nil, 2 | compact }}", "[1,2]"),
    Filter::new("concat", concat)
        .takes(&[need("array", Kind::Array)])
        .types("array", "array")
        .says("Joins two arrays, one after the other.")
        .example("{{ row.tags | concat: row.tags | size }}", "6"),
    Filter::new("first", first)
        .types("array or text", "any")
        .says("Returns the first item, the first character, or the first key and value of an object.")
        .example("{{ row.tags | first }}", "\"b\""),
    Filter::new("join", join)
        .takes(&[may("separator", Kind::Text)])
        .types("array", "text")
        .says("Joins the items as text with a separator, by default a space.")
        .example("{{ row.tags | join: '-' }}", "\"b-a-b\""),
    Filter::new("last", last)
        .types("array or text", "any")
        .says("Returns the last item or character.")
        .example("{{ row.tags | last }}", "\"b\""),
    Filter::new("pop", pop)
        .types("array", "array")
        .says("Removes the last item.")
        .example("{{ row.tags | pop }}", "[\"b\",\"a\"]"),
    Filter::new("push", push)
        .takes(ITEM)
        .types("array", "array")
        .says("Adds an item at the end.")
        .example("{{ row.tags | push: 'z' }}", "[\"b\",\"a\",\"b\",\"z\"]"),
    Filter::new("reverse", reverse)
        .types("array", "array")
        .says("Reverses the order of the items.")
        .example("{{ row.tags | reverse | first }}", "\"b\""),
    Filter::new("sample", sample)
        .takes(&[may("count", Kind::Whole)])
        .types("array", "any")
        .says("Picks one item, or the given number of items. The choice depends only on the array's content: the same array always gives the same items.")
        .example("{{ (7..7) | sample }}", "7"),
    Filter::new("shift", shift)
        .types("array", "array")
        .says("Removes the first item.")
        .example("{{ row.tags | shift }}", "[\"a\",\"b\"]"),
    Filter::new("sort", sort)
        .takes(PROPERTY)
        .types("array", "array")
        .says("Sorts the items, optionally by a property. Nil comes last, and uppercase letters come before lowercase ones.")
        .example("{{ row.tags | sort }}", "[\"a\",\"b\",\"b\"]"),
    Filter::new("sort_natural", sort_natural)
        .takes(PROPERTY)
        .types("array", "array")
        .says("Sorts the items as text, ignoring case. Nil comes last.")
        .example("{{ 'b,A,c' | split: ',' | sort_natural }}", "[\"A\",\"b\",\"c\"]"),
    Filter::new("sum", sum)
        .takes(PROPERTY)
        .types("array", "number")
        .says("Adds up the items, or one of their properties, exactly.")
        .example("{{ row.items | sum: 'qty' }}", "7"),
    Filter::new("uniq", uniq)
        .takes(PROPERTY)
        .types("array", "array")
        .says("Removes duplicate items, optionally comparing a property.")
        .example("{{ row.tags | uniq }}", "[\"b\",\"a\"]"),
    Filter::new("unshift", unshift)
        .takes(ITEM)
        .types("array", "array")
        .says("Adds an item at the beginning.")
        .example("{{ row.tags | unshift: 'z' }}", "[\"z\",\"b\",\"a\",\"b\"]"),
];

fn join<'a>(value: Val<'a>, args: &Args<'a>, scene: &Scene<'a>) -> Result<Val<'a>, Fault> {
    let separator = match args.get(0) {
        None | Some(Val::Nil) => Cow::Borrowed(" "),
        Some(separator) => into_text(separator.clone(), &scene.meter)?,
    };
    match value {
        Val::List(_) | Val::Range(..) => Ok(Val::text(text::join(&value, &separator, &scene.meter)?)),
        other => Ok(Val::Text(into_text(other, &scene.meter)?)),
    }
}

fn sentence<'a>(value: Val<'a>, args: &Args<'a>, scene: &Scene<'a>) -> Result<Val<'a>, Fault> {
    let connector = if args.get(0).is_some() { args.text(0, &scene.meter)? } else { Cow::Borrowed("and") };
    let mut list = items(&value, scene)?;
    if list.len() == 1 {
        return Ok(list.swap_remove(0));
    }
    let texts: Vec<_> = list.iter().map(|item| item_text(item, &scene.meter)).collect::<Result<_, _>>()?;
    scene.meter.bytes(texts.iter().map(|text| text.len() + 2).sum::<usize>() + connector.len())?;
    Ok(Val::text(match texts.as_slice() {
        [] => String::new(),
        [former, latter] => format!("{former} {connector} {latter}"),
        [others @ .., end] => format!("{}, {connector} {end}", others.join(", ")),
    }))
}

fn first<'a>(value: Val<'a>, _: &Args<'a>, scene: &Scene<'a>) -> Result<Val<'a>, Fault> {
    match &value {
        Val::Map(members) => first_pair(members, scene),
        Val::List(_) | Val::Range(..) => Ok(item(&value, 0).unwrap_or(Val::Nil)),
        Val::Text(text) => Ok(Val::text(text.chars().next().map(String::from).unwrap_or_default())),
        _ => Ok(Val::text("")),
    }
}

fn last<'a>(value: Val<'a>, _: &Args<'a>, _: &Scene<'a>) -> Result<Val<'a>, Fault> {
    Ok(match &value {
        Val::List(_) | Val::Range(..) => last_of(&value),
        Val::Text(text) => Val::text(text.chars().next_back().map(String::from).unwrap_or_default()),
        _ => Val::text(""),
    })
}

fn reverse<'a>(value: Val<'a>, _: &Args<'a>, scene: &Scene<'a>) -> Result<Val<'a>, Fault> {
    let mut list = items(&value, scene)?;
    list.reverse();
    Val::list(list, &scene.meter)
}

fn concat<'a>(value: Val<'a>, args: &Args<'a>, scene: &Scene<'a>) -> Result<Val<'a>, Fault> {
    let other = args.value(0);
    let nothing = other.is_nil() && args.get(0).is_some();
    if !nothing && !matches!(other, Val::List(_) | Val::Range(..)) {
        return Err(Fault::failed(format!("`concat` needs an array, found {}", other.kind())));
    }
    let mut list = items(&value, scene)?;
    list.extend(items(&other, scene)?);
    Val::list(list, &scene.meter)
}

fn push<'a>(value: Val<'a>, args: &Args<'a>, scene: &Scene<'a>) -> Result<Val<'a>, Fault> {
    let mut list = items(&value, scene)?;
    list.push(args.value(0));
    Val::list(list, &scene.meter)
}

fn unshift<'a>(value: Val<'a>, args: &Args<'a>, scene: &Scene<'a>) -> Result<Val<'a>, Fault> {
    let mut list = items(&value, scene)?;
    list.insert(0, args.value(0));
    Val::list(list, &scene.meter)
}

fn pop<'a>(value: Val<'a>, _: &Args<'a>, scene: &Scene<'a>) -> Result<Val<'a>, Fault> {
    let mut list = items(&value, scene)?;
    list.pop();
    Val::list(list, &scene.meter)
}

fn shift<'a>(value: Val<'a>, _: &Args<'a>, scene: &Scene<'a>) -> Result<Val<'a>, Fault> {
    let list = items(&value, scene)?;
    Val::list(list.into_iter().skip(1).collect(), &scene.meter)
}

fn compact<'a>(value: Val<'a>, args: &Args<'a>, scene: &Scene<'a>) -> Result<Val<'a>, Fault> {
    let mut kept = Vec::new();
    for item in items(&value, scene)? {
        let nil = match args.get(0) {
            None | Some(Val::Nil) => item.is_nil(),
            Some(name) => property(&item, name, scene)?.is_nil(),
        };
        if !nil {
            kept.push(item);
        }
    }
    Val::list(kept, &scene.meter)
}

/// The items with what they are ordered, counted or summed by.
fn keyed<'a>(value: &Val<'a>, args: &Args<'a>, scene: &Scene<'a>) -> Result<Vec<(Val<'a>, Val<'a>)>, Fault> {
    let list = items(value, scene)?;
    // As in JavaScript, 0 and the empty text name no property either.
    let key = |item: Val<'a>| match args.get(0).filter(|name| is_truthy(name)) {
        None => Ok((item.clone(), item)),
        Some(name) => Ok((property(&item, name, scene)?, item)),
    };
    list.into_iter().map(key).collect()
}

fn sort<'a>(value: Val<'a>, args: &Args<'a>, scene: &Scene<'a>) -> Result<Val<'a>, Fault> {
    let mut list = keyed(&value, args, scene)?;
    charge_sort(list.len(), scene)?;
    let known = |key: &Val<'a>| !key.is_nil();
    let kind = list.iter().map(|(key, _)| key).find(|key| known(key)).map(Val::kind);
    let stranger = |key: &&Val<'a>| known(key) && (Some(key.kind()) != kind || compare(key, key).is_none());
    if let Some(stranger) = list.iter().map(|(key, _)| key).find(stranger) {
        let message = format!("cannot order {} and {}", kind.unwrap_or_default(), stranger.kind());
        return Err(Fault::failed(message));
    }
    list.sort_by(|(left, _), (right, _)| compare(left, right).unwrap_or(Ordering::Equal));
    Val::list(list.into_iter().map(|(_, item)| item).collect(), &scene.meter)
}

fn charge_sort(count: usize, scene: &Scene<'_>) -> Result<(), Fault> {
    scene.meter.steps(count.saturating_mul(count.checked_ilog2().unwrap_or(0) as usize + 1))
}

fn compare(left: &Val<'_>, right: &Val<'_>) -> Option<Ordering> {
    match (left, right) {
        (Val::Nil, Val::Nil) => Some(Ordering::Equal),
        (Val::Nil, _) => Some(Ordering::Greater),
        (_, Val::Nil) => Some(Ordering::Less),
        (Val::Text(left), Val::Text(right)) => Some(left.cmp(right)),
        (Val::Bool(left), Val::Bool(right)) => Some(left.cmp(right)),
        (Val::Moment(left), Val::Moment(right)) => Some(left.utc().cmp(&right.utc())),
        _ => order(left, right),
    }
}

fn sort_natural<'a>(value: Val<'a>, args: &Args<'a>, scene: &Scene<'a>) -> Result<Val<'a>, Fault> {
    let list = keyed(&value, args, scene)?;
    charge_sort(list.len(), scene)?;
    let fold = |(key, item): (Val<'a>, Val<'a>)| {
        let folded = text(&key, &scene.meter)?.to_lowercase();
        Ok((key.is_nil(), folded, item))
    };
    let mut list = list.into_iter().map(fold).collect::<Result<Vec<_>, Fault>>()?;
    list.sort_by(|left, right| (left.0, &left.1).cmp(&(right.0, &right.1)));
    Val::list(list.into_iter().map(|(_, _, item)| item).collect(), &scene.meter)
}

fn uniq<'a>(value: Val<'a>, args: &Args<'a>, scene: &Scene<'a>) -> Result<Val<'a>, Fault> {
    let (mut seen, mut kept) = (HashSet::new(), Vec::new());
    for (key, item) in keyed(&value, args, scene)? {
        let mut written = String::new();
        json(&key, &mut Layout::compact(), &mut written, &scene.meter)?;
        if seen.insert(written) {
            kept.push(item);
        }
    }
    Val::list(kept, &scene.meter)
}

fn sum<'a>(value: Val<'a>, args: &Args<'a>, scene: &Scene<'a>) -> Result<Val<'a>, Fault> {
    let mut total = Number::of(&Val::Int(0))?;
    for (key, _) in keyed(&value, args, scene)? {
        total = total.calculate(Operation::Plus, Number::of(&key)?)?;
    }
    Ok(total.into_val())
}

fn sample<'a>(value: Val<'a>, args: &Args<'a>, scene: &Scene<'a>) -> Result<Val<'a>, Fault> {
    let mut list = items(&value, scene)?;
    let mut written = String::new();
    json(&value, &mut Layout::compact(), &mut written, &scene.meter)?;
    let seed = written.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |seed, byte| {
        (seed ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    if list.is_empty() {
        return Ok(Val::Nil);
    }
    let start = usize::try_from(seed % list.len() as u64).unwrap_or(0);
    list.rotate_left(start);
    match args.whole(0)? {
        None | Some(1) => Ok(list.swap_remove(0)),
        Some(count) => {
            list.truncate(usize::try_from(count).unwrap_or(0));
            Val::list(list, &scene.meter)
        }
    }
}
