//! Exact associations: what a user is linked to beyond its row is taken away. REST only adds, or replaces,
//! nobody knows; what is left in the answer goes through the Analytics API, which unlinks accounts and nothing else
//! (<https://docs.vitally.io/en/articles/9874157-analytics-api-unlink>, read 2026-11-24).
//!
//! | state | what happened | next |
//! |---|---|---|
//! | start | the write's answer tells the links | unlink what the row does not name, one after the other |
//! | | it does not, and there may be others | GET |
//! | | it does not, and the record is new, or its links did not change | Applied |
//! | GET | found | as above |
//! | | anything else | Unsure: the write is repeated, which is harmless |
//! | unlink | taken | the next one; after the last Applied |
//! | | refused | Rejected `unlink-failed` |
//! | | no answer, 5xx, or a success that does not say that it was taken | Unsure |
//!
//! What cannot be taken away is told in a note: organizations, accounts without external id, and all of them without a
//! token of the Analytics API.

use std::collections::BTreeSet;

use coho_core::code::Code;
use coho_core::fields::{Difference, FieldValue, Fields};
use coho_core::message;
use coho_core::object::Object;
use coho_core::operation::{Action, Operation};
use coho_core::path::FieldPath;
use coho_core::sync::Associations;
use coho_core::target::VitallyId;
use coho_core::time::Time;
use coho_core::value::{Value, preview};
use coho_core::verdict::Verdict;
use serde_json::json;

use crate::ask::Ask;
use crate::exchange::Exchange;
use crate::exchange::subject::Subject;
use crate::exchange::upsert::{Applied, Links};
use crate::request::Request;
use crate::resolved::{Resolved, Unlinking};
use crate::wire::reading::{self, End, Reading, read};
use crate::wire::record::{Linked, Record};
use crate::wire::refusal;

/// The path that takes a user away from an account.
const UNLINK: &str = "/analytics/v1/unlink";

/// The links that a row wants, by kind. A kind that is not mapped is left alone.
#[derive(Clone, Debug)]
pub(crate) struct Exact {
    accounts: Option<Wanted>,
    organizations: Option<Wanted>,
    /// Whether this write changes any of them.
    pub(crate) is_changed: bool,
}

/// External ids, and the ids of Vitally that stand for them.
#[derive(Clone, Debug, Default)]
struct Wanted(BTreeSet<String>);

impl Exact {
    pub(crate) fn of(complete: &Fields, changed: &[Difference], resolved: &Resolved) -> Self {
        let paths = [FieldPath::new("accountIds"), FieldPath::new("organizationIds")];
        let is_changed = changed.iter().any(|difference| paths.contains(&difference.path));
        let [accounts, organizations] = paths.map(|path| {
            let sent = changed.iter().any(|difference| difference.path == path);
            match complete.get(&path) {
                Some(value) => Some(Wanted::of(value, resolved)),
                None if sent => Some(Wanted::default()),
                None => None,
            }
        });
        Self { accounts, organizations, is_changed }
    }
}

impl Wanted {
    fn of(value: &FieldValue, resolved: &Resolved) -> Self {
        let mut ids = BTreeSet::new();
        for (object, id) in value.references() {
            ids.insert(id.to_string());
            ids.extend(resolved.get(object, id).map(VitallyId::to_string));
        }
        if let FieldValue::Value(Value::Array(items)) = value {
            ids.extend(items.iter().filter_map(Value::as_text).map(str::to_owned));
        }
        Self(ids)
    }

    fn has(&self, linked: &Linked) -> bool {
        self.0.contains(linked.id.as_str())
            || linked.external_id.as_ref().is_some_and(|external_id| self.0.contains(external_id))
    }
}

/// Takes away what the row does not name, where the sync wants that.
pub(crate) async fn take_away<A: Ask>(
    exchange: &mut Exchange<'_, A>,
    mut written: Applied,
) -> Result<Applied, Verdict> {
    let Some(exact) = exchange.subject.exact.clone() else { return Ok(written) };
    if !exact.is_told_by(&written.record) {
        match written.links {
            Links::Known => return Ok(written),
            Links::Unknown => written.record = read_links(exchange, &written.record).await?,
        }
    }
    let (user, accounts) = surplus_accounts(&exchange.subject, &exact, &mut written);
    for account in accounts {
        unlink(exchange, &user, &account, written.at).await?;
    }
    Ok(written)
}

/// Reads the record again. The write is done, so that nothing else is final.
async fn read_links<A: Ask>(exchange: &mut Exchange<'_, A>, record: &Record) -> Result<Record, Verdict> {
    let address = exchange.subject.address_of(record);
    let answer = exchange.asked.ask(Request::get(&address)).await;
    let subject = &exchange.subject;
    let unread = || Verdict::Unsure {
        why: format!("the {} was written, and its links could not be read", subject.object),
    };
    match read(&answer) {
        Reading::Fine(reply) => match reading::record(reply) {
            Ok(record) if subject.is_at(&record, &address) => Ok(record),
            Ok(_) | Err(_) => Err(unread()),
        },
        Reading::Absent(_) | Reading::Refused(_) | Reading::End(End::TooLarge(_)) => Err(unread()),
        Reading::End(End::Halt(code, message)) => Err(Verdict::Unsure { why: format!("{message} [{code}]") }),
        Reading::End(End::Unknown(why) | End::NotSent(why)) => Err(Verdict::Unsure { why }),
    }
}

async fn unlink<A: Ask>(
    exchange: &mut Exchange<'_, A>,
    user: &str,
    account: &str,
    at: Time,
) -> Result<(), Verdict> {
    let at = exchange.subject.at.unwrap_or(at);
    let answer = exchange.asked.ask(Request::analytics(UNLINK, unlink_body(user, account, at))).await;
    match read(&answer) {
        Reading::Fine(reply) => reading::taken(reply).map_err(|why| Verdict::Unsure { why }),
        Reading::Absent(reply) | Reading::Refused(reply) => {
            Err(failed(user, account, &refusal::text_or_status(reply.status, &reply.body)))
        }
        Reading::End(End::TooLarge(text)) => Err(failed(user, account, &text)),
        Reading::End(End::Halt(code, message)) => {
            let why = format!("the Analytics API, asked to unlink: {message} [{code}]");
            Err(Verdict::Unsure { why })
        }
        // The write was carried out, so that "nothing left us" would be wrong.
        Reading::End(End::Unknown(why) | End::NotSent(why)) => Err(Verdict::Unsure { why }),
    }
}

fn failed(user: &str, account: &str, text: &str) -> Verdict {
    let (user, account) = (preview(user), preview(account));
    let message = format!("user {user} was written and stays linked to the account {account}: {text}");
    Verdict::Rejected { code: Code::UNLINK_FAILED, message }
}

impl Exact {
    fn is_told_by(&self, record: &Record) -> bool {
        (self.accounts.is_none() || record.tells_accounts())
            && (self.organizations.is_none() || record.tells_organizations())
    }
}

/// The user's external id, and the accounts that it is to be taken away from. What cannot be taken away is noted.
fn surplus_accounts(subject: &Subject, exact: &Exact, written: &mut Applied) -> (String, Vec<String>) {
    let record = &written.record;
    let user = match (&record.external_id, &subject.email) {
        (Some(external_id), _) => Some(external_id.clone()),
        (None, None) => Some(subject.target.to_string()),
        (None, Some(_)) => None,
    };
    let name = user.clone().or_else(|| record.email.clone()).unwrap_or_default();
    let notes = &mut written.notes;
    let mut stays = |linked: &Linked, object: Object, why: &str| {
        let other = linked.external_id.as_deref().map_or_else(|| linked.id.to_string(), preview);
        notes.push(format!("user {} stays linked to the {object} {other}: {why}", preview(&name)));
    };
    let mut accounts = Vec::new();
    for linked in surplus(record.accounts(), exact.accounts.as_ref()) {
        match (subject.unlinking, &linked.external_id, &user) {
            (Unlinking::NoToken, _, _) => stays(linked, Object::Account, NO_TOKEN),
            (Unlinking::Possible, None, _) => stays(linked, Object::Account, NO_ACCOUNT_ID),
            (Unlinking::Possible, Some(_), None) => stays(linked, Object::Account, NO_USER_ID),
            (Unlinking::Possible, Some(external_id), Some(_)) => accounts.push(external_id.clone()),
        }
    }
    for linked in surplus(record.organizations(), exact.organizations.as_ref()) {
        stays(linked, Object::Organization, NO_WAY);
    }
    (user.unwrap_or_default(), accounts)
}

/// The most calls that take lost accounts away, and the one that reads what is there.
pub(crate) fn most_calls(operation: &Operation) -> u64 {
    let Action::Write { changed, associations: Associations::Exact, .. } = &operation.action else {
        return 0;
    };
    let ids = |value: Option<&Value>| match value {
        Some(Value::Array(ids)) => ids.clone(),
        Some(_) | None => Vec::new(),
    };
    let lost = |change: &Difference| {
        let after = ids(Some(&change.after));
        ids(change.before.as_ref()).iter().filter(|id| !after.contains(id)).count() as u64
    };
    let links = changed.iter().filter(|change| change.path == FieldPath::new("accountIds"));
    links.map(|change| lost(change) + 1).sum()
}

const NO_TOKEN: &str = "only the Analytics API takes users away from accounts, and there is no token of it";
const NO_ACCOUNT_ID: &str = "the account has no external id, by which the Analytics API knows it";
const NO_USER_ID: &str = "the user has no external id, by which the Analytics API knows it";
const NO_WAY: &str = "no API of Vitally takes users away from organizations";

fn surplus<'r>(held: &'r [Linked], wanted: Option<&Wanted>) -> Vec<&'r Linked> {
    match wanted {
        Some(wanted) => held.iter().filter(|linked| !wanted.has(linked)).collect(),
        None => Vec::new(),
    }
}

/// Both ids are external. The same unlink has the same message id, whenever it is sent again.
fn unlink_body(user: &str, account: &str, at: Time) -> String {
    let body = json!({
        "messageId": message::of_unlink(user, account, at),
        "timestamp": Value::Timestamp(at).scalar_text(),
        "userId": user,
        "accountId": account,
    });
    body.to_string()
}
