//! Laws of exchanges, over any operation and any answers: they end, they never panic, and what they call done was proved.

#[path = "support/operations.rs"]
mod operations;
#[path = "support/script.rs"]
mod script;

use std::time::Duration;

use coho_core::code::Code;
use coho_core::object::Object;
use coho_core::operation::{Action, Known, Operation};
use coho_core::plan::Calls;
use coho_core::row_state::{Origin, Verb};
use coho_core::sync::{Api, Associations, Mode};
use coho_core::target::{ExternalId, VitallyId};
use coho_core::time::Time;
use coho_core::value::Value;
use coho_core::verdict::Verdict;
use coho_testkit::mutated;
use coho_vitally::address::Paths;
use coho_vitally::exchange;
use coho_vitally::request::{Answer, Method, Reply, Request};
use coho_vitally::resolved::{Resolved, Unlinking};
use operations::{Deed, by_email, operation, operation_with};
use proptest::prelude::*;
use script::{Script, run};

const ID: &str = "00000000-0000-4000-8000-00000000000a";
const EMAIL: &str = "ada@acme.io";
const OTHER: &str = "00000000-0000-4000-8000-00000000000b";

fn time(seconds: i64) -> Time {
    Time::from_timestamp(seconds, 0).unwrap_or_default()
}

fn known() -> impl Strategy<Value = Known> {
    let id = prop_oneof![Just(None), Just(Some(VitallyId::new(ID)))];
    let origin = prop_oneof![Just(Origin::Created), Just(Origin::Found)];
    prop_oneof![
        Just(Known::New),
        Just(Known::Assumed),
        (id.clone(), origin.clone()).prop_map(|(id, origin)| Known::There { id, origin }),
        (id, proptest::option::of(origin)).prop_map(|(id, origin)| Known::Unclear {
            since: time(1_000),
            id,
            origin
        }),
    ]
}

#[expect(clippy::unwrap_used, reason = "the operations are written down here")]
fn any_operation() -> impl Strategy<Value = Operation> {
    let deed = prop_oneof![
        4 => Just(Deed::Write(Mode::Upsert)),
        2 => Just(Deed::Write(Mode::Update)),
        2 => Just(Deed::Write(Mode::Insert)),
        2 => Just(Deed::Remove),
        1 => Just(Deed::Probe(Verb::Write)),
        1 => Just(Deed::Probe(Verb::Remove)),
    ];
    let object = prop::sample::select(Object::RECORDS.to_vec());
    let target = prop::sample::select(vec!["acme", "a/b", OTHER]);
    let matching = (any::<bool>(), any::<bool>());
    let all = (object, target, deed, known(), any::<bool>(), matching);
    all.prop_map(|(object, target, deed, known, is_fresh, (is_by_email, is_exact))| {
        let mut fields = vec![("name", Value::text("Acme")), ("traits.plan", Value::text("pro"))];
        if object == Object::User {
            fields.push(("accountIds", Value::Array(vec![Value::text("owner")])));
            fields.push(("email", Value::text(EMAIL)));
        }
        let before = vec![("name", Value::text("Acme")), ("email", Value::text("old@acme.io"))];
        let sent = if is_fresh { vec![] } else { before };
        let associations = if is_exact { Associations::Exact } else { Associations::Add };
        let operation = operation_with(associations, (object, target), deed, known, &fields, &sent).unwrap();
        if is_by_email { by_email(operation, EMAIL) } else { operation }
    })
}

fn body() -> impl Strategy<Value = String> {
    let record = |id: &str, external: &str, at: &str| {
        format!(
            r#"{{"id":"{id}","externalId":"{external}","email":"{EMAIL}","createdAt":"{at}","updatedAt":"{at}","accounts":[{{"id":"x","externalId":"extra"}}]}}"#
        )
    };
    let records = ["acme", "a/b", OTHER, "other"].into_iter().flat_map(|external| {
        ["1970-01-01T00:00:00Z", "1970-01-01T00:33:20Z"].map(|at| record(ID, external, at))
    });
    let mut bodies: Vec<String> = records.collect();
    let pages = bodies.iter().map(|record| format!(r#"{{"results":[{record}],"next":"c"}}"#));
    bodies.extend(pages.collect::<Vec<_>>());
    bodies.push(record(OTHER, "other", "1970-01-01T00:33:20Z"));
    let odd = ["", "{}", "[]", "null", "<html>no</html>", r#"{"id":7}"#, r#"{"error":"already exists"}"#];
    bodies.extend(odd.map(str::to_owned));
    bodies.push(r#"{"error":"Given ID expected to be a UUID"}"#.to_owned());
    bodies.push(r#"{"error":"no account with this id"}"#.to_owned());
    prop::sample::select(bodies)
}

/// A body that was damaged on its way, with a status of success.
fn damaged() -> impl Strategy<Value = Answer> {
    (body(), any::<u64>()).prop_map(|(body, seed)| {
        let body = String::from_utf8_lossy(&mutated(body.as_bytes(), seed)).into_owned();
        let (date, elapsed) = (None, Duration::from_millis(20));
        Answer::Reply(Reply { status: 200, body, date, asked: time(2_000), elapsed })
    })
}

fn answer() -> impl Strategy<Value = Answer> {
    let status = prop_oneof![
        6 => prop::sample::select(vec![200_u16, 201, 204]),
        6 => prop::sample::select(vec![400_u16, 404, 409, 422]),
        1 => prop::sample::select(vec![100_u16, 301, 401, 403, 408, 410, 413, 429, 500, 503, 599]),
    ];
    let date = prop_oneof![Just(None), Just(Some(time(2_000)))];
    let reply = (status, body(), date).prop_map(|(status, body, date)| {
        Answer::Reply(Reply { status, body, date, asked: time(2_000), elapsed: Duration::from_millis(20) })
    });
    prop_oneof![
        20 => reply,
        1 => Just(Answer::Lost { why: "timed out".to_owned() }),
        1 => Just(Answer::NotSent { why: "connection refused".to_owned() }),
    ]
}

/// All that was asked, with the answers, and the verdict.
#[expect(clippy::unwrap_used, reason = "the external id is written down here")]
fn play(
    operation: &Operation,
    answers: &[Answer],
    paths: Paths,
) -> (Vec<(Request, Answer)>, Option<Verdict>) {
    let owner = ExternalId::parse("owner").unwrap();
    let resolved: Resolved = [((Object::Account, owner), VitallyId::new(OTHER))].into_iter().collect();
    let resolved = resolved.with_unlinking(Unlinking::Possible);
    let (mut script, mut paths) = (Script::new(answers.to_vec()), paths);
    let verdict = run(exchange::deliver(&mut script, operation, &resolved, &mut paths));
    (script.told, verdict)
}

/// Writes of records, and looks that follow one another.
fn calls(told: &[(Request, Answer)]) -> (u64, u64) {
    let is_look = |(request, _): &&(Request, Answer)| request.method == Method::Get;
    let rest = |(request, _): &&(Request, Answer)| request.api == Api::Rest;
    let writes = told.iter().filter(|call| rest(call) && !is_look(call)).count() as u64;
    let looks = told
        .chunk_by(|one, other| is_look(&one) && is_look(&other))
        .filter(|calls| calls.iter().all(|call| is_look(&call)));
    (writes, looks.count() as u64)
}

/// How many calls more than planned refused writes may cost: a look and another write each. The most of an upsert or update counts
/// one of them.
fn surprises(operation: &Operation, told: &[(Request, Answer)]) -> u64 {
    let is_refusal = |answer: &Answer| matches!(answer, Answer::Reply(Reply { status: 400..=499, .. }));
    let refused = told.iter().filter(|(request, answer)| request.method != Method::Get && is_refusal(answer));
    let counted = match &operation.action {
        Action::Write { mode: Mode::Upsert | Mode::Update, .. } => 1,
        Action::Write { mode: Mode::Insert, .. } | Action::Remove | Action::Probe { .. } => 0,
    };
    2 * (refused.count() as u64).saturating_sub(counted)
}

fn is_success(answer: &Answer) -> bool {
    matches!(answer, Answer::Reply(Reply { status: 200..=299, .. }))
}

fn paths() -> impl Strategy<Value = Paths> {
    prop_oneof![
        3 => Just(Paths::default()),
        1 => Just(Object::RECORDS.into_iter().fold(Paths::default(), Paths::only_vitallys)),
    ]
}

/// Where links are to be exact, each that is lost costs a call, and all together a read: the answer to a write may not tell them.
#[test]
fn lost_links_cost_a_call_each_and_a_read() {
    let links = |ids: &[&str]| Value::Array(ids.iter().map(|id| Value::text(*id)).collect());
    let known = || Known::There { id: Some(VitallyId::new(ID)), origin: Origin::Found };
    let most = |before: &[&str], after: &[&str]| {
        let (fields, sent) = ([("accountIds", links(after))], [("accountIds", links(before))]);
        let deed = Deed::Write(Mode::Upsert);
        let record = (Object::User, "u-1");
        let operation = operation_with(Associations::Exact, record, deed, known(), &fields, &sent).unwrap();
        exchange::cost(&operation).most
    };
    assert_eq!(most(&["a"], &["a", "b"]), 3 + 1);
    assert_eq!(most(&["a", "b"], &["b"]), 3 + 1 + 1);
    assert_eq!(most(&["a", "b", "c"], &["b"]), 3 + 1 + 2);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn an_exchange_ends_within_four_writes_and_one_post(
        operation in any_operation(),
        answers in prop::collection::vec(answer(), 32),
        paths in paths(),
    ) {
        let (told, verdict) = play(&operation, &answers, paths);
        prop_assert!(verdict.is_some(), "{told:#?}");
        let rest: Vec<_> = told.iter().filter(|(request, _)| request.api == Api::Rest).collect();
        let count = |method: Method| rest.iter().filter(|(request, _)| request.method == method).count();
        prop_assert!(told.len() - rest.len() <= 1, "{told:#?}");
        prop_assert!(count(Method::Post) <= 1, "{told:#?}");
        prop_assert!(count(Method::Put) <= 3, "{told:#?}");
        prop_assert!(count(Method::Delete) <= 1, "{told:#?}");
    }

    #[test]
    fn damaged_replies_end_with_a_verdict(
        operation in any_operation(),
        answers in prop::collection::vec(damaged(), 32),
        paths in paths(),
    ) {
        let (told, verdict) = play(&operation, &answers, paths);
        prop_assert!(verdict.is_some(), "{told:#?}");
        let posts = told.iter().filter(|(request, _)| request.api == Api::Rest && request.method == Method::Post);
        prop_assert!(posts.count() <= 1, "{told:#?}");
    }

    #[test]
    fn what_is_called_done_was_proved(
        operation in any_operation(),
        answers in prop::collection::vec(answer(), 32),
        paths in paths(),
    ) {
        let (told, verdict) = play(&operation, &answers, paths);
        let last = told.last();
        match verdict {
            Some(Verdict::Applied { .. }) => {
                prop_assert!(last.is_some_and(|(_, answer)| is_success(answer)), "{told:#?}");
            }
            Some(Verdict::Gone) => {
                let is_absent = last.is_some_and(|(request, answer)| match answer {
                    Answer::Reply(reply) => {
                        reply.status == 404
                            // Of a DELETE, 410 is what it asked for.
                            || (request.method == Method::Delete && reply.status == 410)
                            || (request.method != Method::Get && is_success(answer))
                            || (request.path.contains('?') && is_success(answer))
                    }
                    Answer::Lost { .. } | Answer::NotSent { .. } => false,
                });
                prop_assert!(is_absent, "{told:#?}");
            }
            Some(_) | None => {}
        }
    }

    /// Law 6: while a write may have arrived, nothing closes its intent but an answer.
    #[test]
    fn a_lost_write_is_never_called_anything_but_unsure(
        operation in any_operation(),
        answers in prop::collection::vec(answer(), 32),
        paths in paths(),
    ) {
        let (told, verdict) = play(&operation, &answers, paths);
        let lost = told.iter().any(|(request, answer)| {
            request.method != Method::Get
                && matches!(answer, Answer::Lost { .. } | Answer::Reply(Reply { status: 408 | 500.., .. }))
        });
        if lost {
            prop_assert!(matches!(verdict, Some(Verdict::Unsure { .. })), "{verdict:?} {told:#?}");
        }
        if matches!(operation.known, Known::Unclear { .. }) {
            prop_assert!(!matches!(verdict, Some(Verdict::Unsent { .. })), "{told:#?}");
        }
    }

    /// Nothing is deleted whose id was neither remembered nor read with the right external id.
    #[test]
    fn nothing_is_deleted_unverified(
        operation in any_operation(),
        answers in prop::collection::vec(answer(), 32),
        paths in paths(),
    ) {
        let (told, _) = play(&operation, &answers, paths);
        if told.iter().any(|(request, _)| request.method == Method::Delete) {
            let remembered = matches!(
                &operation.known,
                Known::There { id: Some(_), .. } | Known::Unclear { id: Some(_), .. }
            );
            let external = match &operation.email {
                Some(email) if operation.object == Object::User => format!(r#""email":"{email}""#),
                Some(_) | None => format!(r#""externalId":"{}""#, operation.target),
            };
            let verified = told.iter().any(|(request, answer)| {
                request.method == Method::Get
                    && matches!(answer, Answer::Reply(reply) if reply.body.contains(&external))
            });
            prop_assert!(remembered || verified, "{told:#?}");
        }
    }

    /// Where an address finds the record, nothing is deleted by an external id, and nothing is written by one that was not
    /// looked up.
    #[test]
    fn a_user_matched_by_address_is_never_deleted_by_external_id(
        operation in any_operation(),
        answers in prop::collection::vec(answer(), 32),
    ) {
        let is_matched = operation.object == Object::User && operation.email.is_some();
        let (told, _) = play(&operation, &answers, Paths::default());
        for (at, (request, _)) in told.iter().enumerate().filter(|_| is_matched) {
            let is_by_id = [ID, OTHER].iter().any(|id| request.path == format!("/resources/users/{id}"));
            let is_seen = told.iter().take(at).any(|(earlier, _)| earlier.path == request.path);
            prop_assert!(request.method != Method::Delete || is_by_id, "{told:#?}");
            prop_assert!(request.method != Method::Put || is_by_id || is_seen, "{told:#?}");
        }
    }

    /// What a plan says of an exchange's calls holds, whatever is answered: how many are made before anything is called done,
    /// and how many at most. A look counts as one call, however often and by however many pages it is repeated.
    #[test]
    fn the_cost_of_an_exchange_holds(
        operation in any_operation(),
        answers in prop::collection::vec(answer(), 32),
        paths in paths(),
    ) {
        // Only users are matched by their addresses.
        let email = operation.email.clone().filter(|_| operation.object == Object::User);
        let operation = Operation { email, ..operation };
        let (told, verdict) = play(&operation, &answers, paths);
        let Calls { least, most } = exchange::cost(&operation);
        let (writes, looks) = calls(&told);
        if matches!(verdict, Some(Verdict::Applied { .. })) {
            prop_assert!(writes + looks >= least, "{writes} and {looks}, at least {least}: {told:#?}");
        }
        let surprises = surprises(&operation, &told);
        prop_assert!(
            writes + looks <= most + surprises,
            "{writes} and {looks}, at most {most}, {surprises} surprises: {told:#?}"
        );
    }

    /// Nothing that was written is called `wrong-record` or deferred before a look said so.
    #[test]
    fn a_uuid_shaped_external_id_is_never_put_unverified(
        known in prop_oneof![Just(Known::Assumed), Just(Known::There { id: None, origin: Origin::Created })],
        answers in prop::collection::vec(answer(), 32),
    ) {
        let fields = [("name", Value::text("Acme"))];
        let deed = Deed::Write(Mode::Upsert);
        let operation = operation(Object::Account, OTHER, deed, known, &fields, &[]).unwrap();
        let (told, verdict) = play(&operation, &answers, Paths::default());
        prop_assert_eq!(told[0].0.method, Method::Get);
        if told.len() == 1 && matches!(verdict, Some(Verdict::Rejected { code: Code::WRONG_RECORD, .. })) {
            prop_assert!(is_success(&told[0].1));
        }
    }
}
