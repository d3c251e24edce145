//! A glance at an answer: whether it shows a record, without reading all that the record holds. The pace of calls and their repeats ask
//! that of each answer; the exchange then reads it whole, with [`super::reading`].

use std::fmt;

use coho_core::json::Json;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Map;

/// The members that tell whether an object is a record.
const TELLING: [&str; 4] = ["id", "error", "errors", "success"];

/// Those members of an object that tell whether it is a record; `None` where the text is not an object.
pub(crate) fn telling(body: &str) -> Option<Map<String, Json>> {
    let mut reader = serde_json::Deserializer::from_str(body);
    let members = reader.deserialize_map(Members).ok()?;
    reader.end().ok()?;
    Some(members)
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Map<String, Json>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut told = Map::new();
        while let Some(name) = members.next_key_seed(Name)? {
            match name {
                Some(name) => drop(told.insert(name.to_owned(), members.next_value()?)),
                None => drop(members.next_value::<IgnoredAny>()?),
            }
        }
        Ok(told)
    }
}

/// A name, if it is one of [`TELLING`].
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Option<&'static str>;

    fn deserialize<D: Deserializer<'de>>(self, name: D) -> Result<Self::Value, D::Error> {
        name.deserialize_str(self)
    }
}

impl Visitor<'_> for Name {
    type Value = Option<&'static str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(TELLING.into_iter().find(|telling| *telling == name))
    }
}
