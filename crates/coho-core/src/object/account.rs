//! Accounts: Vitally's customers.

use super::{Catalog, FieldKind, Object, Source, external_id, kept, mirrored, optional, required};

const SOURCE: Source =
    Source { page: "https://docs.vitally.io/en/articles/9880654-rest-api-accounts", day: "2026-11-24" };

pub(super) const CATALOG: Catalog = Catalog {
    fields: &[
        external_id(SOURCE),
        required("name", FieldKind::Text, SOURCE),
        optional("organizationId", FieldKind::Reference(Object::Organization), SOURCE),
    ],
    read_only: &[
        kept("id"),
        kept("createdAt"),
        kept("updatedAt"),
        mirrored("mrr", "map it to traits.mrr"),
        mirrored("nextRenewalDate", "map it to traits.nextRenewalDate"),
        mirrored("churnedAt", "map it to traits.churnedAt"),
        mirrored("trialEndDate", "map it to traits.trialEndDate"),
        kept("accountOwnerId"),
        kept("firstSeenTimestamp"),
        kept("lastSeenTimestamp"),
        kept("lastInboundMessageTimestamp"),
        kept("lastOutboundMessageTimestamp"),
        kept("usersCount"),
        kept("npsDetractorCount"),
        kept("npsPassiveCount"),
        kept("npsPromoterCount"),
        kept("npsScore"),
        kept("healthScore"),
        kept("csmId"),
        kept("accountExecutiveId"),
        kept("keyRoles"),
        kept("segments"),
    ],
    owners: None,
    source: SOURCE,
};
