//! Rows that come back to records which were let be: who else had to do with those records meanwhile. A plan asks that of all of
//! them in one join, in the order of its keys.

use std::collections::VecDeque;

use coho_core::key::Key;
use coho_core::row_state::RowState;
use rusqlite::{Connection, params};

use crate::failure::{Fault, LedgerError};
use crate::ledger::Ledger;
use crate::moment::stored;
use crate::row_state::{Page, WIDTH, columns_of};
use crate::scope::SyncScope;

/// How many memories are read at once.
const AT_ONCE: usize = 500;

/// Who had a record meanwhile to which a row returns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Met {
    /// The memories of other keys of the sync.
    pub keys: Vec<RowState>,
    /// Whether other syncs of the workspace remember the record.
    pub syncs: bool,
}

/// The memories that share a record with one that was let be, in the order of the latter's keys. Nothing is read before the first
/// question.
#[derive(Debug, Default)]
pub struct Sharers {
    page: VecDeque<Sharer>,
    /// Whether there is no page behind this one.
    ended: bool,
}

#[derive(Debug)]
struct Sharer {
    /// The key that was let be.
    let_be: String,
    /// The scope of the other memory, and its key.
    place: (i64, Key),
    /// The other memory, where it is of the same sync.
    row_state: Option<RowState>,
}

impl Sharers {
    /// Who else has the record of this key. Keys are asked for in their order. The ledger must be lent to the connection, as
    /// [`Ledger::lend`] does.
    pub fn of(
        &mut self,
        ledger: &Ledger,
        connection: &Connection,
        scope: &SyncScope,
        key: &Key,
    ) -> Result<Met, LedgerError> {
        let (mut met, mut behind) = (Met::default(), None);
        loop {
            while self.page.front().is_some_and(|sharer| sharer.let_be.as_str() <= key.row()) {
                let Some(sharer) = self.page.pop_front().filter(|sharer| sharer.let_be == key.row()) else {
                    continue;
                };
                met.syncs |= sharer.row_state.is_none();
                met.keys.extend(sharer.row_state);
                behind = Some(sharer.place);
            }
            if !self.page.is_empty() || self.ended {
                return Ok(met);
            }
            let page = read(connection, scope, key.row(), behind.as_ref());
            self.page = page.map_err(|fault| fault.on(ledger.named(), "reading row states"))?;
            self.ended = self.page.len() < AT_ONCE;
        }
    }
}

/// From a key that was let be on, of that one only behind this place.
fn read(
    connection: &Connection,
    scope: &SyncScope,
    key: &str,
    behind: Option<&(i64, Key)>,
) -> Result<VecDeque<Sharer>, Fault> {
    let mut statement = connection.prepare_cached(&sharing())?;
    let (of, other, departure) =
        behind.map_or((i64::MIN, "", -1), |(scope, key)| (*scope, key.row(), i64::from(key.departure())));
    let object = scope.object().name();
    let mut rows = statement.query(params![scope.id, key, object, of, other, departure, stored(AT_ONCE)])?;
    let (mut page, mut found) = (Page::default(), VecDeque::new());
    while let Some(row) = rows.next()? {
        page.push(row)?;
        let raw = page.at(found.len());
        let of: i64 = row.get(WIDTH + 1)?;
        let row_state = if of == scope.id { Some(raw.decode()?) } else { None };
        found.push_back(Sharer { let_be: row.get(WIDTH)?, place: (of, raw.whole_key()), row_state });
    }
    Ok(found)
}

/// All of them in the order of their places: those that share the external id, and those of other syncs that share Vitally's.
/// Each is found by its index; SQLite, which knows no sizes, would read whole scopes for each key.
fn sharing() -> String {
    let by = |index: &str, shares: &str| {
        format!(
            "SELECT {}, let_be.key, other.scope
             FROM ledger.memory AS let_be CROSS JOIN ledger.scopes AS others
               CROSS JOIN ledger.memory AS other INDEXED BY {index} ON other.scope = others.id AND {shares}
             WHERE let_be.scope = ?1 AND let_be.key >= ?2 AND let_be.departure = 0 AND let_be.standing = 'released'
               AND others.workspace = (SELECT workspace FROM ledger.scopes WHERE id = ?1) AND others.object = ?3
               AND (others.id <> ?1 OR other.key <> let_be.key)
               AND (let_be.key, other.scope, other.key, other.departure) > (?2, ?4, ?5, ?6)",
            columns_of("other")
        )
    };
    format!(
        "{} UNION ALL {} ORDER BY {}, {}, 1, 2 LIMIT ?7",
        by("memory_by_target", "other.target = let_be.target"),
        by(
            "memory_by_vitally_id",
            "others.id <> ?1 AND substr(other.vitally_id, -12) = substr(let_be.vitally_id, -12)
             AND other.vitally_id = let_be.vitally_id AND other.target <> let_be.target"
        ),
        WIDTH + 1,
        WIDTH + 2,
    )
}
