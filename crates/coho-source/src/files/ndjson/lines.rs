//! The lines of an NDJSON file as objects, with their numbers. Blank lines are skipped.

use std::io::{BufRead, BufReader, Read};

use coho_core::json::JsonError;
use coho_core::place::Place;
use coho_core::value::Value;

use super::Object;
use crate::files::contents::Contents;
use crate::files::fault::{FileError, FileFault};
use crate::files::path::Source;

/// A longer line is a file without line ends, or no NDJSON at all.
const LONGEST_LINE: u64 = 64 * 1024 * 1024;

/// Reads one object after the other.
pub(super) struct Lines<'a> {
    source: &'a Source,
    reader: BufReader<Contents>,
    line: Vec<u8>,
    number: u64,
}

impl<'a> Lines<'a> {
    /// From the file's start.
    pub(super) fn start(source: &'a Source) -> Result<Self, FileError> {
        let reader = BufReader::with_capacity(64 * 1024, source.text()?);
        Ok(Self { source, reader, line: Vec::new(), number: 0 })
    }

    /// The next object; `None` at the end of the file.
    pub(super) fn next(&mut self) -> Result<Option<Object>, FileError> {
        while self.read()? {
            let text = match std::str::from_utf8(&self.line) {
                Ok(text) => text.trim(),
                Err(_) => return Err(self.fault(FileFault::NotUtf8)),
            };
            if !text.is_empty() {
                return self.object(text).map(Some);
            }
        }
        Ok(None)
    }

    /// Something wrong with the last line.
    pub(super) fn fault(&self, fault: FileFault) -> FileError {
        FileError::new(&self.source.name, fault).at(self.number, 0)
    }

    /// The last line.
    pub(super) fn place(&self) -> Place {
        self.fault(FileFault::Empty).place
    }

    fn read(&mut self) -> Result<bool, FileError> {
        self.line.clear();
        self.number += 1;
        let mut bounded = Read::by_ref(&mut self.reader).take(LONGEST_LINE + 1);
        let read = bounded.read_until(b'\n', &mut self.line);
        let length = read.map_err(|source| self.fault(FileFault::of(source)))?;
        if length as u64 > LONGEST_LINE {
            return Err(self.fault(FileFault::LongLine));
        }
        Ok(length > 0)
    }

    fn object(&self, text: &str) -> Result<Object, FileError> {
        match coho_core::json::parse_strict(text) {
            Ok(Value::Object(members)) => Ok(members),
            Ok(other) => Err(self.fault(FileFault::NotAnObject(article(&other)))),
            Err(JsonError::Syntax(_)) if is_conflict(text) => Err(self.fault(FileFault::Conflict)),
            Err(JsonError::Syntax(error)) => {
                let indent = text.len().abs_diff(self.line.trim_ascii_end().len());
                let words = error.to_string();
                let words = words.split(" at line ").next().unwrap_or_default().to_owned();
                Err(self.fault(FileFault::Json(words)).at(self.number, error.column() + indent))
            }
            Err(error @ JsonError::Number(_)) => Err(self.fault(FileFault::Json(error.to_string()))),
            Err(JsonError::Doubled(name)) => Err(self.fault(FileFault::DoubledMember(name))),
        }
    }
}

/// A line that a version control system writes into a file that two people changed.
fn is_conflict(line: &str) -> bool {
    ["<<<<<<<", "=======", ">>>>>>>", "|||||||"].iter().any(|mark| line.starts_with(mark))
}

fn article(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Int(_) | Value::Decimal(_) | Value::Float(_) => "a number",
        Value::Array(_) => "a list",
        Value::Text(_)
        | Value::Timestamp(_)
        | Value::LocalTimestamp(_)
        | Value::Date(_)
        | Value::Object(_) => "text",
    }
}
