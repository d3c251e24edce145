//! What holds for any file: inference changes no value's text, and no bytes make a reader panic.

use coho_core::model::{Csv, FileFormat, Model, Relation};
use coho_core::place::Place;
use coho_core::row::{Cell, ColumnType, RowBuf};
use coho_source::{Connection, ReadScope, SourceError};
use proptest::prelude::*;

fn read(bytes: &[u8], name: &str, format: FileFormat) -> Result<Vec<RowBuf>, SourceError> {
    let folder = tempfile::tempdir().map_err(|_| SourceError::Stopped)?;
    std::fs::write(folder.path().join(name), bytes).map_err(|_| SourceError::Stopped)?;
    let relation = Relation::File { path: name.to_owned(), format };
    let model = Model {
        name: String::new(),
        source: String::new(),
        key: Vec::new(),
        masked: Vec::new(),
        relation,
        place: Place::default(),
    };
    let connection = Connection::Files { folder: folder.path().to_owned() };
    let runtime = tokio::runtime::Builder::new_current_thread().build().map_err(|_| SourceError::Stopped)?;
    runtime.block_on(async {
        let mut reading = coho_source::read(&connection, &model, ReadScope::All).await?;
        let mut rows = Vec::new();
        while let Some(batch) = reading.next().await? {
            rows.extend(batch);
        }
        Ok(rows)
    })
}

fn field() -> impl Strategy<Value = String> {
    prop_oneof![
        "-?[0-9]{0,20}",
        "[+-]?0?[0-9]{1,5}(\\.[0-9]{0,5})?(e[0-9])?",
        "true|false|TRUE|1|0",
        "20[0-9]{2}-[01][0-9]-[0-3][0-9]",
        "[ -~\r\n\"é]{0,8}",
    ]
}

fn columns() -> impl Strategy<Value = Vec<Vec<String>>> {
    // Columns of one kind of field are what inference finds types for.
    let column = prop_oneof![
        prop::collection::vec("-?[0-9]{1,20}", 6),
        prop::collection::vec("-?[0-9]{1,5}(\\.[0-9]{0,5})?", 6),
        prop::collection::vec("20[0-9]{2}-[01][0-9]-[0-3][0-9]", 6),
        prop::collection::vec(field(), 6),
    ];
    prop::collection::vec(column, 1..4)
}

fn csv_text(columns: &[Vec<String>]) -> Vec<u8> {
    let quoted = |field: &String| format!("\"{}\"", field.replace('"', "\"\""));
    let names: Vec<String> = (0..columns.len()).map(|at| format!("c{at}")).collect();
    let lines =
        (0..6).map(|row| columns.iter().map(|column| quoted(&column[row])).collect::<Vec<_>>().join(","));
    std::iter::once(names.join(",")).chain(lines).map(|line| line + "\n").collect::<String>().into_bytes()
}

fn written_back(cell: Cell<'_>) -> Option<String> {
    match cell {
        Cell::Null => Some(String::new()),
        Cell::Bool(flag) => Some(flag.to_string()),
        Cell::Int(number) => Some(number.to_string()),
        Cell::Decimal(text) | Cell::Text(text) => Some(text.to_owned()),
        Cell::Date(_) => cell.to_value().scalar_text(),
        Cell::Float(_) | Cell::Timestamp(_) | Cell::LocalTimestamp(_) | Cell::Json(_) => None,
    }
}

/// Looking for the line of a value must not move the reader that is in the midst of the file.
#[test]
fn a_long_file_is_read_whole_wherever_its_types_are_decided() {
    const ROWS: usize = 20_000;
    for odd in [0, 1, 4_000, 12_345, ROWS - 1] {
        let seats = |row: usize| if row == odd { "n/a".to_owned() } else { row.to_string() };
        let lines = (0..ROWS).map(|row| format!("{row},{},2026-11-24\n", seats(row)));
        let text = format!("id,seats,day\n\n{}", lines.collect::<String>());
        let rows = read(text.as_bytes(), "a.csv", FileFormat::Csv(Csv::default())).unwrap();
        assert_eq!(rows.len(), ROWS);
        let as_it_was = |(at, row): (usize, &RowBuf)| {
            let cells: Vec<_> = row.cells().map(written_back).collect();
            cells == [Some(at.to_string()), Some(seats(at)), Some("2026-11-24".to_owned())]
        };
        assert!(rows.iter().enumerate().all(as_it_was), "{odd}");
        assert_eq!(line_of_misfit(text.as_bytes()), u32::try_from(odd + 3).ok());
    }
}

/// The line of the first value of `seats` that is no integer.
fn line_of_misfit(bytes: &[u8]) -> Option<u32> {
    let folder = tempfile::tempdir().ok()?;
    std::fs::write(folder.path().join("a.csv"), bytes).ok()?;
    let relation = Relation::File { path: "a.csv".to_owned(), format: FileFormat::Csv(Csv::default()) };
    let (name, source) = (String::new(), String::new());
    let model =
        Model { name, source, key: Vec::new(), masked: Vec::new(), relation, place: Place::default() };
    let connection = Connection::Files { folder: folder.path().to_owned() };
    let runtime = tokio::runtime::Builder::new_current_thread().build().ok()?;
    let outline = runtime.block_on(coho_source::outline(&connection, &model)).ok()?;
    let changes = coho_source::compare([("seats", ColumnType::Int)], outline.inferred());
    Some(changes.first()?.cause.as_ref()?.place.line)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    #[test]
    fn inference_changes_no_text(columns in columns()) {
        let rows = read(&csv_text(&columns), "a.csv", FileFormat::Csv(Csv::default())).unwrap();
        prop_assert_eq!(rows.len(), 6);
        for (at, row) in rows.iter().enumerate() {
            for (cell, column) in row.cells().zip(&columns) {
                prop_assert_eq!(written_back(cell), Some(column[at].clone()));
            }
        }
    }

    #[test]
    fn any_bytes_are_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let json = FileFormat::Ndjson { types: Vec::new() };
        for (name, format) in [("a.csv", FileFormat::Csv(Csv::default())), ("a.ndjson", json)] {
            prop_assert!(!matches!(read(&bytes, name, format), Err(SourceError::Stopped)));
        }
    }

    #[test]
    fn any_text_is_read_without_panic(text in "[\\[\\]{}\",:a1.e\n\r -]{0,60}") {
        let types = vec![("a".to_owned(), ColumnType::Timestamp)];
        let json = FileFormat::Ndjson { types: types.clone() };
        let csv = Csv { types, ..Csv::default() };
        for (name, format) in [("a.csv", FileFormat::Csv(csv)), ("a.ndjson", json)] {
            prop_assert!(!matches!(read(text.as_bytes(), name, format), Err(SourceError::Stopped)));
        }
    }
}
