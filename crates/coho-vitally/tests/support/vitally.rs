//! A simulator and a client of it.

use std::time::Duration;

use coho_simulator::{Running, Settings as SimulatorSettings, Simulator, Switches};
use coho_vitally::client::{Client, Endpoint, Jitter, Retry, Settings, Token};

pub(crate) type Failure = Box<dyn std::error::Error>;

const KEY: &str = "sk_live_simulated";

/// A simulator with these switches.
pub(crate) async fn simulator(switches: &str) -> Result<Running, Failure> {
    let switches: Switches = switches.parse()?;
    Ok(Simulator::start(SimulatorSettings { switches, ..SimulatorSettings::new(KEY) }).await?)
}

/// A client that does not wait between tries.
pub(crate) fn client(url: &str) -> Result<Client, Failure> {
    Ok(Client::new(settings(url)?)?)
}

/// What that client is made with.
pub(crate) fn settings(url: &str) -> Result<Settings, Failure> {
    let token = Token::parse(&KEY.to_owned().into())?;
    let settings = Settings::new(Endpoint::BaseUrl(url.to_owned()), token);
    let retry = Retry { first_wait: Duration::ZERO, ..settings.retry };
    Ok(Settings { rate: 60_000, retry, jitter: Jitter::new(|| 0.0), ..settings })
}
