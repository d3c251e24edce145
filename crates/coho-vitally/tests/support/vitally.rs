//! A simulator and a client of it.

use std::time::Duration;

use coho_simulator::{Running, Simulator, SimulatorSettings, Switches};
use coho_vitally::client::{
    AnalyticsSettings, AnalyticsToken, Client, ClientSettings, Endpoint, Jitter, Retry, Token,
};

pub(crate) type Failure = Box<dyn std::error::Error>;

const KEY: &str = "sk_live_simulated";

/// The simulator's own token of the Analytics API.
const ANALYTICS: &str = "sandbox";

/// A simulator with these switches.
pub(crate) async fn simulator(switches: &str) -> Result<Running, Failure> {
    let switches: Switches = switches.parse()?;
    Ok(Simulator::start(SimulatorSettings { switches, ..SimulatorSettings::new(KEY) }).await?)
}

/// A client that does not wait between tries.
#[allow(dead_code, reason = "each test file uses a part of it")]
pub(crate) fn client(url: &str) -> Result<Client, Failure> {
    Ok(Client::new(settings(url)?)?)
}

/// What that client is made with.
pub(crate) fn settings(url: &str) -> Result<ClientSettings, Failure> {
    let token = Token::parse(&KEY.to_owned().into())?;
    let settings = ClientSettings::new(Endpoint::BaseUrl(url.to_owned()), token);
    let retry = Retry { first_wait: Duration::ZERO, ..settings.retry };
    Ok(ClientSettings { rate: 60_000, retry, jitter: Jitter::new(|| 0.0), ..settings })
}

/// The same with the Analytics API, whose host is the same here.
#[allow(dead_code, reason = "each test file uses a part of it")]
pub(crate) fn with_analytics(settings: ClientSettings) -> Result<ClientSettings, Failure> {
    let analytics = AnalyticsSettings::new(AnalyticsToken::parse(&ANALYTICS.into())?);
    Ok(ClientSettings { analytics: Some(AnalyticsSettings { rate: 60_000, ..analytics }), ..settings })
}
