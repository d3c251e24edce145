//! Who may ask: REST, HTTP Basic with the key as user name and an empty password; Analytics, the word `Basic` and the
//! token as it is.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// What the `Authorization` header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Credentials {
    /// The configured key.
    Right,
    /// A well-formed header with another key.
    Wrong,
    /// No header, or none that is Basic with a base64 `user:password`.
    Absent,
}

/// Reads the header of an Analytics request against the token. Nothing is decoded.
pub(crate) fn check_token(header: Option<&str>, token: &str) -> Credentials {
    match header.and_then(|header| header.strip_prefix("Basic ")) {
        None => Credentials::Absent,
        Some(given) if given == token => Credentials::Right,
        Some(_) => Credentials::Wrong,
    }
}

/// Reads the header of a REST request against the key.
pub(crate) fn check(header: Option<&str>, rest_key: &str) -> Credentials {
    let Some(pair) = header.and_then(user_and_password) else { return Credentials::Absent };
    match pair.split_once(':') {
        None => Credentials::Absent,
        Some((user, "")) if user == rest_key => Credentials::Right,
        Some(_) => Credentials::Wrong,
    }
}

fn user_and_password(header: &str) -> Option<String> {
    let (scheme, token) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    String::from_utf8(STANDARD.decode(token.trim()).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn basic(pair: &str) -> String {
        format!("Basic {}", STANDARD.encode(pair))
    }

    #[test]
    fn the_key_with_an_empty_password_is_right() {
        assert_eq!(check(Some(&basic("sk_live_1:")), "sk_live_1"), Credentials::Right);
    }

    #[test]
    fn the_analytics_token_is_compared_as_it_is() {
        assert_eq!(check_token(Some("Basic live_1"), "live_1"), Credentials::Right);
        assert_eq!(check_token(Some(&basic("live_1:")), "live_1"), Credentials::Wrong);
        assert_eq!(check_token(Some("Basic  live_1"), "live_1"), Credentials::Wrong);
        for header in ["live_1", "Bearer live_1", "basic live_1"] {
            assert_eq!(check_token(Some(header), "live_1"), Credentials::Absent, "{header}");
        }
    }

    #[test]
    fn another_key_or_a_password_is_wrong() {
        assert_eq!(check(Some(&basic("sk_live_2:")), "sk_live_1"), Credentials::Wrong);
        assert_eq!(check(Some(&basic("sk_live_1:x")), "sk_live_1"), Credentials::Wrong);
    }

    #[test]
    fn what_is_not_basic_counts_as_absent() {
        for header in ["Bearer sk_live_1", "Basic ???", "Basic", "sk_live_1", &basic("sk_live_1")] {
            assert_eq!(check(Some(header), "sk_live_1"), Credentials::Absent, "{header}");
        }
        assert_eq!(check(None, "sk_live_1"), Credentials::Absent);
    }
}
