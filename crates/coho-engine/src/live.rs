//! The live check of a destination: how its workspace behaves where Vitally's documentation is silent.
//!
//! `coho_vitally::client::live` asks the questions and takes away what it made. Here the destination is found, the switch
//! that ends a check is watched, and [`mod@file`] is what the project keeps of the answers.

pub mod file;

use coho_core::time::Time;
use coho_plan::stop::Stop;
use coho_vitally::client::live::LiveCheck;

use crate::context::{Engine, EngineError};

pub use coho_vitally::client::live::{Learned, Left, LiveError, Question};

/// What a live check came to.
#[derive(Debug)]
pub struct LiveReport {
    /// The destination.
    pub destination: String,
    /// Where its workspace is.
    pub url: String,
    /// When the check began.
    pub at: Time,
    /// What was learned, in the order of the questions.
    pub learned: Vec<Learned>,
    /// What could not be taken away again.
    pub left: Vec<Left>,
    /// Why it ended before its end.
    pub cut_short: Option<LiveError>,
}

impl Engine<'_> {
    /// Finds out how a destination's workspace behaves. `name` is what all records of the check are called, alone or with
    /// an ending; nothing else may be called so.
    ///
    /// What was made is taken away again however the check ends; what stays is in [`LiveReport::left`]. The error is the
    /// project's: no such destination, or no token.
    pub async fn check_live(
        &self,
        destination: &str,
        name: &str,
        stop: &Stop,
    ) -> Result<LiveReport, EngineError> {
        self.rest_token_of(destination)?;
        let client = self.client_at(destination, None)?;
        let at = self.setup.clock.now();
        let LiveCheck { learned, left, cut_short } = client.check_live(name, &|| !stop.is_asked()).await;
        let (destination, url) = (destination.to_owned(), client.url().to_owned());
        Ok(LiveReport { destination, url, at, learned, left, cut_short })
    }
}
