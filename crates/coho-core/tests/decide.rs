//! The decision table: a test for each of its rows, and all combinations against an oracle written in another style.
//!
//! The rows are those of `docs/design/decision-table.md`; `decide/given.rs` has the words that the tests are given in,
//! `decide/cases.rs` all combinations, `decide/oracle.rs` the oracle.

#[path = "decide/given.rs"]
mod given;
#[path = "decide/cases.rs"]
mod cases;
#[path = "decide/oracle.rs"]
mod oracle;

use std::collections::BTreeSet;

use cases::{loose_memory, loose_row, policies, row_states, rows};
use coho_core::code::Code;
use coho_core::decide::{Completeness, Expired, Nature, Ownership, Policy, Reason, RunKind};
use coho_core::row_state::{DeliveryState, Due, Origin, Pending, RowState, Verb, Why};
use coho_core::sync::Removal;
use given::{
    GONE, LATER, NOW, PLAIN, Said, SourceRow, assumed, at, decide, delivered, open, other_mapping, other_row,
    released, removed, row_state, same, waiting,
};
use proptest::prelude::*;

/// What the table says of a key, as `(row, change, reason)`.
fn says(row: SourceRow, delivery: DeliveryState, pending: Pending, policy: Policy) -> Said {
    decide(row, Some(&row_state(delivery, pending)), &policy)
}

const EVENT: Policy = Policy { nature: Nature::Event { expired: Expired::No }, ..PLAIN };
const RESEND: Policy = Policy { run_kind: RunKind::Resend, ..PLAIN };
const BASELINE: Policy = Policy { run_kind: RunKind::Baseline, ..PLAIN };
const KEEP: Policy = Policy { removal: Removal::Keep, ..PLAIN };
const DELETE_CREATED: Policy = Policy { removal: Removal::DeleteCreated, ..PLAIN };
const SHARED: Policy = Policy { ownership: Ownership::Shared, ..PLAIN };

#[test]
fn row_01_baseline_learns_and_sends_nothing() {
    let expected = (1, "Learn", Reason::Baseline);
    assert_eq!(says(same(), DeliveryState::Never, Pending::None, BASELINE), expected);
    assert_eq!(says(other_row(), delivered(Origin::Found), open(Verb::Write), BASELINE), expected);
}

#[test]
fn row_02_open_intent_is_resolved_before_anything_else() {
    let expected = (2, "Resolve", Reason::OutcomeUnknown);
    for delivery in [DeliveryState::Never, assumed(), delivered(Origin::Created), released(), removed(1)] {
        for policy in [PLAIN, RESEND, EVENT] {
            assert_eq!(says(same(), delivery.clone(), open(Verb::Write), policy), expected);
        }
    }
    assert_eq!(says(same(), delivered(Origin::Created), open(Verb::Remove), PLAIN), expected);
}

#[test]
fn row_03_waiting_write_that_is_not_due_is_held_under_its_code() {
    let pending = waiting(Verb::Write, Why::Rejected, LATER);
    let expected = (3, "Hold", Reason::Waiting(Code::REFUSED));
    assert_eq!(says(same(), DeliveryState::Never, pending, PLAIN), expected);
}

#[test]
fn row_03_waiting_write_without_tries_left_is_held_until_it_changes() {
    let pending = waiting(Verb::Write, Why::Rejected, Due::OnChange);
    let expected = (3, "Hold", Reason::RetriesUsedUp);
    assert_eq!(says(same(), delivered(Origin::Created), pending, PLAIN), expected);
}

#[test]
fn row_04_waiting_write_that_is_due_is_retried_with_its_earlier_reason() {
    let reasons = [
        (Why::Rejected, Reason::RejectedEarlier),
        (Why::Deferred, Reason::DeferredEarlier),
        (Why::Skipped, Reason::SkippedEarlier),
    ];
    for (why, reason) in reasons {
        for due in [Due::At(NOW), Due::Always] {
            let pending = waiting(Verb::Write, why, due);
            assert_eq!(says(same(), DeliveryState::Never, pending, PLAIN), (4, "Retry", reason));
        }
    }
}

#[test]
fn row_04_waiting_write_is_retried_when_row_or_mapping_changed() {
    let expected = (4, "Retry", Reason::RejectedEarlier);
    for row in [other_row(), other_mapping()] {
        let pending = waiting(Verb::Write, Why::Rejected, Due::OnChange);
        assert_eq!(says(row, DeliveryState::Never, pending, PLAIN), expected);
    }
}

#[test]
fn row_04_waiting_write_is_retried_on_resend() {
    let pending = waiting(Verb::Write, Why::Rejected, Due::OnChange);
    let expected = (4, "Retry", Reason::RejectedEarlier);
    assert_eq!(says(same(), DeliveryState::Never, pending, RESEND), expected);
}

#[test]
fn row_05_event_is_sent_once_even_on_resend() {
    let expected = (5, "Unchanged", Reason::EventSent);
    for delivery in [assumed(), delivered(Origin::Created), released()] {
        let resend = Policy { run_kind: RunKind::Resend, ..EVENT };
        assert_eq!(says(other_row(), delivery.clone(), Pending::None, EVENT), expected);
        assert_eq!(says(other_row(), delivery, Pending::None, resend), expected);
    }
}

#[test]
fn row_06_key_without_memory_is_added() {
    let expected = (6, "Add", Reason::NewRecord);
    assert_eq!(says(same(), DeliveryState::Never, Pending::None, PLAIN), expected);
    assert_eq!(says(same(), DeliveryState::Never, Pending::None, EVENT), expected);
    assert_eq!(decide(same(), None, &PLAIN), expected);
}

#[test]
fn row_07_row_of_a_removed_record_adds_it_again() {
    let expected = (7, "Add", Reason::RecordReturned);
    assert_eq!(says(same(), removed(900), Pending::None, PLAIN), expected);
    assert_eq!(says(same(), removed(900), Pending::None, RESEND), expected);
}

#[test]
fn row_08_same_row_under_the_same_mapping_is_unchanged() {
    let expected = (8, "Unchanged", Reason::SameRow);
    assert_eq!(says(same(), delivered(Origin::Created), Pending::None, PLAIN), expected);
    assert_eq!(says(same(), assumed(), Pending::None, PLAIN), expected);
}

#[test]
fn row_08_returned_row_voids_a_waiting_delete() {
    let pending = waiting(Verb::Remove, Why::Rejected, Due::Always);
    let expected = (8, "Unchanged", Reason::SameRow);
    assert_eq!(says(same(), delivered(Origin::Created), pending, PLAIN), expected);
}

#[test]
fn row_09_changed_row_is_compared() {
    let expected = (9, "Compare", Reason::RowChanged);
    assert_eq!(says(other_row(), delivered(Origin::Created), Pending::None, PLAIN), expected);
    assert_eq!(says(other_row(), assumed(), Pending::None, PLAIN), expected);
}

#[test]
fn row_09_changed_mapping_is_compared() {
    let expected = (9, "Compare", Reason::MappingChanged);
    assert_eq!(says(other_mapping(), delivered(Origin::Found), Pending::None, PLAIN), expected);
}

#[test]
fn row_09_released_record_whose_row_is_back_is_compared() {
    let expected = (9, "Compare", Reason::Returned);
    assert_eq!(says(same(), released(), Pending::None, PLAIN), expected);
}

#[test]
fn row_09_memory_that_saw_no_row_is_compared() {
    let unseen = RowState { seen: None, ..row_state(delivered(Origin::Created), Pending::None) };
    assert_eq!(decide(same(), Some(&unseen), &PLAIN), (9, "Compare", Reason::RowChanged));
}

#[test]
fn row_10_resend_updates_what_is_the_same() {
    let expected = (10, "Update", Reason::Resend);
    for delivery in [assumed(), delivered(Origin::Created), released()] {
        assert_eq!(says(same(), delivery, Pending::None, RESEND), expected);
    }
}

#[test]
fn row_10_events_are_sent_again_only_where_that_is_asked_for() {
    let asked = Policy { run_kind: RunKind::ResendEvents, ..EVENT };
    let expected = (10, "Update", Reason::Resend);
    assert_eq!(says(same(), delivered(Origin::Created), Pending::None, asked), expected);
}

#[test]
fn row_11_absence_from_an_incomplete_source_means_nothing() {
    let absent = SourceRow::Absent(Completeness::Partial);
    let expected = (11, "Keep", Reason::SourceIncomplete);
    for pending in [Pending::None, open(Verb::Write), waiting(Verb::Remove, Why::Rejected, Due::Always)] {
        assert_eq!(says(absent, delivered(Origin::Created), pending, PLAIN), expected);
    }
}

#[test]
fn row_12_event_that_left_is_kept_until_its_retention_ends() {
    let expired = Policy { nature: Nature::Event { expired: Expired::Yes }, ..PLAIN };
    let expected = (12, "Keep", Reason::EventKept);
    assert_eq!(says(GONE, delivered(Origin::Created), Pending::None, EVENT), expected);
    let expected = (12, "Forget", Reason::EventExpired);
    assert_eq!(says(GONE, delivered(Origin::Created), Pending::None, expired), expected);
}

#[test]
fn row_13_open_intent_of_a_row_that_left_is_probed() {
    let expected = (13, "Probe", Reason::OutcomeUnknown);
    for policy in [PLAIN, KEEP, SHARED, EVENT] {
        assert_eq!(says(GONE, DeliveryState::Never, open(Verb::Write), policy), expected);
        assert_eq!(says(GONE, delivered(Origin::Created), open(Verb::Remove), policy), expected);
    }
}

#[test]
fn row_14_row_that_left_before_it_was_delivered_is_forgotten() {
    let expected = (14, "Forget", Reason::NeverDelivered);
    let rejected = waiting(Verb::Write, Why::Rejected, LATER);
    assert_eq!(says(GONE, DeliveryState::Never, rejected.clone(), PLAIN), expected);
    assert_eq!(says(GONE, DeliveryState::Never, rejected, EVENT), expected);
}

#[test]
fn row_15_assumed_record_is_never_ours_to_delete() {
    let expected = (15, "Keep", Reason::NotOurs);
    assert_eq!(says(GONE, assumed(), Pending::None, PLAIN), expected);
}

#[test]
fn row_16_released_record_stays_left() {
    let expected = (16, "Keep", Reason::LeftUnderKeep);
    assert_eq!(says(GONE, released(), Pending::None, PLAIN), expected);
    // It was back, waited, and left again.
    let expected = (16, "Release", Reason::LeftUnderKeep);
    assert_eq!(says(GONE, released(), waiting(Verb::Write, Why::Rejected, LATER), PLAIN), expected);
}

#[test]
fn row_17_removed_record_is_forgotten_after_its_retention() {
    let kept = (17, "Keep", Reason::RemovedEarlier);
    assert_eq!(says(GONE, removed(500), Pending::None, PLAIN), kept);
    let forgotten = (17, "Forget", Reason::RemovedEarlier);
    assert_eq!(says(GONE, removed(499), Pending::None, PLAIN), forgotten);
}

#[test]
fn row_18_keep_releases() {
    let expected = (18, "Release", Reason::RemovalKept);
    assert_eq!(says(GONE, delivered(Origin::Created), Pending::None, KEEP), expected);
}

#[test]
fn row_19_record_that_another_sync_claims_is_released() {
    let expected = (19, "Release", Reason::StillClaimed);
    assert_eq!(says(GONE, delivered(Origin::Created), Pending::None, SHARED), expected);
}

#[test]
fn row_20_record_that_existed_before_is_released() {
    let expected = (20, "Release", Reason::ExistedBefore);
    assert_eq!(says(GONE, delivered(Origin::Found), Pending::None, DELETE_CREATED), expected);
}

#[test]
fn row_21_waiting_delete_that_is_not_due_is_held_under_its_code() {
    let pending = waiting(Verb::Remove, Why::Rejected, LATER);
    let expected = (21, "Hold", Reason::Waiting(Code::REFUSED));
    assert_eq!(says(GONE, delivered(Origin::Created), pending, PLAIN), expected);
}

#[test]
fn row_21_waiting_delete_without_tries_left_is_held() {
    let pending = waiting(Verb::Remove, Why::Rejected, Due::OnChange);
    let expected = (21, "Hold", Reason::RetriesUsedUp);
    assert_eq!(says(GONE, delivered(Origin::Created), pending, DELETE_CREATED), expected);
}

#[test]
fn row_22_record_whose_row_left_is_removed() {
    let expected = (22, "Remove", Reason::RemovedFromModel);
    assert_eq!(says(GONE, delivered(Origin::Created), Pending::None, DELETE_CREATED), expected);
    assert_eq!(says(GONE, delivered(Origin::Found), Pending::None, PLAIN), expected);
}

#[test]
fn row_22_waiting_delete_is_repeated_when_due_or_on_resend() {
    let expected = (22, "Remove", Reason::RemovedFromModel);
    let due = waiting(Verb::Remove, Why::Rejected, Due::At(NOW));
    assert_eq!(says(GONE, delivered(Origin::Created), due, PLAIN), expected);
    let used_up = waiting(Verb::Remove, Why::Rejected, Due::OnChange);
    assert_eq!(says(GONE, delivered(Origin::Created), used_up, RESEND), expected);
}

#[test]
fn row_22_waiting_write_does_not_hold_a_removal() {
    let expected = (22, "Remove", Reason::RemovedFromModel);
    let pending = waiting(Verb::Write, Why::Rejected, LATER);
    assert_eq!(says(GONE, delivered(Origin::Created), pending, PLAIN), expected);
}

/// What the table and the oracle say of one case, in the same words.
type Told = Option<(u8, String, String)>;

fn both(row: SourceRow, row_state: Option<&RowState>, policy: &Policy) -> (Told, Told) {
    let (number, change, reason) = decide(row, row_state, policy);
    (Some((number, change.to_owned(), reason.to_string())), oracle::ask(row, row_state, policy))
}

/// Every combination of everything the table can tell apart: some 190 000 cases.
#[test]
fn every_combination_agrees_with_the_oracle_and_every_row_occurs() {
    let (row_states, policies) = (row_states(), policies());
    let mut reached = BTreeSet::new();
    for row in rows() {
        for row_state in &row_states {
            for policy in &policies {
                let (said, expected) = both(row, row_state.as_ref(), policy);
                assert_eq!(said, expected, "{row:?} {row_state:?} {policy:?}");
                reached.extend(said.map(|(row, ..)| row));
            }
        }
    }
    assert_eq!(reached, (1..=22).collect());
}

#[test]
fn oracle_has_every_row_in_the_order_of_the_table() {
    let rows: Vec<u8> = oracle::LINES.iter().map(|(row, ..)| *row).collect();
    assert!(rows.is_sorted());
    assert_eq!(rows.into_iter().collect::<BTreeSet<_>>(), (1..=22).collect());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_case_agrees_with_the_oracle(
        row in loose_row(),
        row_state in prop::option::weighted(0.9, loose_memory()),
        policy in prop::sample::select(policies()),
        now in 0..2_000i64,
        retention in 0..2_000i64,
    ) {
        let policy = Policy { now: at(now), forget_removed_before: at(retention), ..policy };
        let (said, expected) = both(row, row_state.as_ref(), &policy);
        prop_assert_eq!(said, expected);
    }

    #[test]
    fn nothing_is_written_while_a_baseline_is_learned(row_state in loose_memory(), row in loose_row()) {
        let (_, change, _) = decide(row, Some(&row_state), &BASELINE);
        prop_assert!(!["Add", "Compare", "Update", "Retry", "Resolve"].contains(&change));
    }

    /// Law 5: what the source did not give is only removed where the source was read to its end.
    #[test]
    fn absence_needs_completeness(row_state in loose_memory(), policy in prop::sample::select(policies())) {
        let (_, change, _) = decide(SourceRow::Absent(Completeness::Partial), Some(&row_state), &policy);
        prop_assert_eq!(change, "Keep");
    }
}
