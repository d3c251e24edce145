//! What a simulator is started with.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use crate::clock::SimulatorClock;
use crate::switches::Switches;

/// What a simulator is started with. [`SimulatorSettings::new`] gives a strict one on a free local port, in memory.
#[derive(Clone)]
pub struct SimulatorSettings {
    /// Where it listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The REST key that it accepts.
    pub rest_key: String,
    /// The Analytics token that it accepts.
    pub analytics_token: String,
    /// The file that holds its records; `None` keeps them in memory. A file that does not exist is made.
    pub state: Option<PathBuf>,
    /// How it behaves where the documentation is silent.
    pub switches: Switches,
    /// Where it reads the time.
    pub clock: SimulatorClock,
    /// How new Vitally ids are made.
    pub ids: IdSource,
    /// How long it waits before each answer.
    pub latency: Duration,
    /// How many calls the log keeps; the oldest go first.
    pub calls_kept: usize,
}

/// How new Vitally ids are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdSource {
    /// Random UUIDs (version 4).
    Random,
    /// `00000000-0000-4000-8000-000000000001` and so on, for tests that compare whole answers.
    Sequential,
}

impl SimulatorSettings {
    /// A strict Vitally in memory, on a free port of 127.0.0.1, with the machine's clock and random ids. Its
    /// Analytics token is `sandbox`.
    pub fn new(rest_key: impl Into<String>) -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            rest_key: rest_key.into(),
            analytics_token: "sandbox".to_owned(),
            state: None,
            switches: Switches::default(),
            clock: SimulatorClock::real(),
            ids: IdSource::Random,
            latency: Duration::ZERO,
            calls_kept: 100_000,
        }
    }
}

/// The key and the token do not show.
impl fmt::Debug for SimulatorSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("listen", &self.listen)
            .field("state", &self.state)
            .field("switches", &self.switches)
            .field("ids", &self.ids)
            .field("latency", &self.latency)
            .field("calls_kept", &self.calls_kept)
            .finish_non_exhaustive()
    }
}
