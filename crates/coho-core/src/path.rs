//! Field paths: `name`, `accountIds`, `traits.plan`, `properties.total`.

use std::fmt;

/// The prefix of a trait's path. All that follows is the trait's key, dots included.
const TRAITS: &str = "traits.";

/// The prefix of the path of an event's custom property.
const PROPERTIES: &str = "properties.";

/// The address of a value in a record.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FieldPath {
    /// A field of the object itself, such as `name`.
    Field(String),
    /// A trait, by its key: `plan`, `vitally.custom.tier`.
    Trait(String),
    /// A custom property of an event, by its key: `total`.
    Property(String),
}

impl FieldPath {
    /// A path from its text; never fails, since any name may be a trait's.
    pub fn new(text: &str) -> Self {
        match (text.strip_prefix(TRAITS), text.strip_prefix(PROPERTIES)) {
            (Some(key), _) => Self::Trait(key.to_owned()),
            (None, Some(key)) => Self::Property(key.to_owned()),
            (None, None) => Self::Field(text.to_owned()),
        }
    }

    /// The field's name, if this is neither a trait nor a property.
    pub fn as_field(&self) -> Option<&str> {
        if let Self::Field(name) = self { Some(name) } else { None }
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(name) => f.write_str(name),
            Self::Trait(key) => write!(f, "{TRAITS}{key}"),
            Self::Property(key) => write!(f, "{PROPERTIES}{key}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_in_a_key_belong_to_it() {
        let path = FieldPath::new("traits.vitally.custom.tier");
        assert_eq!(path, FieldPath::Trait("vitally.custom.tier".to_owned()));
        assert_eq!(path.to_string(), "traits.vitally.custom.tier");
    }
}
