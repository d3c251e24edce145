//! Records that rows left: a column of their own, and the texts by which older ledgers told them.

use coho_core::key::Key;
use coho_core::object::Object;
use coho_core::sync::SyncId;
use coho_ledger::{Ledger, Opening};
use rusqlite::{Connection, params};

use super::stage::{Stage, Tested, at, delivered, target};

const V2: &str = include_str!("../../fixtures/schema/v2.sql");

#[test]
fn a_row_may_be_called_like_a_departure() -> Tested {
    let stage = Stage::new()?;
    let (row, departed) = (Key::new("acme (was foo)"), Key::departed("acme", 1, "foo"));
    let row_states =
        [("row", row.clone()), ("foo", departed.clone())].map(|(id, key)| Ok((key, Some(delivered(id)?))));
    let row_states = row_states.into_iter().collect::<Result<Vec<_>, Box<dyn std::error::Error>>>()?;
    stage.ledger.write(&stage.lease, &stage.scope, &row_states, at(1))?;
    let target_of = |key| {
        stage.ledger.row_state(&stage.scope, key).map(|row_state| row_state.map(|row_state| row_state.target))
    };
    assert_eq!(target_of(&row)?, Some(target("row")?));
    assert_eq!(target_of(&departed)?, Some(target("foo")?));
    Ok(())
}

#[test]
fn departures_come_right_after_their_row() -> Tested {
    let stage = Stage::new()?;
    let keys = [
        Key::new("a"),
        Key::departed("a", 1, "x"),
        Key::departed("a", 2, "y"),
        Key::new("a (was x)"),
        Key::departed("b", 3, "z"),
    ];
    for key in keys.iter().rev() {
        let id =
            if key.is_departed() { key.as_str().trim_end_matches(')').rsplit(' ').next() } else { Some("1") };
        let row_state = delivered(id.unwrap_or_default())?;
        stage.ledger.write(&stage.lease, &stage.scope, &[(key.clone(), Some(row_state))], at(1))?;
    }
    let found: Vec<_> = stage
        .ledger
        .row_states(&stage.scope)?
        .map(|row| row.map(|row| row.key()))
        .collect::<Result<_, _>>()?;
    assert_eq!(found, keys);
    assert_eq!(found[2].as_str(), "a (was y)");
    Ok(())
}

/// Key and target of a memory in an old ledger, and the key and departure that it has in a new one.
const OLDER: &[(&str, &str, &str, u32)] = &[
    ("acme", "bar", "acme", 0),
    ("acme (was foo)", "foo", "acme", 1),
    ("acme (was foo, 2)", "foo", "acme", 2),
    ("acme (was foo, 12)", "foo", "acme", 3),
    // A row that is called so, and is another record.
    ("acme (was b)", "acme-b", "acme (was b)", 0),
    // Its row is not remembered any more.
    ("bolt (was foo)", "foo", "bolt (was foo)", 0),
    // No departure of a departure.
    ("acme (was foo) (was x)", "x", "acme (was foo) (was x)", 0),
    ("(was x)", "x", "(was x)", 0),
];

#[test]
fn what_older_ledgers_tell_by_a_text_gets_its_column() -> Tested {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("ledger.db");
    let older = Connection::open(&path)?;
    older.execute_batch(V2)?;
    let scope: i64 = older.query_row("SELECT id FROM scopes WHERE sync = 'users'", [], |row| row.get(0))?;
    for (key, target, ..) in OLDER {
        older.execute(
            "INSERT INTO memory (scope, key, target, standing, pending, encoding, serial, updated_at)
             VALUES (?1, ?2, ?3, 'never', 'none', 1, 1, 1)",
            params![scope, key, target],
        )?;
    }
    drop(older);
    let ledger = Ledger::open(&path, &Opening::new(at(0)))?;
    let scope = ledger.find_scope("production", &SyncId::new("users"), Object::User)?.ok_or("no scope")?;
    for (key, of, row, departure) in OLDER {
        let found = ledger.row_state(&scope, &Key::departed(*row, *departure, of))?.ok_or(*key)?;
        assert_eq!(found.target, target(of)?, "{key}");
    }
    Ok(())
}
