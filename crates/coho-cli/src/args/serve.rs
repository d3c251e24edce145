//! What can be typed for the server and its tokens.

use std::net::SocketAddr;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};

use crate::span;

/// How the server runs.
#[derive(Clone, Debug, Args)]
pub(crate) struct Serve {
    /// The address to listen at. One that other machines can reach needs a token: `coho token new`.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:7711")]
    pub(crate) listen: SocketAddr,
    /// Another name under which its pages are reached, with the port if that is not the usual one; may be repeated. That of
    /// `public_url:` is known.
    #[arg(long = "host", value_name = "NAME")]
    pub(crate) hosts: Vec<String>,
    /// Lets pages run, retry and forget, for whoever has a token that may trigger. A run waits in the queue.
    #[arg(long)]
    pub(crate) allow_actions: bool,
    /// How long a run may take to end once the server is asked to stop. Nothing is lost after that: the next server goes on
    /// with it.
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = grace)]
    pub(crate) grace: Duration,
}

fn grace(text: &str) -> Result<Duration, String> {
    let grace = span::parse(text).filter(|grace| *grace <= Duration::from_secs(3_600));
    grace.ok_or_else(|| "expected a time such as 30s or 5m, at most an hour".to_owned())
}

/// What is done with tokens.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum TokenAction {
    /// Makes a token and shows it once: only its digest is kept.
    New {
        /// A name by which it is revoked.
        name: String,
        /// What it may do.
        #[arg(long, value_enum, default_value_t = TokenMay::Trigger)]
        may: TokenMay,
    },
    /// Lists tokens: their names, what they may do, and when they were revoked.
    List,
    /// Revokes a token.
    Revoke {
        /// Its name.
        name: String,
    },
}

/// What a token may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TokenMay {
    /// See syncs and runs.
    Read,
    /// That, and start runs.
    Trigger,
}
