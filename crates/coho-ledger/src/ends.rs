//! Recording how rows end that are not sent, by joins with the plan's own file.
//!
//! That file has them in a view `ends`: `seq`, `key`, `status`, `reason`, `code` and `message`. A status that stands is not
//! repeated. Statuses of rows that were sent are recorded when they are settled, in [`crate::settle`].

use std::ops::RangeInclusive;

use coho_core::time::Time;
use rusqlite::{Connection, named_params};

use crate::failure::LedgerError;
use crate::lease::Lease;
use crate::ledger::Ledger;
use crate::moment::micros;
use crate::run::Run;
use crate::scope::SyncScope;
use crate::standing::{SAYS_IT, that_stand};

impl Ledger {
    /// Records the ends of these numbers, in one transaction on the connection of the plan's file.
    pub fn record_ends(
        &self,
        lease: &Lease,
        connection: &Connection,
        run: &Run,
        scope: &SyncScope,
        ends: RangeInclusive<i64>,
        now: Time,
    ) -> Result<(), LedgerError> {
        let nothing_stands = self.standing(scope, None, 1)?.is_empty();
        let (first, last) = (ends.start(), ends.end());
        self.joined(lease, connection, "recording statuses", || {
            if !nothing_stands {
                let lifted = named_params! { ":scope": scope.id, ":first": first, ":last": last };
                connection.prepare_cached(&lift())?.execute(lifted)?;
            }
            let unsaid = if nothing_stands { "TRUE" } else { UNSAID };
            let (run, now) = (run.row, micros(now));
            connection.execute_batch(CAUSED)?;
            let of_these = named_params! { ":first": first, ":last": last };
            connection.prepare_cached(&find_causes())?.execute(of_these)?;
            let caused = named_params! { ":run": run, ":scope": scope.id, ":now": now };
            connection.prepare_cached(CAUSE)?.execute(caused)?;
            let told = named_params! { ":run": run, ":scope": scope.id, ":first": first, ":last": last, ":now": now };
            connection.prepare_cached(&tell(unsaid))?.execute(told).map(drop)
        })
    }
}

/// Another status takes the place of the one that stands.
fn lift() -> String {
    format!(
        "UPDATE ledger.fates SET standing = 0 WHERE id IN (
           SELECT stood.id FROM temp.ends AS told CROSS JOIN ledger.fates AS stood INDEXED BY fates_standing
             ON stood.standing = 1 AND stood.scope = :scope AND stood.key = told.key
           WHERE told.seq BETWEEN :first AND :last AND NOT {SAYS_IT})"
    )
}

/// What each of them failed of, while they are recorded: it is put together from their messages, once.
const CAUSED: &str = "\
    CREATE TEMP TABLE IF NOT EXISTS caused (seq INTEGER PRIMARY KEY, code TEXT NOT NULL, message TEXT NOT NULL); \
    DELETE FROM temp.caused;";

fn find_causes() -> String {
    format!(
        "INSERT INTO temp.caused (seq, code, message)
         SELECT seq, coalesce(code, ''), cause_message(code, masked(message))
         FROM temp.ends WHERE seq BETWEEN :first AND :last AND status IN ({})",
        that_stand()
    )
}

/// What they failed of, as [`crate::cause`] does it for one.
const CAUSE: &str = "\
    INSERT INTO ledger.causes AS known (scope, code, message, first_at, last_at)
    SELECT DISTINCT :scope, code, message, :now, :now FROM temp.caused WHERE TRUE
    ON CONFLICT (scope, code, message) DO UPDATE SET last_at = max(known.last_at, excluded.last_at),
      back_in = CASE WHEN known.healed_at IS NULL THEN known.back_in ELSE :run END, healed_at = NULL";

/// What stands still says all that there is to say.
const UNSAID: &str = "\
    NOT EXISTS (SELECT 1 FROM ledger.fates AS stood INDEXED BY fates_standing \
      WHERE stood.standing = 1 AND stood.scope = :scope AND stood.key = told.key)";

fn tell(unsaid: &str) -> String {
    let stands = that_stand();
    format!(
        "INSERT INTO ledger.fates (run, scope, key, fate, reason, code, message, fields, at, standing, cause)
         SELECT :run, :scope, key, status, reason, code, masked(message), '{{}}', :now, status IN ({stands}),
           (SELECT cause.id FROM temp.caused JOIN ledger.causes AS cause ON cause.scope = :scope
             AND cause.code = caused.code AND cause.message = caused.message WHERE caused.seq = told.seq)
         FROM temp.ends AS told WHERE seq BETWEEN :first AND :last AND {unsaid} ORDER BY seq"
    )
}
