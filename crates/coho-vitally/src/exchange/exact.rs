//! The table of exact associations: what a user is linked to beyond its row is taken away. REST only adds, or replaces,
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
//! | unlink | any 2xx | the next one; after the last Applied |
//! | | refused | Rejected `unlink-failed` |
//! | | no answer, or 5xx | Unsure |
//!
//! What cannot be taken away is told in a note: organizations, accounts without external id, and all of them without a
//! token of the Analytics API.

use std::collections::{BTreeSet, VecDeque};

use coho_core::code::Code;
use coho_core::fields::{Difference, FieldValue, Fields};
use coho_core::memory::Time;
use coho_core::message;
use coho_core::object::Object;
use coho_core::path::FieldPath;
use coho_core::target::VitallyId;
use coho_core::value::{Value, preview};
use coho_core::verdict::Verdict;
use serde_json::json;

use crate::address::Address;
use crate::exchange::ending::{Applied, Links};
use crate::exchange::subject::Subject;
use crate::request::{Answer, Request};
use crate::resolved::{Resolved, Unlinking};
use crate::turn::Turn;
use crate::wire::reading::{End, Reading, read};
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

/// Where an exchange stands.
#[derive(Debug)]
pub(crate) struct State {
    applied: Applied,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    /// The links are being read.
    Read,
    /// A user is being taken away from an account; then from these.
    Unlink { user: String, account: String, rest: VecDeque<String> },
}

type Next = Turn<State, Verdict>;

pub(crate) fn start(subject: &Subject, applied: Applied) -> Next {
    let Some(exact) = &subject.exact else { return Turn::End(applied.verdict()) };
    if let Some(record) = applied.record.clone().filter(|record| exact.is_told_by(record)) {
        return applied.take_away(subject, exact, &record);
    }
    match applied.links {
        Links::Known => Turn::End(applied.verdict()),
        Links::Unknown => {
            let request = Request::get(&applied.address(subject));
            Turn::Ask(request, State { applied, stage: Stage::Read })
        }
    }
}

pub(crate) fn on(state: State, subject: &Subject, answer: &Answer) -> Next {
    let State { applied, stage } = state;
    match stage {
        Stage::Read => on_read(applied, subject, answer),
        Stage::Unlink { user, account, rest } => match read(answer) {
            Reading::Fine(_) => applied.unlink(subject, user, rest),
            Reading::Absent(reply) | Reading::Refused(reply) => {
                let text = refusal::text_or_status(reply.status, &reply.body);
                Turn::End(failed(&user, &account, &text))
            }
            Reading::End(End::TooLarge(text)) => Turn::End(failed(&user, &account, &text)),
            Reading::End(End::Halt(code, message)) => {
                let why = format!("the Analytics API, asked to unlink: {message} [{code}]");
                Turn::End(Verdict::Unsure { why })
            }
            // The write was carried out, so that "nothing left us" would be wrong.
            Reading::End(End::Unknown(why) | End::NotSent(why)) => Turn::End(Verdict::Unsure { why }),
        },
    }
}

fn on_read(applied: Applied, subject: &Subject, answer: &Answer) -> Next {
    let address = applied.address(subject);
    let record = match read(answer) {
        Reading::Fine(reply) => Record::parse(&reply.body),
        Reading::Absent(_) | Reading::Refused(_) | Reading::End(End::TooLarge(_)) => None,
        Reading::End(End::Halt(code, message)) => {
            return Turn::End(Verdict::Unsure { why: format!("{message} [{code}]") });
        }
        Reading::End(End::Unknown(why) | End::NotSent(why)) => return Turn::End(Verdict::Unsure { why }),
    };
    match (record, &subject.exact) {
        (Some(record), Some(exact)) if subject.is_at(&record, &address) => {
            applied.take_away(subject, exact, &record)
        }
        (Some(_) | None, _) => {
            let why = format!("the {} was written, and its links could not be read", subject.object);
            Turn::End(Verdict::Unsure { why })
        }
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

impl Applied {
    fn address(&self, subject: &Subject) -> Address {
        match (&self.id, &self.record) {
            (Some(id), _) => Address::Id(subject.object, id.clone()),
            (None, Some(record)) => subject.address_of(record),
            (None, None) => Address::External(subject.object, subject.target.clone()),
        }
    }

    fn take_away(mut self, subject: &Subject, exact: &Exact, record: &Record) -> Next {
        let user = match (&record.external_id, &subject.email) {
            (Some(external_id), _) => Some(external_id.clone()),
            (None, None) => Some(subject.target.to_string()),
            (None, Some(_)) => None,
        };
        let name = user.clone().or_else(|| record.email.clone()).unwrap_or_default();
        let mut stays = |linked: &Linked, object: Object, why: &str| {
            let other = linked.external_id.as_deref().map_or_else(|| linked.id.to_string(), preview);
            self.notes.push(format!("user {} stays linked to the {object} {other}: {why}", preview(&name)));
        };
        let mut accounts = VecDeque::new();
        for linked in surplus(record.accounts(), exact.accounts.as_ref()) {
            match (subject.unlinking, &linked.external_id, &user) {
                (Unlinking::NoToken, _, _) => stays(linked, Object::Account, NO_TOKEN),
                (Unlinking::Possible, None, _) => stays(linked, Object::Account, NO_ACCOUNT_ID),
                (Unlinking::Possible, Some(_), None) => stays(linked, Object::Account, NO_USER_ID),
                (Unlinking::Possible, Some(external_id), Some(_)) => accounts.push_back(external_id.clone()),
            }
        }
        for linked in surplus(record.organizations(), exact.organizations.as_ref()) {
            stays(linked, Object::Organization, NO_WAY);
        }
        self.unlink(subject, user.unwrap_or_default(), accounts)
    }

    fn unlink(self, subject: &Subject, user: String, mut rest: VecDeque<String>) -> Next {
        let Some(account) = rest.pop_front() else { return Turn::End(self.verdict()) };
        let at = subject.at.unwrap_or(self.at);
        let request = Request::analytics(UNLINK, unlink_body(&user, &account, at));
        Turn::Ask(request, State { applied: self, stage: Stage::Unlink { user, account, rest } })
    }
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
