//! Identities: who holds a record, and what would be deleted along with it.

use std::collections::{BTreeMap, BTreeSet};

use coho_core::fields::{FieldValue, Sent};
use coho_core::key::Key;
use coho_core::object::Object;
use coho_core::path::FieldPath;
use coho_core::row_state::{DeliveryState, Due, Origin, Pending, RowState, Verb};
use coho_core::sync::SyncId;
use coho_core::target::VitallyId;
use coho_core::value::Value;
use coho_ledger::identity::{Elsewhere, KnownRecord};
use coho_ledger::returned::Sharers;
use proptest::prelude::*;
use rusqlite::Connection;

use super::row_state::waiting;
use super::stage::{Stage, Tested, at, delivered, digest, sent, target};

#[test]
fn others_that_share_a_record_are_told_to_the_row_that_let_it_be() -> Tested {
    let stage = Stage::new()?;
    let let_be = DeliveryState::Released { sent: sent("acme"), id: None, origin: Origin::Found };
    let of = |target: &str, delivery: &DeliveryState| {
        Ok::<_, Box<dyn std::error::Error>>(RowState { delivery: delivery.clone(), ..delivered(target)? })
    };
    let mut row_states =
        vec![(Key::new("b"), Some(of("shared", &let_be)?)), (Key::new("d"), Some(of("own", &let_be)?))];
    // More than are read at once, before, between and behind both.
    for number in 0..1_200 {
        let key = Key::new(format!("{}{number:04}", ["a", "c", "e"][number % 3]));
        row_states.push((key, Some(delivered("shared")?)));
    }
    row_states.push((Key::departed("b", 1, "shared"), Some(delivered("shared")?)));
    row_states.push((Key::departed("c", 1, "own"), Some(delivered("own")?)));
    row_states.push((Key::new("f"), Some(of("shared", &let_be)?)));
    stage.ledger.write(&stage.lease, &stage.scope, &row_states, at(1))?;
    let others = stage.ledger.scope(&stage.lease, "production", &SyncId::new("others"), Object::Account)?;
    let elsewhere = stage.ledger.scope(&stage.lease, "staging", &SyncId::new("others"), Object::Account)?;
    for (scope, target) in [(&others, "own"), (&elsewhere, "shared")] {
        let row_state = RowState { delivery: DeliveryState::Removed { at: at(1) }, ..delivered(target)? };
        stage.ledger.write(&stage.lease, scope, &[(Key::new("9"), Some(row_state))], at(1))?;
    }
    let plan = Connection::open_in_memory()?;
    stage.ledger.lend(&plan, Some(&stage.scope))?;
    let mut sharers = Sharers::default();
    let mut number = |key: &str| {
        let met = sharers.of(&stage.ledger, &plan, &stage.scope, &Key::new(key))?;
        assert_eq!(met.syncs, key == "d", "{key}");
        Ok::<_, Box<dyn std::error::Error>>(met.keys.len())
    };
    // The row's own departure is not another's; that of another row is.
    assert_eq!(
        [number("a")?, number("b")?, number("b1")?, number("d")?, number("f")?],
        [0, 1_201, 0, 1, 1_202]
    );
    assert_eq!([number("f")?, number("g")?], [0, 0], "each is told once");
    Ok(())
}

#[test]
fn a_record_is_claimed_by_each_sync_that_holds_it() -> Tested {
    let stage = Stage::new()?;
    let sync = SyncId::new("health");
    let other = stage.ledger.scope(&stage.lease, "production", &sync, Object::Account)?;
    let elsewhere = stage.ledger.scope(&stage.lease, "staging", &sync, Object::Account)?;
    let acme = target("acme")?;
    let held = KnownRecord { target: &acme, id: None };
    let of = |object| stage.ledger.held_elsewhere(&stage.scope, object, &[held]);
    let claimed = || of(Object::Account).map(|elsewhere| elsewhere == [Elsewhere::Now]);
    let write = |scope, row_state| {
        stage.ledger.write(&stage.lease, scope, &[(Key::new("9"), Some(row_state))], at(1))
    };
    let stand = |delivery| Ok::<_, Box<dyn std::error::Error>>(RowState { delivery, ..delivered("acme")? });

    stage.write("1", Some(delivered("acme")?))?;
    write(&elsewhere, delivered("acme")?)?;
    assert!(!claimed()?);
    write(&other, delivered("acme")?)?;
    assert!(claimed()?);
    write(&other, stand(DeliveryState::Assumed { sent: sent("acme") })?)?;
    assert!(claimed()?);
    write(&other, stand(DeliveryState::Released { sent: sent("acme"), id: None, origin: Origin::Found })?)?;
    assert!(!claimed()?);
    let open =
        Pending::Open { operation: digest("o"), would_send: Sent::new(), verb: Verb::Write, since: at(1) };
    write(&other, RowState { pending: open, ..stand(DeliveryState::Never)? })?;
    assert!(claimed()?);
    assert_eq!(of(Object::User)?, [Elsewhere::Never]);
    Ok(())
}

#[test]
fn the_rows_that_found_one_record_are_told_by_its_id() -> Tested {
    let stage = Stage::new()?;
    for (key, id) in [("2", "acme"), ("1", "acme"), ("3", "hoop")] {
        stage.write(key, Some(delivered(id)?))?;
    }
    stage.write("4", Some(RowState { delivery: DeliveryState::Never, ..delivered("acme")? }))?;
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
    delivery: &'static str,
}

fn users() -> impl Strategy<Value = User> {
    let syncs = prop::sample::select(vec!["users", "contacts", "elsewhere", "accounts"]);
    let accounts = prop::option::of(prop::collection::btree_set("[abé'\"]", 0..3));
    let counts =
        prop::sample::select(vec!["never", "assumed", "delivered", "released", "returned", "removed"]);
    (syncs, accounts, counts).prop_map(|(sync, accounts, delivery)| User { sync, accounts, delivery })
}

fn delivery(user: &User) -> DeliveryState {
    let ids = |ids: &BTreeSet<String>| Value::Array(ids.iter().map(Value::text).collect());
    let name = (FieldPath::new("name"), Value::text("accountIds"));
    let links = user.accounts.as_ref().map(|accounts| (FieldPath::new("accountIds"), ids(accounts)));
    let sent: Sent = links.into_iter().chain([name]).collect();
    match user.delivery {
        "assumed" => DeliveryState::Assumed { sent },
        "delivered" => DeliveryState::Delivered { sent, n: 1, id: None, origin: Origin::Created },
        "released" | "returned" => DeliveryState::Released { sent, id: None, origin: Origin::Created },
        "removed" => DeliveryState::Removed { at: at(1) },
        _ => DeliveryState::Never,
    }
}

/// What each held user of the workspace is linked to.
fn links(stage: &Stage) -> Result<Vec<String>, Box<dyn std::error::Error>> {
    let plan = Connection::open_in_memory()?;
    stage.ledger.lend(&plan, Some(&stage.scope))?;
    let mut statement = plan.prepare(
        "SELECT group_concat(object || iif(by_id, ' by id ', ' ') || name, ', ' ORDER BY object, by_id, name) AS links
         FROM temp.links GROUP BY scope, key, departure ORDER BY links",
    )?;
    let links = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(links)
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
    let mut expected = Vec::new();
    for (number, user) in users.iter().enumerate() {
        let pending = if user.delivery == "returned" { waiting(Due::OnChange) } else { Pending::None };
        let row_state = RowState { delivery: delivery(user), pending, ..delivered("x")? };
        let key = Key::new(number.to_string());
        stage.ledger.write(&stage.lease, &scopes[user.sync], &[(key, Some(row_state))], at(1))?;
        let held = ["users", "contacts"].contains(&user.sync)
            && ["assumed", "delivered", "returned"].contains(&user.delivery);
        let links = user.accounts.iter().filter(|accounts| held && !accounts.is_empty());
        let links =
            links.map(|ids| ids.iter().map(|id| format!("account {id}")).collect::<Vec<_>>().join(", "));
        expected.extend(links);
    }
    expected.sort_unstable();
    assert_eq!(links(&stage)?, expected);
    Ok(())
}

#[test]
fn a_link_to_a_record_that_was_removed_is_none_unless_another_sync_holds_it() -> Tested {
    let stage = Stage::new()?;
    let users = stage.ledger.scope(&stage.lease, "production", &SyncId::new("users"), Object::User)?;
    let others = stage.ledger.scope(&stage.lease, "production", &SyncId::new("others"), Object::Account)?;
    let accounts = Some(BTreeSet::from(["a".to_owned(), "b".to_owned()]));
    let user = User { sync: "users", accounts, delivery: "delivered" };
    let row_state = RowState { delivery: delivery(&user), ..delivered("u")? };
    stage.ledger.write(&stage.lease, &users, &[(Key::new("1"), Some(row_state))], at(1))?;
    assert_eq!(links(&stage)?, ["account a, account b"]);
    let removed = RowState { delivery: DeliveryState::Removed { at: at(1) }, ..delivered("a")? };
    stage.write("1", Some(removed))?;
    assert_eq!(links(&stage)?, ["account b"]);
    stage.ledger.write(&stage.lease, &others, &[(Key::new("1"), Some(delivered("a")?))], at(1))?;
    assert_eq!(links(&stage)?, ["account a, account b"]);
    Ok(())
}

#[test]
fn links_to_organizations_and_by_vitallys_ids_are_told_too() -> Tested {
    let stage = Stage::new()?;
    let users = stage.ledger.scope(&stage.lease, "production", &SyncId::new("users"), Object::User)?;
    let by_id = FieldValue::Ids(Object::Account, [VitallyId::new("v-1")].into()).to_value();
    let organizations = Value::Array(vec![Value::Null, Value::text("o"), Value::text("o")]);
    let sent = [(FieldPath::new("accountIds"), by_id), (FieldPath::new("organizationIds"), organizations)];
    let row_state = RowState { delivery: DeliveryState::Assumed { sent: sent.into() }, ..delivered("u")? };
    stage.ledger.write(&stage.lease, &users, &[(Key::new("1"), Some(row_state))], at(1))?;
    assert_eq!(links(&stage)?, ["account by id v-1, organization o"]);
    Ok(())
}

/// How SQLite carries a statement of a plan out.
fn steps(stage: &Stage, from: &str) -> Result<String, Box<dyn std::error::Error>> {
    let plan = Connection::open_in_memory()?;
    plan.execute_batch("CREATE TABLE wanted (object TEXT, target TEXT)")?;
    stage.ledger.lend(&plan, Some(&stage.scope))?;
    let mut statement =
        plan.prepare(&format!("EXPLAIN QUERY PLAN SELECT count(*) FROM wanted WHERE {from}"))?;
    let steps = statement.query_map([], |row| row.get::<_, String>("detail"))?;
    Ok(steps.collect::<Result<Vec<_>, _>>()?.join("\n"))
}

/// SQLite knows no sizes: it would as soon read all memories of the scope for each record that is looked up.
#[test]
fn who_holds_a_record_is_looked_up_and_not_searched_for() -> Tested {
    let stage = Stage::new()?;
    let holders =
        "EXISTS (SELECT 1 FROM temp.holders AS held WHERE held.target = wanted.target AND held.holds
        AND held.departure = 0 AND held.pending = 'none')";
    let known = "EXISTS (SELECT 1 FROM temp.known_references AS known WHERE known.object = wanted.object
        AND known.external_id = wanted.target)";
    for from in [holders, known] {
        let steps = steps(&stage, from)?;
        assert!(steps.contains("memory_by_target (scope=? AND target=?)"), "{steps}");
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn the_links_of_all_held_users_are_told(users in prop::collection::vec(users(), 0..12)) {
        dependents_agree(&users).map_err(|error| TestCaseError::fail(error.to_string()))?;
    }
}
