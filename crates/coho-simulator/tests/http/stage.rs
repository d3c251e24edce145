//! A started simulator with a client for it.

use std::error::Error;
use std::path::Path;

use coho_simulator::{
    IdSource, Running, Simulator, SimulatorClock, SimulatorSettings, SimulatorTime, StartError,
};
use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::Value;

pub(crate) type Failure = Box<dyn Error>;

pub(crate) const KEY: &str = "sk_live_1";

/// 2026-01-02T03:04:05.678Z.
pub(crate) const START: SimulatorTime = SimulatorTime::from_millis(1_767_323_045_678);

pub(crate) struct Stage {
    pub(crate) vitally: Running,
    pub(crate) client: Client,
}

pub(crate) fn settings() -> SimulatorSettings {
    SimulatorSettings {
        clock: SimulatorClock::manual(START),
        ids: IdSource::Sequential,
        ..SimulatorSettings::new(KEY)
    }
}

pub(crate) fn client() -> Result<Client, Failure> {
    // Only the first call in this process installs; the others find it done.
    drop(rustls::crypto::ring::default_provider().install_default());
    Ok(Client::builder().build()?)
}

pub(crate) async fn start() -> Result<Stage, Failure> {
    start_with(settings()).await
}

pub(crate) async fn start_with(settings: SimulatorSettings) -> Result<Stage, Failure> {
    Ok(Stage { vitally: Simulator::start(settings).await?, client: client()? })
}

pub(crate) async fn start_on(path: &Path) -> Result<Running, StartError> {
    Simulator::start(SimulatorSettings { state: Some(path.to_owned()), ..settings() }).await
}

impl Stage {
    pub(crate) fn bare(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.vitally.url()))
    }

    pub(crate) async fn get(&self, path: &str) -> Result<Response, reqwest::Error> {
        self.bare(Method::GET, path).basic_auth(KEY, Some("")).send().await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Result<Response, reqwest::Error> {
        self.bare(Method::POST, path).basic_auth(KEY, Some("")).json(body).send().await
    }

    pub(crate) async fn inspect(
        &self,
        method: Method,
        path: &str,
        body: Value,
    ) -> Result<Response, reqwest::Error> {
        self.bare(method, &format!("/simulator{path}")).json(&body).send().await
    }
}
