//! Listings, reads by Vitally's id and custom fields: sans-IO for what a bad list does, over HTTP for what a good one holds.

#[path = "support/vitally.rs"]
mod vitally;

use std::collections::BTreeSet;
use std::time::Duration;

use coho_core::object::Object;
use coho_core::path::FieldPath;
use coho_core::target::VitallyId;
use coho_core::value::Value;
use coho_core::verdict::Verdict;
use coho_simulator::{LifecycleStage, Seed, SimulatorTime};
use coho_vitally::client::Pages;
use coho_vitally::list::{ListEnd, Listing, Portion};
use coho_vitally::lookup::LookupResult;
use coho_vitally::request::{Answer, Reply};
use vitally::{Failure, client, simulator};

fn reply(status: u16, body: &str) -> Answer {
    let asked = chrono::DateTime::UNIX_EPOCH;
    Answer::Reply(Reply { status, body: body.to_owned(), date: None, asked, elapsed: Duration::ZERO })
}

/// What each answer brings: the ids, and whether there are more.
fn play(answers: &[&str]) -> Vec<(Vec<String>, ListEnd)> {
    let mut listing = Listing::start(Object::User);
    answers.iter().map(|body| told(listing.on(&reply(200, body)))).collect()
}

fn told(portion: Portion) -> (Vec<String>, ListEnd) {
    let ids = portion.records.into_iter().filter_map(|record| Some(record.id?.to_string()));
    (ids.collect(), portion.end)
}

fn ids(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn a_record_that_comes_twice_is_told_once() {
    let told = play(&[
        r#"{"results":[{"id":"a"},{"id":"b"}],"next":"1"}"#,
        r#"{"results":[{"id":"b"},{"id":"c"}],"next":null}"#,
    ]);
    assert_eq!(told, [(ids(&["a", "b"]), ListEnd::More), (ids(&["c"]), ListEnd::End)]);
}

#[test]
fn a_list_ends_at_its_end_whatever_the_cursor_says() {
    for last in [
        r#"{"results":[{"id":"a"}],"next":"2","atEnd":true}"#,
        r#"{"results":[],"next":"2","atEnd":true}"#,
        r#"{"results":[{"id":"a"}],"next":""}"#,
        r#"[{"id":"a"}]"#,
        r#"{"data":[]}"#,
    ] {
        let told = play(&[r#"{"results":[{"id":"a"}],"next":"1"}"#, last]);
        assert_eq!(told[1].1, ListEnd::End, "{last}");
    }
}

#[test]
fn an_empty_page_with_a_cursor_is_no_end() {
    let told = play(&[
        r#"{"results":[{"id":"a"}],"next":"1","atEnd":false}"#,
        r#"{"results":[],"next":"2","atEnd":false}"#,
        r#"{"results":[],"next":"3"}"#,
        r#"{"results":[{"id":"b"}],"next":null,"atEnd":true}"#,
    ]);
    assert_eq!(
        told[1..],
        [(ids(&[]), ListEnd::More), (ids(&[]), ListEnd::More), (ids(&["b"]), ListEnd::End)]
    );
}

#[test]
fn a_cursor_that_stands_still_is_no_end() {
    let told = play(&[r#"{"results":[{"id":"a"}],"next":"1"}"#, r#"{"results":[{"id":"b"}],"next":"1"}"#]);
    assert_eq!(told[1].0, ids(&["b"]));
    assert!(matches!(&told[1].1, ListEnd::Failed(Verdict::Unsent { .. })), "{told:?}");
}

#[test]
fn a_list_that_goes_round_in_a_circle_has_failed() {
    let told = play(&[
        r#"{"results":[{"id":"a"}],"next":"1"}"#,
        r#"{"results":[{"id":"b"}],"next":"2"}"#,
        r#"{"results":[{"id":"a"}],"next":"1"}"#,
    ]);
    assert!(
        matches!(&told[2].1, ListEnd::Failed(Verdict::Unsent { why }) if why.contains("repeats itself")),
        "{told:?}"
    );
}

#[test]
fn a_page_without_a_cursor_that_is_not_the_last_is_no_end() {
    let told = play(&[r#"{"results":[{"id":"a"}],"next":null,"atEnd":false}"#]);
    assert_eq!(told[0].0, ids(&["a"]));
    assert!(
        matches!(&told[0].1, ListEnd::Failed(Verdict::Unsent { why }) if why.contains("ends early")),
        "{told:?}"
    );
}

#[test]
fn cursors_without_end_have_an_end() {
    let mut listing = Listing::start(Object::User);
    let mut ends =
        (0..100).map(|n| listing.on(&reply(200, &format!(r#"{{"results":[{{"id":"a"}}],"next":"{n}"}}"#))));
    assert!(ends.any(|portion| matches!(portion.end, ListEnd::Failed(_))));
    assert_eq!(listing.request(), None);
}

#[test]
fn what_is_no_list_is_not_taken_for_the_end_of_one() {
    for body in [
        "{}",
        r#"{"next":null}"#,
        r#"{"id":"a"}"#,
        "<html>",
        "",
        r#"{"results":null}"#,
        r#"{"results":[{}]}"#,
        r#"{"error":"busy"}"#,
    ] {
        let told = play(&[body]);
        assert!(matches!(&told[0].1, ListEnd::Failed(Verdict::Unsent { .. })), "{body}: {told:?}");
    }
}

#[test]
fn a_workspace_without_organizations_has_none_to_list() {
    let mut listing = Listing::start(Object::Organization);
    let portion = listing.on(&reply(404, r#"{"error":"Not found"}"#));
    assert_eq!(portion, Portion { records: Vec::new(), end: ListEnd::End });
    assert_eq!(Listing::start(Object::Event).request(), None);
}

#[test]
fn a_later_page_that_is_not_there_is_no_end() {
    let mut listing = Listing::start(Object::Organization);
    let first = listing.on(&reply(200, r#"{"results":[{"id":"a"}],"next":"1"}"#));
    assert_eq!(first.end, ListEnd::More);
    let portion = listing.on(&reply(404, r#"{"error":"Not found"}"#));
    assert!(matches!(portion.end, ListEnd::Failed(_)), "{:?}", portion.end);
}

#[test]
fn a_refused_page_tells_why() {
    let mut listing = Listing::start(Object::User);
    let portion = listing.on(&reply(401, r#"{"error":"no"}"#));
    assert!(matches!(portion.end, ListEnd::Failed(Verdict::Halt { .. })), "{:?}", portion.end);
    assert_eq!(listing.request(), None);
}

async fn all(mut pages: Pages) -> Result<(BTreeSet<String>, usize), Failure> {
    let (mut found, mut calls) = (BTreeSet::new(), 0);
    loop {
        let listed = pages.next().await;
        calls += listed.calls.len();
        found.extend(listed.records.into_iter().filter_map(|record| record.external_id));
        match listed.end {
            ListEnd::More => {}
            ListEnd::End => return Ok((found, calls)),
            ListEnd::Failed(verdict) => return Err(format!("{verdict:?}").into()),
        }
    }
}

#[tokio::test]
async fn all_accounts_are_listed_a_hundred_a_call() -> Result<(), Failure> {
    let vitally = simulator("").await?;
    for number in 0..230 {
        vitally.seed(
            Seed::account(&format!("a-{number}"))
                .made_at(SimulatorTime::from_millis(1_600_000_000_000 + number)),
        )?;
    }
    vitally.mark(coho_simulator::RecordKind::Account, "a-7", LifecycleStage::Churned)?;
    let client = client(&vitally.url())?;
    let (found, calls) = all(client.list(Object::Account)).await?;
    assert_eq!((found.len(), calls), (230, 3));
    assert!(found.contains("a-7"));
    assert_eq!(all(client.list(Object::User)).await?, (BTreeSet::new(), 1));
    assert_eq!(all(client.list(Object::Event)).await?, (BTreeSet::new(), 0));
    Ok(())
}

#[tokio::test]
async fn a_listed_user_tells_what_adopt_compares() -> Result<(), Failure> {
    let vitally = simulator("").await?;
    let organization = vitally.seed(Seed::organization("group"))?;
    let account = vitally.seed(Seed::account("acme").organization_link("group"))?;
    let user =
        Seed::user("u-1").email("ada@acme.io").name("Ada").account_link("acme").organization_link("group");
    let id = VitallyId::new(vitally.seed(user.with_trait("seats", 7))?.to_string());
    let client = client(&vitally.url())?;
    let LookupResult::Found(record) = client.record(Object::User, &id).await.finding else {
        return Err("there is such a user".into());
    };
    assert_eq!(client.list(Object::User).next().await.records, [(*record).clone()]);
    let value = |path: &str| record.value(&FieldPath::new(path));
    assert_eq!((value("name"), value("traits.seats")), (Some(Value::text("Ada")), Some(Value::Int(7))));
    assert_eq!((value("avatar"), value("traits.other")), (Some(Value::Null), None));
    let linked = &record.accounts()[0];
    assert_eq!((linked.id.to_string(), linked.external_id.as_deref()), (account.to_string(), Some("acme")));
    assert_eq!(record.organizations()[0].id.to_string(), organization.to_string());
    let account = client.record(Object::Account, &linked.id).await;
    let LookupResult::Found(record) = account.finding else { return Err("there is such an account".into()) };
    assert_eq!(record.organization_id().map(|id| id.to_string()), Some(organization.to_string()));
    let nobody = client.record(Object::Account, &id).await;
    assert_eq!(nobody.finding, LookupResult::Missing);
    Ok(())
}

#[tokio::test]
async fn custom_fields_are_those_of_the_object() -> Result<(), Failure> {
    let vitally = simulator("").await?;
    vitally.define("accounts", "vitally.custom.tier", "string")?;
    vitally.define("users", "vitally.custom.role", "string")?;
    let client = client(&vitally.url())?;
    let (fields, calls) =
        client.custom_fields(Object::Account).await.map_err(|verdict| format!("{verdict:?}"))?;
    assert_eq!((fields.len(), calls.len()), (1, 1));
    assert_eq!((fields[0].path.as_str(), fields[0].kind.as_str()), ("vitally.custom.tier", "string"));
    let none = client.custom_fields(Object::Event).await;
    assert_eq!(none, Ok((Vec::new(), Vec::new())));
    Ok(())
}
