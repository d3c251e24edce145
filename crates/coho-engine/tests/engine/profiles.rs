//! One delivery suite under whole readings of what Vitally leaves open: organizations through the Analytics API, accounts,
//! users by external id and by e-mail address, events; changes, removals, and the end of the process in between. Whatever
//! Vitally is like, it comes to hold the same.

use std::time::Duration;

use coho_simulator::{Profile, Seed, SimulatorSettings, SimulatorTime, Trouble};

use crate::crash::crash;
use crate::stage::{Failure, ORDERS, START, Stage, TOKEN, told};

const GUARDS: &str = "guards: { max_removed: { share: 100%, floor: 100 }, empty_source: allow }\n";

const ORGANIZATIONS: &str = "
id: organizations
model: organizations
to: vitally
object: organization
api: analytics
match: { externalId: external }
fields: { name: name }
";

/// The column `noise` has the organization.
const ACCOUNTS: &str = "
id: accounts
model: accounts
to: vitally
object: account
match: { externalId: external }
fields:
  name: name
  organizationId: { column: noise, lookup: organization.externalId }
  traits: { plan: plan, seats: seats }
removed: delete-created
";

const USERS: &str = "
id: users
model: users
to: vitally
object: user
match: { externalId: external }
fields:
  name: name
  accountIds: { column: account, lookup: account.externalId }
removed: delete-created
";

const CONTACTS: &str = "
id: contacts
model: contacts
to: vitally
object: user
match: { email: email, externalId: external }
fields:
  name: name
  accountIds: { column: account, lookup: account.externalId }
removed: delete-created
";

const FIRST: &str = "
    INSERT INTO organizations VALUES (1, 'o-1', 'North'), (2, 'o-2', 'South');
    INSERT INTO accounts VALUES (1, 'a-1', 'Acme', 'pro', 1, 'o-1'), (2, 'a-2', 'Bolt', 'free', 2, 'o-2'),
      (3, 'a-3', 'Cobalt', 'free', 3, NULL);
    INSERT INTO users VALUES (1, 'u-1', 'Ada', 'a-1', NULL), (2, 'u-2', 'Bea', 'a-2', NULL), (3, 'u-3', 'Cleo', 'a-3', NULL);
    INSERT INTO contacts VALUES (1, 'c-1', 'Dora', 'a-1', 'dora@acme.io'), (2, 'c-2', 'Emma', 'a-2', 'emma@bolt.io');
    INSERT INTO orders VALUES (1, 'm-1', 'K', '2026-01-01', 'a-1', NULL, 'u-1', 1, NULL),
      (2, 'm-2', 'K', '2026-01-02', 'a-2', NULL, NULL, 2, NULL);";

const SECOND: &str = "
    UPDATE organizations SET name = 'NORTH' WHERE id = 1;
    UPDATE accounts SET name = 'ACME', seats = 10 WHERE id = 1;
    UPDATE accounts SET plan = NULL, noise = 'o-1' WHERE id = 2;
    DELETE FROM accounts WHERE id = 3; DELETE FROM users WHERE id = 3;
    INSERT INTO accounts VALUES (4, 'a-4', 'Delta', NULL, 4, 'o-2');
    UPDATE users SET account = 'a-2' WHERE id = 1;
    INSERT INTO users VALUES (4, 'u-4', 'Fay', 'a-4', NULL);
    UPDATE contacts SET name = 'DORA' WHERE id = 1;
    INSERT INTO contacts VALUES (3, 'c-3', 'Gina', 'a-4', 'gina@delta.io');
    UPDATE orders SET total = 100 WHERE id = 1;
    INSERT INTO orders VALUES (3, 'm-3', 'K', '2026-01-03', 'a-4', NULL, 'u-4', 3, NULL);";

const THIRD: &str = "
    DELETE FROM organizations WHERE id = 2;
    UPDATE organizations SET name = 'North' WHERE id = 1;
    UPDATE accounts SET plan = 'free' WHERE id IN (1, 2);
    DELETE FROM users WHERE id = 2; DELETE FROM contacts WHERE id IN (1, 2); DELETE FROM orders WHERE id = 2;";

async fn stage(profile: Profile) -> Result<Stage, Failure> {
    let settings = SimulatorSettings { switches: profile.switches(), ..SimulatorSettings::new(TOKEN) };
    let orders = ORDERS.replace("accountId: account", "accountId: account\n  userId: user");
    let orders = orders.replace("object: event", "object: event\nmatch: { messageId: message }");
    let records = [("accounts", ACCOUNTS), ("users", USERS), ("contacts", CONTACTS)];
    let guarded: Vec<_> = records.map(|(name, text)| (name, format!("{text}{GUARDS}"))).into();
    let mut syncs: Vec<_> = guarded.iter().map(|(name, text)| (*name, text.as_str())).collect();
    syncs.extend([("organizations", ORGANIZATIONS), ("orders", orders.as_str())]);
    let mut stage = Stage::served(&syncs, settings).await?;
    stage.analytics();
    stage.file("models/contacts.yaml", "source: app\ntable: contacts\nprimary_key: id\n");
    stage.sql("CREATE TABLE contacts (id, external, name, account, email)")?;
    let long_ago = SimulatorTime::from_millis(START - 1_000_000_000);
    stage.vitally.seed(Seed::account("a-0").name("Before").made_at(long_ago))?;
    let emma = Seed::user("old-2").name("Old").email("emma@bolt.io").account_link("a-0");
    stage.vitally.seed(emma.made_at(long_ago))?;
    Ok(stage)
}

/// Runs until nothing is sent any more; what Vitally took is applied before each.
async fn settle(stage: &Stage) -> Result<(), Failure> {
    for _ in 0..5 {
        stage.vitally.flush()?;
        stage.advance(Duration::from_secs(2 * 24 * 3_600));
        if stage.run().await?.calls.is_empty() {
            return Ok(());
        }
    }
    Err("there is always something to send".into())
}

/// What Vitally holds in the end.
async fn played(profile: Profile, end: Option<(Trouble, u32)>) -> Result<Vec<String>, Failure> {
    let stage = stage(profile).await?;
    stage.sql(FIRST)?;
    settle(&stage).await?;
    stage.sql(SECOND)?;
    stage.advance(Duration::from_secs(60));
    if let Some((trouble, after)) = end {
        crash(&stage, trouble, after).await?;
    }
    settle(&stage).await?;
    stage.sql(THIRD)?;
    settle(&stage).await?;
    assert_eq!(stage.ask_ledger("SELECT key FROM memory WHERE pending <> 'none'")?, [""; 0], "{profile:?}");
    let mut held = stage.records();
    let mut events = told::events(&stage.vitally);
    events.sort();
    held.extend(events);
    Ok(held)
}

#[tokio::test]
async fn whatever_vitally_is_like_it_comes_to_hold_the_same() {
    let expected = [
        "organization o-1 \"North\"",
        "organization o-2 \"South\"",
        "account a-0 \"Before\"",
        "account a-1 \"ACME\" plan=\"free\" seats=10 of <o-1>",
        "account a-2 \"Bolt\" seats=2 plan=\"free\" of <o-1>",
        "account a-4 \"Delta\" seats=4 of <o-2>",
        "user c-3 \"Gina\" <gina@delta.io> in <a-4>",
        "user old-2 \"Emma\" <emma@bolt.io> in <a-0> in <a-2>",
        "user u-1 \"Ada\" in <a-1> in <a-2>",
        "user u-4 \"Fay\" in <a-4>",
        "m-1 \"Order placed\" at 2026-01-01T00:00:00.000Z account a-1 user u-1 total=1",
        "m-2 \"Order placed\" at 2026-01-02T00:00:00.000Z account a-2 total=2",
        "m-3 \"Order placed\" at 2026-01-03T00:00:00.000Z account a-4 user u-4 total=3",
    ];
    for profile in Profile::ALL {
        assert_eq!(played(profile, None).await.unwrap(), expected, "{profile:?}");
        for (trouble, after) in
            [(Trouble::HangAfterCommit, 0), (Trouble::Hang, 3), (Trouble::HangAfterCommit, 6)]
        {
            let held = played(profile, Some((trouble.clone(), after))).await.unwrap();
            assert_eq!(held, expected, "{profile:?}, killed after {after} calls: {trouble:?}");
        }
    }
}
