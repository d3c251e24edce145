//! An oracle for whole histories through both APIs: rows appear, change, leave and return; external ids, e-mail addresses and
//! mappings change; Vitally refuses values, references are missing until they are there; calls fail.
//!
//! [`sheet`] is the oracle, written as one would keep the books by hand: for each run it says what Vitally comes to hold and
//! how many calls that takes at least. Vitally must hold just that, no record twice, and where nothing was disturbed each
//! run makes just so many calls. [`super::laws`] has rows that dispute each other's records.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use coho_simulator::{RecordKind, ScriptedFault, Seed, SimulatorTime, Switches};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use crate::ledgers::OLDER;
use crate::stage::{Failure, ORDERS, START, Stage, told};

#[path = "oracle/faults.rs"]
pub(crate) mod faults;
#[path = "oracle/kept.rs"]
mod kept;
#[path = "oracle/shared.rs"]
mod shared;
#[path = "oracle/sheet.rs"]
mod sheet;

use sheet::{Account, Contact, Group, Seats, Sheet, User};

/// Histories that are played where `PROPTEST_CASES` says nothing else.
const CASES: u32 = 32;

/// One run, with what holds when it begins.
#[derive(Clone, Debug, Default)]
pub(crate) struct Step {
    pub(crate) accounts: BTreeMap<u8, Account>,
    pub(crate) users: BTreeMap<u8, User>,
    pub(crate) contacts: BTreeMap<u8, Contact>,
    pub(crate) groups: BTreeMap<u8, Group>,
    pub(crate) orders: BTreeMap<u8, u8>,
    /// Whether all rows but those of events have other primary keys.
    pub(crate) rekeyed: bool,
    /// Which ids the syncs have.
    pub(crate) ids: usize,
    /// Which columns of accounts are mapped.
    pub(crate) mapping: usize,
    /// What happens to an account whose row left.
    pub(crate) removed: &'static str,
    /// Whether the account `late` is in Vitally by now.
    pub(crate) late: bool,
    /// Whether all that waits is due.
    pub(crate) long: bool,
    pub(crate) faults: Vec<ScriptedFault>,
}

/// The traits of accounts, by mapping.
const MAPPINGS: [&str; 3] =
    ["plan: plan, seats: seats", "plan: plan", "plan: plan, seats: seats, tier: plan"];

const VITALLYS: [&str; 8] = [
    "strict",
    "lenient",
    "upserting-post",
    "conflicting-post",
    "replacing-account-ids",
    "late-analytics",
    SHORT_LISTS,
    "deleted_traits=null,post=201,err=text,batch_mode=stop",
];

/// Paths take only Vitally's ids, so that accounts are found in lists, of two records a page.
const SHORT_LISTS: &str = "ext_in_path=off,page=2";

const GUARDS: &str = "guards: { max_removed: { share: 100%, floor: 100 }, empty_source: allow }\n";

const USERS: &str = "
id: users
model: users
to: vitally
object: user
match: { externalId: external }
fields: { name: name, accountIds: { column: account, lookup: account.externalId } }
removed: delete
";

const CONTACTS: &str = "
id: contacts
model: contacts
to: vitally
object: user
match: { email: email, externalId: external }
fields: { name: name, accountIds: { column: account, lookup: account.externalId } }
removed: delete
";

const GROUPS: &str = "
id: groups
model: organizations
to: vitally
object: organization
api: analytics
match: { externalId: external }
fields: { name: name, traits: { plan: plan } }
";

/// What the ids of all syncs end with. They are renamed, and renamed back.
const IDS: [&str; 3] = ["", "-again", "-anew"];

/// A sync under the id that it has now.
fn named(sync: &str, ids: usize) -> String {
    let Some(id) = sync.lines().find_map(|line| line.strip_prefix("id: ")) else { return sync.to_owned() };
    let earlier: Vec<_> =
        IDS.iter().filter(|end| **end != IDS[ids]).map(|end| format!("{id}{end}")).collect();
    let now = format!("id: {id}{}\nrenamed_from: [{}]\n", IDS[ids], earlier.join(", "));
    sync.replacen(&format!("id: {id}\n"), &now, 1)
}

fn accounts(step: &Step) -> String {
    format!(
        "id: accounts\nmodel: accounts\nto: vitally\nobject: account\nmatch: {{ externalId: external }}\n\
         fields: {{ name: name, traits: {{ {} }} }}\nremoved: {}\n{GUARDS}",
        MAPPINGS[step.mapping], step.removed
    )
}

fn table<T: std::fmt::Debug + Clone + 'static>(
    keys: u8,
    row: impl Strategy<Value = T> + 'static,
) -> impl Strategy<Value = BTreeMap<u8, T>> {
    prop::collection::vec((0..keys, row), 0..=usize::from(keys)).prop_map(|rows| rows.into_iter().collect())
}

fn faults() -> impl Strategy<Value = Vec<ScriptedFault>> {
    let writes = faults::of_writes(&["accounts", "users"]);
    faults::some([writes, faults::of_batches(), faults::of_looks(), faults::of_lists()].concat())
}

fn step() -> impl Strategy<Value = Step> {
    let seats = prop::sample::select(vec![Seats::None, Seats::Some(1), Seats::Some(2), Seats::Wrong]);
    let account = (0..2_u8, 0..2_u8, prop::option::of(0..2_u8), seats)
        .prop_map(|(version, name, plan, seats)| Account { version, name, plan, seats });
    let held = prop::sample::select(vec!["s0", "s1", "late"]);
    let user = (0..2_u8, held).prop_map(|(name, account)| User { name, account });
    let contact = (0..2_u8, 0..2_u8, prop::sample::select(vec!["s0", "s1"]))
        .prop_map(|(version, name, account)| Contact { version, name, account });
    let group = (0..2_u8, prop::option::of(0..2_u8)).prop_map(|(name, plan)| Group { name, plan });
    let faults = prop_oneof![3 => Just(Vec::new()), 1 => faults()];
    let tables = (table(3, account), table(2, user), table(2, contact), table(2, group), table(4, 0..3_u8));
    let removed = prop::sample::select(vec!["keep", "delete"]);
    let conditions = (0..MAPPINGS.len(), removed, any::<bool>(), any::<bool>());
    let names = (prop::bool::weighted(0.2), prop_oneof![3 => Just(0), 1 => 0..IDS.len()]);
    (tables, conditions, names, faults).prop_map(
        |(
            (accounts, users, contacts, groups, orders),
            (mapping, removed, late, long),
            (rekeyed, ids),
            faults,
        )| Step {
            accounts,
            users,
            contacts,
            groups,
            orders,
            rekeyed,
            ids,
            mapping,
            removed,
            late,
            long,
            faults,
        },
    )
}

/// Which kind of Vitally, which older ledger there is, if any, and the runs.
type History = (&'static str, Option<usize>, Vec<Step>);

fn history() -> impl Strategy<Value = History> {
    let older = prop::option::weighted(0.2, 0..OLDER.len());
    (prop::sample::select(VITALLYS.to_vec()), older, prop::collection::vec(step(), 1..6))
}

async fn stage() -> Result<Stage, Failure> {
    let mut stage = Stage::with_analytics(&[]).await?;
    stage.file("models/contacts.yaml", "source: app\ntable: contacts\nprimary_key: id\n");
    stage.sql("CREATE TABLE contacts (id, external, name, account, email); ALTER TABLE organizations ADD COLUMN plan")?;
    Ok(stage)
}

fn text(value: Option<u8>) -> String {
    value.map_or("NULL".to_owned(), |value| format!("'p{value}'"))
}

/// Puts the rows of a step into the source.
fn write(stage: &mut Stage, step: &Step) -> Result<(), Failure> {
    let (users, contacts) = (format!("{USERS}{GUARDS}"), format!("{CONTACTS}{GUARDS}"));
    let syncs = [("users", users.as_str()), ("contacts", &contacts), ("groups", GROUPS), ("orders", ORDERS)];
    for (file, sync) in syncs.into_iter().chain([("accounts", accounts(step).as_str())]) {
        stage.sync(file, &named(sync, step.ids));
    }
    let mut sql =
        "DELETE FROM accounts; DELETE FROM users; DELETE FROM contacts; DELETE FROM organizations; \
                   DELETE FROM orders;"
            .to_owned();
    let keys = |number: &u8| sheet::keys(*number, step.rekeyed).0;
    for (key, row) in &step.accounts {
        let (external, plan) = (row.external(*key), text(row.plan));
        let seats = match row.seats {
            Seats::None => "NULL".to_owned(),
            Seats::Some(seats) => seats.to_string(),
            Seats::Wrong => "'many'".to_owned(),
        };
        write!(
            sql,
            "INSERT INTO accounts VALUES ({}, '{external}', 'n{}', {plan}, {seats}, 0);",
            keys(key),
            row.name
        )?;
    }
    for (key, row) in &step.users {
        write!(
            sql,
            "INSERT INTO users VALUES ({}, 'u{key}', 'n{}', '{}', NULL);",
            keys(key),
            row.name,
            row.account
        )?;
    }
    for (key, row) in &step.contacts {
        let (name, account, email) = (row.name, row.account, row.email(*key));
        write!(
            sql,
            "INSERT INTO contacts VALUES ({}, 'c{key}', 'n{name}', '{account}', '{email}');",
            keys(key)
        )?;
    }
    for (key, row) in &step.groups {
        let (name, plan) = (row.name, text(row.plan));
        write!(sql, "INSERT INTO organizations VALUES ({}, 'g{key}', 'n{name}', {plan});", keys(key))?;
    }
    for (key, total) in &step.orders {
        write!(
            sql,
            "INSERT INTO orders VALUES ({key}, 'm', 'k', strftime('%Y-%m-%dT%H:%M:%SZ', '2025-01-01', '{key} minutes'), 's0', NULL, NULL, {total}, NULL);"
        )?;
    }
    stage.sql(&sql)
}

/// All records and events, each as the sheet has it.
fn held(stage: &Stage) -> Result<Vec<String>, Failure> {
    stage.vitally.flush()?;
    let names = told::names(&stage.vitally);
    let mut lines = Vec::new();
    for object in RecordKind::ALL {
        for record in stage.vitally.records(object) {
            let traits: BTreeMap<_, _> = record.traits.iter().filter(|(_, value)| !value.is_null()).collect();
            let traits: Vec<_> = traits.iter().map(|(key, value)| format!("{key}={value}")).collect();
            let mut accounts: Vec<_> =
                record.accounts.iter().map(|id| names[&id.to_string()].clone()).collect();
            accounts.sort();
            lines.push(sheet::line(
                object.singular(),
                record.external_id.as_deref().unwrap_or_default(),
                record.name.as_deref().unwrap_or_default(),
                record.email.as_deref().unwrap_or_default(),
                &traits,
                &accounts,
            ));
        }
    }
    lines.extend(
        stage.vitally.events().iter().map(|event| format!("event total={}", event.properties["total"])),
    );
    lines.sort();
    Ok(lines)
}

/// What existed before Coho.
fn plant(stage: &Stage) -> Result<(), Failure> {
    let long_ago = SimulatorTime::from_millis(START - 1_000_000_000);
    for account in ["s0", "s1"] {
        stage.vitally.seed(Seed::account(account).name("Before").made_at(long_ago))?;
    }
    let old = Seed::user("old").name("Old").email("e0-0@acme.io").account_link("s0");
    stage.vitally.seed(old.made_at(long_ago))?;
    Ok(stage.vitally.define("accounts", "seats", "number")?)
}

/// Puts a ledger of an older schema in place, and into Vitally what it remembers.
fn remember(stage: &Stage, older: usize) -> Result<(), Failure> {
    let long_ago = SimulatorTime::from_millis(START - 1_000_000_000);
    let acme = stage.vitally.seed(Seed::account("acme").name("Acme").made_at(long_ago))?;
    stage.vitally.seed(Seed::account("hoop").name("Hoop").made_at(long_ago))?;
    let schema = OLDER[older].replace("'production'", &format!("'{}'", stage.vitally.url()));
    let schema = schema.replace("'v-1'", &format!("'{acme}'"));
    Ok(rusqlite::Connection::open(stage.ledger())?.execute_batch(&schema)?)
}

async fn play(stage: &mut Stage, (vitally, older, steps): &History) -> Result<(), Failure> {
    stage.clear()?;
    stage.sql("DELETE FROM contacts")?;
    let limit = stage.vitally.switches().limit;
    let switches: Switches = format!("{vitally},types=400").parse()?;
    stage.vitally.set_switches(Switches { limit, ..switches });
    plant(stage)?;
    let mut sheet = Sheet::new(vitally);
    if let Some(older) = *older {
        remember(stage, older)?;
        sheet.remember(OLDER[older].contains("'hoop'"));
    }
    let mut late = false;
    // After a call that failed, some ids may have to be found again.
    let mut slack = 0;
    for (number, step) in steps.iter().enumerate() {
        write(stage, step)?;
        sheet.begin();
        if step.late && !late {
            stage.vitally.seed(Seed::account("late").name("Before"))?;
            sheet.plant_late();
            late = true;
        }
        if step.long {
            stage.advance(Duration::from_secs(2 * 24 * 3_600));
        }
        if step.faults.is_empty() {
            for again in [false, true] {
                let ran = stage.run().await?;
                let (least, is_sure) = sheet.run(step, stage.clock.now().millis());
                let made = ran.calls.len();
                // How many pages of lists are read is not the sheet's business.
                let is_sure = is_sure && *vitally != SHORT_LISTS;
                let fits = (least..=least + slack).contains(&made) || !is_sure;
                if !fits {
                    let told = ran.told_all();
                    let calls = &ran.calls;
                    return Err(format!(
                        "step {number}, again {again}: {least} calls do, {made} were made: {told}\n{calls:#?}"
                    )
                    .into());
                }
            }
        } else {
            slack = 3;
            step.faults.iter().for_each(|fault| stage.vitally.script(fault.clone()));
            stage.advance(Duration::from_secs(60));
            stage.run_alone().await?;
            stage.vitally.clear_script();
            // What is unclear may need a look first and a removal after it, and what was refused has to be due.
            for _ in 0..3 {
                stage.advance(Duration::from_secs(2 * 24 * 3_600));
                stage.run_alone().await?;
                sheet.run(step, stage.clock.now().millis());
            }
            stage.advance(Duration::from_secs(2 * 24 * 3_600));
        }
        let (held, expected) = (held(stage)?, sheet.lines());
        if held != expected {
            if !step.faults.is_empty() && sheet.allows(&held) {
                return Ok(());
            }
            return Err(format!("step {number}: Vitally holds\n{held:#?}\nand not\n{expected:#?}").into());
        }
        let open = stage.ask_ledger("SELECT key FROM memory WHERE pending = 'open'")?;
        assert_eq!(open, [""; 0], "an outcome stays unknown");
    }
    Ok(())
}

/// Plays as many histories as `PROPTEST_CASES` says.
pub(crate) fn played<H: Strategy>(histories: &H, mut play: impl FnMut(&H::Value) -> Result<(), Failure>) {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(CASES);
    let config = ProptestConfig {
        cases,
        max_shrink_iters: 400,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let play = std::cell::RefCell::new(&mut play);
    TestRunner::new(config)
        .run(histories, |history| {
            let played = (play.borrow_mut())(&history);
            played.map_err(|failure| TestCaseError::fail(failure.to_string()))
        })
        .unwrap();
}

#[test]
fn whatever_happens_vitally_holds_what_the_sheet_says_in_as_few_calls() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let stage = std::cell::RefCell::new(runtime.block_on(stage()).unwrap());
    played(&history(), |history| runtime.block_on(play(&mut stage.borrow_mut(), history)));
}

/// A key whose record was removed takes another one, which Vitally refuses. That other record was never removed: what its own key
/// sent of it is still there when that key is back.
#[test]
fn a_refused_write_does_not_make_another_record_a_removed_one() {
    let of = |version, plan, seats| [(0, Account { version, name: 0, plan, seats })].into();
    let keep = Step { removed: "keep", ..Step::default() };
    let steps = vec![
        Step { accounts: of(0, None, Seats::None), ..keep.clone() },
        Step { accounts: of(1, Some(0), Seats::None), rekeyed: true, removed: "delete", ..Step::default() },
        Step { accounts: of(1, None, Seats::Wrong), mapping: 2, ..keep.clone() },
        Step { accounts: of(1, None, Seats::None), rekeyed: true, ..keep },
    ];
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { play(&mut stage().await?, &("strict", None, steps)).await }).unwrap();
}

/// A key takes over a record that another key of the row had, while what it had itself was removed by that other key meanwhile.
#[test]
fn a_key_that_returns_to_another_record_links_it_to_its_account() {
    let of = |version, account| [(0, Contact { version, name: 0, account })].into();
    let keep = Step { removed: "keep", ..Step::default() };
    let steps = vec![
        Step { contacts: of(1, "s0"), rekeyed: true, ..keep.clone() },
        Step { contacts: of(1, "s0"), ..keep.clone() },
        keep.clone(),
        Step { contacts: of(0, "s0"), ..keep.clone() },
        Step { contacts: of(0, "s1"), rekeyed: true, ..keep },
    ];
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { play(&mut stage().await?, &("strict", None, steps)).await }).unwrap();
}

/// Users of so many accounts among others (`hay`), users through the Analytics API with up to three accounts each, events:
/// the first run makes the least calls for all of them, the second none.
async fn sized(references: usize, hay: usize, members: usize, orders: usize) -> Result<(), Failure> {
    let members_sync = USERS
        .replace("id: users\nmodel: users", "id: members\nmodel: members\napi: analytics")
        .replace("removed: delete\n", "");
    let syncs = [("users", USERS), ("members", members_sync.as_str()), ("orders", ORDERS)];
    let mut stage = Stage::with_analytics(&syncs).await?;
    stage.file("models/members.yaml", "source: files\nfile: members.ndjson\nprimary_key: id\n");
    for number in 0..hay.max(references) {
        stage.vitally.seed(Seed::account(&format!("s{number}")).name("Before"))?;
    }
    let mut sql = String::new();
    for number in 0..references {
        write!(sql, "INSERT INTO users VALUES ({number}, 'u{number}', 'n', 's{number}', NULL);")?;
    }
    for number in 0..orders {
        write!(
            sql,
            "INSERT INTO orders VALUES ({number}, 'm', 'k', '2026-01-01', 's0', NULL, NULL, 1, NULL);"
        )?;
    }
    stage.sql(&format!("BEGIN; {sql} COMMIT"))?;
    let links = |number: usize| (0..=number % 3).map(|link| format!("l{link}")).collect::<Vec<_>>();
    let row = |number| serde_json::json!({"id": number, "external": format!("m{number}"), "name": "n", "account": links(number)});
    stage.rows("members.ndjson", &(0..members).map(row).collect::<Vec<_>>())?;
    let ran = stage.run().await?;
    let count = |start: &str| ran.calls.iter().filter(|call| call.starts_with(start)).count();
    assert_eq!(count("POST /users"), references);
    assert!(
        count("GET") <= references + references / 20 + 2,
        "{references} of {hay} by {} calls",
        count("GET")
    );
    let (tracks, batches) = (count(r#"POST /analytics/v1/batch [{"type":"track""#), count("POST /analytics"));
    let messages: usize = (0..members).map(|number| links(number).len()).sum();
    assert_eq!(tracks, orders.div_ceil(100));
    let least = messages.div_ceil(100);
    assert!(
        (least..=least + messages / 398).contains(&(batches - tracks)),
        "{messages} in {}",
        batches - tracks
    );
    assert_eq!(stage.run().await?.calls, [""; 0]);
    Ok(())
}

#[tokio::test]
async fn however_many_there_are_the_calls_are_the_least() {
    for (references, hay, members, orders) in [
        (1, 1, 1, 1),
        (9, 300, 99, 99),
        (10, 10, 200, 100),
        (40, 300, 201, 101),
        (120, 130, 450, 401),
        (60, 1_500, 1, 0),
    ] {
        sized(references, hay, members, orders).await.unwrap();
    }
}
