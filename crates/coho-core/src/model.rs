//! Models: where a sync's rows come from, as the project declares it.

use crate::place::Place;
use crate::row::ColumnType;

/// A model: one relation of one source, with a primary key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Model {
    /// Its name in the project.
    pub name: String,
    /// The name of its source in the project.
    pub source: String,
    /// The columns that identify a row; at least one.
    pub key: Vec<String>,
    /// What is read.
    pub relation: Relation,
    /// Where it is declared.
    pub place: Place,
}

/// What a model reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Relation {
    /// One SQL query.
    Sql(String),
    /// A whole table, optionally with its schema: `public.customers`.
    Table(String),
    /// A file, by its path relative to its source's folder.
    File {
        /// The path.
        path: String,
        /// How the file is read.
        format: FileFormat,
    },
}

/// How a file is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileFormat {
    /// Comma-separated values.
    Csv(Csv),
    /// One JSON object a line.
    Ndjson {
        /// Declared types by column; others keep their JSON types.
        types: Vec<(String, ColumnType)>,
    },
    /// Apache Parquet.
    Parquet,
}

/// How a CSV file is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Csv {
    /// The character between fields; one byte.
    pub delimiter: u8,
    /// Whether the first line has the names.
    pub header: Header,
    /// Declared types by column; others are inferred or text, as `undeclared` says.
    pub types: Vec<(String, ColumnType)>,
    /// What a column without a declared type holds.
    pub undeclared: Undeclared,
}

/// Where a CSV file's column names come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Header {
    /// The first line.
    FirstLine,
    /// The project names them, in order.
    Named(Vec<String>),
}

/// What a column without a declared type holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Undeclared {
    /// The narrowest type that fits all values of the whole file.
    Infer,
    /// Text.
    Text,
}

impl Default for Csv {
    fn default() -> Self {
        Self { delimiter: b',', header: Header::FirstLine, types: Vec::new(), undeclared: Undeclared::Infer }
    }
}
