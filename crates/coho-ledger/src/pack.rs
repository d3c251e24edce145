//! Packing: long texts are kept compressed, in a column beside the one for plain text. Readers do not see the difference; SQL
//! does, and finds null or an empty text in the plain column. The format is zlib's, which the `sqlite3` command unpacks with
//! `sqlar_uncompress`.

use std::borrow::Cow;
use std::cell::RefCell;
use std::io::Read as _;

use flate2::read::ZlibDecoder;
use flate2::{Compress, Compression, FlushCompress, Status};

use crate::failure::Fault;

/// Texts below this stay as they are: most of what would be saved is lost to the packing.
const SHORT: usize = 512;

/// Texts from this on, the bodies of batches above all, are packed quickly: a fifth more bytes, for a third of the time.
const LONG: usize = 16 << 10;

/// The largest text that is unpacked; no larger one is ever packed.
const LARGEST: u64 = 4 << 20;

/// A text as it is kept: in one of two columns.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Packed<'t> {
    /// As it is.
    pub(crate) plain: Option<Cow<'t, str>>,
    /// Compressed.
    pub(crate) zlib: Option<Vec<u8>>,
}

impl<'t> Packed<'t> {
    /// No text.
    pub(crate) const NONE: Self = Self { plain: None, zlib: None };

    /// The shorter of both forms. What is compressed must save a fifth, so that few texts are hidden from SQL for little.
    pub(crate) fn of(text: impl Into<Cow<'t, str>>) -> Self {
        let text = text.into();
        let is_long = text.len() >= SHORT && (text.len() as u64) <= LARGEST;
        match is_long.then(|| compressed(&text)).flatten() {
            Some(zlib) if zlib.len() < text.len() / 5 * 4 => Self { plain: None, zlib: Some(zlib) },
            Some(_) | None => Self { plain: Some(text), zlib: None },
        }
    }
}

thread_local! {
    /// What packs, with its memory: to make it anew for each text would cost more than the packing.
    static PACKERS: RefCell<[Compress; 2]> =
        RefCell::new([Compression::default(), Compression::fast()].map(|level| Compress::new(level, true)));
}

/// The packed text; `None` where it would not be shorter.
fn compressed(text: &str) -> Option<Vec<u8>> {
    PACKERS.with_borrow_mut(|packers| {
        let packer = packers.get_mut(usize::from(text.len() >= LONG))?;
        packer.reset();
        let mut zlib = Vec::with_capacity(text.len());
        match packer.compress_vec(text.as_bytes(), &mut zlib, FlushCompress::Finish) {
            Ok(Status::StreamEnd) => {
                zlib.shrink_to_fit();
                Some(zlib)
            }
            Ok(Status::Ok | Status::BufError) | Err(_) => None,
        }
    })
}

/// The text of two columns.
pub(crate) fn unpacked(plain: Option<String>, zlib: Option<&[u8]>) -> Result<Option<String>, Fault> {
    let Some(zlib) = zlib else { return Ok(plain) };
    let mut text = String::new();
    match ZlibDecoder::new(zlib).take(LARGEST).read_to_string(&mut text) {
        Ok(_) => Ok(Some(text)),
        Err(_) => Err(Fault::damaged("a compressed text cannot be read")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_packed_and_reads_back() {
        let text = r#"{"externalId":"acc-1","name":"Acme","traits":{"plan":"growth","seats":42}}"#.repeat(20);
        let packed = Packed::of(text.clone());
        let zlib = packed.zlib.unwrap();
        assert!(packed.plain.is_none() && zlib.len() * 4 < text.len());
        assert_eq!(unpacked(None, Some(&zlib)).unwrap(), Some(text));
    }

    #[test]
    fn texts_are_packed_one_after_the_other_and_none_is_mixed_with_another() {
        let texts = ["[1,2,3]", r#"{"name":"Acme"}"#, "ä,ö,ü,"].map(|text| text.repeat(4_000));
        for text in texts.iter().chain(&texts).map(String::as_str).chain([texts[0].split_at(700).0]) {
            let packed = Packed::of(text).zlib.unwrap();
            assert_eq!(unpacked(None, Some(&packed)).unwrap().as_deref(), Some(text));
        }
    }

    #[test]
    fn what_packing_does_not_shorten_stays_as_it_is() {
        let short = "{}".to_owned();
        assert_eq!(Packed::of(short.clone()), Packed { plain: Some(short.into()), zlib: None });
        // A sequence of all printable characters without repeats.
        let mut state = 1_u64;
        let noise: String = (0..1_000)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                char::from(b'!' + u8::try_from((state >> 33) % 94).unwrap())
            })
            .collect();
        assert_eq!(Packed::of(noise.clone()).plain.as_deref(), Some(noise.as_str()));
    }

    #[test]
    fn a_blob_that_is_none_of_ours_is_told_and_not_shown() {
        assert!(unpacked(None, Some(b"no zlib")).is_err());
    }
}
