//! Exchanges: what is asked of Vitally to carry out one operation, and what the answers mean.
//!
//! An exchange is straight code over the port [`Ask`]: it opens no socket and reads no clock. Each mode is a file with a table
//! of what it does, the code that does it, and what it costs:
//!
//! | mode | file | usual calls |
//! |---|---|---|
//! | upsert, update | `upsert` | POST, or PUT; a user's PUT that links: GET, PUT; a user matched by e-mail: GET, then POST or PUT |
//! | the same with exact associations | then `exact` | no GET before the PUT; after it one call of the Analytics API for each link too many |
//! | insert | `insert` | GET, POST |
//! | remove | `remove` | DELETE |
//! | probe | `probe` | GET |
//!
//! `write` has single POSTs and PUTs, `find` and [`crate::lookup`] the looks; `subject` says what record it is, and `origin`
//! whose.
//!
//! An event is no record: there is no exchange of one, see [`crate::analytics`].

mod subject;
mod find;
mod origin;
mod write;
mod upsert;
mod exact;
mod insert;
mod remove;
mod probe;

use std::time::Duration;

use coho_core::fields::{FieldValue, Fields};
use coho_core::object::Object;
use coho_core::operation::{Action, Operation};
use coho_core::path::FieldPath;
use coho_core::plan::Calls;
use coho_core::sync::Mode;
use coho_core::target::VitallyId;
use coho_core::value::Value;
use coho_core::verdict::Verdict;

use crate::address::{Address, Paths, RouteIds};
use crate::ask::Ask;
use crate::request::{Answer, Request};
use crate::resolved::Resolved;
use crate::wire::record::{Linked, Record};
use origin::Moment;
use subject::{Bodies, Subject};
use upsert::{Applied, OnMissing};

/// Carries out one operation, and gives exactly one verdict. `paths` is what earlier exchanges learned of the routes; this one
/// adds what it learns.
///
/// ```
/// # use coho_core::{decide::{Change, Reason}, fields::{FieldValue, Fields, Sent}, key::Key, object::Object};
/// # use coho_core::{operation::{Action, Known, Operation}, path::FieldPath, target::ExternalId, value::Value};
/// # use coho_core::sync::{Associations, Mode};
/// use coho_core::verdict::Verdict;
/// use coho_vitally::address::Paths;
/// use coho_vitally::ask::Ask;
/// use coho_vitally::exchange;
/// use coho_vitally::request::{Answer, Request};
/// use coho_vitally::resolved::Resolved;
///
/// /// No answer comes, so the record may be there or not: nothing is repeated, and nothing is taken for done.
/// struct Silence;
///
/// impl Ask for Silence {
///     async fn ask(&mut self, request: Request) -> Answer {
///         assert_eq!(request.body.as_deref(), Some(r#"{"externalId":"acme","name":"Acme"}"#));
///         Answer::Lost { why: "timed out".to_owned() }
///     }
/// }
///
/// # let complete = Fields::from([(FieldPath::new("name"), FieldValue::Value(Value::text("Acme")))]);
/// # let operation = Operation {
/// #     key: Key::new("1"), object: Object::Account, target: ExternalId::parse("acme")?, known: Known::New,
/// #     action: Action::Write {
/// #         mode: Mode::Upsert, associations: Associations::Add, complete, changed: Vec::new(), would_send: Sent::new(),
/// #     },
/// #     email: None, change: Change::Add, reason: Reason::NewRecord, seen: None, version: 0,
/// # };
/// # let example = async {
/// let verdict = exchange::deliver(&mut Silence, &operation, &Resolved::new(), &mut Paths::default()).await;
/// assert!(matches!(verdict, Verdict::Unsure { .. }));
/// # };
/// # let done = std::pin::pin!(example).as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop()));
/// # assert!(done.is_ready());
/// # Ok::<(), coho_core::target::ExternalIdError>(())
/// ```
pub async fn deliver<A: Ask>(
    ask: &mut A,
    operation: &Operation,
    resolved: &Resolved,
    paths: &mut Paths,
) -> Verdict {
    let subject = Subject::of(operation, resolved);
    if operation.object == Object::Event {
        let why = "an event is no record: it goes through the Analytics API".to_owned();
        return subject.settle(Verdict::Unsent { why });
    }
    let asked = Asked { ask, wait: Duration::ZERO, moment: None };
    let mut exchange = Exchange { asked, subject, paths };
    let ended = match &operation.action {
        Action::Write { mode, associations, complete, changed, .. } => {
            let bodies = Bodies::of(&exchange.subject, complete, changed, *associations, resolved);
            match mode {
                Mode::Upsert => write(&mut exchange, operation, &bodies, OnMissing::Create).await,
                Mode::Update => write(&mut exchange, operation, &bodies, OnMissing::Leave).await,
                Mode::Insert => insert::insert(&mut exchange, &bodies).await,
            }
        }
        Action::Remove => remove::remove(&mut exchange).await,
        Action::Probe { verb, .. } => probe::probe(&mut exchange, *verb).await,
    };
    exchange.subject.settle(ended.unwrap_or_else(|verdict| verdict))
}

/// The fewest and the most calls of an operation's exchange, as long as nothing fails; look-ups of references, repeats and the
/// pages of lists apart. The fewest are those that it takes where Vitally holds what is remembered.
pub fn cost(operation: &Operation) -> Calls {
    match &operation.action {
        Action::Write { mode: Mode::Upsert, .. } => upsert::cost(operation, OnMissing::Create),
        Action::Write { mode: Mode::Update, .. } => upsert::cost(operation, OnMissing::Leave),
        Action::Write { mode: Mode::Insert, .. } => insert::cost(operation),
        Action::Remove => remove::cost(operation),
        Action::Probe { .. } => probe::cost(),
    }
}

/// An exchange under way: whom it asks, about which record, and what is known of the routes.
pub(crate) struct Exchange<'a, A> {
    pub(crate) asked: Asked<'a, A>,
    pub(crate) subject: Subject,
    pub(crate) paths: &'a mut Paths,
}

/// Asks, and notes when the last answer came.
pub(crate) struct Asked<'a, A> {
    ask: &'a mut A,
    /// How long the next request waits.
    wait: Duration,
    /// Vitally's clock and ours at the last answer.
    moment: Option<Moment>,
}

impl<A: Ask> Ask for Asked<'_, A> {
    async fn ask(&mut self, request: Request) -> Answer {
        let wait = std::mem::take(&mut self.wait);
        let answer = self.ask.ask(request.later(wait)).await;
        self.moment = match &answer {
            Answer::Reply(reply) => Some(Moment::of(reply)),
            Answer::Lost { .. } | Answer::NotSent { .. } => None,
        };
        answer
    }
}

impl<A> Exchange<'_, A> {
    /// Where the record can be addressed at once; `None` where it must be looked up first, since the path does not take external
    /// ids, or this one may be taken for an id of Vitally's.
    pub(crate) fn address(&self) -> Option<Address> {
        let Subject { object, target, id, email, .. } = &self.subject;
        match (id, self.paths.of(*object)) {
            (Some(id), _) => Some(Address::Id(*object, id.clone())),
            (None, _) if email.is_some() => None,
            (None, RouteIds::VitallysOnly) => None,
            (None, RouteIds::Both | RouteIds::BothShown) if VitallyId::is_formed(target.as_str()) => None,
            (None, RouteIds::Both | RouteIds::BothShown) => Some(Address::External(*object, target.clone())),
        }
    }
}

/// A write, and what follows it where the sync says exactly which links there are.
async fn write<A: Ask>(
    exchange: &mut Exchange<'_, A>,
    operation: &Operation,
    bodies: &Bodies,
    on_missing: OnMissing,
) -> Result<Verdict, Verdict> {
    let written = upsert::upsert(exchange, bodies, on_missing).await?;
    let Applied { record, origin, notes, .. } = exact::take_away(exchange, written).await?;
    let lost = lost_links(operation, &record);
    Ok(Verdict::Applied { id: record.id, origin, notes, lost })
}

/// The links that were sent once, that the row does not name any more, and that Vitally does not show: they are gone, by
/// whomever, and are not to be remembered.
fn lost_links(operation: &Operation, record: &Record) -> Vec<(FieldPath, Value)> {
    let Action::Write { complete, would_send, .. } = &operation.action else { return Vec::new() };
    let shown = [
        ("accountIds", record.tells_accounts(), record.accounts()),
        ("organizationIds", record.tells_organizations(), record.organizations()),
    ];
    let mut lost = Vec::new();
    for (name, _, linked) in shown.into_iter().filter(|(_, is_told, _)| *is_told) {
        let path = FieldPath::new(name);
        let Some(Value::Array(remembered)) = would_send.get(&path) else { continue };
        let gone = remembered.iter().filter(|id| !is_named(complete, &path, id) && !is_linked(linked, id));
        lost.extend(gone.map(|id| (path.clone(), id.clone())));
    }
    lost
}

fn is_named(complete: &Fields, path: &FieldPath, id: &Value) -> bool {
    matches!(complete.get(path).map(FieldValue::to_value), Some(Value::Array(named)) if named.contains(id))
}

/// Whether a remembered id, external or Vitally's, is that of a linked record.
fn is_linked(linked: &[Linked], id: &Value) -> bool {
    let vitallys = id.get("id").and_then(Value::as_text);
    linked.iter().any(|linked| match vitallys {
        Some(id) => linked.id.as_str() == id,
        None => linked.external_id.as_deref() == id.as_text(),
    })
}
