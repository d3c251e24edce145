//! Exchanges: what is asked of Vitally to carry out one operation, and what the answers mean.
//!
//! An exchange is a machine without I/O. [`Exchange::start`] gives the first [`Step`], [`Exchange::on`] each further one;
//! whoever holds it carries the requests. Each mode has a table of its own, made of a few small parts:
//!
//! | mode | file | usual calls |
//! |---|---|---|
//! | upsert, update | `upsert` | POST, or PUT; a user's PUT that links: GET, PUT; a user matched by e-mail: GET, then POST or PUT |
//! | the same with exact associations | then `exact` | no GET before the PUT; after it one call of the Analytics API for each link too many |
//! | insert | `insert` | GET, POST |
//! | remove | `remove` | DELETE |
//! | probe | `probe` | GET |
//!
//! The parts are `put`, `post`, `find` and [`crate::lookup`]; `subject` says what record it is, and `origin` whose.
//!
//! An event is no record: there is no exchange of one, see [`crate::analytics`].

mod subject;
mod find;
mod origin;
mod post;
mod put;
mod ending;
mod upsert;
mod exact;
mod insert;
mod remove;
mod probe;

use coho_core::object::Object;
use coho_core::operation::{Action, Operation};
use coho_core::sync::Mode;
use coho_core::verdict::Verdict;

use crate::address::Paths;
use crate::request::{Answer, Request};
use crate::resolved::Resolved;
use crate::turn::Turn;
use ending::Ending;
use subject::{Bodies, Subject};

/// An exchange under way.
///
/// ```
/// # use coho_core::{decide::{Change, Reason}, fields::{FieldValue, Fields, Sent}, key::Key, object::Object};
/// # use coho_core::{operation::{Action, Known, Operation}, path::FieldPath, target::ExternalId, value::Value};
/// # use coho_core::sync::{Associations, Mode};
/// use coho_core::verdict::Verdict;
/// use coho_vitally::address::Paths;
/// use coho_vitally::exchange::{Exchange, Step};
/// use coho_vitally::request::Answer;
/// use coho_vitally::resolved::Resolved;
///
/// # let complete = Fields::from([(FieldPath::new("name"), FieldValue::Value(Value::text("Acme")))]);
/// # let operation = Operation {
/// #     key: Key::new("1"), object: Object::Account, target: ExternalId::parse("acme")?, known: Known::New,
/// #     action: Action::Write {
/// #         mode: Mode::Upsert, associations: Associations::Add, complete, changed: Vec::new(), would_send: Sent::new(),
/// #     },
/// #     email: None, change: Change::Add, reason: Reason::NewRecord, seen: None, serial: 0,
/// # };
/// let Step::Ask(request, exchange) = Exchange::start(&operation, &Resolved::new(), Paths::default())
/// else { panic!("a write begins with a request") };
/// assert_eq!(request.body.as_deref(), Some(r#"{"externalId":"acme","name":"Acme"}"#));
///
/// // No answer came, so the record may be there or not: nothing is repeated, and nothing is taken for done.
/// let step = exchange.on(&Answer::Lost { why: "timed out".to_owned() });
/// assert!(matches!(step, Step::Done(Verdict::Unsure { .. })));
/// # Ok::<(), coho_core::target::ExternalIdError>(())
/// ```
#[derive(Debug)]
pub struct Exchange {
    subject: Subject,
    table: Table,
}

/// What an exchange wants next.
#[derive(Debug)]
pub enum Step {
    /// Send this, and give the answer to [`Exchange::on`].
    Ask(Request, Box<Exchange>),
    /// It has ended.
    Done(Verdict),
}

/// Where an exchange stands in the table of its mode.
#[derive(Debug)]
enum Table {
    Upsert(Box<Bodies>, upsert::State),
    Exact(Box<exact::State>),
    Insert(Box<Bodies>, insert::State),
    Remove(remove::State),
    Probe(probe::State),
}

impl Exchange {
    /// Begins. `paths` is what earlier exchanges learned of the routes.
    pub fn start(operation: &Operation, resolved: &Resolved, paths: Paths) -> Step {
        let subject = Subject::of(operation, resolved, paths);
        if operation.object == Object::Event {
            let why = "an event is no record: it goes through the Analytics API".to_owned();
            return Step::Done(subject.settle(Verdict::Unsent { why }));
        }
        let turn = match &operation.action {
            Action::Write { mode, associations, complete, changed, .. } => {
                let bodies = Box::new(Bodies::of(&subject, complete, changed, *associations, resolved));
                match mode {
                    Mode::Upsert => upsert::start(&subject, &bodies, upsert::Absent::IsCreated)
                        .then(|state| Table::Upsert(bodies, state), |ending| ended(&subject, ending)),
                    Mode::Update => upsert::start(&subject, &bodies, upsert::Absent::IsLeft)
                        .then(|state| Table::Upsert(bodies, state), |ending| ended(&subject, ending)),
                    Mode::Insert => {
                        insert::start(&subject, &bodies).then(|state| Table::Insert(bodies, state), Turn::End)
                    }
                }
            }
            Action::Remove => remove::start(&subject).then(Table::Remove, Turn::End),
            Action::Probe { verb, .. } => probe::start(&subject, *verb).then(Table::Probe, Turn::End),
        };
        Self::step(subject, turn)
    }

    /// Goes on with an answer.
    pub fn on(self, answer: &Answer) -> Step {
        let Self { subject, table } = self;
        let turn = match table {
            Table::Upsert(bodies, state) => upsert::on(state, &subject, &bodies, answer)
                .then(|state| Table::Upsert(bodies, state), |ending| ended(&subject, ending)),
            Table::Exact(state) => exact::on(*state, &subject, answer).then(into_exact, Turn::End),
            Table::Insert(bodies, state) => insert::on(state, &subject, &bodies, answer)
                .then(|state| Table::Insert(bodies, state), Turn::End),
            Table::Remove(state) => remove::on(state, &subject, answer).then(Table::Remove, Turn::End),
            Table::Probe(state) => probe::on(state, &subject, answer).then(Table::Probe, Turn::End),
        };
        Self::step(subject, turn)
    }

    fn step(subject: Subject, turn: Turn<Table, Verdict>) -> Step {
        match turn {
            Turn::Ask(request, table) => Step::Ask(request, Box::new(Self { subject, table })),
            Turn::End(verdict) => Step::Done(subject.settle(verdict)),
        }
    }
}

fn into_exact(state: exact::State) -> Table {
    Table::Exact(Box::new(state))
}

/// A write that was applied may have links left to take away.
fn ended(subject: &Subject, ending: Ending) -> Turn<Table, Verdict> {
    match ending {
        Ending::Applied(applied) => exact::start(subject, *applied).then(into_exact, Turn::End),
        Ending::Verdict(verdict) => Turn::End(verdict),
    }
}
