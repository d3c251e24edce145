//! The end of waiting over real sockets: a client that is asked to end, or whose time is up, waits for nothing any more.

#[path = "support/operations.rs"]
mod operations;
#[path = "support/vitally.rs"]
mod vitally;

use std::time::Duration;

use coho_core::object::Object;
use coho_core::operation::{Known, Operation};
use coho_core::sync::Mode;
use coho_core::target::ExternalId;
use coho_core::value::Value;
use coho_core::verdict::Verdict;
use coho_simulator::{FaultAnswer, Running, ScriptedFault, Trouble};
use coho_vitally::client::{Client, ClientSettings, Retry, Until};
use coho_vitally::lookup::LookupResult;
use coho_vitally::resolved::Resolved;
use operations::{Deed, operation};
use tokio::sync::watch;
use vitally::{Failure, client, settings, simulator};

fn write(known: Known) -> Result<Operation, Failure> {
    let fields = [("name", Value::text("Acme"))];
    operation(Object::Account, "acme", Deed::Write(Mode::Upsert), known, &fields, &[])
}

/// A Vitally that refuses all and asks to come back in ten minutes.
async fn busy() -> Result<Running, Failure> {
    let vitally = simulator("").await?;
    let refused = FaultAnswer { retry_after: Some(600), ..FaultAnswer::status(429) };
    vitally.script(ScriptedFault::once(Trouble::Answer(refused)).times(100));
    Ok(vitally)
}

fn unsent() -> Verdict {
    Verdict::Unsent { why: "the run ended before".to_owned() }
}

#[tokio::test]
async fn who_is_asked_to_end_waits_no_ten_minutes() -> Result<(), Failure> {
    let vitally = busy().await?;
    let (ask, asked) = watch::channel(false);
    let client = client(&vitally.url())?.until(Until::asked(asked));
    let (operation, resolved) = (write(Known::New)?, Resolved::new());
    let deliveries =
        async { tokio::join!(client.deliver(&operation, &resolved), client.deliver(&operation, &resolved)) };
    let asks = async {
        while vitally.calls().is_empty() {
            tokio::task::yield_now().await;
        }
        ask.send_replace(true);
    };
    let ((one, other), ()) = tokio::join!(deliveries, asks);
    assert_eq!((&one.verdict, &other.verdict), (&unsent(), &unsent()));
    assert_eq!(one.calls.len() + other.calls.len(), 1, "what waits sends no call more");
    assert_eq!(client.state().rest.map(|rest| rest.under_way), Some(0));

    let looked = client.lookup(Object::Account, &ExternalId::parse("acme")?).await;
    assert_eq!((looked.finding, looked.calls.len()), (LookupResult::Failed(unsent()), 0));
    Ok(())
}

#[tokio::test]
async fn whose_time_is_up_waits_no_ten_minutes() -> Result<(), Failure> {
    let vitally = busy().await?;
    let whole = client(&vitally.url())?;
    let client = whole.until(Until::never().within(Duration::from_millis(200)));
    let delivery = client.deliver(&write(Known::New)?, &Resolved::new()).await;
    assert_eq!((delivery.verdict, delivery.calls.len()), (unsent(), 1));
    assert!(client.is_over() && !whole.is_over(), "the time is that of one clone");
    Ok(())
}

#[tokio::test]
async fn a_failed_try_stays_unclear_where_the_end_comes_before_the_next() -> Result<(), Failure> {
    let vitally = simulator("").await?;
    vitally.script(ScriptedFault::once(Trouble::DropAfterCommit).on("PUT", "/resources/accounts/*"));
    let settings = settings(&vitally.url())?;
    let retry = Retry { first_wait: Duration::from_secs(600), ..settings.retry };
    let client = Client::new(ClientSettings { retry, ..settings })?;
    client.deliver(&write(Known::New)?, &Resolved::new()).await;
    let client = client.until(Until::never().within(Duration::from_millis(200)));
    let delivery = client.deliver(&write(Known::Assumed)?, &Resolved::new()).await;
    assert!(matches!(delivery.verdict, Verdict::Unsure { .. }), "{delivery:#?}");
    Ok(())
}
