//! The SQL function `masked`, through which every text goes that the ledger keeps of what was said: a server may repeat a
//! request with its token, and a driver the address with its password.

use coho_core::secret::Masker;
use rusqlite::Connection;
use rusqlite::functions::FunctionFlags;
use rusqlite::types::ValueRef;

/// Teaches a connection which secrets there are. Before that it knows only what begins as Vitally's tokens do.
pub(crate) fn teach(connection: &Connection, masker: Masker) -> rusqlite::Result<()> {
    let flags =
        FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_DIRECTONLY;
    connection.create_scalar_function("masked", 1, flags, move |context| {
        Ok(match context.get_raw(0) {
            ValueRef::Text(bytes) => Some(masker.mask(&String::from_utf8_lossy(bytes)).into_owned()),
            ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_) | ValueRef::Blob(_) => None,
        })
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use coho_core::decide::RunKind;
    use coho_core::secret::Secret;
    use coho_core::started::Started;
    use coho_core::time::Time;

    use super::*;
    use crate::lease::Holder;
    use crate::ledger::Ledger;
    use crate::run::{RunEnding, RunId, RunStatus};

    #[test]
    fn what_is_kept_of_an_error_has_no_secret() {
        let now = Time::UNIX_EPOCH;
        let ledger = Ledger::temporary(now).unwrap();
        ledger.mask(&Masker::new(&[Secret::new("hush-hush-hush")])).unwrap();
        let holder = Holder { id: "a".into(), pid: 1, host: "a".into() };
        let lease = ledger.acquire(&holder, now, Duration::from_secs(60)).unwrap();
        let id = RunId::new("1");
        let run = ledger.begin_run(&lease, &id, RunKind::Sync, &Started::default(), now).unwrap();
        let error = Some("Basic aHVzaC1odXNoLWh1c2g6 and sk_live_1 and hush-hush-hush".to_owned());
        ledger.end_run(&lease, &run, &RunEnding { status: RunStatus::Failed, error, at: now }).unwrap();
        let kept = ledger.run(&id).unwrap().and_then(|run| run.error);
        assert_eq!(kept.as_deref(), Some("Basic *** and *** and ***"));
    }
}
