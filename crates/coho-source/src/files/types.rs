//! Declared types of columns, by name.

use coho_core::problem::nearest;
use coho_core::row::ColumnType;

use super::fault::{FileError, FileFault};

/// The declared type of each column, in the columns' order. A declaration for a column that is not there is refused.
pub(super) fn by_column(
    file: &str,
    names: &[String],
    declared: &[(String, ColumnType)],
) -> Result<Vec<Option<ColumnType>>, FileError> {
    if let Some((column, _)) = declared.iter().find(|(column, _)| !names.contains(column)) {
        let nearest = nearest(column, names.iter().map(String::as_str)).map(str::to_owned);
        return Err(FileError::new(file, FileFault::UnknownColumn { column: column.clone(), nearest }));
    }
    let kind = |name: &String| declared.iter().find(|(column, _)| column == name).map(|(_, kind)| *kind);
    Ok(names.iter().map(kind).collect())
}
