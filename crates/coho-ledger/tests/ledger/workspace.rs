//! What is known of a workspace: its anchor, its witnesses, what calls cost, and its custom fields.

use coho_core::key::Key;
use coho_core::object::Object;
use coho_core::row_state::{Pending, RowState, Verb};
use coho_core::sync::SyncId;
use coho_core::target::VitallyId;
use coho_ledger::reference::WorkspaceFingerprint;
use coho_ledger::workspace::CallPrice;

use super::stage::{Stage, Tested, at, delivered, digest, sent, target};

#[test]
fn an_anchor_holds_a_workspace_and_tells_its_token() -> Tested {
    let stage = Stage::new()?;
    assert_eq!(stage.ledger.fingerprint("production")?, None);
    let fingerprint = WorkspaceFingerprint {
        destination: "https://acme.rest.vitally.io".to_owned(),
        token: digest("token"),
        object: Object::Account,
        external_id: target("acme")?,
        vitally_id: VitallyId::new("v-acme"),
        at: at(3),
    };
    stage.ledger.keep_fingerprint(&stage.lease, "production", &fingerprint)?;
    assert_eq!(stage.ledger.fingerprint("production")?, Some(fingerprint.clone()));
    assert_eq!(stage.ledger.fingerprint("staging")?, None);
    let later = WorkspaceFingerprint { token: digest("another"), at: at(4), ..fingerprint };
    stage.ledger.keep_fingerprint(&stage.lease, "production", &later)?;
    assert_eq!(stage.ledger.fingerprint("production")?, Some(later));
    Ok(())
}

#[test]
fn witnesses_are_delivered_records_with_an_id_the_newest_first() -> Tested {
    let stage = Stage::new()?;
    let users = stage.ledger.scope(&stage.lease, "production", &SyncId::new("users"), Object::User)?;
    let elsewhere = stage.ledger.scope(&stage.lease, "staging", &SyncId::new("users"), Object::User)?;
    let open =
        Pending::Open { operation: digest("o"), would_send: sent("x"), verb: Verb::Remove, since: at(1) };
    let write = |scope, key: &str, row_state, seconds| {
        stage.ledger.write(&stage.lease, scope, &[(Key::new(key), Some(row_state))], at(seconds))
    };
    write(&stage.scope, "1", delivered("a")?, 1)?;
    write(&users, "1", delivered("b")?, 3)?;
    write(&users, "2", delivered("c")?, 2)?;
    write(&users, "3", RowState { pending: open, ..delivered("d")? }, 9)?;
    write(&elsewhere, "1", delivered("e")?, 9)?;
    write(&stage.scope, "1", delivered("a")?, 4)?;

    let sample =
        |object, id: &str| Ok::<_, Box<dyn std::error::Error>>((object, target(id)?, format!("v-{id}")));
    let all = [sample(Object::Account, "a")?, sample(Object::User, "b")?, sample(Object::User, "c")?];
    let found = stage.ledger.some_records("production", 10)?;
    let found: Vec<_> =
        found.into_iter().map(|(object, id, vitally)| (object, id, vitally.to_string())).collect();
    assert_eq!(found, all);
    assert_eq!(stage.ledger.some_records("production", 2)?.len(), 2);
    assert_eq!(stage.ledger.some_records("nowhere", 2)?, []);
    Ok(())
}

#[test]
fn what_calls_cost_is_kept_for_each_workspace() -> Tested {
    let stage = Stage::new()?;
    assert_eq!(stage.ledger.price("production")?, CallPrice::default());
    assert_eq!(stage.ledger.price("nowhere")?, CallPrice::default());
    let keep = |write, read| stage.ledger.keep_price(&stage.lease, "production", CallPrice { write, read });
    keep(Some(2.5), None)?;
    keep(None, Some(1.0))?;
    assert_eq!(stage.ledger.price("production")?, CallPrice { write: Some(2.5), read: Some(1.0) });
    keep(Some(f64::NAN), Some(f64::INFINITY))?;
    assert_eq!(stage.ledger.price("production")?, CallPrice { write: Some(2.5), read: Some(1.0) });
    stage.ledger.keep_price(&stage.lease, "staging", CallPrice { write: Some(9.0), read: None })?;
    assert_eq!(stage.ledger.price("production")?.write, Some(2.5));
    Ok(())
}

#[test]
fn custom_fields_are_those_that_were_fetched_last() -> Tested {
    let stage = Stage::new()?;
    let keep = |body, seconds| {
        stage.ledger.keep_custom_fields(&stage.lease, "production", Object::Account, body, at(seconds))
    };
    let kept = |workspace, object| stage.ledger.custom_fields(workspace, object);
    assert_eq!(kept("production", Object::Account)?, None);
    keep("[1]", 1)?;
    keep("[2]", 2)?;
    assert_eq!(kept("production", Object::Account)?, Some((at(2), "[2]".to_owned())));
    assert_eq!(kept("production", Object::User)?, None);
    assert_eq!(kept("staging", Object::Account)?, None);
    Ok(())
}
