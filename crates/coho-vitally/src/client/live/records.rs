//! The records of a check: an organization where the workspace has them, two accounts, a user.

use std::time::Duration;

use coho_core::json::Json;
use coho_core::object::Object;
use coho_core::target::VitallyId;
use serde_json::json;

use super::error::LiveError;
use super::question::Question;
use super::session::{Session, Written, refused};

/// How often a new record is asked for that does not show, and the wait between.
const LOOKS: u32 = 20;
const BETWEEN: Duration = Duration::from_millis(500);

/// The trait that accounts of a check have. Its name never changes: Vitally may go on listing it.
pub(super) const TRAIT: &str = "coho_check";

/// Vitally's ids of what was made.
pub(super) struct Records {
    /// Absent where the workspace has no organizations.
    pub(super) organization: Option<VitallyId>,
    pub(super) account: VitallyId,
    pub(super) second_account: VitallyId,
    pub(super) user: VitallyId,
}

impl Records {
    /// One of each object.
    pub(super) fn all(&self) -> Vec<(Object, &VitallyId)> {
        let organization = self.organization.iter().map(|id| (Object::Organization, id));
        organization.chain([(Object::Account, &self.account), (Object::User, &self.user)]).collect()
    }
}

/// Makes them.
pub(super) async fn make(session: &mut Session<'_>) -> Result<Records, LiveError> {
    let organization = organization(session).await?;
    let name = session.name.clone();
    let body = json!({ "externalId": name, "name": name, "traits": { TRAIT: 1 } });
    let account = needed(session, Object::Account, &name, body).await?;
    let second_account = second_account(session, organization.as_ref()).await?;
    let user = needed(session, Object::User, &name, user_body(session, &name, &account)).await?;
    Ok(Records { organization, account, second_account, user })
}

/// What a user is made with.
pub(super) fn user_body(session: &Session<'_>, external_id: &str, account: &VitallyId) -> Json {
    // The domain is set aside for examples: mail to it reaches nobody.
    let email = format!("{}@example.com", session.name);
    json!({ "externalId": external_id, "name": external_id, "email": email, "accountIds": [account.as_str()] })
}

/// A workspace without the hierarchy has no organizations, and does without these questions.
async fn organization(session: &mut Session<'_>) -> Result<Option<VitallyId>, LiveError> {
    let (object, name) = (Object::Organization, session.name.clone());
    let written = session.post(object, &name, json!({ "externalId": name, "name": name })).await?;
    let Some(id) = written.id() else { return Ok(None) };
    let status = written.reply.status.to_string();
    session.learn(Question::PostStatus, Some(object), status);
    shown(session, object, &id).await?;
    Ok(Some(id))
}

/// A record without which nothing can be found out.
async fn needed(
    session: &mut Session<'_>,
    object: Object,
    external_id: &str,
    body: Json,
) -> Result<VitallyId, LiveError> {
    let written = session.post(object, external_id, body).await?;
    let id = id_of(object, &written)?;
    session.learn(Question::PostStatus, Some(object), written.reply.status.to_string());
    shown(session, object, &id).await?;
    Ok(id)
}

fn id_of(object: Object, written: &Written) -> Result<VitallyId, LiveError> {
    written.id().ok_or_else(|| match &written.reply {
        reply if reply.is_fine() => LiveError::Unseen { object },
        reply => LiveError::Refused { object, status: reply.status, text: reply.said() },
    })
}

/// Waits until a record can be read: what is asked of it later must not depend on that.
async fn shown(session: &mut Session<'_>, object: Object, id: &VitallyId) -> Result<(), LiveError> {
    for look in 0..LOOKS {
        if session.record(object, id).await?.is_some() {
            let answer = if look == 0 { "shows-at-once" } else { "shows-later" };
            session.learn(Question::ReadAfterWrite, Some(object), answer);
            return Ok(());
        }
        tokio::time::sleep(BETWEEN).await;
    }
    Err(LiveError::Unseen { object })
}

/// The account to which the user is linked later. It asks whether a POST takes its organization's external id.
async fn second_account(
    session: &mut Session<'_>,
    organization: Option<&VitallyId>,
) -> Result<VitallyId, LiveError> {
    let (object, name) = (Object::Account, session.named("2"));
    let plain = json!({ "externalId": name, "name": name });
    if let Some(organization) = organization {
        let mut body = plain.clone();
        body["organizationId"] = json!(session.name);
        let written = session.post(object, &name, body).await?;
        let answer = match &written.record {
            Some(record) if record.organization_id().as_ref() == Some(organization) => "taken".to_owned(),
            Some(_) => "ignored".to_owned(),
            None => refused(&written.reply),
        };
        session.learn(Question::OrganizationByPost, Some(object), answer);
        if let Some(id) = written.id() {
            return Ok(id);
        }
    }
    let written = session.post(object, &name, plain).await?;
    id_of(object, &written)
}
