//! A real browser: Chromium without a window, told what to do over WebDriver. `browser/driver.rs` starts its driver,
//! `browser/wire.rs` speaks to it.
//!
//! WebDriver is JSON over HTTP. What tests of pages need of it is a dozen commands, so no library stands between.

mod driver;
mod failure;
mod heard;
mod wire;

use std::io::Write as _;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use base64::Engine as _;
use serde_json::{Value, json};

use driver::Driver;
pub use failure::BrowserError;
use failure::of;
pub use heard::Heard;

/// The zone that the browser is in, so that tests see that times are shown in the reader's.
pub const ZONE: &str = "Asia/Tokyo";

/// The longest that a test waits for something to become true of a page.
const DEADLINE: Duration = Duration::from_secs(30);

/// Waits within the page: the script ends when the condition holds, or says `null` shortly before the driver would end it.
const WAIT: &str = "
    const done = arguments[arguments.length - 1], until = performance.now() + 5000;
    const look = () => {
        let holds;
        try { holds = (CONDITION); } catch (error) { holds = undefined; }
        if (holds) done(true); else if (performance.now() > until) done(null); else setTimeout(look, 20);
    };
    look();";

/// How pages look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Theme {
    /// Dark ink on light paper.
    Light,
    /// The other way round.
    Dark,
}

impl Theme {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Light, Self::Dark];

    /// Its name, as style sheets spell it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

/// A browser with one tab, gone when it is dropped or when the process ends.
#[derive(Debug)]
pub struct Browser {
    address: SocketAddr,
    session: String,
    driver: Driver,
}

impl Browser {
    /// Starts one; about two seconds. `None` where Chromium or its driver is not installed, or `COHO_TEST_BROWSER=off`.
    pub async fn start() -> Result<Option<Self>, BrowserError> {
        let Some(driver) = Driver::start().map_err(of("starting chromedriver"))? else { return Ok(None) };
        let address = driver.address();
        let begun = wire::ask(address, "POST", "/session", &driver.capabilities()).await?;
        let session =
            begun["sessionId"].as_str().ok_or_else(|| BrowserError::new(format!("no session: {begun}")))?;
        let browser = Self { address, session: session.to_owned(), driver };
        browser.devtools("Network.enable", &json!({})).await?;
        Ok(Some(browser))
    }

    /// The same, and says on standard error which test is skipped where there is no browser.
    pub async fn start_or_skip(test: &str) -> Result<Option<Self>, BrowserError> {
        let browser = Self::start().await?;
        if browser.is_none() {
            let words = format!("skipped: Chromium with chromedriver is not installed ({test})\n");
            std::io::stderr().write_all(words.as_bytes()).map_err(of("saying so"))?;
        }
        Ok(browser)
    }

    /// Opens an address, and waits until its page is loaded.
    pub async fn open(&self, url: &str) -> Result<(), BrowserError> {
        self.post("url", &json!({ "url": url })).await.map(drop)
    }

    /// Goes back, as its button does.
    pub async fn back(&self) -> Result<(), BrowserError> {
        self.post("back", &json!({})).await.map(drop)
    }

    /// Goes forward again.
    pub async fn forward(&self) -> Result<(), BrowserError> {
        self.post("forward", &json!({})).await.map(drop)
    }

    /// Loads the page anew.
    pub async fn reload(&self) -> Result<(), BrowserError> {
        self.post("refresh", &json!({})).await.map(drop)
    }

    /// What an expression of JavaScript gives on this page.
    pub async fn value(&self, expression: &str) -> Result<Value, BrowserError> {
        self.script(&format!("return ({expression});")).await
    }

    /// Runs the body of a function of JavaScript on this page; gives what it returns.
    pub async fn script(&self, body: &str) -> Result<Value, BrowserError> {
        self.post("execute/sync", &json!({ "script": body, "args": [] })).await
    }

    /// The same where it ends later, by calling its last argument.
    pub async fn script_until_done(&self, body: &str) -> Result<Value, BrowserError> {
        self.post("execute/async", &json!({ "script": body, "args": [] })).await
    }

    /// Waits until an expression of JavaScript holds on the page, whichever that is by then.
    pub async fn wait(&self, condition: &str) -> Result<(), BrowserError> {
        let begun = Instant::now();
        let script = WAIT.replace("CONDITION", condition);
        loop {
            let last = match self.script_until_done(&script).await {
                Ok(Value::Bool(true)) => return Ok(()),
                Ok(_) => "it did not come true".to_owned(),
                // The page went away under the script: the next page is asked.
                Err(error) => error.to_string(),
            };
            if begun.elapsed() > DEADLINE {
                let place = self.address().await.unwrap_or_default();
                return Err(BrowserError::new(format!(
                    "waited in vain at {place} until {condition}: {last}"
                )));
            }
        }
    }

    /// The address of the page.
    pub async fn address(&self) -> Result<String, BrowserError> {
        let url = wire::ask(self.address, "GET", &self.path("url"), &Value::Null).await?;
        Ok(url.as_str().unwrap_or_default().to_owned())
    }

    /// Types, a key after the other. `\u{E004}` is the tabulator, `\u{E007}` is Enter, `\u{E008}` holds Shift.
    pub async fn type_keys(&self, keys: &str) -> Result<(), BrowserError> {
        let down = keys.chars().map(|key| ("keyDown", key));
        let strokes = down.flat_map(|(kind, key)| [(kind, key), ("keyUp", key)]);
        let strokes: Vec<_> =
            strokes.map(|(kind, key)| json!({ "type": kind, "value": key.to_string() })).collect();
        let keyboard = json!({ "type": "key", "id": "keyboard", "actions": strokes });
        self.post("actions", &json!({ "actions": [keyboard] })).await.map(drop)
    }

    /// Gives the page so much room, in pixels.
    pub async fn resize(&self, width: u32, height: u32) -> Result<(), BrowserError> {
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", &metrics).await.map(drop)
    }

    /// Shows no bars at the edges of what scrolls: in pictures they are in the way.
    pub async fn hide_scrollbars(&self) -> Result<(), BrowserError> {
        self.devtools("Emulation.setScrollbarsHidden", &json!({ "hidden": true })).await.map(drop)
    }

    /// Lets pages believe that the reader likes this theme.
    pub async fn like(&self, theme: Theme) -> Result<(), BrowserError> {
        let feature = json!({ "name": "prefers-color-scheme", "value": theme.name() });
        self.devtools("Emulation.setEmulatedMedia", &json!({ "features": [feature] })).await.map(drop)
    }

    /// What the page looks like now, as PNG.
    pub async fn picture(&self) -> Result<Vec<u8>, BrowserError> {
        let picture = wire::ask(self.address, "GET", &self.path("screenshot"), &Value::Null).await?;
        let text = picture.as_str().unwrap_or_default();
        base64::engine::general_purpose::STANDARD.decode(text).map_err(of("reading a picture"))
    }

    /// What the console said, and what was asked of which server, since this was called last.
    pub async fn heard(&self) -> Result<Heard, BrowserError> {
        let console = self.post("se/log", &json!({ "type": "browser" })).await?;
        let performance = self.post("se/log", &json!({ "type": "performance" })).await?;
        Ok(Heard::of(&console, &performance))
    }

    async fn devtools(&self, command: &str, parameters: &Value) -> Result<Value, BrowserError> {
        self.post("goog/cdp/execute", &json!({ "cmd": command, "params": parameters })).await
    }

    async fn post(&self, command: &str, body: &Value) -> Result<Value, BrowserError> {
        wire::ask(self.address, "POST", &self.path(command), body).await
    }

    fn path(&self, command: &str) -> String {
        format!("/session/{}/{command}", self.session)
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        self.driver.end_session(&self.session);
    }
}
