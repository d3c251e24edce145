//! Damaged files: whatever happens to the bytes of a CSV, NDJSON or Parquet file, reading it ends with rows or an error.
//! It never panics or hangs, and never takes more memory than such a file is worth.

use std::fs;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use coho_core::model::{Csv, FileFormat, Model, Relation};
use coho_core::place::Place;
use coho_source::{Connection, ReadScope, SourceError};
use coho_testkit::mutated;
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DoubleType, Int32Type, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use proptest::prelude::*;

type Failure = Box<dyn std::error::Error>;

const CSV: &str = "id,name,seats,since,plan\n1,\"Alder, Inc\",42,2025-03-31,growth\n2,Birch,,2026-01-15,\"a \"\"b\"\"\"\n3,Çedar,0.50,2026-01-15,\n";

const NDJSON: &str = "{\"id\":1,\"name\":\"Alder\",\"traits\":{\"seats\":42,\"at\":\"2026-01-01T00:00:00Z\"}}\n\
    {\"id\":2,\"name\":\"B\\u00e9\",\"traits\":[1,2.50,null,{\"a\":[]}]}\n{\"id\":3,\"name\":null}\n";

/// A model of a file or a table.
fn model(relation: Relation) -> Model {
    Model {
        name: String::new(),
        source: String::new(),
        key: Vec::new(),
        masked: Vec::new(),
        relation,
        place: Place::default(),
    }
}

fn read(connection: &Connection, relation: Relation) -> Result<usize, SourceError> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().map_err(|_| SourceError::Stopped)?;
    runtime.block_on(async {
        let mut reading = coho_source::read(connection, &model(relation), ReadScope::All).await?;
        let mut rows = 0;
        while let Some(batch) = reading.next().await? {
            rows += batch.len();
        }
        Ok(rows)
    })
}

fn read_file(bytes: &[u8], name: &str, format: FileFormat) -> Result<usize, SourceError> {
    let folder = tempfile::tempdir().map_err(|_| SourceError::Stopped)?;
    fs::write(folder.path().join(name), bytes).map_err(|_| SourceError::Stopped)?;
    let connection = Connection::Files { folder: folder.path().to_owned() };
    read(&connection, Relation::File { path: name.to_owned(), format })
}

/// A Parquet file with a column of each kind, some of them null.
fn parquet(folder: &Path) -> Result<Vec<u8>, Failure> {
    let schema = "message m { required int64 id; optional binary name (STRING); optional double seats; required boolean on; \
                  required int32 day (DATE); }";
    let path = folder.join("whole.parquet");
    let properties = Arc::new(WriterProperties::builder().build());
    let mut writer = SerializedFileWriter::new(
        fs::File::create(&path)?,
        Arc::new(parse_message_type(schema)?),
        properties,
    )?;
    let mut group = writer.next_row_group()?;
    let gone = Some(&[1, 0, 1][..]);
    let mut column = group.next_column()?.ok_or("id")?;
    column.typed::<Int64Type>().write_batch(&[1, 2, 3], None, None)?;
    column.close()?;
    let mut column = group.next_column()?.ok_or("name")?;
    let names = [ByteArray::from("Alder"), ByteArray::from("Çedar")];
    column.typed::<ByteArrayType>().write_batch(&names, gone, None)?;
    column.close()?;
    let mut column = group.next_column()?.ok_or("seats")?;
    column.typed::<DoubleType>().write_batch(&[42.5, 0.0], gone, None)?;
    column.close()?;
    let mut column = group.next_column()?.ok_or("on")?;
    column.typed::<BoolType>().write_batch(&[true, false, true], None, None)?;
    column.close()?;
    let mut column = group.next_column()?.ok_or("day")?;
    column.typed::<Int32Type>().write_batch(&[20_000, 20_001, 1], None, None)?;
    column.close()?;
    group.close()?;
    writer.close()?;
    Ok(fs::read(path)?)
}

#[expect(clippy::unwrap_used, reason = "the file is made by this test")]
fn whole_parquet() -> &'static [u8] {
    static WHOLE: OnceLock<Vec<u8>> = OnceLock::new();
    WHOLE.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        parquet(folder.path()).unwrap()
    })
}

#[test]
fn files_are_read_until_they_are_damaged() {
    let types = Csv::default();
    assert_eq!(read_file(CSV.as_bytes(), "a.csv", FileFormat::Csv(types)).unwrap(), 3);
    assert_eq!(
        read_file(NDJSON.as_bytes(), "a.ndjson", FileFormat::Ndjson { types: Vec::new() }).unwrap(),
        3
    );
    assert_eq!(read_file(whole_parquet(), "a.parquet", FileFormat::Parquet).unwrap(), 3);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn damaged_text_files_end_with_rows_or_an_error(seed in any::<u64>()) {
        let csv = mutated(CSV.as_bytes(), seed);
        prop_assert!(!matches!(read_file(&csv, "a.csv", FileFormat::Csv(Csv::default())), Err(SourceError::Stopped)));
        let json = mutated(NDJSON.as_bytes(), seed);
        let format = FileFormat::Ndjson { types: Vec::new() };
        prop_assert!(!matches!(read_file(&json, "a.ndjson", format), Err(SourceError::Stopped)));
    }

    #[test]
    fn a_damaged_parquet_file_ends_with_rows_or_an_error(seed in any::<u64>()) {
        let bytes = mutated(whole_parquet(), seed);
        if let Ok(rows) = read_file(&bytes, "a.parquet", FileFormat::Parquet) {
            prop_assert!(rows < 1_000_000, "{rows} rows in {} bytes", bytes.len());
        }
    }
}
