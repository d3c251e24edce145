//! Templates of ten fields and rows for them, for Coho's engine and for another one: the same texts, the same values.
//!
//! The other engine reads [`write()`]'s file; Coho's renders rows in the form in which it gets them from a source. The programs
//! are `templates` (time) and `templates-allocations` (which counts, and is slower for it).

use std::fs;
use std::io::{self, Write};
use std::time::Duration;

use coho_core::json;
use coho_core::problem::Problem;
use coho_core::row::{Cell, Column, ColumnType, Columns, DuplicateColumn, RowBuf};
use coho_core::value::Value;
use coho_liquid::{CompileScope, Context, Template, compile};

use crate::accounts::{pick, scattered};

/// The ten columns with their types, in their order.
pub const COLUMNS: [(&str, ColumnType); 10] = [
    ("email", ColumnType::Text),
    ("first_name", ColumnType::Text),
    ("last_name", ColumnType::Text),
    ("plan", ColumnType::Text),
    ("created", ColumnType::Text),
    ("seats", ColumnType::Int),
    ("mrr", ColumnType::Float),
    ("country", ColumnType::Text),
    ("note", ColumnType::Text),
    ("active", ColumnType::Bool),
];

/// The ten fields, each as a template of its own. All but one keep their types.
pub const FIELDS: [&str; 10] = [
    "{{ row.email | downcase }}",
    "{{ row.first_name | append: ' ' | append: row.last_name }}",
    "{{ row.plan | default: 'free' }}",
    "{{ row.created | date: '%Y-%m-%d' }}",
    "{% if row.seats > 100 %}large{% elsif row.seats > 10 %}medium{% else %}small{% endif %}",
    "{{ row.mrr | times: 12 }}",
    "{{ row.country | upcase }}",
    "{{ row.note | json }}",
    "{{ row.seats }}",
    "{{ row.active }}",
];

/// The ten fields as one text of JSON.
pub const TEXT: &str = r#"{
  "email": "{{ row.email | downcase }}",
  "name": "{{ row.first_name | append: ' ' | append: row.last_name }}",
  "plan": "{{ row.plan | default: 'free' }}",
  "created": "{{ row.created | date: '%Y-%m-%d' }}",
  "size": "{% if row.seats > 100 %}large{% elsif row.seats > 10 %}medium{% else %}small{% endif %}",
  "yearly": {{ row.mrr | times: 12 }},
  "country": "{{ row.country | upcase }}",
  "note": {{ row.note | json }},
  "seats": {{ row.seats }},
  "active": {{ row.active }}
}"#;

const FIRST: [&str; 6] = ["Ann", "Bo", "Chloé", "Dmitri", "Eve", "Femke"];
const LAST: [&str; 5] = ["Alder", "Birch", "Cedar", "Elm", "Fir"];
const PLANS: [&str; 3] = ["team", "business", "enterprise"];
const COUNTRIES: [&str; 6] = ["de", "fr", "gb", "jp", "nz", "us"];
const NOTES: [&str; 3] =
    ["called on Monday", "says \"maybe\", asks for a quote\nuntil June", "no répondeur; write instead"];

/// What stops a program that renders templates.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// A template is refused, or a row cannot be rendered.
    #[error("{0}")]
    Problem(Problem),
    /// The columns are no columns.
    #[error("naming the columns")]
    Columns(#[from] DuplicateColumn),
    /// The kernel does not tell what a thread cost.
    #[error("reading the thread's time from {SCHEDSTAT}")]
    Clock(#[source] io::Error),
}

/// A row, by its number: one in five has no plan.
pub fn row(number: u64) -> RowBuf {
    let bits = scattered(number);
    let (first, last) = (pick(&FIRST, bits), pick(&LAST, bits >> 8));
    let email = format!("{first}.{last}{number}@Example.COM");
    let plan = pick(&PLANS, bits >> 16);
    let (month, day, hour) = (1 + (bits >> 20) % 12, 1 + (bits >> 24) % 28, (bits >> 32) % 24);
    let created = format!("2024-{month:02}-{day:02}T{hour:02}:11:12Z");
    let quarters = u32::try_from((bits >> 36) % 40_000).unwrap_or_default();
    let mrr = coho_core::value::Float::new(f64::from(quarters) / 4.0);
    RowBuf::from_cells([
        Cell::Text(&email),
        Cell::Text(first),
        Cell::Text(last),
        if number.is_multiple_of(5) { Cell::Null } else { Cell::Text(plan) },
        Cell::Text(&created),
        Cell::Int(i64::try_from(bits % 300).unwrap_or_default()),
        mrr.map_or(Cell::Null, Cell::Float),
        Cell::Text(pick(&COUNTRIES, bits >> 40)),
        Cell::Text(pick(&NOTES, bits >> 48)),
        Cell::Bool(bits & 1 == 0),
    ])
}

/// Writes for another engine: a line with the templates, then a line of JSON for each row.
pub fn write(rows: u64, out: &mut impl Write) -> io::Result<()> {
    let fields = FIELDS.map(Value::text).into();
    let head = [("text".to_owned(), Value::text(TEXT)), ("fields".to_owned(), Value::Array(fields))];
    writeln!(out, "{}", json::write(&Value::Object(head.into())))?;
    (1..=rows).try_for_each(|number| writeln!(out, "{}", json::write(&object(&row(number)))))
}

fn object(row: &RowBuf) -> Value {
    let members = COLUMNS.iter().zip(row.cells());
    Value::Object(members.map(|((name, _), cell)| ((*name).to_owned(), cell.to_value())).collect())
}

/// The templates, compiled.
#[derive(Debug)]
pub struct Templates {
    text: Template,
    fields: Vec<Template>,
}

impl Templates {
    /// Compiles them against the columns.
    pub fn compile() -> Result<Self, Failure> {
        let columns = COLUMNS.map(|(name, kind)| Column { name: name.to_owned(), kind });
        let scope = CompileScope::columns(&Columns::new(columns.into())?);
        Ok(Self {
            text: compiled(TEXT, &scope)?,
            fields: FIELDS.iter().map(|field| compiled(field, &scope)).collect::<Result<_, _>>()?,
        })
    }

    /// A row as one text.
    pub fn text(&self, row: &RowBuf) -> Result<String, Failure> {
        self.text.render_text(&Context::row(row)).map_err(Failure::Problem)
    }

    /// A row as ten values with their types, given one by one.
    pub fn typed(&self, row: &RowBuf, mut take: impl FnMut(Value)) -> Result<(), Failure> {
        let context = Context::row(row);
        self.fields.iter().try_for_each(|field| {
            take(field.render(&context).map_err(Failure::Problem)?);
            Ok(())
        })
    }

    /// A digest of all that the rows become: the other engine's must be the same.
    pub fn digest(&self, rows: &[RowBuf]) -> Result<u32, Failure> {
        rows.iter().try_fold(FNV_BASIS, |digest, row| {
            let mut values = Vec::with_capacity(self.fields.len());
            self.typed(row, |value| values.push(value))?;
            let digest = fnv(digest, &self.text(row)?);
            Ok(fnv(digest, &json::write(&Value::Array(values))))
        })
    }
}

fn compiled(source: &str, scope: &CompileScope) -> Result<Template, Failure> {
    compile(source, scope).map_err(|problems| {
        let first = problems.into_iter().next();
        Failure::Problem(
            first.unwrap_or_else(|| Problem::new(coho_core::code::Code::TEMPLATE_SYNTAX, source)),
        )
    })
}

const FNV_BASIS: u32 = 0x811c_9dc5;

/// FNV-1a, which takes a line in any language.
fn fnv(digest: u32, text: &str) -> u32 {
    text.bytes().fold(digest, |digest, byte| (digest ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

const SCHEDSTAT: &str = "/proc/thread-self/schedstat";

/// The processor's time of this thread. Linux counts it in nanoseconds and brings it up to date at each tick, so that it may
/// be some milliseconds old.
pub fn thread_time() -> Result<Duration, Failure> {
    let text = fs::read_to_string(SCHEDSTAT).map_err(Failure::Clock)?;
    let first = text.split_whitespace().next().and_then(|nanoseconds| nanoseconds.parse().ok());
    first.map(Duration::from_nanos).ok_or_else(|| Failure::Clock(io::ErrorKind::InvalidData.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_rows_and_what_they_become() {
        let templates = Templates::compile().unwrap();
        let shown: Vec<_> = (4..=5)
            .map(|number| {
                let mut values = Vec::new();
                templates.typed(&row(number), |value| values.push(value)).unwrap();
                let text = templates.text(&row(number)).unwrap();
                format!("{}\n{}\n{text}", object(&row(number)), Value::Array(values))
            })
            .collect();
        insta::assert_snapshot!("templates", shown.join("\n\n"));
    }

    #[test]
    fn the_file_has_a_line_for_the_templates_and_one_for_each_row() {
        let mut file = Vec::new();
        write(3, &mut file).unwrap();
        assert_eq!(String::from_utf8(file).unwrap().lines().count(), 4);
    }

    #[test]
    fn the_digest_is_fnv_1a() {
        assert_eq!(fnv(FNV_BASIS, "foobar"), 0xbf9c_f968);
    }
}
