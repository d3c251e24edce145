//! A Parquet file with a narrow column of numbers and a wide one of text.

use std::sync::Arc;

use parquet::data_type::{ByteArray, ByteArrayType, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

/// So many rows of it, in two row groups.
pub(crate) fn wide(rows: i64) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
    let schema =
        Arc::new(parse_message_type("message m { required int64 id; required binary name (STRING); }")?);
    let properties = WriterProperties::builder().set_dictionary_enabled(false).build();
    let mut bytes = Vec::new();
    let mut writer = SerializedFileWriter::new(&mut bytes, schema, Arc::new(properties))?;
    for part in [0..rows / 2, rows / 2..rows] {
        let mut group = writer.next_row_group()?;
        let mut column = group.next_column()?.ok_or("no column `id`")?;
        column.typed::<Int64Type>().write_batch(&part.clone().collect::<Vec<_>>(), None, None)?;
        column.close()?;
        let mut column = group.next_column()?.ok_or("no column `name`")?;
        let names: Vec<ByteArray> =
            part.map(|row| ByteArray::from(format!("the name of row {row:>20}").into_bytes())).collect();
        column.typed::<ByteArrayType>().write_batch(&names, None, None)?;
        column.close()?;
        group.close()?;
    }
    writer.close()?;
    Ok(bytes)
}
