//! Templates: a Liquid of Coho's own, checked when it is compiled, typed when it is rendered, and bounded always.
//!
//! [`compile`] finds everything that is wrong with a template without a row, with line and column; [`Template::render`] can
//! fail for its row only. No template, however made, panics, loops on or eats memory: a [`Budget`] is charged in one place.
//! `docs/reference/liquid.md` is [`reference()`].
//!
//! **Where to begin reading:** `pieces` (text, outputs, tags), `token`, `parser` (names, arguments, every fault), `ast`,
//! `render` over `value`, and `filters`: the table from which templates are checked, run and documented.
//!
//! ```
//! use coho_core::row::{Cell, Column, ColumnType, Columns, RowBuf};
//! use coho_mapping::liquid::{Context, Scope, compile};
//!
//! let column = |name: &str| Column { name: name.into(), kind: ColumnType::Mixed };
//! let columns = Columns::new(vec![column("plan"), column("seats")])?;
//! let scope = Scope::columns(&columns);
//!
//! let template = compile("{{ | json_construct : 'tier', row['plan'], 'seats', seats }}", &scope).map_err(|p| format!("{p:?}"))?;
//! let row = RowBuf::from_cells([Cell::Text("pro"), Cell::Int(40)]);
//! let value = template.render(&Context::row(&row)).map_err(|problem| problem.to_string())?;
//! assert_eq!(value.to_string(), r#"{"tier":"pro","seats":40}"#);
//!
//! let problems = compile("{{ row.plna | upcsae }}", &scope).unwrap_err();
//! assert_eq!(problems[0].help.as_deref(), Some("did you mean `plan`?"));
//! assert_eq!(problems[1].place.as_ref().map(|place| (place.line, place.column)), Some((1, 15)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a value or a token is one of a dozen kinds, and most rules speak of one or two of them and of anything else"
)]

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
mod scene;
mod filters;
mod parser;
mod render;
mod template;
mod context;
mod answer;
mod dialect;
mod reference;
pub mod conform;

pub use answer::{answer, answer_at};
pub use branches::{Branch, Watch};
pub use budget::Budget;
pub use context::Context;
pub use fault::Start;
pub use reference::reference;
pub use template::{Reads, Scope, Settings, Template, Undefined, Unreadable, compile};
