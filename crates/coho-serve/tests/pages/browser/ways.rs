//! Ways through the pages: the door, links, back and forward, and loading anew.

use coho_testkit::Browser;

use super::{Reader, failing};
use crate::stage::{Failure, KEY, Stage};

/// The link of the account that Vitally refused.
const REFUSED: &str = "[...document.querySelectorAll('.cause')].find((one) => one.textContent.includes('is not a name')).querySelector('a')";

#[tokio::test]
async fn the_door_opens_to_the_token_and_the_address_forgets_it() -> Result<(), Failure> {
    let stage = Stage::new().await?;
    let served = stage.serve().await?;
    let test = "the_door_opens_to_the_token_and_the_address_forgets_it";
    let Some(browser) = Browser::start_or_skip(test).await? else { return Ok(()) };
    let url = format!("http://{}/", served.address);
    browser.open(&url).await?;
    for (token, leads_to) in [("an-old-token", ".alert"), (KEY, "#live")] {
        browser.wait("document.activeElement.id === 'token'").await?;
        browser.type_keys(&format!("{token}\u{E007}")).await?;
        browser.wait(&format!("document.querySelector('{leads_to}')")).await?;
    }
    browser.open(&format!("{url}runs#{KEY}")).await?;
    browser.wait("document.querySelector('#live')").await?;
    assert!(!browser.value("document.cookie").await?.as_str().unwrap_or_default().contains("coho"));
    let asked = browser.heard().await?.asked;
    assert!(!asked.is_empty() && asked.iter().all(|url| !url.contains(KEY)), "{asked:?}");
    served.end().await
}

#[tokio::test]
async fn three_clicks_lead_from_home_to_the_request_and_back_leads_back() -> Result<(), Failure> {
    let stage = failing().await?;
    let served = stage.serve().await?;
    let test = "three_clicks_lead_from_home_to_the_request_and_back_leads_back";
    let Some(reader) = Reader::enter(&served, test).await? else { return Ok(()) };
    let browser = &reader.browser;
    let mut seen = vec![(browser.address().await?, reader.heading().await?)];
    for link in [
        REFUSED,
        "document.querySelector('.row a.key')",
        "document.querySelector('.call a[href^=\"/calls/\"]')",
    ] {
        let before = &seen[seen.len() - 1].0;
        browser.script(&format!("{link}.click()")).await?;
        browser.wait(&format!("location.href !== '{before}' && document.readyState === 'complete'")).await?;
        seen.push((browser.address().await?, reader.heading().await?));
    }
    let call = browser.value("document.querySelector('.sides').textContent").await?;
    assert!(
        call.as_str().is_some_and(|text| text.contains("PUT") && text.contains("is not a name")),
        "{call}"
    );
    seen.pop();
    for (address, heading) in seen.iter().rev() {
        browser.back().await?;
        browser.wait("document.readyState === 'complete' && document.querySelector('h1')").await?;
        assert_eq!((&browser.address().await?, &reader.heading().await?), (address, heading));
        browser.reload().await?;
        assert_eq!((&browser.address().await?, &reader.heading().await?), (address, heading));
    }
    browser.wait("document.querySelector('#live.on')").await?;
    reader.is_quiet("").await?;
    served.end().await
}
