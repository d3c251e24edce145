//! The last questions, which take the records away: users first, organizations last.

use coho_core::object::Object;
use coho_core::target::VitallyId;

use super::error::LiveError;
use super::question::Question;
use super::records::Records;
use super::session::{NOBODY, Session, path};
use crate::request::Method;

/// Asks them.
pub(super) async fn ask(session: &mut Session<'_>, made: &Records) -> Result<(), LiveError> {
    let mut all = made.all();
    all.reverse();
    for (object, id) in all {
        removal(session, object, id).await?;
    }
    Ok(())
}

async fn removal(session: &mut Session<'_>, object: Object, id: &VitallyId) -> Result<(), LiveError> {
    let reply = session.ask(Method::Delete, path(object, NOBODY), None).await?;
    session.learn(Question::MissingDelete, Some(object), reply.status.to_string());
    let reply = session.ask(Method::Delete, path(object, id.as_str()), None).await?;
    session.learn(Question::DeleteStatus, Some(object), reply.status.to_string());
    if !reply.is_fine() {
        return Ok(());
    }
    // What is marked for deletion is taken care of, even where it can be read for a while.
    session.made.retain(|made| made.id.as_ref() != Some(id));
    let answer = if session.record(object, id).await?.is_some() { "can-be-read" } else { "gone" };
    session.learn(Question::AfterDelete, Some(object), answer);
    Ok(())
}
