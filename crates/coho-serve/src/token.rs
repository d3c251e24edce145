//! Tokens as they are kept.

use sha2::{Digest as _, Sha256};

/// The digest by which a token is kept. Tokens are 256 random bits, so no salt and no slow hash is needed.
pub fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}
