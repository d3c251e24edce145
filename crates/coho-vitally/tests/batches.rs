//! Laws of batches, over any operations and any answers: they end, every operation gets one verdict, and a message is the
//! same however often it is sent.

#[path = "support/operations.rs"]
mod operations;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use coho_core::code::Code;
use coho_core::json::Json;
use coho_core::object::Object;
use coho_core::operation::{Known, Operation};
use coho_core::row_state::Verb;
use coho_core::sync::Mode;
use coho_core::time::Time;
use coho_core::value::Value;
use coho_core::verdict::Verdict;
use coho_vitally::analytics::Outgoing;
use coho_vitally::analytics::batch::{Batch, BatchStep};
use coho_vitally::analytics::limits::{BatchLimits, Lessons};
use coho_vitally::request::{Answer, Reply};
use operations::{Deed, operation};
use proptest::prelude::*;

/// What Vitally answers on success.
const TAKEN: &str = r#"{"message":"Success."}"#;

fn reply(status: u16, body: &str) -> Answer {
    Answer::Reply(Reply {
        status,
        body: body.to_owned(),
        date: None,
        asked: Time::UNIX_EPOCH,
        elapsed: Duration::ZERO,
    })
}

#[expect(clippy::unwrap_used, reason = "the operations are written down here")]
fn account(number: usize) -> Operation {
    let fields = [("name", Value::text("Acme"))];
    let target = format!("a-{number}");
    operation(Object::Account, &target, Deed::Write(Mode::Upsert), Known::New, &fields, &[]).unwrap()
}

#[expect(clippy::unwrap_used, reason = "the operations are written down here")]
fn any_operation() -> impl Strategy<Value = Operation> {
    let object = prop::sample::select(Object::ALL.to_vec());
    let deed = prop_oneof![
        8 => Just(Deed::Write(Mode::Upsert)),
        2 => Just(Deed::Probe(Verb::Write)),
        1 => Just(Deed::Remove),
    ];
    (object, deed, 0_usize..6, 0_usize..5, any::<bool>()).prop_map(|(object, deed, name, links, unclear)| {
        let ids =
            |letter: &str| Value::Array((0..links).map(|n| Value::text(format!("{letter}{n}"))).collect());
        let fields = match object {
            Object::Organization | Object::Account => vec![("name", Value::text("x".repeat(name * 30)))],
            Object::User => vec![("accountIds", ids("a")), ("traits.n", Value::Int(7))],
            Object::Event => vec![("event", Value::text("Opened")), ("userId", Value::text("u"))],
        };
        let known = if unclear {
            Known::Unclear { since: Time::UNIX_EPOCH, id: None, origin: None }
        } else {
            Known::New
        };
        operation(object, &format!("r-{name}"), deed, known, &fields, &[]).unwrap()
    })
}

fn any_answer() -> impl Strategy<Value = Answer> {
    prop_oneof![
        8 => Just(reply(200, TAKEN)),
        8 => prop::sample::select(vec![reply(400, "a"), reply(400, "b"), reply(422, ""), reply(413, "")]),
        1 => prop::sample::select(vec![reply(401, ""), reply(404, ""), reply(429, ""), reply(302, "")]),
        2 => prop::sample::select(vec![reply(500, ""), reply(425, "")]),
        1 => Just(Answer::Lost { why: "timed out".to_owned() }),
        1 => Just(Answer::NotSent { why: "connection refused".to_owned() }),
    ]
}

/// What was sent, with its answer.
struct Told {
    messages: Vec<Json>,
    operations: Vec<usize>,
    answer: Answer,
}

#[expect(clippy::unwrap_used, reason = "what is sent is JSON")]
fn play(
    all: &[Operation],
    limits: BatchLimits,
    mut answer: impl FnMut(&[Json]) -> Answer,
) -> (Vec<Told>, Vec<Verdict>) {
    let outgoing: Vec<Outgoing<'_>> = all
        .iter()
        .enumerate()
        .map(|(number, operation)| Outgoing {
            operation,
            message_id: format!("m-{number}"),
            at: Time::UNIX_EPOCH,
        })
        .collect();
    let mut told = Vec::new();
    let mut step = Batch::start(&outgoing, limits, Lessons::default());
    loop {
        match step {
            BatchStep::Ask(request, operations, batch) => {
                let body = request.body.unwrap();
                assert!(told.len() < 5_000, "it never ends");
                let messages: Vec<Json> = serde_json::from_str(&body).unwrap();
                assert!(messages.len() <= limits.messages && !messages.is_empty());
                assert!(body.len() <= limits.bytes, "{} bytes", body.len());
                let answer = answer(&messages);
                step = batch.on(&answer);
                told.push(Told { messages, operations, answer });
            }
            BatchStep::Done(verdicts, _) => return (told, verdicts),
        }
    }
}

fn text<'j>(message: &'j Json, name: &str) -> &'j str {
    message.get(name).and_then(Json::as_str).unwrap_or_default()
}

fn log2(count: usize) -> usize {
    usize::try_from(count.next_power_of_two().trailing_zeros()).unwrap_or_default()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Every operation gets one verdict that the answers to its messages allow.
    #[test]
    fn every_operation_gets_one_verdict(
        all in prop::collection::vec(any_operation(), 0..30),
        answers in prop::collection::vec(any_answer(), 1..40),
        messages in 1_usize..20,
        bytes in 400_usize..4_000,
    ) {
        let mut answers = answers.into_iter().cycle();
        let next = |_: &[Json]| answers.next().unwrap_or_else(|| reply(200, TAKEN));
        let (told, verdicts) = play(&all, BatchLimits { messages, bytes }, next);
        prop_assert_eq!(verdicts.len(), all.len());
        for (number, verdict) in verdicts.iter().enumerate() {
            let calls: Vec<&Told> = told.iter().filter(|told| told.operations.contains(&number)).collect();
            let lost = calls.iter().any(|told| match &told.answer {
                Answer::Reply(reply) => matches!(reply.status, 425 | 500..),
                Answer::Lost { .. } => true,
                Answer::NotSent { .. } => false,
            });
            let taken = calls.iter().any(|told| matches!(&told.answer, Answer::Reply(reply) if reply.status == 200));
            match verdict {
                Verdict::Accepted => prop_assert!(taken && !lost),
                Verdict::Unsent { .. } => {
                    let never_left = |told: &&Told| matches!(told.answer, Answer::NotSent { .. });
                    let is_unclear = matches!(all[number].known, Known::Unclear { .. });
                    prop_assert!(!is_unclear && calls.iter().all(never_left));
                }
                Verdict::Rejected { .. } | Verdict::Halt { .. } => prop_assert!(!lost),
                Verdict::Unsure { .. } => {}
                Verdict::Applied { .. } | Verdict::Gone | Verdict::Missing | Verdict::Exists
                | Verdict::Ambiguous | Verdict::Deferred { .. } => prop_assert!(false, "{verdict:?}"),
            }
            if lost {
                prop_assert!(matches!(verdict, Verdict::Unsure { .. }), "{verdict:?}");
            }
        }
    }

    /// Two messages of one id are the same message, and no record is twice in one call but for a user's own links.
    #[test]
    fn a_message_is_the_same_however_often_it_is_sent(
        all in prop::collection::vec(any_operation(), 0..30),
        answers in prop::collection::vec(any_answer(), 1..40),
    ) {
        let mut answers = answers.into_iter().cycle();
        let next = |_: &[Json]| answers.next().unwrap_or_else(|| reply(200, TAKEN));
        let (told, _) = play(&all, BatchLimits::default(), next);
        let mut known: BTreeMap<String, Json> = BTreeMap::new();
        for told in told {
            let mut records = BTreeMap::new();
            for message in told.messages {
                let kind = text(&message, "type").to_owned();
                if kind != "track" {
                    let id = text(&message, "messageId").to_owned();
                    let before = known.insert(id, message.clone());
                    prop_assert!(before.is_none_or(|before| before == message));
                    let write: String = text(&message, "messageId").splitn(3, '-').take(2).collect();
                    let record = text(&message, &format!("{kind}Id")).to_owned();
                    let other = records.insert((kind, record), write.clone());
                    prop_assert!(other.is_none_or(|other| other == write));
                }
            }
        }
    }

    /// Halving finds exactly the bad ones, in few calls, and what follows keeps its order.
    #[test]
    fn halving_finds_exactly_the_bad_ones(count in 1_usize..=100, chosen in prop::collection::btree_set(0_usize..100, 0..60)) {
        let bad: BTreeSet<usize> = chosen.into_iter().filter(|number| *number < count).collect();
        let all: Vec<Operation> = (0..count).map(account).collect();
        let is_bad = |message: &Json| bad.iter().any(|number| text(message, "accountId") == format!("a-{number}"));
        let (told, verdicts) = play(&all, BatchLimits::default(), |messages| {
            let refused = messages.iter().find(|message| is_bad(message));
            refused.map_or_else(|| reply(200, TAKEN), |message| reply(400, text(message, "accountId")))
        });
        for (number, verdict) in verdicts.iter().enumerate() {
            if bad.contains(&number) {
                let message = format!("a-{number}");
                prop_assert_eq!(verdict, &Verdict::Rejected { code: Code::REFUSED, message });
            } else {
                prop_assert_eq!(verdict, &Verdict::Accepted);
            }
        }
        prop_assert!(told.len() <= 2 * bad.len() * log2(count) + 1, "{} calls for {bad:?} of {count}", told.len());
        let taken = told.iter().filter(|told| matches!(&told.answer, Answer::Reply(reply) if reply.status == 200));
        let order: Vec<&str> = taken.flat_map(|told| &told.messages).map(|message| text(message, "accountId")).collect();
        let wanted = (0..count).filter(|number| !bad.contains(number)).map(|number| format!("a-{number}"));
        prop_assert_eq!(order, wanted.collect::<Vec<_>>());
    }
}
