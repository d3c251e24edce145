//! The spool: operations read back whole, lanes share them out, targets and matches are counted over all of them.

use std::collections::{BTreeMap, BTreeSet};

use coho_core::code::Code;
use coho_core::decide::Reason;
use coho_core::digest::Digest;
use coho_core::fields::{Difference, FieldValue, Fields};
use coho_core::key::Key;
use coho_core::memory::{Origin, Seen, Verb};
use coho_core::object::Object;
use coho_core::operation::{Action, Known, Operation};
use coho_core::path::FieldPath;
use coho_core::sync::{Associations, Mode};
use coho_core::target::VitallyId;
use coho_core::value::Value;
use coho_ledger::spool::{HoldsTarget, Lane, Spool, SpoolError};
use proptest::prelude::*;

use super::stage::{Tested, at, digest, sent, target};

type Failure = Box<dyn std::error::Error>;

/// Every reason there is, with one code for those that carry one.
const REASONS: &[&str] = &[
    "null-key",
    "duplicate-key",
    "baseline",
    "outcome-unknown",
    "retries-used-up",
    "rejected-earlier",
    "deferred-earlier",
    "skipped-earlier",
    "event-sent",
    "new-record",
    "record-returned",
    "same-row",
    "same-payload",
    "row-changed",
    "mapping-changed",
    "returned",
    "target-changed",
    "resend",
    "source-incomplete",
    "event-kept",
    "event-expired",
    "never-delivered",
    "not-ours",
    "left-under-keep",
    "removed-earlier",
    "removal-kept",
    "still-claimed",
    "existed-before",
    "removed-from-model",
];

fn spool() -> Result<(tempfile::TempDir, Spool), Failure> {
    let folder = tempfile::tempdir()?;
    let spool = Spool::new(folder.path())?;
    Ok((folder, spool))
}

fn write(fields: Fields) -> Action {
    let changed = |(path, value): (&FieldPath, &FieldValue)| Difference {
        path: path.clone(),
        before: None,
        after: value.to_value(),
    };
    Action::Write {
        mode: Mode::Upsert,
        associations: Associations::Add,
        changed: fields.iter().map(changed).collect(),
        would_send: fields.iter().map(|(path, value)| (path.clone(), value.to_value())).collect(),
        complete: fields,
    }
}

fn operation(key: &str, action: Action, reason: Reason) -> Result<Operation, Failure> {
    Ok(Operation {
        key: Key::new(key),
        object: Object::User,
        target: target(key)?,
        email: None,
        action,
        known: Known::New,
        reason,
        seen: Some(Seen { row: digest(key), mapping: digest("mapping") }),
        serial: 3,
    })
}

fn named(key: &str, reason: Reason) -> Result<Operation, Failure> {
    let name = FieldValue::Value(Value::text(key));
    operation(key, write([(FieldPath::new("name"), name)].into()), reason)
}

fn read_back(spool: &Spool, lane: Lane) -> Result<Vec<Operation>, SpoolError> {
    let found = spool.operations(lane, 0, usize::MAX)?;
    Ok(found.into_iter().map(|(_, operation)| operation).collect())
}

#[test]
fn an_operation_reads_back_with_its_address_and_its_links() -> Tested {
    let (_folder, spool) = spool()?;
    let accounts = BTreeSet::from([target("acme")?, target("hoop")?]);
    let fields = Fields::from([
        (FieldPath::new("accountIds"), FieldValue::References(Object::Account, accounts)),
        (FieldPath::new("email"), FieldValue::Value(Value::text("ada@acme.example"))),
        (FieldPath::new("traits.vitally.custom.tier"), FieldValue::Value(Value::Null)),
    ]);
    let mut users = vec![operation("1", write(fields), Reason::NewRecord)?];
    users[0].email = Some("ada@acme.example".to_owned());
    if let Action::Write { associations, mode, .. } = &mut users[0].action {
        (*associations, *mode) = (Associations::Exact, Mode::Update);
    }
    let since = at(4);
    users.push(Operation {
        known: Known::Unclear { since, id: Some(VitallyId::new("v-2")), origin: Some(Origin::Found) },
        seen: None,
        ..named("2", Reason::OutcomeUnknown)?
    });
    for operation in &users {
        spool.push(operation, HoldsTarget::NotYet)?;
    }
    assert_eq!(read_back(&spool, Lane::Fresh)?, users);
    assert_eq!(spool.references()?, [(Object::Account, target("acme")?), (Object::Account, target("hoop")?)]);
    assert_eq!(spool.most_nulled()?, Some(("traits.vitally.custom.tier".to_owned(), 1)));
    Ok(())
}

#[test]
fn an_event_reads_back_with_its_properties_and_its_owners() -> Tested {
    let (_folder, spool) = spool()?;
    let text = |text: &str| FieldValue::Value(Value::text(text));
    let fields = Fields::from([
        (FieldPath::new("event"), text("Order placed")),
        (FieldPath::new("accountId"), text("acme")),
        (FieldPath::new("timestamp"), FieldValue::Value(Value::Timestamp(at(7)))),
        (FieldPath::new("properties.total"), FieldValue::Value(Value::Int(12))),
        (FieldPath::new("properties.traits.odd.name"), text("kept")),
    ]);
    let event = Operation { object: Object::Event, ..operation("m-1", write(fields), Reason::NewRecord)? };
    spool.push(&event, HoldsTarget::NotYet)?;
    let found = read_back(&spool, Lane::Fresh)?;
    assert_eq!(found, std::slice::from_ref(&event));
    assert_eq!(found[0].digest(), event.digest());
    Ok(())
}

#[test]
fn removals_and_probes_read_back() -> Tested {
    let (_folder, spool) = spool()?;
    let remove = operation("1", Action::Remove, Reason::RemovedFromModel)?;
    let probe = Action::Probe { verb: Verb::Remove, would_send: sent("2") };
    let probe = operation("2", probe, Reason::OutcomeUnknown)?;
    spool.push(&remove, HoldsTarget::Already)?;
    spool.push(&probe, HoldsTarget::Already)?;
    assert_eq!(read_back(&spool, Lane::Remove)?, std::slice::from_ref(&remove));
    assert_eq!(read_back(&spool, Lane::Probe)?, [probe]);
    let removals: Vec<_> = spool.removals()?.into_iter().map(|entry| (entry.key, entry.lane)).collect();
    assert_eq!(removals, [(remove.key, Lane::Remove)]);
    Ok(())
}

#[test]
fn retries_and_backfills_have_lanes_of_their_own() -> Tested {
    for text in REASONS {
        let reason = Reason::parse(text).ok_or("no such reason")?;
        let expected = match *text {
            "rejected-earlier" | "deferred-earlier" | "skipped-earlier" => Lane::Retry,
            "mapping-changed" => Lane::Backfill,
            _ => Lane::Fresh,
        };
        assert_eq!(Lane::of(&named("1", reason)?), expected, "{text}");
        assert_eq!(Lane::of(&operation("1", Action::Remove, reason)?), Lane::Remove, "{text}");
    }
    assert_eq!(Lane::of(&named("1", Reason::Waiting(Code::NULL_KEY))?), Lane::Fresh);
    Ok(())
}

#[test]
fn the_lanes_of_writes_are_those_that_write() {
    let writes: Vec<_> = Lane::ALL.into_iter().filter(|lane| lane.writes()).collect();
    assert_eq!(writes, Lane::WRITES);
}

#[test]
fn targets_are_compared_across_the_lanes_of_writes() -> Tested {
    let (_folder, spool) = spool()?;
    let acme = target("acme")?;
    let reasons = [Reason::NewRecord, Reason::DeferredEarlier, Reason::MappingChanged];
    for (number, reason) in reasons.into_iter().enumerate() {
        let operation = Operation { target: acme.clone(), ..named(&number.to_string(), reason)? };
        spool.push(&operation, if number == 2 { HoldsTarget::Another } else { HoldsTarget::NotYet })?;
    }
    spool.push(&operation("acme", Action::Remove, Reason::RemovedFromModel)?, HoldsTarget::Already)?;
    let lanes =
        |entries: Vec<coho_ledger::spool::Entry>| entries.iter().map(|entry| entry.lane).collect::<Vec<_>>();
    assert_eq!(lanes(spool.shared_targets()?), Lane::WRITES);
    assert_eq!(lanes(spool.newcomers()?), Lane::WRITES);
    assert_eq!(lanes(spool.movers()?), [Lane::Backfill]);
    assert_eq!(lanes(spool.removals()?), [Lane::Remove]);
    assert!(spool.writes_target(&acme)?);
    for lane in Lane::WRITES {
        spool.numbers(lane)?.into_iter().try_for_each(|seq| spool.remove(seq))?;
    }
    assert!(!spool.writes_target(&acme)?);
    Ok(())
}

#[test]
fn what_no_permit_names_is_withdrawn_page_by_page() -> Tested {
    let (_folder, spool) = spool()?;
    let mut permitted = BTreeSet::new();
    for number in 0..10 {
        let operation = named(&number.to_string(), Reason::NewRecord)?;
        spool.push(&operation, HoldsTarget::NotYet)?;
        if number % 3 == 0 {
            permitted.insert(operation.digest());
        }
    }
    let mut after = 0;
    loop {
        let page = spool.operations(Lane::Fresh, after, 4)?;
        let Some((last, _)) = page.last() else { break };
        after = *last;
        for (seq, operation) in page.iter().filter(|(_, operation)| !permitted.contains(&operation.digest()))
        {
            spool.remove(*seq)?;
            assert_eq!(spool.operation(*seq)?, None, "{}", operation.key);
        }
    }
    let left: BTreeSet<_> = read_back(&spool, Lane::Fresh)?.iter().map(Operation::digest).collect();
    assert_eq!(left, permitted);
    Ok(())
}

fn lanes_share_out(reasons: &[&str]) -> Tested {
    let (_folder, spool) = spool()?;
    let mut expected: BTreeMap<Lane, Vec<Operation>> = BTreeMap::new();
    for (number, text) in reasons.iter().enumerate() {
        let operation = named(&number.to_string(), Reason::parse(text).ok_or("no such reason")?)?;
        spool.push(&operation, HoldsTarget::NotYet)?;
        expected.entry(Lane::of(&operation)).or_default().push(operation);
    }
    for lane in Lane::ALL {
        assert_eq!(read_back(&spool, lane)?, expected.remove(&lane).unwrap_or_default());
        assert_eq!(spool.numbers(lane)?.len(), read_back(&spool, lane)?.len());
    }
    Ok(())
}

/// `None` asks, of all that may have been seen, which are shared.
fn matches_agree(steps: &[Option<u8>]) -> Tested {
    let (_folder, spool) = spool()?;
    let mut seen: BTreeMap<Digest, u32> = BTreeMap::new();
    for step in steps.iter().chain([&None]) {
        if let Some(value) = step {
            let value = Digest::of(&[*value]);
            spool.see_match(value)?;
            *seen.entry(value).or_default() += 1;
            continue;
        }
        for value in 0..12 {
            let value = Digest::of(&[value]);
            let shared = seen.get(&value).is_some_and(|count| *count > 1);
            assert_eq!(spool.is_shared_match(value)?, shared);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn every_operation_is_in_one_lane_in_the_order_in_which_it_came(
        reasons in prop::collection::vec(prop::sample::select(REASONS.to_vec()), 0..20)
    ) {
        lanes_share_out(&reasons).map_err(|error| TestCaseError::fail(error.to_string()))?;
    }

    #[test]
    fn a_match_is_shared_where_two_rows_have_it(steps in prop::collection::vec(prop::option::weighted(0.9, 0..10_u8), 0..40)) {
        matches_agree(&steps).map_err(|error| TestCaseError::fail(error.to_string()))?;
    }
}
