//! Upserts one account, and says what became of it.
//!
//! `cargo run -p coho-vitally --example deliver -- http://127.0.0.1:7700 sandbox acme "Acme Inc."`

use std::error::Error;
use std::io::Write as _;

use coho_vitally::Upsert;
use coho_vitally::client::{Client, ClientSettings, Endpoint, Token};
use coho_vitally::resolved::Resolved;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, token, id, name] = arguments.as_slice() else {
        return Err("usage: deliver URL TOKEN EXTERNAL_ID NAME".into());
    };
    let token = Token::parse(&token.as_str().into())?;
    let client = Client::new(ClientSettings::new(Endpoint::BaseUrl(url.clone()), token))?;
    client.test().await?;
    let account = Upsert::account(id).name(name).operation()?;
    let delivery = client.deliver(&account, &Resolved::new()).await;
    let mut out = std::io::stdout();
    for call in &delivery.calls {
        let status = call.status.map_or_else(|| "no answer".to_owned(), |status| status.to_string());
        writeln!(out, "{} {} → {status} in {} µs", call.method, call.path, call.micros)?;
    }
    writeln!(out, "{:?}", delivery.verdict)?;
    Ok(())
}
