//! What of a row differs from what Vitally holds, as far as that is known.

use std::borrow::Cow;

use coho_core::fields::{FieldDiff, FieldValue, Rendered, Rendering, Sent, diff_fields};
use coho_core::row_state::{DeliveryState, Pending, RowState};
use coho_core::sync::NullPolicy;
use coho_core::value::Value;
use coho_ledger::returned::Met;

/// What is to be sent of a row. What other keys sent of its record counts as much as what the row itself did; where other syncs
/// had to do with it, nobody knows whether it is still the same one.
pub(super) fn differences(rendered: &Rendered, row_state: Option<&RowState>, met: &Met) -> FieldDiff {
    // Nothing is left of a record that was removed meanwhile.
    if met.keys.iter().any(|other| matches!(other.delivery, DeliveryState::Removed { .. })) {
        return diff_fields(rendered, &Sent::new());
    }
    field_diff(rendered, row_state, met)
}

/// What differs from what Vitally holds. Where an earlier write may have arrived, that counts too: what it may have set is
/// cleared like what is known to be set, and what nobody knows is not remembered.
fn field_diff(rendered: &Rendered, row_state: Option<&RowState>, met: &Met) -> FieldDiff {
    let nothing = Sent::new();
    let sent = row_state.and_then(|row_state| row_state.delivery.sent()).unwrap_or(&nothing);
    let sent = &*sure(rendered, sent, met);
    let Some(Pending::Open { would_send, .. }) = row_state.map(|row_state| &row_state.pending) else {
        return diff_fields(rendered, sent);
    };
    let mut either = sent.clone();
    either
        .extend(would_send.iter().filter(|(_, value)| !value.is_null()).map(|(p, v)| (p.clone(), v.clone())));
    let mut field_diff = diff_fields(&cleared_again(rendered, sent, would_send), &either);
    let FieldDiff { complete, would_send: remembered, .. } = &mut field_diff;
    remembered.retain(|path, value| {
        complete.contains_key(path) || [sent, would_send].iter().all(|held| held.get(path) == Some(value))
    });
    field_diff
}

/// What Vitally surely holds of what a row sent, whoever else had its record meanwhile.
fn sure<'a>(rendered: &Rendered, sent: &'a Sent, met: &Met) -> Cow<'a, Sent> {
    if *met == Met::default() {
        return Cow::Borrowed(sent);
    }
    let mut sent = contested(rendered, sent, &met.keys);
    if met.syncs {
        sent.retain(|path, held| match rendered.fields.get(path) {
            Some(Rendering::Set(wanted)) => is_other(held, wanted),
            Some(Rendering::Null(_)) | None => true,
        });
    }
    Cow::Owned(sent)
}

/// A clear that was unclear is repeated. What it was to take away came from a write that was unclear too, or it would be among
/// what was acknowledged, and by itself a null that follows clears only what is known to be set.
fn cleared_again(rendered: &Rendered, sent: &Sent, would_send: &Sent) -> Rendered {
    let mut rendered = rendered.clone();
    for (path, rendering) in &mut rendered.fields {
        let was_to_go = would_send.get(path).is_some_and(Value::is_null) && !sent.contains_key(path);
        if was_to_go && *rendering == Rendering::Null(NullPolicy::Follow) {
            *rendering = Rendering::Null(NullPolicy::Clear);
        }
    }
    rendered
}

/// What Vitally surely holds, where several keys wrote one record and nobody knows which was the last: what all of them sent
/// alike. A field that the row sets otherwise counts as what one of them sent and the row does not, and one that it nulls as set.
fn contested(rendered: &Rendered, sent: &Sent, others: &[RowState]) -> Sent {
    let mut sure = sent.clone();
    for other in others.iter().filter_map(|other| other.delivery.sent()) {
        for (path, value) in other {
            sure.entry(path.clone()).or_insert_with(|| value.clone());
        }
        sure.retain(|path, value| {
            let theirs = other.get(path);
            if let Some(theirs) = theirs.filter(|theirs| value.is_null() && !theirs.is_null()) {
                *value = theirs.clone();
            }
            let agreed = theirs == Some(value) && sent.get(path) == Some(value);
            match rendered.fields.get(path) {
                Some(Rendering::Set(_)) if agreed => true,
                Some(Rendering::Set(wanted)) => {
                    let odd =
                        [sent.get(path), theirs].into_iter().flatten().find(|held| is_other(held, wanted));
                    *value = odd.cloned().unwrap_or(Value::Null);
                    odd.is_some()
                }
                Some(Rendering::Null(_)) | None => true,
            }
        });
    }
    sure
}

/// Whether a plain value that was sent is another one than the row has. What is known of it is kept, since an address that changes is
/// looked up first. Links are sent again in any case.
fn is_other(held: &Value, wanted: &FieldValue) -> bool {
    matches!(wanted, FieldValue::Value(wanted) if wanted != held)
}

#[cfg(test)]
mod tests {
    use coho_core::digest::Digest;
    use coho_core::fields::FieldValue;
    use coho_core::path::FieldPath;
    use coho_core::row_state::{Origin, Verb};
    use coho_core::sync::Associations;
    use coho_core::target::ExternalId;
    use coho_core::time::Time;
    use coho_core::value::Value;

    use super::*;

    fn sent(fields: &[(&str, &str)]) -> Sent {
        fields.iter().map(|(path, text)| (FieldPath::new(path), Value::text(*text))).collect()
    }

    /// An account that was delivered with the plan `free`, and whose plan `pro` may have arrived since.
    fn unclear() -> RowState {
        let delivery = DeliveryState::Delivered {
            sent: sent(&[("name", "Acme"), ("traits.plan", "free")]),
            n: 1,
            id: None,
            origin: Origin::Created,
        };
        let pending = Pending::Open {
            operation: Digest::of(b"earlier"),
            would_send: sent(&[("name", "Acme"), ("traits.plan", "pro")]),
            verb: Verb::Write,
            since: Time::UNIX_EPOCH,
        };
        RowState { target: ExternalId::parse("acme").unwrap(), delivery, pending, seen: None, version: 1 }
    }

    fn rendered(plan: Rendering) -> Rendered {
        let name = Rendering::Set(FieldValue::Value(Value::text("Acme")));
        Rendered {
            target: ExternalId::parse("acme").unwrap(),
            fields: [(FieldPath::new("name"), name), (FieldPath::new("traits.plan"), plan)].into(),
            absent_traits: None,
            associations: Associations::Add,
        }
    }

    #[test]
    fn of_an_unclear_write_only_what_both_sides_agree_on_or_is_sent_now_is_remembered() {
        let omitted =
            differences(&rendered(Rendering::Null(NullPolicy::Omit)), Some(&unclear()), &Met::default());
        assert_eq!(omitted.would_send, sent(&[("name", "Acme")]));
        for plan in ["free", "pro"] {
            let set = Rendering::Set(FieldValue::Value(Value::text(plan)));
            let field_diff = differences(&rendered(set), Some(&unclear()), &Met::default());
            assert_eq!(field_diff.would_send, sent(&[("name", "Acme"), ("traits.plan", plan)]));
        }
    }

    /// The first unclear write set the plan, the second one cleared it: `pro` may be there, and was never acknowledged.
    #[test]
    fn a_clear_that_was_unclear_is_repeated() {
        let mut row_state = unclear();
        row_state.delivery = DeliveryState::Delivered {
            sent: sent(&[("name", "Acme")]),
            n: 1,
            id: None,
            origin: Origin::Created,
        };
        let cleared = |row_state: &RowState| {
            let null = Rendering::Null(NullPolicy::Follow);
            let found = differences(&rendered(null), Some(row_state), &Met::default());
            found.differences.into_iter().map(|one| (one.path, one.after)).collect::<Vec<_>>()
        };
        let plan = [(FieldPath::new("traits.plan"), Value::Null)];
        assert_eq!(cleared(&row_state), plan, "after the first");
        if let Pending::Open { would_send, .. } = &mut row_state.pending {
            would_send.insert(FieldPath::new("traits.plan"), Value::Null);
        }
        assert_eq!(cleared(&row_state), plan, "after the second");
        if let DeliveryState::Delivered { sent, .. } = &mut row_state.delivery {
            sent.insert(FieldPath::new("traits.plan"), Value::Null);
        }
        assert_eq!(cleared(&row_state), [], "what a person typed since it was cleared stays");
    }
}
