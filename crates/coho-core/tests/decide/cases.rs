//! The cases of `../decide.rs`: lists of everything that the table can tell apart, and strategies beyond them.

use coho_core::decide::{Claim, Completeness, Expired, Nature, Policy, Purpose};
use coho_core::memory::{Due, Memory, Origin, Pending, Standing, Verb, Why};
use coho_core::sync::Removal;
use proptest::prelude::*;

use crate::given::{
    GONE, LATER, NOW, PLAIN, RowState, assumed, at, delivered, memory, open, other_mapping, other_row,
    released, removed, same, seen, waiting,
};

pub(crate) fn rows() -> Vec<RowState> {
    let partial = RowState::Absent(Completeness::Partial);
    vec![same(), other_row(), other_mapping(), GONE, partial]
}

pub(crate) fn memories() -> Vec<Option<Memory>> {
    let standings = [
        Standing::Never,
        assumed(),
        delivered(Origin::Created),
        delivered(Origin::Found),
        released(),
        removed(499),
        removed(500),
    ];
    let mut memories = vec![None];
    for standing in standings {
        for pending in pendings() {
            for seen in [None, Some(seen("row", "mapping")), Some(seen("third row", "mapping"))] {
                memories.push(Some(Memory { seen, ..memory(standing.clone(), pending.clone()) }));
            }
        }
    }
    memories
}

pub(crate) fn pendings() -> Vec<Pending> {
    let mut pendings = vec![Pending::None];
    for verb in [Verb::Write, Verb::Remove] {
        pendings.push(open(verb));
        for why in [Why::Rejected, Why::Deferred, Why::Skipped] {
            for due in [Due::Always, Due::At(NOW), LATER, Due::OnChange] {
                pendings.push(waiting(verb, why, due));
            }
        }
    }
    pendings
}

pub(crate) fn policies() -> Vec<Policy> {
    let natures =
        [Nature::Record, Nature::Event { expired: Expired::No }, Nature::Event { expired: Expired::Yes }];
    let mut policies = Vec::new();
    for purpose in [Purpose::Sync, Purpose::Baseline, Purpose::Adopt, Purpose::Resend, Purpose::ResendEvents]
    {
        for nature in natures {
            for removal in Removal::ALL {
                for claim in [Claim::OursAlone, Claim::Shared] {
                    policies.push(Policy { purpose, nature, removal, claim, ..PLAIN });
                }
            }
        }
    }
    policies
}

prop_compose! {
    /// Times and contents that the finite list above does not have.
    pub(crate) fn loose_memory()(
        standing in prop_oneof![
            Just(Standing::Never),
            Just(assumed()),
            prop::sample::select(vec![Origin::Created, Origin::Found]).prop_map(delivered),
            Just(released()),
            (0..2_000i64).prop_map(removed),
        ],
        pending in prop::sample::select(pendings()),
        due in prop_oneof![(0..2_000i64).prop_map(|second| Due::At(at(second))), Just(Due::Always)],
        tried in ("[ab]", "[ab]"),
        before in prop::option::of(("[ab]", "[ab]")),
    ) -> Memory {
        let pending = if let Pending::Waiting { why, code, tries, verb, .. } = pending {
            Pending::Waiting { why, code, tried: seen(&tried.0, &tried.1), tries, due, verb }
        } else {
            pending
        };
        Memory { seen: before.map(|(row, mapping)| seen(&row, &mapping)), ..memory(standing, pending) }
    }
}

pub(crate) fn loose_row() -> impl Strategy<Value = RowState> {
    prop_oneof![
        8 => ("[ab]", "[ab]").prop_map(|(row, mapping)| RowState::Present(seen(&row, &mapping))),
        6 => Just(GONE),
        1 => Just(RowState::Absent(Completeness::Partial)),
    ]
}
