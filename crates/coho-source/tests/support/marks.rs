//! What a source says of rows: their marks, and the sums of their buckets.

use std::collections::BTreeMap;

use coho_core::row::{Cell, Row as _};
use coho_source::buckets::{CompareQuery, MarkedRow, SourceSum, SourceSums, Wanted, bucket, key_digest};
use coho_source::{Connection, ReadScope};

use super::queries::model;

type Failure = Box<dyn std::error::Error>;

/// What a source says of the rows of a query, whose first column is the key; or why it cannot compare them.
pub(crate) async fn asked(
    source: &Connection,
    sql: &str,
    bits: Option<u8>,
) -> Result<Result<(SourceSums, Vec<MarkedRow>), String>, Failure> {
    let mut reading = coho_source::read(source, &model(sql), ReadScope::All).await?;
    let reads: Vec<usize> = (0..reading.columns().len()).collect();
    let told = reading
        .compare(&reads, CompareQuery { key: vec![0], reads: reads.clone(), bits, cache: None })
        .await?;
    let told = match told {
        Ok(told) => told,
        Err(why) => return Ok(Err(why)),
    };
    reading.want(Wanted::All);
    let mut rows = Vec::new();
    while let Some(batch) = reading.next_marked().await? {
        rows.extend(batch);
    }
    assert_eq!(reading.moved().rows, rows.len() as u64);
    Ok(Ok((told, rows)))
}

/// The same, where it can.
pub(crate) async fn marked(
    source: &Connection,
    sql: &str,
    bits: Option<u8>,
) -> Result<(SourceSums, Vec<MarkedRow>), Failure> {
    Ok(asked(source, sql, bits).await??)
}

/// The sums of the buckets of a query's rows are those of the rows that come, each in the bucket of its key.
pub(crate) async fn sums_are_those_of_rows(
    source: &Connection,
    sql: &str,
    nameless: u64,
) -> Result<(), Failure> {
    let (told, rows) = marked(source, sql, Some(7)).await?;
    let mut sums = BTreeMap::<u32, SourceSum>::new();
    for row in &rows {
        let Some(digest) = row.key else { continue };
        let Cell::Text(key) = row.row.cell(0) else { return Err("a key is no text".into()) };
        assert_eq!(digest, key_digest(key));
        sums.entry(bucket(digest, 7)).or_default().add(SourceSum { rows: 1, halves: row.halves });
    }
    assert!(sums.len() > 50, "{sums:?}");
    assert_eq!(told.sums.into_iter().collect::<BTreeMap<_, _>>(), sums);
    assert_eq!(told.nameless, nameless);
    Ok(())
}
