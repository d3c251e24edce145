//! Rows on their way from the source to the sorter: counted, and told from those that are as they were.

use coho_core::digest::Digest;
use coho_core::key::{Key, KeyError};
use coho_core::lineage::Lineage;
use coho_core::plan::{ProblemCounts, count_problem};
use coho_core::row::{Fingerprinter, RowBuf};
use coho_core::started::Stage;
use coho_ledger::buckets::LearnedBuckets;
use coho_ledger::row_state::RowStates;
use coho_mapping::Mapping;

use crate::cache::Publication;
use crate::compare::KnownRows;
use crate::failure::PlanError;
use crate::job::Job;
use crate::opening::{Opened, key_problem};
use crate::progress::Step;
use crate::sort::{Sorted, Sorter};
use crate::table::Table;
use crate::types::Types;

/// How much memory the rows of one sync may take before they spill to disk.
const SORT_BUDGET: usize = 16 << 20;

/// A model's rows in the order of their keys.
pub(crate) struct Read {
    pub(crate) mapping: Mapping,
    pub(crate) rows: Sorted,
    /// What was remembered when the reading began.
    pub(crate) row_states: RowStates,
    /// Rows that are as they were, which are not among the sorted ones.
    pub(crate) known: KnownRows,
    /// The types of a file's columns.
    pub(crate) types: Types,
    /// Of which columns each field is made.
    pub(crate) lineage: Lineage,
    /// How many rows there were.
    pub(crate) number: u64,
    /// How many of them have no key.
    pub(crate) nameless: u64,
    /// What is wrong with those.
    pub(crate) problems: ProblemCounts,
    /// How the difference was computed, where that is worth telling.
    pub(crate) how: Option<String>,
    /// What was learned of the source's buckets.
    pub(crate) learned: Option<LearnedBuckets>,
    /// What is to be written to the source's cache.
    pub(crate) publication: Option<Publication>,
}

/// What a reading says besides its rows.
pub(crate) struct Taught {
    pub(crate) how: Option<String>,
    pub(crate) learned: Option<LearnedBuckets>,
    pub(crate) publication: Option<Publication>,
}

/// Takes rows while they are read.
pub(crate) struct Intake<'a> {
    sorter: Sorter,
    known: KnownRows,
    fingerprints: Fingerprinter,
    table: &'a Table,
    /// How many rows were read.
    pub(crate) read: u64,
    nameless: u64,
    problems: ProblemCounts,
}

impl<'a> Intake<'a> {
    pub(crate) fn of(job: &Job<'_>, table: &'a Table, mapping: &Mapping, known: KnownRows) -> Self {
        Self {
            known,
            fingerprints: Fingerprinter::new(mapping.reads()),
            sorter: Sorter::new(SORT_BUDGET, job.folder).until(job.stop),
            table,
            read: 0,
            nameless: 0,
            problems: ProblemCounts::new(),
        }
    }

    /// Takes rows in the order in which the source gives them.
    pub(crate) fn take(&mut self, job: &Job<'_>, opened: &Opened, rows: &[RowBuf]) -> Result<(), PlanError> {
        let mut keyed = Vec::with_capacity(rows.len());
        for row in rows {
            let key = Key::of(row, &opened.key);
            if let (Some(wanted), found) = (&job.filter.key, &key)
                && found.as_ref().ok() != Some(wanted)
            {
                continue;
            }
            if job.sync.matching.email().is_some()
                && let Ok(email) = opened.mapping.email(row)
            {
                self.table.see_address(&email)?;
            }
            self.read += 1;
            match key {
                Ok(key) => keyed.push((key, self.fingerprints.of(row), row)),
                Err(error) => self.nameless(&error),
            }
        }
        let met = self.known.meets_all(keyed.iter().map(|(key, fingerprint, _)| (key, *fingerprint)));
        for ((key, fingerprint, row), _) in keyed.iter().zip(met).filter(|(_, met)| !met) {
            self.sorter.push(key, *fingerprint, row)?;
        }
        Ok(())
    }

    fn nameless(&mut self, error: &KeyError) {
        self.nameless += 1;
        count_problem(&mut self.problems, None, &key_problem(error));
    }

    /// Takes a row whose key and fingerprint are known.
    pub(crate) fn keyed(
        &mut self,
        key: Result<Key, KeyError>,
        fingerprint: Digest,
        row: &RowBuf,
    ) -> Result<(), PlanError> {
        self.read += 1;
        match key {
            Ok(key) => {
                if !self.known.meets(&key, fingerprint) {
                    self.sorter.push(&key, fingerprint, row)?;
                }
            }
            Err(error) => self.nameless(&error),
        }
        Ok(())
    }

    /// Takes a key that is known to have no row.
    pub(crate) fn gone(&mut self, key: &Key) -> Result<(), PlanError> {
        Ok(self.sorter.push(key, Digest::from_bytes([0; 16]), &RowBuf::default())?)
    }

    /// All that was taken, sorted, with so many rows that were not read.
    pub(crate) fn sorted(
        self,
        job: &Job<'_>,
        opened: Opened,
        row_states: RowStates,
        unread: u64,
        taught: Taught,
    ) -> Result<Read, PlanError> {
        let Self { sorter, known, read, nameless, problems, .. } = self;
        let Opened { mapping, types, lineage, .. } = opened;
        let Taught { how, learned, publication } = taught;
        let number = read + unread;
        job.tell(Step::Began(Stage::Sort, number))?;
        let rows = sorter.finish()?;
        Ok(Read {
            mapping,
            rows,
            row_states,
            known: known.done(),
            types,
            lineage,
            number,
            nameless,
            problems,
            how,
            learned,
            publication,
        })
    }
}
