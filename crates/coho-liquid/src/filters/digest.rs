//! Digests, in lower-case hexadecimal.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Digest;

use super::super::fault::Fault;
use super::super::scene::Scene;
use super::super::text::into_text;
use super::super::value::Val;
use super::arg::{Kind, need};
use super::{Args, Filter};

pub(super) const FILTERS: &[Filter] = &[
    Filter::new("hmac_sha256", hmac_sha256)
        .takes(&[need("key", Kind::Text)])
        .types("text", "text")
        .says("Computes the HMAC-SHA-256 of the text with a key.")
        .example(
            "{{ row.plan | hmac_sha256: 'key' }}",
            "\"c85e5d64c6bd290ba5a87d22d81027544ffced2b879cd27a0278bd02e92a2f32\"",
        ),
    Filter::new("md5", md5)
        .types("text", "text")
        .says("Computes the MD5 digest of the text. Use it for identifiers that other systems compute this way, not for secrets.")
        .example("{{ row.plan | md5 }}", "\"1f0f70bf2b5ad94c7387e64c16dc455a\""),
    Filter::new("sha1", sha1)
        .types("text", "text")
        .says("Computes the SHA-1 digest of the text. Use it for identifiers that other systems compute this way, not for secrets.")
        .example("{{ row.plan | sha1 }}", "\"3b40f38967952a3fcd286e1c6b5790d84ff40893\""),
    Filter::new("sha256", sha256).types("text", "text").says("Computes the SHA-256 digest of the text.").example(
        "{{ row.plan | sha256 }}",
        "\"07ed400759a0f606a8b5bfa84712aabe7d1b1c45cb6536c8a5727446b6647b84\"",
    ),
];

fn hex(bytes: &[u8]) -> Val<'static> {
    let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or('0');
    Val::text(bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect::<String>())
}

fn sha256<'a>(value: Val<'a>, _: &Args<'a>, scene: &Scene<'a>) -> Result<Val<'a>, Fault> {
    let text = charged(value, scene)?;
    Ok(hex(&sha2::Sha256::digest(text.as_bytes())))
}

fn sha1<'a>(value: Val<'a>, _: &Args<'a>, scene: &Scene<'a>) -> Result<Val<'a>, Fault> {
    let text = charged(value, scene)?;
    Ok(hex(&sha1::Sha1::digest(text.as_bytes())))
}

fn md5<'a>(value: Val<'a>, _: &Args<'a>, scene: &Scene<'a>) -> Result<Val<'a>, Fault> {
    let text = charged(value, scene)?;
    Ok(hex(&md5::Md5::digest(text.as_bytes())))
}

fn hmac_sha256<'a>(value: Val<'a>, args: &Args<'a>, scene: &Scene<'a>) -> Result<Val<'a>, Fault> {
    let text = charged(value, scene)?;
    let key = args.text(0, &scene.meter)?;
    let unfit = |_| Fault::failed("the key of `hmac_sha256` cannot be used");
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(key.as_bytes()).map_err(unfit)?;
    mac.update(text.as_bytes());
    Ok(hex(&mac.finalize().into_bytes()))
}

/// Digests make no large values, but each byte of their input costs time.
fn charged<'a>(value: Val<'a>, scene: &Scene<'a>) -> Result<std::borrow::Cow<'a, str>, Fault> {
    let text = into_text(value, &scene.meter)?;
    scene.meter.bytes(text.len())?;
    Ok(text)
}
