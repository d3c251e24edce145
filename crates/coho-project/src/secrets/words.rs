//! What is secret by its name: keys of YAML and environment variables; and what looks like a token by itself.

use coho_core::problem::nearest;
use coho_core::secret::TOKEN_PREFIXES;

/// The keys of `coho.yaml` that hold secrets, and whose values may be `file:PATH`.
pub(crate) const SECRETS: [&str; 16] = [
    "url",
    "rest_token",
    "analytics_token",
    "token",
    "routing_key",
    "former_keys",
    "password",
    "secret",
    "secrets",
    "ping",
    "access_key_id",
    "secret_access_key",
    "session_token",
    "service_account",
    "account_key",
    "sas_token",
];

/// What names of secrets contain.
const PARTS: [&str; 9] = [
    "token",
    "secret",
    "password",
    "passwd",
    "passphrase",
    "credential",
    "bearer",
    "apikey",
    "authorization",
];

/// Words that alone, or between `_` and `-`, name secrets.
const WORDS: [&str; 8] = ["auth", "key", "pass", "pwd", "pw", "url", "uri", "dsn"];

/// The fewest characters of what may be a token by its looks.
const SHORTEST_TOKEN: usize = 16;

/// Whether a key, or what somebody mistyped for one, names a secret.
pub(crate) fn is_secret_key(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    is_secret_name(&key) || nearest(&key, SECRETS).is_some()
}

/// Whether a name is that of a secret.
pub(crate) fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let is_known = matches!(name.as_str(), "primary_key");
    let has_word = name.split(['_', '-', '.']).any(|word| WORDS.contains(&word));
    !is_known && (has_word || PARTS.iter().any(|part| name.contains(part)))
}

/// Whether an address may stand under this key, of which only the login is secret.
pub(crate) fn is_address_key(key: &str) -> bool {
    ["base_url", "analytics_url", "api_url", "public_url"].contains(&key)
}

/// Whether a text that should be a variable's name is a token by its looks.
pub(crate) fn is_token_like(text: &str) -> bool {
    let count = |is: fn(char) -> bool| text.chars().filter(|letter| is(*letter)).count();
    let is_mixed = count(|c| c.is_ascii_digit()) >= 4 && count(|c| c.is_ascii_lowercase()) > 0;
    TOKEN_PREFIXES.iter().any(|prefix| text.starts_with(prefix)) || (text.len() >= SHORTEST_TOKEN && is_mixed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_secrets_from_others() {
        for key in ["rest_token", "rest_tokn", "api_key", "auth", "PGPASSWORD", "key", "db-pass", "url"] {
            assert!(is_secret_key(key), "{key}");
        }
        for key in
            ["project", "path", "type", "region", "primary_key", "keyboard", "author", "compass", "rate"]
        {
            assert!(!is_secret_key(key), "{key}");
        }
    }

    #[test]
    fn names_of_variables_are_no_tokens() {
        assert!(is_token_like("sk_live_1"));
        assert!(is_token_like("f3a9c2d417be6058"));
        for name in ["VITALLY_REST_TOKEN", "vitally_token_production", "TOKEN_OF_2026_11_27"] {
            assert!(!is_token_like(name), "{name}");
        }
    }
}
