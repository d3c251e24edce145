//! Organizations: their fields (reference section 4) and how they read in an answer.

use serde_json::{Value, json};

use super::fields::Fields;
use crate::record::StoredRecord;
use crate::store::Store;

pub(crate) const FIELDS: Fields = Fields {
    create: &["externalId", "name", "traits"],
    update: &["name", "traits"],
    required: &["externalId", "name"],
    read_only: &[
        "id",
        "createdAt",
        "updatedAt",
        "externalId",
        "organizationOwnerId",
        "mrr",
        "nextRenewalDate",
        "churnedAt",
        "trialEndDate",
        "firstPaidDate",
        "firstSeenTimestamp",
        "lastSeenTimestamp",
        "lastInboundMessageTimestamp",
        "lastOutboundMessageTimestamp",
        "accountsCount",
        "usersCount",
        "npsDetractorCount",
        "npsPassiveCount",
        "npsPromoterCount",
        "npsScore",
        "healthScore",
        "csmId",
        "accountExecutiveId",
        "keyRoles",
        "segments",
    ],
};

pub(crate) fn render(store: &Store, organization: &StoredRecord) -> Value {
    let mirrored = |key: &str| organization.traits.get(key).cloned().unwrap_or(Value::Null);
    json!({
        "id": organization.id.to_string(),
        "createdAt": organization.created_at.to_string(),
        "updatedAt": organization.updated_at.to_string(),
        "externalId": organization.external_id,
        "name": organization.name,
        "traits": organization.traits,
        "organizationOwnerId": null,
        "mrr": mirrored("mrr"),
        "nextRenewalDate": mirrored("nextRenewalDate"),
        "churnedAt": mirrored("churnedAt"),
        "trialEndDate": mirrored("trialEndDate"),
        "firstPaidDate": null,
        "firstSeenTimestamp": null,
        "lastSeenTimestamp": null,
        "lastInboundMessageTimestamp": null,
        "lastOutboundMessageTimestamp": null,
        "accountsCount": store.accounts_of(organization.id).len(),
        "usersCount": store.users_of(organization.id).len(),
        "npsDetractorCount": 0,
        "npsPassiveCount": 0,
        "npsPromoterCount": 0,
        "npsScore": null,
        "healthScore": null,
        "csmId": null,
        "accountExecutiveId": null,
        "keyRoles": [],
        "segments": [],
    })
}
