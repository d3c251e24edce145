//! Webhooks after Standard Webhooks: an id that stays the same however often it is sent, the time of the attempt, and a
//! signature for each secret, so that one can be changed while both are known
//! (<https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>, read 2026-11-27).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use coho_core::time::Time;
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use sha2::Sha256;

use crate::message::Notification;
use crate::request::{ChannelRequest, JSON};

/// A program that is told over HTTP.
#[derive(Clone, Debug)]
pub struct Webhook {
    /// Its address, which may be a secret.
    pub url: SecretString,
    /// What messages are signed with: the newest first. Without any they are not signed.
    pub secrets: Vec<SecretString>,
}

/// How secrets of Standard Webhooks begin; what follows is base64.
const PREFIX: &str = "whsec_";

impl Webhook {
    /// The request of an attempt at this moment.
    pub fn request(&self, message: &Notification, now: Time) -> ChannelRequest {
        let body = json!({
            "type": if message.test { "alert.test" } else { "alert.changed" },
            "timestamp": message.at,
            "data": message,
        });
        self.signed(&message.id, body.to_string(), now)
    }

    /// The request that delivers a body under an id at this moment.
    pub fn signed(&self, id: &str, body: String, now: Time) -> ChannelRequest {
        let mut request = ChannelRequest { url: self.url.clone(), headers: Vec::new(), content: JSON, body };
        let stamp = now.timestamp().to_string();
        let signatures: Vec<_> = self
            .secrets
            .iter()
            .filter_map(|secret| sign(secret, id, &stamp, &request.body))
            .map(|signature| format!("v1,{signature}"))
            .collect();
        request.headers = vec![("webhook-id", id.to_owned().into()), ("webhook-timestamp", stamp.into())];
        if !signatures.is_empty() {
            request.headers.push(("webhook-signature", signatures.join(" ").into()));
        }
        request
    }
}

/// HMAC-SHA256 of `id.timestamp.body` in base64. A secret that does not begin with `whsec_` is taken as it is.
pub fn sign(secret: &SecretString, id: &str, stamp: &str, body: &str) -> Option<String> {
    let secret = secret.expose_secret().trim();
    let key = match secret.strip_prefix(PREFIX) {
        Some(encoded) => STANDARD.decode(encoded).unwrap_or_else(|_| secret.as_bytes().to_vec()),
        None => secret.as_bytes().to_vec(),
    };
    // A key of any length is a key.
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).ok()?;
    mac.update(format!("{id}.{stamp}.{body}").as_bytes());
    Some(STANDARD.encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_that_of_the_specifications_example() {
        // <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>, its libraries' tests.
        let secret = SecretString::from("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned());
        let signature = sign(&secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", "{\"test\": 2432232314}");
        assert_eq!(signature.as_deref(), Some("g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="));
    }
}
