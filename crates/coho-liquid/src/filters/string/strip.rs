//! White space and HTML.

use std::borrow::Cow;
use std::collections::HashSet;

use super::super::super::fault::Fault;
use super::super::super::scene::Scene;
use super::super::super::value::Val;
use super::super::Args;
use super::input::input;

/// White space as JavaScript has it: the byte order mark counts.
pub(super) fn is_space(c: char) -> bool {
    c.is_whitespace() || c == '\u{feff}'
}

pub(super) fn strip<'a>(value: Val<'a>, args: &Args<'a>, scene: &Scene<'a>) -> Result<Val<'a>, Fault> {
    let characters = characters(args, scene)?;
    cut(value, scene, |text| text.trim_matches(|c| is_cut(c, &characters)))
}

pub(super) fn lstrip<'a>(value: Val<'a>, args: &Args<'a>, scene: &Scene<'a>) -> Result<Val<'a>, Fault> {
    let characters = characters(args, scene)?;
    cut(value, scene, |text| text.trim_start_matches(|c| is_cut(c, &characters)))
}

pub(super) fn rstrip<'a>(value: Val<'a>, args: &Args<'a>, scene: &Scene<'a>) -> Result<Val<'a>, Fault> {
    let characters = characters(args, scene)?;
    cut(value, scene, |text| text.trim_end_matches(|c| is_cut(c, &characters)))
}

/// The characters that are cut off; none stands for white space.
fn characters<'a>(args: &Args<'a>, scene: &Scene<'a>) -> Result<HashSet<char>, Fault> {
    Ok(args.text(0, &scene.meter)?.chars().collect())
}

fn is_cut(c: char, characters: &HashSet<char>) -> bool {
    if characters.is_empty() { is_space(c) } else { characters.contains(&c) }
}

fn cut<'a>(value: Val<'a>, scene: &Scene<'a>, cut: impl Fn(&str) -> &str) -> Result<Val<'a>, Fault> {
    Ok(Val::Text(match input(value, scene)? {
        Cow::Borrowed(text) => Cow::Borrowed(borrowed(text, &cut)),
        Cow::Owned(text) => cut(&text).to_owned().into(),
    }))
}

/// The same stretch with the text's own lifetime.
fn borrowed(text: &str, cut: impl Fn(&str) -> &str) -> &str {
    let kept = cut(text);
    let start = text.find(kept).unwrap_or(0);
    text.get(start..start + kept.len()).unwrap_or(text)
}

pub(super) fn squish<'a>(value: Val<'a>, _: &Args<'a>, scene: &Scene<'a>) -> Result<Val<'a>, Fault> {
    let text = input(value, scene)?;
    Ok(Val::text(collapse(text.trim_matches(is_space))))
}

pub(super) fn normalize_whitespace<'a>(
    value: Val<'a>,
    _: &Args<'a>,
    scene: &Scene<'a>,
) -> Result<Val<'a>, Fault> {
    Ok(Val::text(collapse(&input(value, scene)?)))
}

fn collapse(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut space = false;
    for c in text.chars() {
        if !is_space(c) {
            out.push(c);
        } else if !space {
            out.push(' ');
        }
        space = is_space(c);
    }
    out
}

pub(super) fn strip_newlines<'a>(value: Val<'a>, _: &Args<'a>, scene: &Scene<'a>) -> Result<Val<'a>, Fault> {
    Ok(Val::text(input(value, scene)?.replace("\r\n", "").replace('\n', "")))
}

pub(super) fn newline_to_br<'a>(value: Val<'a>, _: &Args<'a>, scene: &Scene<'a>) -> Result<Val<'a>, Fault> {
    let text = input(value, scene)?.replace("\r\n", "\n");
    scene.meter.bytes(text.matches('\n').count() * 6)?;
    Ok(Val::text(text.replace('\n', "<br />\n")))
}

pub(super) fn strip_html<'a>(value: Val<'a>, _: &Args<'a>, scene: &Scene<'a>) -> Result<Val<'a>, Fault> {
    let text = input(value, scene)?;
    let mut out = String::with_capacity(text.len());
    let mut rest = &*text;
    // Endings that do not come any more are looked for once only, so that the work grows with the text and no faster.
    let mut gone = [false; 4];
    while let Some(at) = rest.find('<') {
        let (before, markup) = rest.split_at(at);
        out.push_str(before);
        if let Some(length) = tag_length(markup, &mut gone) {
            rest = markup.get(length..).unwrap_or_default();
        } else {
            out.push('<');
            rest = markup.get(1..).unwrap_or_default();
        }
    }
    out.push_str(rest);
    Ok(Val::text(out))
}

const ENCLOSED: [(&str, &str); 4] =
    [("<script", "</script>"), ("<style", "</style>"), ("<!--", "-->"), ("<", ">")];

fn tag_length(markup: &str, gone: &mut [bool; 4]) -> Option<usize> {
    for ((open, close), gone) in ENCLOSED.iter().zip(gone) {
        if *gone || !markup.starts_with(open) {
            continue;
        }
        match markup.get(open.len()..).and_then(|inner| inner.find(close)) {
            Some(at) => return Some(open.len() + at + close.len()),
            None => *gone = true,
        }
    }
    None
}
