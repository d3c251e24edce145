//! Words and slugs.

use std::borrow::Cow;

use super::super::super::fault::Fault;
use super::super::super::scene::Scene;
use super::super::super::text::into_text;
use super::super::super::value::Val;
use super::super::Args;
use super::input::input;
use super::strip::is_space;

pub(super) fn truncatewords<'a>(
    value: Val<'a>,
    args: &Args<'a>,
    scene: &Scene<'a>,
) -> Result<Val<'a>, Fault> {
    let text = input(value, scene)?;
    let count = usize::try_from(args.whole(0)?.unwrap_or(15).max(1)).unwrap_or(usize::MAX);
    let ending = match args.get(1) {
        None => Cow::Borrowed("..."),
        Some(ending) => into_text(ending.clone(), &scene.meter)?,
    };
    // As LiquidJS cuts: white space at the end is one more, empty word, and what has exactly so many words gets the ending too.
    let text = text.trim_start_matches(is_space);
    let mut words: Vec<&str> = text.split(is_space).filter(|word| !word.is_empty()).collect();
    if text.is_empty() || text.ends_with(is_space) {
        words.push("");
    }
    scene.meter.bytes(text.len() + ending.len())?;
    let ending = if words.len() >= count { &*ending } else { "" };
    words.truncate(count);
    Ok(Val::text(words.join(" ") + ending))
}

pub(super) fn number_of_words<'a>(
    value: Val<'a>,
    args: &Args<'a>,
    scene: &Scene<'a>,
) -> Result<Val<'a>, Fault> {
    let text = input(value, scene)?;
    let mode = args.text(0, &scene.meter)?;
    let count = match &*mode {
        "cjk" | "auto" => {
            let singles = text.chars().filter(|c| is_cjk(*c)).count();
            let others: String = text.chars().map(|c| if is_cjk(c) { ' ' } else { c }).collect();
            singles + others.split_whitespace().count()
        }
        _ => text.split_whitespace().count(),
    };
    Ok(Val::Int(i64::try_from(count).unwrap_or(i64::MAX)))
}

fn is_cjk(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}' | '\u{f900}'..='\u{faff}')
}

pub(super) fn slugify<'a>(value: Val<'a>, args: &Args<'a>, scene: &Scene<'a>) -> Result<Val<'a>, Fault> {
    let text = input(value, scene)?;
    let mode = if args.get(0).is_some() { args.text(0, &scene.meter)? } else { Cow::Borrowed("default") };
    let cased = args.get(1).is_some_and(Val::is_true);
    let kept: fn(char) -> bool = match &*mode {
        "raw" => |c| !is_space(c),
        "pretty" => |c| is_word(c) || "._~!$&'()+,;=@".contains(c),
        "ascii" => |c| c.is_ascii_alphanumeric(),
        "default" | "latin" => is_word,
        _ => return Ok(Val::text(if cased { text.into_owned() } else { text.to_lowercase() })),
    };
    let text = if mode == "latin" { Cow::Owned(plain_latin(&text)) } else { text };
    let mut out = String::with_capacity(text.len());
    let mut between = false;
    for c in text.chars() {
        if kept(c) {
            out.push(c);
        } else if !between {
            out.push('-');
        }
        between = !kept(c);
    }
    let slug = out.strip_prefix('-').unwrap_or(&out);
    let slug = slug.strip_suffix('-').unwrap_or(slug);
    Ok(Val::text(if cased { slug.to_owned() } else { slug.to_lowercase() }))
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || ('\u{300}'..='\u{36f}').contains(&c)
}

/// Small letters of Western languages without their marks, the same as in LiquidJS.
fn plain_latin(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        let plain = match c {
            'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' => "a",
            'æ' => "ae",
            'ç' => "c",
            'è' | 'é' | 'ê' | 'ë' => "e",
            'ì' | 'í' | 'î' | 'ï' => "i",
            'ð' => "d",
            'ñ' => "n",
            'ò' | 'ó' | 'ô' | 'õ' | 'ö' | 'ø' => "o",
            'ù' | 'ú' | 'û' | 'ü' => "u",
            'ý' | 'ÿ' => "y",
            'ß' => "ss",
            'œ' => "oe",
            'þ' => "th",
            'ẞ' => "SS",
            'Œ' => "OE",
            'Þ' => "TH",
            other => {
                out.push(other);
                continue;
            }
        };
        out.push_str(plain);
    }
    out
}
