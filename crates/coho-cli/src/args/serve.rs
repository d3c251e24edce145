//! What can be typed for the server and its tokens.

use std::net::SocketAddr;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};

/// How the server runs.
#[derive(Clone, Debug, Args)]
pub(crate) struct Serve {
    /// The address to listen at. One that other machines can reach needs a token: `coho token new`.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:7711")]
    pub(crate) listen: SocketAddr,
    /// How long a run may take to end when the server is asked to end. Nothing is lost after that, either: the next server goes on
    /// with it.
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = grace)]
    pub(crate) grace: Duration,
}

/// `30s` or `5m`.
fn grace(text: &str) -> Result<Duration, String> {
    let (number, unit) = match (text.strip_suffix('s'), text.strip_suffix('m')) {
        (Some(number), _) => (number, 1),
        (None, Some(number)) => (number, 60),
        (None, None) => (text, 1),
    };
    let seconds = number.parse::<u32>().ok().map(|number| u64::from(number) * unit);
    let seconds = seconds.filter(|seconds| *seconds <= 3_600);
    seconds
        .map(Duration::from_secs)
        .ok_or_else(|| "expected a time such as `30s` or `5m`, at most an hour".to_owned())
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
    /// Lists tokens: their names, what they may do, and since when they are revoked.
    List,
    /// Takes a token no longer.
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
