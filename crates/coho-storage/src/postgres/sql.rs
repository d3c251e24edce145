//! The statements of a schema with objects. Names are `ledger` and `name`: which ledger, and which of its objects.

use std::fmt::Write as _;

/// What begins a transaction that writes. Whatever the server, the database or the role has as a default: what is committed is on the
/// server's disk when it says so, a reader of a stale row looks again instead of failing, and nothing waits for ever for another's lock,
/// or for a client that is gone.
pub(super) const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;
SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '20s'; SET LOCAL idle_in_transaction_session_timeout = '60s';
SELECT set_config('synchronous_commit', 'on', true) WHERE current_setting('synchronous_commit') NOT IN ('on', 'remote_apply')";

/// What ends it.
pub(super) const COMMIT: &str = "COMMIT";
pub(super) const ROLLBACK: &str = "ROLLBACK";

/// The server's clock, in microseconds since 1970.
pub(super) const NOW: &str = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint";

/// Marks a session as the one that writes, until it ends; false where another one is marked.
pub(super) const MARK: &str =
    "SELECT pg_try_advisory_lock(('x' || substr(md5('coho ' || $1 || ' ' || $2), 1, 16))::bit(64)::bigint)";

/// Whether any session is marked. The key of the lock is in two halves there.
pub(super) const IS_MARKED: &str = "SELECT EXISTS (SELECT 1 FROM pg_locks
  WHERE locktype = 'advisory' AND objsubid = 1 AND granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND ((classid::bigint << 32) | objid::bigint)
      = ('x' || substr(md5('coho ' || $1 || ' ' || $2), 1, 16))::bit(64)::bigint)";

/// Two first runs at once make the tables one after the other.
pub(super) const LOCK_OF_SCHEMAS: &str = "SELECT pg_advisory_xact_lock(7809633867312488819)";

/// Whether there is a schema.
pub(super) const HAS_SCHEMA: &str = "SELECT EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = $1)";

/// Whether whoever asks may make the schema or, where there is one, tables in it.
pub(super) const MAY_CREATE: &str = "SELECT CASE WHEN EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = $1)
  THEN has_schema_privilege($1, 'CREATE, USAGE') ELSE has_database_privilege(current_database(), 'CREATE') END";

/// The statements of one schema.
#[derive(Clone, Debug)]
pub(super) struct Statements {
    schema: String,
}

impl Statements {
    pub(super) fn of(schema: &str) -> Self {
        Self { schema: quoted(schema) }
    }

    /// Makes the schema.
    pub(super) fn create_schema(&self) -> String {
        format!("CREATE SCHEMA IF NOT EXISTS {}", self.schema)
    }

    /// Makes the tables, and a view for people.
    pub(super) fn create_tables(&self) -> String {
        let schema = &self.schema;
        format!(
            "CREATE TABLE IF NOT EXISTS {schema}.ledger_objects (
  ledger text NOT NULL,
  name text NOT NULL,
  version bigint NOT NULL,
  length bigint NOT NULL,
  bytes bytea,
  written_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (ledger, name)
);
CREATE TABLE IF NOT EXISTS {schema}.ledger_parts (
  ledger text NOT NULL,
  name text NOT NULL,
  part integer NOT NULL,
  bytes bytea NOT NULL,
  PRIMARY KEY (ledger, name, part),
  FOREIGN KEY (ledger, name) REFERENCES {schema}.ledger_objects ON DELETE CASCADE
);
CREATE OR REPLACE VIEW {schema}.ledgers AS
  SELECT ledger, (said ->> 'epoch')::bigint AS epoch, said ->> 'host' AS host, (said ->> 'pid')::bigint AS process,
    to_timestamp((said ->> 'since')::bigint / 1000000.0) AS since,
    to_timestamp((said ->> 'expires')::bigint / 1000000.0) AS expires, (said ->> 'released')::boolean AS released,
    (SELECT sum(length) FROM {schema}.ledger_objects AS every WHERE every.ledger = lease.ledger) AS bytes
  FROM (SELECT ledger, convert_from(bytes, 'UTF8')::json AS said FROM {schema}.ledger_objects WHERE name = 'lease') AS lease;"
        )
    }

    /// What an administrator runs for a role that may not do it.
    pub(super) fn for_administrators(&self, role: &str, has_tables: bool) -> String {
        let (schema, role) = (&self.schema, quoted(role));
        let mut all = String::new();
        if !has_tables {
            // Writing into a text does not fail.
            write!(all, "{};\n{}\n", self.create_schema(), self.create_tables()).unwrap_or_default();
        }
        write!(
            all,
            "GRANT USAGE ON SCHEMA {schema} TO {role};\nGRANT SELECT, INSERT, UPDATE, DELETE ON {schema}.ledger_objects, {schema}.ledger_parts TO {role};"
        )
        .unwrap_or_default();
        all
    }

    pub(super) fn get(&self) -> String {
        format!("SELECT version, bytes FROM {}.ledger_objects WHERE ledger = $1 AND name = $2", self.schema)
    }

    /// Creates an object, unless there is one, and only where another one is still there, if one is named.
    pub(super) fn create(&self) -> String {
        let schema = &self.schema;
        format!(
            "INSERT INTO {schema}.ledger_objects (ledger, name, version, length, bytes)
SELECT $1, $2, txid_current(), octet_length($3), $3
WHERE $4::text IS NULL OR EXISTS (SELECT 1 FROM {schema}.ledger_objects WHERE ledger = $1 AND name = $4)
ON CONFLICT DO NOTHING RETURNING version"
        )
    }

    /// Changes an object, if it is still of that version.
    pub(super) fn change(&self) -> String {
        format!(
            "UPDATE {}.ledger_objects SET version = txid_current(), length = octet_length($3), bytes = $3, written_at = now()
WHERE ledger = $1 AND name = $2 AND version = $4 RETURNING version",
            self.schema
        )
    }

    /// Makes an object that is in parts.
    pub(super) fn begin_parts(&self) -> String {
        format!(
            "INSERT INTO {}.ledger_objects (ledger, name, version, length) VALUES ($1, $2, txid_current(), $3)",
            self.schema
        )
    }

    pub(super) fn add_part(&self) -> String {
        format!(
            "INSERT INTO {}.ledger_parts (ledger, name, part, bytes) VALUES ($1, $2, $3, $4)",
            self.schema
        )
    }

    pub(super) fn length(&self) -> String {
        format!("SELECT length FROM {}.ledger_objects WHERE ledger = $1 AND name = $2", self.schema)
    }

    pub(super) fn parts(&self) -> String {
        format!(
            "SELECT bytes FROM {}.ledger_parts WHERE ledger = $1 AND name = $2 ORDER BY part",
            self.schema
        )
    }

    pub(super) fn list(&self) -> String {
        format!("SELECT name, length FROM {}.ledger_objects WHERE ledger = $1", self.schema)
    }

    pub(super) fn remove(&self) -> String {
        format!("DELETE FROM {}.ledger_objects WHERE ledger = $1 AND name = ANY ($2)", self.schema)
    }
}

/// A name as an identifier.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
