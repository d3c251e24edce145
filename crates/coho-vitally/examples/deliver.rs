//! Upserts one account, and says what became of it.
//!
//! `cargo run -p coho-vitally --example deliver -- http://127.0.0.1:7700 sandbox acme "Acme Inc."`

use std::error::Error;
use std::io::Write as _;

use coho_vitally::client::{Client, ClientSettings, Endpoint, Token};
use coho_vitally::coho_core::decide::{Change, Reason};
use coho_vitally::coho_core::fields::{FieldValue, Rendered, Rendering, Sent, diff_fields};
use coho_vitally::coho_core::key::Key;
use coho_vitally::coho_core::object::Object;
use coho_vitally::coho_core::operation::{Action, Known, Operation};
use coho_vitally::coho_core::path::FieldPath;
use coho_vitally::coho_core::sync::{Associations, Mode};
use coho_vitally::coho_core::target::ExternalId;
use coho_vitally::coho_core::value::Value;
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
    let delivery = client.deliver(&upsert(id, name)?, &Resolved::new()).await;
    let mut out = std::io::stdout();
    for call in &delivery.calls {
        let status = call.status.map_or_else(|| "no answer".to_owned(), |status| status.to_string());
        writeln!(out, "{} {} → {status} in {} µs", call.method, call.path, call.micros)?;
    }
    writeln!(out, "{:?}", delivery.verdict)?;
    Ok(())
}

fn upsert(id: &str, name: &str) -> Result<Operation, Box<dyn Error>> {
    let target = ExternalId::parse(id)?;
    let name = Rendering::Set(FieldValue::Value(Value::text(name)));
    let fields = [(FieldPath::new("name"), name)].into();
    let rendered =
        Rendered { target: target.clone(), fields, absent_traits: None, associations: Associations::Add };
    let field_diff = diff_fields(&rendered, &Sent::new());
    Ok(Operation {
        key: Key::new(id),
        object: Object::Account,
        target,
        email: None,
        action: Action::Write {
            mode: Mode::Upsert,
            associations: Associations::Add,
            complete: field_diff.complete,
            changed: field_diff.differences,
            would_send: field_diff.would_send,
        },
        known: Known::New,
        change: Change::Add,
        reason: Reason::NewRecord,
        seen: None,
        version: 0,
    })
}
