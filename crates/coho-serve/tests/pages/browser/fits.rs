//! Every page fits: at the width of a telephone, a tablet and a desk, in both themes.

use coho_testkit::{Theme, ZONE};

use super::{PAGES, Reader, failing};
use crate::stage::Failure;

pub(super) const WIDTHS: [u32; 3] = [360, 768, 1_280];

/// How wide the page is where it is wider than the window, with the last texts that stand out; or nothing.
pub(super) const WIDER: &str = "
    if (document.documentElement.scrollWidth <= innerWidth) return null;
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), wide = [];
    while (texts.nextNode()) {
        const range = document.createRange();
        range.selectNodeContents(texts.currentNode);
        if (range.getBoundingClientRect().right > innerWidth) wide.push(texts.currentNode.parentElement.outerHTML.slice(0, 200));
    }
    return [document.documentElement.scrollWidth, ...wide.slice(-3)].join('\\n');";

#[tokio::test]
async fn every_page_fits_in_three_widths_and_both_themes() -> Result<(), Failure> {
    let stage = failing().await?;
    let served = stage.serve().await?;
    let test = "every_page_fits_in_three_widths_and_both_themes";
    let Some(reader) = Reader::enter(&served, test).await? else { return Ok(()) };
    for path in PAGES {
        reader.open(path).await?;
        assert!(!reader.heading().await?.is_empty(), "{path}");
        let mut papers = Vec::new();
        for theme in Theme::ALL {
            reader.browser.like(theme).await?;
            papers.push(
                reader.browser.value("getComputedStyle(document.documentElement).backgroundColor").await?,
            );
            for width in WIDTHS {
                reader.browser.resize(width, 800).await?;
                let wider = reader.browser.script(WIDER).await?;
                assert!(wider.is_null(), "{path} at {width}: {}", wider.as_str().unwrap_or_default());
            }
        }
        assert_ne!(papers.first(), papers.last(), "{path} looks the same in both themes");
        reader.is_quiet("/nowhere").await?;
    }
    served.end().await
}

#[tokio::test]
async fn times_are_in_the_readers_zone() -> Result<(), Failure> {
    let stage = failing().await?;
    let served = stage.serve().await?;
    let Some(reader) = Reader::enter(&served, "times_are_in_the_readers_zone").await? else { return Ok(()) };
    reader.open("/runs/run-001").await?;
    let zone = reader.browser.value("Intl.DateTimeFormat().resolvedOptions().timeZone").await?;
    assert_eq!(zone, ZONE);
    let shown = reader.browser.value("document.querySelector('main time').textContent").await?;
    let title = reader.browser.value("document.querySelector('main time').title").await?;
    assert!(shown.as_str().unwrap_or_default().contains("12:19"), "{shown}");
    assert!(
        title.as_str().unwrap_or_default().contains("03:19")
            && title.as_str().unwrap_or_default().contains("UTC"),
        "{title}"
    );
    served.end().await
}
