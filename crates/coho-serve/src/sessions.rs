//! Sessions of whoever came with a token of the ledger: which cookie stands for which token. A token that is revoked ends its
//! sessions, since each request asks for it anew; they end with the process too.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use axum::http::{HeaderMap, header};
use coho_ledger::look::Patience;
use coho_ledger::token::TokenScope;

use crate::guard;
use crate::reader::Reader;
use crate::site::Site;
use crate::token::digest;

/// So many sessions are kept; the oldest ones go first.
const KEPT: usize = 1_000;

type Digest = [u8; 32];

/// The sessions.
#[derive(Default)]
pub(crate) struct Sessions {
    kept: Mutex<VecDeque<(String, Digest)>>,
}

impl Sessions {
    /// A new cookie for a token.
    fn begin(&self, token: Digest) -> String {
        let cookie = format!("{}{}", uuid::Uuid::new_v4().simple(), uuid::Uuid::new_v4().simple());
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push_back((cookie.clone(), token));
        if kept.len() > KEPT {
            kept.pop_front();
        }
        cookie
    }

    /// The token whose session a request belongs to.
    pub(crate) fn of(&self, site: &Site, headers: &HeaderMap) -> Option<Digest> {
        guard::cookies(site, headers).find_map(|cookie| self.token(cookie))
    }

    fn token(&self, cookie: &str) -> Option<Digest> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().find(|(known, _)| guard::same(cookie, known)).map(|(_, token)| *token)
    }
}

/// Somebody who was let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Visitor {
    /// What they may do.
    pub(crate) may: TokenScope,
    /// The name of their token; absent where they came with the one that was drawn for this process.
    pub(crate) name: Option<String>,
}

/// Whose token of the ledger this is.
pub(crate) async fn visitor(reader: &std::sync::Arc<Reader>, token: Digest) -> Option<Visitor> {
    let work = move |ledger: Option<&coho_ledger::Ledger>| match ledger {
        Some(ledger) => Ok(ledger.token(&token)?),
        None => Ok(None),
    };
    // A ledger that cannot be read lets nobody in.
    let token = reader.read(Patience::until(|| false), work).await.ok().flatten()?;
    Some(Visitor { may: token.scope, name: Some(token.name) })
}

/// The digest of the token that a request shows as `Authorization: Bearer`.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<Digest> {
    let line = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    line.strip_prefix("Bearer ").map(|token| digest(token.trim()))
}

/// A cookie for whoever shows a token that may read.
pub(crate) async fn begin(
    sessions: &Sessions,
    reader: &std::sync::Arc<Reader>,
    token: &str,
) -> Option<String> {
    let token = digest(token);
    visitor(reader, token).await.map(|_| sessions.begin(token))
}
