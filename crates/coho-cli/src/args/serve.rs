//! What can be typed for the server and its tokens.

use std::net::SocketAddr;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};

use crate::span;

/// How the server runs.
#[derive(Clone, Debug, Args)]
pub(crate) struct Serve {
    /// The address to listen on. One that other machines can reach needs a token: `coho token new`.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:7711")]
    pub(crate) listen: SocketAddr,
    /// Another host name under which the pages are reached, with the port if it is unusual; repeatable. The one in
    /// `public_url:` is always known.
    #[arg(long = "host", value_name = "NAME")]
    pub(crate) hosts: Vec<String>,
    /// Let pages run, retry and forget, for tokens that may trigger. Runs wait in the queue.
    #[arg(long)]
    pub(crate) allow_actions: bool,
    /// How long a run may take to end once the server is asked to stop. Nothing is lost after that: the next server
    /// continues it.
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = grace)]
    pub(crate) grace: Duration,
}

fn grace(text: &str) -> Result<Duration, String> {
    let grace = span::parse(text).filter(|grace| *grace <= Duration::from_secs(3_600));
    grace.ok_or_else(|| "expected a duration such as 30s or 5m, at most an hour".to_owned())
}

/// What is done with tokens.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum TokenAction {
    /// Create a token and show it once: only its digest is stored.
    New {
        /// A name, to revoke it by.
        name: String,
        /// What the token may do.
        #[arg(long, value_enum, default_value_t = TokenMay::Trigger)]
        may: TokenMay,
    },
    /// List tokens: their names, what they may do, and when they were revoked.
    List,
    /// Revoke a token.
    Revoke {
        /// The token's name.
        name: String,
    },
}

/// What a token may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TokenMay {
    /// See syncs and runs.
    Read,
    /// See syncs and runs, and start runs.
    Trigger,
}
