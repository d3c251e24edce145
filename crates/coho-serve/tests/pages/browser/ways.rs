//! Ways through the pages: the door, links, back and forward, and loading anew.

use coho_simulator::{FaultAnswer, ScriptedFault, Trouble};
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

/// Clicks one link after the other from the home page on, and gives what the last page says.
async fn clicked(reader: &Reader, links: &[&str]) -> Result<String, Failure> {
    for link in links {
        let before = reader.browser.address().await?;
        reader.browser.script(&format!("{link}.click()")).await?;
        let there = format!("location.href !== '{before}' && document.readyState === 'complete'");
        reader.browser.wait(&there).await?;
    }
    let page = reader.browser.value("document.querySelector('main').textContent").await?;
    Ok(page.as_str().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn three_clicks_lead_from_home_to_a_request_of_a_storm_of_429() -> Result<(), Failure> {
    let stage = Stage::new().await?;
    let busy = FaultAnswer { retry_after: Some(0), ..FaultAnswer::status(429) };
    stage.vitally.script(ScriptedFault::once(Trouble::Answer(busy)).on("POST", "/resources/users").times(2));
    stage.run().await?;
    let served = stage.serve().await?;
    let test = "three_clicks_lead_from_home_to_a_request_of_a_storm_of_429";
    let Some(reader) = Reader::enter(&served, test).await? else { return Ok(()) };
    let said = clicked(
        &reader,
        &[
            "document.querySelector('main a[href^=\"/runs/\"]')",
            "[...document.querySelectorAll('[aria-labelledby=calls] tr')].find((one) => one.textContent.includes('429')).querySelector('a')",
            "document.querySelector('main a[href^=\"/calls/\"]')",
        ],
    )
    .await?;
    assert!(said.contains("429") && said.contains("/resources/users"), "{said}");
    reader.is_quiet("").await?;
    served.end().await
}

#[tokio::test]
async fn two_clicks_lead_from_home_to_the_row_that_a_template_fails_on() -> Result<(), Failure> {
    let stage = Stage::new().await?;
    let sync = "id: accounts\nmodel: accounts\nto: vitally\nobject: account\nmatch: { externalId: external }\n\
        fields: { name: name, traits: { load: { template: '{{ 6 | divided_by: row.seats }}' } } }\n";
    stage.file("syncs/accounts.yaml", sync);
    stage.sql("UPDATE accounts SET seats = 0 WHERE id = 1")?;
    stage.run().await?;
    let served = stage.serve().await?;
    let test = "two_clicks_lead_from_home_to_the_row_that_a_template_fails_on";
    let Some(reader) = Reader::enter(&served, test).await? else { return Ok(()) };
    let said =
        clicked(&reader, &["document.querySelector('.cause a')", "document.querySelector('.row a.key')"])
            .await?;
    assert!(said.contains("template-failed") && said.contains("traits.load"), "{said}");
    reader.is_quiet("").await?;
    served.end().await
}
