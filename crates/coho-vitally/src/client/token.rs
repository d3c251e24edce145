//! The token: in whatever form a person copies it from Vitally's settings, never shown again.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret as _, SecretString};

/// The value of the `Authorization` header. Its text never shows.
#[derive(Clone, Debug)]
pub struct Token(SecretString);

/// Why a text is no token. The text itself never shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Nothing but white space.
    #[error("the token is empty")]
    Empty,
    /// White space or control characters inside, as when two lines were copied.
    #[error("the token contains white space or control characters")]
    Blank,
    /// Characters that no header carries.
    #[error("the token contains characters that are not ASCII")]
    NotAscii,
    /// `Basic` with something that is not base64 of `key:`.
    #[error("the token begins with `Basic`, but is not the header that Vitally shows")]
    NotBasic,
    /// A colon inside, which would end the key.
    #[error("the token contains a colon")]
    Colon,
}

impl Token {
    /// Reads a token in any of the forms that Vitally's settings show: the secret token (`sk_live_…`), the basic
    /// authentication header with `Basic `, or without it
    /// (<https://docs.vitally.io/en/articles/9880649-rest-api-overview>, read 2026-11-24).
    ///
    /// ```
    /// use coho_vitally::client::{Token, TokenError};
    ///
    /// assert!(Token::parse(&" sk_live_1234\n".into()).is_ok());
    /// assert!(Token::parse(&"Basic c2tfbGl2ZV8xMjM0Og==".into()).is_ok());
    /// assert_eq!(Token::parse(&" ".into()).unwrap_err(), TokenError::Empty);
    /// ```
    pub fn parse(text: &SecretString) -> Result<Self, TokenError> {
        let (scheme, rest) = split(text.expose_secret())?;
        let encoded = match (scheme, is_encoded(rest)) {
            (_, true) => rest.to_owned(),
            (Scheme::Basic, false) => return Err(TokenError::NotBasic),
            (Scheme::None, false) => encode(rest)?,
        };
        Ok(Self(SecretString::from(format!("Basic {encoded}"))))
    }

    /// The header's value.
    pub(super) fn header(&self) -> &str {
        self.0.expose_secret()
    }
}

/// The value of the `Authorization` header of the Analytics API, which has a token of its own. Its text never shows.
#[derive(Clone, Debug)]
pub struct AnalyticsToken(SecretString);

impl AnalyticsToken {
    /// Reads a token, with or without `Basic `. It is sent as it is, never encoded again
    /// (<https://docs.vitally.io/pushing-data-to-vitally/using-the-vitally-api/https-analytics-api/analytics-api-authentication>,
    /// read 2026-11-24).
    ///
    /// ```
    /// use coho_vitally::client::{AnalyticsToken, TokenError};
    ///
    /// assert!(AnalyticsToken::parse(&" Basic 1f2e3d\n".into()).is_ok());
    /// assert_eq!(AnalyticsToken::parse(&"Basic ".into()).unwrap_err(), TokenError::Empty);
    /// ```
    pub fn parse(text: &SecretString) -> Result<Self, TokenError> {
        let (_, rest) = split(text.expose_secret())?;
        Ok(Self(SecretString::from(format!("Basic {rest}"))))
    }

    /// The header's value.
    pub(super) fn header(&self) -> &str {
        self.0.expose_secret()
    }
}

enum Scheme {
    Basic,
    None,
}

/// The token without white space around it and without `Basic `, which people copy along.
fn split(text: &str) -> Result<(Scheme, &str), TokenError> {
    let text = text.trim();
    let (scheme, rest) = match text.split_once(char::is_whitespace) {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("basic") => (Scheme::Basic, rest.trim()),
        Some(_) | None if text.eq_ignore_ascii_case("basic") => (Scheme::Basic, ""),
        Some(_) | None => (Scheme::None, text),
    };
    match rest {
        "" => Err(TokenError::Empty),
        _ if rest.contains(|c: char| c.is_whitespace() || c.is_control()) => Err(TokenError::Blank),
        _ if !rest.is_ascii() => Err(TokenError::NotAscii),
        _ => Ok((scheme, rest)),
    }
}

/// Whether a text is base64 of `key:`, the password being empty.
fn is_encoded(text: &str) -> bool {
    let decoded = STANDARD.decode(text).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    decoded
        .is_some_and(|key| key.len() > 1 && key.ends_with(':') && key.chars().all(|c| c.is_ascii_graphic()))
}

fn encode(key: &str) -> Result<String, TokenError> {
    let key = key.strip_suffix(':').unwrap_or(key);
    match key {
        "" => Err(TokenError::Empty),
        _ if key.contains(':') => Err(TokenError::Colon),
        _ => Ok(STANDARD.encode(format!("{key}:"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "Basic c2tfbGl2ZV8xMjM0Og==";

    fn header(text: &str) -> Result<String, TokenError> {
        Token::parse(&SecretString::from(text.to_owned())).map(|token| token.header().to_owned())
    }

    #[test]
    fn every_form_is_the_same_header() {
        for form in ["sk_live_1234", " sk_live_1234\n", "sk_live_1234:", "c2tfbGl2ZV8xMjM0Og==", HEADER] {
            assert_eq!(header(form), Ok(HEADER.to_owned()), "{form}");
        }
        assert_eq!(header("basic  c2tfbGl2ZV8xMjM0Og=="), Ok(HEADER.to_owned()));
    }

    #[test]
    fn what_is_no_token_is_refused() {
        assert_eq!(header(" \n"), Err(TokenError::Empty));
        assert_eq!(header(":"), Err(TokenError::Empty));
        assert_eq!(header("Basic sk_live_1234"), Err(TokenError::NotBasic));
        assert_eq!(header("sk_live\n1234"), Err(TokenError::Blank));
        assert_eq!(header("sk_live\u{0}1234"), Err(TokenError::Blank));
        assert_eq!(header("sk_lívé"), Err(TokenError::NotAscii));
        assert_eq!(header("key:password"), Err(TokenError::Colon));
    }

    #[test]
    fn the_token_of_the_analytics_api_is_sent_as_it_is() {
        let header = |text: &str| {
            AnalyticsToken::parse(&SecretString::from(text.to_owned())).map(|token| token.header().to_owned())
        };
        for form in ["1f2e:3d==", " Basic 1f2e:3d==\n", "basic   1f2e:3d=="] {
            assert_eq!(header(form), Ok("Basic 1f2e:3d==".to_owned()), "{form}");
        }
        assert_eq!(header("Basic\n"), Err(TokenError::Empty));
        assert_eq!(header("1f 2e"), Err(TokenError::Blank));
        let token = AnalyticsToken::parse(&SecretString::from("1f2e3d".to_owned())).unwrap();
        assert!(!format!("{token:?}").contains("1f2e3d"));
    }

    #[test]
    fn a_token_never_shows() {
        let token = Token::parse(&SecretString::from("sk_live_1234".to_owned())).unwrap();
        let shown = format!("{token:?} {}", header("sk live 1234").unwrap_err());
        assert!(!shown.contains("1234") && !shown.contains("c2tf"), "{shown}");
    }
}
