//! What fuzzers and tests feed to Coho.
//!
//! **What it is:** [`feed`] gives bytes to one of the places where Coho reads what others wrote ([`Target`]), and panics where
//! anything else comes of it than a value or a problem that is told properly. `cargo fuzz` calls it with inputs that it makes from
//! [seeds](Target::seeds), and this crate's tests with the seeds themselves and a fixed number of changes of them.
//!
//! **What it is not:** no judge of what a value should be. The tests of each crate know that. Templates have a target of their own,
//! in `crates/coho-liquid/fuzz`.
//!
//! ```
//! use coho_fuzz::{Target, feed};
//!
//! feed(Target::Csv, b"id,name\n1,\"Alder\n");
//! feed(Target::Reply, b"account insert\n404 {}\n201 [null]");
//! ```
//!
//! [`projects`] has the project's files and its tests, [`replies`] Vitally's answers, [`files`] the rows of files, [`kept`] what Coho
//! itself wrote before.

mod projects;
mod replies;
mod files;
mod kept;

/// A place where Coho reads what others wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// The files of a project.
    Project,
    /// Tests of mappings and templates: they are run, and their answers written into them.
    Cases,
    /// Vitally's answers to an operation, or to a batch.
    Reply,
    /// A CSV file.
    Csv,
    /// A file of JSON lines.
    Ndjson,
    /// A Parquet file.
    Parquet,
    /// An approved plan.
    Approved,
    /// A ledger: the input says what is changed in a whole one.
    Ledger,
}

impl Target {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Project,
        Self::Cases,
        Self::Reply,
        Self::Csv,
        Self::Ndjson,
        Self::Parquet,
        Self::Approved,
        Self::Ledger,
    ];

    /// Folders with inputs, in `crates`: fixtures of other tests, and the target's own corpus.
    pub fn seeds(self) -> &'static [&'static str] {
        match self {
            Self::Project => {
                &["coho-project/fixtures/valid", "coho-project/fixtures/invalid", "coho-fuzz/corpus/project"]
            }
            Self::Cases => &["coho-fuzz/corpus/cases"],
            Self::Reply => &["coho-fuzz/corpus/reply"],
            Self::Csv | Self::Ndjson => &["coho-source/fixtures/files"],
            Self::Parquet => &["coho-fuzz/corpus/parquet"],
            Self::Approved => &["coho-fuzz/corpus/approved"],
            Self::Ledger => &["coho-fuzz/corpus/ledger"],
        }
    }

    /// The name of the fuzz target.
    pub fn name(self) -> &'static str {
        match self {
            Self::Project => "project",
            Self::Cases => "cases",
            Self::Reply => "reply",
            Self::Csv => "csv",
            Self::Ndjson => "ndjson",
            Self::Parquet => "parquet",
            Self::Approved => "approved",
            Self::Ledger => "ledger",
        }
    }
}

/// Feeds an input, and panics where something else than a value or a problem comes of it.
pub fn feed(target: Target, input: &[u8]) {
    match target {
        Target::Project => projects::load(input),
        Target::Cases => projects::test(input),
        Target::Reply => replies::feed(input),
        Target::Csv => files::csv(input),
        Target::Ndjson => files::ndjson(input),
        Target::Parquet => files::parquet(input),
        Target::Approved => kept::approved(input),
        Target::Ledger => kept::ledger(input),
    }
}
