//! Inserting: lines as rows of the plan's table and of those beside it. Nothing is ever taken out again.

use std::sync::MutexGuard;

use coho_core::digest::Digest;
use coho_core::key::Key;
use rusqlite::types::{ToSql, ToSqlOutput};
use rusqlite::{CachedStatement, Connection, params};

use super::contents::{Contents, Kind};
use super::line::{Body, Columns, Learned, Line};
use super::read::Named;
use super::{Table, TableError};
use crate::phase::Phase;

const INSERT: &str = "
    INSERT INTO plan (key, departure, side, rows, target, leaves, holds, keeps, returned, mover, phase, change, reason,
        status, code, message, effect, least, most, searches, messages, created, vitally_id, address, match, digest, seen_row,
        seen_mapping)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24,
        ?25, ?26, ?27, ?28)";

/// The same of a row that is learned: only what such a row has.
const INSERT_LEARNED: &str = "
    INSERT INTO plan (key, departure, side, rows, target, holds, change, reason, status, effect, seen_row, seen_mapping)
    VALUES (?1, 0, 0, 1, ?2, 0, 'learn', 'baseline', 'learned', 'learned', ?3, ?4)";

const INSERT_BODY: &str = "INSERT INTO bodies (seq, body) VALUES (?1, ?2)";

impl ToSql for Body {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        match self {
            Self::Sent(text) => text.to_sql(),
            Self::Operation(bytes) => bytes.to_sql(),
        }
    }
}

impl Table {
    /// Adds lines in their order.
    pub(crate) fn insert(&self, lines: impl IntoIterator<Item = Line>) -> Result<(), TableError> {
        self.with(|connection| {
            let mut inserter = Inserter::new(connection, self.contents())?;
            lines.into_iter().try_for_each(|line| inserter.line(&line))
        })
    }

    /// Remembers that a row of the source finds its record by this e-mail address. Each row is seen once.
    pub(crate) fn see_address(&self, address: &str) -> Result<(), TableError> {
        let digest = match_digest(address).to_bytes();
        self.change("INSERT INTO matches (digest) VALUES (?1)", params![digest]).map(drop)
    }
}

/// Adds lines to the table, one after the other.
struct Inserter<'c> {
    connection: &'c Connection,
    contents: MutexGuard<'c, Contents>,
    row: CachedStatement<'c>,
    learned: CachedStatement<'c>,
    body: CachedStatement<'c>,
}

impl<'c> Inserter<'c> {
    fn new(connection: &'c Connection, contents: MutexGuard<'c, Contents>) -> rusqlite::Result<Self> {
        let prepare = |sql| connection.prepare_cached(sql);
        let (row, learned, body) = (prepare(INSERT)?, prepare(INSERT_LEARNED)?, prepare(INSERT_BODY)?);
        Ok(Self { connection, contents, row, learned, body })
    }

    fn line(&mut self, line: &Line) -> rusqlite::Result<()> {
        match line {
            Line::Learned(learned) => self.learned(learned),
            Line::Row(row) => self.row(row),
            Line::Differences(body) => self.differences(body),
            Line::Names(names) => self.names(names),
            Line::Gone(key) => self.gone(key),
        }
    }

    fn learned(&mut self, learned: &Learned) -> rusqlite::Result<()> {
        let Learned { key, target, seen, sent } = learned;
        self.contents.record(target);
        self.learned.execute(params![key, target, seen.row.to_bytes(), seen.mapping.to_bytes()])?;
        self.body.execute(params![self.connection.last_insert_rowid(), sent]).map(drop)
    }

    fn row(&mut self, row: &Columns) -> rusqlite::Result<()> {
        see(&mut self.contents, row);
        self.row.execute(params![
            row.key,
            row.departure,
            row.side,
            row.rows,
            row.target,
            row.leaves,
            row.holds,
            row.keeps,
            row.returned,
            row.mover,
            row.phase,
            row.change,
            row.reason,
            row.status,
            row.code,
            row.message,
            row.effect,
            row.least,
            row.most,
            row.searches,
            row.messages,
            row.created,
            row.vitally_id,
            row.address,
            row.address.as_deref().map(|address| match_digest(address).to_bytes()),
            row.digest,
            row.seen.map(|seen| seen.row.to_bytes()),
            row.seen.map(|seen| seen.mapping.to_bytes()),
        ])?;
        let seq = self.connection.last_insert_rowid();
        if let Some(body) = &row.body {
            self.body.execute(params![seq, body])?;
        }
        self.beside(seq, row)
    }

    /// The fields that an operation clears, and the records that it refers to.
    fn beside(&self, seq: i64, row: &Columns) -> rusqlite::Result<()> {
        for path in &row.nulled {
            let sql = "INSERT INTO nulled (seq, path) VALUES (?1, ?2)";
            self.connection.prepare_cached(sql)?.execute(params![seq, path])?;
        }
        for (object, id) in &row.references {
            let sql = "INSERT INTO refs (seq, object, id) VALUES (?1, ?2, ?3)";
            self.connection.prepare_cached(sql)?.execute(params![seq, object.name(), id.as_str()])?;
        }
        Ok(())
    }

    fn differences(&self, body: &str) -> rusqlite::Result<()> {
        let sql = "INSERT INTO differing (seq, body) VALUES (?1, ?2)";
        let seq = self.connection.last_insert_rowid();
        self.connection.prepare_cached(sql)?.execute(params![seq, body]).map(drop)
    }

    fn names(&self, names: &[Named]) -> rusqlite::Result<()> {
        let sql = "INSERT INTO ids (object, external_id, vitally_id) VALUES (?1, ?2, ?3)";
        let mut statement = self.connection.prepare_cached(sql)?;
        names.iter().try_for_each(|(object, external_id, id)| {
            statement.execute(params![object.name(), external_id.as_str(), id.as_str()]).map(drop)
        })
    }

    fn gone(&self, key: &Key) -> rusqlite::Result<()> {
        let sql = "INSERT INTO gone (key, departure, source) VALUES (?1, ?2, ?2)";
        self.connection.prepare_cached(sql)?.execute(params![key.row(), key.departure()]).map(drop)
    }
}

/// Notes of what kinds a row is.
fn see(contents: &mut Contents, row: &Columns) {
    if let (0, Some(target)) = (row.side, &row.target) {
        contents.record(target);
    }
    let kinds = [
        (Kind::Operation, row.phase.is_some()),
        (Kind::Removal, row.phase == Some(Phase::Remove.number())),
        (Kind::Move, row.holds == 2),
        (Kind::Departure, row.mover.is_some()),
    ];
    kinds.into_iter().filter(|(_, is_one)| *is_one).for_each(|(kind, _)| contents.add(kind));
}

/// Stands for an e-mail address, whatever its case.
fn match_digest(address: &str) -> Digest {
    Digest::of(address.to_lowercase().as_bytes())
}
