//! Types and values that have no form that keeps them, and the cast to write in the model.
//!
//! A column's type is refused before the first row; a single value, such as PostgreSQL's `infinity`, at its row.

use std::fmt;

use coho_core::model::Relation;

/// Columns whose types have no form that keeps their values: all of them at once.
#[derive(Debug, thiserror::Error)]
pub struct UnsafeTypes {
    /// The columns, in their order; at least one.
    pub columns: Vec<UnsafeColumn>,
    /// Where the cast is written.
    pub remedy: Remedy,
}

/// A column whose type has no form that keeps its values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnsafeColumn {
    /// The column.
    pub column: String,
    /// Its type, as the source names it.
    pub kind: String,
    /// What to write in the model: `encode(photo, 'base64') AS photo`. For a file, what its writer should do, in words.
    pub cast: String,
}

/// A value that has no form that keeps it.
#[derive(Debug, thiserror::Error)]
#[error("row {row}: column `{column}` contains {what}, which Coho cannot keep exactly")]
pub struct UnsafeValue {
    /// The column.
    pub column: String,
    /// The row, from 1, in the order in which the source gave them.
    pub row: u64,
    /// What it holds: `infinity`, `a BLOB`; never the value itself beyond a bounded preview.
    pub what: String,
    /// What to write in the model.
    pub cast: String,
    /// Where the cast is written.
    pub remedy: Remedy,
}

/// Where a cast is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// In the model's SQL.
    InSql,
    /// The model names a table: it needs SQL first.
    InsteadOfTable,
    /// In whatever writes the file.
    InFile,
    /// In the model of dbt.
    InDbt,
}

impl Remedy {
    /// Where casts for this relation are written.
    pub fn of(relation: &Relation) -> Self {
        match relation {
            Relation::Sql(_) => Self::InSql,
            Relation::Table(_) => Self::InsteadOfTable,
            Relation::File { .. } => Self::InFile,
            Relation::Dbt(_) => Self::InDbt,
        }
    }

    /// SQL is marked as code; what a file's writer should do is words.
    fn marked(self, cast: &str) -> String {
        match self {
            Self::InSql | Self::InsteadOfTable | Self::InDbt => format!("`{cast}`"),
            Self::InFile => cast.to_owned(),
        }
    }

    fn sentence(self, casts: &str) -> String {
        match self {
            Self::InSql => format!("in the model's SQL, write {casts}"),
            Self::InsteadOfTable => format!("replace the model's `table:` with `sql:`, and select {casts}"),
            Self::InDbt => format!("in the SQL of the dbt model, write {casts}"),
            Self::InFile => format!("have the file written with {casts}"),
        }
    }
}

impl UnsafeTypes {
    /// What to do about it.
    pub fn help(&self) -> String {
        let casts: Vec<String> = self.columns.iter().map(|column| self.remedy.marked(&column.cast)).collect();
        self.remedy.sentence(&casts.join(", "))
    }
}

impl UnsafeValue {
    /// What to do about it.
    pub fn help(&self) -> String {
        self.remedy.sentence(&self.remedy.marked(&self.cast))
    }
}

impl fmt::Display for UnsafeTypes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, UnsafeColumn { column, kind, .. }) in self.columns.iter().enumerate() {
            write!(f, "{}column `{column}` has type {kind}", if at == 0 { "" } else { ", " })?;
        }
        f.write_str(", which Coho cannot keep exactly")
    }
}
