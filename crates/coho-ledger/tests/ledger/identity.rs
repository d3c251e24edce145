//! Identities: who holds a record, and what would be deleted along with it.

use std::collections::{BTreeMap, BTreeSet};

use coho_core::fields::Sent;
use coho_core::key::Key;
use coho_core::memory::{Memory, Origin, Pending, Standing, Verb};
use coho_core::object::Object;
use coho_core::path::FieldPath;
use coho_core::sync::SyncId;
use coho_core::target::VitallyId;
use coho_core::value::Value;
use proptest::prelude::*;

use super::stage::{Stage, Tested, at, delivered, digest, sent, target};

#[test]
fn holders_of_a_target_are_found() -> Tested {
    let stage = Stage::new()?;
    stage.write("2", Some(delivered("acme")?))?;
    stage.write("1", Some(delivered("acme")?))?;
    assert_eq!(stage.ledger.holder(&stage.scope, &target("acme")?)?, [Key::new("1"), Key::new("2")]);
    assert_eq!(stage.ledger.holder(&stage.scope, &target("ACME")?)?, []);
    Ok(())
}

#[test]
fn a_record_is_claimed_by_each_sync_that_holds_it() -> Tested {
    let stage = Stage::new()?;
    let sync = SyncId::new("health");
    let other = stage.ledger.scope(&stage.lease, "production", &sync, Object::Account)?;
    let elsewhere = stage.ledger.scope(&stage.lease, "staging", &sync, Object::Account)?;
    let acme = target("acme")?;
    let claimed = || stage.ledger.claimed_elsewhere(&stage.scope, Object::Account, &acme);
    let write =
        |scope, memory| stage.ledger.write(&stage.lease, scope, &[(Key::new("9"), Some(memory))], at(1));
    let stand = |standing| Ok::<_, Box<dyn std::error::Error>>(Memory { standing, ..delivered("acme")? });

    stage.write("1", Some(delivered("acme")?))?;
    write(&elsewhere, delivered("acme")?)?;
    assert!(!claimed()?);
    write(&other, delivered("acme")?)?;
    assert!(claimed()?);
    write(&other, stand(Standing::Assumed { sent: sent("acme") })?)?;
    assert!(claimed()?);
    write(&other, stand(Standing::Released { sent: sent("acme"), id: None, origin: Origin::Found })?)?;
    assert!(!claimed()?);
    let open =
        Pending::Open { operation: digest("o"), would_send: Sent::new(), verb: Verb::Write, since: at(1) };
    write(&other, Memory { pending: open, ..stand(Standing::Never)? })?;
    assert!(claimed()?);
    assert!(!stage.ledger.claimed_elsewhere(&stage.scope, Object::User, &acme)?);
    Ok(())
}

#[test]
fn the_rows_that_found_one_record_are_told_by_its_id() -> Tested {
    let stage = Stage::new()?;
    for (key, id) in [("2", "acme"), ("1", "acme"), ("3", "hoop")] {
        stage.write(key, Some(delivered(id)?))?;
    }
    stage.write("4", Some(Memory { standing: Standing::Never, ..delivered("acme")? }))?;
    let holders = |id: &str| stage.ledger.holder_of_id(&stage.scope, &VitallyId::new(id));
    assert_eq!(holders("v-acme")?, [Key::new("1"), Key::new("2")]);
    assert_eq!(holders("v-hoop")?, [Key::new("3")]);
    assert_eq!(holders("acme")?, []);
    stage.write("3", None)?;
    assert_eq!(holders("v-hoop")?, []);
    let other = stage.ledger.scope(&stage.lease, "production", &SyncId::new("others"), Object::Account)?;
    assert_eq!(stage.ledger.holder_of_id(&other, &VitallyId::new("v-acme"))?, []);
    Ok(())
}

/// A user of a generated workspace.
#[derive(Clone, Debug)]
struct User {
    sync: &'static str,
    accounts: Option<BTreeSet<String>>,
    standing: &'static str,
}

fn users() -> impl Strategy<Value = User> {
    let syncs = prop::sample::select(vec!["users", "contacts", "elsewhere", "accounts"]);
    let accounts = prop::option::of(prop::collection::btree_set("[abé'\"]", 0..3));
    let standings = prop::sample::select(vec!["never", "assumed", "delivered", "released", "removed"]);
    (syncs, accounts, standings).prop_map(|(sync, accounts, standing)| User { sync, accounts, standing })
}

fn standing(user: &User) -> Standing {
    let ids = |ids: &BTreeSet<String>| Value::Array(ids.iter().map(Value::text).collect());
    let name = (FieldPath::new("name"), Value::text("accountIds"));
    let links = user.accounts.as_ref().map(|accounts| (FieldPath::new("accountIds"), ids(accounts)));
    let sent: Sent = links.into_iter().chain([name]).collect();
    match user.standing {
        "assumed" => Standing::Assumed { sent },
        "delivered" => Standing::Delivered { sent, n: 1, id: None, origin: Origin::Created },
        "released" => Standing::Released { sent, id: None, origin: Origin::Created },
        "removed" => Standing::Removed { at: at(1) },
        _ => Standing::Never,
    }
}

fn dependents_agree(users: &[User]) -> Tested {
    let stage = Stage::new()?;
    let scope =
        |workspace, sync, object| stage.ledger.scope(&stage.lease, workspace, &SyncId::new(sync), object);
    let scopes = BTreeMap::from([
        ("users", scope("production", "users", Object::User)?),
        ("contacts", scope("production", "contacts", Object::User)?),
        ("elsewhere", scope("staging", "users", Object::User)?),
        ("accounts", stage.scope.clone()),
    ]);
    let mut expected: BTreeSet<BTreeSet<_>> = BTreeSet::new();
    for (number, user) in users.iter().enumerate() {
        let memory = Memory { standing: standing(user), ..delivered("x")? };
        let key = Key::new(number.to_string());
        stage.ledger.write(&stage.lease, &scopes[user.sync], &[(key, Some(memory))], at(1))?;
        let held =
            ["users", "contacts"].contains(&user.sync) && ["assumed", "delivered"].contains(&user.standing);
        let links = user.accounts.iter().filter(|accounts| held && !accounts.is_empty());
        expected.extend(links.map(|ids| ids.iter().map(|id| (Object::Account, id.clone())).collect()));
    }
    assert_eq!(stage.ledger.links_of_users("production")?, expected);
    Ok(())
}

#[test]
fn a_link_to_a_record_that_was_removed_is_none_unless_another_sync_holds_it() -> Tested {
    let stage = Stage::new()?;
    let users = stage.ledger.scope(&stage.lease, "production", &SyncId::new("users"), Object::User)?;
    let others = stage.ledger.scope(&stage.lease, "production", &SyncId::new("others"), Object::Account)?;
    let accounts = Some(BTreeSet::from(["a".to_owned(), "b".to_owned()]));
    let user = User { sync: "users", accounts, standing: "delivered" };
    let memory = Memory { standing: standing(&user), ..delivered("u")? };
    stage.ledger.write(&stage.lease, &users, &[(Key::new("1"), Some(memory))], at(1))?;
    let links = |ids: &[&str]| {
        let links = ids.iter().map(|id| (Object::Account, (*id).to_owned()));
        BTreeSet::from([links.collect::<BTreeSet<_>>()])
    };
    assert_eq!(stage.ledger.links_of_users("production")?, links(&["a", "b"]));
    let removed = Memory { standing: Standing::Removed { at: at(1) }, ..delivered("a")? };
    stage.write("1", Some(removed))?;
    assert_eq!(stage.ledger.links_of_users("production")?, links(&["b"]));
    stage.ledger.write(&stage.lease, &others, &[(Key::new("1"), Some(delivered("a")?))], at(1))?;
    assert_eq!(stage.ledger.links_of_users("production")?, links(&["a", "b"]));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn the_links_of_all_held_users_are_told(users in prop::collection::vec(users(), 0..12)) {
        dependents_agree(&users).map_err(|error| TestCaseError::fail(error.to_string()))?;
    }
}
