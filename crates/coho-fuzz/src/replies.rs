//! Vitally's answers.
//!
//! An input is a text. Its first line has words that say of which operation: `organization`, `user` or `batch` (else an account);
//! `update`, `insert`, `remove`, `probe` or `probe-remove` (else an upsert); `there`, `assumed` or `unclear` (else nothing is known of the record);
//! `email`, `exact` and `vitallys` (paths take only Vitally's ids). Each further line is an answer: its status and its body.

use std::collections::VecDeque;
use std::pin::pin;
use std::task::{Context, Waker};
use std::time::Duration;

use coho_core::object::Object;
use coho_core::operation::{Action, Known, Operation};
use coho_core::row_state::{Origin, Verb};
use coho_core::sync::{Api, Associations, Mode};
use coho_core::target::{ExternalId, VitallyId};
use coho_core::time::Time;
use coho_vitally::Upsert;
use coho_vitally::address::Paths;
use coho_vitally::analytics::Outgoing;
use coho_vitally::analytics::batch::{Batch, BatchStep};
use coho_vitally::analytics::limits::{BatchLimits, Lessons};
use coho_vitally::ask::Ask;
use coho_vitally::exchange;
use coho_vitally::request::{Answer, Method, Reply, Request};
use coho_vitally::resolved::{Resolved, Unlinking};

const ID: &str = "00000000-0000-4000-8000-00000000000a";
const OTHER: &str = "00000000-0000-4000-8000-00000000000b";

/// More calls than any operation makes.
const MOST: usize = 200;

/// Carries out an operation that is answered so.
pub(crate) fn feed(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let mut lines = text.lines();
    let words: Vec<&str> = lines.next().unwrap_or_default().split_whitespace().collect();
    let mut answers: VecDeque<Answer> = lines.map(answer).collect();
    if words.contains(&"batch") {
        batch(&words, &mut answers);
    } else if let Some(operation) = operation(&words) {
        exchange(&operation, &words, answers);
    }
}

fn answer(line: &str) -> Answer {
    let (status, body) = line.split_once(' ').unwrap_or((line, ""));
    match (status, status.parse()) {
        ("lost", _) => Answer::Lost { why: body.to_owned() },
        (_, Ok(status)) => Answer::Reply(Reply {
            status,
            body: body.to_owned(),
            date: None,
            asked: Time::UNIX_EPOCH + Duration::from_secs(2_000),
            elapsed: Duration::from_millis(20),
        }),
        (_, Err(_)) => Answer::NotSent { why: line.to_owned() },
    }
}

fn operation(words: &[&str]) -> Option<Operation> {
    let has = |word: &str| words.contains(&word);
    let upsert = if has("user") {
        Upsert::user("acme").email("ada@acme.io").accounts(["owner"])
    } else if has("organization") {
        Upsert::organization("acme")
    } else {
        Upsert::account("acme")
    };
    let mode = match (has("update"), has("insert")) {
        (true, _) => Mode::Update,
        (false, true) => Mode::Insert,
        (false, false) => Mode::Upsert,
    };
    let mut operation = upsert.name("Acme").trait_("plan", "pro").mode(mode).operation().ok()?;
    operation.email = (has("email") && has("user")).then(|| "ada@acme.io".to_owned());
    operation.known = known(words);
    if let Action::Write { associations, would_send, .. } = &mut operation.action {
        if has("exact") {
            *associations = Associations::Exact;
        }
        let would_send = would_send.clone();
        if has("remove") {
            operation.action = Action::Remove;
        } else if has("probe") {
            operation.action = Action::Probe { verb: Verb::Write, would_send };
        } else if has("probe-remove") {
            operation.action = Action::Probe { verb: Verb::Remove, would_send };
        }
    }
    Some(operation)
}

fn known(words: &[&str]) -> Known {
    let has = |word: &str| words.contains(&word);
    let id = has("id").then(|| VitallyId::new(ID));
    if has("there") {
        Known::There { id, origin: Origin::Created }
    } else if has("unclear") {
        Known::Unclear { since: Time::UNIX_EPOCH + Duration::from_secs(1_000), id, origin: None }
    } else if has("assumed") {
        Known::Assumed
    } else {
        Known::New
    }
}

/// Answers in their order. Once they are used up, nothing leaves any more.
struct Script {
    answers: VecDeque<Answer>,
    told: Vec<Request>,
}

impl Ask for Script {
    async fn ask(&mut self, request: Request) -> Answer {
        assert!(self.told.len() < MOST, "an operation without an end");
        self.told.push(request);
        self.answers.pop_front().unwrap_or_else(|| Answer::NotSent { why: "nobody is there".to_owned() })
    }
}

/// An exchange ends with a verdict, and never makes a record twice.
fn exchange(operation: &Operation, words: &[&str], answers: VecDeque<Answer>) {
    let Ok(owner) = ExternalId::parse("owner") else { return };
    let resolved: Resolved = [((Object::Account, owner), VitallyId::new(OTHER))].into_iter().collect();
    let resolved = resolved.with_unlinking(Unlinking::Possible);
    let mut paths = Paths::default();
    if words.contains(&"vitallys") {
        paths = Object::RECORDS.into_iter().fold(paths, Paths::only_vitallys);
    }
    let mut script = Script { answers, told: Vec::new() };
    let is_over = ends(exchange::deliver(&mut script, operation, &resolved, &mut paths));
    assert!(is_over, "an exchange that waits for nothing");
    let rest = || script.told.iter().filter(|request| request.api == Api::Rest);
    let count = |method: Method| rest().filter(|request| request.method == method).count();
    assert!(
        count(Method::Post) <= 1 && count(Method::Put) <= 3 && count(Method::Delete) <= 1,
        "{:#?}",
        script.told
    );
}

/// Whether straight code that is answered at once comes to its end.
fn ends<T>(code: impl Future<Output = T>) -> bool {
    pin!(code).poll(&mut Context::from_waker(Waker::noop())).is_ready()
}

/// Of a batch, each operation gets a verdict.
fn batch(words: &[&str], answers: &mut VecDeque<Answer>) {
    let operations: Vec<Operation> = (0..7).filter_map(|_| operation(words)).collect();
    let outgoing: Vec<Outgoing<'_>> = operations
        .iter()
        .enumerate()
        .map(|(number, operation)| Outgoing {
            operation,
            message_id: format!("message-{number}"),
            at: Time::UNIX_EPOCH,
        })
        .collect();
    let mut step = Batch::start(&outgoing, BatchLimits::default(), Lessons::default());
    for _ in 0..MOST {
        match step {
            BatchStep::Done(verdicts, _) => {
                assert_eq!(verdicts.len(), operations.len());
                return;
            }
            BatchStep::Ask(_, of, batch) => {
                assert!(of.iter().all(|number| *number < operations.len()));
                let last = Answer::NotSent { why: "nobody is there".to_owned() };
                step = batch.on(&answers.pop_front().unwrap_or(last));
            }
        }
    }
    panic!("a batch without an end");
}
