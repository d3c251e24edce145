//! What can be wrong with a file, with its path relative to the source's folder, and the line where one is known.

use std::fmt;

use ::parquet::errors::ParquetError;
use coho_core::code::Code;
use coho_core::failure::Failure;
use coho_core::place::Place;
use coho_core::row::ColumnType;

use crate::storage::StorageFault;

/// A file that cannot be read, or is not what its model says.
#[derive(Debug)]
pub struct FileError {
    /// The file, and line and column where they are known. A line is where a record starts.
    pub place: Place,
    /// What is wrong.
    pub fault: FileFault,
}

impl Failure for FileError {
    fn code(&self) -> Code {
        match self.fault {
            FileFault::Outside
            | FileFault::Unreadable(_)
            | FileFault::Folder
            | FileFault::NoMatch(_)
            | FileFault::TooMany { .. } => Code::FILE_UNREADABLE,
            FileFault::Object(ref fault) => fault.code(),
            FileFault::NotUtf8 => Code::NOT_UTF8,
            FileFault::UnknownColumn { .. } => Code::UNKNOWN_COLUMN,
            FileFault::Empty
            | FileFault::Changed
            | FileFault::Delta
            | FileFault::OtherColumns { .. }
            | FileFault::Ragged { .. }
            | FileFault::DuplicateName(_)
            | FileFault::Delimiter { .. }
            | FileFault::HeaderAgain
            | FileFault::Conflict
            | FileFault::OpenQuote
            | FileFault::Type { .. }
            | FileFault::Json(_)
            | FileFault::DoubledMember(_)
            | FileFault::NotAnObject(_)
            | FileFault::LongLine
            | FileFault::Binary(_)
            | FileFault::Parquet(_) => Code::SOURCE_FAILED,
        }
    }

    fn help(&self) -> Option<String> {
        let help = match &self.fault {
            FileFault::Outside => "put the file into the source's folder, or change the source's `path`",
            FileFault::Unreadable(_) => "the model's `file` is relative to the source's `path`",
            FileFault::Folder => "name one file, or write a pattern: `folder/*.csv`",
            FileFault::NoMatch(_) => {
                "`*` is any characters within a name, `**` any folders; names that begin with `.` or `_` do not match"
            }
            FileFault::TooMany { .. } => "name a folder that has fewer, or write fewer and larger files",
            FileFault::Delta => {
                "read the table with the engine that keeps it, or export it to files; a folder's files may be of old versions"
            }
            FileFault::OtherColumns { .. } => {
                "files that a pattern matches must have the same columns, in the same order; write a model for each kind"
            }
            FileFault::Object(fault) => return fault.help(),
            FileFault::Empty => {
                "check the program that writes it: a CSV file has at least a header, an NDJSON file at least one object"
            }
            FileFault::Changed => {
                "run again when no program is writing to the file; it is best to write a new file and rename it"
            }
            FileFault::NotUtf8 => "save the file as UTF-8",
            FileFault::Ragged { .. } => {
                "quote fields that contain the delimiter or a line break; check the model's `delimiter`"
            }
            FileFault::Delimiter { delimiter, .. } => {
                let delimiter =
                    if *delimiter == b'\t' { "tab".into() } else { format!("\"{}\"", *delimiter as char) };
                return Some(format!("write `delimiter: {delimiter}` in the model"));
            }
            FileFault::HeaderAgain => "remove the line: the file looks like several files joined together",
            FileFault::Conflict => "resolve the conflict and remove its markers",
            FileFault::DuplicateName(_) => {
                "rename one of them, or name all columns in the model, in order: `columns: [id, name]` replaces the header"
            }
            FileFault::OpenQuote => "close the quote, or check whether the file was truncated",
            FileFault::Type { .. } => "fix the value, or declare the column as text",
            FileFault::UnknownColumn { nearest: Some(name), .. } => {
                return Some(format!("did you mean `{name}`?"));
            }
            FileFault::UnknownColumn { nearest: None, .. } => "remove it, or use a name from the file",
            FileFault::Json(_) | FileFault::NotAnObject(_) | FileFault::LongLine => {
                "write one JSON object on each line"
            }
            FileFault::DoubledMember(_) => "remove one of them: readers disagree about which one counts",
            FileFault::Binary(kind) => kind.help(),
            FileFault::Parquet(_) => {
                "check that the file was written to its end, and that it is Parquet: else set the model's `format`"
            }
        };
        Some(help.to_owned())
    }
}

/// What is wrong with a file.
#[derive(Debug, thiserror::Error)]
pub enum FileFault {
    /// The path leads out of the source's folder.
    #[error("the path leads out of the source's folder")]
    Outside,
    /// It cannot be opened or read.
    #[error("cannot read the file")]
    Unreadable(#[source] std::io::Error),
    /// It is a folder.
    #[error("expected a file, found a folder")]
    Folder,
    /// It has no bytes at all.
    #[error("the file is empty")]
    Empty,
    /// No file matches a pattern.
    #[error("no file in {0} matches the pattern")]
    NoMatch(String),
    /// Far too many files match a pattern.
    #[error("{found} files match the pattern, more than {most}")]
    TooMany {
        /// How many do.
        found: usize,
        /// How many may.
        most: usize,
    },
    /// The folder is a table of Delta Lake: files that it no longer counts lie there too.
    #[error("the folder is a Delta Lake table, not a folder of files")]
    Delta,
    /// A file has other columns than the first one that the pattern matches.
    #[error("the columns are not those of {first}: {what}")]
    OtherColumns {
        /// The first file.
        first: String,
        /// The first difference.
        what: String,
    },
    /// It is in object storage, and cannot be read there.
    #[error(transparent)]
    Object(StorageFault),
    /// It changed between two passes over it.
    #[error("the file changed while Coho read it")]
    Changed,
    /// It is not UTF-8 text.
    #[error("the text is not UTF-8")]
    NotUtf8,
    /// CSV: a record with more or fewer fields than the first.
    #[error("the record has {}, but {}", counted(*found), named(header, *expected))]
    Ragged {
        /// How many names there are.
        expected: usize,
        /// How many fields there are.
        found: usize,
        /// The names of the header, where the file has one.
        header: String,
    },
    /// CSV: the header is one name that another delimiter would divide.
    #[error("the header has only one column, `{header}`")]
    Delimiter {
        /// The name.
        header: String,
        /// What would divide it.
        delimiter: u8,
    },
    /// CSV: the header stands in the file once more.
    #[error("the header is repeated here")]
    HeaderAgain,
    /// CSV and NDJSON: a mark that a version control system left.
    #[error("this is a merge conflict marker, not a row")]
    Conflict,
    /// Two columns have one name.
    #[error("two columns are named `{0}`")]
    DuplicateName(String),
    /// CSV: the last record's quote is not closed, so the file may have been cut off.
    #[error("a quote is never closed")]
    OpenQuote,
    /// A value does not fit its column's type.
    #[error("column `{column}`: `{preview}` is not a value of type {}", kind.name())]
    Type {
        /// The column.
        column: String,
        /// The column's type.
        kind: ColumnType,
        /// The start of the value.
        preview: String,
    },
    /// The model declares a type for a column that is not there.
    #[error("the model declares a type for column `{column}`, but the file does not have it")]
    UnknownColumn {
        /// The column.
        column: String,
        /// The name that may have been meant.
        nearest: Option<String>,
    },
    /// NDJSON: a line is not JSON.
    #[error("the line is not JSON: {0}")]
    Json(String),
    /// NDJSON: an object on the line has one name twice.
    #[error("an object has the key `{0}` twice")]
    DoubledMember(String),
    /// NDJSON: a line is JSON but not an object.
    #[error("the line holds {0}, not an object")]
    NotAnObject(&'static str),
    /// NDJSON: a line is longer than 64 MiB.
    #[error("the line is longer than 64 MiB")]
    LongLine,
    /// CSV and NDJSON: the file is no text, but something that is known.
    #[error("expected text, found {}", .0.name())]
    Binary(Binary),
    /// Parquet: the file is not what its format says.
    #[error("cannot read the file as Parquet")]
    Parquet(#[source] ParquetError),
}

/// What a file is that is taken for text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binary {
    /// Compressed by gzip.
    Gzip,
    /// Compressed by Zstandard.
    Zstandard,
    /// A ZIP archive, as an Excel workbook is one.
    Zip,
    /// Parquet.
    Parquet,
}

impl Binary {
    /// What the first bytes of a file tell, of four that are no text. Parquet's four letters may begin a text, too.
    pub(super) fn of(start: &[u8]) -> Option<Self> {
        let known = [
            (&[0x1F, 0x8B][..], Self::Gzip),
            (&[0x28, 0xB5, 0x2F, 0xFD], Self::Zstandard),
            (b"PK\x03\x04", Self::Zip),
            (b"PAR1\x15", Self::Parquet),
        ];
        known.into_iter().find(|(magic, _)| start.starts_with(magic)).map(|(_, kind)| kind)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Gzip => "a file compressed by gzip",
            Self::Zstandard => "a file compressed by Zstandard",
            Self::Zip => "an Excel workbook or a ZIP archive",
            Self::Parquet => "a Parquet file",
        }
    }

    fn help(self) -> &'static str {
        match self {
            Self::Gzip | Self::Zstandard => "unpack it: CSV and NDJSON are read as plain text",
            Self::Zip => "save the sheet as CSV in UTF-8, or unpack the archive",
            Self::Parquet => "write `format: parquet` in the model",
        }
    }
}

impl FileFault {
    /// Why an object could not be read.
    pub(super) fn of_object(fault: StorageFault) -> Self {
        if matches!(fault, StorageFault::Empty) { Self::Empty } else { Self::Object(fault) }
    }

    /// Why bytes could not be read.
    pub(super) fn of(error: std::io::Error) -> Self {
        match error.downcast::<StorageFault>() {
            Ok(fault) => Self::of_object(fault),
            Err(error) => Self::Unreadable(error),
        }
    }

    /// What the library says that reads Parquet; what stopped its reader is said in its own words.
    pub(super) fn of_parquet(error: ParquetError) -> Self {
        let ParquetError::External(cause) = error else { return Self::Parquet(error) };
        match cause.downcast::<std::io::Error>().map(|error| error.downcast::<StorageFault>()) {
            Ok(Ok(fault)) => Self::of_object(fault),
            Ok(Err(error)) => Self::Parquet(ParquetError::External(Box::new(error))),
            Err(cause) => Self::Parquet(ParquetError::External(cause)),
        }
    }
}

impl FileError {
    /// An error that concerns a file as a whole.
    pub(super) fn new(file: &str, fault: FileFault) -> Self {
        Self { place: Place::file(file), fault }
    }

    /// The same at a line, from 1, and a column, from 1, or 0 where it is not known.
    pub(super) fn at(mut self, line: u64, column: usize) -> Self {
        self.place.line = u32::try_from(line).unwrap_or(u32::MAX);
        self.place.column = u32::try_from(column).unwrap_or(u32::MAX);
        self
    }
}

fn counted(fields: usize) -> String {
    if fields == 1 { "1 field".to_owned() } else { format!("{fields} fields") }
}

fn named(header: &str, expected: usize) -> String {
    if header.is_empty() {
        return format!("the model names {expected}");
    }
    format!("the header has {expected}: {header}")
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.fault)
    }
}

impl std::error::Error for FileError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.fault.source()
    }
}
