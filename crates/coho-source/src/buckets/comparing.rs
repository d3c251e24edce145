//! How a database is asked to compare, whatever its kind: what is asked, what stands for it, which rows are wanted then.
//!
//! [`super::dialect`] has the texts; [`crate::postgres`] and [`crate::mysql`] run them.

use coho_core::digest::{Digest, Hasher};
use tokio::sync::oneshot;

use super::dialect::{Compared, Dialect, Field, Form};
use super::{Chosen, CompareQuery, Moved, SourceSums, Wanted};
use crate::cache_table::CacheTable;
use crate::outline::Layout;
use crate::read::SourceError;

/// A question on its way to a reader, which answers it before it reads.
pub(crate) struct Question {
    pub(crate) ask: CompareQuery,
    pub(crate) told: oneshot::Sender<Result<SourceSums, String>>,
    pub(crate) wanted: oneshot::Receiver<Wanted>,
}

/// What was asked and answered, and which rows are wanted then.
pub(crate) struct Comparing {
    pub(crate) ask: CompareQuery,
    pub(crate) wanted: Wanted,
    /// What the answer took.
    pub(crate) moved: Moved,
    nameless: u64,
}

impl Question {
    /// Answers, and waits to be told which rows are wanted. `None` where the model cannot be compared: then all rows come as
    /// always.
    pub(crate) async fn answer(
        self,
        answer: Result<SourceSums, String>,
        moved: Moved,
    ) -> Result<Option<Comparing>, SourceError> {
        let nameless = answer.as_ref().ok().map(|told| told.nameless);
        self.told.send(answer).map_err(|_| SourceError::Stopped)?;
        let Some(nameless) = nameless else { return Ok(None) };
        let wanted = self.wanted.await.map_err(|_| SourceError::Stopped)?;
        Ok(Some(Comparing { ask: self.ask, wanted, moved, nameless }))
    }
}

impl Comparing {
    /// Whether no row is wanted.
    pub(crate) fn is_of_none(&self) -> bool {
        let none = |chosen: &Chosen| chosen.number() == 0;
        self.nameless == 0 && matches!(&self.wanted, Wanted::Buckets(chosen) if none(chosen))
    }

    /// The buckets whose rows are wanted, where those of all are not.
    pub(crate) fn chosen(&self) -> Option<&Chosen> {
        match &self.wanted {
            Wanted::All => None,
            Wanted::Buckets(chosen) | Wanted::Changed(chosen) => Some(chosen),
        }
    }

    /// The places of these columns in a statement that has `marks` fields, and then only what is read.
    pub(crate) fn place(&self, column: usize, marks: usize) -> usize {
        let place = self.ask.reads.iter().position(|read| *read == column);
        place.map(|place| marks + place).unwrap_or_default()
    }
}

/// A model's query with the columns that are asked for, each with the form of its field.
pub(crate) fn compared<'a>(
    sql: &'a str,
    forms: &[Form],
    layout: &Layout,
    ask: &CompareQuery,
) -> Compared<'a> {
    let field = |at: &usize| {
        let place = *layout.fields.get(*at)?;
        Some(Field { place, form: *forms.get(place)? })
    };
    Compared {
        query: sql.trim_end().trim_end_matches(';'),
        fields: forms.len(),
        names: Vec::new(),
        key: ask.key.iter().filter_map(field).collect(),
        reads: ask.reads.iter().filter_map(field).collect(),
        table: ask.cache.as_ref().map(CacheTable::quoted).unwrap_or_default(),
    }
}

/// What stands for the statements, and for the columns by their names and types.
pub(crate) fn basis(
    dialect: &Dialect,
    layout: &Layout,
    ask: &CompareQuery,
    kind: impl Fn(usize) -> String,
) -> Digest {
    let columns: Vec<_> =
        layout.columns().map(|(column, field)| format!("{}: {}", column.name, kind(field))).collect();
    let of = |at: &usize| columns.get(*at).map(String::as_str).unwrap_or_default();
    let mut hasher = Hasher::new();
    let columns = ask.key.iter().map(of).chain(["reads"]).chain(ask.reads.iter().map(of));
    dialect.texts().for_each(|part| hasher.part(part.as_bytes()));
    columns.for_each(|part| hasher.part(part.as_bytes()));
    hasher.finish()
}

/// A sum of numbers of 64 bits, as far as 64 bits go.
pub(crate) fn half(sum: &str) -> u64 {
    sum.parse::<i128>().ok().and_then(|sum| u64::try_from(sum.rem_euclid(1 << 64)).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::buckets::SourceSum;

    #[test]
    fn sums_are_counted_as_64_bits_have_it() {
        assert_eq!(half("-1"), u64::MAX);
        assert_eq!(half("18446744073709551617"), 1);
        let mut sum = SourceSum::default();
        sum.add(SourceSum { rows: 1, halves: [(-3_i64).cast_unsigned(), 0] });
        sum.add(SourceSum { rows: 1, halves: [i64::MIN.cast_unsigned(), 0] });
        assert_eq!(sum.halves[0], half(&(-3_i128 + i128::from(i64::MIN)).to_string()));
    }
}
