//! Batches over real sockets: whatever Vitally's Analytics API leaves open, the same records and events in the end.

#[path = "support/operations.rs"]
mod operations;
#[path = "support/vitally.rs"]
mod vitally;

use coho_core::code::Code;
use coho_core::object::Object;
use coho_core::operation::{Known, Operation};
use coho_core::sync::{Api, Mode};
use coho_core::target::ExternalId;
use coho_core::time::Time;
use coho_core::value::Value;
use coho_core::verdict::Verdict;
use coho_simulator::{FaultAnswer, Running, ScriptedFault, Trouble};
use coho_vitally::analytics::Outgoing;
use coho_vitally::analytics::limits::BatchLimits;
use coho_vitally::client::{
    AnalyticsEndpoint, AnalyticsSettings, AnalyticsToken, BatchDelivery, Client, ClientSettings, Endpoint,
    Health, Retry, TestError,
};
use coho_vitally::resolved::Resolved;
use operations::{Deed, operation};
use vitally::{Failure, settings, simulator, with_analytics};

const BATCH: &str = "/analytics/v1/batch";

/// Every switch that changes what a batch does, at every end.
const ENDS: [&str; 20] = [
    "",
    "batch_mode=reject",
    "batch_mode=apply-400",
    "batch_mode=stop",
    "error_shape=message",
    "error_shape=text",
    "error_shape=html",
    "error_shape=empty",
    "dedupe=forever",
    "dedupe=per-type",
    "dedupe=off",
    "apply_delay=5m",
    "apply_delay=5m,apply_skew=1m,reorder=on",
    "stale_timestamp=newest",
    "null_trait=store",
    "unknown_account=400",
    "unknown_org=400",
    "legacy_ids=on",
    "rate_headers=both",
    "max_body=600",
];

fn at(second: i64) -> Time {
    Time::from_timestamp(1_800_000_000 + second, 0).unwrap_or_default()
}

fn client(vitally: &Running) -> Result<Client, Failure> {
    Ok(Client::new(with_analytics(settings(&vitally.url())?)?)?)
}

fn account(id: &str) -> Result<Operation, Failure> {
    let fields = [("name", Value::text("Acme")), ("traits.plan", Value::text("pro"))];
    operation(Object::Account, id, Deed::Write(Mode::Upsert), Known::New, &fields, &[])
}

/// Vitally refuses a user whose account has no id.
fn user(id: &str, accounts: &[&str]) -> Result<Operation, Failure> {
    let accounts = Value::Array(accounts.iter().map(|id| Value::text(*id)).collect());
    let fields = [("email", Value::text("ann@example.com")), ("accountIds", accounts)];
    operation(Object::User, id, Deed::Write(Mode::Upsert), Known::New, &fields, &[])
}

fn event(id: &str, name: &str) -> Result<Operation, Failure> {
    let fields = [("event", Value::text(name)), ("accountId", Value::text("a-1"))];
    operation(Object::Event, id, Deed::Write(Mode::Upsert), Known::New, &fields, &[])
}

async fn deliver(client: &Client, all: &[Operation], second: i64) -> BatchDelivery {
    let outgoing = all.iter().enumerate().map(|(number, operation)| {
        let message_id = format!("{second}-{number}");
        Outgoing { operation, message_id, at: at(second) }
    });
    client.deliver_batch(&outgoing.collect::<Vec<_>>()).await
}

/// Accounts, users of theirs and events, one of which is refused for its empty name.
async fn live(client: &Client) -> Result<Vec<Verdict>, Failure> {
    let accounts = [account("a-1")?, account("a-2")?, account("a-3")?];
    let users = [user("u-1", &["a-1", "a-2"])?, user("u-2", &["a-3"])?];
    let events = [event("e-1", "Opened")?, event("e-2", "")?, event("e-3", "Closed")?];
    let mut verdicts = deliver(client, &accounts, 0).await.verdicts;
    verdicts.extend(deliver(client, &users, 1).await.verdicts);
    verdicts.extend(deliver(client, &events, 2).await.verdicts);
    // The same intents again, as after a crash.
    deliver(client, &users, 1).await;
    deliver(client, &events, 2).await;
    Ok(verdicts)
}

#[tokio::test]
async fn every_end_of_every_switch_leads_to_the_same_records() -> Result<(), Failure> {
    for switches in ENDS {
        let vitally = simulator(switches).await?;
        let verdicts = live(&client(&vitally)?).await?;
        for (number, verdict) in verdicts.iter().enumerate() {
            match number {
                6 => assert!(
                    matches!(verdict, Verdict::Rejected { code: Code::REFUSED, .. }),
                    "{switches}: {verdict:?}"
                ),
                _ => assert_eq!(*verdict, Verdict::Accepted, "{switches}: {number}"),
            }
        }
        vitally.flush()?;
        let count = |object| vitally.count(object);
        assert_eq!(
            (count(coho_simulator::RecordKind::Account), count(coho_simulator::RecordKind::User)),
            (3, 2),
            "{switches}"
        );
        let mut events: Vec<String> = vitally.events().into_iter().map(|event| event.message_id).collect();
        events.sort();
        events.dedup();
        assert_eq!(events, ["e-1", "e-3"], "{switches}");
        if !switches.contains("dedupe=off") {
            assert_eq!(vitally.events().len(), 2, "{switches}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_hundred_records_take_one_call() -> Result<(), Failure> {
    let vitally = simulator("").await?;
    let all = (0..100).map(|number| account(&format!("a-{number}"))).collect::<Result<Vec<_>, _>>()?;
    let client = client(&vitally)?;
    let delivery = deliver(&client, &all, 0).await;
    assert!(delivery.verdicts.iter().all(|verdict| *verdict == Verdict::Accepted));
    let [call] = delivery.calls.as_slice() else { panic!("{:?}", delivery.calls.len()) };
    assert_eq!((call.operations.len(), call.call.path.as_str(), call.call.status), (100, BATCH, Some(200)));
    assert_eq!(delivery.health, Health::Answering);
    assert!(!format!("{delivery:?}{client:?}").contains("sandbox"));
    Ok(())
}

#[tokio::test]
async fn a_batch_is_repeated_with_the_same_messages() -> Result<(), Failure> {
    for trouble in [Trouble::DropBefore, Trouble::DropAfterCommit, Trouble::Answer(FaultAnswer::status(503))]
    {
        let vitally = simulator("").await?;
        vitally.script(ScriptedFault::once(trouble.clone()).times(2));
        let delivery = deliver(&client(&vitally)?, &[event("e-1", "Opened")?], 0).await;
        assert_eq!(delivery.verdicts, [Verdict::Accepted], "{trouble:?}");
        let bodies: Vec<_> = delivery.calls.iter().map(|made| made.call.request.clone()).collect();
        assert_eq!(bodies.len(), 3);
        assert!(bodies.iter().all(|body| *body == bodies[0]));
        assert_eq!(vitally.events().len(), 1, "{trouble:?}");
    }
    Ok(())
}

#[tokio::test]
async fn what_fails_to_the_end_is_unsure() -> Result<(), Failure> {
    let vitally = simulator("").await?;
    vitally.script(ScriptedFault::once(Trouble::DropAfterCommit).times(3));
    let delivery = deliver(&client(&vitally)?, &[event("e-1", "Opened")?], 0).await;
    assert!(matches!(delivery.verdicts.as_slice(), [Verdict::Unsure { .. }]), "{delivery:?}");
    assert_eq!((delivery.calls.len(), delivery.health), (3, Health::Failing));
    Ok(())
}

#[tokio::test]
async fn a_429_is_waited_for_and_an_endless_one_halts() -> Result<(), Failure> {
    let vitally = simulator("").await?;
    let refused = FaultAnswer { retry_after: Some(1), ..FaultAnswer::status(429) };
    vitally.script(ScriptedFault::once(Trouble::Answer(refused.clone())));
    let delivery = deliver(&client(&vitally)?, &[account("a-1")?], 0).await;
    assert_eq!((delivery.verdicts, delivery.calls.len()), (vec![Verdict::Accepted], 2));

    vitally.script(ScriptedFault::once(Trouble::Answer(refused)));
    let settings = with_analytics(settings(&vitally.url())?)?;
    let retry = Retry { most_refusals: 0, ..settings.retry };
    let delivery = deliver(&Client::new(ClientSettings { retry, ..settings })?, &[account("a-1")?], 0).await;
    assert!(
        matches!(delivery.verdicts.as_slice(), [Verdict::Halt { code: Code::QUOTA, .. }]),
        "{delivery:?}"
    );
    Ok(())
}

#[tokio::test]
async fn a_blocked_type_is_found_out_once_for_the_run() -> Result<(), Failure> {
    let vitally = simulator("blocked_types=track").await?;
    let client = client(&vitally)?;
    let events =
        (0..40).map(|number| event(&format!("e-{number}"), "Opened")).collect::<Result<Vec<_>, _>>()?;
    let delivery = deliver(&client, &events, 0).await;
    let halted = |verdict: &&Verdict| matches!(verdict, Verdict::Halt { code: Code::TYPE_BLOCKED, .. });
    assert_eq!(delivery.verdicts.iter().filter(halted).count(), 30);
    assert!(delivery.calls.len() <= 20, "{}", delivery.calls.len());
    let next = deliver(&client, &[event("e-99", "Opened")?], 1).await;
    assert_eq!(next.calls.len(), 1);
    assert_eq!(deliver(&client, &[account("a-1")?], 2).await.verdicts, [Verdict::Accepted]);
    Ok(())
}

#[tokio::test]
async fn a_413_makes_the_batches_of_the_run_smaller() -> Result<(), Failure> {
    let vitally = simulator("max_body=1000").await?;
    let client = client(&vitally)?;
    let all = (0..20).map(|number| account(&format!("a-{number}"))).collect::<Result<Vec<_>, _>>()?;
    let delivery = deliver(&client, &all, 0).await;
    assert!(delivery.verdicts.iter().all(|verdict| *verdict == Verdict::Accepted));
    assert!(delivery.calls.iter().any(|made| made.call.status == Some(413)));
    let next = deliver(&client, &all, 1).await;
    assert!(next.calls.iter().all(|made| made.call.status == Some(200)));
    Ok(())
}

#[tokio::test]
async fn two_batches_keep_to_the_limits_that_are_given() -> Result<(), Failure> {
    let vitally = simulator("").await?;
    let settings = with_analytics(settings(&vitally.url())?)?;
    let limits = BatchLimits { messages: 2, ..BatchLimits::default() };
    let analytics = settings.analytics.clone().map(|analytics| AnalyticsSettings { limits, ..analytics });
    let client = Client::new(ClientSettings { analytics, ..settings })?;
    let delivery = deliver(&client, &[account("a-1")?, account("a-2")?, account("a-3")?], 0).await;
    let operations: Vec<_> = delivery.calls.iter().map(|made| made.operations.clone()).collect();
    assert_eq!(operations, [vec![0, 1], vec![2]]);
    Ok(())
}

#[tokio::test]
async fn a_client_without_a_token_halts_and_does_not_call() -> Result<(), Failure> {
    let vitally = simulator("").await?;
    let only_rest = Client::new(settings(&vitally.url())?)?;
    let delivery = deliver(&only_rest, &[account("a-1")?], 0).await;
    assert!(matches!(delivery.verdicts.as_slice(), [Verdict::Halt { code: Code::UNAUTHORIZED, .. }]));
    assert_eq!((delivery.calls.len(), delivery.health, only_rest.can_unlink()), (0, Health::Untried, false));
    assert!(matches!(only_rest.test_analytics().await, Err(TestError::NoToken { api: Api::Analytics })));
    assert_eq!(only_rest.least_time(Api::Analytics, 0, 1), None);

    let analytics = with_analytics(settings(&vitally.url())?)?.analytics.ok_or("there is one")?;
    let events = Client::new(ClientSettings::analytics_only(Endpoint::BaseUrl(vitally.url()), analytics))?;
    let delivery = events.deliver(&account("a-1")?, &Resolved::new()).await;
    assert!(matches!(delivery.verdict, Verdict::Halt { code: Code::UNAUTHORIZED, .. }), "{delivery:?}");
    let looked = events.lookup(Object::Account, &ExternalId::parse("a-1")?).await;
    assert_eq!((looked.calls.len(), looked.id()), (0, None));
    assert!(matches!(events.test().await, Err(TestError::NoToken { api: Api::Rest })));
    assert!(events.can_unlink());
    assert_eq!(deliver(&events, &[event("e-1", "Opened")?], 0).await.verdicts, [Verdict::Accepted]);
    Ok(())
}

#[tokio::test]
async fn the_connection_test_writes_nothing_and_says_what_is_wrong() -> Result<(), Failure> {
    for switches in ["empty_batch=200", "empty_batch=400", "empty_batch=400,error_shape=empty"] {
        let vitally = simulator(switches).await?;
        let report = client(&vitally)?.test_analytics().await?;
        assert_eq!((report.url, vitally.events().len()), (vitally.url(), 0), "{switches}");
    }

    let vitally = simulator("").await?;
    let with = |token: &str, url: String| -> Result<Client, Failure> {
        let analytics = AnalyticsSettings::new(AnalyticsToken::parse(&token.to_owned().into())?);
        let analytics = Some(AnalyticsSettings { endpoint: AnalyticsEndpoint::Url(url), ..analytics });
        Ok(Client::new(ClientSettings { analytics, ..settings(&vitally.url())? })?)
    };
    let refused = with("wrong", vitally.url())?.test_analytics().await;
    assert!(matches!(refused, Err(TestError::AnalyticsToken { status: 401, .. })), "{refused:?}");
    let elsewhere = with("sandbox", format!("{}/elsewhere", vitally.url()))?.test_analytics().await;
    assert!(matches!(elsewhere, Err(TestError::NotAnalytics { .. })), "{elsewhere:?}");
    with("Basic sandbox", vitally.url())?.test_analytics().await?;
    Ok(())
}
