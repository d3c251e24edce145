//! A project's files: YAML with positions, references to secrets, targets, JSON Schema.
//!
//! **What it is:** [`load`] takes the texts of `coho.yaml`, `models/`, `syncs/` and `tests/`, and returns a checked [`Project`], or every
//! mistake of every file: each is a [`Problem`](coho_core::problem::Problem) with file, line, column, length and help. [`excerpt`] shows a
//! problem with its line. [`schema`] and [`reference()`] describe the files for editors and people. [`starter`] is a project to start with.
//! [`bless`](bless()) writes actual results into a test file.
//!
//! **What it is not:** it knows nothing of how any of it is executed: nothing of SQL, HTTP or Liquid, nor of where files and variables come
//! from. It is pure: texts and the environment come in as arguments.
//!
//! **Where to begin:** `keys`, the one table of all keys, which drives checks, schema and reference. Then follow a file: `yaml` builds a tree
//! with positions, `interpolate` resolves `${NAME}` in `coho.yaml`, `conform` finds what the table does not allow, `read` reads what it
//! allows, `catalog` compares fields with Vitally's objects, and `load` ties the files together.
//!
//! **Decisions:**
//!
//! - A model in SQL has `-- source: warehouse` and `-- primary_key: id` in the comments at its top. Other comments may be among them.
//! - The target is the one on the command line, else `default_target`, else the first. Its destination replaces every sync's `to`. Without
//!   targets, every sync names its destination.
//! - References in sources and destinations that nothing uses may be unresolved: whoever runs `dev` needs no token of `prod`. Such sources and
//!   destinations are not in the [`Project`].
//! - A destination needs only the tokens of the APIs that its syncs use: the Analytics token for events and `api: analytics`, the REST token
//!   for everything else. A missing token is reported at the destination.
//! - An event can never be taken back, so its sync must say what the first run does with the existing rows.
//! - If two syncs map the same field of the same object, that is a warning ([`Project::warnings`]), since they may share no records.
//! - `traits: props`, or a mapping with only `column` (and `as`, `null`), takes all traits from one column. A single trait named `column` is
//!   written `traits.column`.
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
//!   help: Vitally needs it to create an account: add `name: …` to `fields`, or use `mode: update`
//! syncs/accounts.yaml:7:11: an account has no field `nmae` [unknown-field]
//!   7 | fields: { nmae: name }
//!     |           ^^^^
//!   help: did you mean `name`? custom values go under `traits`
//! ");
//! ```

mod file;
mod lines;
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
