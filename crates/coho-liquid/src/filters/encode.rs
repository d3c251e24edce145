//! Encodings: Base64, addresses, HTML.

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::super::fault::Fault;
use super::super::scene::Scene;
use super::super::text::{into_text, preview};
use super::super::value::Val;
use super::{Args, Filter};

pub(super) const FILTERS: &[Filter] = &[
    Filter::new("base64_decode", base64_decode)
        .types("text", "text")
        .says("Decodes Base64.")
        .example("{{ 'cHJv' | base64_decode }}", "\"pro\""),
    Filter::new("base64_encode", base64_encode)
        .types("text", "text")
        .says("Encodes the text as Base64.")
        .example("{{ row.plan | base64_encode }}", "\"cHJv\""),
    Filter::new("base64", base64_encode)
        .types("text", "text")
        .says("The same as `base64_encode`; Census uses this name.")
        .example("{{ row.plan | base64 }}", "\"cHJv\""),
    Filter::new("base64_url_safe_decode", base64_url_safe_decode)
        .types("text", "text")
        .says("Decodes URL-safe Base64.")
        .example("{{ 'Pz8_' | base64_url_safe_decode }}", "\"???\""),
    Filter::new("base64_url_safe_encode", base64_url_safe_encode)
        .types("text", "text")
        .says("Encodes the text as URL-safe Base64, with `-` and `_` instead of `+` and `/`.")
        .example("{{ '???' | base64_url_safe_encode }}", "\"Pz8_\""),
    Filter::new("cgi_escape", cgi_escape)
        .types("text", "text")
        .says("Encodes the text for a URL, spaces as `+`.")
        .example("{{ 'a b&c' | cgi_escape }}", "\"a+b%26c\""),
    Filter::new("escape", escape)
        .types("text", "text")
        .says("Encodes `& < > \" '` as HTML entities.")
        .example("{{ '<b>' | escape }}", "\"&lt;b&gt;\""),
    Filter::new("escape_once", escape_once)
        .types("text", "text")
        .says("Like `escape`, but leaves existing entities as they are.")
        .example("{{ '&lt;b>' | escape_once }}", "\"&lt;b&gt;\""),
    Filter::new("uri_escape", uri_escape)
        .types("text", "text")
        .says("Encodes a whole URL and keeps its separators.")
        .example("{{ 'https://a.b/c d?e=f' | uri_escape }}", "\"https://a.b/c%20d?e=f\""),
    Filter::new("url_decode", url_decode)
        .types("text", "text")
        .says("Decodes text from a URL; `+` is a space.")
        .example("{{ 'a+b%20c' | url_decode }}", "\"a b c\""),
    Filter::new("url_encode", url_encode)
        .types("text", "text")
        .says("Encodes the text for a URL, spaces as `+`.")
        .example("{{ 'a b&c' | url_encode }}", "\"a+b%26c\""),
    Filter::new("xml_escape", escape)
        .types("text", "text")
        .says("The same as `escape`.")
        .example("{{ '<b>' | xml_escape }}", "\"&lt;b&gt;\""),
];

fn lenient(alphabet: &alphabet::Alphabet) -> GeneralPurpose {
    let config = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    GeneralPurpose::new(alphabet, config)
}

fn encode<'a>(value: Val<'a>, alphabet: &alphabet::Alphabet, scene: &Scene<'a>) -> Result<Val<'a>, Fault> {
    let text = into_text(value, &scene.meter)?;
    scene.meter.bytes(text.len().saturating_mul(2))?;
    Ok(Val::text(lenient(alphabet).encode(text.as_bytes())))
}

fn decode<'a>(value: Val<'a>, alphabet: &alphabet::Alphabet, scene: &Scene<'a>) -> Result<Val<'a>, Fault> {
    let text = match value {
        Val::Nil => return Ok(Val::text("")),
        Val::Text(text) => text,
        other => return Err(Fault::failed(format!("expected Base64 text, found {}", other.kind()))),
    };
    scene.meter.bytes(text.len())?;
    let unreadable = || Fault::failed(format!("{} is not Base64", preview(&Val::text(text.to_string()))));
    let packed: String = text.chars().filter(|c| !matches!(c, '\t' | '\n' | '\u{c}' | '\r' | ' ')).collect();
    let bytes = lenient(alphabet).decode(packed.as_bytes()).map_err(|_| unreadable())?;
    let decoded = String::from_utf8(bytes);
    Ok(Val::text(decoded.map_err(|_| Fault::failed("the decoded Base64 is not UTF-8 text"))?))
}

fn base64_encode<'a>(value: Val<'a>, _: &Args<'a>, scene: &Scene<'a>) -> Result<Val<'a>, Fault> {
    encode(value, &alphabet::STANDARD, scene)
}

fn base64_decode<'a>(value: Val<'a>, _: &Args<'a>, scene: &Scene<'a>) -> Result<Val<'a>, Fault> {
    decode(value, &alphabet::STANDARD, scene)
}

fn base64_url_safe_encode<'a>(value: Val<'a>, _: &Args<'a>, scene: &Scene<'a>) -> Result<Val<'a>, Fault> {
    encode(value, &alphabet::URL_SAFE, scene)
}

fn base64_url_safe_decode<'a>(value: Val<'a>, _: &Args<'a>, scene: &Scene<'a>) -> Result<Val<'a>, Fault> {
    decode(value, &alphabet::URL_SAFE, scene)
}

fn percent<'a>(value: Val<'a>, kept: &str, space: &str, scene: &Scene<'a>) -> Result<Val<'a>, Fault> {
    let text = into_text(value, &scene.meter)?;
    scene.meter.bytes(text.len().saturating_mul(3))?;
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        let c = char::from(byte);
        if c.is_ascii_alphanumeric() || kept.contains(c) {
            out.push(c);
        } else if c == ' ' {
            out.push_str(space);
        } else {
            let digit =
                |value: u8| char::from_digit(u32::from(value), 16).unwrap_or('0').to_ascii_uppercase();
            out.extend(['%', digit(byte >> 4), digit(byte & 15)]);
        }
    }
    Ok(Val::text(out))
}

fn url_encode<'a>(value: Val<'a>, _: &Args<'a>, scene: &Scene<'a>) -> Result<Val<'a>, Fault> {
    percent(value, "-_.!~*'()", "+", scene)
}

fn cgi_escape<'a>(value: Val<'a>, _: &Args<'a>, scene: &Scene<'a>) -> Result<Val<'a>, Fault> {
    percent(value, "-_.~", "+", scene)
}

fn uri_escape<'a>(value: Val<'a>, _: &Args<'a>, scene: &Scene<'a>) -> Result<Val<'a>, Fault> {
    percent(value, "-_.!~*'();/?:@&=+$,#[]", "%20", scene)
}

fn url_decode<'a>(value: Val<'a>, _: &Args<'a>, scene: &Scene<'a>) -> Result<Val<'a>, Fault> {
    let text = into_text(value, &scene.meter)?;
    scene.meter.bytes(text.len())?;
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        match (first, hex(after)) {
            (b'+', _) => bytes.push(b' '),
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            (other, _) => bytes.push(*other),
        }
    }
    let decoded = String::from_utf8(bytes);
    Ok(Val::text(decoded.map_err(|_| Fault::failed("the decoded text is not UTF-8"))?))
}

fn hex(bytes: &[u8]) -> Option<u8> {
    let digit = |at: usize| bytes.get(at).and_then(|byte| char::from(*byte).to_digit(16));
    u8::try_from(digit(0)? * 16 + digit(1)?).ok()
}

fn escape<'a>(value: Val<'a>, _: &Args<'a>, scene: &Scene<'a>) -> Result<Val<'a>, Fault> {
    let text = into_text(value, &scene.meter)?;
    if !text.contains(['&', '<', '>', '"', '\'']) {
        return Ok(Val::Text(text));
    }
    scene.meter.bytes(text.len().saturating_mul(5))?;
    let mut out = String::with_capacity(text.len() + 16);
    text.chars().for_each(|c| entity(c, &mut out));
    Ok(Val::text(out))
}

fn entity(c: char, out: &mut String) {
    match c {
        '&' => out.push_str("&amp;"),
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        '"' => out.push_str("&#34;"),
        '\'' => out.push_str("&#39;"),
        other => out.push(other),
    }
}

fn escape_once<'a>(value: Val<'a>, _: &Args<'a>, scene: &Scene<'a>) -> Result<Val<'a>, Fault> {
    let text = into_text(value, &scene.meter)?;
    scene.meter.bytes(text.len().saturating_mul(5))?;
    let mut out = String::with_capacity(text.len() + 16);
    for (at, c) in text.char_indices() {
        if c == '&' && is_entity(text.get(at + 1..).unwrap_or_default()) {
            out.push('&');
        } else {
            entity(c, &mut out);
        }
    }
    Ok(Val::text(out))
}

/// Whether `amp;`, `#39;` or the like follows. No entity is longer than 32 letters.
fn is_entity(rest: &str) -> bool {
    let name: String = rest.chars().take(33).take_while(|c| *c != ';').collect();
    let ends = rest.as_bytes().get(name.len()) == Some(&b';');
    let numeric = name.strip_prefix('#').map(|digits| digits.strip_prefix(['x', 'X']).unwrap_or(digits));
    ends && match numeric {
        Some(digits) => !digits.is_empty() && digits.chars().all(|c| c.is_ascii_hexdigit()),
        None => !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric()),
    }
}
