//! What can be typed for the verbs that show pages: `coho debug`, and `coho demo --debug`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

/// What the demo ends with.
#[derive(Clone, Debug, Args)]
pub(crate) struct Demo {
    /// Makes one more run, in which some rows fail, and shows all of them in the debugger until Ctrl-C.
    #[arg(long)]
    pub(crate) debug: bool,
    /// Opens no browser.
    #[arg(long, requires = "debug")]
    pub(crate) no_open: bool,
}

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
