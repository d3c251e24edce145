//! The decision table in another style: facts are words, a line matches where all of its words hold, and the first line
//! that matches decides. The lines stand in the order of `docs/design/decision-table.md`.

use std::collections::BTreeSet;

use coho_core::decide::{Completeness, Expired, Nature, Ownership, Policy, RunKind};
use coho_core::row_state::{DeliveryState, Due, Origin, Pending, RowState, Seen, Verb, Why};
use coho_core::sync::Removal;

use crate::given::SourceRow;

/// Row of the table, words that must hold, change, reason. `CODE` stands for the code of the last try.
pub(crate) const LINES: &[(u8, &str, &str, &str)] = &[
    (1, "present baseline", "Learn", "baseline"),
    (2, "present open", "Resolve", "outcome-unknown"),
    (3, "present wait-write not-due same-as-tried no-resend only-on-change", "Hold", "retries-used-up"),
    (3, "present wait-write not-due same-as-tried no-resend", "Hold", "CODE"),
    (4, "present wait-write rejected", "Retry", "rejected-earlier"),
    (4, "present wait-write deferred", "Retry", "deferred-earlier"),
    (4, "present wait-write skipped", "Retry", "skipped-earlier"),
    (5, "present event held no-events-asked", "Unchanged", "event-sent"),
    (6, "present never", "Add", "new-record"),
    (7, "present removed", "Add", "record-returned"),
    (8, "present assumed same-as-seen no-resend", "Unchanged", "same-row"),
    (8, "present delivered same-as-seen no-resend", "Unchanged", "same-row"),
    (9, "present released no-resend", "Compare", "returned"),
    (9, "present held no-resend other-mapping", "Compare", "mapping-changed"),
    (9, "present held no-resend", "Compare", "row-changed"),
    (10, "present held", "Update", "resend"),
    (11, "absent incomplete", "Keep", "source-incomplete"),
    (12, "absent event not-open ever expired", "Forget", "event-expired"),
    (12, "absent event not-open ever", "Keep", "event-kept"),
    (13, "absent open", "Probe", "outcome-unknown"),
    (14, "absent never", "Forget", "never-delivered"),
    (15, "absent assumed", "Keep", "not-ours"),
    (16, "absent released wait-write", "Release", "left-under-keep"),
    (16, "absent released wait-remove", "Release", "left-under-keep"),
    (16, "absent released", "Keep", "left-under-keep"),
    (17, "absent removed past-retention", "Forget", "removed-earlier"),
    (17, "absent removed", "Keep", "removed-earlier"),
    (18, "absent delivered keep", "Release", "removal-kept"),
    (19, "absent delivered claimed", "Release", "still-claimed"),
    (20, "absent delivered delete-created found", "Release", "existed-before"),
    (21, "absent delivered wait-remove not-due no-resend only-on-change", "Hold", "retries-used-up"),
    (21, "absent delivered wait-remove not-due no-resend", "Hold", "CODE"),
    (22, "absent delivered", "Remove", "removed-from-model"),
];

/// What the oracle says: row, change, reason. `None` where no line matches, which would be a hole in the table.
pub(crate) fn ask(
    row: SourceRow,
    row_state: Option<&RowState>,
    policy: &Policy,
) -> Option<(u8, String, String)> {
    let facts = facts(row, row_state, policy);
    let matches = |words: &str| words.split(' ').all(|word| facts.contains(word));
    let (row, _, change, reason) = LINES.iter().find(|(_, words, ..)| matches(words))?;
    let reason = if *reason == "CODE" { code(row_state)? } else { reason };
    Some((*row, (*change).to_owned(), reason.to_owned()))
}

fn code(row_state: Option<&RowState>) -> Option<&'static str> {
    if let Pending::Waiting { code, .. } = &row_state?.pending { Some(code.as_str()) } else { None }
}

fn facts(row: SourceRow, row_state: Option<&RowState>, policy: &Policy) -> BTreeSet<&'static str> {
    let mut facts = policy_facts(policy);
    let delivery = row_state.map_or(&DeliveryState::Never, |row_state| &row_state.delivery);
    let pending = row_state.map_or(&Pending::None, |row_state| &row_state.pending);
    facts.extend(standing_facts(delivery, policy));
    facts.extend(pending_facts(pending, policy));
    match row {
        SourceRow::Absent(Completeness::Complete) => facts.extend(["absent", "complete"]),
        SourceRow::Absent(Completeness::Partial) => facts.extend(["absent", "incomplete"]),
        SourceRow::Present(seen) => {
            facts.extend(["present"]);
            facts.extend(row_facts(seen, row_state));
        }
    }
    facts
}

fn row_facts(seen: Seen, row_state: Option<&RowState>) -> Vec<&'static str> {
    let before = row_state.and_then(|row_state| row_state.seen);
    let mut words = vec![];
    if before == Some(seen) {
        words.push("same-as-seen");
    }
    if before.is_some_and(|before| before.mapping != seen.mapping) {
        words.push("other-mapping");
    }
    if row_state.is_some_and(
        |row_state| matches!(&row_state.pending, Pending::Waiting { tried, .. } if *tried == seen),
    ) {
        words.push("same-as-tried");
    }
    words
}

fn policy_facts(policy: &Policy) -> BTreeSet<&'static str> {
    let run_kind: &[_] = match policy.run_kind {
        RunKind::Sync => &["no-resend", "no-events-asked"],
        RunKind::Baseline | RunKind::Adopt => &["baseline", "no-resend", "no-events-asked"],
        RunKind::Resend => &["resend", "no-events-asked"],
        RunKind::ResendEvents => &["resend"],
    };
    let nature: &[_] = match policy.nature {
        Nature::Record => &[],
        Nature::Event { expired: Expired::Yes } => &["event", "expired"],
        Nature::Event { expired: Expired::No } => &["event"],
    };
    let removal = match policy.removal {
        Removal::Keep => "keep",
        Removal::Delete => "delete",
        Removal::DeleteCreated => "delete-created",
    };
    let ownership = match policy.ownership {
        Ownership::OursAlone => "ours-alone",
        Ownership::Shared => "claimed",
    };
    run_kind.iter().chain(nature).copied().chain([removal, ownership]).collect()
}

fn standing_facts(delivery: &DeliveryState, policy: &Policy) -> Vec<&'static str> {
    match delivery {
        DeliveryState::Never => vec!["never"],
        DeliveryState::Assumed { .. } => vec!["assumed", "held", "ever"],
        DeliveryState::Released { .. } => vec!["released", "held", "ever"],
        DeliveryState::Delivered { origin: Origin::Created, .. } => {
            vec!["delivered", "held", "created", "ever"]
        }
        DeliveryState::Delivered { origin: Origin::Found, .. } => vec!["delivered", "held", "found", "ever"],
        DeliveryState::Removed { at } if *at < policy.forget_removed_before => {
            vec!["removed", "past-retention", "ever"]
        }
        DeliveryState::Removed { .. } => vec!["removed", "ever"],
    }
}

fn pending_facts(pending: &Pending, policy: &Policy) -> Vec<&'static str> {
    let (why, verb, due) = match pending {
        Pending::None => return vec!["not-open"],
        Pending::Open { .. } => return vec!["open"],
        Pending::Waiting { why, verb, due, .. } => (*why, *verb, *due),
    };
    let verb = match verb {
        Verb::Write => "wait-write",
        Verb::Remove => "wait-remove",
    };
    let why = match why {
        Why::Rejected => "rejected",
        Why::Deferred => "deferred",
        Why::Skipped => "skipped",
    };
    let due: &[_] = match due {
        Due::Always => &["due"],
        Due::At(time) if time <= policy.now => &["due"],
        Due::At(_) => &["not-due"],
        Due::OnChange => &["not-due", "only-on-change"],
    };
    [&["not-open", verb, why], due].concat()
}
