//! Words and slugs.

use std::borrow::Cow;

use super::super::super::fault::Fault;
use super::super::super::scene::Scene;
use super::super::super::text::into_text;
use super::super::super::value::Val;
use super::super::Args;
use super::input;

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
    if text.split_whitespace().nth(count).is_none() {
        return Ok(Val::Text(text));
    }
    let kept: Vec<&str> = text.split_whitespace().take(count).collect();
    scene.meter.bytes(text.len() + ending.len())?;
    Ok(Val::text(kept.join(" ") + &ending))
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
        "none" => return Ok(Val::text(if cased { text.into_owned() } else { text.to_lowercase() })),
        "raw" => |c| !c.is_whitespace(),
        "pretty" => |c| is_word(c) || "._~!$&'()+,;=@".contains(c),
        "ascii" | "latin" => |c| c.is_ascii_alphanumeric(),
        _ => is_word,
    };
    let text = if mode == "latin" { Cow::Owned(plain_latin(&text)) } else { text };
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if kept(c) {
            out.push(c);
        } else if !out.ends_with('-') {
            out.push('-');
        }
    }
    let slug = out.trim_matches('-');
    Ok(Val::text(if cased { slug.to_owned() } else { slug.to_lowercase() }))
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || ('\u{300}'..='\u{36f}').contains(&c)
}

/// Letters of Western languages without their marks.
fn plain_latin(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        let plain = match c {
            'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' => "a",
            'À' | 'Á' | 'Â' | 'Ã' | 'Ä' | 'Å' => "A",
            'æ' => "ae",
            'Æ' => "AE",
            'ç' => "c",
            'Ç' => "C",
            'è' | 'é' | 'ê' | 'ë' => "e",
            'È' | 'É' | 'Ê' | 'Ë' => "E",
            'ì' | 'í' | 'î' | 'ï' => "i",
            'Ì' | 'Í' | 'Î' | 'Ï' => "I",
            'ð' => "d",
            'ñ' => "n",
            'Ñ' => "N",
            'ò' | 'ó' | 'ô' | 'õ' | 'ö' | 'ø' | 'ő' => "o",
            'Ò' | 'Ó' | 'Ô' | 'Õ' | 'Ö' | 'Ø' | 'Ő' => "O",
            'ß' => "ss",
            'ù' | 'ú' | 'û' | 'ü' | 'ű' => "u",
            'Ù' | 'Ú' | 'Û' | 'Ü' | 'Ű' => "U",
            'ý' | 'ÿ' => "y",
            'Ý' => "Y",
            'þ' => "th",
            other => {
                out.push(other);
                continue;
            }
        };
        out.push_str(plain);
    }
    out
}
