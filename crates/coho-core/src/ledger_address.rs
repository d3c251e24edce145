//! Addresses of ledgers in PostgreSQL: `postgres://user:password@host/database?schema=coho&name=acme`. The project checks them, the ledger
//! connects to them, and messages show them without the password.

use std::fmt;

use crate::secret::address::{login, unencoded};

/// The schema where the address names none.
const SCHEMA: &str = "coho";
/// The name where the address gives none.
const NAME: &str = "ledger";
/// The longest schema or name: PostgreSQL cuts longer identifiers.
const LONGEST: usize = 63;

/// The address of a ledger in PostgreSQL. Its `Debug` and `Display` show no password.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresLedgerAddress {
    url: String,
    shown: String,
    schema: String,
    name: String,
}

/// Why a text that looks like such an address is none. No message repeats a part of it that may be of the password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PostgresLedgerAddressError {
    /// Another scheme.
    #[error("the address does not begin with `postgres://`")]
    Scheme,
    /// There is no host, or no database.
    #[error("the address names no {0}")]
    Missing(&'static str),
    /// The password has a character that ends it where it stands.
    #[error("the password in the address contains an unencoded `{0}`")]
    Password(char),
    /// The schema or the name has other characters.
    #[error(
        "`{0}` in the address may have letters, digits, `_`, `-` and `.`, and at most {LONGEST} characters"
    )]
    Word(&'static str),
}

impl PostgresLedgerAddress {
    /// Whether a path is meant as such an address, right or wrong.
    pub fn is_meant(path: &str) -> bool {
        path.starts_with("postgres://") || path.starts_with("postgresql://")
    }

    /// Reads `postgres://user:password@host:port/database?schema=coho&name=acme`. What else stands behind `?` is PostgreSQL's own.
    ///
    /// ```
    /// use coho_core::ledger_address::PostgresLedgerAddress;
    ///
    /// let address = PostgresLedgerAddress::parse("postgres://coho:hush@db/ops?sslmode=require&name=acme")?;
    /// assert_eq!(address.to_string(), "postgres://coho@db/ops?schema=coho&name=acme");
    /// assert_eq!(address.url(), "postgres://coho:hush@db/ops?sslmode=require");
    /// # Ok::<(), coho_core::ledger_address::PostgresLedgerAddressError>(())
    /// ```
    pub fn parse(text: &str) -> Result<Self, PostgresLedgerAddressError> {
        if !Self::is_meant(text) {
            return Err(PostgresLedgerAddressError::Scheme);
        }
        if let Some(reserved) = unencoded(text) {
            return Err(PostgresLedgerAddressError::Password(reserved));
        }
        let (place, query) = text.split_once('?').unwrap_or((text, ""));
        let (mut schema, mut name, mut others) = (SCHEMA, NAME, Vec::new());
        for setting in query.split('&').filter(|setting| !setting.is_empty()) {
            match setting.split_once('=') {
                Some(("schema", value)) => schema = value,
                Some(("name", value)) => name = value,
                Some(_) | None => others.push(setting),
            }
        }
        for (what, word) in [("schema", schema), ("name", name)] {
            if !is_word(word) {
                return Err(PostgresLedgerAddressError::Word(what));
            }
        }
        let others = others.join("&");
        let url = if others.is_empty() { place.to_owned() } else { format!("{place}?{others}") };
        Ok(Self {
            shown: format!("{}?schema={schema}&name={name}", shown(place)?),
            url,
            schema: schema.to_owned(),
            name: name.to_owned(),
        })
    }

    /// What PostgreSQL's own programs would connect to, with the password.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The schema.
    pub fn schema(&self) -> &str {
        &self.schema
    }

    /// Which of the schema's ledgers it is.
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// The place without its password.
fn shown(place: &str) -> Result<String, PostgresLedgerAddressError> {
    let (_, rest) = place.split_once("://").ok_or(PostgresLedgerAddressError::Scheme)?;
    let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    let (server, database) = host.split_once('/').unwrap_or((host, ""));
    for (what, part) in [("host", server), ("database", database)] {
        if part.is_empty() {
            return Err(PostgresLedgerAddressError::Missing(what));
        }
    }
    let user = login(place).map(|login| login.user).filter(|user| !user.is_empty());
    let user = user.map(|user| format!("{user}@")).unwrap_or_default();
    Ok(format!("postgres://{user}{host}"))
}

fn is_word(word: &str) -> bool {
    let is_letter = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    !word.is_empty() && word.len() <= LONGEST && word.chars().all(is_letter)
}

impl fmt::Display for PostgresLedgerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Debug for PostgresLedgerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PostgresLedgerAddress({})", self.shown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        match PostgresLedgerAddress::parse(text) {
            Ok(address) => address.to_string(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn an_address_is_shown_with_what_it_leaves_open_and_without_its_password() {
        assert_eq!(shown("postgres://me@h:6543/d"), "postgres://me@h:6543/d?schema=coho&name=ledger");
        assert_eq!(
            shown("postgresql://me:p%40ss@h/d?password=x&schema=s&name=n"),
            "postgres://me@h/d?schema=s&name=n"
        );
        let address = PostgresLedgerAddress::parse("postgres://me:hush@h/d").unwrap();
        assert!(!format!("{address:?}").contains("hush"));
    }

    #[test]
    fn what_is_no_address_is_told_without_the_password() {
        assert_eq!(shown("postgres://me:hu@sh@h/d"), "the password in the address contains an unencoded `@`");
        assert_eq!(shown("postgres:///d"), "the address names no host");
        assert_eq!(shown("postgres://me:hush@h"), "the address names no database");
        assert!(shown("postgres://h/d?schema=a%20b").starts_with("`schema` in the address may have"));
        assert!(shown("postgres://h/d?name=").starts_with("`name` in the address may have"));
        assert_eq!(shown("s3://b/k"), "the address does not begin with `postgres://`");
    }
}
