//! Laws of late messages, over random ones: where the newer timestamp wins, no delay and no order of application changes
//! what a record says in the end; and whatever is sent twice under one id is applied once.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::route::Path;
use super::{answer, settle};
use crate::clock::SimulatorTime;
use crate::message::MessageType;
use crate::record::RecordKind;
use crate::rest::{Asked, Received, Turn};
use crate::settings::IdSource;
use crate::store::Store;
use crate::switches::Switches;

/// A message about the one account: when it was made, and the members that it writes.
type Sent = (u8, Vec<(u8, u8)>);

fn sent() -> impl Strategy<Value = Vec<Sent>> {
    let members = prop::collection::vec((0..4u8, 0..9u8), 1..4);
    prop::collection::btree_map(0..50u8, members, 1..12).prop_map(|by_time| by_time.into_iter().collect())
}

fn asked((made, members): &Sent) -> Asked {
    let traits: Map<String, Value> =
        members.iter().map(|(key, value)| (format!("k{key}"), json!(value))).collect();
    let body = json!({
        "accountId": "acme", "messageId": format!("m-{made}"), "traits": traits,
        "timestamp": SimulatorTime::from_millis(i64::from(*made) * 1_000).to_string(),
    });
    Asked {
        method: "POST".to_owned(),
        path: String::new(),
        query: None,
        authorization: None,
        content_type: Some("application/json".to_owned()),
        body: Received::Whole(body.to_string().into_bytes()),
    }
}

/// What the account says after these messages, sent a second apart, and how many of them were applied.
fn traits_after(messages: &[Sent], switches: &Switches) -> (Map<String, Value>, usize) {
    let mut store = Store::in_memory(IdSource::Sequential);
    let mut now = SimulatorTime::from_millis(1_000_000);
    let mut applied = 0;
    for message in messages {
        let mut turn = Turn { store: &mut store, switches, now };
        applied += settle(&mut turn, now);
        answer(&mut turn, Path::Single(MessageType::Account), &asked(message));
        now = now.plus(1_000);
    }
    let now = now.plus(1_000_000);
    applied += settle(&mut Turn { store: &mut store, switches, now }, now);
    let traits = store.by_external(RecordKind::Account, "acme").map(|account| account.traits.clone());
    (sorted(traits.unwrap_or_default()), applied)
}

fn sorted(traits: Map<String, Value>) -> Map<String, Value> {
    let mut members: Vec<(String, Value)> = traits.into_iter().collect();
    members.sort_by(|(a, _), (b, _)| a.cmp(b));
    members.into_iter().collect()
}

/// What the newest timestamps say.
fn newest(messages: &[Sent]) -> Map<String, Value> {
    let mut messages = messages.to_vec();
    messages.sort_by_key(|(made, _)| *made);
    let members = messages.into_iter().flat_map(|(_, members)| members);
    sorted(members.map(|(key, value)| (format!("k{key}"), json!(value))).collect())
}

proptest! {
    #[test]
    fn neither_delay_nor_order_changes_what_the_newest_timestamps_say(
        messages in sent().prop_flat_map(|messages| Just(messages).prop_shuffle()),
        delay in 0..5u32,
    ) {
        let text = format!("late-analytics,apply_delay={delay}s");
        let switches: Switches = text.parse().unwrap();
        prop_assert_eq!(traits_after(&messages, &switches).0, newest(&messages));
    }

    #[test]
    fn what_is_sent_twice_under_one_id_is_applied_once(messages in sent()) {
        let twice: Vec<Sent> = messages.iter().flat_map(|message| [message.clone(), message.clone()]).collect();
        let switches: Switches = "apply_delay=2s,reorder=on".parse().unwrap();
        prop_assert_eq!(traits_after(&twice, &switches).1, messages.len());
    }
}
