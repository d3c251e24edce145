//! The views for people: a script of SQL into a new ledger in, what each view shows out.
//!
//! A fixture is `fixtures/views/<case>.sql`; its snapshot stands beside it.

use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;

use coho_core::time::Time;
use coho_ledger::Ledger;
use rusqlite::Connection;
use rusqlite::types::Value;

fn check(path: &Path) -> datatest_stable::Result<()> {
    let shown = play(&std::fs::read_to_string(path)?)?;
    let case = path.file_stem().and_then(|stem| stem.to_str()).ok_or("a fixture without a name")?;
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/views"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(case, shown));
    Ok(())
}

fn play(script: &str) -> Result<String, Box<dyn Error>> {
    let ledger = Ledger::temporary(Time::UNIX_EPOCH)?;
    let connection = Connection::open(ledger.path())?;
    connection.execute_batch(script)?;
    let mut shown = String::new();
    for view in ["sync_runs", "sync_changelog", "sync_snapshot", "sync_calls"] {
        show(&mut shown, &connection, view)?;
    }
    Ok(shown)
}

/// One line for each column of each row, so that a change is easy to read.
fn show(shown: &mut String, connection: &Connection, view: &str) -> Result<(), Box<dyn Error>> {
    let mut statement = connection.prepare(&format!("SELECT * FROM {view}"))?;
    let names: Vec<_> = statement.column_names().map(str::to_owned).collect();
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        writeln!(shown, "{view}")?;
        for (place, name) in names.iter().enumerate() {
            match row.get(place)? {
                Value::Null => {}
                Value::Text(text) => writeln!(shown, "  {name}: {text}")?,
                Value::Integer(number) => writeln!(shown, "  {name}: {number}")?,
                other @ (Value::Real(_) | Value::Blob(_)) => return Err(format!("{name}: {other:?}").into()),
            }
        }
    }
    Ok(())
}

datatest_stable::harness! {
    { test = check, root = "fixtures/views", pattern = r"\.sql$" },
}
