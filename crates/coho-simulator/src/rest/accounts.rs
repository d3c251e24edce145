//! Accounts: their fields (reference section 3.1) and how they read in an answer.

use serde_json::{Value, json};

use super::fields::Fields;
use crate::record::{RecordId, StoredRecord};
use crate::store::Store;

pub(crate) const FIELDS: Fields = Fields {
    create: &["externalId", "name", "organizationId", "traits"],
    update: &["name", "traits", "organizationId", "accountOwnerId"],
    required: &["externalId", "name"],
    read_only: &[
        "id",
        "createdAt",
        "updatedAt",
        "externalId",
        "accountOwnerId",
        "mrr",
        "nextRenewalDate",
        "churnedAt",
        "trialEndDate",
        "firstSeenTimestamp",
        "lastSeenTimestamp",
        "lastInboundMessageTimestamp",
        "lastOutboundMessageTimestamp",
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

pub(crate) fn render(store: &Store, account: &StoredRecord) -> Value {
    let mirrored = |key: &str| account.traits.get(key).cloned().unwrap_or(Value::Null);
    json!({
        "id": account.id.to_string(),
        "createdAt": account.created_at.to_string(),
        "updatedAt": account.updated_at.to_string(),
        "externalId": account.external_id,
        "name": account.name,
        "traits": account.traits,
        "organizationId": account.organization.as_ref().map(RecordId::to_string),
        "accountOwnerId": null,
        "mrr": mirrored("mrr"),
        "nextRenewalDate": mirrored("nextRenewalDate"),
        "churnedAt": mirrored("churnedAt"),
        "trialEndDate": mirrored("trialEndDate"),
        "firstSeenTimestamp": null,
        "lastSeenTimestamp": null,
        "lastInboundMessageTimestamp": null,
        "lastOutboundMessageTimestamp": null,
        "usersCount": store.users_of(account.id).len(),
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
