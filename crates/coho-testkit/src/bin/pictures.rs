//! `pictures ADDRESS FOLDER`: pictures of the debugger's pages in both themes, for the documentation. Started by
//! `cargo xtask screenshots` with the address that `coho demo --debug` prints.

use std::error::Error;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use coho_testkit::{Browser, Theme, small};

/// A page: its picture's name, its height in pixels, and how it is reached from the page before it, as an expression of
/// JavaScript for a link.
const PAGES: [(&str, u32, &str); 4] = [
    ("home", 680, ""),
    ("run", 760, "document.querySelector('tbody a[href^=\"/runs/\"]')"),
    (
        "row",
        820,
        "[...document.querySelectorAll('.cause')].find((one) => one.textContent.includes('rejected')).querySelector('a')",
    ),
    ("call", 420, "document.querySelector('.call a[href^=\"/calls/\"]')"),
];

/// The width of a picture, in pixels.
const WIDTH: u32 = 1_120;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut words = std::env::args().skip(1);
    let (Some(address), Some(folder)) = (words.next(), words.next()) else {
        return Err("expected an address and a folder".into());
    };
    let folder = PathBuf::from(folder);
    std::fs::create_dir_all(&folder)?;
    let browser = Browser::start().await?.ok_or("Chromium with chromedriver is not installed")?;
    browser.hide_scrollbars().await?;
    browser.open(&address).await?;
    browser.wait("!document.body.matches('.door') && document.querySelector('h1')").await?;
    for (name, height, link) in PAGES {
        browser.resize(WIDTH, height).await?;
        if !link.is_empty() {
            follow(&browser, link).await?;
        }
        if name == "row" {
            // The list of the rows of a cause lies between.
            follow(&browser, "document.querySelector('.row a.key')").await?;
        }
        for theme in Theme::ALL {
            let file = folder.join(format!("{name}-{}.png", theme.name()));
            take(&browser, theme, &file).await?;
        }
    }
    Ok(())
}

async fn follow(browser: &Browser, link: &str) -> Result<(), Box<dyn Error>> {
    let before = browser.address().await?;
    browser.script(&format!("{link}.click()")).await?;
    let arrived = format!("location.href !== '{before}' && document.readyState === 'complete'");
    Ok(browser.wait(&arrived).await?)
}

async fn take(browser: &Browser, theme: Theme, file: &Path) -> Result<(), Box<dyn Error>> {
    browser.like(theme).await?;
    let wants_dark = theme == Theme::Dark;
    browser.wait(&format!("matchMedia('(prefers-color-scheme: dark)').matches === {wants_dark}")).await?;
    let picture = small(&browser.picture().await?)?;
    std::fs::write(file, &picture)?;
    writeln!(std::io::stdout(), "{} bytes: {}", picture.len(), file.display())?;
    Ok(())
}
