//! The client over real sockets: repeats, faults, waits, and the connection test.

#[path = "support/operations.rs"]
mod operations;
#[path = "support/vitally.rs"]
mod vitally;

use std::net::Ipv4Addr;
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{Html, IntoResponse as _};
use coho_core::code::Code;
use coho_core::object::Object;
use coho_core::operation::{Known, Operation};
use coho_core::row_state::Origin;
use coho_core::sync::{Api, Mode};
use coho_core::target::{ExternalId, VitallyId};
use coho_core::value::Value;
use coho_core::verdict::Verdict;
use coho_simulator::{FaultAnswer, ScriptedFault, Seed, Trouble};
use coho_vitally::address::Paths;
use coho_vitally::client::{Client, ClientSettings, Endpoint, Health, Retry, TestError, Token, Until};
use coho_vitally::lookup::LookupResult;
use coho_vitally::resolved::Resolved;
use operations::{Deed, operation};
use vitally::{Failure, client, settings, simulator};

const ACCOUNT: &str = "/resources/accounts/*";

fn upsert(known: Known) -> Result<Operation, Failure> {
    let fields = [("name", Value::text("Acme"))];
    operation(Object::Account, "acme", Deed::Write(Mode::Upsert), known, &fields, &[])
}

fn answer(status: u16) -> Trouble {
    Trouble::Answer(FaultAnswer::status(status))
}

#[tokio::test]
async fn a_put_is_tried_three_times() -> Result<(), Failure> {
    let vitally = simulator("").await?;
    vitally.seed(Seed::account("acme"))?;
    vitally.script(ScriptedFault::once(answer(503)).on("PUT", ACCOUNT));
    vitally.script(ScriptedFault::once(Trouble::DropAfterCommit).on("PUT", ACCOUNT));
    let client = client(&vitally.url())?;
    let delivery = client.deliver(&upsert(Known::Assumed)?, &Resolved::new()).await;
    assert!(matches!(delivery.verdict, Verdict::Applied { .. }), "{delivery:#?}");
    assert_eq!(delivery.calls.len(), 3);
    assert_eq!(delivery.health, Health::Answering);

    vitally.script(ScriptedFault::once(answer(500)).on("PUT", ACCOUNT).times(3));
    let delivery = client.deliver(&upsert(Known::Assumed)?, &Resolved::new()).await;
    assert!(matches!(delivery.verdict, Verdict::Unsure { .. }), "{delivery:#?}");
    assert_eq!((delivery.calls.len(), delivery.health), (3, Health::Failing));
    Ok(())
}

#[tokio::test]
async fn a_post_is_sent_once_whatever_happens() -> Result<(), Failure> {
    for trouble in [Trouble::DropBefore, Trouble::DropAfterCommit, answer(500), Trouble::NotJson] {
        let vitally = simulator("").await?;
        vitally.script(ScriptedFault::once(trouble.clone()));
        let client = client(&vitally.url())?;
        let delivery = client.deliver(&upsert(Known::New)?, &Resolved::new()).await;
        assert!(matches!(delivery.verdict, Verdict::Unsure { .. }), "{trouble:?}: {delivery:#?}");
        assert_eq!((vitally.calls().len(), delivery.health), (1, Health::Failing), "{trouble:?}");
    }
    Ok(())
}

#[tokio::test]
async fn an_answer_that_never_comes_is_not_awaited_for_ever() -> Result<(), Failure> {
    let vitally = simulator("").await?;
    vitally.script(ScriptedFault::once(Trouble::HangAfterCommit));
    let settings = ClientSettings { timeout: Duration::from_millis(200), ..settings(&vitally.url())? };
    let delivery = Client::new(settings)?.deliver(&upsert(Known::New)?, &Resolved::new()).await;
    assert_eq!(delivery.verdict, Verdict::Unsure { why: "timed out".to_owned() });
    Ok(())
}

#[tokio::test]
async fn a_429_costs_a_post_nothing() -> Result<(), Failure> {
    let vitally = simulator("").await?;
    let refused = FaultAnswer { retry_after: Some(1), ..FaultAnswer::status(429) };
    vitally.script(ScriptedFault::once(Trouble::Answer(refused)));
    let client = client(&vitally.url())?;
    let delivery = client.deliver(&upsert(Known::New)?, &Resolved::new()).await;
    assert!(matches!(delivery.verdict, Verdict::Applied { origin: Origin::Created, .. }), "{delivery:#?}");
    assert_eq!(delivery.calls.len(), 2);
    Ok(())
}

#[tokio::test]
async fn a_503_that_names_a_time_is_left_alone_until_then() -> Result<(), Failure> {
    for status in [502, 503, 504] {
        let vitally = simulator("").await?;
        vitally.seed(Seed::account("acme"))?;
        let later = FaultAnswer { retry_after: Some(1), ..FaultAnswer::status(status) };
        // More often than failing calls are repeated.
        vitally.script(ScriptedFault::once(Trouble::Answer(later)).on("PUT", ACCOUNT).times(2));
        let settings = settings(&vitally.url())?;
        let retry = Retry { tries: 1, ..settings.retry };
        let began = std::time::Instant::now();
        let delivery = Client::new(ClientSettings { retry, ..settings })?
            .deliver(&upsert(Known::Assumed)?, &Resolved::new())
            .await;
        assert!(matches!(delivery.verdict, Verdict::Applied { .. }), "{delivery:#?}");
        assert!(began.elapsed() >= Duration::from_secs(2), "{:?}", began.elapsed());
    }
    Ok(())
}

#[tokio::test]
async fn a_post_is_not_repeated_after_the_time_that_a_503_names() -> Result<(), Failure> {
    let vitally = simulator("").await?;
    let later = FaultAnswer { retry_after: Some(1), ..FaultAnswer::status(503) };
    vitally.script(ScriptedFault::once(Trouble::Answer(later)));
    let delivery = client(&vitally.url())?.deliver(&upsert(Known::New)?, &Resolved::new()).await;
    assert!(matches!(delivery.verdict, Verdict::Unsure { .. }), "{delivery:#?}");
    assert_eq!(delivery.calls.len(), 1);
    Ok(())
}

#[tokio::test]
async fn who_has_no_more_time_waits_no_longer() -> Result<(), Failure> {
    for (status, known) in [(429, Known::New), (503, Known::Assumed)] {
        let vitally = simulator("").await?;
        let later = FaultAnswer { retry_after: Some(600), ..FaultAnswer::status(status) };
        vitally.script(ScriptedFault::once(Trouble::Answer(later)));
        let client = client(&vitally.url())?.until(Until::never().within(Duration::from_millis(500)));
        let began = std::time::Instant::now();
        let delivery = client.deliver(&upsert(known)?, &Resolved::new()).await;
        assert!(began.elapsed() < Duration::from_secs(60), "{:?}", began.elapsed());
        let is_right = match status {
            429 => matches!(delivery.verdict, Verdict::Unsent { .. }),
            _ => matches!(delivery.verdict, Verdict::Unsure { .. }),
        };
        assert!(is_right, "{delivery:#?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_try_that_was_not_carried_out_does_not_hide_one_that_may_have_been() -> Result<(), Failure> {
    let vitally = simulator("").await?;
    vitally.seed(Seed::account("acme"))?;
    vitally.script(ScriptedFault::once(answer(500)).on("PUT", ACCOUNT));
    vitally.script(ScriptedFault::once(answer(401)).on("PUT", ACCOUNT));
    let delivery = client(&vitally.url())?.deliver(&upsert(Known::Assumed)?, &Resolved::new()).await;
    assert!(matches!(delivery.verdict, Verdict::Unsure { .. }), "{delivery:#?}");
    assert_eq!(delivery.calls.len(), 2);
    Ok(())
}

#[tokio::test]
async fn a_success_that_is_not_utf_8_shows_nothing() -> Result<(), Failure> {
    let body = b"{\"id\":\"a\",\"externalId\":\"acme\",\"name\":\"Acm\xe9\"}".to_vec();
    let router = Router::new().fallback(move || {
        let body = body.clone();
        async move { body }
    });
    let url = serve(router).await?;
    let delivery = client(&url)?.deliver(&upsert(Known::New)?, &Resolved::new()).await;
    let why = "Vitally answered 200 with text that is not UTF-8".to_owned();
    assert_eq!(delivery.verdict, Verdict::Unsure { why });
    Ok(())
}

#[test]
fn futures_of_the_client_can_move_between_threads() {
    fn is_send<T: Send>(_: &T) {}
    fn ask(client: &Client, operation: &Operation, id: &ExternalId) {
        let resolved = Resolved::new();
        is_send(&client.deliver(operation, &resolved));
        is_send(&client.lookup(Object::Account, id));
        is_send(&client.search_email("ada@acme.io"));
    }
    let _: fn(&Client, &Operation, &ExternalId) = ask;
}

#[tokio::test]
async fn endless_429_halt() -> Result<(), Failure> {
    let vitally = simulator("").await?;
    vitally.script(ScriptedFault::once(answer(429)).times(9));
    let settings = settings(&vitally.url())?;
    let retry = Retry { most_refusals: 0, ..settings.retry };
    let delivery = Client::new(ClientSettings { retry, ..settings })?
        .deliver(&upsert(Known::New)?, &Resolved::new())
        .await;
    assert!(matches!(delivery.verdict, Verdict::Halt { code: Code::QUOTA, .. }), "{delivery:#?}");
    assert_eq!(delivery.calls.len(), 1);
    Ok(())
}

#[tokio::test]
async fn clones_share_one_pace() -> Result<(), Failure> {
    let vitally = simulator("").await?;
    let client = client(&vitally.url())?;
    let mut deliveries = tokio::task::JoinSet::new();
    for number in 0..20 {
        let fields = [("name", Value::text("Acme"))];
        let (target, deed) = (format!("acme-{number}"), Deed::Write(Mode::Upsert));
        let operation = operation(Object::Account, &target, deed, Known::New, &fields, &[])?;
        let client = client.clone();
        deliveries.spawn(async move { client.deliver(&operation, &Resolved::new()).await.verdict });
    }
    for verdict in deliveries.join_all().await {
        assert!(matches!(verdict, Verdict::Applied { origin: Origin::Created, .. }), "{verdict:?}");
    }
    assert_eq!(
        (vitally.count(coho_simulator::RecordKind::Account), client.state().rest.map(|rest| rest.under_way)),
        (20, Some(0))
    );
    Ok(())
}

#[tokio::test]
async fn the_price_of_a_write_shows() -> Result<(), Failure> {
    let vitally = simulator("write_cost=10").await?;
    let client = client(&vitally.url())?;
    for _ in 0..4 {
        client.deliver(&upsert(Known::New)?, &Resolved::new()).await;
    }
    let state = client.state().rest.ok_or("there is a token")?;
    assert_eq!((state.limit, state.price.write), (Some(1_000), 10));
    let plan = client.least_time(Api::Rest, 0, 60_000);
    assert_eq!(plan, Some(Duration::from_secs(600)));

    let settings = ClientSettings { known_price: Some(state.price), ..settings(&vitally.url())? };
    let next = Client::new(settings)?;
    assert_eq!(next.state().rest.map(|rest| rest.price), Some(state.price));
    assert!(state.remaining.is_some_and(|left| left <= 980));
    Ok(())
}

#[tokio::test]
async fn a_server_that_is_not_there_leaves_nothing_sent() -> Result<(), Failure> {
    let client = client(&nobody().await?)?;
    let delivery = client.deliver(&upsert(Known::New)?, &Resolved::new()).await;
    assert_eq!(delivery.verdict, Verdict::Unsent { why: "connection refused".to_owned() });
    assert_eq!((delivery.calls.len(), delivery.health), (3, Health::Unreachable));
    assert_eq!(delivery.calls[0].response, "not sent: connection refused");
    Ok(())
}

#[tokio::test]
async fn calls_are_recorded_without_the_token() -> Result<(), Failure> {
    let vitally = simulator("").await?;
    let client = client(&vitally.url())?;
    let delivery = client.deliver(&upsert(Known::New)?, &Resolved::new()).await;
    let [call] = delivery.calls.as_slice() else { panic!("{delivery:#?}") };
    assert_eq!((call.method, call.path.as_str(), call.status), ("POST", "/resources/accounts", Some(200)));
    assert_eq!(call.request.as_deref(), Some(r#"{"externalId":"acme","name":"Acme"}"#));
    assert!(!format!("{delivery:?}{client:?}").contains("simulated"));
    Ok(())
}

#[tokio::test]
async fn a_body_beyond_a_mebibyte_is_not_sent() -> Result<(), Failure> {
    let vitally = simulator("").await?;
    let client = client(&vitally.url())?;
    let fields = [("name", Value::text("Acme")), ("traits.long", Value::text("x".repeat(1_048_576)))];
    let deed = Deed::Write(Mode::Upsert);
    let operation = operation(Object::Account, "acme", deed, Known::New, &fields, &[])?;
    let delivery = client.deliver(&operation, &Resolved::new()).await;
    assert!(matches!(delivery.verdict, Verdict::Rejected { code: Code::TOO_LARGE, .. }));
    assert_eq!((delivery.calls.len(), delivery.health), (0, Health::Untried));
    Ok(())
}

#[tokio::test]
async fn a_look_up_finds_a_record_and_remembers_the_route() -> Result<(), Failure> {
    let vitally = simulator("ext_in_path=off").await?;
    let id = vitally.seed(Seed::account("acme"))?;
    vitally.seed(Seed::user("u-1").account_link("acme"))?;
    let client = client(&vitally.url())?;
    let found = client.lookup(Object::Account, &ExternalId::parse("acme")?).await;
    assert_eq!(found.id(), Some(&VitallyId::new(id.to_string())));
    assert_eq!(found.calls.len(), 2);
    assert_eq!(client.lookup(Object::Account, &ExternalId::parse("acme")?).await.calls.len(), 1);
    let user = client.lookup(Object::User, &ExternalId::parse("u-1")?).await;
    assert!(user.id().is_some());
    assert_eq!(client.lookup(Object::User, &ExternalId::parse("u-2")?).await.finding, LookupResult::Missing);
    Ok(())
}

#[tokio::test]
async fn the_connection_test_says_what_is_wrong() -> Result<(), Failure> {
    let vitally = simulator("").await?;
    let report = client(&vitally.url())?.test().await?;
    assert_eq!((report.url, report.limit), (vitally.url(), Some(1_000)));

    let wrong = Token::parse(&"sk_live_wrong".into())?;
    let refused =
        Client::new(ClientSettings { token: Some(wrong), ..settings(&vitally.url())? })?.test().await;
    assert!(matches!(refused, Err(TestError::Unauthorized { region: "custom", .. })), "{refused:?}");

    let refused = client(&nobody().await?)?.test().await;
    assert!(matches!(refused, Err(TestError::Refused { .. })), "{refused:?}");

    let unknown = client("http://no-such-host.invalid")?.test().await;
    assert!(matches!(unknown, Err(TestError::NoHost { .. })), "{unknown:?}");

    let tls = vitally.url().replacen("http:", "https:", 1);
    let insecure = client(&tls)?.test().await;
    let why = "the server does not speak TLS on this port; does its address begin with `http://`?";
    assert!(matches!(&insecure, Err(TestError::Tls { why: said, .. }) if said == why), "{insecure:?}");
    Ok(())
}

#[tokio::test]
async fn pages_and_redirects_are_no_api() -> Result<(), Failure> {
    let page = serve(Router::new().fallback(async || Html("<h1>Welcome</h1>"))).await?;
    let welcome = client(&page)?.test().await;
    assert!(matches!(welcome, Err(TestError::NotJson { status: 200, .. })), "{welcome:?}");

    let elsewhere = serve(
        Router::new()
            .fallback(async || (StatusCode::FOUND, [(LOCATION, "http://127.0.0.1:1/")]).into_response()),
    );
    let moved = client(&elsewhere.await?)?;
    assert!(matches!(moved.test().await, Err(TestError::Redirected { status: 302, .. })));
    let delivery = moved.deliver(&upsert(Known::New)?, &Resolved::new()).await;
    assert!(matches!(delivery.verdict, Verdict::Halt { code: Code::UNREACHABLE, .. }), "{delivery:#?}");
    Ok(())
}

#[test]
fn an_endpoint_that_is_none_makes_no_client() {
    let token = Token::parse(&"sk_live_1".into()).unwrap();
    let endpoint = Endpoint::Us { subdomain: "acme.vitally.io".to_owned() };
    let error = Client::new(ClientSettings::new(endpoint, token)).unwrap_err();
    assert_eq!(error.to_string(), "cannot determine the workspace's address");
}

/// The address of a port that nobody listens on any more.
async fn nobody() -> Result<String, Failure> {
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    Ok(format!("http://{}", listener.local_addr()?))
}

/// The address of a little server that runs until the test's runtime ends.
async fn serve(router: Router) -> Result<String, Failure> {
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let url = format!("http://{}", listener.local_addr()?);
    drop(tokio::spawn(axum::serve(listener, router).into_future()));
    Ok(url)
}

#[tokio::test]
async fn client_that_knows_which_ids_paths_take_asks_no_path_in_vain() -> Result<(), Failure> {
    let vitally = simulator("").await?;
    vitally.seed(Seed::account("acme"))?;
    let known_paths = Paths::default().only_vitallys(Object::Account);
    let client = Client::new(ClientSettings { known_paths, ..settings(&vitally.url())? })?;
    let looked = client.lookup(Object::Account, &ExternalId::parse("acme")?).await;
    assert!(matches!(looked.finding, LookupResult::Found(_)), "{looked:?}");
    assert_eq!(looked.calls.len(), 1, "{:?}", looked.calls);
    assert!(looked.calls[0].path.starts_with("/resources/accounts?"), "{:?}", looked.calls);
    Ok(())
}
