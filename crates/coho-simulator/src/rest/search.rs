//! `GET /resources/users/search`: by exactly one of e-mail address, external id, domain of the address.

use serde_json::{Value, json};

use super::query::Query;
use super::{Granted, Refused, Turn, is_visible, render};
use crate::record::{RecordKind, StoredRecord};

pub(crate) fn users(turn: &Turn<'_>, query: Option<&str>) -> Result<Granted, Refused> {
    let query = Query::read(query, &["email", "externalId", "emailSubdomain"], turn.switches.unknown)?;
    let given = (query.get("email"), query.get("externalId"), query.get("emailSubdomain"));
    let found: Vec<&StoredRecord> = match given {
        (Some(email), None, None) if !email.is_empty() => turn.store.by_email(email),
        (None, Some(id), None) if !id.is_empty() => {
            turn.store.by_external(RecordKind::User, id).into_iter().collect()
        }
        (None, None, Some(domain)) if !domain.is_empty() => turn.store.by_email_domain(domain),
        _ => return Err(Refused::bad("Must specify exactly one of: email, externalId or emailSubdomain")),
    };
    let results: Vec<Value> = found
        .into_iter()
        .filter(|user| is_visible(turn, user))
        .map(|user| render(turn.store, user))
        .collect();
    Ok(Granted::ok(json!({ "results": results })))
}
