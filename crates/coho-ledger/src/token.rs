//! Tokens of the trigger API: only their digests are kept.

use coho_core::time::Time;
use rusqlite::{Row, params};

use crate::failure::{Fault, LedgerError};
use crate::ledger::Ledger;
use crate::moment::{micros, time};

/// What a token may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TokenScope {
    /// See syncs and runs.
    Read,
    /// That, and start runs.
    Trigger,
}

impl TokenScope {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Read, Self::Trigger];

    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Trigger => "trigger",
        }
    }

    /// The scope of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.name() == name)
    }
}

/// A token as it is remembered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRecord {
    /// Its name.
    pub name: String,
    /// What it may do.
    pub scope: TokenScope,
    /// When it was made.
    pub created: Time,
    /// Since when it is no longer taken.
    pub revoked: Option<Time>,
}

impl Ledger {
    /// Keeps a new token by its digest. `false` where one of this name is there.
    pub fn add_token(
        &self,
        name: &str,
        digest: &[u8; 32],
        scope: TokenScope,
        now: Time,
    ) -> Result<bool, LedgerError> {
        self.transact("saving a token", |connection| {
            let added = connection.execute(
                "INSERT OR IGNORE INTO tokens (name, hash, scopes, created_at) VALUES (?1, ?2, ?3, ?4)",
                params![name, digest.as_slice(), scope.name(), micros(now)],
            )?;
            Ok(added == 1)
        })
    }

    /// The token of this digest; `None` where there is none, or it was revoked.
    pub fn token(&self, digest: &[u8; 32]) -> Result<Option<TokenRecord>, LedgerError> {
        self.read("reading tokens", |connection| {
            let sql = format!("SELECT {COLUMNS} FROM tokens WHERE hash = ?1 AND revoked_at IS NULL");
            let mut statement = connection.prepare_cached(&sql)?;
            let mut rows = statement.query([digest.as_slice()])?;
            rows.next()?.map(record).transpose()
        })
    }

    /// All tokens, by name.
    pub fn tokens(&self) -> Result<Vec<TokenRecord>, LedgerError> {
        self.read("reading tokens", |connection| {
            let mut statement = connection.prepare(&format!("SELECT {COLUMNS} FROM tokens ORDER BY name"))?;
            let mut rows = statement.query([])?;
            let mut tokens = Vec::new();
            while let Some(row) = rows.next()? {
                tokens.push(record(row)?);
            }
            Ok(tokens)
        })
    }

    /// Takes a token no longer. `false` where there is none of this name that is still taken.
    pub fn revoke_token(&self, name: &str, now: Time) -> Result<bool, LedgerError> {
        self.transact("revoking a token", |connection| {
            let sql = "UPDATE tokens SET revoked_at = ?2 WHERE name = ?1 AND revoked_at IS NULL";
            Ok(connection.execute(sql, params![name, micros(now)])? == 1)
        })
    }
}

const COLUMNS: &str = "name, scopes, created_at, revoked_at";

fn record(row: &Row<'_>) -> Result<TokenRecord, Fault> {
    Ok(TokenRecord {
        name: row.get(0)?,
        scope: parse(&row.get::<_, String>(1)?)?,
        created: time(row.get(2)?)?,
        revoked: row.get::<_, Option<i64>>(3)?.map(time).transpose()?,
    })
}

fn parse(scope: &str) -> Result<TokenScope, Fault> {
    TokenScope::parse(scope).ok_or_else(|| Fault::damaged("a token has a scope that Coho never writes"))
}
