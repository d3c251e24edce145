//! Conclusions: every verdict on every memory, in one table.

use std::fmt::Write as _;

use chrono::TimeDelta;
use coho_core::code::Code;
use coho_core::decide::{Change, Reason};
use coho_core::digest::Digest;
use coho_core::fields::{FieldValue, Fields, Sent};
use coho_core::key::Key;
use coho_core::object::Object;
use coho_core::operation::{Action, Known, Operation};
use coho_core::path::FieldPath;
use coho_core::row_state::{DeliveryState, Due, Origin, Pending, RowState, Seen, Verb, Why};
use coho_core::sync::{Associations, Mode, Removal};
use coho_core::target::{ExternalId, VitallyId};
use coho_core::time::Time;
use coho_core::value::Value;
use coho_core::verdict::Verdict;
use coho_engine::conclude::{Circumstances, Conclusion, conclude};
use coho_ledger::identity::Elsewhere;

fn now() -> Time {
    Time::UNIX_EPOCH + TimeDelta::days(365)
}

fn since() -> Time {
    now() - TimeDelta::hours(1)
}

fn seen(row: &str) -> Seen {
    Seen { row: Digest::of(row.as_bytes()), mapping: Digest::of(b"mapping") }
}

fn sent(name: &str) -> Sent {
    Sent::from([(FieldPath::new("name"), Value::text(name))])
}

fn row_state(delivery: DeliveryState, pending: Pending) -> RowState {
    let target = ExternalId::parse("acme").unwrap();
    RowState { target, delivery, pending, seen: Some(seen("before")), version: 7 }
}

fn delivered(id: Option<&str>, origin: Origin) -> DeliveryState {
    DeliveryState::Delivered { sent: sent("Before"), n: 3, id: id.map(VitallyId::new), origin }
}

fn open(verb: Verb) -> Pending {
    Pending::Open { operation: Digest::of(b"earlier"), would_send: sent("Open"), verb, since: since() }
}

fn waiting(row: &str, tries: u16) -> Pending {
    let (why, code, due, verb) = (Why::Rejected, Code::REFUSED, Due::At(now()), Verb::Write);
    Pending::Waiting { why, code, tried: seen(row), tries, due, verb }
}

fn operation(action: Action, known: Known) -> Operation {
    let target = ExternalId::parse("acme").unwrap();
    let (key, object) = (Key::new("1"), Object::Account);
    let (change, reason) = (Change::Update, Reason::RowChanged);
    Operation {
        key,
        object,
        target,
        email: None,
        action,
        known,
        change,
        reason,
        seen: Some(seen("now")),
        version: 7,
    }
}

fn write() -> Action {
    let complete = Fields::from([(FieldPath::new("name"), FieldValue::Value(Value::text("After")))]);
    let (mode, associations, would_send) = (Mode::Upsert, Associations::Add, sent("After"));
    Action::Write { mode, associations, complete, changed: Vec::new(), would_send }
}

fn applied(id: &str, origin: Origin) -> Verdict {
    Verdict::Applied { id: Some(VitallyId::new(id)), origin, notes: Vec::new(), lost: Vec::new() }
}

fn circumstances(before: Option<&RowState>) -> Circumstances<'_> {
    let (removal, elsewhere) = (Removal::DeleteCreated, Elsewhere::Never);
    Circumstances { before, since: since(), now: now(), removal, elsewhere }
}

fn told(conclusion: &Conclusion) -> String {
    let mut line = conclusion.outcome.status().as_str().to_owned();
    if let Some(code) = conclusion.code {
        write!(line, " ({code})").unwrap();
    }
    let Some(row_state) = &conclusion.row_state else { return format!("{line}: forgotten") };
    let delivery = match &row_state.delivery {
        DeliveryState::Never => "never".to_owned(),
        DeliveryState::Assumed { .. } => "assumed".to_owned(),
        DeliveryState::Delivered { sent, n, id, origin } => {
            let id = id.as_ref().map_or("no id", VitallyId::as_str);
            let name = sent.get(&FieldPath::new("name")).and_then(Value::as_text).unwrap_or("nothing");
            format!(
                "delivered {name} x{n}, {id}, {}",
                if *origin == Origin::Created { "created" } else { "found" }
            )
        }
        DeliveryState::Released { .. } => "released".to_owned(),
        DeliveryState::Removed { .. } => "removed".to_owned(),
    };
    let pending = match &row_state.pending {
        Pending::None => "nothing pending".to_owned(),
        Pending::Open { would_send, since: at, .. } => {
            let name = would_send.get(&FieldPath::new("name")).and_then(Value::as_text).unwrap_or("nothing");
            format!("open for {name} since {}", if *at == since() { "before" } else { "now" })
        }
        Pending::Waiting { why, tries, due, .. } => {
            let due = match due {
                Due::At(at) => format!("in {} min", (*at - now()).num_minutes()),
                Due::Always => "always".to_owned(),
                Due::OnChange => "on change".to_owned(),
            };
            format!("waiting {why:?}, try {tries}, due {due}")
        }
    };
    format!("{line}: {delivery}; {pending}; serial {}", row_state.version)
}

#[test]
fn every_verdict_on_every_memory() {
    let row_states = [
        ("nothing", None),
        ("never, open", Some(row_state(DeliveryState::Never, open(Verb::Write)))),
        ("created", Some(row_state(delivered(Some("id-1"), Origin::Created), Pending::None))),
        ("found, open", Some(row_state(delivered(None, Origin::Found), open(Verb::Write)))),
        ("waiting with the same row", Some(row_state(DeliveryState::Never, waiting("now", 9)))),
        ("waiting with another row", Some(row_state(DeliveryState::Never, waiting("before", 9)))),
    ];
    let why = || "timed out".to_owned();
    let verdicts = [
        ("applied, created", applied("id-2", Origin::Created)),
        ("applied, found", applied("id-2", Origin::Found)),
        ("accepted", Verdict::Accepted),
        ("gone", Verdict::Gone),
        ("missing", Verdict::Missing),
        ("exists", Verdict::Exists),
        ("ambiguous", Verdict::Ambiguous),
        ("rejected", Verdict::Rejected { code: Code::REFUSED, message: "no".to_owned() }),
        ("deferred", Verdict::Deferred { message: "account acme".to_owned() }),
        ("unsent", Verdict::Unsent { why: why() }),
        ("unsure", Verdict::Unsure { why: why() }),
        ("halt", Verdict::Halt { code: Code::UNAUTHORIZED, message: "no".to_owned() }),
    ];
    let mut table = String::new();
    for (name, before) in &row_states {
        writeln!(table, "{name}").unwrap();
        let operation = operation(write(), Known::of(before.as_ref()));
        for (said, verdict) in &verdicts {
            let conclusion = conclude(&operation, verdict, circumstances(before.as_ref()));
            writeln!(table, "  {said} -> {}", told(&conclusion)).unwrap();
        }
    }
    insta::assert_snapshot!(table);
}

#[test]
fn a_look_at_a_row_that_left_is_no_removal() {
    let before = row_state(delivered(Some("id-1"), Origin::Created), open(Verb::Remove));
    for verb in [Verb::Write, Verb::Remove] {
        for (removal, origin, expected) in [
            (Removal::Keep, Origin::Created, "delivered: "),
            (Removal::Delete, Origin::Found, "deferred (outcome-unknown): "),
            (Removal::DeleteCreated, Origin::Created, "deferred (outcome-unknown): "),
            (Removal::DeleteCreated, Origin::Found, "delivered: "),
        ] {
            let operation =
                operation(Action::Probe { verb, would_send: sent("After") }, Known::of(Some(&before)));
            let circumstances = Circumstances { removal, ..circumstances(Some(&before)) };
            let conclusion = conclude(&operation, &applied("id-1", origin), circumstances);
            let told = told(&conclusion);
            assert!(
                told.starts_with(expected) && told.contains("nothing pending"),
                "{verb:?} {removal:?} {told}"
            );
        }
    }
}

#[test]
fn created_needs_that_no_other_sync_knows_the_record() {
    let operation = operation(write(), Known::New);
    let known = Circumstances { elsewhere: Elsewhere::Before, ..circumstances(None) };
    assert!(told(&conclude(&operation, &applied("id-2", Origin::Created), known)).contains("found"));
    // What was ours before stays so.
    let before = row_state(delivered(Some("id-1"), Origin::Created), Pending::None);
    let known = Circumstances { elsewhere: Elsewhere::Before, ..circumstances(Some(&before)) };
    assert!(told(&conclude(&operation, &applied("id-1", Origin::Created), known)).contains("created"));
}

#[test]
fn what_vitally_no_longer_shows_is_remembered_no_longer() {
    let path = FieldPath::new("accountIds");
    let links = |ids: &[&str]| Value::Array(ids.iter().map(|id| Value::text(*id)).collect());
    let would_send = Sent::from([(path.clone(), links(&["a", "b"]))]);
    let action = Action::Write {
        mode: Mode::Upsert,
        associations: Associations::Add,
        complete: Fields::new(),
        changed: Vec::new(),
        would_send,
    };
    let lost = vec![(path.clone(), Value::text("a"))];
    let verdict = Verdict::Applied { id: None, origin: Origin::Found, notes: Vec::new(), lost };
    let conclusion = conclude(&operation(action, Known::New), &verdict, circumstances(None));
    let row_state = conclusion.row_state.unwrap();
    assert_eq!(row_state.delivery.sent().unwrap().get(&path), Some(&links(&["b"])));
}

#[test]
fn waits_grow_and_are_capped_at_a_day() {
    let due = |tries: u16| {
        let before = row_state(DeliveryState::Never, waiting("now", tries));
        let operation = operation(write(), Known::New);
        let exists = conclude(&operation, &Verdict::Exists, circumstances(Some(&before)));
        match exists.row_state.unwrap().pending {
            Pending::Waiting { due: Due::At(at), .. } => (at - now()).num_minutes(),
            other @ (Pending::None | Pending::Open { .. } | Pending::Waiting { .. }) => panic!("{other:?}"),
        }
    };
    assert_eq!([due(0), due(1), due(8)], [5, 10, 1_280]);
    assert_eq!([due(11), due(12), due(60)], [24 * 60; 3]);
}
