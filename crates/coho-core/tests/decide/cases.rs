//! The cases of `../decide.rs`: lists of everything that the table can tell apart, and strategies beyond them.

use coho_core::decide::{Completeness, Expired, Nature, Ownership, Policy, RunKind};
use coho_core::row_state::{DeliveryState, Due, Origin, Pending, RowState, Verb, Why};
use coho_core::sync::Removal;
use proptest::prelude::*;

use crate::given::{
    GONE, LATER, NOW, PLAIN, SourceRow, assumed, at, delivered, open, other_mapping, other_row, released,
    removed, row_state, same, seen, waiting,
};

pub(crate) fn rows() -> Vec<SourceRow> {
    let partial = SourceRow::Absent(Completeness::Partial);
    vec![same(), other_row(), other_mapping(), GONE, partial]
}

pub(crate) fn row_states() -> Vec<Option<RowState>> {
    let counts = [
        DeliveryState::Never,
        assumed(),
        delivered(Origin::Created),
        delivered(Origin::Found),
        released(),
        removed(499),
        removed(500),
    ];
    let mut row_states = vec![None];
    for delivery in counts {
        for pending in pendings() {
            for seen in [None, Some(seen("row", "mapping")), Some(seen("third row", "mapping"))] {
                row_states.push(Some(RowState { seen, ..row_state(delivery.clone(), pending.clone()) }));
            }
        }
    }
    row_states
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
    for run_kind in [RunKind::Sync, RunKind::Baseline, RunKind::Adopt, RunKind::Resend, RunKind::ResendEvents]
    {
        for nature in natures {
            for removal in Removal::ALL {
                for ownership in [Ownership::OursAlone, Ownership::Shared] {
                    policies.push(Policy { run_kind, nature, removal, ownership, ..PLAIN });
                }
            }
        }
    }
    policies
}

prop_compose! {
    /// Times and contents that the finite list above does not have.
    pub(crate) fn loose_memory()(
        delivery in prop_oneof![
            Just(DeliveryState::Never),
            Just(assumed()),
            prop::sample::select(vec![Origin::Created, Origin::Found]).prop_map(delivered),
            Just(released()),
            (0..2_000i64).prop_map(removed),
        ],
        pending in prop::sample::select(pendings()),
        due in prop_oneof![(0..2_000i64).prop_map(|second| Due::At(at(second))), Just(Due::Always)],
        tried in ("[ab]", "[ab]"),
        before in prop::option::of(("[ab]", "[ab]")),
    ) -> RowState {
        let pending = if let Pending::Waiting { why, code, tries, verb, .. } = pending {
            Pending::Waiting { why, code, tried: seen(&tried.0, &tried.1), tries, due, verb }
        } else {
            pending
        };
        RowState { seen: before.map(|(row, mapping)| seen(&row, &mapping)), ..row_state(delivery, pending) }
    }
}

pub(crate) fn loose_row() -> impl Strategy<Value = SourceRow> {
    prop_oneof![
        8 => ("[ab]", "[ab]").prop_map(|(row, mapping)| SourceRow::Present(seen(&row, &mapping))),
        6 => Just(GONE),
        1 => Just(SourceRow::Absent(Completeness::Partial)),
    ]
}
