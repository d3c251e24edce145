//! Without a mouse: each page is reached and read with keys alone.

use super::{Reader, failing};
use crate::stage::Failure;

#[tokio::test]
async fn keys_alone_lead_from_home_to_a_request_and_through_the_search() -> Result<(), Failure> {
    let stage = failing().await?;
    let served = stage.serve().await?;
    let test = "keys_alone_lead_from_home_to_a_request_and_through_the_search";
    let Some(reader) = Reader::enter(&served, test).await? else { return Ok(()) };
    let browser = &reader.browser;
    browser.type_keys("\u{E004}").await?;
    browser.wait("document.activeElement.matches('.skip') && document.activeElement.getBoundingClientRect().width > 50").await?;
    browser.type_keys("\u{E007}").await?;
    browser.wait("document.activeElement.id === 'main'").await?;
    for (keys, place) in [("gr", "/runs"), ("gp", "/project"), ("gh", "/"), ("gs", "/rows")] {
        browser.type_keys(keys).await?;
        browser
            .wait(&format!("location.pathname === '{place}' && document.readyState === 'complete'"))
            .await?;
    }
    browser.type_keys("/").await?;
    browser.wait("document.activeElement.matches('input[type=search]')").await?;
    browser.type_keys("cat@none.example\u{E007}").await?;
    browser.wait("location.search.startsWith('?q=') && document.querySelector('.row a.key')").await?;
    browser.type_keys("j").await?;
    browser.wait("document.activeElement.matches('a')").await?;
    browser.type_keys("\u{E007}").await?;
    browser.wait("/^.rows.\\d+$/.test(location.pathname) && document.querySelector('.story')").await?;
    browser.type_keys("j").await?;
    browser.wait("document.activeElement.matches('summary, a') && getComputedStyle(document.activeElement).outlineStyle !== 'none'").await?;
    reader.is_quiet("").await?;
    served.end().await
}

#[tokio::test]
async fn what_has_the_focus_is_seen_on_every_page() -> Result<(), Failure> {
    let stage = failing().await?;
    let served = stage.serve().await?;
    let Some(reader) = Reader::enter(&served, "what_has_the_focus_is_seen_on_every_page").await? else {
        return Ok(());
    };
    for path in super::PAGES {
        reader.open(path).await?;
        for stop in 0..12 {
            reader.browser.type_keys("\u{E004}").await?;
            let hidden = reader
                .browser
                .value(
                    "(() => { const at = document.activeElement, style = getComputedStyle(at); \
                     return at === document.body || (style.outlineStyle !== 'none' && at.getClientRects().length) ? '' : at.outerHTML.slice(0, 200); })()",
                )
                .await?;
            assert_eq!(hidden, "", "{path}, after {} times Tab", stop + 1);
        }
    }
    served.end().await
}
