//! Filters that a program adds to the table of [`super::filters`].
//!
//! The engine knows them by two small traits; `interface` implements those for filters that are written for the `liquid` crate.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::ast::{Literal, Run};
use super::fault::Span;
use super::filters;
use super::token::{self, Kind};

/// The filters that a program adds to those of the dialect. A clone costs nothing.
///
/// With the feature `liquid`, `Filters::with` takes what implements `liquid_core::ParseFilter`.
#[derive(Clone, Default)]
pub struct Filters {
    named: Arc<BTreeMap<String, Arc<dyn Parse>>>,
    revision: Arc<str>,
}

/// Why a filter cannot be added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FilterError {
    /// A template cannot call a filter of this name.
    Name(String),
    /// The dialect has a filter of this name.
    BuiltIn(String),
    /// A filter of this name was added before.
    Twice(String),
}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => write!(
                f,
                "expected a name of letters, digits and `_`, found `{}`",
                coho_core::value::preview(name)
            ),
            Self::BuiltIn(name) => {
                write!(f, "`{name}` is a built-in filter; add yours under another name with `with_name`")
            }
            Self::Twice(name) => {
                write!(
                    f,
                    "a filter `{name}` was added before; add this one under another name with `with_name`"
                )
            }
        }
    }
}

impl std::error::Error for FilterError {}

impl fmt::Debug for Filters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.names().collect();
        f.debug_struct("Filters")
            .field("names", &names)
            .field("revision", &self.revision)
            .finish_non_exhaustive()
    }
}

impl Filters {
    /// No filters besides those of the dialect.
    pub fn new() -> Self {
        Self::default()
    }

    /// The names of the filters that were added, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.named.keys().map(String::as_str)
    }

    /// Says which revision of the filters this is. Coho cannot see that a filter's code changed: with another revision, each row
    /// is rendered again whose mapping calls one of them.
    #[must_use]
    pub fn revision(mut self, revision: &str) -> Self {
        self.revision = revision.into();
        self
    }

    /// What [`Filters::revision`] said; empty if it said nothing.
    pub fn revised(&self) -> &str {
        &self.revision
    }

    pub(crate) fn get(&self, name: &str) -> Option<&dyn Parse> {
        self.named.get(name).map(|filter| &**filter)
    }

    /// The same with one more.
    #[cfg_attr(not(feature = "liquid"), expect(dead_code, reason = "filters come through the interface"))]
    pub(crate) fn insert(mut self, name: &str, filter: Arc<dyn Parse>) -> Result<Self, FilterError> {
        let tokens = token::tokens(name, Span::new(0, name.len())).unwrap_or_default();
        if !matches!(tokens.as_slice(), [one] if one.kind == Kind::Name && one.span.of(name) == name) {
            return Err(FilterError::Name(name.to_owned()));
        }
        if filters::find(name).is_some() {
            return Err(FilterError::BuiltIn(name.to_owned()));
        }
        if Arc::make_mut(&mut self.named).insert(name.to_owned(), filter).is_some() {
            return Err(FilterError::Twice(name.to_owned()));
        }
        Ok(self)
    }
}

/// A filter that was added.
pub(crate) trait Parse: Send + Sync {
    /// Checks the arguments of one call, or says what is wrong with them.
    fn parse(&self, arguments: &[Argument<'_>]) -> Result<Box<dyn Run>, String>;
}

/// An argument as the template has it.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(not(feature = "liquid"), expect(dead_code, reason = "the interface reads them"))]
pub(crate) struct Argument<'s> {
    /// Its name, where it is given by name. Those by place come first.
    pub(crate) name: Option<&'s str>,
    /// Its value, where the template spells it.
    pub(crate) literal: Option<&'s Literal>,
}
