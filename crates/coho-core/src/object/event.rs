//! Events: what happened at a customer. An event needs an account, an organization or a user: [`CATALOG`] has the rule and
//! its text. Its `messageId` is what tells it from others: it is the target, and stands in no field.

use super::{Catalog, FieldKind, Object, Owners, Source, optional, required};

const SOURCE: Source =
    Source { page: "https://docs.vitally.io/en/articles/9874149-analytics-api-track", day: "2026-11-24" };

pub(super) const CATALOG: Catalog = Catalog {
    fields: &[
        required("event", FieldKind::Text, SOURCE),
        optional("timestamp", FieldKind::Timestamp, SOURCE),
        optional("accountId", FieldKind::ExternalId(Object::Account), SOURCE),
        optional("organizationId", FieldKind::ExternalId(Object::Organization), SOURCE),
        optional("userId", FieldKind::ExternalId(Object::User), SOURCE),
    ],
    read_only: &[],
    owners: Some(Owners {
        any_of: &["accountId", "organizationId", "userId"],
        text: "Must specify at least one of: accountIds, organizationIDs, user_id",
    }),
    source: SOURCE,
};
