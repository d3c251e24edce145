//! The nouns of Coho, the catalog of Vitally's objects, and the decision table.
//!
//! Everything here is pure: no clock, environment, files, network or async. Times, ids and randomness come in as arguments.
//!
//! **What it is:** rows and their cells ([`row`]), keys ([`key`]), exact values ([`value`], [`decimal`]), the fields of Vitally's objects
//! ([`object`]), what the ledger knows of a key ([`row_state`]), what to do about a row and its state ([`decide`]), which fields differ from
//! what was sent ([`fields`]), writes that are valid by construction ([`operation`]), their possible results ([`verdict`], [`counts`]), and
//! users' tests of their mappings ([`case`]).
//!
//! **What it is not:** it knows nothing of YAML, SQL, HTTP, Liquid or storage. Its only text form is JSON ([`json`]), because a value is sent
//! with these digits. None of its types is a wire type.
//!
//! **Where to begin:** [`decide::decide_present`] and [`decide::decide_absent`], the decision table; then [`fields::diff_fields`] and
//! [`operation::seal`].
//!
//! ```
//! use coho_core::fields::{FieldValue, Rendered, Rendering, Sent, diff_fields};
//! use coho_core::path::FieldPath;
//! use coho_core::sync::Associations;
//! use coho_core::target::ExternalId;
//! use coho_core::value::Value;
//!
//! let seats = |number| Rendering::Set(FieldValue::Value(Value::Int(number)));
//! let rendered = |number| -> Result<Rendered, Box<dyn std::error::Error>> {
//!     Ok(Rendered {
//!         target: ExternalId::parse("acme")?,
//!         fields: [(FieldPath::new("traits.seats"), seats(number))].into(),
//!         absent_traits: None,
//!         associations: Associations::Add,
//!     })
//! };
//! let first = diff_fields(&rendered(4)?, &Sent::new());
//! let second = diff_fields(&rendered(5)?, &first.would_send);
//! assert_eq!(second.differences[0].before, Some(Value::Int(4)));
//! assert!(diff_fields(&rendered(5)?, &second.would_send).differences.is_empty());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod value;
pub mod decimal;
pub mod dates;
pub mod json;
pub mod row;
pub mod digest;
pub mod key;
pub mod target;
pub mod time;
pub mod path;
pub mod storage;
pub mod ledger_address;
pub mod object;
pub mod model;
pub mod jinja;
pub mod snippet;
pub mod sync;
pub mod fields;
pub mod private;
pub mod row_state;
pub mod message;
pub mod decide;
pub mod operation;
pub mod call;
pub mod at_once;
pub mod verdict;
pub mod started;
pub mod counts;
pub mod plan;
pub mod lineage;
pub mod lifecycle;
pub mod event;
pub mod alert;
pub mod case;
pub mod problem;
pub mod code;
pub mod cause;
pub mod failure;
pub mod place;
pub mod secret;
pub mod terminal;
pub mod words;
