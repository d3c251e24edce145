//! How fast templates are: ten fields of 100,000 rows, typed and as one text, and what a runaway template costs.
//!
//! `cargo run --release -p coho-liquid --example speed`. It compares nothing: `cargo xtask bench liquid` does.

use std::io::Write;
use std::time::Instant;

use coho_core::row::{Cell, Column, ColumnType, Columns, RowBuf};
use coho_core::value::{Float, Value};
use coho_liquid::{CompileScope, Context, Template, TemplateSettings, compile};

type Failure = Box<dyn std::error::Error>;

const FIELDS: [&str; 10] = [
    "{{ row.email | downcase }}",
    "{{ row.first | append: ' ' | append: row.last }}",
    "{{ row.plan | default: 'free' }}",
    "{{ row.created | date: '%Y-%m-%d' }}",
    "{% if row.seats > 100 %}enterprise{% elsif row.seats > 10 %}team{% else %}small{% endif %}",
    "{{ row.mrr | times: 12 }}",
    "{{ row.country | upcase }}",
    "{{ row.active }}",
    "{{ row.tags }}",
    "{{ row.id }}",
];

const TEXT: &str = "{\"id\": {{ row.id }}, \"email\": {{ row.email | downcase | json }}, \
    \"name\": {{ row.first | append: ' ' | append: row.last | json }}, \"plan\": {{ row.plan | default: 'free' | json }}, \
    \"day\": \"{{ row.created | date: '%Y-%m-%d' }}\", \"size\": \"{% if row.seats > 100 %}enterprise{% elsif row.seats > 10 %}\
    team{% else %}small{% endif %}\", \"arr\": {{ row.mrr | times: 12 }}, \"country\": {{ row.country | upcase | json }}, \
    \"active\": {{ row.active }}, \"tags\": {{ row.tags | json }} }";

fn columns() -> Result<Columns, Failure> {
    let column = |name: &str| Column { name: name.to_owned(), kind: ColumnType::Mixed };
    let names =
        ["id", "email", "first", "last", "plan", "created", "seats", "mrr", "country", "active", "tags"];
    Ok(Columns::new(names.map(column).into())?)
}

fn row(at: i64) -> RowBuf {
    let email = format!("User{at}@Example.com");
    RowBuf::from_cells([
        Cell::Int(at),
        Cell::Text(&email),
        Cell::Text("Ann"),
        Cell::Text("Larsen"),
        if at % 3 == 0 { Cell::Null } else { Cell::Text("pro") },
        Cell::Text("2024-03-05T10:11:12Z"),
        Cell::Int(at % 200),
        Float::new(49.5).map_or(Cell::Null, Cell::Float),
        Cell::Text("no"),
        Cell::Bool(at % 2 == 0),
        Cell::Text("a,b"),
    ])
}

fn timed(
    name: &str,
    rows: &[RowBuf],
    mut render: impl FnMut(&RowBuf) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut best = f64::MAX;
    for _ in 0..5 {
        let start = Instant::now();
        rows.iter().try_for_each(&mut render)?;
        best = best.min(start.elapsed().as_secs_f64());
    }
    let count = f64::from(u32::try_from(rows.len())?);
    let mut out = std::io::stdout().lock();
    writeln!(out, "{name}: {:.0} rows/s, {:.2} µs a row", count / best, best * 1e6 / count)?;
    Ok(())
}

fn compiled(source: &str, scope: &CompileScope) -> Result<Template, Failure> {
    compile(source, scope).map_err(|problems| format!("{problems:?}").into())
}

fn main() -> Result<(), Failure> {
    let scope = CompileScope::columns(&columns()?);
    let rows: Vec<RowBuf> = (0..100_000).map(row).collect();
    let fields = FIELDS.iter().map(|source| compiled(source, &scope)).collect::<Result<Vec<_>, _>>()?;
    let text = compiled(TEXT, &scope)?;
    let failed = |problem: coho_core::problem::Problem| Failure::from(problem.to_string());
    timed("ten typed fields", &rows, |row| {
        fields.iter().try_for_each(|field| field.render(&Context::row(row)).map(drop).map_err(failed))
    })?;
    timed("one text of ten fields", &rows, |row| {
        text.render_text(&Context::row(row)).map(drop).map_err(failed)
    })?;
    for (field, source) in fields.iter().zip(FIELDS) {
        timed(source, &rows, |row| field.render(&Context::row(row)).map(drop).map_err(failed))?;
    }
    attacks()
}

fn attacks() -> Result<(), Failure> {
    let doubled = |step: &str| format!("{{% assign s = 'xxxxxxxx' %}}{}{{{{ s | size }}}}", step.repeat(40));
    let attacks = [
        ("a long loop", "{% for i in (1..1000000000) %}{{ i | plus: 1 | append: 'x' }}{% endfor %}".to_owned()),
        ("a text doubled", doubled("{% assign s = s | append: s %}")),
        ("an array doubled", doubled("{% assign s = s | concat: s %}")),
        ("a tree doubled", doubled("{% assign s = | json_array: s, s %}") + "{{ s | json }}"),
        ("brackets", "[".repeat(100 << 20)),
        ("nested blocks", "{% if a %}".repeat(6_000)),
        ("open outputs", "{{'".repeat(20_000)),
        ("constants", "{{ 'x' | append: 'y' | json }}".repeat(2_000)),
        ("replace", doubled("{% for i in (1..200000) %}{% assign t = s | replace: 'x', 'y' | upcase %}{% endfor %}")),
        ("sorting", "{% for i in (1..200000) %}{% assign t = (1..1000) | sort %}{% endfor %}".to_owned()),
        ("dates", "{% for i in (1..200000) %}{% assign t = 0 | date: '%64d%64d%64d%64d', 'Asia/Tokyo' %}{% endfor %}".to_owned()),
        ("digests", "{% assign s = 'x' %}{% for i in (1..200000) %}{% assign s = s | sha256 %}{% endfor %}".to_owned()),
        ("divisions", "{% for i in (1..200000) %}{% assign s = 1.1 | divided_by: 3.7 %}{% endfor %}".to_owned()),
    ];
    let mut out = std::io::stdout().lock();
    let scope = CompileScope::free().settings(TemplateSettings::lenient());
    for (name, source) in attacks {
        let start = Instant::now();
        let outcome = match compile(&source, &scope) {
            Err(problems) => problems.first().map(ToString::to_string),
            Ok(template) => {
                template.render_text(&Context::free(&Value::Null)).err().map(|problem| problem.to_string())
            }
        };
        let took = start.elapsed().as_millis();
        writeln!(out, "{name}: {took} ms, {}", outcome.as_deref().unwrap_or("no problem"))?;
    }
    Ok(())
}
