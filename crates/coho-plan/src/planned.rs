//! A plan that is made.

use std::collections::BTreeMap;
use std::sync::Arc;

use coho_core::digest::Digest;
use coho_core::lineage::Lineage;
use coho_core::plan::SyncPlan;
use coho_core::private::Private;
use coho_core::time::Time;
use coho_core::verdict::Call;
use coho_ledger::buckets::LearnedBuckets;

use crate::cache::Publication;
use crate::table::list::{PlanRow, Which};
use crate::table::{Table, TableError};

/// A sync's plan with its operations.
#[derive(Debug)]
pub struct Planned {
    /// Counts and examples.
    pub plan: SyncPlan,
    /// Operations and notes.
    pub table: Arc<Table>,
    /// Stands for all that decides what rows become and how they are sent.
    pub rules: Digest,
    /// The time that templates read.
    pub moment: Time,
    /// The workspace that it is for.
    pub workspace: String,
    /// Records that were delivered before, or are taken to be there.
    pub known: u64,
    /// Of which columns each field is made.
    pub lineage: Lineage,
    /// The types that columns of a file were taken for, to be remembered by their names; none where they are others than before.
    pub types: BTreeMap<String, String>,
    /// How the difference was computed, or what reading cost, where that is worth telling.
    pub how: Option<String>,
    /// What was learned of the source's buckets, to be remembered.
    pub learned: Option<LearnedBuckets>,
    /// What is to be written to the source's cache once the run is over.
    pub publication: Option<Publication>,
    /// What is hidden from people of the records.
    pub private: Private,
    /// Operations that an approved plan has, and that are not due.
    pub missed: u64,
    /// The calls that planning took: what Vitally holds was listed.
    pub calls: Vec<Call>,
}

impl Planned {
    /// The next rows behind `after`, in the order of the plan, without the values that are hidden from people.
    pub fn list(&self, which: Which, after: i64, most: usize) -> Result<Vec<PlanRow>, TableError> {
        let mut rows = self.table.list(which, after, most)?;
        for row in &mut rows {
            row.differences = self.private.differences(std::mem::take(&mut row.differences));
        }
        Ok(rows)
    }
}
