//! Recording how rows end that are not sent, by joins with the plan's own file.
//!
//! That file has them in a view `ends`: `seq`, `key`, `fate`, `reason`, `code` and `message`. A fate that stands is not
//! repeated. Fates of rows that were sent are recorded when they are settled, in [`crate::settle`].

use std::ops::RangeInclusive;

use coho_core::memory::Time;
use rusqlite::{Connection, named_params};

use crate::failure::LedgerError;
use crate::lease::Lease;
use crate::ledger::Ledger;
use crate::moment::micros;
use crate::run::Run;
use crate::scope::Scope;
use crate::standing::{SAYS_IT, that_stand};

impl Ledger {
    /// Records the ends of these numbers, in one transaction on the connection of the plan's file.
    pub fn record_ends(
        &self,
        lease: &Lease,
        connection: &Connection,
        run: &Run,
        scope: &Scope,
        ends: RangeInclusive<i64>,
        now: Time,
    ) -> Result<(), LedgerError> {
        let nothing_stands = self.standing(scope, None, 1)?.is_empty();
        let (first, last) = (ends.start(), ends.end());
        self.joined(lease, connection, "recording fates", || {
            if !nothing_stands {
                let lifted = named_params! { ":scope": scope.id, ":first": first, ":last": last };
                connection.prepare_cached(&lift())?.execute(lifted)?;
            }
            let unsaid = if nothing_stands { "TRUE" } else { UNSAID };
            let (run, now) = (run.row, micros(now));
            let told = named_params! { ":run": run, ":scope": scope.id, ":first": first, ":last": last, ":now": now };
            connection.prepare_cached(&tell(unsaid))?.execute(told).map(drop)
        })
    }
}

/// Another fate takes the place of the one that stands.
fn lift() -> String {
    format!(
        "UPDATE ledger.fates SET standing = 0 WHERE id IN (
           SELECT stood.id FROM temp.ends AS told CROSS JOIN ledger.fates AS stood INDEXED BY fates_standing
             ON stood.standing = 1 AND stood.scope = :scope AND stood.key = told.key
           WHERE told.seq BETWEEN :first AND :last AND NOT {SAYS_IT})"
    )
}

/// What stands still says all that there is to say.
const UNSAID: &str = "\
    NOT EXISTS (SELECT 1 FROM ledger.fates AS stood INDEXED BY fates_standing \
      WHERE stood.standing = 1 AND stood.scope = :scope AND stood.key = told.key)";

fn tell(unsaid: &str) -> String {
    format!(
        "INSERT INTO ledger.fates (run, scope, key, fate, reason, code, message, fields, at, standing)
         SELECT :run, :scope, key, fate, reason, code, masked(message), '{{}}', :now, fate IN ({})
         FROM temp.ends AS told WHERE seq BETWEEN :first AND :last AND {unsaid} ORDER BY seq",
        that_stand()
    )
}
