//! Users: the people at a customer. A user needs an account or an organization: [`CATALOG`] has the rule and its text.

use super::{Catalog, Editable, Field, FieldKind, Object, Owners, Required, Source, kept};

const SOURCE: Source =
    Source { page: "https://docs.vitally.io/en/articles/9880661-rest-api-users", day: "2026-11-24" };

const fn optional(name: &'static str, kind: FieldKind) -> Field {
    Field { name, kind, required: Required::No, editable: Editable::Always, source: SOURCE }
}

pub(super) const CATALOG: Catalog = Catalog {
    fields: &[
        Field {
            name: "externalId",
            kind: FieldKind::Text,
            required: Required::OnCreate,
            editable: Editable::OnCreate,
            source: SOURCE,
        },
        optional("name", FieldKind::Text),
        optional("email", FieldKind::Text),
        optional("avatar", FieldKind::Text),
        optional("joinDate", FieldKind::Timestamp),
        optional("unsubscribedFromConversations", FieldKind::Bool),
        optional("accountIds", FieldKind::References(Object::Account)),
        optional("organizationIds", FieldKind::References(Object::Organization)),
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
