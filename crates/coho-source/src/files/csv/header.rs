//! A header that was read with the wrong delimiter, and records that are none: the marks of a conflict, the header once more.

use csv::ByteRecord;

use crate::files::fault::FileFault;

/// What stands between fields in files that are called CSV.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// The most names of a header that a message shows.
const SHOWN: usize = 8;

/// What is wrong with the first line, where that has the names.
pub(super) fn wrong(record: &ByteRecord, delimiter: u8) -> Option<FileFault> {
    if let Some(mark) = conflict(record) {
        return Some(mark);
    }
    let [only] = record.iter().collect::<Vec<_>>()[..] else { return None };
    let splits = |candidate: &u8| {
        let parts: Vec<&[u8]> = only.split(|byte| byte == candidate).collect();
        *candidate != delimiter && parts.len() > 1 && parts.iter().all(|part| !part.trim_ascii().is_empty())
    };
    let delimiter = DELIMITERS.into_iter().find(splits)?;
    Some(FileFault::Delimiter {
        header: coho_core::value::preview(&String::from_utf8_lossy(only)),
        delimiter,
    })
}

/// What is wrong with a record by its form. `width` is 0 where it is not known yet.
pub(super) fn misplaced(record: &ByteRecord, width: usize, header: Option<&ByteRecord>) -> Option<FileFault> {
    let found = record.len();
    if width > 0 && found != width {
        let header = header.map(names).unwrap_or_default();
        return Some(conflict(record).unwrap_or(FileFault::Ragged { expected: width, found, header }));
    }
    // In a file of one column the name may be a value.
    let again = width > 1 && header.is_some_and(|header| header == record);
    again.then_some(FileFault::HeaderAgain)
}

/// The names of a header, for messages.
fn names(header: &ByteRecord) -> String {
    let name = |field: &[u8]| format!("`{}`", coho_core::value::preview(&String::from_utf8_lossy(field)));
    let mut names: Vec<String> = header.iter().take(SHOWN).map(name).collect();
    if header.len() > SHOWN {
        names.push("…".to_owned());
    }
    names.join(", ")
}

/// A line that a version control system writes into a file that two people changed.
fn conflict(record: &ByteRecord) -> Option<FileFault> {
    let first = record.get(0)?;
    let opens = |mark: &[u8]| first.starts_with(mark) && matches!(first.get(7), None | Some(b' '));
    let marks: [&[u8]; 4] = [b"<<<<<<<", b"=======", b">>>>>>>", b"|||||||"];
    marks.into_iter().any(opens).then_some(FileFault::Conflict)
}
