//! Links of users to accounts and organizations that were removed.

use coho_core::decide::RunKind;
use coho_core::fields::Sent;
use coho_core::key::Key;
use coho_core::object::Object;
use coho_core::path::FieldPath;
use coho_core::row_state::{DeliveryState, Origin, RowState};
use coho_core::sync::SyncId;
use coho_core::target::{ExternalId, VitallyId};
use coho_core::value::Value;
use coho_ledger::run::{RunEnding, RunId, RunStatus};
use coho_ledger::scope::SyncScope;

use super::stage::{Stage, Tested, at, delivered};

/// What was sent of a user in these accounts: its score has more digits than a float.
fn user(accounts: &[&str]) -> Sent {
    let links = accounts.iter().map(|id| Value::text(*id)).chain(coho_core::json::parse(r#"{"id":"0b5c"}"#));
    let links = if accounts.is_empty() { Vec::new() } else { links.collect() };
    let score = coho_core::json::parse("12345678901234567890.10")
        .map(|score| (FieldPath::new("traits.score"), score));
    [(FieldPath::new("accountIds"), Value::Array(links))].into_iter().chain(score).collect()
}

fn by_name(accounts: &[&str]) -> Sent {
    [(FieldPath::new("accountIds"), Value::Array(accounts.iter().map(|id| Value::text(*id)).collect()))]
        .into()
}

fn released(sent: Sent) -> Result<RowState, Box<dyn std::error::Error>> {
    let delivery = DeliveryState::Released { sent, id: None, origin: Origin::Found };
    Ok(RowState { delivery, ..delivered("u")? })
}

/// Accounts `gone`, removed at 10, and `there`; users in both, written at 1.
fn stage() -> Result<(Stage, SyncScope), Box<dyn std::error::Error>> {
    let stage = Stage::new()?;
    let users = stage.ledger.scope(&stage.lease, "production", &SyncId::new("users"), Object::User)?;
    stage.write("1", Some(delivered("there")?))?;
    stage.write(
        "2",
        Some(RowState { delivery: DeliveryState::Removed { at: at(10) }, ..delivered("gone")? }),
    )?;
    let write = |key: &str, row_state| {
        stage.ledger.write(&stage.lease, &users, &[(Key::new(key), Some(row_state))], at(1))
    };
    write("both", released(user(&["gone", "there"]))?)?;
    write("alone", released(by_name(&["gone"]))?)?;
    write("elsewhere", released(by_name(&["there"]))?)?;
    Ok((stage, users))
}

#[test]
fn a_user_forgets_the_link_to_what_was_removed_and_keeps_all_else() -> Tested {
    let (stage, users) = stage()?;
    let row_state = |key: &str| stage.ledger.row_state(&users, &Key::new(key));
    let before = row_state("both")?.ok_or("no memory")?;
    let elsewhere = row_state("elsewhere")?;
    stage.ledger.unlink(&stage.lease, at(10), at(11))?;
    let both = row_state("both")?.ok_or("no memory")?;
    assert_eq!(both.delivery.sent(), Some(&user(&["there"])));
    assert_eq!((both.seen, both.version), (None, before.version + 1), "its row is looked at again");
    assert!(matches!(row_state("alone")?.ok_or("no memory")?.delivery, DeliveryState::Removed { .. }));
    assert_eq!(row_state("elsewhere")?, elsewhere);
    stage.ledger.unlink(&stage.lease, at(10), at(12))?;
    assert_eq!(row_state("both")?.ok_or("no memory")?.version, both.version, "once is enough");
    Ok(())
}

#[test]
fn what_was_removed_before_or_linked_since_stays() -> Tested {
    let (stage, users) = stage()?;
    let row_state = |key: &str| stage.ledger.row_state(&users, &Key::new(key));
    let before = row_state("both")?;
    stage.ledger.unlink(&stage.lease, at(11), at(12))?;
    assert_eq!(row_state("both")?, before, "that was an earlier run's");
    let again = released(by_name(&["gone"]))?;
    stage.ledger.write(&stage.lease, &users, &[(Key::new("alone"), Some(again.clone()))], at(11))?;
    stage.ledger.unlink(&stage.lease, at(10), at(12))?;
    assert_eq!(
        row_state("alone")?.ok_or("no memory")?.delivery,
        again.delivery,
        "it was linked to what was made again"
    );
    Ok(())
}

#[test]
fn the_ids_of_what_was_removed_are_forgotten_unless_they_were_seen_since() -> Tested {
    let (stage, _) = stage()?;
    let others = stage.ledger.scope(&stage.lease, "production", &SyncId::new("billing"), Object::Account)?;
    let id = |text: &str| Some(VitallyId::new(text));
    let let_be = |target: &str, text: &str| -> Result<RowState, Box<dyn std::error::Error>> {
        let delivery = DeliveryState::Released { sent: Sent::default(), id: id(text), origin: Origin::Found };
        Ok(RowState { delivery, ..delivered(target)? })
    };
    let write = |key: &str, row_state, now| {
        stage.ledger.write(&stage.lease, &others, &[(Key::new(key), Some(row_state))], now)
    };
    write("1", let_be("gone", "v-old")?, at(1))?;
    write("2", let_be("there", "v-there")?, at(1))?;
    let known = |target: &str| -> Result<Option<VitallyId>, Box<dyn std::error::Error>> {
        let target = ExternalId::parse(target)?;
        let ids = std::slice::from_ref(&target);
        Ok(stage.ledger.references("production", Object::Account, ids)?.remove(&target))
    };
    let look_up = |text: &str, now| -> Tested {
        let pairs = [(ExternalId::parse("gone")?, VitallyId::new(text))];
        Ok(stage.ledger.put_references(&stage.lease, "production", Object::Account, &pairs, now)?)
    };
    look_up("v-looked-up", at(2))?;
    stage.ledger.unlink(&stage.lease, at(10), at(11))?;
    assert_eq!((known("gone")?, known("there")?), (None, id("v-there")));
    // It is there again: another one.
    look_up("v-new", at(12))?;
    stage.ledger.unlink(&stage.lease, at(10), at(13))?;
    assert_eq!(known("gone")?, id("v-new"));
    Ok(())
}

#[test]
fn only_a_run_that_was_interrupted_left_links() -> Tested {
    let stage = Stage::new()?;
    let begin = |id: &str, now| {
        stage.ledger.begin_run(
            &stage.lease,
            &RunId::new(id),
            RunKind::Sync,
            &coho_core::started::Started::default(),
            now,
        )
    };
    let first = begin("1", at(1))?;
    assert_eq!(stage.ledger.interrupted_before(&first)?, None);
    // It was killed.
    let second = begin("2", at(2))?;
    assert_eq!(stage.ledger.interrupted_before(&second)?, Some(at(1)));
    let ending = RunEnding { status: RunStatus::Success, error: None, at: at(3) };
    stage.ledger.end_run(&stage.lease, &second, &ending)?;
    assert_eq!(stage.ledger.interrupted_before(&begin("3", at(4))?)?, None);
    Ok(())
}
