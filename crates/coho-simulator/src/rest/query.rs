//! Query parameters: each at most once, and only those that the path documents.

use std::collections::BTreeMap;

use super::Refused;
use crate::switches::Unknown;

/// The parameters of one request, by name.
#[derive(Debug)]
pub(crate) struct Query {
    values: BTreeMap<String, String>,
}

impl Query {
    pub(crate) fn read(text: Option<&str>, known: &[&str], unknown: Unknown) -> Result<Self, Refused> {
        let mut values = BTreeMap::new();
        for pair in text.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (decode_form(name)?, decode_form(value)?);
            if !known.contains(&name.as_str()) {
                match unknown {
                    Unknown::Ignore => continue,
                    Unknown::Reject => return Err(Refused::bad(format!("Unknown query parameter: {name}"))),
                }
            }
            if values.insert(name.clone(), value).is_some() {
                return Err(Refused::bad(format!("Query parameter given twice: {name}")));
            }
        }
        Ok(Self { values })
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }
}

/// A query's text: a plus is a space.
fn decode_form(text: &str) -> Result<String, Refused> {
    decode(&text.replace('+', " ")).ok_or_else(|| Refused::bad("Failed to decode the query"))
}

/// Percent-decodes once; `None` where an escape is broken or the bytes are not UTF-8.
pub(crate) fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            bytes.push(digit(rest.next()?)? << 4 | digit(rest.next()?)?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plus_is_a_space_and_an_escaped_plus_is_a_plus() {
        let query =
            Query::read(Some("email=a%2Bb%40x.io&name=a+b"), &["email", "name"], Unknown::Reject).unwrap();
        assert_eq!(query.get("email"), Some("a+b@x.io"));
        assert_eq!(query.get("name"), Some("a b"));
    }

    #[test]
    fn an_unknown_parameter_is_named() {
        let refused = Query::read(Some("page=2"), &["limit"], Unknown::Reject).unwrap_err();
        assert_eq!(refused.text, "Unknown query parameter: page");
        assert!(Query::read(Some("page=2"), &["limit"], Unknown::Ignore).is_ok());
    }
}
