//! What a template is compiled against, and what it reads of that.

use std::collections::BTreeSet;

use coho_core::row::Columns;
use coho_core::snippet::Snippets;

use super::added::Filters;
use super::settings::TemplateSettings;

/// What a template is compiled against.
#[derive(Clone, Debug, Default)]
pub struct CompileScope {
    /// The row's columns. Without them any name may be defined, and only rendering tells.
    pub columns: Option<Columns>,
    /// How it is read.
    pub settings: TemplateSettings,
    /// What it may render by name.
    pub snippets: Snippets,
    /// The filters that it may call besides those of the dialect.
    pub filters: Filters,
}

impl CompileScope {
    /// A scope for rows of these columns.
    pub fn columns(columns: &Columns) -> Self {
        Self { columns: Some(columns.clone()), ..Self::default() }
    }

    /// A scope for values of any names.
    pub fn free() -> Self {
        Self::default()
    }

    /// The same with these snippets.
    #[must_use]
    pub fn snippets(mut self, snippets: &Snippets) -> Self {
        self.snippets = snippets.clone();
        self
    }

    /// The same with these filters besides those of the dialect.
    #[must_use]
    pub fn filters(mut self, filters: &Filters) -> Self {
        self.filters = filters.clone();
        self
    }

    /// The same, read otherwise.
    #[must_use]
    pub fn settings(mut self, settings: TemplateSettings) -> Self {
        self.settings = settings;
        self
    }
}

/// The columns that a template reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reads {
    /// These, by their places in the model's columns.
    Columns(BTreeSet<usize>),
    /// Perhaps any of them: it names a column only when it is rendered, or takes the row as a whole.
    All,
}
