//! Scripts of requests against a started simulator, over real HTTP: `fixtures/exchanges/*.txt` in, what was answered
//! out (`*.snap` beside it).
//!
//! A script is blocks between blank lines. A block is `METHOD PATH` and under it, if it has one, the JSON body; or an
//! order to the simulator: `@switches dup=409`, `@advance 7d` (a number and one of s, m, h, d), `@seed {…}`,
//! `@fault {…}` and `@lifecycle {…}` (JSON of the inspection API), `@key TEXT` and `@token TEXT` (the credentials of the
//! requests that follow, for REST and for Analytics), `@next` (a GET of the path before with the last `next` as
//! `from`), `@whole` (answers unshortened from here on), `@flush` (applies waiting messages), `@state` (shows what is
//! there, in brief). A path that begins with a colon lies under `/analytics/v1/`. Lines that begin with `#` are
//! comments. Ids are told, and the clock stands at 2026-01-02T03:04:05.678Z and one second more at each block.

#[path = "exchanges/script.rs"]
mod script;
#[path = "exchanges/shown.rs"]
mod shown;

use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use coho_simulator::{
    IdSource, Running, Simulator, SimulatorClock, SimulatorSettings, SimulatorTime, Switches,
};
use reqwest::{Client, Method};
use script::{Block, Order};
use serde_json::Value;

type Failure = Box<dyn Error>;

fn check(path: &Path) -> datatest_stable::Result<()> {
    let text = std::fs::read_to_string(path)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let transcript = runtime.block_on(play(&script::read(&text)?))?;
    let case = path.file_stem().and_then(|stem| stem.to_str()).ok_or("a fixture without a name")?;
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/exchanges"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(case, transcript));
    Ok(())
}

/// What holds while a script is played.
struct Stage {
    vitally: Running,
    client: Client,
    key: String,
    token: String,
    /// The path of the last GET, and the cursor in its answer.
    last: (String, String),
    shortened: fn(Value) -> Value,
    transcript: String,
}

async fn play(blocks: &[Block]) -> Result<String, Failure> {
    let clock = SimulatorClock::manual(SimulatorTime::from_millis(1_767_323_045_678));
    let settings = SimulatorSettings {
        clock: clock.clone(),
        ids: IdSource::Sequential,
        ..SimulatorSettings::new("sk_live_1")
    };
    let vitally = Simulator::start(settings).await?;
    let mut stage = Stage {
        vitally,
        client: client()?,
        key: "sk_live_1".to_owned(),
        token: "Basic sandbox".to_owned(),
        last: (String::new(), String::new()),
        shortened: script::brief,
        transcript: String::new(),
    };
    for block in blocks {
        stage.play(block).await?;
        clock.advance(Duration::from_secs(1));
    }
    stage.vitally.stop().await;
    Ok(stage.transcript)
}

/// A client that keeps no connections, so that a cut one is never tried again behind the test's back.
fn client() -> Result<Client, Failure> {
    // Only the first call in this process installs; the others find it done.
    drop(rustls::crypto::ring::default_provider().install_default());
    Ok(Client::builder().pool_max_idle_per_host(0).build()?)
}

impl Stage {
    async fn play(&mut self, block: &Block) -> Result<(), Failure> {
        match block {
            Block::Request { method, path, body } => self.request(method, path, body).await,
            Block::Order { order, text } => {
                writeln!(self.transcript, "{}", format!("@{} {text}", order.name()).trim_end())?;
                self.order(*order, text).await
            }
        }
    }

    async fn order(&mut self, order: Order, text: &str) -> Result<(), Failure> {
        match order {
            Order::Switches => self.vitally.set_switches(text.parse::<Switches>()?),
            Order::Advance => self.vitally.advance(script::duration(text)?),
            Order::Key => text.clone_into(&mut self.key),
            Order::Token => text.clone_into(&mut self.token),
            Order::Lifecycle => {
                let url = format!("{}/simulator/lifecycle", self.vitally.url());
                let response = self.client.put(url).body(text.to_owned()).send().await?;
                response.error_for_status()?;
            }
            Order::Flush => self.vitally.flush().map(drop)?,
            Order::State => {
                let url = format!("{}/simulator/state", self.vitally.url());
                let state: Value = self.client.get(url).send().await?.json().await?;
                self.transcript.push_str(&shown::state(&state));
            }
            Order::Seed => self.inspect("seed", text).await?,
            Order::Fault => self.inspect("faults", text).await?,
            Order::Whole => self.shortened = |value| value,
            Order::Next => {
                let (path, cursor) = self.last.clone();
                let separator = if path.contains('?') { '&' } else { '?' };
                let cursor = cursor.replace('+', "%2B").replace('=', "%3D");
                return self.request("GET", &format!("{path}{separator}from={cursor}"), "").await;
            }
        }
        self.transcript.push('\n');
        Ok(())
    }

    async fn inspect(&self, path: &str, body: &str) -> Result<(), Failure> {
        let url = format!("{}/simulator/{path}", self.vitally.url());
        let response = self.client.post(url).body(body.to_owned()).send().await?;
        if response.status().is_success() { Ok(()) } else { Err(response.text().await?.into()) }
    }

    async fn request(&mut self, method: &str, path: &str, body: &str) -> Result<(), Failure> {
        let whole = path.strip_prefix(':').map(|name| format!("/analytics/v1/{name}"));
        let is_analytics = whole.is_some();
        let url = format!("{}{}", self.vitally.url(), whole.as_deref().unwrap_or(path));
        let mut request = self.client.request(Method::from_bytes(method.as_bytes())?, url);
        if is_analytics {
            request = request.header("authorization", &self.token);
        } else if !self.key.is_empty() {
            request = request.basic_auth(&self.key, Some(""));
        }
        if !body.is_empty() {
            request = request.header("content-type", "application/json").body(body.to_owned());
        }
        writeln!(self.transcript, "{method} {path}")?;
        if !body.is_empty() {
            writeln!(self.transcript, "{body}")?;
        }
        match request.send().await {
            Ok(response) => self.answer(method, path, response).await,
            Err(_) => Ok(writeln!(self.transcript, "→ connection cut\n")?),
        }
    }

    async fn answer(&mut self, method: &str, path: &str, response: reqwest::Response) -> Result<(), Failure> {
        let status = response.status().as_u16();
        let header = |name: &str| {
            let value = response.headers().get(name)?.to_str().ok()?;
            Some(format!(" · {name}: {value}"))
        };
        // REST has rate headers on every answer, which would only fill the page.
        let shown: &[&str] = if path.starts_with(':') {
            &["retry-after", "ratelimit-remaining"]
        } else {
            &["retry-after", "x-ratelimit-remaining"]
        };
        let headers: String = shown.iter().copied().filter_map(header).collect();
        writeln!(self.transcript, "→ {status}{headers}")?;
        let text = response.text().await?;
        match serde_json::from_str::<Value>(&text) {
            Ok(value) => {
                if method == "GET" {
                    self.remember(path, &value);
                }
                writeln!(self.transcript, "{}", serde_json::to_string_pretty(&(self.shortened)(value))?)?;
            }
            Err(_) if text.is_empty() => {}
            Err(_) => writeln!(self.transcript, "{}", text.trim_end())?,
        }
        self.transcript.push('\n');
        Ok(())
    }

    fn remember(&mut self, path: &str, answer: &Value) {
        let path = path.split(['?', '&']).filter(|part| !part.starts_with("from=")).collect::<Vec<_>>();
        let path = path.join("&").replacen('&', "?", 1);
        let next = answer.get("next").and_then(Value::as_str).unwrap_or_default();
        self.last = (path, next.to_owned());
    }
}

datatest_stable::harness! {
    { test = check, root = "fixtures/exchanges", pattern = r"\.txt$" },
}
