//! Records that two syncs share, and accounts that leave with users in them. Both syncs of accounts write the same records in
//! one run, each its own field; people add users by hand; rows come and go under every policy.
//!
//! [`sheet`] says what Vitally comes to hold. A history ends with a run in which calls fail, and then all rows leave: of that no
//! more is said than what must hold whatever happened.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use coho_simulator::{RecordKind, ScriptedFault, Seed, SimulatorTime, Switches, Trouble};
use proptest::prelude::*;

use super::{GUARDS, SHORT_LISTS, faults, played, table};
use crate::stage::{Failure, START, Stage};

#[path = "shared/sheet.rs"]
mod sheet;

use sheet::{Sheet, name};

/// One run, with what holds when it begins.
#[derive(Clone, Debug, Default)]
pub(crate) struct Step {
    /// The plan of each account, which the sync `accounts` sends.
    pub(crate) plans: BTreeMap<u8, u8>,
    /// The seats of each account, which the sync `billing` sends.
    pub(crate) seats: BTreeMap<u8, u8>,
    pub(crate) users: BTreeMap<u8, User>,
    /// What happens to records whose rows left: of `accounts`, `billing` and `users`.
    pub(crate) removed: [&'static str; 3],
    /// The mode of `billing`.
    pub(crate) mode: &'static str,
    /// The account to which a person adds a user by hand, if it is there.
    pub(crate) stranger: Option<u8>,
}

/// A row of users.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct User {
    pub(crate) account: u8,
    pub(crate) name: u8,
}

/// A Vitally, with these accounts before Coho came, the steps, and what goes wrong in the last but one.
#[derive(Clone, Debug)]
struct History {
    vitally: &'static str,
    people: Vec<u8>,
    steps: Vec<Step>,
    disturbed: Option<(Step, Vec<ScriptedFault>)>,
}

const VITALLYS: [&str; 5] = [
    "strict",
    "email_unique=merge",
    "conflicting-post",
    SHORT_LISTS,
    "delete_missing=204,deleted_traits=null,post=201",
];

const ACCOUNTS: u8 = 3;

fn step() -> impl Strategy<Value = Step> {
    let removed = || prop::sample::select(vec!["keep", "delete", "delete", "delete-created"]);
    let mode = prop::sample::select(vec!["upsert", "upsert", "update"]);
    let user = (0..ACCOUNTS, 0..2_u8).prop_map(|(account, name)| User { account, name });
    let stranger = prop::option::weighted(0.2, 0..ACCOUNTS);
    let policies = [removed(), removed(), removed()];
    (table(ACCOUNTS, 0..2_u8), table(ACCOUNTS, 0..2_u8), table(2, user), policies, mode, stranger).prop_map(
        |(plans, seats, users, removed, mode, stranger)| Step {
            plans,
            seats,
            users,
            removed,
            mode,
            stranger,
        },
    )
}

fn history() -> impl Strategy<Value = History> {
    let people = prop::collection::vec(0..ACCOUNTS, 0..2);
    let faults = faults::some(
        [faults::of_writes(&["accounts", "users"]), faults::of_looks(), faults::of_lists()].concat(),
    );
    let steps = prop::collection::vec(step(), 1..6);
    (prop::sample::select(VITALLYS.to_vec()), people, steps, prop::option::of((step(), faults)))
        .prop_map(|(vitally, people, steps, disturbed)| History { vitally, people, steps, disturbed })
}

async fn stage() -> Result<Stage, Failure> {
    let mut stage = Stage::with(&[]).await?;
    stage.file("models/billing.yaml", "source: app\ntable: billing\nprimary_key: id\n");
    stage.sql("CREATE TABLE billing (id, external, name, seats)")?;
    Ok(stage)
}

/// Puts the syncs and rows of a step in place, and what a person did.
fn write(stage: &mut Stage, step: &Step, number: usize, sheet: &mut Sheet) -> Result<(), Failure> {
    let [accounts, billing, users] = step.removed;
    let sync = |id: &str, object: &str, fields: &str, removed: &str| {
        format!(
            "id: {id}\nmodel: {id}\nto: vitally\nobject: {object}\nmatch: {{ externalId: external }}\n\
             fields: {{ name: name, {fields} }}\nremoved: {removed}\n{GUARDS}"
        )
    };
    let billing = sync("billing", "account", "traits: { seats: seats }", billing);
    let link = "accountIds: { column: account, lookup: account.externalId }";
    stage.sync("accounts", &sync("accounts", "account", "traits: { plan: plan }", accounts));
    stage.sync("billing", &format!("{billing}mode: {}\n", step.mode));
    stage.sync("users", &sync("users", "user", link, users));
    let mut sql = "DELETE FROM accounts; DELETE FROM billing; DELETE FROM users;".to_owned();
    for (id, plan) in &step.plans {
        write!(sql, "INSERT INTO accounts VALUES ({id}, '{0}', '{0}', {plan}, NULL, 0);", name("a", *id))?;
    }
    for (id, seats) in &step.seats {
        write!(sql, "INSERT INTO billing VALUES ({id}, '{0}', '{0}', {seats});", name("a", *id))?;
    }
    for (id, User { account, name: called }) in &step.users {
        let (user, account) = (name("u", *id), name("a", *account));
        write!(sql, "INSERT INTO users VALUES ({id}, '{user}', 'n{called}', '{account}', NULL);")?;
    }
    if let Some(account) = step.stranger.filter(|account| sheet.has_account(*account)) {
        let stranger = format!("s{number}");
        stage.vitally.seed(Seed::user(&stranger).name(&stranger).account_link(&name("a", account)))?;
        sheet.add_stranger(&stranger, account);
    }
    stage.sql(&sql)
}

/// All records, each as the sheet has it.
fn held(stage: &Stage) -> Vec<String> {
    let names = crate::stage::told::names(&stage.vitally);
    let mut lines = Vec::new();
    for record in stage.vitally.records(RecordKind::Account) {
        let value = |name: &str| record.traits.get(name).and_then(serde_json::Value::as_u64);
        let id = record.external_id.as_deref().unwrap_or_default();
        lines.push(sheet::account_line(id, value("plan"), value("seats")));
    }
    for record in stage.vitally.records(RecordKind::User) {
        let mut accounts: Vec<_> = record.accounts.iter().map(|id| names[&id.to_string()].clone()).collect();
        accounts.sort();
        let called = record.name.as_deref().unwrap_or_default();
        lines.push(sheet::user_line(record.external_id.as_deref().unwrap_or_default(), called, &accounts));
    }
    lines.sort();
    lines
}

/// Runs until nothing changes any more, and tells the sheet of each.
async fn settle(stage: &Stage, step: &Step, sheet: &mut Sheet) -> Result<(), Failure> {
    let mut last = (String::new(), Vec::new());
    for _ in 0..6 {
        let ran = stage.run().await?;
        sheet.run(step);
        let now = (ran.told_all(), held(stage));
        // Rows may wait for ever, for accounts that are not there.
        if now == last {
            return Ok(());
        }
        last = now;
        // Whatever waits is due.
        stage.advance(Duration::from_secs(2 * 24 * 3_600));
    }
    Err(format!("it never comes to rest: {}", last.0).into())
}

async fn play(stage: &mut Stage, history: &History) -> Result<(), Failure> {
    stage.clear()?;
    stage.sql("DELETE FROM billing")?;
    let limit = stage.vitally.switches().limit;
    stage.vitally.set_switches(Switches { limit, ..history.vitally.parse()? });
    let mut sheet = Sheet::default();
    for account in &history.people {
        if !sheet.has_account(*account) {
            let long_ago = SimulatorTime::from_millis(START - 1_000_000_000);
            stage
                .vitally
                .seed(Seed::account(&name("a", *account)).name(&name("a", *account)).made_at(long_ago))?;
            sheet.add_account(*account);
        }
    }
    for (number, step) in history.steps.iter().enumerate() {
        write(stage, step, number, &mut sheet)?;
        settle(stage, step, &mut sheet).await?;
        let (held, expected) = (held(stage), sheet.lines());
        if held != expected {
            return Err(format!("step {number}: Vitally holds\n{held:#?}\nand not\n{expected:#?}").into());
        }
    }
    match &history.disturbed {
        Some((step, faults)) => disturb(stage, step, faults, &mut sheet).await,
        None => Ok(()),
    }
}

/// A run in which calls fail, and then all rows leave.
async fn disturb(
    stage: &mut Stage,
    step: &Step,
    faults: &[ScriptedFault],
    sheet: &mut Sheet,
) -> Result<(), Failure> {
    let (people, users) = (sheet.made_by_people(), sheet.users_of(step));
    let ids: Vec<_> = people
        .iter()
        .map(|id| stage.vitally.record(RecordKind::Account, &name("a", *id)).map(|r| r.id))
        .collect();
    write(stage, &Step { stranger: None, ..step.clone() }, usize::MAX, sheet)?;
    for fault in faults {
        stage.vitally.script(fault.clone());
    }
    stage.advance(Duration::from_secs(60));
    stage.run_alone().await?;
    stage.vitally.clear_script();
    stage.advance(Duration::from_secs(2 * 24 * 3_600));
    settle(stage, step, &mut Sheet::default()).await?;
    let held = held(stage);
    for row in sheet::lines_of(step, &held) {
        if !held.iter().any(|line| line.starts_with(&row)) {
            return Err(format!("{row} is missing: {held:#?}").into());
        }
    }
    for user in users {
        if stage.vitally.record(RecordKind::User, &name("u", user)).is_none() {
            return Err(format!("user {user} is lost: {held:#?}").into());
        }
    }
    let open = stage.ask_ledger("SELECT key FROM memory WHERE pending = 'open'")?;
    assert_eq!(open, [""; 0], "an outcome stays unknown");
    let spares = !step.removed[..2].contains(&"delete");
    write(stage, &Step { removed: ["delete-created"; 3], mode: "upsert", ..Step::default() }, 0, sheet)?;
    settle(stage, step, &mut Sheet::default()).await?;
    for (account, id) in people.iter().zip(ids).filter(|_| spares) {
        if stage.vitally.record(RecordKind::Account, &name("a", *account)).map(|record| record.id) != id {
            return Err(format!("a{account} was made by people, and is gone").into());
        }
    }
    Ok(())
}

#[test]
fn whatever_syncs_share_vitally_holds_what_all_rows_say() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let stage = std::cell::RefCell::new(runtime.block_on(stage()).unwrap());
    played(&history(), |history| runtime.block_on(play(&mut stage.borrow_mut(), history)));
}

/// One sync lets an account be that the other removes, together with a user whose write was unclear: how many calls that user's row
/// takes at most is said with the account's id forgotten.
#[test]
fn the_id_of_an_account_that_another_sync_removed_is_not_gone_by() {
    let keep = Step { removed: ["keep"; 3], mode: "upsert", ..Step::default() };
    let both = Step { plans: [(0, 0)].into(), seats: [(0, 0)].into(), ..keep.clone() };
    let users = [(0, User { account: 0, name: 0 })].into();
    let last = Step { seats: [(2, 0)].into(), users, removed: ["keep", "delete", "keep"], ..keep };
    let unanswered = ScriptedFault::once(Trouble::DropAfterCommit).on("POST", "/resources/users");
    let history = History {
        vitally: "strict",
        people: vec![],
        steps: vec![both],
        disturbed: Some((last, vec![unanswered])),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { play(&mut stage().await?, &history).await }).unwrap();
}

/// An account that a sync removed, and another one made again, is no account that a user left: its link counts where another
/// account of the user goes.
#[test]
fn a_user_stays_in_an_account_that_was_removed_before_and_made_again() {
    let keep = Step { removed: ["keep"; 3], mode: "upsert", ..Step::default() };
    let delete = ["keep", "delete", "keep"];
    let of = |account| [(0, User { account, name: 0 })].into();
    let history = History {
        vitally: "strict",
        people: vec![2],
        steps: vec![
            Step { seats: [(2, 0)].into(), ..keep.clone() },
            Step { removed: delete, ..keep.clone() },
            Step { plans: [(2, 0)].into(), users: of(2), ..keep.clone() },
            Step { seats: [(0, 0)].into(), removed: ["delete-created", "keep", "keep"], ..keep.clone() },
            Step { users: of(0), removed: delete, ..keep },
        ],
        disturbed: None,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { play(&mut stage().await?, &history).await }).unwrap();
}
