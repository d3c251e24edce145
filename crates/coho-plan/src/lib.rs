//! What a run would do: rows, read, sorted, compared and evaluated into a plan that is one table.
//!
//! **What it is:** [`plan`] reads a sync's model, joins its rows with the ledger's row states, and gives each key its change and, for a write,
//! an operation. The plan is one [`table`] in a private file, so it can be larger than memory. Evaluation only inserts; each later pass is a
//! few statements over the table; counts are queried at the end. Nothing is sent, and nothing is stored in the ledger.
//!
//! **What it is not:** it carries out nothing and knows no runs. It has no clock and draws no random numbers.
//!
//! **Where to begin:** [`plan`], which has the order of the passes; then [`table`] for what one of its rows is. [`read`], [`sort`] and
//! [`compare`] join rows and row states; `evaluate` decides what they mean; `targets`, `departures`, `agreed` and `guards` (with [`repeats`])
//! are the passes; `summary` summarizes a plan. [`approved`] is a plan that a person approved.
//!
//! ```
//! use coho_core::digest::Digest;
//! use coho_core::key::Key;
//! use coho_core::row::{Cell, RowBuf};
//! use coho_ledger::row_state::RowStates;
//! use coho_plan::compare::{Comparison, Rows, Same};
//! use coho_plan::sort::Sorter;
//!
//! let mut sorter = Sorter::new(1 << 20, &std::env::temp_dir());
//! for name in ["bolt", "acme"] {
//!     let row = RowBuf::from_cells([Cell::Text(name)]);
//!     sorter.push(&Key::new(name), row.fingerprint(&[0]), &row)?;
//! }
//! let same = Same::Count { mapping: Digest::of(b"mapping") };
//! let mut comparison = Comparison::new(sorter.finish()?, RowStates::none(), same);
//! let first = comparison.next().ok_or("two rows")??;
//! assert_eq!(first.key.as_str(), "acme");
//! assert!(first.row_state.is_none() && matches!(first.rows, Rows::One { .. }));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod stop;
pub mod phase;
pub mod sort;
pub mod compare;
pub mod call_costs;
pub mod batches;
pub mod lists;
pub mod table;
pub mod failure;
pub mod planned;
pub mod approved;
pub mod progress;
pub mod adopt;
pub mod first_run;
pub mod job;
mod buckets;
pub mod cache;
mod opening;
mod intake;
pub mod read;
mod evaluate;
mod targets;
mod departures;
mod agreed;
pub mod repeats;
mod guards;
mod types;
pub mod dependents;
mod sums;
mod notes;
mod summary;

use std::collections::BTreeMap;
use std::sync::Arc;

use coho_core::code::Code;
use coho_core::started::Stage;

use crate::agreed::Of;
use crate::failure::PlanError;
use crate::job::Job;
use crate::planned::Planned;
use crate::progress::Step;
use crate::table::Table;

/// Plans one sync.
pub async fn plan(job: Job<'_>) -> Result<Planned, PlanError> {
    let table = Table::new(job.folder, job.stop)?;
    table.open(job.ledger, job.scope)?;
    table.begin()?;
    let read = Box::pin(read::read(&job, &table)).await?;
    passes(job, table, read)
}

/// All that follows the reading, in its order: what a later pass looks at is settled by those before it.
fn passes(mut job: Job<'_>, table: Table, mut read: read::Read) -> Result<Planned, PlanError> {
    let rules = approved::rules(job.sync, &job.workspace, read.mapping.digest());
    let types = std::mem::take(&mut read.types);
    let lineage = std::mem::take(&mut read.lineage);
    let (how, learned, publication) = (read.how.take(), read.learned.take(), read.publication.take());
    job.tell(Step::Began(Stage::Compare, read.number))?;
    let mut passed = evaluate::evaluate_present(&job, &table, read)?;
    job.tell(Step::Began(Stage::Plan, passed.given))?;
    if let Some(approved) = job.approved {
        approved.bring(&table, &job.sync.id, rules, job.stop)?;
    }
    targets::separate(&job, &table, &mut passed.problems)?;
    let mut agreed = agreed::restrict(&job, &table, Of::Writes)?;
    departures::depart(&job, &table)?;
    evaluate::evaluate_absent(&job, &table, &mut passed)?;
    targets::spare(&table)?;
    agreed += agreed::restrict(&job, &table, Of::Rest)?;
    let guards = guards::guard(&job, &table, &mut passed, &types.changes)?;
    departures::stay(&table)?;
    let known = guards::known(&passed);
    let is_other = guards.iter().any(|guard| guard.code == Code::INFERRED_TYPE);
    let types = if is_other { BTreeMap::new() } else { types.now };
    let mut plan = summary::summarize(&job, &table, passed, guards)?;
    plan.notes.extend(how.clone());
    table.commit()?;
    table.close(job.ledger)?;
    Ok(Planned {
        plan,
        table: Arc::new(table),
        rules,
        moment: job.moment,
        known,
        lineage,
        types,
        how,
        learned,
        publication,
        missed: job.approved.map_or(0, |approved| approved.count(&job.sync.id).saturating_sub(agreed)),
        calls: job.held.take().map(|held| held.calls).unwrap_or_default(),
        workspace: job.workspace,
        private: job.private,
    })
}
