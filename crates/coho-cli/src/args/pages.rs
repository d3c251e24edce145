//! What can be typed for the verbs that show pages: `coho debug`, and `coho demo --debug`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

/// What the demo ends with.
#[derive(Clone, Debug, Args)]
pub(crate) struct Demo {
    /// Make one more run, in which some rows fail, and show all runs in the debugger until Ctrl-C.
    #[arg(long)]
    pub(crate) debug: bool,
    /// Do not open a browser.
    #[arg(long, requires = "debug")]
    pub(crate) no_open: bool,
}

/// Where pages are served, and who may see them.
#[derive(Clone, Debug, Args)]
pub(crate) struct Debug {
    /// The port; a free one by default.
    #[arg(long, default_value_t = 0, conflicts_with = "listen")]
    pub(crate) port: u16,
    /// An address other than this machine's own, such as `0.0.0.0:8080`. Anyone who reaches it and has the token can see
    /// values of rows, so it needs a token of your own.
    #[arg(long, value_name = "ADDRESS", requires = "token_file")]
    pub(crate) listen: Option<SocketAddr>,
    /// Another host name under which the pages are reached, with the port if it is unusual, such as `coho.example.com`.
    #[arg(long = "host", value_name = "NAME")]
    pub(crate) hosts: Vec<String>,
    /// A file with the token, of at least 20 characters; by default, each start creates a new one.
    #[arg(long, value_name = "FILE", env = "COHO_DEBUG_TOKEN_FILE")]
    pub(crate) token_file: Option<PathBuf>,
    /// Let pages run, retry and forget, after asking. Without it, they are read-only.
    #[arg(long)]
    pub(crate) allow_actions: bool,
    /// Do not open a browser.
    #[arg(long)]
    pub(crate) no_open: bool,
}
