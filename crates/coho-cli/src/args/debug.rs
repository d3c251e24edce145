//! What can be typed for the debugger.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

/// Where pages are served, and who may see them.
#[derive(Clone, Debug, Args)]
pub(crate) struct Debug {
    /// The port; by default a free one.
    #[arg(long, default_value_t = 0, conflicts_with = "listen")]
    pub(crate) port: u16,
    /// Another address than this machine's own, such as `0.0.0.0:8080`. Whoever reaches it and has the token sees values of
    /// rows, so that a token of your own is needed.
    #[arg(long, value_name = "ADDRESS", requires = "token_file")]
    pub(crate) listen: Option<SocketAddr>,
    /// A name under which the pages are reached besides, with its port where that is not the usual one, such as
    /// `coho.example.com`.
    #[arg(long = "host", value_name = "NAME")]
    pub(crate) hosts: Vec<String>,
    /// A file that holds the token, of 20 characters at least; by default each start draws one.
    #[arg(long, value_name = "FILE", env = "COHO_DEBUG_TOKEN_FILE")]
    pub(crate) token_file: Option<PathBuf>,
    /// Lets pages retry, forget and run, each after a question. Without it they only look.
    #[arg(long)]
    pub(crate) allow_actions: bool,
    /// Opens no browser.
    #[arg(long)]
    pub(crate) no_open: bool,
}
