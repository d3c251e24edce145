//! Pages that move by themselves while a run goes on.

use super::Reader;
use super::gate::Gate;
use crate::stage::{Failure, Stage};

/// A stage whose calls wait at a gate.
pub(crate) async fn gated() -> Result<(Stage, Gate), Failure> {
    let mut stage = Stage::new().await?;
    let gate = Gate::closed(stage.vitally.address()).await?;
    stage.reached_at(gate.url());
    Ok((stage, gate))
}

#[tokio::test]
async fn the_page_of_a_run_moves_while_it_goes_on() -> Result<(), Failure> {
    let (stage, gate) = gated().await?;
    let served = stage.serve().await?;
    let test = "the_page_of_a_run_moves_while_it_goes_on";
    let Some(reader) = Reader::enter(&served, test).await? else { return Ok(()) };
    let look = async {
        let browser = &reader.browser;
        // The overview of nothing finds the run by itself.
        browser.wait("document.querySelector('main .state.going')").await?;
        reader.open("/runs/run-000").await?;
        browser
            .wait("document.querySelector('#live.on') && document.querySelector('main .state.going')")
            .await?;
        browser.script("window.same = document.querySelector('main .tabs a'); window.same.focus()").await?;
        // The accounts are settled, and the users wait.
        gate.let_through(2);
        browser.wait("document.querySelectorAll('.last li').length === 2").await?;
        gate.let_through(1_000);
        browser
            .wait(
                "!document.querySelector('main .state.going') && document.querySelector('main .state.good')",
            )
            .await?;
        browser.wait("window.same === document.querySelector('main .tabs a') && document.activeElement === window.same").await?;
        reader.is_quiet("").await
    };
    let watched = async {
        let watched = look.await;
        gate.let_through(1_000);
        watched
    };
    let (ran, watched) = tokio::join!(stage.run(), watched);
    watched.and(ran)?;
    served.end().await
}

#[tokio::test]
async fn what_somebody_unfolded_stays_unfolded() -> Result<(), Failure> {
    let stage = super::failing().await?;
    let served = stage.serve().await?;
    let Some(reader) = Reader::enter(&served, "what_somebody_unfolded_stays_unfolded").await? else {
        return Ok(());
    };
    let browser = &reader.browser;
    reader.open("/rows/1").await?;
    browser.wait("document.querySelector('#live.on')").await?;
    browser.script("document.querySelector('details.call summary').click()").await?;
    let before = browser.value("document.querySelectorAll('.story > li').length").await?;
    stage.sql("UPDATE accounts SET seats = 7 WHERE id = 1")?;
    stage.run().await?;
    browser.wait(&format!("document.querySelectorAll('.story > li').length > {before}")).await?;
    assert_eq!(browser.value("document.querySelectorAll('details.call[open]').length").await?, 1);
    served.end().await
}
