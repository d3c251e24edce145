//! A project's files: YAML with places, references to secrets, targets, JSON Schema.
//!
//! **What it is:** [`load`] takes the texts of `coho.yaml`, `models/`, `syncs/` and `tests/` and gives a checked [`Project`], or every
//! mistake of every file at once: each a [`Problem`](coho_core::problem::Problem) with file, line, column, length and what
//! helps. [`excerpt`] shows one with its line. [`schema`] and [`reference()`] say what may stand in the files, for editors and
//! people; [`starter`] is a project to begin with; [`bless`](bless()) writes what came into a test file.
//!
//! **What it is not:** it knows nothing of how any of it is executed: not of SQL, HTTP, Liquid, nor of where files and
//! variables come from. It is pure: texts and the environment come in as arguments.
//!
//! **Where to begin:** `keys`, the one table of all keys, which drives checks, schema and reference. Then the way of a file:
//! `yaml` makes a tree with places, `interpolate` resolves `${NAME}` in `coho.yaml`, `conform` finds what the table does not
//! allow, `read` takes what it does, `catalog` holds fields against Vitally's objects, and `load` ties the files together.
//!
//! **Decisions:**
//!
//! - A model in SQL says `-- source: warehouse` and `-- primary_key: id` in the comments at its top; other comments may stand
//!   among them.
//! - The chosen target is the one that is asked for, else `default_target`, else the first; its destination takes the place of
//!   every sync's `to`. Without targets, every sync names its destination.
//! - References of sources and destinations that nothing uses need not resolve: who runs `dev` needs no token of `prod`. Such
//!   sources and destinations are not in the [`Project`].
//! - A destination needs only the tokens of the APIs that its syncs use: events and `api: analytics` the Analytics token, all else
//!   the REST token. What is missing is told at the destination.
//! - An event is never taken back, so its sync must say what the first run does with the rows that are there.
//! - Two syncs that map one field of one object are a warning ([`Project::warnings`]), since their rows may never meet.
//! - `traits: props`, or a mapping of `column` with nothing but `as` and `null`, takes all traits from one column. A lone trait
//!   that is called `column` is written `traits.column`.
//!
//! ```
//! use coho_project::{File, excerpt, load};
//!
//! let files = [
//!     File::text("coho.yaml", "
//! project: acme
//! sources: { files: { type: files, path: data } }
//! destinations: { vitally: { type: vitally, region: eu, rest_token: '${TOKEN}' } }
//! "),
//!     File::text("models/accounts.yaml", "{ source: files, file: accounts.csv, primary_key: id }"),
//!     File::text("syncs/accounts.yaml", "
//! id: accounts
//! model: accounts
//! to: vitally
//! object: account
//! match: { externalId: id }
//! fields: { nmae: name }
//! "),
//! ];
//! let environment = |name: &str| (name == "TOKEN").then(|| "sk_live_1".to_owned());
//! let problems = load(&files, &environment, None).unwrap_err();
//! let text: String = problems.iter().map(|problem| excerpt(problem, &files)).collect();
//! assert_eq!(text, "\
//! syncs/accounts.yaml:7:1: Required field: `name` [required-field]
//!   7 | fields: { nmae: name }
//!     | ^^^^^^
//!   help: an account is created with it: add `name: …` to `fields`, or use `mode: update`
//! syncs/accounts.yaml:7:11: an account has no field `nmae` [unknown-field]
//!   7 | fields: { nmae: name }
//!     |           ^^^^
//!   help: did you mean `name`? custom values go under `traits`
//! ");
//! ```

mod file;
mod load;
mod folders;
mod across;
mod alerts;
mod webhooks;
mod sequences;
mod project;
mod schedule;
mod excerpt;
mod keys;
mod yaml;
mod interpolate;
mod secrets;
mod conform;
mod names;
mod read;
mod catalog;
mod schema;
mod reference;
mod starter;
mod ready_made;
mod bless;

pub use alerts::{AlertsSpec, ChannelSpec, SmtpSpec};
pub use bless::{Blessed, Blessing, bless};
pub use excerpt::excerpt;
pub use file::{File, FileText, LONGEST, belongs};
pub use folders::{is_astray, no_syncs};
pub use load::{load, load_offline, snippets};
pub use project::{
    CompareSpec, DbtSpec, DestinationSpec, HistorySpec, LedgerSpec, Project, Rate, ServerSpec, SourceSpec,
    Workspace,
};
pub use ready_made::{ReadyMade, Surroundings};
pub use reference::reference;
pub use schedule::{ScheduleSpec, StartTrigger};
pub use schema::{SchemaKind, schema};
pub use secrets::masker;
pub use starter::starter;
pub use webhooks::WebhookSpec;
