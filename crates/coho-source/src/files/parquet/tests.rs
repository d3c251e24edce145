//! Whatever a file holds, its columns give what its records give: the same rows, and the same error after as many of them.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    reason = "values of all types are made of numbers, whichever they become"
)]

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use ::parquet::data_type::{
    BoolType, ByteArray, ByteArrayType, DataType, DoubleType, FixedLenByteArray, FixedLenByteArrayType,
    FloatType, Int32Type, Int64Type, Int96, Int96Type,
};
use ::parquet::file::properties::{WriterProperties, WriterVersion};
use ::parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use ::parquet::schema::parser::parse_message_type;
use coho_core::row::RowBuf;
use proptest::prelude::*;

use super::*;
use crate::reading::{ReadScope, spawn};

type Failure = Box<dyn std::error::Error>;

/// Types of columns. Of the last one each row has a list of one text.
const TYPES: [(&str, &str); 25] = [
    ("boolean", ""),
    ("int32", ""),
    ("int32", "(INTEGER(8,true))"),
    ("int32", "(INTEGER(16,false))"),
    ("int32", "(INTEGER(32,false))"),
    ("int32", "(INTEGER(32,true))"),
    ("int32", "(DATE)"),
    ("int32", "(DECIMAL(9,2))"),
    ("int64", ""),
    ("int64", "(INTEGER(64,false))"),
    ("int64", "(TIMESTAMP(MILLIS,true))"),
    ("int64", "(TIMESTAMP(MICROS,false))"),
    ("int64", "(TIMESTAMP(NANOS,true))"),
    ("int64", "(TIMESTAMP_MILLIS)"),
    ("int64", "(DECIMAL(18,3))"),
    ("int96", ""),
    ("float", ""),
    ("double", ""),
    ("binary", "(STRING)"),
    ("binary", "(ENUM)"),
    ("binary", "(JSON)"),
    ("binary", "(DECIMAL(38,10))"),
    ("fixed_len_byte_array(16)", "(UUID)"),
    ("fixed_len_byte_array(20)", "(DECIMAL(40,4))"),
    ("fixed_len_byte_array(2)", "(FLOAT16)"),
];

/// A column: its type, whether it may be null, and whether somebody reads it.
#[derive(Clone, Debug)]
struct Field {
    kind: usize,
    optional: bool,
    needed: bool,
}

impl Field {
    fn schema(&self, at: usize) -> String {
        let (physical, logical) = TYPES[self.kind];
        let repetition = if self.optional { "optional" } else { "required" };
        format!("{repetition} {physical} c{at} {logical};")
    }

    /// Writes a value of each row that has one, made of a number.
    fn write(&self, writer: &mut SerializedColumnWriter<'_>, numbers: &[u64]) -> Result<(), Failure> {
        let there: Vec<u64> =
            numbers.iter().copied().filter(|number| !self.optional || !number.is_multiple_of(4)).collect();
        let levels: Vec<i16> = numbers.iter().map(|number| i16::from(!number.is_multiple_of(4))).collect();
        let levels = self.optional.then_some(levels.as_slice());
        let (physical, logical) = TYPES[self.kind];
        match physical {
            "boolean" => put::<BoolType>(writer, &there, levels, |number| number.is_multiple_of(3)),
            "int32" => put::<Int32Type>(writer, &there, levels, |number| (number as i32) % 3_000_000),
            "int64" => put::<Int64Type>(writer, &there, levels, |number| number as i64),
            "int96" => put::<Int96Type>(writer, &there, levels, |number| {
                let mut moment = Int96::new();
                moment.set_data((number % 1_000_000) as u32, 0, 2_440_000 + (number % 9_000) as u32);
                moment
            }),
            "float" => put::<FloatType>(writer, &there, levels, |number| number as f32 / 7.0),
            "double" => put::<DoubleType>(writer, &there, levels, |number| {
                if number.is_multiple_of(997) { f64::NAN } else { number as f64 / 7.0 }
            }),
            "binary" => {
                put::<ByteArrayType>(writer, &there, levels, |number| ByteArray::from(bytes(logical, number)))
            }
            _ => {
                let length = match physical {
                    "fixed_len_byte_array(16)" => 16,
                    "fixed_len_byte_array(20)" => 20,
                    _ => 2,
                };
                put::<FixedLenByteArrayType>(writer, &there, levels, |number| {
                    let bytes: Vec<u8> = number.to_be_bytes().iter().cycle().take(length).copied().collect();
                    // No half float is infinite that begins like this.
                    FixedLenByteArray::from(bytes.into_iter().map(|byte| byte & 0x3F).collect::<Vec<u8>>())
                })
            }
        }
    }
}

fn put<T: DataType>(
    writer: &mut SerializedColumnWriter<'_>,
    numbers: &[u64],
    levels: Option<&[i16]>,
    value: impl Fn(u64) -> T::T,
) -> Result<(), Failure> {
    let values: Vec<T::T> = numbers.iter().map(|number| value(*number)).collect();
    writer.typed::<T>().write_batch(&values, levels, None)?;
    Ok(())
}

/// Text, JSON or a decimal's bytes; some that are none.
fn bytes(logical: &str, number: u64) -> Vec<u8> {
    let texts: [&str; 4] = match logical {
        "(JSON)" => ["{\"a\": 1.0}", "null", "[1, {\"b\":\"é\"}]", "\"x\""],
        _ => ["", "Ada", "é\u{10000}", "a longer text that is the same"],
    };
    match (logical, number % 1_009) {
        ("(DECIMAL(38,10))", _) => number.to_be_bytes()[..=(number % 8) as usize].to_vec(),
        ("(JSON)", 7) => b"{".to_vec(),
        (_, 8) => vec![0xFF, 0xFE],
        ("(JSON)", _) if number.is_multiple_of(3) => number.to_string().into_bytes(),
        (_, _) if number.is_multiple_of(3) => format!("name {number}").into_bytes(),
        _ => texts[(number % 4) as usize].as_bytes().to_vec(),
    }
}

/// A file with two row groups of so many rows.
fn write(path: &Path, fields: &[Field], numbers: &[u64], v2: bool) -> Result<(), Failure> {
    let columns: String = fields.iter().enumerate().map(|(at, field)| field.schema(at)).collect();
    let list = "optional group tags (LIST) { repeated group list { required binary element (STRING); } }";
    let schema = Arc::new(parse_message_type(&format!("message m {{ {columns} {list} }}"))?);
    let version = if v2 { WriterVersion::PARQUET_2_0 } else { WriterVersion::PARQUET_1_0 };
    let properties =
        WriterProperties::builder().set_writer_version(version).set_data_page_row_count_limit(300);
    let mut writer = SerializedFileWriter::new(File::create(path)?, schema, Arc::new(properties.build()))?;
    for _ in 0..2 {
        let mut group = writer.next_row_group()?;
        for field in fields {
            let mut column = group.next_column()?.ok_or("the schema has no further column")?;
            field.write(&mut column, numbers)?;
            column.close()?;
        }
        let mut column = group.next_column()?.ok_or("the schema has no list")?;
        let tags: Vec<_> =
            numbers.iter().map(|number| ByteArray::from(number.to_string().into_bytes())).collect();
        let (deep, first) = (vec![2; tags.len()], vec![0; tags.len()]);
        column.typed::<ByteArrayType>().write_batch(&tags, Some(&deep), Some(&first))?;
        column.close()?;
        group.close()?;
    }
    writer.close()?;
    Ok(())
}

/// Reads files only by their records.
fn by_records(sources: Vec<Source>, sink: &mut Sink) -> Result<(), SourceError> {
    for source in sources {
        let failed = |error| FileError::new(&source.name, FileFault::Parquet(error));
        let contents = source.contents()?;
        let reader = SerializedFileReader::new(contents.clone()).map_err(failed)?;
        let mut table = Table::of(&reader, contents)?;
        let ControlFlow::Continue(needed) = sink.open(table.layout.outline.clone()) else { return Ok(()) };
        table.needed = needed;
        if records::rows(&reader, &table, sink, &mut 0, failed)?.is_break() {
            break;
        }
    }
    Ok(())
}

type Reader = fn(Vec<Source>, &mut Sink) -> Result<(), SourceError>;

/// What a reader gives of the file: the rows in batches, and its error.
fn given(
    folder: &Path,
    needed: &[usize],
    only: bool,
    reader: Reader,
) -> Result<(Vec<Vec<RowBuf>>, String), Failure> {
    let folder = folder.to_owned();
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    runtime.block_on(async {
        let read = move |sink: &mut Sink| reader(vec![Source::open(&folder, "a.parquet")?], sink);
        let mut reading = spawn(ReadScope::All, read).await?;
        if only { reading.need_only(needed) } else { reading.need(needed) }?;
        let mut batches = Vec::new();
        loop {
            match reading.next().await {
                Ok(Some(rows)) => batches.push(rows),
                Ok(None) => return Ok((batches, "the end".to_owned())),
                Err(error) => return Ok((batches, format!("{error:?}"))),
            }
        }
    })
}

fn fields() -> impl Strategy<Value = Vec<Field>> {
    let field = (0..TYPES.len(), any::<bool>(), prop::bool::weighted(0.8))
        .prop_map(|(kind, optional, needed)| Field { kind, optional, needed });
    prop::collection::vec(field, 1..6)
}

fn agree(fields: &[Field], numbers: &[u64], v2: bool, tags: bool) -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    write(&folder.path().join("a.parquet"), fields, numbers, v2)?;
    let mut needed: Vec<usize> = (0..fields.len()).filter(|at| fields[*at].needed).collect();
    needed.extend(tags.then_some(fields.len()));
    for only in [false, true] {
        let columns = given(folder.path(), &needed, only, read)?;
        assert_eq!(columns, given(folder.path(), &needed, only, by_records)?);
        if columns.1 == "the end" {
            assert_eq!(columns.0.iter().map(Vec::len).sum::<usize>(), 2 * numbers.len());
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(96) })]

    #[test]
    fn columns_give_what_records_give(
        fields in fields(),
        seed in any::<u32>(),
        rows in prop_oneof![3 => 0..40_usize, 1 => 990..1_010_usize],
        v2 in any::<bool>(),
        tags in any::<bool>(),
    ) {
        // Moments and dates of these numbers are in the calendar.
        let numbers: Vec<u64> = (1..=rows as u64).map(|row| row * u64::from(seed) * 1_009 % 1_000_000_007).collect();
        agree(&fields, &numbers, v2, tags).map_err(|error| TestCaseError::fail(error.to_string()))?;
    }
}

#[test]
fn each_type_is_read_by_columns_like_by_records() {
    let numbers: Vec<u64> = (1..1_200).map(|row| row * 1_000_003).collect();
    for kind in 0..TYPES.len() {
        for optional in [false, true] {
            for numbers in [&numbers[..6], &numbers[..]] {
                agree(&[Field { kind, optional, needed: true }], numbers, optional, false).unwrap();
            }
        }
    }
}
