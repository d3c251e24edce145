//! What must hold of a page in any state: axe-core finds nothing, it fits in three widths, both themes differ, it survives being
//! loaded again, and the browser is quiet.

use coho_testkit::Theme;

use super::Reader;
use super::axe::look_at;
use super::fits::{WIDER, WIDTHS};
use crate::stage::Failure;

/// Looks at the page that is shown, by this name; whether loading it again shows the same is asked where that is safe.
pub(super) async fn is_sound(reader: &Reader, axe: &str, name: &str) -> Result<(), Failure> {
    let browser = &reader.browser;
    let heading = reader.heading().await?;
    assert!(!heading.is_empty(), "{name}");
    let mut found = Vec::new();
    look_at(browser, axe, name, &mut found).await?;
    assert!(found.is_empty(), "{}", found.join("\n"));
    let mut papers = Vec::new();
    for theme in Theme::ALL {
        browser.like(theme).await?;
        papers.push(browser.value("getComputedStyle(document.documentElement).backgroundColor").await?);
        for width in WIDTHS {
            browser.resize(width, 800).await?;
            let wider = browser.script(WIDER).await?;
            assert!(wider.is_null(), "{name} at {width}: {}", wider.as_str().unwrap_or_default());
        }
    }
    assert_ne!(papers.first(), papers.last(), "{name} looks the same in both themes");
    Ok(())
}

/// The same, and then it is loaded again, left, and gone back to.
pub(super) async fn is_sound_and_stays(reader: &Reader, axe: &str, name: &str) -> Result<(), Failure> {
    is_sound(reader, axe, name).await?;
    let browser = &reader.browser;
    let seen = (browser.address().await?, reader.heading().await?);
    browser.reload().await?;
    assert_eq!((browser.address().await?, reader.heading().await?), seen, "{name}, loaded again");
    reader.open("/runs").await?;
    browser.back().await?;
    browser.wait(&format!("location.href === '{}' && document.readyState === 'complete'", seen.0)).await?;
    assert_eq!(reader.heading().await?, seen.1, "{name}, gone back to");
    Ok(())
}

/// Presses a button or follows a link, and waits for the next page.
pub(super) async fn press(reader: &Reader, what: &str, next: &str) -> Result<(), Failure> {
    reader.browser.script(&format!("{what}.click()")).await?;
    Ok(reader.browser.wait(&format!("{next} && document.readyState === 'complete'")).await?)
}
