//! Questions about writes: of each object, then of accounts alone.

use coho_core::json::Json;
use coho_core::object::Object;
use coho_core::target::VitallyId;
use serde_json::json;

use super::error::LiveError;
use super::question::Question;
use super::records::{Records, user_body};
use super::session::{NOBODY, Session, refused};
use crate::Record;

/// What is asked of each object.
pub(super) async fn ask(
    session: &mut Session<'_>,
    object: Object,
    id: &VitallyId,
    made: &Records,
) -> Result<(), LiveError> {
    external_id_in_path(session, object).await?;
    put_status(session, object, id).await?;
    used_external_id(session, object, id, made).await?;
    missing_put(session, object).await
}

async fn external_id_in_path(session: &mut Session<'_>, object: Object) -> Result<(), LiveError> {
    let reply = session.get(object, &session.name.clone()).await?;
    let record = reply.is_fine().then(|| Record::parse(&reply.body)).flatten();
    let works = record.is_some_and(|record| record.external_id.as_ref() == Some(&session.name));
    session.learn(Question::ExternalIdInPath, Some(object), if works { "works" } else { "fails" });
    Ok(())
}

async fn put_status(session: &mut Session<'_>, object: Object, id: &VitallyId) -> Result<(), LiveError> {
    let written = session.put(object, id.as_str(), json!({ "name": session.name })).await?;
    session.learn(Question::PutStatus, Some(object), written.reply.status.to_string());
    Ok(())
}

async fn used_external_id(
    session: &mut Session<'_>,
    object: Object,
    id: &VitallyId,
    made: &Records,
) -> Result<(), LiveError> {
    let name = session.name.clone();
    let body = body(session, object, &name, made);
    let written = session.post(object, &name, body).await?;
    let answer = match written.id() {
        Some(same) if same == *id => "updates".to_owned(),
        Some(_) => "makes-a-second-record".to_owned(),
        None if written.reply.is_fine() => "taken".to_owned(),
        None => refused(&written.reply),
    };
    session.learn(Question::UsedExternalId, Some(object), answer);
    Ok(())
}

fn body(session: &Session<'_>, object: Object, external_id: &str, made: &Records) -> Json {
    match object {
        Object::User => user_body(session, external_id, &made.account),
        Object::Organization | Object::Account | Object::Event => {
            json!({ "externalId": external_id, "name": external_id })
        }
    }
}

/// By external id, since that is how a record could be made; where a path takes none, by an id that nobody has.
async fn missing_put(session: &mut Session<'_>, object: Object) -> Result<(), LiveError> {
    let name = session.named("missing");
    let fails = session.learned.iter().any(|learned| {
        learned.question == Question::ExternalIdInPath
            && learned.object == Some(object)
            && learned.answer == "fails"
    });
    let id = if fails { NOBODY } else { &name };
    let written = session.put_missing(object, id, json!({ "name": name })).await?;
    let answer = if written.reply.is_fine() { "makes-a-record".to_owned() } else { refused(&written.reply) };
    session.learn(Question::MissingPut, Some(object), answer);
    Ok(())
}

/// What is asked of accounts alone.
pub(super) async fn ask_of_accounts(session: &mut Session<'_>, made: &Records) -> Result<(), LiveError> {
    let object = Object::Account;
    let renamed = session.named("renamed");
    let written = session.put(object, made.account.as_str(), json!({ "name": renamed })).await?;
    let answer = if written.reply.is_fine() {
        let record = session.record(object, &made.account).await?;
        let is_renamed = record.is_some_and(|record| record.name.as_ref() == Some(&renamed));
        if is_renamed { "applied".to_owned() } else { "ignored".to_owned() }
    } else {
        refused(&written.reply)
    };
    session.learn(Question::NameByPut, Some(object), answer);
    let Some(organization) = &made.organization else { return Ok(()) };
    let body = json!({ "organizationId": session.name });
    let written = session.put(object, made.account.as_str(), body).await?;
    let answer = if written.reply.is_fine() {
        let record = session.record(object, &made.account).await?;
        let is_linked = record.and_then(|record| record.organization_id()).as_ref() == Some(organization);
        if is_linked { "taken".to_owned() } else { "ignored".to_owned() }
    } else {
        refused(&written.reply)
    };
    session.learn(Question::OrganizationByPut, Some(object), answer);
    Ok(())
}
