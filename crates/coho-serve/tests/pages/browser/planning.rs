//! The plan and the playground in a browser, in every state that they have.

use super::axe::axe;
use super::sound::{is_sound, is_sound_and_stays, press};
use super::{Reader, failing};
use crate::stage::{Failure, Served, Stage};

async fn entered(served: &Served, test: &str) -> Result<Option<(Reader, String)>, Failure> {
    let Some(axe) = axe(test)? else { return Ok(None) };
    Ok(Reader::enter(served, test).await?.map(|reader| (reader, axe)))
}

/// The button that begins a plan.
const PLAN: &str = "document.querySelector('form[action=\"/plan\"] button')";

#[tokio::test]
async fn the_plan_is_sound_before_it_is_made_and_in_every_part_of_it() -> Result<(), Failure> {
    let stage = failing().await?;
    stage.sql("DELETE FROM users WHERE id = 2; UPDATE accounts SET seats = 9; INSERT INTO users VALUES (NULL, 'No', 'a-1', NULL)")?;
    let served = stage.serve().await?;
    let test = "the_plan_is_sound_before_it_is_made_and_in_every_part_of_it";
    let Some((reader, axe)) = entered(&served, test).await? else { return Ok(()) };
    reader.open("/plan").await?;
    is_sound_and_stays(&reader, &axe, "no plan").await?;
    press(&reader, PLAN, "document.querySelector('main .row')").await?;
    is_sound_and_stays(&reader, &axe, "a plan").await?;
    for path in [
        "/plan?sync=accounts&kind=update",
        "/plan?sync=users&kind=invalid",
        "/plan?sync=users&kind=held",
        "/plan?kind=remove",
    ] {
        reader.open(path).await?;
        is_sound(&reader, &axe, path).await?;
    }
    reader.is_quiet("").await?;
    served.end().await
}

#[tokio::test]
async fn a_plan_that_is_being_made_is_sound_and_can_be_cancelled() -> Result<(), Failure> {
    let stage = Stage::new().await?;
    let source = stage.endless_source().await?;
    let served = stage.serve().await?;
    let test = "a_plan_that_is_being_made_is_sound_and_can_be_cancelled";
    let Some((reader, axe)) = entered(&served, test).await? else { return Ok(()) };
    reader.open("/plan").await?;
    let cancel = "document.querySelector('form[action=\"/plan/cancel\"] button')";
    press(&reader, PLAN, cancel).await?;
    is_sound(&reader, &axe, "being made").await?;
    press(&reader, cancel, &format!("!{cancel}")).await?;
    is_sound(&reader, &axe, "cancelled").await?;
    drop(source);
    reader.is_quiet("").await?;
    served.end().await
}

#[tokio::test]
async fn a_plan_that_cannot_be_made_and_a_project_that_is_wrong_are_sound() -> Result<(), Failure> {
    let stage = Stage::new().await?;
    stage.file("syncs/users.yaml", "id: users\nmodel: nothing\n");
    let served = stage.serve().await?;
    let test = "a_plan_that_cannot_be_made_and_a_project_that_is_wrong_are_sound";
    let Some((reader, axe)) = entered(&served, test).await? else { return Ok(()) };
    for path in ["/", "/project", "/playground", "/plan"] {
        reader.open(path).await?;
        is_sound(&reader, &axe, path).await?;
    }
    press(&reader, PLAN, "document.querySelector('main .problem, main .alert')").await?;
    is_sound(&reader, &axe, "no plan").await?;
    reader.is_quiet("").await?;
    served.end().await
}

#[tokio::test]
async fn the_playground_is_sound_with_values_with_faults_and_with_a_mapping() -> Result<(), Failure> {
    let stage = failing().await?;
    let served = stage.serve().await?;
    let test = "the_playground_is_sound_with_values_with_faults_and_with_a_mapping";
    let Some((reader, axe)) = entered(&served, test).await? else { return Ok(()) };
    let browser = &reader.browser;
    reader.open("/playground").await?;
    is_sound_and_stays(&reader, &axe, "an example").await?;
    for (text, comes) in [
        ("{{ row.name | uprcase }}", "document.querySelector('#results .problem')"),
        ("{{ row.name | upcase }}", "document.querySelector('#results .v')?.textContent.includes('ANN')"),
    ] {
        let typed = format!(
            "const area = document.getElementById('text'); area.value = '{text}'; \
             area.dispatchEvent(new Event('input', {{ bubbles: true }}))"
        );
        browser.script(&typed).await?;
        browser.wait(comes).await?;
        is_sound(&reader, &axe, text).await?;
    }
    reader.open("/playground?sync=accounts").await?;
    press(&reader, "document.querySelector('button[name=read]')", "document.querySelector('#results .row')")
        .await?;
    is_sound(&reader, &axe, "a mapping").await?;
    browser.script("document.querySelectorAll('details').forEach((one) => { one.open = true; })").await?;
    is_sound(&reader, &axe, "a mapping and its test").await?;
    reader.is_quiet("").await?;
    served.end().await
}
