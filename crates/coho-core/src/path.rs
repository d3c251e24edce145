//! Field paths: `name`, `accountIds`, `traits.plan`, `properties.total`.

use std::fmt;
use std::sync::Arc;

/// The prefix of a trait's path. All that follows is the trait's key, dots included.
const TRAITS: &str = "traits.";

/// The prefix of the path of an event's custom property.
const PROPERTIES: &str = "properties.";

/// The address of a value in a record. Cheap to clone: each row has the same ones.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FieldPath {
    /// A field of the object itself, such as `name`.
    Field(Arc<str>),
    /// A trait, by its key: `plan`, `vitally.custom.tier`.
    Trait(Arc<str>),
    /// A custom property of an event, by its key: `total`.
    Property(Arc<str>),
}

impl FieldPath {
    /// A path from its text; never fails, since any name may be a trait's.
    pub fn new(text: &str) -> Self {
        match (text.strip_prefix(TRAITS), text.strip_prefix(PROPERTIES)) {
            (Some(key), _) => Self::Trait(key.into()),
            (None, Some(key)) => Self::Property(key.into()),
            (None, None) => Self::Field(text.into()),
        }
    }

    /// The field's name, if this is neither a trait nor a property.
    pub fn as_field(&self) -> Option<&str> {
        if let Self::Field(name) = self { Some(name) } else { None }
    }

    /// The two parts of its text, one behind the other: what kind of path it is, and its name.
    pub fn parts(&self) -> (&'static str, &str) {
        match self {
            Self::Field(name) => ("", name),
            Self::Trait(key) => (TRAITS, key),
            Self::Property(key) => (PROPERTIES, key),
        }
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (prefix, key) = self.parts();
        f.write_str(prefix)?;
        f.write_str(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_in_a_key_belong_to_it() {
        let path = FieldPath::new("traits.vitally.custom.tier");
        assert_eq!(path, FieldPath::Trait("vitally.custom.tier".into()));
        assert_eq!(path.to_string(), "traits.vitally.custom.tier");
    }
}
