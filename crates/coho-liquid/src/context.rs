//! What a template is rendered with: a row, or free values, and what is known of the sync and the run.

use chrono::{DateTime, Utc};
use coho_core::row::Row;
use coho_core::value::Value;

use super::branches::Watch;

/// The values of one rendering, borrowed.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    pub(crate) values: Values<'a>,
    pub(crate) sync: Option<&'a Value>,
    pub(crate) run: Option<&'a Value>,
    pub(crate) now: Option<DateTime<Utc>>,
    pub(crate) watch: Option<&'a Watch>,
}

#[derive(Clone, Copy)]
pub(crate) enum Values<'a> {
    /// A row of the columns that the template was compiled against.
    Row(&'a dyn Row),
    /// Members of objects: names are looked up in the first, then in the second, which is also `row`.
    Free { named: Option<&'a Value>, row: Option<&'a Value> },
}

impl<'a> Context<'a> {
    /// A row of the columns that the template was compiled against.
    pub fn row(row: &'a dyn Row) -> Self {
        Self::of(Values::Row(row))
    }

    /// An object whose members are the template's names.
    pub fn free(named: &'a Value) -> Self {
        Self::of(Values::Free { named: Some(named), row: None })
    }

    /// An object that is the row: `row.name`, `row['name']` and `name` are its members. If the template was compiled against
    /// columns, they are the object's members in their order.
    pub fn row_object(row: &'a Value) -> Self {
        Self::of(Values::Free { named: None, row: Some(row) })
    }

    /// Both: names are looked up in the first object, then in the row.
    pub fn free_with_row(named: &'a Value, row: &'a Value) -> Self {
        Self::of(Values::Free { named: Some(named), row: Some(row) })
    }

    fn of(values: Values<'a>) -> Self {
        Self { values, sync: None, run: None, now: None, watch: None }
    }

    /// What `sync` is.
    #[must_use]
    pub fn sync(mut self, sync: &'a Value) -> Self {
        self.sync = Some(sync);
        self
    }

    /// What `run` is.
    #[must_use]
    pub fn run(mut self, run: &'a Value) -> Self {
        self.run = Some(run);
        self
    }

    /// What time `'now' | date` shows. Without it, asking for it is a problem.
    #[must_use]
    pub fn at(mut self, now: DateTime<Utc>) -> Self {
        self.now = Some(now);
        self
    }

    /// Who notes the branches that are taken.
    #[must_use]
    pub fn watch(mut self, watch: &'a Watch) -> Self {
        self.watch = Some(watch);
        self
    }
}
