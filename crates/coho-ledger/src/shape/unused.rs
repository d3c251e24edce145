//! Shapes that no text has any more: they go with the last of their texts, since a name in an outline may say something too.

use rusqlite::{Connection, params};

use crate::failure::Fault;

/// The numbers of all shapes that texts have.
const IN_USE: &str = "\
    SELECT shape FROM calls WHERE shape IS NOT NULL \
    UNION SELECT CAST(substr(fields, 2, 10) AS INTEGER) FROM fates WHERE unicode(fields) = 28 \
    UNION SELECT CAST(substr(sent, 2, 10) AS INTEGER) FROM memory WHERE unicode(sent) = 28 \
    UNION SELECT CAST(substr(would_send, 2, 10) AS INTEGER) FROM memory WHERE unicode(would_send) = 28";

/// Deletes the shapes that no text has. Reads all texts.
pub(crate) fn delete(connection: &Connection) -> Result<(), Fault> {
    connection.execute(&format!("DELETE FROM shapes WHERE id NOT IN ({IN_USE})"), [])?;
    Ok(())
}

/// Whether there are shapes of which nobody wrote down since this moment that they are in use.
pub(crate) fn is_any_older(connection: &Connection, before: i64) -> Result<bool, Fault> {
    Ok(connection.prepare_cached("SELECT 1 FROM shapes WHERE used_at < ?1")?.exists([before])?)
}

/// Deletes those that no text has. The others count as in use now, so that all texts are not read again soon.
pub(crate) fn delete_older(connection: &Connection, before: i64, now: i64) -> Result<(), Fault> {
    delete(connection)?;
    connection.execute("UPDATE shapes SET used_at = ?2 WHERE used_at < ?1", params![before, now])?;
    Ok(())
}
