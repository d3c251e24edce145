//! Laws of the store, over random writes: every index says what a look through all records says, and a list by
//! creation meets what was there from the beginning exactly once, whatever is written between its pages.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::{Order, Store};
use crate::clock::SimulatorTime;
use crate::record::{RecordId, RecordKind, StoredRecord};
use crate::settings::IdSource;

/// A write by the number of its record.
#[derive(Debug, Clone)]
enum Write {
    Put { n: u64, at: i64, domain: u8, account: u64 },
    Delete { n: u64 },
}

fn write() -> impl Strategy<Value = Write> {
    prop_oneof![
        (1..12u64, 0..50i64, 0..3u8, 90..93u64).prop_map(|(n, at, domain, account)| Write::Put {
            n,
            at,
            domain,
            account
        }),
        (1..12u64).prop_map(|n| Write::Delete { n }),
    ]
}

fn store() -> Store {
    let mut store = Store::in_memory(IdSource::Sequential);
    for n in 90..93 {
        store.put(StoredRecord::new(RecordKind::Account, RecordId::nth(n), SimulatorTime::from_millis(0)));
    }
    store
}

/// A record keeps the time of its making, as the API sees to.
fn apply(store: &mut Store, write: &Write) {
    match write {
        Write::Put { n, at, domain, account } => {
            let id = RecordId::nth(*n);
            let made = store
                .get(RecordKind::User, id)
                .map_or(SimulatorTime::from_millis(*at), |record| record.created_at);
            store.put(StoredRecord {
                external_id: Some(format!("u-{n}")),
                updated_at: SimulatorTime::from_millis(*at),
                email: Some(format!("User{n}@d{domain}.io")),
                accounts: BTreeSet::from([RecordId::nth(*account)]),
                ..StoredRecord::new(RecordKind::User, id, made)
            });
        }
        Write::Delete { n } => store.delete(RecordKind::User, RecordId::nth(*n)),
    }
}

fn ids<'r>(records: impl IntoIterator<Item = &'r StoredRecord>) -> BTreeSet<RecordId> {
    records.into_iter().map(|record| record.id).collect()
}

proptest! {
    #[test]
    fn every_index_agrees_with_a_look_through_all_records(writes in prop::collection::vec(write(), 0..40)) {
        let mut store = store();
        for write in &writes {
            apply(&mut store, write);
        }
        let all: Vec<StoredRecord> =
            (1..12).filter_map(|n| store.get(RecordKind::User, RecordId::nth(n)).cloned()).collect();
        prop_assert_eq!(store.count(RecordKind::User), all.len());
        for order in [Order::CreatedAt, Order::UpdatedAt] {
            let listed: Vec<&StoredRecord> = store.in_order(RecordKind::User, order, None).collect();
            prop_assert_eq!(ids(listed.iter().copied()), ids(&all));
            prop_assert_eq!(listed.len(), all.len());
        }
        for record in &all {
            let external_id = record.external_id.as_deref().unwrap_or_default();
            prop_assert_eq!(store.by_external(RecordKind::User, external_id), Some(record));
            let email = record.email.as_deref().unwrap_or_default();
            prop_assert_eq!(store.by_email(&email.to_uppercase()), vec![record]);
        }
        for n in 0..3 {
            let domain = format!("d{n}.io");
            let wanted = all.iter().filter(|user| user.email.as_ref().is_some_and(|email| email.ends_with(&domain)));
            prop_assert_eq!(ids(store.by_email_domain(&domain)), ids(wanted));
        }
        for n in 90..93 {
            let account = RecordId::nth(n);
            let wanted = all.iter().filter(|user| user.accounts.contains(&account));
            prop_assert_eq!(store.users_of(account).collect::<BTreeSet<_>>(), ids(wanted));
        }
    }

    #[test]
    fn a_list_by_creation_meets_what_stays_exactly_once(
        before in prop::collection::vec(write(), 0..30),
        between in prop::collection::vec(write(), 0..12),
    ) {
        let mut store = store();
        for write in &before {
            apply(&mut store, write);
        }
        let at_first = ids(store.in_order(RecordKind::User, Order::CreatedAt, None));
        let mut gone = BTreeSet::new();
        let mut met = Vec::new();
        let mut after = None;
        let mut writes = between.iter();
        loop {
            let page = store.in_order(RecordKind::User, Order::CreatedAt, after).take(2);
            let page: Vec<(SimulatorTime, RecordId)> = page.map(|record| (record.created_at, record.id)).collect();
            met.extend(page.iter().map(|(_, id)| *id));
            let Some(last) = page.last() else { break };
            after = Some(*last);
            if let Some(write) = writes.next() {
                if let Write::Delete { n } = write {
                    gone.insert(RecordId::nth(*n));
                }
                apply(&mut store, write);
            }
        }
        let stayed: BTreeSet<RecordId> = at_first.difference(&gone).copied().collect();
        for id in stayed {
            prop_assert_eq!(met.iter().filter(|other| **other == id).count(), 1);
        }
    }
}
