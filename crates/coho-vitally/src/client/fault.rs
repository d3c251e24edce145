//! What kept an answer away, in words.

use std::error::Error as _;
use std::io;

use coho_core::failure::deepest_cause;
use rustls::{CertificateError, InvalidMessage};

/// What kind of trouble kept an answer away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The host's name is not known.
    Dns,
    /// Nobody listens there.
    Refused,
    /// No secure connection, and why.
    Tls(String),
    /// It took too long.
    TimedOut,
    /// Anything else.
    Other,
}

impl Fault {
    pub(super) fn of(error: &reqwest::Error) -> Self {
        if error.is_timeout() {
            return Self::TimedOut;
        }
        if error.is_dns() {
            return Self::Dns;
        }
        let mut source = error.source();
        while let Some(cause) = source {
            if let Some(tls) = cause.downcast_ref::<rustls::Error>() {
                return Self::Tls(tls_words(tls));
            }
            if let Some(fault) = cause.downcast_ref::<io::Error>().and_then(Self::of_io) {
                return fault;
            }
            source = cause.source();
        }
        Self::Other
    }

    /// An I/O error that wraps another one hides it from the chain of sources.
    fn of_io(error: &io::Error) -> Option<Self> {
        if error.kind() == io::ErrorKind::ConnectionRefused {
            return Some(Self::Refused);
        }
        let inner = error.get_ref()?;
        if let Some(tls) = inner.downcast_ref::<rustls::Error>() {
            return Some(Self::Tls(tls_words(tls)));
        }
        inner.downcast_ref::<io::Error>().and_then(Self::of_io)
    }

    /// Why there is no answer, without an address.
    pub(super) fn why(&self, error: &reqwest::Error) -> String {
        match self {
            Self::Dns => "unknown host".to_owned(),
            Self::Refused => "connection refused".to_owned(),
            Self::Tls(why) => format!("cannot make a secure connection: {why}"),
            Self::TimedOut => "timed out".to_owned(),
            Self::Other => deepest_cause(error).unwrap_or_else(|| "the request failed".to_owned()),
        }
    }
}

/// What people see most of what goes wrong with TLS, in words that say what to do.
fn tls_words(error: &rustls::Error) -> String {
    let plain = rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType);
    let unknown = rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer);
    if *error == plain {
        "the server does not speak TLS on this port; does its address begin with `http://`?".to_owned()
    } else if *error == unknown {
        "its certificate is not signed by an authority that this machine (or the file in SSL_CERT_FILE) trusts"
            .to_owned()
    } else {
        error.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_troubles_of_tls_say_what_to_do() {
        let plain = rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType);
        let unknown = rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer);
        let said = [plain, unknown, rustls::Error::DecryptError].map(|error| tls_words(&error));
        insta::assert_debug_snapshot!(said, @r#"
        [
            "the server does not speak TLS on this port; does its address begin with `http://`?",
            "its certificate is not signed by an authority that this machine (or the file in SSL_CERT_FILE) trusts",
            "cannot decrypt peer's message",
        ]
        "#);
    }
}
