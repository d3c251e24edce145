//! Field mappings: from a row to typed Vitally fields and traits, or to an event with its properties.
//!
//! **What it is:** [`Mapping::compile`] checks a sync's fields against a model's columns and finds every mistake that does not need a row.
//! [`Mapping::render_row`] turns one row into typed fields; it can fail only because of that row.
//!
//! **What it is not:** it knows nothing of where rows come from, of Vitally's requests, or of what was sent before. It is pure: the same row
//! always gives the same fields.
//!
//! **Where to begin:** [`mapping`] (compile and render), [`fit`] (what a field accepts), [`ids`] (external ids and references),
//! [`record`](mod@record) (what people see), and [`cases`] (users' mapping tests, with an example). Casts (`as:`) and templates come from
//! [`coho_liquid`].
//!
//! A template is compiled against the model's columns, reports which of them it reads, and keeps types:
//!
//! ```
//! use coho_core::object::Object;
//! use coho_core::path::FieldPath;
//! use coho_core::place::Place;
//! use coho_core::row::{Cell, Column, ColumnType, Columns, RowBuf};
//! use coho_core::sync::{Associations, Cast, ColumnRef, Expression, FieldSpec, FieldTarget, Matching, NullPolicy, SyncId};
//! use coho_mapping::{Mapping, Specification};
//!
//! let columns = Columns::new(vec![
//!     Column { name: "id".into(), kind: ColumnType::Int },
//!     Column { name: "seats".into(), kind: ColumnType::Text },
//! ])?;
//! let column = |name: &str| ColumnRef { name: name.into(), place: Place::default() };
//! let seats = FieldSpec {
//!     to: FieldTarget::Path(FieldPath::new("traits.seats")),
//!     from: Expression::Column { column: column("seats"), cast: Some(Cast::Number) },
//!     null: NullPolicy::Follow,
//!     place: Place::default(),
//! };
//! let specification = Specification {
//!     sync: &SyncId::new("accounts"),
//!     object: Object::Account,
//!     matching: &Matching::ExternalId(column("id")),
//!     associations: Associations::Add,
//!     fields: &[seats],
//!     filters: None,
//! };
//! let mapping = Mapping::compile(&specification, &columns).map_err(|problems| format!("{problems:?}"))?;
//!
//! let row = RowBuf::from_cells([Cell::Int(7), Cell::Text("40")]);
//! let rendered = mapping.render(&row).map_err(|problems| format!("{problems:?}"))?;
//! assert_eq!(rendered.target.as_str(), "7");
//!
//! let row = RowBuf::from_cells([Cell::Int(7), Cell::Text("many")]);
//! let problems = mapping.render(&row).unwrap_err();
//! assert_eq!(problems[0].to_string(), "traits.seats: cannot read \"many\" as a number [cast-failed]");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A template is compiled against the columns that there are, says which of them it reads, and keeps types:
//!
//! ```
//! use coho_core::row::{Cell, Column, ColumnType, Columns, RowBuf};
//! use coho_core::value::Value;
//! use coho_liquid::{Context, Reads, CompileScope, compile};
//!
//! let column = |name: &str| Column { name: name.into(), kind: ColumnType::Int };
//! let columns = Columns::new(vec![column("id"), column("seats"), column("used")])?;
//! let template = compile("{{ row.seats | minus: row.used }}", &CompileScope::columns(&columns))
//!     .map_err(|problems| format!("{problems:?}"))?;
//! assert_eq!(template.columns(), &Reads::Columns([1, 2].into()));
//!
//! let row = RowBuf::from_cells([Cell::Int(7), Cell::Int(40), Cell::Int(12)]);
//! let value = template.render(&Context::row(&row)).map_err(|problem| problem.to_string())?;
//! assert_eq!(value, Value::Int(28));
//!
//! let problems = compile("{{ row.seat | minsu: 1 }}", &CompileScope::columns(&columns)).unwrap_err();
//! assert_eq!(problems.len(), 2);
//! assert_eq!(problems[0].help.as_deref(), Some("did you mean `seats`?"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod mapping;
pub mod fit;
pub mod ids;
pub mod record;
pub mod private;
pub mod cases;
mod specification;
mod source;
mod slot;
mod compile;
mod target;
mod digest;

pub use coho_liquid::{FilterError, Filters};
pub use mapping::{Facts, Mapping, Specification, Use};
