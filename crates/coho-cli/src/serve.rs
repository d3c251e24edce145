//! The server: [`house`] is what its parts share, [`desk`] starts runs, [`door`] answers requests, [`reload`] looks for changed
//! files. [`shape`] has the forms of Hightouch's API, [`body`] reads what clients send, [`metrics`] is what Prometheus reads.

pub(crate) mod house;
mod reload;
pub(crate) mod desk;
mod body;
mod refusal;
mod shape;
mod metrics;
pub(crate) mod door;

use sha2::{Digest as _, Sha256};

/// The digest by which a token is kept. Tokens are 256 random bits, so no salt and no slow hash is needed.
pub(crate) fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}
