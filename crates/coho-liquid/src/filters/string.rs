//! Filters of texts. Other values are taken as their text; nil is the empty text.

mod input;
mod words;
mod strip;

use std::borrow::Cow;

use self::input::input;
use super::super::fault::Fault;
use super::super::scene::Scene;
use super::super::text::into_text;
use super::super::value::Val;
use super::arg::{Kind, may, need};
use super::{Args, Filter};

const FIND: &[super::arg::Arg] = &[need("text", Kind::Text)];
const CHARACTERS: &[super::arg::Arg] = &[may("characters", Kind::Letters)];
const SWAP: &[super::arg::Arg] = &[need("text", Kind::Text), may("replacement", Kind::Text)];

pub(super) const FILTERS: &[Filter] = &[
    Filter::new("append", append).takes(FIND).types("text", "text").says("Adds a text at the end.").example("{{ row.plan | append: '-x' }}", "\"pro-x\""),
    Filter::new("capitalize", capitalize).types("text", "text").says("Makes the first letter uppercase and all others lowercase.").example("{{ 'hELLO you' | capitalize }}", "\"Hello you\""),
    Filter::new("downcase", downcase).types("text", "text").says("Makes all letters lowercase.").example("{{ row.name | downcase }}", "\"ann lee\""),
    Filter::new("lstrip", strip::lstrip).takes(CHARACTERS).types("text", "text").says("Removes white space, or any of these characters, from the beginning.").example("{{ '  x ' | lstrip }}", "\"x \""),
    Filter::new("newline_to_br", strip::newline_to_br).types("text", "text").says("Adds `<br />` before each line break.").example("{{ \"a\\nb\" | newline_to_br }}", "\"a<br />\\nb\""),
    Filter::new("normalize_whitespace", strip::normalize_whitespace).types("text", "text").says("Replaces each run of white space by one space.").example("{{ ' a   b ' | normalize_whitespace }}", "\" a b \""),
    Filter::new("number_of_words", words::number_of_words).takes(&[may("mode", Kind::Text)]).types("text", "integer").says("Counts words; with `'cjk'` or `'auto'` each Chinese, Japanese or Korean character counts as one.").example("{{ row.name | number_of_words }}", "2"),
    Filter::new("prepend", prepend).takes(FIND).types("text", "text").says("Adds a text at the beginning.").example("{{ row.plan | prepend: 'x-' }}", "\"x-pro\""),
    Filter::new("remove", remove).takes(FIND).types("text", "text").says("Removes every occurrence of a text.").example("{{ row.name | remove: 'n' }}", "\"A Lee\""),
    Filter::new("remove_first", remove_first).takes(FIND).types("text", "text").says("Removes the first occurrence of a text.").example("{{ row.name | remove_first: 'n' }}", "\"An Lee\""),
    Filter::new("remove_last", remove_last).takes(FIND).types("text", "text").says("Removes the last occurrence of a text.").example("{{ row.name | remove_last: 'e' }}", "\"Ann Le\""),
    Filter::new("replace", replace).takes(SWAP).types("text", "text").says("Replaces every occurrence of a text, or removes it.").example("{{ row.name | replace: 'n', 'N' }}", "\"ANN Lee\""),
    Filter::new("replace_first", replace_first).takes(SWAP).types("text", "text").says("Replaces the first occurrence of a text.").example("{{ row.name | replace_first: 'n', 'N' }}", "\"ANn Lee\""),
    Filter::new("replace_last", replace_last).takes(&[need("text", Kind::Text), need("replacement", Kind::Text)]).types("text", "text").says("Replaces the last occurrence of a text.").example("{{ row.name | replace_last: 'e', 'a' }}", "\"Ann Lea\""),
    Filter::new("rstrip", strip::rstrip).takes(CHARACTERS).types("text", "text").says("Removes white space, or any of these characters, from the end.").example("{{ ' x  ' | rstrip }}", "\" x\""),
    Filter::new("slugify", words::slugify).takes(&[may("mode", Kind::Text), may("cased", Kind::Flag)]).types("text", "text").says("Makes the text safe for a URL: other characters become `-`. Modes: `default`, `raw`, `pretty`, `ascii`, `latin`, `none`.").example("{{ 'Ann & Lee!' | slugify }}", "\"ann-lee\""),
    Filter::new("split", split).takes(FIND).types("text", "array").says("Splits the text at each occurrence of another, without empty parts at the end; `''` splits it into characters.").example("{{ 'a,b,,' | split: ',' }}", "[\"a\",\"b\"]"),
    Filter::new("squish", strip::squish).types("text", "text").says("Removes white space around the text, and replaces each run of white space inside by one space.").example("{{ '  a   b ' | squish }}", "\"a b\""),
    Filter::new("strip", strip::strip).takes(CHARACTERS).types("text", "text").says("Removes white space, or any of these characters, from both ends.").example("{{ '  x ' | strip }}", "\"x\""),
    Filter::new("strip_html", strip::strip_html).types("text", "text").says("Removes HTML tags, comments, scripts and styles.").example("{{ '<p>Hi</p>' | strip_html }}", "\"Hi\""),
    Filter::new("strip_newlines", strip::strip_newlines).types("text", "text").says("Removes line breaks.").example("{{ \"a\\nb\" | strip_newlines }}", "\"ab\""),
    Filter::new("truncate", truncate).takes(&[may("length", Kind::Whole), may("ending", Kind::Text)]).types("text", "text").says("Shortens the text to the given number of characters (50), including the ending (`...`).").example("{{ 'Ground control' | truncate: 9 }}", "\"Ground...\""),
    Filter::new("truncatewords", words::truncatewords).takes(&[may("words", Kind::Whole), may("ending", Kind::Text)]).types("text", "text").says("Keeps the given number of words (15) and adds the ending (`...`) if any were cut.").example("{{ 'one two three' | truncatewords: 2 }}", "\"one two...\""),
    Filter::new("upcase", upcase).types("text", "text").says("Makes all letters uppercase.").example("{{ row.plan | upcase }}", "\"PRO\""),
];

fn joined<'a>(first: Cow<'a, str>, second: Cow<'a, str>, scene: &Scene<'a>) -> Result<Val<'a>, Fault> {
    if second.is_empty() {
        return Ok(Val::Text(first));
    }
    if first.is_empty() {
        return Ok(Val::Text(second));
    }
    scene.meter.bytes(first.len() + second.len())?;
    let mut text = first.into_owned();
    text.push_str(&second);
    Ok(Val::text(text))
}

fn append<'a>(value: Val<'a>, args: &Args<'a>, scene: &Scene<'a>) -> Result<Val<'a>, Fault> {
    joined(into_text(value, &scene.meter)?, args.text(0, &scene.meter)?, scene)
}

fn prepend<'a>(value: Val<'a>, args: &Args<'a>, scene: &Scene<'a>) -> Result<Val<'a>, Fault> {
    joined(args.text(0, &scene.meter)?, into_text(value, &scene.meter)?, scene)
}

fn upcase<'a>(value: Val<'a>, _: &Args<'a>, scene: &Scene<'a>) -> Result<Val<'a>, Fault> {
    Ok(Val::text(input(value, scene)?.to_uppercase()))
}

fn downcase<'a>(value: Val<'a>, _: &Args<'a>, scene: &Scene<'a>) -> Result<Val<'a>, Fault> {
    Ok(Val::text(input(value, scene)?.to_lowercase()))
}

fn capitalize<'a>(value: Val<'a>, _: &Args<'a>, scene: &Scene<'a>) -> Result<Val<'a>, Fault> {
    let text = input(value, scene)?;
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    Ok(Val::text(first + &chars.as_str().to_lowercase()))
}

/// Which occurrences are replaced.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Which {
    All,
    First,
    Last,
}

fn swap<'a>(
    text: Cow<'a, str>,
    find: &str,
    with: &str,
    which: Which,
    scene: &Scene<'a>,
) -> Result<Val<'a>, Fault> {
    scene.meter.bytes(text.len())?;
    let found = match which {
        // As in JavaScript, an empty text is found between characters.
        Which::All if find.is_empty() => text.chars().count().saturating_sub(1),
        Which::All => text.matches(find).count(),
        Which::First | Which::Last => usize::from(text.contains(find)),
    };
    if found == 0 {
        return Ok(Val::Text(text));
    }
    scene.meter.bytes(text.len().saturating_add(found.saturating_mul(with.len())))?;
    Ok(Val::text(match which {
        Which::All if find.is_empty() => between(&text, with),
        Which::All => text.replace(find, with),
        Which::First => text.replacen(find, with, 1),
        Which::Last => {
            let at = text.rfind(find).unwrap_or(0);
            let (before, after) = text.split_at(at);
            format!("{before}{with}{}", after.get(find.len()..).unwrap_or_default())
        }
    }))
}

fn between(text: &str, with: &str) -> String {
    let mut out = String::new();
    for (at, c) in text.chars().enumerate() {
        if at > 0 {
            out.push_str(with);
        }
        out.push(c);
    }
    out
}

fn replaced<'a>(value: Val<'a>, args: &Args<'a>, which: Which, scene: &Scene<'a>) -> Result<Val<'a>, Fault> {
    let (find, with) = (args.text(0, &scene.meter)?, args.text(1, &scene.meter)?);
    swap(into_text(value, &scene.meter)?, &find, &with, which, scene)
}

fn replace<'a>(value: Val<'a>, args: &Args<'a>, scene: &Scene<'a>) -> Result<Val<'a>, Fault> {
    replaced(value, args, Which::All, scene)
}

fn replace_first<'a>(value: Val<'a>, args: &Args<'a>, scene: &Scene<'a>) -> Result<Val<'a>, Fault> {
    replaced(value, args, Which::First, scene)
}

fn replace_last<'a>(value: Val<'a>, args: &Args<'a>, scene: &Scene<'a>) -> Result<Val<'a>, Fault> {
    replaced(value, args, Which::Last, scene)
}

fn remove<'a>(value: Val<'a>, args: &Args<'a>, scene: &Scene<'a>) -> Result<Val<'a>, Fault> {
    replaced(value, args, Which::All, scene)
}

fn remove_first<'a>(value: Val<'a>, args: &Args<'a>, scene: &Scene<'a>) -> Result<Val<'a>, Fault> {
    replaced(value, args, Which::First, scene)
}

fn remove_last<'a>(value: Val<'a>, args: &Args<'a>, scene: &Scene<'a>) -> Result<Val<'a>, Fault> {
    replaced(value, args, Which::Last, scene)
}

fn split<'a>(value: Val<'a>, args: &Args<'a>, scene: &Scene<'a>) -> Result<Val<'a>, Fault> {
    let (text, separator) = (input(value, scene)?, args.text(0, &scene.meter)?);
    let own = |part: &str| part.to_owned();
    let count =
        if separator.is_empty() { text.chars().count() } else { text.matches(&*separator).count() + 1 };
    scene.meter.items(count)?;
    let mut parts: Vec<String> = if separator.is_empty() {
        text.chars().map(String::from).collect()
    } else {
        text.split(&*separator).map(own).collect()
    };
    while parts.last().is_some_and(String::is_empty) {
        parts.pop();
    }
    Val::list(parts.into_iter().map(Val::text).collect(), &scene.meter)
}

fn truncate<'a>(value: Val<'a>, args: &Args<'a>, scene: &Scene<'a>) -> Result<Val<'a>, Fault> {
    let text = input(value.clone(), scene)?;
    let length = usize::try_from(args.whole(0)?.unwrap_or(50).max(0)).unwrap_or(usize::MAX);
    let ending = match args.get(1) {
        None => Cow::Borrowed("..."),
        Some(ending) => into_text(ending.clone(), &scene.meter)?,
    };
    // What is short enough stays what it is, a number too.
    if text.chars().count() <= length {
        return Ok(value);
    }
    let kept: String = text.chars().take(length.saturating_sub(ending.chars().count())).collect();
    scene.meter.bytes(kept.len() + ending.len())?;
    Ok(Val::text(kept + &ending))
}
