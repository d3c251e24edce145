//! Pages on which something is done: what asks, what was done, and what was refused, as people see it.

use std::sync::Arc;

use coho_serve::actions::{Done, Refused, Wish};

use super::axe::axe;
use super::sound::{is_sound, is_sound_and_stays, press};
use super::{PAGES, Reader, failing};
use crate::acts::Clerk;
use crate::stage::{Failure, Served, Stage};

/// Each page that asks, over the ledger of [`failing`].
const ASKING: [&str; 7] = [
    "/do/run",
    "/do/run?sync=users",
    "/do/retry?row=6",
    "/do/retry?sync=users",
    "/do/retry?cause=1",
    "/do/forget?row=6",
    "/do/forget?sync=accounts",
];

const BUTTON: &str = "document.querySelector('main form button')";

/// The ledger of [`failing`], and pages for which this is done.
async fn allowed(answer: Result<Done, Refused>) -> Result<(Stage, Served, Arc<Clerk>), Failure> {
    let stage = failing().await?;
    let clerk = Clerk::new(answer);
    let served = stage.serve_with(Some(clerk.clone())).await?;
    Ok((stage, served, clerk))
}

/// Somebody in a browser, with axe-core.
async fn entered(served: &Served, test: &str) -> Result<Option<(Reader, String)>, Failure> {
    let Some(axe) = axe(test)? else { return Ok(None) };
    Ok(Reader::enter(served, test).await?.map(|reader| (reader, axe)))
}

#[tokio::test]
async fn pages_that_ask_and_pages_that_say_it_is_done_are_sound() -> Result<(), Failure> {
    let (_stage, served, clerk) = allowed(Ok(Done::Told("Forgot 1 key.".to_owned()))).await?;
    let test = "pages_that_ask_and_pages_that_say_it_is_done_are_sound";
    let Some((reader, axe)) = entered(&served, test).await? else { return Ok(()) };
    for path in ASKING {
        reader.open(path).await?;
        is_sound_and_stays(&reader, &axe, path).await?;
    }
    assert!(clerk.wishes().is_empty(), "a page that asks does nothing by itself");
    reader.open("/do/forget?row=6").await?;
    press(&reader, BUTTON, "location.pathname.startsWith('/done/')").await?;
    is_sound_and_stays(&reader, &axe, "done").await?;
    reader.browser.back().await?;
    reader.browser.wait("location.pathname === '/do/forget'").await?;
    assert_eq!(clerk.wishes().len(), 1, "loading it again and going back do nothing");
    reader.is_quiet("").await?;
    served.end().await
}

#[tokio::test]
async fn what_is_refused_and_a_form_of_an_earlier_start_are_sound() -> Result<(), Failure> {
    let refused = Refused {
        message: "another run <b>holds</b> the ledger [lease-held]".to_owned(),
        help: Some("wait until it has ended".to_owned()),
    };
    let (_stage, served, clerk) = allowed(Err(refused)).await?;
    let test = "what_is_refused_and_a_form_of_an_earlier_start_are_sound";
    let Some((reader, axe)) = entered(&served, test).await? else { return Ok(()) };
    for path in ["/do/run", "/do/retry?cause=1", "/do/forget?row=6"] {
        reader.open(path).await?;
        press(&reader, BUTTON, "document.querySelector('.alert')").await?;
        is_sound(&reader, &axe, path).await?;
    }
    assert_eq!(clerk.wishes().len(), 3);
    reader.open("/do/run").await?;
    reader.browser.script("document.querySelector('input[name=form]').value = 'of an earlier start'").await?;
    press(&reader, BUTTON, "document.querySelector('.alert')").await?;
    assert_eq!(reader.heading().await?, "Nothing was changed");
    is_sound(&reader, &axe, "an earlier start").await?;
    assert_eq!(clerk.wishes().len(), 3);
    reader.is_quiet("/do/").await?;
    served.end().await
}

#[tokio::test]
async fn pages_that_only_look_say_so_where_something_was_to_be_done() -> Result<(), Failure> {
    let stage = failing().await?;
    let served = stage.serve().await?;
    let test = "pages_that_only_look_say_so_where_something_was_to_be_done";
    let Some((reader, axe)) = entered(&served, test).await? else { return Ok(()) };
    for path in ["/do/run", "/do/retry?cause=1", "/do/forget?row=6"] {
        reader.open(path).await?;
        assert_eq!(reader.heading().await?, "These pages are read-only");
        is_sound_and_stays(&reader, &axe, path).await?;
    }
    served.end().await
}

#[tokio::test]
async fn every_page_is_sound_where_it_may_act() -> Result<(), Failure> {
    let (_stage, served, _) = allowed(Ok(Done::Told(String::new()))).await?;
    let test = "every_page_is_sound_where_it_may_act";
    let Some((reader, axe)) = entered(&served, test).await? else { return Ok(()) };
    for path in PAGES {
        reader.open(path).await?;
        is_sound(&reader, &axe, path).await?;
    }
    served.end().await
}

#[tokio::test]
async fn two_clicks_on_a_run_retry_the_rows_of_a_cause() -> Result<(), Failure> {
    let (_stage, served, clerk) = allowed(Ok(Done::Began { run: "run-002".to_owned() })).await?;
    let test = "two_clicks_on_a_run_retry_the_rows_of_a_cause";
    let Some(reader) = Reader::enter(&served, test).await? else { return Ok(()) };
    reader.open("/runs/run-001").await?;
    let these = "[...document.querySelectorAll('.cause a.more')].find((one) => one.textContent.startsWith('Retry these'))";
    press(&reader, these, "location.pathname === '/do/retry'").await?;
    press(&reader, BUTTON, "location.pathname === '/runs/run-002'").await?;
    assert!(matches!(clerk.wishes().as_slice(), [Wish::Retry { .. }]), "{:?}", clerk.wishes());
    reader.is_quiet("").await?;
    served.end().await
}
