//! CSV: typed rows of a text file.
//!
//! Where a column's type is inferred the files are read twice: once to find the types, once for the rows. An empty field is
//! null, whether it is quoted or not, because the two can't be told apart; blank lines are skipped. Line ends are LF or CRLF.
//! Several files have the same names, in the same order.

mod header;

use std::io::{BufReader, Read};
use std::ops::ControlFlow;

use coho_core::model::{Csv, Header, Undeclared};
use coho_core::place::Place;
use coho_core::row::{Cell, Column, ColumnType, RowBuf};
use csv::{ByteRecord, Position, Reader, ReaderBuilder};

use super::contents::Contents;
use super::fault::{FileError, FileFault};
use super::infer::{Inference, Seen};
use super::path::Source;
use super::{quotes, types};
use crate::outline::{Found, Layout, Needed, Outline};
use crate::read::SourceError;
use crate::reading::Sink;
use crate::text;
use crate::unsafe_type::Remedy;

/// How many records are looked at before asking whether anybody still listens.
const PATIENCE: u64 = 10_000;

/// Reads all of the files.
pub(super) fn read(sources: Vec<Source>, settings: &Csv, sink: &mut Sink) -> Result<(), SourceError> {
    let tables: Vec<Table<'_>> = sources.into_iter().map(|source| Table { source, settings }).collect();
    let Some(first) = tables.first() else { return Ok(()) };
    let names = first.start()?.0;
    let file = &first.source.name;
    let declared = types::by_column(file, &names, &settings.types)?;
    let mut seen = Vec::new();
    let kinds = match settings.undeclared {
        Undeclared::Text => declared.iter().map(|kind| kind.unwrap_or(ColumnType::Text)).collect(),
        Undeclared::Infer if declared.iter().all(Option::is_some) => {
            declared.iter().copied().flatten().collect()
        }
        Undeclared::Infer => {
            let Some(found) = infer_all(&tables, &names, file, sink)? else { return Ok(()) };
            seen = found;
            chosen(&declared, &seen)
        }
    };
    let found = names.iter().zip(&kinds).map(|(name, kind)| Found::plain(name, *kind)).collect();
    let place = Place { line: 1, ..Place::file(file.as_str()) };
    let layout = Layout::of(found, Remedy::InFile, Some(&place))?;
    let outline = outline(&layout, &declared, seen);
    let ControlFlow::Continue(needed) = sink.open(outline) else { return Ok(()) };
    for table in &tables {
        let mut records = table.start_like(&names, file)?;
        if !table.rows(&mut records, &layout, &needed, sink)? {
            return Ok(());
        }
        table.source.unchanged()?;
    }
    Ok(())
}

/// What the values of each column are in all files; `None` where nobody listens any more.
fn infer_all(
    tables: &[Table<'_>],
    names: &[String],
    first: &str,
    sink: &Sink,
) -> Result<Option<Vec<Seen>>, FileError> {
    let mut inferences = vec![Inference::new(); names.len()];
    for table in tables {
        let mut records = table.start_like(names, first)?;
        if table.infer(&mut records, &mut inferences, sink)?.is_break() {
            return Ok(None);
        }
        table.source.unchanged()?;
    }
    Ok(Some(inferences.into_iter().map(Inference::result).collect()))
}

/// The outline, with what was found out of the columns whose types are not declared.
fn outline(layout: &Layout, declared: &[Option<ColumnType>], seen: Vec<Seen>) -> Outline {
    let mut outline = layout.outline.clone();
    let mut inferred = Vec::new();
    for (field, seen) in seen.into_iter().enumerate() {
        let Some(at) = layout.fields.iter().position(|column| *column == field) else { continue };
        let name = layout.outline.columns().names().nth(at).unwrap_or_default();
        if let Some(place) = &seen.bytes {
            outline = outline.with_bytes(at, place.clone());
        }
        if declared.get(field) == Some(&None) {
            inferred.extend(seen.found(name));
        }
    }
    outline.with_inferred(inferred)
}

/// The declared types, and where there is none the one that was found out.
fn chosen(declared: &[Option<ColumnType>], seen: &[Seen]) -> Vec<ColumnType> {
    declared.iter().zip(seen).map(|(declared, seen)| declared.unwrap_or(seen.kind)).collect()
}

/// A file and how it is read.
struct Table<'a> {
    source: Source,
    settings: &'a Csv,
}

/// The records behind the header.
struct Records {
    reader: Reader<BufReader<Contents>>,
    record: ByteRecord,
    width: usize,
    last: Option<Position>,
    /// The first line, where it has names.
    header: Option<ByteRecord>,
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
        let mut records = Records { reader, record: ByteRecord::new(), width: 0, last: None, header: None };
        let names = match &self.settings.header {
            Header::Named(names) => names.clone(),
            Header::FirstLine => {
                self.first_line(&mut records)?;
                self.names(&records.record)?
            }
            Header::Replaced(names) => {
                records.width = names.len();
                self.first_line(&mut records)?;
                names.clone()
            }
        };
        records.width = names.len();
        Ok((names, records))
    }

    /// The records of a file that must have these names, which the first file has.
    fn start_like(&self, names: &[String], first: &str) -> Result<Records, FileError> {
        let (own, records) = self.start()?;
        if own == names {
            return Ok(records);
        }
        let differs = own.iter().zip(names).find(|(own, name)| own != name);
        let what = match differs {
            Some((own, name)) => {
                let (own, name) = (coho_core::value::preview(own), coho_core::value::preview(name));
                format!("`{own}` in place of `{name}`")
            }
            None => format!("{} columns in place of {}", own.len(), names.len()),
        };
        let fault = FileFault::OtherColumns { first: first.to_owned(), what };
        Err(FileError::new(&self.source.name, fault).at(1, 0))
    }

    fn first_line(&self, records: &mut Records) -> Result<(), FileError> {
        if !self.next(records)? {
            return Err(FileError::new(&self.source.name, FileFault::Empty));
        }
        records.header = Some(records.record.clone());
        Ok(())
    }

    /// The names in the first line.
    fn names(&self, record: &ByteRecord) -> Result<Vec<String>, FileError> {
        if let Some(fault) = header::wrong(record, self.settings.delimiter) {
            return Err(self.fault_here(record, fault));
        }
        let name = |field: &[u8]| std::str::from_utf8(field).map(str::to_owned);
        let names: Result<Vec<String>, _> = record.iter().map(name).collect();
        names.map_err(|_| self.fault_here(record, FileFault::NotUtf8))
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
        match header::misplaced(&records.record, records.width, records.header.as_ref()) {
            Some(fault) => Err(self.fault_here(&records.record, fault)),
            None => Ok(true),
        }
    }

    /// The parser takes an open quote at the end of the file for a closed one; a file that was cut off looks like that.
    fn closed(&self, last: Option<&Position>) -> Result<(), FileError> {
        let Some(last) = last else { return Ok(()) };
        let failed = |source| FileError::new(&self.source.name, FileFault::of(source));
        let file = self.source.bytes_from(last.byte())?;
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
        FileError::new(&self.source.name, FileFault::of(source))
    }

    fn fault_here(&self, record: &ByteRecord, fault: FileFault) -> FileError {
        let place = record.position().map(|at| self.place(at));
        FileError { place: place.unwrap_or_else(|| Place::file(self.source.name.as_str())), fault }
    }

    /// Where a record starts.
    fn place(&self, at: &Position) -> Place {
        let line = u32::try_from(self.line(at)).unwrap_or(u32::MAX);
        Place { line, ..Place::file(self.source.name.as_str()) }
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

    /// Looks at all values; breaks where nobody listens any more.
    fn infer(
        &self,
        records: &mut Records,
        inferences: &mut [Inference],
        sink: &Sink,
    ) -> Result<ControlFlow<()>, FileError> {
        let mut seen = 0;
        while self.next(records)? {
            let Some(at) = records.last.as_ref() else { continue };
            for (inference, field) in inferences.iter_mut().zip(&records.record) {
                match std::str::from_utf8(field) {
                    Ok(value) => inference.see(value, at),
                    // Whether that is a fault depends on whether anybody reads the column.
                    Err(_) => inference.see_bytes(at),
                }
            }
            seen += 1;
            if seen % PATIENCE == 0 && sink.listening().is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        for inference in inferences {
            inference.end_of_file(|at| self.place(at));
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Gives all rows; false where no more are wanted.
    fn rows(
        &self,
        records: &mut Records,
        layout: &Layout,
        needed: &Needed,
        sink: &mut Sink,
    ) -> Result<bool, FileError> {
        let mut scratch = String::new();
        while self.next(records)? {
            let record = &records.record;
            let room = record.as_slice().len() + 6 * layout.fields.len();
            let mut row = RowBuf::from_bytes(Vec::with_capacity(room));
            for (at, (column, field)) in layout.columns().enumerate() {
                if needed.leaves_out(at) {
                    row.push(Cell::Null);
                    continue;
                }
                match cell(column.kind, record.get(field).unwrap_or_default(), &mut scratch) {
                    Ok(cell) => row.push(cell),
                    Err(_) if !needed.has(at) => row.push(Cell::Null),
                    Err(misfit) => return Err(self.misfit(record, column, &misfit)),
                }
            }
            if sink.row(row).is_break() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn misfit(&self, record: &ByteRecord, column: &Column, misfit: &Misfit<'_>) -> FileError {
        let fault = match misfit {
            Misfit::Bytes => FileFault::NotUtf8,
            Misfit::Text(value) => FileFault::Type {
                column: column.name.clone(),
                kind: column.kind,
                preview: coho_core::value::preview(value),
            },
        };
        self.fault_here(record, fault)
    }
}

/// A field that is no cell of its column.
enum Misfit<'a> {
    Bytes,
    Text(&'a str),
}

fn cell<'a>(kind: ColumnType, field: &'a [u8], scratch: &'a mut String) -> Result<Cell<'a>, Misfit<'a>> {
    match std::str::from_utf8(field) {
        Err(_) => Err(Misfit::Bytes),
        Ok("") => Ok(Cell::Null),
        Ok(value) => text::cell(kind, value, scratch).ok_or(Misfit::Text(value)),
    }
}
