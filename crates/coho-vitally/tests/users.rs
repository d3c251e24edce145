//! Users that are matched by their e-mail address, and users whose links are exact: at both ends of each thing that
//! Vitally's documentation leaves open, the same records in the end, and the right verdict.
//!
//! Real HTTP against the simulator, both of its APIs.

#[path = "support/ends.rs"]
mod ends;
#[path = "support/operations.rs"]
mod operations;
#[path = "support/vitally.rs"]
mod vitally;

use coho_core::code::Code;
use coho_core::object::Object;
use coho_core::operation::{Known, Operation};
use coho_core::row_state::{Origin, Verb};
use coho_core::sync::{Associations, Mode};
use coho_core::target::{ExternalId, VitallyId};
use coho_core::value::Value;
use coho_core::verdict::Verdict;
use coho_simulator::{RecordKind, Running, Seed, SimulatorTime, StoredRecord};
use coho_vitally::client::{Client, Delivery};
use coho_vitally::resolved::{Match, Resolved, Unlinking};
use ends::ENDS;
use operations::{Deed, by_email, operation_with};
use vitally::{Failure, client, settings, simulator, with_analytics};

const UPSERT: Deed = Deed::Write(Mode::Upsert);

type Fields = Vec<(&'static str, Value)>;

/// A workspace in which two accounts and an organization were made long ago.
struct World {
    vitally: Running,
    client: Client,
    resolved: Resolved,
}

impl World {
    async fn new(switches: &str) -> Result<Self, Failure> {
        let vitally = simulator(switches).await?;
        let mut resolved = Resolved::new().with_unlinking(Unlinking::Possible);
        let seeds = [Seed::account("acme"), Seed::account("beta"), Seed::organization("group")];
        for (object, seed) in [Object::Account, Object::Account, Object::Organization].into_iter().zip(seeds)
        {
            let external_id = ExternalId::parse(seed.external_id.as_deref().unwrap_or_default())?;
            let id = vitally.seed(seed.name("Old").made_at(long_ago()))?;
            resolved.insert(object, external_id, VitallyId::new(id.to_string()));
        }
        let client = Client::new(with_analytics(settings(&vitally.url())?)?)?;
        Ok(Self { vitally, client, resolved })
    }

    /// A user whom another system made.
    fn seed(&self, external_id: &str, address: &str) -> Result<VitallyId, Failure> {
        let seed = Seed::user(external_id).email(address).name("Old").account_link("beta");
        Ok(VitallyId::new(self.vitally.seed(seed.made_at(long_ago()))?.to_string()))
    }

    async fn deliver(&self, operation: &Operation) -> Delivery {
        self.client.deliver(operation, &self.resolved).await
    }

    fn user(&self, external_id: &str) -> Result<StoredRecord, Failure> {
        let user = self.vitally.record(RecordKind::User, external_id);
        user.ok_or_else(|| format!("there is no user {external_id}").into())
    }

    fn users(&self) -> usize {
        self.vitally.count(RecordKind::User)
    }
}

fn long_ago() -> SimulatorTime {
    SimulatorTime::from_millis(1_600_000_000_000)
}

fn ids(names: &[&str]) -> Value {
    Value::Array(names.iter().map(|name| Value::text(*name)).collect())
}

fn user(address: &str, name: &str) -> Fields {
    vec![("email", Value::text(address)), ("name", Value::text(name)), ("accountIds", ids(&["acme"]))]
}

/// An operation on u-7, matched by the address among its fields.
fn matched(deed: Deed, known: Known, fields: &Fields, sent: &Fields) -> Result<Operation, Failure> {
    let address = fields.iter().find(|(path, _)| *path == "email").and_then(|(_, value)| value.as_text());
    let target = (Object::User, "u-7");
    let operation = operation_with(Associations::Add, target, deed, known, fields, sent)?;
    Ok(by_email(operation, address.unwrap_or_default()))
}

/// An operation on u-7 that wants these links and no others.
fn exact(known: Known, accounts: &Value, sent: &Value) -> Result<Operation, Failure> {
    let fields = |accounts: &Value| vec![("name", Value::text("Ada")), ("accountIds", accounts.clone())];
    let target = (Object::User, "u-7");
    operation_with(Associations::Exact, target, UPSERT, known, &fields(accounts), &fields(sent))
}

fn applied(delivery: &Delivery) -> Result<(Option<VitallyId>, Origin, Vec<String>), Failure> {
    if let Verdict::Applied { id, origin, notes, .. } = &delivery.verdict {
        return Ok((id.clone(), *origin, notes.clone()));
    }
    Err(format!("{:?} after {:#?}", delivery.verdict, delivery.calls).into())
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
async fn nobody_has_the_address_and_the_user_is_created() -> Result<(), Failure> {
    at_every_end(|world| async move {
        let fields = user("ada+test@acme.io", "Ada");
        let made = world.deliver(&matched(UPSERT, Known::New, &fields, &Fields::new())?).await;
        let (id, origin, notes) = applied(&made)?;
        assert_eq!((origin, notes.len(), made.calls.len()), (Origin::Created, 0, 2));

        // Its address changes: the new one is searched, and its id is what finds it.
        let moved = user("ada@acme.io", "Ada");
        let there = Known::There { id: id.clone(), origin };
        let put = world.deliver(&matched(UPSERT, there, &moved, &fields)?).await;
        assert_eq!((applied(&put)?.0, put.calls.len()), (id, 2));
        assert_eq!(world.user("u-7")?.email.as_deref(), Some("ada@acme.io"));
        assert_eq!(world.users(), 1);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_user_under_another_external_id_is_found_and_keeps_it() -> Result<(), Failure> {
    at_every_end(|world| async move {
        let old = world.seed("x", "Ada@Acme.io")?;
        let fields = user("ada@acme.io", "Ada");
        for known in [Known::New, Known::Assumed] {
            let put = world.deliver(&matched(UPSERT, known, &fields, &Fields::new())?).await;
            let (id, origin, notes) = applied(&put)?;
            assert_eq!((id.as_ref(), origin, put.calls.len()), (Some(&old), Origin::Found, 2));
            let note = "user `ada@acme.io` has the external id `x` in Vitally, not `u-7`, and keeps it";
            assert_eq!(notes, [note]);
        }
        let there = Known::There { id: Some(old), origin: Origin::Found };
        let renamed = user("ada@acme.io", "Ada B.");
        let put = world.deliver(&matched(UPSERT, there, &renamed, &fields)?).await;
        assert_eq!((applied(&put)?.2.len(), put.calls.len()), (0, 1));
        let record = world.user("x")?;
        assert_eq!((record.name.as_deref(), record.accounts.len()), (Some("Ada B."), 2));
        assert_eq!(world.users(), 1);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_address_of_two_users_is_ambiguous_and_nothing_is_written() -> Result<(), Failure> {
    at_every_end(|world| async move {
        world.seed("x", "ada@acme.io")?;
        world.seed("y", "ADA@acme.io")?;
        let fields = user("ada@acme.io", "Ada");
        let there = Known::There { id: None, origin: Origin::Created };
        for (deed, known) in
            [(UPSERT, Known::New), (Deed::Write(Mode::Update), Known::New), (Deed::Remove, there)]
        {
            let none = world.deliver(&matched(deed, known, &fields, &Fields::new())?).await;
            assert_eq!((none.verdict, none.calls.len()), (Verdict::Ambiguous, 1));
        }
        assert_eq!((world.users(), world.user("x")?.name.as_deref()), (2, Some("Old")));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn update_and_insert_by_address_do_what_their_mode_says() -> Result<(), Failure> {
    at_every_end(|world| async move {
        let fields = user("ada@acme.io", "Ada");
        let (update, insert) = (Deed::Write(Mode::Update), Deed::Write(Mode::Insert));
        let none = world.deliver(&matched(update, Known::New, &fields, &Fields::new())?).await;
        assert_eq!((none.verdict, none.calls.len()), (Verdict::Missing, 1));
        let made = world.deliver(&matched(insert, Known::New, &fields, &Fields::new())?).await;
        assert_eq!((applied(&made)?.1, made.calls.len()), (Origin::Created, 2));
        let there = world.deliver(&matched(insert, Known::New, &fields, &Fields::new())?).await;
        assert_eq!(there.verdict, Verdict::Exists);
        let put =
            world.deliver(&matched(update, Known::New, &user("ADA@acme.io", "A."), &Fields::new())?).await;
        assert_eq!(applied(&put)?.1, Origin::Found);
        assert_eq!((world.users(), world.user("u-7")?.name.as_deref()), (1, Some("A.")));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_external_id_in_use_gets_the_address_whatever_a_post_does() -> Result<(), Failure> {
    at_every_end(|world| async move {
        let old = world.seed("u-7", "old@acme.io")?;
        let fields = user("ada@acme.io", "Ada");
        let put = world.deliver(&matched(UPSERT, Known::New, &fields, &Fields::new())?).await;
        let (id, origin, _) = applied(&put)?;
        assert_eq!((id, origin), (Some(old), Origin::Found));
        assert_eq!((world.user("u-7")?.email.as_deref(), world.users()), (Some("ada@acme.io"), 1));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_new_address_that_somebody_has_is_refused() -> Result<(), Failure> {
    at_every_end(|world| async move {
        let id = Some(world.seed("u-7", "old@acme.io")?);
        world.seed("u-9", "ada@acme.io")?;
        let known = Known::There { id, origin: Origin::Found };
        let (fields, sent) = (user("ada@acme.io", "Ada"), user("old@acme.io", "Ada"));
        let refused = world.deliver(&matched(UPSERT, known, &fields, &sent)?).await;
        let message = "the user u-9 already has the e-mail address `ada@acme.io` in Vitally".to_owned();
        assert_eq!(refused.verdict, Verdict::Rejected { code: Code::AMBIGUOUS_MATCH, message });
        assert_eq!(world.user("u-7")?.email.as_deref(), Some("old@acme.io"));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_user_is_removed_by_address_and_never_by_external_id() -> Result<(), Failure> {
    at_every_end(|world| async move {
        world.seed("x", "ada@acme.io")?;
        world.seed("u-7", "somebody@acme.io")?;
        let there = Known::There { id: None, origin: Origin::Created };
        let fields = user("ada@acme.io", "Ada");
        for calls in [2, 1] {
            let gone = world.deliver(&matched(Deed::Remove, there.clone(), &fields, &Fields::new())?).await;
            assert_eq!((gone.verdict, gone.calls.len()), (Verdict::Gone, calls));
        }
        assert_eq!((world.users(), world.user("u-7")?.email.as_deref()), (1, Some("somebody@acme.io")));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn an_unclear_write_by_address_makes_no_second_user() -> Result<(), Failure> {
    at_every_end(|world| async move {
        let since = chrono::DateTime::from(std::time::SystemTime::now());
        let unclear = Known::Unclear { since, id: None, origin: None };
        let fields = user("ada@acme.io", "Ada");
        // The write arrived without its address.
        world.vitally.seed(Seed::user("u-7").account_link("acme"))?;
        let seen = world
            .deliver(&matched(Deed::Probe(Verb::Write), unclear.clone(), &fields, &Fields::new())?)
            .await;
        assert_eq!(applied(&seen)?.1, Origin::Created);
        let ours = world.deliver(&matched(UPSERT, unclear, &fields, &Fields::new())?).await;
        assert_eq!(applied(&ours)?.1, Origin::Created);
        assert_eq!((world.users(), world.user("u-7")?.email.as_deref()), (1, Some("ada@acme.io")));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_user_that_is_seen_late_is_found_after_the_conflict() -> Result<(), Failure> {
    let world = World::new("email_unique=409,lag_ms=400").await?;
    world.vitally.seed(Seed::user("x").email("ada@acme.io").account_link("acme"))?;
    let put = world.deliver(&matched(UPSERT, Known::New, &user("ada@acme.io", "Ada"), &Fields::new())?).await;
    assert_eq!(applied(&put)?.2.len(), 1, "{:#?}", put.calls);
    assert_eq!((world.users(), world.user("x")?.name.as_deref()), (1, Some("Ada")));
    Ok(())
}

#[tokio::test]
async fn what_the_caller_found_is_not_searched_again() -> Result<(), Failure> {
    at_every_end(|world| async move {
        let fields = user("ada@acme.io", "Ada");
        let operation = matched(UPSERT, Known::New, &fields, &Fields::new())?;
        let none = world.client.search_email("ada@acme.io").await;
        assert_eq!((none.id(), none.calls.len()), (None, 1));
        let resolved = world.resolved.clone();
        let made = world.client.deliver(&operation, &resolved.clone().with_match(Match::None)).await;
        assert_eq!((applied(&made)?.1, made.calls.len()), (Origin::Created, 1));
        let found = world.client.search_email("ADA@ACME.IO").await;
        let coho_vitally::lookup::LookupResult::Found(record) = found.finding else {
            return Err(format!("{:?}", found.finding).into());
        };
        let put = world.client.deliver(&operation, &resolved.with_match(Match::One(record))).await;
        assert_eq!((applied(&put)?.1, put.calls.len(), world.users()), (Origin::Found, 1, 1));
        Ok(())
    })
    .await
}

#[tokio::test]
async fn exact_links_are_those_of_the_row_and_no_others() -> Result<(), Failure> {
    at_every_end(|world| async move {
        let none = Value::Array(Vec::new());
        let made = world.deliver(&exact(Known::New, &ids(&["acme", "beta"]), &none)?).await;
        let (id, origin, _) = applied(&made)?;
        assert_eq!((made.calls.len(), world.user("u-7")?.accounts.len()), (1, 2));
        let there = Known::There { id, origin };

        let less = world.deliver(&exact(there.clone(), &ids(&["beta"]), &ids(&["acme", "beta"]))?).await;
        assert_eq!(applied(&less)?.2, [""; 0], "{:#?}", less.calls);
        world.vitally.flush()?;
        assert_eq!(world.user("u-7")?.accounts.len(), 1, "{:#?}", less.calls);

        let all = world.deliver(&exact(there, &Value::Null, &ids(&["beta"]))?).await;
        applied(&all)?;
        world.vitally.flush()?;
        assert_eq!(world.user("u-7")?.accounts.len(), 0, "{:#?}", all.calls);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn exact_without_the_analytics_api_says_who_stays() -> Result<(), Failure> {
    for (end, left) in [("assoc=add", 1), ("assoc=replace", 0)] {
        let world = World::new(end).await?;
        let id = Some(world.seed("u-7", "ada@acme.io")?);
        let known = Known::There { id, origin: Origin::Found };
        let resolved = world.resolved.clone().with_unlinking(Unlinking::NoToken);
        let client = client(&world.vitally.url())?;
        let put = client.deliver(&exact(known, &ids(&["acme"]), &ids(&["beta"]))?, &resolved).await;
        let (_, _, notes) = applied(&put)?;
        assert_eq!(
            (notes.len(), world.user("u-7")?.accounts.len()),
            (left, 1 + left),
            "with {end}: {notes:?}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn an_unlink_that_is_refused_leaves_the_row_to_be_tried_again() -> Result<(), Failure> {
    let world = World::new("blocked_types=unlink").await?;
    let id = Some(world.seed("u-7", "ada@acme.io")?);
    let known = Known::There { id, origin: Origin::Found };
    let refused = world.deliver(&exact(known, &ids(&["acme"]), &ids(&["beta"]))?).await;
    let is_failed =
        matches!(&refused.verdict, Verdict::Rejected { code, .. } if *code == Code::UNLINK_FAILED);
    assert!(is_failed, "{:?}", refused.verdict);
    assert_eq!(world.user("u-7")?.accounts.len(), 2);
    Ok(())
}
