//! Liquid templates in LiquidJS's dialect: checked when compiled, typed when rendered, and always bounded.
//!
//! **What it is:** [`Template::compile`] finds every mistake in a template without any data, with line and column. [`Template::evaluate`]
//! takes and returns anything that serde knows; [`Template::render`] borrows a row. No template can panic, loop forever or use up memory: one
//! [`Budget`] is charged for every step. [`reference()`] describes all tags and filters.
//!
//! **What it is not:** it reads no files, knows no clock except the one that it is given, and nothing of mappings or Vitally.
//!
//! **Where to begin reading:** `pieces` (text, outputs, tags), `token`, `parser` (names, arguments, every mistake), `ast`, `render` over
//! `value`, and `filters`: the table from which templates are checked, run and documented.
//!
//! ```
//! use coho_liquid::Template;
//! use serde_json::json;
//!
//! let template = Template::compile("{{ user.seats | times: 1.5 }}").map_err(|problems| format!("{problems:?}"))?;
//! let seats: f64 = template.evaluate(&json!({ "user": { "seats": 5 } }))?;
//! assert_eq!(seats, 7.5);
//!
//! let greeting = Template::compile("Hello {{ name | capitalize }}{% if seats > 10 %}!{% endif %}").unwrap();
//! assert_eq!(greeting.text(&json!({ "name": "ann", "seats": 12 }))?, "Hello Ann!");
//!
//! let problems = Template::compile("{{ name | capitalise }}\n{% if seats = 1 %}{% endif %}").unwrap_err();
//! assert_eq!(problems[0].help.as_deref(), Some("did you mean `capitalize`?"));
//! assert_eq!(problems[1].place.as_ref().map(|place| (place.line, place.column)), Some((2, 13)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! If you compile against the columns of a row, names are checked too, and the template reports which columns it reads:
//!
//! ```
//! use coho_core::row::{Cell, Column, ColumnType, Columns, RowBuf};
//! use coho_liquid::{Context, CompileScope, compile};
//!
//! let column = |name: &str| Column { name: name.into(), kind: ColumnType::Mixed };
//! let columns = Columns::new(vec![column("plan"), column("seats")])?;
//! let scope = CompileScope::columns(&columns);
//!
//! let template = compile("{{ | json_construct : 'tier', row['plan'], 'seats', seats }}", &scope).map_err(|p| format!("{p:?}"))?;
//! let row = RowBuf::from_cells([Cell::Text("pro"), Cell::Int(40)]);
//! let value = template.render(&Context::row(&row)).map_err(|problem| problem.to_string())?;
//! assert_eq!(value.to_string(), r#"{"tier":"pro","seats":40}"#);
//!
//! let problems = compile("{{ row.plna | upcsae }}", &scope).unwrap_err();
//! assert_eq!(problems[0].help.as_deref(), Some("did you mean `plan`?"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a value or a token is one of a dozen kinds, and most rules speak of one or two of them and of anything else"
)]

pub mod cast;
mod fault;
mod budget;
mod value;
mod number;
mod text;
mod dates;
mod strftime;
mod ast;
mod branches;
mod pieces;
mod token;
mod tags;
mod settings;
mod scene;
mod filters;
mod added;
#[cfg(feature = "liquid")]
mod interface;
mod parser;
mod render;
mod scope;
mod template;
mod evaluate;
mod context;
mod reference;
mod rendered;

pub use added::{FilterError, Filters};
pub use branches::{Branch, Watch};
pub use budget::Budget;
pub use context::Context;
pub use evaluate::EvaluateError;
pub use fault::Start;
#[cfg(feature = "liquid")]
pub use liquid_core;
pub use reference::{filter_names, reference};
pub use rendered::rendered;
pub use scope::{CompileScope, Reads};
pub use settings::{TemplateSettings, Undefined, Unreadable};
pub use template::{Template, compile};
