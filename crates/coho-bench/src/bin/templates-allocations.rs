//! `templates-allocations ROWS`: how often Coho's engine asks for memory while it renders them, for all rows together:
//! `{"text": {"allocations", "reallocations", "bytes"}, "typed": {…}}`. The counting allocator stands in this program only.

use std::alloc::System;
use std::error::Error;
use std::hint::black_box;
use std::io::{self, Write};

use coho_bench::templates::{Failure, Templates, row};
use coho_core::json::Json;
use coho_core::row::RowBuf;
use serde_json::json;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn main() -> Result<(), Box<dyn Error>> {
    let rows = std::env::args().nth(1).ok_or("usage: templates-allocations ROWS")?;
    let rows: Vec<RowBuf> = (1..=rows.parse()?).map(row).collect();
    let templates = Templates::compile()?;
    let text = counted(&rows, |row| templates.text(row).map(|text| drop(black_box(text))))?;
    let typed = counted(&rows, |row| templates.typed(row, |value| drop(black_box(value))))?;
    writeln!(io::stdout(), "{}", json!({ "text": text, "typed": typed }))?;
    Ok(())
}

fn counted(rows: &[RowBuf], work: impl Fn(&RowBuf) -> Result<(), Failure>) -> Result<Json, Failure> {
    let region = Region::new(ALLOCATOR);
    rows.iter().try_for_each(work)?;
    let change = region.change();
    Ok(json!({
        "allocations": change.allocations,
        "reallocations": change.reallocations,
        "bytes": change.bytes_allocated,
    }))
}
