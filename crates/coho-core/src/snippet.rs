//! Snippets: templates that other templates render by name. In a project they are the files `templates/NAME.liquid`.

use std::collections::BTreeMap;
use std::sync::Arc;

/// A snippet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snippet {
    /// Its text.
    pub text: String,
    /// Its file, for places.
    pub file: Arc<str>,
}

/// All snippets that there are, by name. A clone costs nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snippets(Arc<BTreeMap<String, Snippet>>);

impl Snippets {
    /// The snippet of this name.
    pub fn get(&self, name: &str) -> Option<&Snippet> {
        self.0.get(name)
    }

    /// Their names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

impl FromIterator<(String, Snippet)> for Snippets {
    fn from_iter<T: IntoIterator<Item = (String, Snippet)>>(named: T) -> Self {
        Self(Arc::new(named.into_iter().collect()))
    }
}
