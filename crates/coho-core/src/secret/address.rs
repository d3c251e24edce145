//! Addresses such as `postgres://user:password@host/database`: where their passwords are, even if they are not encoded.

/// Who logs in at an address, in the address's own encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Login<'a> {
    /// The user; may be empty.
    pub user: &'a str,
    /// The password.
    pub password: Option<&'a str>,
}

/// What stands before the last `@` of an address.
///
/// ```
/// use coho_core::secret::address::login;
///
/// let login = login("postgres://reader:p@ss@db/warehouse?sslmode=require").unwrap();
/// assert_eq!((login.user, login.password), ("reader", Some("p@ss")));
/// ```
pub fn login(address: &str) -> Option<Login<'_>> {
    let (_, rest) = address.split_once("://")?;
    let head = rest.split_once('?').map_or(rest, |(head, _)| head);
    let (before, _) = head.rsplit_once('@').or_else(|| rest.rsplit_once('@'))?;
    match before.split_once(':') {
        Some((user, password)) => Some(Login { user, password: Some(password) }),
        None if before.contains(['/', '?', '#']) => None,
        None => Some(Login { user: before, password: None }),
    }
}

/// The first character of an address's password that must be percent-encoded and is not, `@` before all others.
pub fn unencoded(address: &str) -> Option<char> {
    let password = login(address)?.password?;
    ['@', '/', '?', '#'].into_iter().find(|reserved| password.contains(*reserved))
}

/// The percent-encoding of an ASCII character: `%40`.
pub fn encoded(reserved: char) -> String {
    format!("%{:02X}", u32::from(reserved))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_character_that_must_be_encoded_is_found() {
        assert_eq!(unencoded("postgres://u:p@ss@h/d"), Some('@'));
        assert_eq!(unencoded("postgres://u:p/ss@h/d"), Some('/'));
        assert_eq!(unencoded("postgres://u:p?ss@h/d"), Some('?'));
        assert_eq!(unencoded("postgres://u:p%40ss@h/d?application_name=a@b"), None);
        assert_eq!(unencoded("postgres://u@h/d"), None);
        assert_eq!(unencoded("host=h password=p@ss"), None);
        assert_eq!(encoded('@'), "%40");
    }

    #[test]
    fn an_address_without_a_login_has_none() {
        assert_eq!(login("https://rest.vitally.io/a@b"), None);
        assert_eq!(login("https://rest.vitally.io"), None);
    }
}
