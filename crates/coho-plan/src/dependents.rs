//! Dependents: users that would be deleted with the last account or organization that they are linked to.
//!
//! Vitally deletes a user with its last link (vitally-rest, "Deletes"). A user that a sync holds must not go that way. Whether
//! one would is only certain when a removal's turn comes: until then users may leave, or be linked to other records. So a plan
//! counts such removals, and a run leaves them out before its first removal is sent.

use coho_core::code::Code;
use coho_core::object::Object;
use coho_core::operation::Operation;
use coho_ledger::Ledger;
use coho_ledger::scope::SyncScope;

use crate::failure::PlanError;
use crate::phase::Phase;
use crate::table::{Table, TableError};

/// By which the removals of users' links are found.
const INDEXES: &str = "
    CREATE INDEX IF NOT EXISTS plan_removed ON plan (target) WHERE phase = 3;
    CREATE INDEX IF NOT EXISTS plan_removed_id ON plan (vitally_id) WHERE phase = 3 AND vitally_id IS NOT NULL;";

/// The removals that take a user along: of each user whose links would all be removed the last one, unless another of them is
/// the only link of some user, and so stays.
fn taken(object: Object) -> String {
    let removal = "SELECT min(seq) FROM plan WHERE phase = 3 AND status = 'planned'";
    format!(
        "WITH leaving AS MATERIALIZED (SELECT scope, key, departure, CASE WHEN object <> '{object}' THEN NULL
             WHEN by_id THEN ({removal} AND vitally_id = name) ELSE ({removal} AND target = name) END AS seq
           FROM temp.links),
         sole AS MATERIALIZED (SELECT DISTINCT max(seq) AS seq FROM leaving GROUP BY scope, key, departure
           HAVING count(*) = count(seq) AND min(seq) = max(seq))
         SELECT seq FROM sole
         UNION SELECT max(leaving.seq) FROM leaving LEFT JOIN sole ON sole.seq = leaving.seq
           GROUP BY scope, key, departure HAVING count(*) = count(leaving.seq) AND count(sole.seq) = 0",
        object = object.name()
    )
}

/// Whether users are linked to such records.
fn has_dependents(object: Object) -> bool {
    match object {
        Object::Account | Object::Organization => true,
        Object::User | Object::Event => false,
    }
}

/// How many of the planned removals would take users along that a sync holds now.
pub(crate) fn count(table: &Table, object: Object) -> Result<u64, TableError> {
    if !has_dependents(object) {
        return Ok(0);
    }
    table.batch(INDEXES)?;
    table.number(&format!("SELECT count(*) FROM ({})", taken(object)), [])
}

impl Table {
    /// Leaves out the removals that would take users along.
    pub fn leave_users(&self, ledger: &Ledger, scope: &SyncScope) -> Result<(), PlanError> {
        if !has_dependents(scope.object()) || self.left(Phase::Remove, 0, 1)?.0 == 0 {
            return Ok(());
        }
        self.open(ledger, Some(scope))?;
        let left = self.batch(INDEXES).and_then(|()| {
            let (code, which) = (Code::TAKES_USERS_ALONG, taken(scope.object()));
            let message = "a user that a sync still holds would be deleted with it";
            let sql = format!(
                "UPDATE plan SET status = 'stale', code = '{code}', message = '{message}' WHERE seq IN ({which})"
            );
            self.change(&sql, [])
        });
        self.close(ledger)?;
        Ok(left.map(drop)?)
    }

    /// The next removals behind `after` that were left out so.
    pub fn left_for_users(&self, after: i64, most: usize) -> Result<Vec<(i64, Operation)>, TableError> {
        let which = format!("phase = 3 AND code = '{}'", Code::TAKES_USERS_ALONG);
        self.page(&which, after, most)
    }
}
