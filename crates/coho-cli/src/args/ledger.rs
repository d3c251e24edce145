//! What is typed after `coho ledger`.

use clap::Subcommand;

/// What is done with a ledger.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum LedgerAction {
    /// Copy a ledger between files, buckets and PostgreSQL. Nothing is sent, and a plan is the same before and after.
    ///
    /// Needs no project. Credentials for a bucket come from the environment, as for `ledger:`; the password for PostgreSQL from
    /// PGPASSWORD, unless the address has one. A ledger that is in the second place already is never written over. Set `ledger:` to the new place afterwards, and use only that one.
    Copy {
        /// Where the ledger is: a file, or an address such as `s3://bucket/folder/ledger.db` or `postgres://user@host/database?schema=coho`.
        #[arg(value_name = "FROM")]
        from: String,
        /// Where its copy is to be.
        #[arg(value_name = "TO")]
        to: String,
    },
}
