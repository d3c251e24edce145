//! Opening a ledger: new, older, newer, foreign, and in places where none can be.

use coho_core::failure::Failure as _;
use std::fs;
use std::path::Path;

use coho_core::key::Key;
use coho_core::object::Object;
use coho_core::row_state::DeliveryState;
use coho_core::sync::SyncId;
use coho_core::target::VitallyId;
use coho_ledger::history::RowFilter;
use coho_ledger::run::RunId;
use coho_ledger::schema::VERSION;
use coho_ledger::{Access, Create, Ledger, LedgerError, OpenError, Opening};
use rusqlite::Connection;

use super::stage::{Stage, TTL, Tested, at, delivered, holder};

/// The schema as version 1 was released, with one delivered account.
const V1: &str = include_str!("../../fixtures/schema/v1.sql");

/// The schema as version 2 was released, with a sync that ran, one that did not, and an anchor of before tokens were told.
const V2: &str = include_str!("../../fixtures/schema/v2.sql");

/// Every schema that was ever committed.
pub(super) const OLDER: [(&str, &str); 14] = [
    ("v1-first", include_str!("../../fixtures/schema/v1-first.sql")),
    ("v1", V1),
    ("v2-first", include_str!("../../fixtures/schema/v2-first.sql")),
    ("v2", V2),
    ("v3", include_str!("../../fixtures/schema/v3.sql")),
    ("v4", include_str!("../../fixtures/schema/v4.sql")),
    ("v5", include_str!("../../fixtures/schema/v5.sql")),
    ("v6", include_str!("../../fixtures/schema/v6.sql")),
    ("v7", include_str!("../../fixtures/schema/v7.sql")),
    ("v8", include_str!("../../fixtures/schema/v8.sql")),
    ("v9", include_str!("../../fixtures/schema/v9.sql")),
    ("v10", include_str!("../../fixtures/schema/v10.sql")),
    ("v11", include_str!("../../fixtures/schema/v11.sql")),
    ("v12", include_str!("../../fixtures/schema/v12.sql")),
];

#[test]
fn a_new_ledger_is_private_and_so_is_its_folder() -> Tested {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join(".coho/ledger.db");
    let ledger = Ledger::open(&path, &Opening::new(at(0)))?;
    let _lease = ledger.acquire(&holder("a"), at(0), TTL)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path| fs::metadata(path).map(|found| found.permissions().mode() & 0o777);
        assert_eq!(mode(path.clone())?, 0o600);
        assert_eq!(mode(folder.path().join(".coho/ledger.db-wal"))?, 0o600);
        assert_eq!(mode(folder.path().join(".coho/ledger.db.lock"))?, 0o600);
        assert_eq!(mode(folder.path().join(".coho"))?, 0o700);
    }
    Ok(())
}

#[test]
fn an_older_ledger_is_copied_and_brought_up_to_date() -> Tested {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("ledger.db");
    Connection::open(&path)?.execute_batch(V1)?;
    let ledger = Ledger::open(&path, &Opening::new(at(0)))?;
    let scope =
        ledger.find_scope("production", &SyncId::new("accounts"), Object::Account)?.ok_or("no scope")?;
    let row_state = ledger.row_state(&scope, &Key::new("1"))?.ok_or("no memory")?;
    assert!(matches!(row_state.delivery, DeliveryState::Delivered { n: 2, .. }));
    let now = Connection::open(&path)?;
    assert_eq!(version(&now)?, VERSION);
    let taken: i64 = now.query_row("SELECT taken_at FROM steps WHERE version = 2", [], |row| row.get(0))?;
    assert_eq!(taken, at(0).timestamp_micros());

    let copy = folder.path().join("ledger.db.v1.bak");
    let kept = Connection::open(&copy)?;
    assert_eq!(version(&kept)?, 1);
    assert_eq!(kept.query_row("SELECT count(*) FROM memory", [], |row| row.get::<_, i64>(0))?, 1);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&copy)?.permissions().mode() & 0o777, 0o600);
    }
    Ok(())
}

/// Table, column, type, whether it may not be null, and its place in the primary key.
type Column = (String, String, String, bool, i64);

/// Every column of every table and view.
fn columns(path: &Path) -> rusqlite::Result<Vec<Column>> {
    let connection = Connection::open(path)?;
    let mut statement = connection.prepare(
        r#"SELECT s.name, c.name, c.type, c."notnull", c.pk FROM sqlite_schema AS s, pragma_table_info(s.name) AS c
           ORDER BY s.name, c.cid"#,
    )?;
    let rows = statement
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)))?;
    rows.collect()
}

#[test]
fn a_ledger_that_was_brought_up_to_date_is_like_a_new_one() -> Tested {
    let folder = tempfile::tempdir()?;
    let newer = folder.path().join("newer.db");
    Ledger::open(&newer, &Opening::new(at(0)))?;
    for (name, schema) in OLDER {
        let older = folder.path().join(name);
        Connection::open(&older)?.execute_batch(schema)?;
        Ledger::open(&older, &Opening::new(at(0)))?;
        assert_eq!(columns(&older)?, columns(&newer)?, "{name}");
    }
    Ok(())
}

#[test]
fn the_first_run_of_a_sync_that_remembers_something_is_done() -> Tested {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("ledger.db");
    Connection::open(&path)?.execute_batch(V2)?;
    let ledger = Ledger::open(&path, &Opening::new(at(5)))?;
    assert_eq!(version(&Connection::open(folder.path().join("ledger.db.v2.bak"))?)?, 2);
    assert_eq!(version(&Connection::open(&path)?)?, VERSION);
    let scope = |sync, object| ledger.find_scope("production", &SyncId::new(sync), object);
    let accounts = scope("accounts", Object::Account)?.ok_or("no scope")?;
    let users = scope("users", Object::User)?.ok_or("no scope")?;
    assert_eq!((ledger.first_run(&accounts)?, ledger.first_run(&users)?), (Some(at(1)), None));
    Ok(())
}

#[test]
fn nothing_is_lost_on_the_way_to_the_newest_schema() -> Tested {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("ledger.db");
    Connection::open(&path)?.execute_batch(V2)?;
    let ledger = Ledger::open(&path, &Opening::new(at(5)))?;
    let accounts =
        ledger.find_scope("production", &SyncId::new("accounts"), Object::Account)?.ok_or("no scope")?;
    let row_state = ledger.row_state(&accounts, &Key::new("1"))?.ok_or("no memory")?;
    assert!(matches!(row_state.delivery, DeliveryState::Delivered { n: 2, .. }));
    assert_eq!(ledger.holder_of_id(&accounts, &VitallyId::new("v-1"))?, [Key::new("1")]);
    let (run, key) = (RunId::new("r1"), Key::new("1"));
    assert_eq!(ledger.rows(&accounts, &RowFilter::default(), 9)?.len(), 1);
    assert_eq!(ledger.calls(&accounts, &run, Some(&key), 9)?.len(), 1);
    // The token that it was read with is not known, so it holds nothing.
    assert_eq!(ledger.fingerprint("production")?, None);
    let shown = Connection::open(&path)?
        .query_row("SELECT status FROM sync_changelog", [], |row| row.get::<_, String>(0))?;
    assert_eq!(shown, "succeeded");
    Ok(())
}

#[test]
fn a_ledger_in_use_is_not_brought_up_to_date() -> Tested {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("ledger.db");
    Connection::open(&path)?.execute_batch(V1)?;
    let lock = fs::File::create(folder.path().join("ledger.db.lock"))?;
    lock.try_lock()?;
    assert!(matches!(Ledger::open(&path, &Opening::new(at(0))), Err(OpenError::Locked { .. })));
    drop(lock);
    Ledger::open(&path, &Opening::new(at(0)))?;
    Ok(())
}

#[test]
fn a_newer_ledger_is_refused_and_left_alone() -> Tested {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("ledger.db");
    drop(Ledger::open(&path, &Opening::new(at(0)))?);
    Connection::open(&path)?.pragma_update(None, "user_version", VERSION + 1)?;
    let error = Ledger::open(&path, &Opening::new(at(0))).err().ok_or("it opened")?;
    let told = format!("has schema {}, but this version of Coho supports only {VERSION}", VERSION + 1);
    assert!(error.to_string().contains(&told), "{error}");
    assert_eq!(error.help().as_deref(), Some("use the version of Coho that wrote it, or a newer one"));
    assert_eq!(version(&Connection::open(&path)?)?, VERSION + 1);
    Ok(())
}

#[test]
fn what_is_no_ledger_is_refused_by_its_name() -> Tested {
    let folder = tempfile::tempdir()?;
    let open = |name: &str| Ledger::open(&folder.path().join(name), &Opening::new(at(0)));
    fs::write(folder.path().join("text"), "id,name\n".repeat(200))?;
    assert!(matches!(open("text"), Err(OpenError::NotSqlite { .. })));
    Connection::open(folder.path().join("other"))?.execute_batch("CREATE TABLE notes (text TEXT)")?;
    assert!(matches!(open("other"), Err(OpenError::Foreign { .. })));
    fs::create_dir(folder.path().join("folder"))?;
    assert!(matches!(open("folder"), Err(OpenError::IsFolder { .. })));
    assert!(matches!(open("text/ledger.db"), Err(OpenError::Unreadable { .. } | OpenError::Folder { .. })));
    Ok(())
}

#[test]
fn an_empty_file_is_one_that_a_crash_left() -> Tested {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("ledger.db");
    fs::write(&path, "")?;
    let read_only = Opening { access: Access::ReadOnly, ..Opening::new(at(0)) };
    assert!(matches!(Ledger::open(&path, &read_only), Err(OpenError::Missing { .. })));
    Ledger::open(&path, &Opening::new(at(0)))?;
    Ok(())
}

#[test]
fn none_is_made_where_none_is_wanted() -> Tested {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("ledger.db");
    let opening = Opening { create: Create::No, ..Opening::new(at(0)) };
    assert!(matches!(Ledger::open(&path, &opening), Err(OpenError::Missing { .. })));
    assert!(!path.exists());
    Ok(())
}

#[test]
fn a_temporary_ledger_leaves_nothing() -> Tested {
    let ledger = Ledger::temporary(at(0))?;
    let path = ledger.path().to_owned();
    assert!(path.exists());
    drop(ledger);
    assert!(!path.exists());
    Ok(())
}

#[test]
fn reading_only_writes_nothing() -> Tested {
    let stage = Stage::new()?;
    stage.write("1", Some(delivered("1")?))?;
    let reader = Ledger::open(&stage.path(), &Opening { access: Access::ReadOnly, ..Opening::new(at(0)) })?;
    assert!(reader.row_state(&stage.scope, &Key::new("1"))?.is_some());
    let written = reader.write(&stage.lease, &stage.scope, &[(Key::new("1"), None)], at(2));
    assert!(matches!(written, Err(LedgerError::ReadOnly { .. })));
    Ok(())
}

fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}
