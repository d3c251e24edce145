//! Raw calls, and what an earlier client found out, against a simulator.

#![cfg(feature = "client")]

use std::time::Duration;

use coho_core::code::Code;
use coho_core::object::Object;
use coho_core::sync::Api;
use coho_core::target::ExternalId;
use coho_core::verdict::Verdict;
use coho_simulator::{Seed, Settings as Served, Simulator, StartError};
use coho_vitally::address::Paths;
use coho_vitally::client::{Client, Endpoint, Settings, Token};
use coho_vitally::lookup::Finding;
use coho_vitally::request::{Method, Request};

const TOKEN: &str = "sk_live_1";

fn settings(url: &str, token: &str) -> Result<Settings, Box<dyn std::error::Error>> {
    Ok(Settings::new(Endpoint::BaseUrl(url.to_owned()), Token::parse(&token.into())?))
}

fn get(path: &str) -> Request {
    Request { api: Api::Rest, method: Method::Get, path: path.to_owned(), body: None, after: Duration::ZERO }
}

async fn vitally() -> Result<coho_simulator::Running, StartError> {
    Simulator::start(Served::new(TOKEN)).await
}

#[tokio::test]
async fn refusal_is_a_reply_and_wrong_token_is_an_error() {
    let vitally = vitally().await.unwrap();
    let client = Client::new(settings(&vitally.url(), TOKEN).unwrap()).unwrap();
    let reply = client.raw(&get("/resources/accounts/none")).await.unwrap();
    assert_eq!((reply.status, reply.is_fine(), reply.said().as_str()), (404, false, "Not found"));

    let client = Client::new(settings(&vitally.url(), "sk_live_2").unwrap()).unwrap();
    let error = client.raw(&get("/resources/accounts/none")).await.unwrap_err();
    assert!(matches!(error, Verdict::Halt { code: Code::UNAUTHORIZED, .. }), "{error:?}");
}

#[tokio::test]
async fn client_that_knows_which_ids_paths_take_asks_no_path_in_vain() {
    let vitally = vitally().await.unwrap();
    vitally.seed(Seed::account("acme")).unwrap();
    let known_paths = Paths::default().only_vitallys(Object::Account);
    let client = Client::new(Settings { known_paths, ..settings(&vitally.url(), TOKEN).unwrap() }).unwrap();
    let looked = client.lookup(Object::Account, &ExternalId::parse("acme").unwrap()).await;
    assert!(matches!(looked.finding, Finding::Found(_)), "{looked:?}");
    assert_eq!(looked.calls.len(), 1, "{:?}", looked.calls);
    assert!(looked.calls[0].path.starts_with("/resources/accounts?"), "{:?}", looked.calls);
}
