//! Users: the people at a customer. A user needs an account or an organization: [`CATALOG`] has the rule and its text.

use super::{Catalog, FieldKind, Object, Owners, Source, external_id, kept, optional};

const SOURCE: Source =
    Source { page: "https://docs.vitally.io/en/articles/9880661-rest-api-users", day: "2026-11-24" };

pub(super) const CATALOG: Catalog = Catalog {
    fields: &[
        external_id(SOURCE),
        optional("name", FieldKind::Text, SOURCE),
        optional("email", FieldKind::Text, SOURCE),
        optional("avatar", FieldKind::Text, SOURCE),
        optional("joinDate", FieldKind::Timestamp, SOURCE),
        optional("unsubscribedFromConversations", FieldKind::Bool, SOURCE),
        optional("accountIds", FieldKind::References(Object::Account), SOURCE),
        optional("organizationIds", FieldKind::References(Object::Organization), SOURCE),
    ],
    read_only: &[
        kept("id"),
        kept("createdAt"),
        kept("updatedAt"),
        kept("firstKnown"),
        kept("lastSeenTimestamp"),
        kept("lastInboundMessageTimestamp"),
        kept("lastOutboundMessageTimestamp"),
        kept("npsLastScore"),
        kept("npsLastFeedback"),
        kept("npsLastRespondedAt"),
        kept("unsubscribedFromConversationsAt"),
        kept("deactivatedAt"),
        kept("permanentlyBounced"),
        kept("segments"),
        kept("accounts"),
        kept("organizations"),
    ],
    owners: Some(Owners {
        any_of: &["accountIds", "organizationIds"],
        text: "Must specify at least one of: accountIds or organizationIDs",
    }),
    source: SOURCE,
};
