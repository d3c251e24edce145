//! Users: their fields (reference section 5.1) and how they read in an answer.

use serde_json::{Value, json};

use super::fields::Fields;
use super::{accounts, organizations};
use crate::record::{RecordKind, StoredRecord};
use crate::store::Store;

pub(crate) const FIELDS: Fields = Fields {
    create: &[
        "externalId",
        "accountIds",
        "organizationIds",
        "name",
        "email",
        "avatar",
        "unsubscribedFromConversations",
        "traits",
        "joinDate",
    ],
    update: &[
        "accountIds",
        "organizationIds",
        "name",
        "email",
        "avatar",
        "unsubscribedFromConversations",
        "traits",
        "joinDate",
    ],
    required: &["externalId"],
    read_only: &[
        "id",
        "createdAt",
        "updatedAt",
        "externalId",
        "firstKnown",
        "lastSeenTimestamp",
        "lastInboundMessageTimestamp",
        "lastOutboundMessageTimestamp",
        "npsLastScore",
        "npsLastFeedback",
        "npsLastRespondedAt",
        "unsubscribedFromConversationsAt",
        "deactivatedAt",
        "permanentlyBounced",
        "segments",
        "accounts",
        "organizations",
    ],
};

/// The accounts and organizations of a user are there whole; their ids alone are not.
pub(crate) fn render(store: &Store, user: &StoredRecord) -> Value {
    let accounts = user.accounts.iter().filter_map(|id| store.get(RecordKind::Account, *id));
    let organizations = user.organizations.iter().filter_map(|id| store.get(RecordKind::Organization, *id));
    json!({
        "id": user.id.to_string(),
        "createdAt": user.created_at.to_string(),
        "updatedAt": user.updated_at.to_string(),
        "externalId": user.external_id,
        "name": user.name,
        "email": user.email,
        "avatar": user.avatar,
        "traits": user.traits,
        "joinDate": user.join_date,
        "firstKnown": null,
        "lastSeenTimestamp": null,
        "lastInboundMessageTimestamp": null,
        "lastOutboundMessageTimestamp": null,
        "npsLastScore": null,
        "npsLastFeedback": null,
        "npsLastRespondedAt": null,
        "unsubscribedFromConversations": user.unsubscribed_at.is_some(),
        "unsubscribedFromConversationsAt": user.unsubscribed_at.map(|at| at.to_string()),
        "deactivatedAt": null,
        "permanentlyBounced": false,
        "segments": [],
        "accounts": accounts.map(|account| accounts::render(store, account)).collect::<Vec<_>>(),
        "organizations":
            organizations.map(|record| organizations::render(store, record)).collect::<Vec<_>>(),
    })
}
