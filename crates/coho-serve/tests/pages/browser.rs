//! The pages in a real browser: what people see, type and wait for, and what the browser says of them.
//!
//! Each test says `skipped: WHY (TEST)` where there is no browser.

#[path = "browser/acting.rs"]
mod acting;
#[path = "browser/axe.rs"]
mod axe;
#[path = "browser/fits.rs"]
mod fits;
#[path = "browser/gate.rs"]
mod gate;
#[path = "browser/keys.rs"]
mod keys;
#[path = "browser/live.rs"]
mod live;
#[path = "browser/planning.rs"]
mod planning;
#[path = "browser/sound.rs"]
mod sound;
#[path = "browser/ways.rs"]
mod ways;

use coho_simulator::{FaultAnswer, ScriptedFault, Trouble};
use coho_testkit::{Browser, Heard};

use crate::stage::{Failure, KEY, Served, Stage};

/// Every page, over the ledger of [`failing`].
pub(crate) const PAGES: [&str; 15] = [
    "/",
    "/runs",
    "/runs/run-001",
    "/runs/run-001/rows",
    "/runs/run-001/rows?sync=users&status=deferred",
    "/runs/run-001/calls",
    "/rows",
    "/rows?standing=yes",
    "/rows/6",
    "/calls/1",
    "/calls/3",
    "/project",
    "/plan",
    "/playground",
    "/nowhere",
];

/// What a browser must never take for markup: it would say so, and ask for a picture.
const HOSTILE: &str = "<img src=/stolen onerror=window.hostile=1><script>window.hostile=1</script>";

/// What Vitally says of an account.
const REFUSAL: &str = r#"{"message":"<img src=/stolen onerror=window.hostile=1> is not a name"}"#;

/// Three runs. In the second one an account is refused, a user has no account and another one a key that is markup; values are long and have no spaces.
pub(crate) async fn failing() -> Result<Stage, Failure> {
    let stage = Stage::new().await?;
    stage.run().await?;
    stage.advance(900);
    let refused = FaultAnswer { body: Some(REFUSAL.to_owned()), ..FaultAnswer::status(400) };
    stage
        .vitally
        .script(ScriptedFault::once(Trouble::Answer(refused)).on("PUT", "/resources/accounts/*").times(100));
    let long = "without-a-space-".repeat(20);
    stage.sql(&format!(
        "UPDATE accounts SET seats = 5, name = '{long}' WHERE id = 1; UPDATE accounts SET plan = '{HOSTILE}' WHERE id = 2;
         INSERT INTO users VALUES (3, 'Cat', 'a-9', 'cat@none.example'), ('{HOSTILE}', '{HOSTILE}', 'a-9', NULL),
            ('{long}', 'Dan', 'a-9', NULL)"
    ))?;
    stage.run().await?;
    stage.advance(900);
    stage.sql("UPDATE accounts SET seats = 6 WHERE id = 1")?;
    stage.run().await?;
    Ok(stage)
}

/// Somebody before a browser, who was let in.
pub(crate) struct Reader {
    pub(crate) browser: Browser,
    url: String,
}

impl Reader {
    /// Opens the address that `coho debug` prints; `None` where there is no browser.
    pub(crate) async fn enter(served: &Served, test: &str) -> Result<Option<Self>, Failure> {
        let Some(browser) = Browser::start_or_skip(test).await? else { return Ok(None) };
        let reader = Self { browser, url: format!("http://{}", served.address) };
        reader.browser.resize(1_280, 800).await?;
        reader.open(&format!("/#{KEY}")).await?;
        reader.browser.wait("!document.body.matches('.door') && document.querySelector('h1')").await?;
        // The door answers 401, and a browser says so of every such answer.
        let heard = reader.browser.heard().await?;
        assert!(heard.console.iter().all(|line| line.contains("401 (Unauthorized)")), "{heard:?}");
        Ok(Some(reader))
    }

    pub(crate) async fn open(&self, path: &str) -> Result<(), Failure> {
        Ok(self.browser.open(&format!("{}{path}", self.url)).await?)
    }

    /// The heading of the page.
    pub(crate) async fn heading(&self) -> Result<String, Failure> {
        let heading = self.browser.value("document.querySelector('h1').textContent").await?;
        Ok(heading.as_str().unwrap_or_default().to_owned())
    }

    /// Fails where the browser complains, where something was asked of another server, or where a value ran as a script.
    pub(crate) async fn is_quiet(&self, expected: &str) -> Result<(), Failure> {
        let Heard { console, asked } = self.browser.heard().await?;
        let complaints: Vec<_> =
            console.iter().filter(|line| expected.is_empty() || !line.contains(expected)).collect();
        assert!(complaints.is_empty(), "{complaints:#?}");
        let elsewhere: Vec<_> =
            asked.iter().filter(|url| !url.starts_with(&self.url) || url.contains("stolen")).collect();
        assert!(!asked.is_empty() && elsewhere.is_empty(), "{elsewhere:?}");
        assert!(self.browser.value("window.hostile === undefined").await?.as_bool() == Some(true));
        Ok(())
    }
}
