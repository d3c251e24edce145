//! Each thing that Vitally's documentation leaves open, at both ends: the same records in the end, and the right verdict.
//!
//! Real HTTP against the simulator. The scenario is one life: created, found by a second sync, changed, removed.

#[path = "support/ends.rs"]
mod ends;
#[path = "support/operations.rs"]
mod operations;
#[path = "support/vitally.rs"]
mod vitally;

use coho_core::code::Code;
use coho_core::object::Object;
use coho_core::operation::Known;
use coho_core::row_state::{Origin, Verb};
use coho_core::sync::Mode;
use coho_core::target::{ExternalId, VitallyId};
use coho_core::value::Value;
use coho_core::verdict::Verdict;
use coho_simulator::{RecordKind, Running, Seed, SimulatorTime, StoredRecord};
use coho_vitally::client::{Client, Delivery};
use coho_vitally::resolved::Resolved;
use ends::ENDS;
use operations::{Deed, operation};
use vitally::{Failure, client, simulator};

/// A workspace in which an organization and two accounts were made long ago.
struct World {
    vitally: Running,
    client: Client,
    resolved: Resolved,
}

impl World {
    async fn new(switches: &str) -> Result<Self, Failure> {
        let vitally = simulator(switches).await?;
        let long_ago = SimulatorTime::from_millis(1_600_000_000_000);
        let mut resolved = Resolved::new();
        let seeds = [Seed::organization("group"), Seed::account("old"), Seed::account("beta")];
        for (object, seed) in [Object::Organization, Object::Account, Object::Account].into_iter().zip(seeds)
        {
            let external_id = ExternalId::parse(seed.external_id.as_deref().unwrap_or_default())?;
            let id = vitally.seed(seed.name("Old").made_at(long_ago).with_trait("kept", "yes"))?;
            resolved.insert(object, external_id, VitallyId::new(id.to_string()));
        }
        let client = client(&vitally.url())?;
        Ok(Self { vitally, client, resolved })
    }

    async fn deliver(
        &self,
        object: Object,
        target: &str,
        deed: Deed,
        known: Known,
        fields: &[(&str, Value)],
        sent: &[(&str, Value)],
    ) -> Result<Delivery, Failure> {
        let operation = operation(object, target, deed, known, fields, sent)?;
        Ok(self.client.deliver(&operation, &self.known_but(object, target)).await)
    }

    /// The target itself is for the exchange to find.
    fn known_but(&self, object: Object, target: &str) -> Resolved {
        ["group", "old", "beta"]
            .into_iter()
            .flat_map(|name| Object::RECORDS.map(|object| (object, name)))
            .filter(|(kind, name)| (*kind, *name) != (object, target))
            .filter_map(|(kind, name)| {
                let external_id = ExternalId::parse(name).ok()?;
                let id = self.resolved.get(kind, &external_id)?.clone();
                Some(((kind, external_id), id))
            })
            .collect()
    }

    fn record(&self, object: Object, external_id: &str) -> Result<StoredRecord, Failure> {
        let object = match object {
            Object::Organization => RecordKind::Organization,
            Object::Account => RecordKind::Account,
            Object::User => RecordKind::User,
            Object::Event => return Err("an event is no record".into()),
        };
        let record = self.vitally.record(object, external_id);
        record.ok_or_else(|| format!("there is no {external_id}").into())
    }

    fn id(&self, object: Object, external_id: &str) -> Option<VitallyId> {
        self.resolved.get(object, &ExternalId::parse(external_id).ok()?).cloned()
    }
}

const UPSERT: Deed = Deed::Write(Mode::Upsert);

fn account(name: &str, plan: &str) -> Vec<(&'static str, Value)> {
    vec![
        ("name", Value::text(name)),
        ("organizationId", Value::text("group")),
        ("traits.plan", Value::text(plan)),
    ]
}

fn links(accounts: &[&str]) -> Value {
    Value::Array(accounts.iter().map(|id| Value::text(*id)).collect())
}

/// The id and origin of what was applied.
fn applied(delivery: &Delivery) -> Result<(Option<VitallyId>, Origin), Failure> {
    if let Verdict::Applied { id, origin, .. } = &delivery.verdict {
        return Ok((id.clone(), *origin));
    }
    Err(format!("{:?} after {:#?}", delivery.verdict, delivery.calls).into())
}

fn plan(record: &StoredRecord) -> Option<&str> {
    record.traits.get("plan").and_then(serde_json::Value::as_str)
}

/// Runs a story at every end; which end failed is part of the failure.
async fn at_every_end<F>(story: impl Fn(World) -> F) -> Result<(), Failure>
where
    F: Future<Output = Result<(), Failure>>,
{
    for end in ENDS {
        let world = World::new(end).await?;
        story(world).await.map_err(|failure| format!("with {end}: {failure}"))?;
    }
    Ok(())
}

#[tokio::test]
async fn a_new_account_is_created_changed_and_removed() -> Result<(), Failure> {
    at_every_end(|world| async move {
        let made =
            world.deliver(Object::Account, "acme", UPSERT, Known::New, &account("Acme", "free"), &[]).await?;
        let (id, origin) = applied(&made)?;
        assert_eq!(origin, Origin::Created);
        assert_eq!(made.calls.len(), 1);

        let there = Known::There { id, origin };
        let (fields, sent) = (account("Acme", "pro"), account("Acme", "free"));
        let changed = world.deliver(Object::Account, "acme", UPSERT, there.clone(), &fields, &sent).await?;
        assert_eq!(applied(&changed)?.1, Origin::Created);
        assert_eq!(changed.calls.len(), 1);
        let record = world.record(Object::Account, "acme")?;
        assert_eq!(plan(&record), Some("pro"));
        assert_eq!(
            record.organization.map(|id| id.to_string()),
            world.id(Object::Organization, "group").map(|id| id.to_string())
        );

        let gone = world.deliver(Object::Account, "acme", Deed::Remove, there.clone(), &[], &[]).await?;
        assert_eq!(gone.verdict, Verdict::Gone);
        assert!(world.record(Object::Account, "acme").is_err());
        let again = world.deliver(Object::Account, "acme", Deed::Remove, there, &[], &[]).await?;
        assert_eq!(again.verdict, Verdict::Gone);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_account_that_was_there_is_found() -> Result<(), Failure> {
    for end in ENDS {
        let world = World::new(end).await?;
        let made =
            world.deliver(Object::Account, "old", UPSERT, Known::New, &account("New", "pro"), &[]).await?;
        let (id, origin) = applied(&made).map_err(|failure| format!("with {end}: {failure}"))?;
        assert_eq!((id, origin), (world.id(Object::Account, "old"), Origin::Found), "with {end}");
        let record = world.record(Object::Account, "old")?;
        assert_eq!((plan(&record), record.name.as_deref()), (Some("pro"), Some("New")), "with {end}");
        assert!(record.traits.contains_key("kept"), "with {end}");
        assert_eq!(world.vitally.count(RecordKind::Account), 2, "with {end}");
    }
    Ok(())
}

#[tokio::test]
async fn an_account_that_was_deleted_is_made_again() -> Result<(), Failure> {
    for end in ENDS {
        let world = World::new(end).await?;
        let gone = VitallyId::new("00000000-0000-4000-8000-0000000000ff");
        for id in [Some(gone), None] {
            // A PUT to an external id that makes a record and answers 200 does not say that it did.
            let makes = end.contains("put_missing=upsert") || end == "upserting-post";
            let expected = if makes && id.is_none() { Origin::Found } else { Origin::Created };
            let there = Known::There { id, origin: Origin::Found };
            let (fields, sent) = (account("Acme", "pro"), account("Acme", "free"));
            let made = world.deliver(Object::Account, "acme", UPSERT, there, &fields, &sent).await?;
            let (id, origin) = applied(&made)?;
            assert_eq!(origin, expected, "with {end}");
            let record = world.record(Object::Account, "acme")?;
            assert_eq!(id.map(|id| id.to_string()), Some(record.id.to_string()), "with {end}");
            assert_eq!((plan(&record), record.name.as_deref()), (Some("pro"), Some("Acme")), "with {end}");
            assert!(record.organization.is_some(), "with {end}");
            let there = Known::There { id: Some(VitallyId::new(record.id.to_string())), origin };
            world.deliver(Object::Account, "acme", Deed::Remove, there, &[], &[]).await?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_users_links_grow_and_none_is_lost() -> Result<(), Failure> {
    at_every_end(|world| async move {
        let user = |accounts: &[&str]| vec![("name", Value::text("Ada")), ("accountIds", links(accounts))];
        let made = world.deliver(Object::User, "u-1", UPSERT, Known::New, &user(&["old"]), &[]).await?;
        let (id, origin) = applied(&made)?;
        assert_eq!(origin, Origin::Created);
        for known in [Known::There { id, origin }, Known::Assumed] {
            let changed = world
                .deliver(
                    Object::User,
                    "u-1",
                    UPSERT,
                    known,
                    &user(&["beta"]),
                    &[("name", Value::text("Ada"))],
                )
                .await?;
            applied(&changed)?;
            let record = world.record(Object::User, "u-1")?;
            assert_eq!(record.accounts.len(), 2, "{:#?}", changed.calls);
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn update_never_creates_where_vitally_says_what_is_missing() -> Result<(), Failure> {
    for end in ENDS.into_iter().filter(|end| !end.contains("put_missing=upsert") && *end != "upserting-post")
    {
        let world = World::new(end).await?;
        let update = Deed::Write(Mode::Update);
        let none =
            world.deliver(Object::Account, "acme", update, Known::New, &account("Acme", "pro"), &[]).await?;
        assert_eq!(none.verdict, Verdict::Missing, "with {end}: {:#?}", none.calls);
        let some =
            world.deliver(Object::Account, "old", update, Known::New, &account("New", "pro"), &[]).await?;
        assert_eq!(applied(&some)?.1, Origin::Found, "with {end}");
        assert_eq!(world.vitally.count(RecordKind::Account), 2, "with {end}");
    }
    Ok(())
}

#[tokio::test]
async fn a_put_that_creates_in_update_mode_says_so() -> Result<(), Failure> {
    let update = Deed::Write(Mode::Update);
    let ends =
        [("put_missing=upsert", Origin::Found, 0), ("put_missing=upsert,post=201", Origin::Created, 1)];
    for (end, origin, said) in ends {
        let world = World::new(end).await?;
        let made =
            world.deliver(Object::Account, "acme", update, Known::New, &account("Acme", "pro"), &[]).await?;
        assert_eq!(applied(&made)?.1, origin, "with {end}");
        let Verdict::Applied { notes, .. } = &made.verdict else { panic!("{:?}", made.verdict) };
        assert_eq!(notes.len(), said, "with {end}: {notes:?}");
        // A part of the fields made the record: it gets the rest.
        assert_eq!(plan(&world.record(Object::Account, "acme")?), Some("pro"), "with {end}");
    }
    Ok(())
}

#[tokio::test]
async fn insert_writes_only_what_is_not_there() -> Result<(), Failure> {
    at_every_end(|world| async move {
        let insert = Deed::Write(Mode::Insert);
        let some =
            world.deliver(Object::Account, "old", insert, Known::New, &account("New", "pro"), &[]).await?;
        assert_eq!(some.verdict, Verdict::Exists, "{:#?}", some.calls);
        assert_eq!(world.record(Object::Account, "old")?.name.as_deref(), Some("Old"));
        let none =
            world.deliver(Object::Account, "acme", insert, Known::New, &account("Acme", "pro"), &[]).await?;
        assert_eq!(applied(&none)?.1, Origin::Created);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_unclear_write_is_ours_if_it_was_born_after_the_intent() -> Result<(), Failure> {
    at_every_end(|world| async move {
        let since = chrono::DateTime::from(std::time::SystemTime::now());
        world.vitally.seed(Seed::account("acme").name("Acme"))?;
        let unclear = |since| Known::Unclear { since, id: None, origin: None };
        let ours = world
            .deliver(Object::Account, "acme", UPSERT, unclear(since), &account("Acme", "pro"), &[])
            .await?;
        assert_eq!(applied(&ours)?.1, Origin::Created);
        let theirs = world
            .deliver(Object::Account, "old", UPSERT, unclear(since), &account("New", "pro"), &[])
            .await?;
        assert_eq!(applied(&theirs)?.1, Origin::Found);
        let probe = Deed::Probe(coho_core::row_state::Verb::Write);
        let seen = world.deliver(Object::Account, "acme", probe, unclear(since), &[], &[]).await?;
        assert_eq!(applied(&seen)?.1, Origin::Created);
        let none = world.deliver(Object::Account, "nobody", probe, unclear(since), &[], &[]).await?;
        assert_eq!(none.verdict, Verdict::Missing);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn removal_without_an_id_reads_before_it_deletes() -> Result<(), Failure> {
    at_every_end(|world| async move {
        world.vitally.seed(Seed::account("acme"))?;
        let there = Known::There { id: None, origin: Origin::Created };
        let gone = world.deliver(Object::Account, "acme", Deed::Remove, there.clone(), &[], &[]).await?;
        assert_eq!(gone.verdict, Verdict::Gone);
        assert!(world.record(Object::Account, "acme").is_err());
        // The external id of the next one is the Vitally id of somebody else's record.
        let somebody = world.id(Object::Account, "old").ok_or("`old` has an id")?;
        let refused =
            world.deliver(Object::Account, somebody.as_str(), Deed::Remove, there, &[], &[]).await?;
        // Where the path takes no external ids, the list shows that there is no such record.
        let is_harmless = refused.verdict == Verdict::Gone
            || matches!(&refused.verdict, Verdict::Rejected { code, .. } if *code == Code::WRONG_RECORD);
        assert!(is_harmless, "{:?}", refused.verdict);
        world.record(Object::Account, "old").map(drop)
    })
    .await
}

#[tokio::test]
async fn external_ids_of_any_characters_arrive_as_they_are() -> Result<(), Failure> {
    at_every_end(|world| async move {
        for id in ["a/b", "a?b#c", "100%", "ä ö", "a+b", "...", "a\\b"] {
            let made =
                world.deliver(Object::Account, id, UPSERT, Known::New, &account("Acme", "free"), &[]).await?;
            assert_eq!(applied(&made)?.1, Origin::Created);
            let (fields, sent) = (account("Acme", "pro"), account("Acme", "free"));
            let put = world.deliver(Object::Account, id, UPSERT, Known::Assumed, &fields, &sent).await?;
            applied(&put)?;
            assert_eq!(plan(&world.record(Object::Account, id)?), Some("pro"), "{id}");
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_record_that_is_seen_late_is_found_all_the_same() -> Result<(), Failure> {
    let world = World::new("dup=409,lag_ms=400").await?;
    world.vitally.seed(Seed::account("acme"))?;
    let made =
        world.deliver(Object::Account, "acme", UPSERT, Known::New, &account("Acme", "pro"), &[]).await?;
    applied(&made)?;
    assert_eq!(plan(&world.record(Object::Account, "acme")?), Some("pro"));
    Ok(())
}

#[tokio::test]
async fn a_user_with_a_used_address_is_said_to_be_another() -> Result<(), Failure> {
    let fields = [("email", Value::text("ada@acme.io")), ("accountIds", links(&["old"]))];
    for end in ["email_unique=409", "email_unique=merge"] {
        let world = World::new(end).await?;
        world.vitally.seed(Seed::user("u-1").email("ada@acme.io").account_link("beta"))?;
        let other = world.deliver(Object::User, "u-2", UPSERT, Known::New, &fields, &[]).await?;
        // Where the answer shows another user, nobody knows what was written: the next run looks before it writes.
        let is_refused = matches!(&other.verdict, Verdict::Rejected { code: Code::REFUSED, .. });
        let is_unsure = matches!(&other.verdict, Verdict::Unsure { why } if why.contains("u-1"));
        let is_told = if end == "email_unique=409" { is_refused } else { is_unsure };
        assert!(is_told, "with {end}: {:?}", other.verdict);
    }
    Ok(())
}

#[tokio::test]
async fn what_vitally_did_otherwise_is_noted() -> Result<(), Failure> {
    for (end, note) in [("account_name=ignore", "the name"), ("types=drop", "the trait `plan`")] {
        let world = World::new(end).await?;
        world.vitally.define("accounts", "plan", "number")?;
        let changed = world
            .deliver(Object::Account, "old", UPSERT, Known::Assumed, &account("New", "pro"), &[])
            .await?;
        let Verdict::Applied { notes, .. } = &changed.verdict else { panic!("{:?}", changed.verdict) };
        assert!(notes.iter().any(|text| text.contains(note)), "with {end}: {notes:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_trait_of_the_wrong_type_is_refused_in_vitallys_words() -> Result<(), Failure> {
    let world = World::new("types=400").await?;
    world.vitally.define("accounts", "plan", "number")?;
    let refused =
        world.deliver(Object::Account, "acme", UPSERT, Known::New, &account("Acme", "pro"), &[]).await?;
    let message = "validation failed: /traits/plan must be number".to_owned();
    assert_eq!(refused.verdict, Verdict::Rejected { code: Code::REFUSED, message });
    Ok(())
}

#[tokio::test]
async fn a_lost_answer_to_a_post_makes_no_second_record() -> Result<(), Failure> {
    let world = World::new("drop_after_commit=1").await?;
    let since = chrono::DateTime::from(std::time::SystemTime::now());
    let lost =
        world.deliver(Object::Account, "acme", UPSERT, Known::New, &account("Acme", "pro"), &[]).await?;
    assert!(matches!(lost.verdict, Verdict::Unsure { .. }), "{:?}", lost.verdict);
    assert_eq!(lost.calls.len(), 1);
    let unclear = Known::Unclear { since, id: None, origin: None };
    let found = world.deliver(Object::Account, "acme", UPSERT, unclear, &account("Acme", "pro"), &[]).await?;
    assert_eq!(applied(&found)?.1, Origin::Created);
    assert_eq!(world.vitally.count(RecordKind::Account), 3);
    Ok(())
}

#[tokio::test]
async fn answers_that_show_no_record_prove_no_write() -> Result<(), Failure> {
    for end in ["body=empty", "body=error", "post=204"] {
        let world = World::new(end).await?;
        let made =
            world.deliver(Object::Account, "acme", UPSERT, Known::New, &account("Acme", "pro"), &[]).await?;
        assert!(matches!(made.verdict, Verdict::Unsure { .. }), "with {end}: {:?}", made.verdict);
        // The next run looks before it writes: there is no second record.
        let since = chrono::DateTime::from(std::time::SystemTime::now());
        let unclear = Known::Unclear { since, id: None, origin: None };
        world.deliver(Object::Account, "acme", UPSERT, unclear, &account("Acme", "pro"), &[]).await?;
        assert_eq!(world.vitally.count(RecordKind::Account), 3, "with {end}");
    }
    Ok(())
}

#[tokio::test]
async fn a_path_that_denies_external_ids_is_not_believed_against_a_refused_post() -> Result<(), Failure> {
    for dup in ["409", "400"] {
        let world = World::new(&format!("ext_in_path=404,dup={dup}")).await?;
        let made =
            world.deliver(Object::Account, "old", UPSERT, Known::New, &account("New", "pro"), &[]).await?;
        assert_eq!(applied(&made)?, (world.id(Object::Account, "old"), Origin::Found), "{:#?}", made.calls);
        // From then on look-ups begin with the list.
        let insert = Deed::Write(Mode::Insert);
        let some =
            world.deliver(Object::Account, "beta", insert, Known::New, &account("New", "pro"), &[]).await?;
        assert_eq!((some.verdict, some.calls.len()), (Verdict::Exists, 1));
        assert_eq!(world.vitally.count(RecordKind::Account), 2);
    }
    Ok(())
}

#[tokio::test]
async fn a_path_that_denies_external_ids_is_not_believed_by_who_knows_no_other_id() -> Result<(), Failure> {
    for end in ["ext_in_path=on", "ext_in_path=404", "ext_in_path=off"] {
        for there in [true, false] {
            // Each deed begins without what another one learned.
            let update = Deed::Write(Mode::Update);
            let fields = account("New", "pro");
            let target = if there { "old" } else { "nobody" };
            let told =
                |delivery: &Delivery| format!("{:?} with {end}: {:#?}", delivery.verdict, delivery.calls);

            let world = World::new(end).await?;
            let updated = world.deliver(Object::Account, target, update, Known::New, &fields, &[]).await?;
            assert_eq!(applied(&updated).is_ok(), there, "{}", told(&updated));
            assert_eq!(updated.verdict == Verdict::Missing, !there, "{}", told(&updated));

            let world = World::new(end).await?;
            let insert = Deed::Write(Mode::Insert);
            let inserted = world.deliver(Object::Account, target, insert, Known::New, &fields, &[]).await?;
            assert_eq!(inserted.verdict == Verdict::Exists, there, "{}", told(&inserted));
            assert_eq!(applied(&inserted).is_ok(), !there, "{}", told(&inserted));

            let world = World::new(end).await?;
            let since = chrono::DateTime::from(std::time::SystemTime::now());
            let unclear = Known::Unclear { since, id: None, origin: None };
            let probe = Deed::Probe(Verb::Write);
            let probed = world.deliver(Object::Account, target, probe, unclear, &[], &[]).await?;
            assert_eq!(applied(&probed).is_ok(), there, "{}", told(&probed));

            let world = World::new(end).await?;
            let known = Known::There { id: None, origin: Origin::Created };
            let removed = world.deliver(Object::Account, target, Deed::Remove, known, &[], &[]).await?;
            assert_eq!(removed.verdict, Verdict::Gone, "{}", told(&removed));
            let left = if there { 1 } else { 2 };
            assert_eq!(world.vitally.count(RecordKind::Account), left, "{}", told(&removed));
        }
    }
    Ok(())
}
