//! Rows that come back to records which were let be: what other keys of the sync had to do with those records meanwhile. A plan
//! asks that of all of them in one join, in the order of its keys.

use std::collections::VecDeque;

use coho_core::key::Key;
use coho_core::memory::Memory;
use rusqlite::{Connection, params};

use crate::absent::columns_of;
use crate::failure::{Fault, LedgerError};
use crate::ledger::Ledger;
use crate::memory::{Page, WIDTH};
use crate::moment::stored;
use crate::scope::Scope;

/// How many memories are read at once.
const AT_ONCE: usize = 500;

/// The memories of other keys that share a record with one that was let be, in the order of the latter's keys. Nothing is read
/// before the first question.
#[derive(Debug, Default)]
pub struct Sharers {
    /// The key that was let be, the other one, and what is remembered of that.
    page: VecDeque<(String, Key, Memory)>,
    /// Whether there is no page behind this one.
    ended: bool,
}

impl Sharers {
    /// The memories of other keys that have the record of this one. Keys are asked for in their order. The ledger must be lent to
    /// the connection, as [`Ledger::lend`] does.
    pub fn of(
        &mut self,
        ledger: &Ledger,
        connection: &Connection,
        scope: &Scope,
        key: &Key,
    ) -> Result<Vec<Memory>, LedgerError> {
        let mut found = Vec::new();
        let mut behind = (key.row().to_owned(), None);
        loop {
            while self.page.front().is_some_and(|(let_be, ..)| let_be.as_str() <= key.row()) {
                let Some((let_be, other, memory)) = self.page.pop_front() else { break };
                if let_be == key.row() {
                    behind = (let_be, Some(other));
                    found.push(memory);
                }
            }
            if !self.page.is_empty() || self.ended {
                return Ok(found);
            }
            let page = read(connection, scope, &behind.0, behind.1.as_ref());
            self.page = page.map_err(|fault| fault.on(ledger.path(), "reading memory"))?;
            self.ended = self.page.len() < AT_ONCE;
        }
    }
}

/// From a key that was let be on, of that one only behind the other one.
fn read(
    connection: &Connection,
    scope: &Scope,
    key: &str,
    behind: Option<&Key>,
) -> Result<VecDeque<(String, Key, Memory)>, Fault> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {}, let_be.key FROM ledger.memory AS let_be CROSS JOIN ledger.memory AS other
           ON other.scope = let_be.scope AND other.target = let_be.target AND other.key <> let_be.key
         WHERE let_be.scope = ?1 AND let_be.key >= ?2 AND let_be.departure = 0 AND let_be.standing = 'released'
           AND (let_be.key, other.key, other.departure) > (?2, ?3, ?4)
         ORDER BY let_be.key, other.key, other.departure LIMIT ?5",
        columns_of("other")
    ))?;
    let (other, departure) = behind.map_or(("", -1), |key| (key.row(), i64::from(key.departure())));
    let mut rows = statement.query(params![scope.id, key, other, departure, stored(AT_ONCE)])?;
    let (mut page, mut found) = (Page::default(), VecDeque::new());
    while let Some(row) = rows.next()? {
        page.push(row)?;
        let raw = page.at(found.len());
        found.push_back((row.get(WIDTH)?, raw.whole_key(), raw.decode()?));
    }
    Ok(found)
}
