//! What is typed after `coho dbt`.

use clap::{ArgGroup, Subcommand};

/// What is written for dbt.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum DbtAction {
    /// Print `exposures:` for the syncs that read dbt models, so that dbt's lineage and documentation show them.
    ///
    /// Write them to a file among dbt's models: `coho dbt exposures --owner-name Data > models/coho.yml`. Needs no manifest and
    /// no variables.
    #[command(group = ArgGroup::new("owner").required(true).multiple(true).args(["owner_name", "owner_email"]))]
    Exposures {
        /// The name of the person or team that owns the syncs. dbt requires a name or an e-mail address.
        #[arg(long, value_name = "NAME")]
        owner_name: Option<String>,
        /// Their e-mail address.
        #[arg(long, value_name = "ADDRESS")]
        owner_email: Option<String>,
    },
}
