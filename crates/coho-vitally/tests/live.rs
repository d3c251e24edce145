//! The live check against a simulator: what it asks, and that nothing of it stays.

#[path = "support/vitally.rs"]
mod vitally;

use coho_core::failure::Failure as _;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, Ordering};

use coho_core::code::Code;
use coho_core::object::Object;
use coho_simulator::{RecordKind, Running};
use coho_vitally::client::live::{LiveError, Question};
use coho_vitally::client::{Client, ClientSettings, Endpoint, Token};
use vitally::{Failure, client, simulator};

const NAME: &str = "coho-check-1";

fn records(vitally: &Running) -> usize {
    [RecordKind::Organization, RecordKind::Account, RecordKind::User]
        .map(|object| vitally.count(object))
        .iter()
        .sum()
}

#[tokio::test]
async fn every_question_is_answered_and_nothing_stays() -> Result<(), Failure> {
    let vitally = simulator("").await?;
    let check = client(&vitally.url())?.check_live(NAME, &|| true).await;
    assert!(check.cut_short.is_none() && check.left.is_empty(), "{check:#?}");
    assert_eq!(records(&vitally), 0);
    let answered: BTreeSet<_> = check.learned.iter().map(|learned| learned.question).collect();
    assert_eq!(answered, BTreeSet::from(Question::ALL));
    let of_user = |question| {
        let mut learned = check.learned.iter().filter(|learned| learned.object == Some(Object::User));
        learned.find(|learned| learned.question == question).map(|learned| learned.answer.as_str())
    };
    assert_eq!(of_user(Question::MissingPut), Some("refused-404"), "a refusal is an answer");
    assert_eq!(of_user(Question::DeleteStatus), Some("204"));
    Ok(())
}

#[tokio::test]
async fn check_that_may_not_go_on_makes_nothing_more_and_takes_away_what_it_made() -> Result<(), Failure> {
    let vitally = simulator("").await?;
    for most in [0, 10, 14, 20, 40] {
        vitally.clear_calls();
        let asked = AtomicU32::new(0);
        let go_on = || asked.fetch_add(1, Ordering::SeqCst) < most;
        let check = client(&vitally.url())?.check_live(NAME, &go_on).await;
        assert!(matches!(check.cut_short, Some(LiveError::Interrupted)), "{most}: {check:#?}");
        assert!(check.left.is_empty(), "{most}: {:?}", check.left);
        assert_eq!(records(&vitally), 0, "{most}");
        let made = vitally.calls().iter().any(|call| call.method == "POST");
        assert_eq!(made, most > 9, "the first nine calls look whether the names are free");
    }
    Ok(())
}

#[tokio::test]
async fn token_that_is_not_accepted_ends_the_check_before_it_makes_anything() -> Result<(), Failure> {
    let vitally = simulator("").await?;
    let token = Token::parse(&"sk_live_another".into())?;
    let client = Client::new(ClientSettings::new(Endpoint::BaseUrl(vitally.url()), token))?;
    let check = client.check_live(NAME, &|| true).await;
    assert_eq!(check.cut_short.map(|error| error.code()), Some(Code::UNAUTHORIZED));
    assert!(check.learned.is_empty() && check.left.is_empty());
    assert!(vitally.calls().iter().all(|call| call.method == "GET"));
    Ok(())
}
