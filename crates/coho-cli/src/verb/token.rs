//! `coho token`: who may use the trigger API.

use chrono::{SecondsFormat, Utc};
use coho_core::code::Code;
use coho_core::json::Json;
use coho_ledger::token::{TokenRecord, TokenScope};
use coho_serve::token::digest;
use serde_json::json;

use crate::args::{Global, TokenAction, TokenMay};
use crate::exit::{Exit, Known};
use crate::verb::ledger::needs_file;
use crate::{engine, print, project};

/// Makes, lists or revokes.
pub(crate) fn token(global: &Global, action: &TokenAction) -> anyhow::Result<Exit> {
    let loaded = project::open(global)?;
    needs_file(&engine::of(&loaded), "coho token")?;
    let ledger = engine::of(&loaded).ledger_to_ask()?;
    match action {
        TokenAction::New { name, may } => {
            let scope = match may {
                TokenMay::Read => TokenScope::Read,
                TokenMay::Trigger => TokenScope::Trigger,
            };
            let token = format!("coho_{}{}", uuid::Uuid::new_v4().simple(), uuid::Uuid::new_v4().simple());
            if !ledger.add_token(name, &digest(&token), scope, Utc::now())? {
                let help = "choose another name: names of revoked tokens cannot be reused";
                return Err(unusable(
                    format!("a token `{name}` already exists [{}]", Code::DUPLICATE_ID),
                    help,
                ));
            }
            print::talk("the token is shown only once; send it as `Authorization: Bearer TOKEN`");
            print::raw(&if global.json {
                format!("{:#}\n", json!({ "version": 1, "name": name, "may": scope.name(), "token": token }))
            } else {
                format!("{token}\n")
            })?;
        }
        TokenAction::List => list(global, &ledger.tokens()?)?,
        TokenAction::Revoke { name } => {
            if !ledger.revoke_token(name, Utc::now())? {
                let help = "`coho token list` shows all of them";
                return Err(unusable(
                    format!("there is no active token `{name}` [{}]", Code::UNKNOWN_NAME),
                    help,
                ));
            }
            print::talk(&format!("revoked `{name}`"));
            if global.json {
                print::json(&json!({ "version": 1, "name": name, "revoked": true }))?;
            }
        }
    }
    Ok(Exit::Done)
}

fn unusable(message: String, help: &str) -> anyhow::Error {
    Known { message, help: Some(help.to_owned()), code: coho_report::exit::USAGE, source: None }.into()
}

fn list(global: &Global, tokens: &[TokenRecord]) -> anyhow::Result<()> {
    let at = |time: chrono::DateTime<Utc>| time.to_rfc3339_opts(SecondsFormat::Secs, true);
    if global.json {
        let tokens: Vec<Json> = tokens
            .iter()
            .map(|token| {
                json!({
                    "name": token.name, "may": token.scope.name(), "created": at(token.created),
                    "revoked": token.revoked.map(at),
                })
            })
            .collect();
        return print::json(&json!({ "version": 1, "tokens": tokens }));
    }
    let line = |token: &TokenRecord| {
        let revoked = token.revoked.map(|time| format!(", revoked {}", at(time))).unwrap_or_default();
        format!("{}  {}, created {}{revoked}\n", token.name, token.scope.name(), at(token.created))
    };
    print::out(&tokens.iter().map(line).collect::<String>())
}
