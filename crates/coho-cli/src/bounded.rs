//! Inputs that are read whole, up to a length: what is longer was not meant, and would fill the memory.

use std::fs::File;
use std::io::{Error, ErrorKind, Read, Result};
use std::path::Path;

/// A file's bytes, at most one more than the longest that is taken.
pub(crate) fn bytes(path: &Path, longest: usize) -> Result<Vec<u8>> {
    some(File::open(path)?, longest)
}

/// A file's text.
pub(crate) fn text(path: &Path, longest: usize) -> Result<String> {
    all(File::open(path)?, longest)
}

/// All text of an input.
pub(crate) fn all(input: impl Read, longest: usize) -> Result<String> {
    let bytes = some(input, longest)?;
    if bytes.len() > longest {
        let words = format!("the input is larger than {} MiB", longest >> 20);
        return Err(Error::new(ErrorKind::FileTooLarge, words));
    }
    let words = "stream did not contain valid UTF-8";
    String::from_utf8(bytes).map_err(|_| Error::new(ErrorKind::InvalidData, words))
}

fn some(input: impl Read, longest: usize) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    input.take(longest as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endless_input_ends() {
        let error = all(std::io::repeat(b'x'), 1 << 20).unwrap_err();
        assert_eq!(error.to_string(), "the input is larger than 1 MiB");
        assert_eq!(some(std::io::repeat(b'x'), 5).unwrap().len(), 6);
        assert_eq!(all(&b"id: a"[..], 5).unwrap(), "id: a");
    }
}
