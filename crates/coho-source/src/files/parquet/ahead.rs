//! Which bytes of a file its row groups take, as far as somebody reads them: in object storage each call costs time and money, so a
//! row group is brought by few.

use std::ops::Range;

use ::parquet::file::reader::{FileReader as _, SerializedFileReader};

use super::Table;
use crate::files::contents::Contents;

/// Bytes between two parts that are brought along with them: less than a call of their own costs.
const GAP: u64 = 1024 * 1024;

/// The parts of the file that the columns of a row group take, in their order.
pub(super) fn parts(reader: &SerializedFileReader<Contents>, table: &Table, group: usize) -> Vec<Range<u64>> {
    let read: Vec<usize> = table.read_fields().collect();
    let schema = reader.metadata().file_metadata().schema_descr();
    let columns = reader.metadata().row_group(group).columns().iter().enumerate();
    let needed = columns.filter(|(leaf, _)| read.contains(&schema.get_column_root_idx(*leaf)));
    let mut parts: Vec<Range<u64>> = needed
        .map(|(_, column)| column.byte_range())
        .map(|(start, length)| start..start.saturating_add(length))
        .collect();
    parts.sort_by_key(|part| part.start);
    joined(parts)
}

fn joined(parts: Vec<Range<u64>>) -> Vec<Range<u64>> {
    let mut joined: Vec<Range<u64>> = Vec::new();
    for part in parts {
        match joined.last_mut() {
            Some(last) if part.start <= last.end.saturating_add(GAP) => last.end = last.end.max(part.end),
            Some(_) | None => joined.push(part),
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_parts_are_brought_by_one_call() {
        let far = 3 * GAP;
        assert_eq!(joined(vec![4..10, 10..20, 30..40, far..far + 1]), vec![4..40, far..far + 1]);
        assert_eq!(joined(Vec::new()), Vec::<Range<u64>>::new());
    }
}
