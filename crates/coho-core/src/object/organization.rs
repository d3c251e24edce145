//! Organizations: groups of accounts, in workspaces that have the hierarchy switched on.

use super::{Catalog, FieldKind, Source, external_id, kept, mirrored, required};

const SOURCE: Source =
    Source { page: "https://docs.vitally.io/en/articles/9880652-rest-api-organizations", day: "2026-11-24" };

pub(super) const CATALOG: Catalog = Catalog {
    fields: &[external_id(SOURCE), required("name", FieldKind::Text, SOURCE)],
    read_only: &[
        kept("id"),
        kept("createdAt"),
        kept("updatedAt"),
        mirrored("mrr", "map it to traits.mrr"),
        mirrored("nextRenewalDate", "map it to traits.nextRenewalDate"),
        mirrored("churnedAt", "map it to traits.churnedAt"),
        mirrored("trialEndDate", "map it to traits.trialEndDate"),
        kept("organizationOwnerId"),
        kept("accountsCount"),
        kept("firstPaidDate"),
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
