//! Cleaning up: all that was made is taken away, whether the check went well, failed or was interrupted.

use std::cmp::Reverse;

use coho_core::object::Object;
use coho_core::target::{ExternalId, VitallyId};

use super::Left;
use super::error::LiveError;
use super::session::{Made, Session, path};
use crate::lookup::LookupResult;
use crate::request::Method;

/// Takes away what is left; gives what could not be.
pub(super) async fn clean(session: &mut Session<'_>) -> Vec<Left> {
    let mut made = std::mem::take(&mut session.made);
    // Users first: an account takes along those that belong to nothing else.
    made.sort_by_key(|made| Reverse(made.object));
    let mut left = Vec::new();
    for made in made {
        if let Err((id, why)) = remove(session, &made).await {
            left.push(Left { object: made.object, external_id: made.external_id, id, why });
        }
    }
    left
}

type NotRemoved = (Option<VitallyId>, String);

async fn remove(session: &mut Session<'_>, made: &Made) -> Result<(), NotRemoved> {
    let id = match &made.id {
        Some(id) => id.clone(),
        None => match find(session, made.object, &made.external_id).await? {
            Some(id) => id,
            None => return Ok(()),
        },
    };
    match session.ask_anyway(Method::Delete, path(made.object, id.as_str()), None).await {
        Ok(reply) if reply.is_fine() || reply.status == 404 => Ok(()),
        Ok(reply) => Err((Some(id), reply.said())),
        Err(error) => Err((Some(id), said(&error))),
    }
}

/// The record of a POST whose answer was lost: it may be there.
async fn find(
    session: &Session<'_>,
    object: Object,
    external_id: &str,
) -> Result<Option<VitallyId>, NotRemoved> {
    let parsed = ExternalId::parse(external_id).map_err(|error| (None, error.to_string()))?;
    match session.client.lookup(object, &parsed).await.finding {
        LookupResult::Found(record) => Ok(record.id),
        LookupResult::Missing | LookupResult::Wrong { .. } => Ok(None),
        LookupResult::Several => Err((None, "Vitally has several records with this external id".to_owned())),
        LookupResult::Failed(verdict) => Err((None, said(&LiveError::of(verdict)))),
    }
}

fn said(error: &LiveError) -> String {
    error.to_string()
}
