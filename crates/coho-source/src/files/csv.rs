//! CSV: typed rows of a text file.
//!
//! Where a column's type is inferred the file is read twice: once to find the types, once for the rows. An empty field is
//! null, whether it is quoted or not, because the two can't be told apart; blank lines are skipped. Line ends are LF or CRLF.

use std::fs::File;
use std::io::{BufReader, Read};

use coho_core::model::{Csv, Header, Undeclared};
use coho_core::row::{Cell, Column, ColumnType, Columns, RowBuf};
use csv::{ByteRecord, Position, Reader, ReaderBuilder};

use super::fault::{FileError, FileFault};
use super::infer::Inference;
use super::path::Source;
use super::{quotes, types};
use crate::read::SourceError;
use crate::reading::Sink;
use crate::text;

/// How many records are looked at before asking whether anybody still listens.
const PATIENCE: u64 = 10_000;

/// Reads the whole file.
pub(super) fn read(source: Source, settings: &Csv, sink: &mut Sink) -> Result<(), SourceError> {
    let table = Table { source, settings };
    let (names, mut records) = table.start()?;
    let declared = types::by_column(&table.source.name, &names, &settings.types)?;
    let kinds = match settings.undeclared {
        Undeclared::Text => declared.iter().map(|kind| kind.unwrap_or(ColumnType::Text)).collect(),
        Undeclared::Infer if declared.iter().all(Option::is_some) => declared.into_iter().flatten().collect(),
        Undeclared::Infer => {
            let Some(kinds) = table.infer(&mut records, &declared, sink)? else { return Ok(()) };
            table.source.unchanged()?;
            records = table.start()?.1;
            kinds
        }
    };
    let column = |(name, kind): (&String, &ColumnType)| Column { name: name.clone(), kind: *kind };
    let columns: Vec<Column> = names.iter().zip(&kinds).map(column).collect();
    if sink.open(Columns::new(columns.clone())?).is_break() {
        return Ok(());
    }
    if !table.rows(&mut records, &columns, sink)? {
        return Ok(());
    }
    Ok(table.source.unchanged()?)
}

/// A file and how it is read.
struct Table<'a> {
    source: Source,
    settings: &'a Csv,
}

/// The records behind the header.
struct Records {
    reader: Reader<BufReader<File>>,
    record: ByteRecord,
    width: usize,
    last: Option<Position>,
}

impl Table<'_> {
    /// The names, and the records behind them.
    fn start(&self) -> Result<(Vec<String>, Records), FileError> {
        let file = BufReader::with_capacity(64 * 1024, self.source.text()?);
        let reader = ReaderBuilder::new()
            .delimiter(self.settings.delimiter)
            .has_headers(false)
            .flexible(true)
            .from_reader(file);
        let mut records = Records { reader, record: ByteRecord::new(), width: 0, last: None };
        let names = match &self.settings.header {
            Header::Named(names) => names.clone(),
            Header::FirstLine => self.first_line(&mut records)?,
        };
        self.check(&names)?;
        records.width = names.len();
        Ok((names, records))
    }

    fn first_line(&self, records: &mut Records) -> Result<Vec<String>, FileError> {
        if !self.next(records)? {
            return Err(FileError::new(&self.source.name, FileFault::Empty));
        }
        let name = |field: &[u8]| std::str::from_utf8(field).map(str::to_owned);
        let names: Result<Vec<String>, _> = records.record.iter().map(name).collect();
        names.map_err(|_| self.fault_here(&records.record, FileFault::NotUtf8))
    }

    fn check(&self, names: &[String]) -> Result<(), FileError> {
        for (at, name) in names.iter().enumerate() {
            let fault = if name.is_empty() {
                FileFault::EmptyName(at + 1)
            } else if names.iter().take(at).any(|earlier| earlier == name) {
                FileFault::DuplicateName(coho_core::value::preview(name))
            } else {
                continue;
            };
            return Err(FileError::new(&self.source.name, fault).at(1, 0));
        }
        Ok(())
    }

    /// Reads the next record; false at the end of the file.
    fn next(&self, records: &mut Records) -> Result<bool, FileError> {
        let more =
            records.reader.read_byte_record(&mut records.record).map_err(|error| self.failed(error))?;
        if !more {
            self.closed(records.last.as_ref())?;
            return Ok(false);
        }
        records.last = records.record.position().cloned();
        let found = records.record.len();
        if records.width > 0 && found != records.width {
            let fault = FileFault::Ragged { expected: records.width, found };
            return Err(self.fault_here(&records.record, fault));
        }
        Ok(true)
    }

    /// The parser takes an open quote at the end of the file for a closed one; a file that was cut off looks like that.
    fn closed(&self, last: Option<&Position>) -> Result<(), FileError> {
        let Some(last) = last else { return Ok(()) };
        let failed = |source| FileError::new(&self.source.name, FileFault::Unreadable(source));
        let file = self.source.bytes_from(last.byte()).map_err(failed)?;
        if quotes::closed(BufReader::new(file), self.settings.delimiter).map_err(failed)? {
            return Ok(());
        }
        Err(FileError::new(&self.source.name, FileFault::OpenQuote).at(self.line(last), 0))
    }

    fn failed(&self, error: csv::Error) -> FileError {
        // Bytes of any length in any number are records here: only the file itself can fail.
        let words = error.to_string();
        let source = match error.into_kind() {
            csv::ErrorKind::Io(source) => source,
            csv::ErrorKind::Utf8 { .. }
            | csv::ErrorKind::UnequalLengths { .. }
            | csv::ErrorKind::Seek
            | csv::ErrorKind::Serialize(_)
            | csv::ErrorKind::Deserialize { .. }
            | _ => std::io::Error::other(words),
        };
        FileError::new(&self.source.name, FileFault::Unreadable(source))
    }

    fn fault_here(&self, record: &ByteRecord, fault: FileFault) -> FileError {
        let line = record.position().map_or(0, |position| self.line(position));
        FileError::new(&self.source.name, fault).at(line, 0)
    }

    /// The line on which a record starts: the parser counts from before the blank lines that it skips.
    fn line(&self, position: &Position) -> u64 {
        let Ok(file) = self.source.bytes_from(position.byte()) else { return position.line() };
        let blank = BufReader::new(file)
            .bytes()
            .map_while(Result::ok)
            .take_while(|byte| matches!(byte, b'\n' | b'\r'));
        position.line() + blank.filter(|byte| *byte == b'\n').count() as u64
    }

    /// The type of each column; `None` where nobody listens any more.
    fn infer(
        &self,
        records: &mut Records,
        declared: &[Option<ColumnType>],
        sink: &Sink,
    ) -> Result<Option<Vec<ColumnType>>, FileError> {
        let mut inferences = vec![Inference::new(); declared.len()];
        let mut seen = 0;
        while self.next(records)? {
            for (inference, field) in inferences.iter_mut().zip(&records.record) {
                inference.see(self.utf8(&records.record, field)?);
            }
            seen += 1;
            if seen % PATIENCE == 0 && sink.listening().is_break() {
                return Ok(None);
            }
        }
        let kind = |(declared, inference): (&Option<ColumnType>, &Inference)| {
            declared.unwrap_or_else(|| inference.result())
        };
        Ok(Some(declared.iter().zip(&inferences).map(kind).collect()))
    }

    fn utf8<'r>(&self, record: &ByteRecord, field: &'r [u8]) -> Result<&'r str, FileError> {
        std::str::from_utf8(field).map_err(|_| self.fault_here(record, FileFault::NotUtf8))
    }

    /// Gives all rows; false where no more are wanted.
    fn rows(&self, records: &mut Records, columns: &[Column], sink: &mut Sink) -> Result<bool, FileError> {
        let mut scratch = String::new();
        while self.next(records)? {
            let record = &records.record;
            let mut row = RowBuf::from_bytes(Vec::with_capacity(record.as_slice().len() + 6 * columns.len()));
            for (column, field) in columns.iter().zip(record) {
                let value = self.utf8(record, field)?;
                row.push(match value {
                    "" => Cell::Null,
                    _ => text::cell(column.kind, value, &mut scratch)
                        .ok_or_else(|| self.misfit(record, column, value))?,
                });
            }
            if sink.row(row).is_break() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn misfit(&self, record: &ByteRecord, column: &Column, value: &str) -> FileError {
        let preview = coho_core::value::preview(value);
        let fault = FileFault::Type { column: column.name.clone(), kind: column.kind, preview };
        self.fault_here(record, fault)
    }
}
