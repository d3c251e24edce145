//! Follows one key through its life: new, same, changed, gone. No files, no network, no clock.
//!
//! ```text
//! cargo run -p coho-core --example decide
//! ```
#![expect(clippy::print_stdout, reason = "an example shows what happens")]

use std::error::Error;

use coho_core::decide::{
    AbsentChange, Completeness, Decision, Nature, Ownership, Policy, PresentChange, RunKind, decide_absent,
    decide_present,
};
use coho_core::digest::Digest;
use coho_core::fields::{FieldValue, Rendered, Rendering, Sent, diff_fields};
use coho_core::key::Key;
use coho_core::object::Object;
use coho_core::operation::{Action, Draft, FoundBy, Operation, seal};
use coho_core::path::FieldPath;
use coho_core::problem::Problem;
use coho_core::row_state::{DeliveryState, Origin, Pending, RowState, Seen};
use coho_core::sync::{Associations, Mode, Removal};
use coho_core::target::{ExternalId, VitallyId};
use coho_core::time::Time;
use coho_core::value::Value;

const POLICY: Policy = Policy {
    run_kind: RunKind::Sync,
    nature: Nature::Record,
    removal: Removal::DeleteCreated,
    ownership: Ownership::OursAlone,
    now: Time::UNIX_EPOCH,
    forget_removed_before: Time::UNIX_EPOCH,
};

/// A row of the model: an account's name and its seats.
#[derive(Clone, Copy)]
struct Account {
    name: &'static str,
    seats: i64,
}

fn main() -> Result<(), Box<dyn Error>> {
    let acme = Account { name: "Acme", seats: 40 };
    let days = [
        ("the row is new", Some(acme)),
        ("nothing changed", Some(acme)),
        ("five seats more", Some(Account { seats: 45, ..acme })),
        ("the row is gone", None),
    ];
    let mut row_state = None;
    for (day, row) in days {
        println!("{day}");
        row_state = step(row, row_state)?;
    }
    Ok(())
}

/// One run, as far as one key is concerned. Gives what is remembered after it.
fn step(row: Option<Account>, row_state: Option<RowState>) -> Result<Option<RowState>, Box<dyn Error>> {
    match (row, row_state) {
        (Some(row), row_state) => present(row, row_state),
        (None, Some(row_state)) => Ok(Some(absent(row_state))),
        (None, None) => Ok(None),
    }
}

/// A key that the model has.
fn present(row: Account, row_state: Option<RowState>) -> Result<Option<RowState>, Box<dyn Error>> {
    let decision = decide_present(seen(row), row_state.as_ref(), &POLICY);
    println!("  row {} of the table: {:?}, because {}", decision.row, decision.change, decision.reason);
    match decision.change {
        PresentChange::Add | PresentChange::Compare => {
            let Some(operation) = write(row, row_state.as_ref(), decision)? else {
                println!("  no field differs");
                return Ok(row_state.map(|row_state| RowState { seen: Some(seen(row)), ..row_state }));
            };
            show(&operation);
            Ok(Some(acknowledged(&operation, row)))
        }
        PresentChange::Learn
        | PresentChange::Unchanged
        | PresentChange::Update
        | PresentChange::Retry
        | PresentChange::Resolve
        | PresentChange::Hold => Ok(row_state),
    }
}

/// A key that the model does not have any more.
fn absent(row_state: RowState) -> RowState {
    let decision = decide_absent(Completeness::Complete, &row_state, &POLICY);
    println!("  row {} of the table: {:?}, because {}", decision.row, decision.change, decision.reason);
    if decision.change == AbsentChange::Remove {
        println!("  deletes it");
        return RowState { delivery: DeliveryState::Removed { at: POLICY.now }, ..row_state };
    }
    row_state
}

/// What the sync's mapping makes of a row. `coho-mapping` does this from a project's files.
fn render(row: Account) -> Result<Rendered, Box<dyn Error>> {
    let set = |value| Rendering::Set(FieldValue::Value(value));
    let fields = [
        (FieldPath::new("name"), set(Value::text(row.name))),
        (FieldPath::new("traits.seats"), set(Value::Int(row.seats))),
    ];
    Ok(Rendered {
        target: ExternalId::parse("acme")?,
        fields: fields.into(),
        absent_traits: None,
        associations: Associations::Add,
    })
}

fn seen(row: Account) -> Seen {
    let row = format!("{}|{}", row.name, row.seats);
    Seen { row: Digest::of(row.as_bytes()), mapping: Digest::of(b"name, traits.seats") }
}

/// The operation that the row needs; none where the row changed but no field differs.
fn write(
    row: Account,
    row_state: Option<&RowState>,
    decision: Decision<PresentChange>,
) -> Result<Option<Operation>, Box<dyn Error>> {
    let rendered = render(row)?;
    let nothing = Sent::new();
    let sent = row_state.and_then(|row_state| row_state.delivery.sent()).unwrap_or(&nothing);
    let field_diff = diff_fields(&rendered, sent);
    if decision.change == PresentChange::Compare && field_diff.differences.is_empty() {
        return Ok(None);
    }
    let draft = Draft {
        key: &Key::new("1"),
        object: Object::Account,
        mode: Mode::Upsert,
        found_by: FoundBy::ExternalId,
        rendered: &rendered,
        field_diff,
        row_state,
        change: decision.change.into(),
        reason: decision.reason,
        seen: seen(row),
    };
    seal(draft).map(Some).map_err(|problems| told(&problems).into())
}

fn told(problems: &[Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

fn show(operation: &Operation) {
    let Action::Write { changed, .. } = &operation.action else { return };
    for difference in changed {
        match &difference.before {
            Some(before) => println!("  {}: {before} → {}", difference.path, difference.after),
            None => println!("  {}: {}", difference.path, difference.after),
        }
    }
}

/// What is remembered once Vitally acknowledged the write. `coho-engine` does this, and `coho-ledger` makes it durable.
fn acknowledged(operation: &Operation, row: Account) -> RowState {
    RowState {
        target: operation.target.clone(),
        delivery: DeliveryState::Delivered {
            sent: operation.would_send(),
            n: 1,
            id: Some(VitallyId::new("0b5c0000-0000-0000-0000-000000000001")),
            origin: Origin::Created,
        },
        pending: Pending::None,
        seen: Some(seen(row)),
        version: operation.version + 1,
    }
}
