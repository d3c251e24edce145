//! The schema as a page of documentation: names and types as SQLite tells them, sentences from the comments in the steps.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use coho_core::time::Time;
use rusqlite::Connection;

/// The reference of tables and views, as Markdown. It is read back from a new ledger, so it cannot be out of date.
pub fn schema_reference() -> Result<String, rusqlite::Error> {
    let mut connection = Connection::open_in_memory()?;
    super::climb(&mut connection, Time::UNIX_EPOCH)?;
    let mut page = format!(
        "Schema version {}. Times are microseconds since 1970 in UTC; in views they are ISO 8601.\n",
        super::VERSION
    );
    for (kind, title) in [("view", "Views"), ("table", "Tables")] {
        add(&mut page, format_args!("\n## {title}\n"));
        for (name, sql) in definitions(&connection, kind)? {
            describe(&mut page, &connection, &name, &sql)?;
        }
    }
    Ok(page)
}

/// Writing into a text does not fail.
fn add(page: &mut String, text: std::fmt::Arguments<'_>) {
    page.write_fmt(text).unwrap_or_default();
}

fn definitions(connection: &Connection, kind: &str) -> rusqlite::Result<Vec<(String, String)>> {
    connection
        .prepare(
            "SELECT name, sql FROM sqlite_schema WHERE type = ?1 AND name NOT LIKE 'sqlite_%' ORDER BY rowid",
        )?
        .query_map([kind], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}

fn describe(page: &mut String, connection: &Connection, name: &str, sql: &str) -> rusqlite::Result<()> {
    add(
        page,
        format_args!("\n### `{name}`\n\n{}\n\n| column | type | meaning |\n|---|---|---|\n", sentence(sql)),
    );
    let mut meanings = meanings(sql);
    meanings.extend(amended(name));
    let mut statement = connection.prepare("SELECT name, type FROM pragma_table_info(?1) ORDER BY cid")?;
    let columns =
        statement.query_map([name], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
    for column in columns {
        let (column, kind) = column?;
        let kind = kind.to_lowercase();
        let meaning = meanings.get(&column).map_or("", String::as_str);
        add(page, format_args!("| `{column}` | {kind} | {meaning} |\n"));
    }
    Ok(())
}

/// The comment that stands alone in its line: what the table or view is.
fn sentence(sql: &str) -> &str {
    sql.lines().find_map(|line| line.trim().strip_prefix("-- ")).unwrap_or_default()
}

/// The comment after each column. A view's column is the last name before the comment, a table's the first in the line.
fn meanings(sql: &str) -> BTreeMap<String, String> {
    sql.lines()
        .filter_map(|line| {
            let (code, meaning) = line.trim().split_once("-- ")?;
            let code = code.trim().trim_end_matches(',');
            let name = match code.rsplit_once(" AS ") {
                Some((_, name)) => name,
                None => code.split_whitespace().next()?,
            };
            Some((name.to_owned(), meaning.to_owned()))
        })
        .collect()
}

/// What later steps say of a table's columns, those that they added above all: `-- table.column: meaning`.
fn amended(table: &str) -> impl Iterator<Item = (String, String)> {
    super::STEPS.iter().flat_map(|step| step.lines()).filter_map(move |line| {
        let (name, meaning) = line.strip_prefix("-- ")?.split_once(": ")?;
        let (of, column) = name.split_once('.')?;
        (of == table).then(|| (column.to_owned(), meaning.to_owned()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_has_a_type_and_a_meaning() {
        let page = schema_reference().unwrap();
        let bare: Vec<_> = page.lines().filter(|line| line.contains("|  |")).collect();
        assert_eq!(bare, Vec::<&str>::new());
        assert!(page.contains("| `num_failed_remove` |"));
        assert!(
            page.contains("| `first_run_at` | integer | when the sync's first run was planned to its end;")
        );
        assert!(page.contains("baseline, adopt, resend"));
    }
}
