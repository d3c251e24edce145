//! Parquet files as the rows they give, or the error that a user reads. The files are written here, column by column.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use coho_core::model::{FileFormat, Model, Relation};
use coho_core::place::Place;
use coho_source::{Connection, ReadScope};
use parquet::basic::{BrotliLevel, Compression, GzipLevel, ZstdLevel};
use parquet::data_type::{
    BoolType, ByteArray, ByteArrayType, DataType, DoubleType, FixedLenByteArray, FixedLenByteArrayType,
    FloatType, Int32Type, Int64Type, Int96, Int96Type,
};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;

#[path = "support/shown.rs"]
mod shown;

type Failure = Box<dyn std::error::Error>;

/// One row group of a file that is being written.
type Group<'a> = SerializedRowGroupWriter<'a, File>;

/// Writes the next column: its values, and the levels that the format wants for optional and repeated ones.
fn column<T: DataType>(
    group: &mut Group<'_>,
    values: &[T::T],
    definitions: Option<&[i16]>,
    repetitions: Option<&[i16]>,
) -> Result<(), Failure> {
    let mut writer = group.next_column()?.ok_or("the schema has no further column")?;
    writer.typed::<T>().write_batch(values, definitions, repetitions)?;
    Ok(writer.close()?)
}

fn shown(schema: &str, write: impl Fn(&mut Group<'_>) -> Result<(), Failure>) -> Result<String, Failure> {
    only(schema, Compression::ZSTD(ZstdLevel::default()), None, write)
}

/// Only some columns of a file that is written with a compression.
fn only(
    schema: &str,
    compression: Compression,
    needed: Option<&[&str]>,
    write: impl Fn(&mut Group<'_>) -> Result<(), Failure>,
) -> Result<String, Failure> {
    let folder = tempfile::tempdir()?;
    let properties = WriterProperties::builder().set_compression(compression).build();
    file(&folder.path().join("a.parquet"), schema, properties, write)?;
    read_only(folder.path(), needed)
}

/// Writes a file of one row group.
fn file(
    path: &Path,
    schema: &str,
    properties: WriterProperties,
    write: impl Fn(&mut Group<'_>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let schema = Arc::new(parse_message_type(&format!("message m {{ {schema} }}"))?);
    let mut writer = SerializedFileWriter::new(File::create(path)?, schema, Arc::new(properties))?;
    let mut group = writer.next_row_group()?;
    write(&mut group)?;
    group.close()?;
    writer.close()?;
    Ok(())
}

/// Two files of one column each, read as one.
fn two(first: Part<'_>, second: Part<'_>) -> Result<String, Failure> {
    let folder = tempfile::tempdir()?;
    for (name, (schema, write)) in [("a.parquet", first), ("b.parquet", second)] {
        file(&folder.path().join(name), schema, WriterProperties::default(), write)?;
    }
    read_as("*.parquet", folder.path(), None)
}

/// A file: its schema, and what writes it.
type Part<'a> = (&'a str, &'a dyn Fn(&mut Group<'_>) -> Result<(), Failure>);

fn read(folder: &Path) -> Result<String, Failure> {
    read_only(folder, None)
}

fn read_only(folder: &Path, needed: Option<&[&str]>) -> Result<String, Failure> {
    read_as("a.parquet", folder, needed)
}

fn read_as(path: &str, folder: &Path, needed: Option<&[&str]>) -> Result<String, Failure> {
    let relation = Relation::File { path: path.to_owned(), format: FileFormat::Parquet };
    let (name, source) = ("m".to_owned(), "s".to_owned());
    let model =
        Model { name, source, key: Vec::new(), masked: Vec::new(), relation, place: Place::default() };
    let connection = Connection::Files { folder: folder.to_owned() };
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    Ok(runtime.block_on(shown::only(&connection, &model, ReadScope::All, needed)))
}

fn text(text: &str) -> ByteArray {
    ByteArray::from(text.as_bytes().to_vec())
}

fn fixed(bytes: &[u8]) -> FixedLenByteArray {
    FixedLenByteArray::from(bytes.to_vec())
}

fn snapshot(case: &str, text: &str) -> Result<(), Failure> {
    shown::snapshot(&Path::new("fixtures/parquet").join(case), text)
}

#[test]
fn single_values_are_exact() {
    let schema = "required boolean flag; optional int32 small; required int64 large (INTEGER(64,false)); required float single;
        required double double; required binary name (STRING); required binary extra (JSON);
        required fixed_len_byte_array(16) id (UUID); required int32 cents (DECIMAL(9,2)); required int64 big (DECIMAL(18,3));
        required fixed_len_byte_array(20) huge (DECIMAL(40,4)); required fixed_len_byte_array(2) half (FLOAT16);";
    let seen = shown(schema, |group| {
        column::<BoolType>(group, &[true, false], None, None)?;
        column::<Int32Type>(group, &[-7], Some(&[1, 0]), None)?;
        column::<Int64Type>(group, &[1, -1], None, None)?;
        column::<FloatType>(group, &[0.1, 2.0], None, None)?;
        column::<DoubleType>(group, &[1e-7, -0.0], None, None)?;
        column::<ByteArrayType>(group, &[text("Ada"), text("")], None, None)?;
        column::<ByteArrayType>(group, &[text("{\"a\": 1.0}"), text("null")], None, None)?;
        let id: Vec<u8> = (0..16).collect();
        column::<FixedLenByteArrayType>(group, &[fixed(&id), fixed(&id)], None, None)?;
        column::<Int32Type>(group, &[150, -1], None, None)?;
        column::<Int64Type>(group, &[0, 123_456_789_012_345_678], None, None)?;
        let mut huge = [0xFF; 20];
        huge[0] = 0x00;
        column::<FixedLenByteArrayType>(group, &[fixed(&huge), fixed(&[0xFF; 20])], None, None)?;
        column::<FixedLenByteArrayType>(group, &[fixed(&[0x00, 0x3C]), fixed(&[0x66, 0x2E])], None, None)
    });
    snapshot("single-values.txt", &seen.unwrap()).unwrap();
}

#[test]
fn moments_are_in_utc_or_local() {
    let schema = "required int64 millis (TIMESTAMP(MILLIS,true)); required int64 micros (TIMESTAMP(MICROS,false));
        required int64 nanos (TIMESTAMP(NANOS,true)); required int64 old (TIMESTAMP_MICROS); required int32 day (DATE);
        required int96 spark;";
    let seen = shown(schema, |group| {
        column::<Int64Type>(group, &[1_700_000_000_123], None, None)?;
        column::<Int64Type>(group, &[1_700_000_000_123_456], None, None)?;
        column::<Int64Type>(group, &[-14_182_980_000_000_001], None, None)?;
        column::<Int64Type>(group, &[-1], None, None)?;
        column::<Int32Type>(group, &[-25_568], None, None)?;
        let mut spark = Int96::new();
        spark.set_data(0, 0, 2_440_589);
        column::<Int96Type>(group, &[spark], None, None)
    });
    snapshot("moments.txt", &seen.unwrap()).unwrap();
}

#[test]
fn nested_values_are_json() {
    let schema = "optional group tags (LIST) { repeated group list { optional binary element (STRING); } }
        required group place { required double lat; optional int64 at (TIMESTAMP(MILLIS,true)); }
        optional group counts (MAP) { repeated group key_value { required binary key (STRING); optional int32 value; } }";
    let seen = shown(schema, |group| {
        column::<ByteArrayType>(group, &[text("a")], Some(&[3, 2, 1, 0]), Some(&[0, 1, 0, 0]))?;
        column::<DoubleType>(group, &[1.5, 2.0, 3.0], None, None)?;
        column::<Int64Type>(group, &[0], Some(&[1, 0, 0]), None)?;
        column::<ByteArrayType>(group, &[text("x"), text("y")], Some(&[2, 2, 1, 0]), Some(&[0, 1, 0, 0]))?;
        column::<Int32Type>(group, &[1], Some(&[3, 2, 1, 0]), Some(&[0, 1, 0, 0]))
    });
    snapshot("nested-values.txt", &seen.unwrap()).unwrap();
}

#[test]
fn unsafe_types_are_named_at_once() {
    let schema = "required binary photo; required int32 opens (TIME(MILLIS,true)); required int64 closes (TIME(NANOS,true));
        required fixed_len_byte_array(12) span (INTERVAL); required group nested { required binary blob; } required int32 fine;";
    let seen = shown(schema, |group| {
        column::<ByteArrayType>(group, &[text("x")], None, None)?;
        column::<Int32Type>(group, &[0], None, None)?;
        column::<Int64Type>(group, &[0], None, None)?;
        column::<FixedLenByteArrayType>(group, &[fixed(&[0; 12])], None, None)?;
        column::<ByteArrayType>(group, &[text("x")], None, None)?;
        column::<Int32Type>(group, &[0], None, None)
    });
    snapshot("unsafe-types.txt", &seen.unwrap()).unwrap();
}

#[test]
fn values_without_a_form_are_refused_at_their_row() {
    let nan = shown("required double ratio;", |group| column::<DoubleType>(group, &[f64::NAN], None, None));
    let json = shown("required binary extra (JSON);", |group| {
        column::<ByteArrayType>(group, &[text("{")], None, None)
    });
    let twice = shown("required binary extra (JSON);", |group| {
        column::<ByteArrayType>(group, &[text("{\"a\":1,\"a\":2}")], None, None)
    });
    snapshot("unsafe-values.txt", &[nan, json, twice].map(Result::unwrap).join("\n")).unwrap();
}

#[test]
fn every_compression_of_the_format_is_read() {
    for compression in [
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::GZIP(GzipLevel::default()),
        Compression::BROTLI(BrotliLevel::default()),
        Compression::LZ4,
        Compression::LZ4_RAW,
        Compression::ZSTD(ZstdLevel::default()),
    ] {
        let names: Vec<ByteArray> = (0..200).map(|number| text(&format!("Ada {number}"))).collect();
        let seen = only("required binary name (STRING);", compression, None, |group| {
            column::<ByteArrayType>(group, &names, None, None)
        });
        assert_eq!(seen.unwrap().lines().count(), 201, "{compression}");
    }
}

#[test]
fn what_nobody_reads_fails_nothing() {
    let schema =
        "required int64 id; required fixed_len_byte_array(12) span (INTERVAL); required double ratio;
        required binary photo; required int32 opens (TIME(MILLIS,true)); required binary name (STRING);";
    let seen = only(schema, Compression::UNCOMPRESSED, Some(&["id", "name"]), |group| {
        column::<Int64Type>(group, &[1], None, None)?;
        column::<FixedLenByteArrayType>(group, &[fixed(&[0; 12])], None, None)?;
        column::<DoubleType>(group, &[f64::NAN], None, None)?;
        column::<ByteArrayType>(group, &[text("x")], None, None)?;
        column::<Int32Type>(group, &[0], None, None)?;
        column::<ByteArrayType>(group, &[text("Ada")], None, None)
    });
    snapshot("what-nobody-reads.txt", &seen.unwrap()).unwrap();
}

#[test]
fn a_file_whose_column_has_no_value_fits_any_other() {
    let nothing: Part<'_> =
        ("optional int32 plan (UNKNOWN);", &|group| column::<Int32Type>(group, &[], Some(&[0]), None));
    let texts: Part<'_> = ("optional binary plan (STRING);", &|group| {
        column::<ByteArrayType>(group, &[text("pro")], Some(&[1]), None)
    });
    let numbers: Part<'_> =
        ("optional int32 plan;", &|group| column::<Int32Type>(group, &[7], Some(&[1]), None));
    let bytes: Part<'_> =
        ("optional binary plan;", &|group| column::<ByteArrayType>(group, &[text("pro")], Some(&[1]), None));
    let seen = [(texts, nothing), (nothing, numbers), (nothing, nothing), (nothing, bytes), (texts, numbers)]
        .map(|(first, second)| two(first, second).unwrap());
    snapshot("files-without-a-value.txt", &seen.join("\n")).unwrap();
}

#[test]
fn what_is_no_parquet_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.parquet");
    let mut seen = read(folder.path()).unwrap();
    std::fs::write(&path, "id,name\n1,Ada\n").unwrap();
    seen += &read(folder.path()).unwrap();
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    seen += &read(folder.path()).unwrap();
    snapshot("no-parquet.txt", &seen).unwrap();
}

#[test]
fn a_damaged_file_is_refused_or_read_but_never_a_defect() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.parquet");
    let schema = Arc::new(
        parse_message_type("message m { required int64 id; required binary name (STRING); }").unwrap(),
    );
    let mut writer = SerializedFileWriter::new(File::create(&path).unwrap(), schema, Arc::default()).unwrap();
    let mut group = writer.next_row_group().unwrap();
    column::<Int64Type>(&mut group, &[1, 2, 3], None, None).unwrap();
    column::<ByteArrayType>(&mut group, &[text("Ada"), text("Grace"), text("Edsger")], None, None).unwrap();
    group.close().unwrap();
    writer.close().unwrap();
    let whole = std::fs::read(&path).unwrap();
    // The panics of the record reader are answers: nobody hears of them.
    let heard = Arc::new(AtomicU32::new(0));
    let counter = heard.clone();
    std::panic::set_hook(Box::new(move |_| {
        counter.fetch_add(1, Ordering::Relaxed);
    }));
    for at in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= 0xFF;
        std::fs::write(&path, damaged).unwrap();
        let seen = read(folder.path()).unwrap();
        assert!(!seen.contains("before the source's end"), "byte {at}: {seen}");
    }
    assert_eq!(heard.load(Ordering::Relaxed), 0);
}
