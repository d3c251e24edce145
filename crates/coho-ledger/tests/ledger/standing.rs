//! Statuses that stand are written once; and what else the ledger knows of a project: whose it is, types of columns, other
//! holders of a record.

use std::collections::BTreeMap;

use coho_core::code::Code;
use coho_core::digest::Digest;
use coho_core::key::Key;
use coho_core::object::Object;
use coho_core::row_state::{DeliveryState, Pending, RowState, Verb};
use coho_core::secret::{Masker, Secret};
use coho_core::sync::SyncId;
use coho_core::target::VitallyId;
use coho_core::verdict::RowStatus;
use coho_ledger::LedgerError;
use coho_ledger::buckets::{BucketBasis, BucketSum, Buckets, LearnedBuckets};
use coho_ledger::history::RowFilter;
use coho_ledger::identity::Elsewhere::{Before, Never, Now};
use coho_ledger::identity::KnownRecord;
use coho_ledger::project::Owner;
use coho_ledger::run::{Run, RunId};
use coho_ledger::settle::{RowResult, Settlement};

use super::history::begin;
use super::retention::seconds;
use super::stage::{Stage, Tested, at, delivered, digest, sent, target};

fn invalid(key: &str, message: &str) -> RowResult {
    RowResult {
        key: Some(Key::new(key)),
        op_type: None,
        status: RowStatus::Invalid,
        reason: "null-required".to_owned(),
        code: Some(Code::NULL_REQUIRED),
        message: Some(message.to_owned()),
        changes: Vec::new(),
        at: at(1),
    }
}

fn written(stage: &Stage, run: &Run) -> Result<usize, Box<dyn std::error::Error>> {
    let of_run = RowFilter { run: Some(run.id().clone()), ..RowFilter::default() };
    Ok(stage.ledger.rows(&stage.scope, &of_run, 100_000)?.len())
}

#[test]
fn rows_that_stay_invalid_are_written_once() -> Tested {
    let stage = Stage::new()?;
    let statuses: Vec<_> = (0..20_000).map(|number| invalid(&number.to_string(), "name is null")).collect();
    let mut counts = Vec::new();
    for name in ["r1", "r2", "r3"] {
        let run = begin(&stage, name, 1)?;
        stage.ledger.record(&stage.lease, &run, &stage.scope, &statuses)?;
        counts.push(written(&stage, &run)?);
    }
    assert_eq!(counts, [20_000, 0, 0]);
    let now = stage.ledger.rows_now(&stage.scope, Some(&RunId::new("r3")), None, 30_000)?;
    assert_eq!(now.len(), 20_000);
    assert!(now.iter().all(|row| row.run == RunId::new("r1") && row.status.status == RowStatus::Invalid));
    Ok(())
}

#[test]
fn a_message_with_a_secret_is_written_once_too() -> Tested {
    let stage = Stage::new()?;
    stage.ledger.mask(&Masker::new(&[Secret::new("hush-hush-hush")]))?;
    let with_key = invalid("1", "`hush-hush-hush` is no number");
    let nameless = RowResult { key: None, ..with_key.clone() };
    for (name, written_by_it) in [("r1", 2), ("r2", 0)] {
        let run = begin(&stage, name, 1)?;
        stage.ledger.record(&stage.lease, &run, &stage.scope, std::slice::from_ref(&with_key))?;
        stage.ledger.record_nameless(&stage.lease, &run, &stage.scope, std::slice::from_ref(&nameless))?;
        assert_eq!(written(&stage, &run)?, written_by_it, "{name}");
    }
    let run = begin(&stage, "r3", 1)?;
    stage.ledger.record(&stage.lease, &run, &stage.scope, &[invalid("1", "`hush` is no number")])?;
    assert_eq!(written(&stage, &run)?, 1, "another message is written");
    Ok(())
}

#[test]
fn a_status_that_changes_is_written_and_the_newest_one_stands() -> Tested {
    let stage = Stage::new()?;
    let run = begin(&stage, "r1", 1)?;
    let record = |status: RowResult| stage.ledger.record(&stage.lease, &run, &stage.scope, &[status]);
    record(invalid("1", "name is null"))?;
    record(invalid("1", "seats is null"))?;
    record(RowResult { status: RowStatus::Held, ..invalid("1", "seats is null") })?;
    record(RowResult {
        code: Some(Code::NO_OWNER),
        status: RowStatus::Held,
        ..invalid("1", "seats is null")
    })?;
    record(RowResult {
        code: Some(Code::NO_OWNER),
        status: RowStatus::Held,
        ..invalid("1", "seats is null")
    })?;
    assert_eq!(written(&stage, &run)?, 4);
    assert_eq!(stage.ledger.standing(&stage.scope, None, 9)?, [(Key::new("1"), RowStatus::Held)]);
    record(RowResult { status: RowStatus::Unchanged, code: None, message: None, ..invalid("1", "") })?;
    record(RowResult { status: RowStatus::Unchanged, code: None, message: None, ..invalid("1", "") })?;
    assert_eq!(written(&stage, &run)?, 5, "that it is well again is told once");
    assert_eq!(stage.ledger.standing(&stage.scope, None, 9)?, []);
    record(invalid("1", "name is null"))?;
    assert_eq!(written(&stage, &run)?, 6, "what comes back is told again");
    Ok(())
}

#[test]
fn a_delivery_ends_what_stood() -> Tested {
    let stage = Stage::new()?;
    let run = begin(&stage, "r1", 1)?;
    stage.ledger.record(&stage.lease, &run, &stage.scope, &[invalid("1", "a"), invalid("2", "a")])?;
    let status = RowResult { status: RowStatus::Delivered, code: None, message: None, ..invalid("1", "") };
    let settled = Settlement {
        key: Key::new("1"),
        row_state: Some(delivered("1")?),
        arrived: None,
        status,
        calls: Vec::new(),
    };
    stage.ledger.settle(&stage.lease, &run, &stage.scope, &[settled])?;
    assert_eq!(stage.ledger.standing(&stage.scope, None, 9)?, [(Key::new("2"), RowStatus::Invalid)]);
    assert_eq!(stage.ledger.standing(&stage.scope, Some(&Key::new("2")), 9)?, []);
    Ok(())
}

#[test]
fn a_refused_row_that_waits_for_its_time_stays_refused() -> Tested {
    let stage = Stage::new()?;
    let run = begin(&stage, "r1", 1)?;
    let refused =
        RowResult { status: RowStatus::Rejected, code: Some(Code::REFUSED), ..invalid("1", "no such plan") };
    let settled = Settlement {
        key: Key::new("1"),
        row_state: Some(delivered("1")?),
        arrived: None,
        status: refused.clone(),
        calls: Vec::new(),
    };
    stage.ledger.settle(&stage.lease, &run, &stage.scope, &[settled])?;
    let later = begin(&stage, "r2", 2)?;
    let waits = RowResult { status: RowStatus::Held, message: None, ..refused.clone() };
    stage.ledger.record(&stage.lease, &later, &stage.scope, &[waits])?;
    assert_eq!(written(&stage, &later)?, 0);
    let now = stage.ledger.rows_now(&stage.scope, Some(later.id()), Some(RowStatus::Rejected), 9)?;
    assert_eq!(now.into_iter().map(|row| row.status).collect::<Vec<_>>(), [refused]);
    Ok(())
}

#[test]
fn what_stands_is_not_pruned() -> Tested {
    let stage = Stage::new()?;
    let run = begin(&stage, "r1", 1)?;
    stage.ledger.record(&stage.lease, &run, &stage.scope, &[invalid("1", "a"), invalid("2", "a")])?;
    stage.ledger.record(&stage.lease, &run, &stage.scope, &[invalid("2", "b")])?;
    assert_eq!(stage.ledger.retain(&stage.lease, &seconds(900), at(10_000))?.statuses, 1);
    assert_eq!(stage.ledger.standing(&stage.scope, None, 9)?.len(), 2);
    Ok(())
}

#[test]
fn rows_without_a_key_are_written_where_their_number_changes() -> Tested {
    let stage = Stage::new()?;
    let nameless = |count| vec![RowResult { key: None, ..invalid("", "the key is null") }; count];
    let mut counts = Vec::new();
    for (name, count) in [("r1", 3), ("r2", 3), ("r3", 2), ("r4", 0)] {
        let run = begin(&stage, name, 1)?;
        stage.ledger.record_nameless(&stage.lease, &run, &stage.scope, &nameless(count))?;
        let now = stage.ledger.rows_now(&stage.scope, Some(run.id()), None, 9)?.len();
        counts.push((written(&stage, &run)?, now));
    }
    assert_eq!(counts, [(3, 3), (0, 3), (2, 2), (0, 0)]);
    Ok(())
}

#[test]
fn a_ledger_belongs_to_a_project() -> Tested {
    let stage = Stage::new()?;
    assert_eq!(stage.ledger.owner()?, None);
    let owner = Owner { name: "acme".into(), id: "1".into(), host: "here".into(), folder: "/acme".into() };
    stage.ledger.give_to(&stage.lease, &owner, at(1))?;
    assert_eq!(stage.ledger.owner()?, Some(owner.clone()));
    let moved = Owner { folder: "/elsewhere".into(), ..owner };
    stage.ledger.give_to(&stage.lease, &moved, at(2))?;
    let since: i64 =
        rusqlite::Connection::open(stage.path())?
            .query_row("SELECT since FROM project", [], |row| row.get(0))?;
    assert_eq!((stage.ledger.owner()?, since), (Some(moved), at(1).timestamp_micros()));
    Ok(())
}

#[test]
fn what_is_learned_of_buckets_takes_the_place_of_what_was_known() -> Tested {
    let stage = Stage::new()?;
    let sum = |rows| BucketSum { rows, source: [rows, u64::MAX], seen: u128::MAX - u128::from(rows) };
    let buckets = |basis: &str, sums: &[(u32, u64)]| Buckets {
        basis: Digest::of(basis.as_bytes()),
        bits: 6,
        expected: 3,
        sums: sums.iter().map(|(bucket, rows)| (*bucket, sum(*rows))).collect(),
    };
    let learn = |buckets: Buckets, among| {
        stage.ledger.learn_buckets(&stage.lease, &stage.scope, &LearnedBuckets { buckets, among }, at(1))?;
        known(&stage)
    };
    assert_eq!(known(&stage)?, None);
    let all = buckets("a", &[(0, 1), (5, 2), (63, 3)]);
    assert_eq!(learn(all.clone(), vec![0..=u32::MAX])?, Some(all));
    // Some of them; one is empty now.
    let some = learn(buckets("a", &[(7, 4)]), vec![4..=7])?;
    assert_eq!(some, Some(buckets("a", &[(0, 1), (7, 4), (63, 3)])));
    // On another basis the others say nothing.
    let other = buckets("b", &[(7, 5)]);
    assert_eq!(learn(other.clone(), vec![4..=7])?, Some(other));
    Ok(())
}

/// All that is known of buckets.
fn known(stage: &Stage) -> Result<Option<Buckets>, LedgerError> {
    let Some(basis) = stage.ledger.bucket_basis(&stage.scope)? else { return Ok(None) };
    let sums = stage.ledger.buckets(&stage.scope, &basis, basis.bits)?;
    assert_eq!(basis.rows, sums.iter().map(|sum| sum.rows).sum::<u64>());
    let sums = (0..).zip(sums).filter(|(_, sum)| sum.rows > 0).collect();
    Ok(Some(Buckets { basis: basis.basis, bits: basis.bits, expected: basis.expected, sums }))
}

#[test]
fn sums_of_few_buckets_are_those_of_many_together() -> Tested {
    let stage = Stage::new()?;
    let sum = |rows, half| BucketSum { rows, source: [half, 1], seen: u128::MAX };
    let sums = vec![(0, sum(1, 1)), (3, sum(2, 2)), (4, sum(4, u64::MAX))];
    let buckets = Buckets { basis: Digest::of(b"a"), bits: 3, expected: 0, sums };
    let learned = LearnedBuckets { buckets, among: vec![0..=u32::MAX] };
    stage.ledger.learn_buckets(&stage.lease, &stage.scope, &learned, at(1))?;
    let basis = stage.ledger.bucket_basis(&stage.scope)?.ok_or("buckets were learned")?;
    let few = stage.ledger.buckets(&stage.scope, &basis, 1)?;
    let first = BucketSum { rows: 3, source: [3, 2], seen: u128::MAX - 1 };
    assert_eq!(few, [first, sum(4, u64::MAX)]);
    // What was learned on another basis since then is none of these.
    let other = BucketBasis { basis: Digest::of(b"b"), ..basis };
    assert_eq!(stage.ledger.buckets(&stage.scope, &other, 1)?, [BucketSum::default(); 2]);
    Ok(())
}

#[test]
fn inferred_types_are_kept_for_each_column_of_a_model() -> Tested {
    let stage = Stage::new()?;
    let types = |all: &[(&str, &str)]| -> BTreeMap<String, String> {
        all.iter().map(|(column, kind)| ((*column).to_owned(), (*kind).to_owned())).collect()
    };
    let remember =
        |model, all: &[(&str, &str)]| stage.ledger.remember_types(&stage.lease, model, &types(all), at(1));
    remember("accounts", &[("id", "text"), ("seats", "whole")])?;
    remember("accounts", &[("seats", "text")])?;
    remember("users", &[("id", "whole")])?;
    assert_eq!(stage.ledger.inferred_types("accounts")?, types(&[("id", "text"), ("seats", "text")]));
    assert_eq!(stage.ledger.inferred_types("nothing")?, types(&[]));
    Ok(())
}

#[test]
fn what_another_sync_holds_held_or_tried_is_told() -> Tested {
    let stage = Stage::new()?;
    let other = stage.ledger.scope(&stage.lease, "production", &SyncId::new("usage"), Object::Account)?;
    let twin = stage.ledger.scope(&stage.lease, "staging", &SyncId::new("base"), Object::Account)?;
    let record = |id: &str, delivery: DeliveryState, pending: Pending| -> Tested {
        let row_state = RowState { delivery, pending, ..delivered(id)? };
        Ok(stage.ledger.write(&stage.lease, &other, &[(Key::new(id), Some(row_state))], at(1))?)
    };
    let known = delivered("a2")?.delivery;
    record("a2", known.clone(), Pending::None)?;
    let released = DeliveryState::Released {
        sent: sent("a3"),
        id: Some(VitallyId::new("v-a3")),
        origin: coho_core::row_state::Origin::Created,
    };
    record("a3", released, Pending::None)?;
    record("a4", DeliveryState::Removed { at: at(0) }, Pending::None)?;
    let open =
        Pending::Open { operation: digest("o"), would_send: sent("x"), verb: Verb::Write, since: at(1) };
    record("a5", DeliveryState::Never, open)?;
    stage.write("own", Some(delivered("own")?))?;
    let of = |scope, id: &str, vitally: Option<&str>| {
        let id = target(id)?;
        let vitally = vitally.map(VitallyId::new);
        let record = KnownRecord { target: &id, id: vitally.as_ref() };
        let told = stage.ledger.held_elsewhere(scope, Object::Account, &[record])?;
        told.first().copied().ok_or_else(|| Box::<dyn std::error::Error>::from("nothing is told"))
    };
    let told: Vec<_> = ["a2", "a3", "a4", "a5", "own", "a9"]
        .iter()
        .map(|id| of(&stage.scope, id, None))
        .collect::<Result<_, _>>()?;
    assert_eq!(told, [Now, Before, Before, Now, Never, Never]);
    assert_eq!(of(&stage.scope, "by-mail", Some("v-a2"))?, Now);
    assert_eq!(of(&stage.scope, "by-mail", Some("v-a3"))?, Before);
    assert_eq!(of(&other, "own", None)?, Now);
    assert_eq!(of(&twin, "a2", Some("v-a2"))?, Never, "another workspace has other records");
    Ok(())
}
