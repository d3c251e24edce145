//! Questions about users: their links, their e-mail address, the search.

use coho_core::json::Json;
use coho_core::object::Object;
use coho_core::target::VitallyId;
use serde_json::json;

use super::error::LiveError;
use super::question::Question;
use super::records::{Records, user_body};
use super::session::{NOBODY, Session, refused};
use crate::address::search;
use crate::request::Method;

const USER: Object = Object::User;

/// What is asked of users.
pub(super) async fn ask(session: &mut Session<'_>, made: &Records) -> Result<(), LiveError> {
    search_shape(session).await?;
    links_by_put(session, made).await?;
    unknown_link(session, made).await?;
    used_email(session, made).await
}

async fn search_shape(session: &mut Session<'_>) -> Result<(), LiveError> {
    let path = search("externalId", &session.name);
    let reply = session.ask(Method::Get, path, None).await?;
    let answer = match serde_json::from_str::<Json>(&reply.body) {
        _ if !reply.is_fine() => refused(&reply),
        Ok(Json::Array(_)) => "list".to_owned(),
        Ok(Json::Object(members)) => {
            let envelope = ["results", "data"].into_iter().find(|name| members.contains_key(*name));
            envelope.unwrap_or("record").to_owned()
        }
        Ok(Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_)) | Err(_) => {
            "unreadable".to_owned()
        }
    };
    session.learn(Question::SearchShape, None, answer);
    Ok(())
}

/// The user is in the first account, and a PUT names the second.
async fn links_by_put(session: &mut Session<'_>, made: &Records) -> Result<(), LiveError> {
    let body = json!({ "accountIds": [made.second_account.as_str()] });
    let written = session.put(USER, made.user.as_str(), body).await?;
    let answer = if written.reply.is_fine() {
        let record = session.record(USER, &made.user).await?.unwrap_or_default();
        let is_in = |account: &VitallyId| record.accounts().iter().any(|linked| linked.id == *account);
        match (is_in(&made.account), is_in(&made.second_account)) {
            (true, true) => "added".to_owned(),
            (false, true) => "replace".to_owned(),
            (true, false) => "ignored".to_owned(),
            (false, false) => "not-told".to_owned(),
        }
    } else {
        refused(&written.reply)
    };
    session.learn(Question::LinksByPut, Some(USER), answer);
    Ok(())
}

async fn unknown_link(session: &mut Session<'_>, made: &Records) -> Result<(), LiveError> {
    let ids = [made.account.as_str(), made.second_account.as_str(), NOBODY];
    let written = session.put(USER, made.user.as_str(), json!({ "accountIds": ids })).await?;
    let answer = if written.reply.is_fine() { "ignored".to_owned() } else { refused(&written.reply) };
    session.learn(Question::UnknownLink, Some(USER), answer);
    Ok(())
}

async fn used_email(session: &mut Session<'_>, made: &Records) -> Result<(), LiveError> {
    let name = session.named("2");
    let body = user_body(session, &name, &made.account);
    let written = session.post(USER, &name, body).await?;
    let answer = match written.id() {
        Some(same) if same == made.user => "updates-the-first".to_owned(),
        Some(_) => "makes-a-second-user".to_owned(),
        None if written.reply.is_fine() => "taken".to_owned(),
        None => refused(&written.reply),
    };
    session.learn(Question::UsedEmail, Some(USER), answer);
    Ok(())
}
