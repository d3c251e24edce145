//! The state file: SQLite, one transaction a request, durable against the end of the process (WAL).

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};

use crate::clock::SimulatorTime;
use crate::message::form::{InstanceForm, MessageForm};
use crate::message::{Instance, Message};
use crate::record::form::RecordForm;
use crate::record::{RecordId, RecordKind, StoredRecord};
use crate::traits::{CustomField, MODELS};

/// Marks the file as a simulator's (`PRAGMA application_id`): "COHO" in ASCII.
const APPLICATION: i32 = 0x434F_484F;
/// The layout of the tables (`PRAGMA user_version`).
const LAYOUT: i32 = 2;
/// The layout without the tables of the Analytics API, which is brought up to date when it is opened.
const LAYOUT_WITHOUT_MESSAGES: i32 = 1;

const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS record (id TEXT PRIMARY KEY, object TEXT NOT NULL, form TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS custom_field (
        model TEXT NOT NULL, path TEXT NOT NULL, form TEXT NOT NULL, PRIMARY KEY (model, path)) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS message (number INTEGER PRIMARY KEY, form TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS instance (
        custom_object TEXT NOT NULL, id TEXT NOT NULL, form TEXT NOT NULL, PRIMARY KEY (custom_object, id)) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;";

/// Why the state file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StateFileError {
    /// It does not open, or another process holds it.
    #[error("cannot open the state file {}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: rusqlite::Error,
    },
    /// It is a database, but not this crate's.
    #[error("{} is not a simulator's state file", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// It was written by another version.
    #[error("the state file {} has layout {found}, this version reads {LAYOUT}", path.display())]
    Layout {
        /// The file.
        path: PathBuf,
        /// The layout that it has.
        found: i32,
    },
    /// Reading from it failed.
    #[error("cannot read {what} from the state file")]
    Read {
        /// What was being read.
        what: &'static str,
        /// Why.
        #[source]
        source: rusqlite::Error,
    },
    /// A row of it does not have the form that this crate writes.
    #[error("the state file holds {what} that does not read: {name}")]
    Form {
        /// What was being read.
        what: &'static str,
        /// Its id or path.
        name: String,
    },
    /// Writing to it failed.
    #[error("cannot write to the state file")]
    Write(#[source] rusqlite::Error),
}

/// An open state file, held by this process alone.
#[derive(Debug)]
pub(crate) struct StateFile {
    connection: Connection,
}

/// What one transaction writes. A record that is `None` was deleted.
#[derive(Debug)]
pub(crate) struct Changes<R, F, M, I> {
    pub(crate) records: R,
    pub(crate) fields: F,
    pub(crate) messages: M,
    pub(crate) instances: I,
}

/// The JSON of a trait's definition in the file.
#[derive(Serialize, Deserialize)]
struct FieldForm {
    id: String,
    created_at: String,
    label: String,
    kind: String,
    options: Vec<(String, String)>,
}

impl StateFile {
    pub(crate) fn open(path: &Path) -> Result<Self, StateFileError> {
        let connection =
            connect(path).map_err(|source| StateFileError::Open { path: path.to_owned(), source })?;
        let read = |source| StateFileError::Read { what: "the layout", source };
        let application: i32 =
            connection.pragma_query_value(None, "application_id", |row| row.get(0)).map_err(read)?;
        let layout: i32 =
            connection.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(read)?;
        let tables: i64 =
            connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(read)?;
        match (application, layout, tables) {
            (0, 0, 0) | (APPLICATION, LAYOUT_WITHOUT_MESSAGES, _) => {
                prepare(&connection).map_err(StateFileError::Write)?;
            }
            (APPLICATION, LAYOUT, _) => {}
            (APPLICATION, found, _) => return Err(StateFileError::Layout { path: path.to_owned(), found }),
            _ => return Err(StateFileError::Foreign { path: path.to_owned() }),
        }
        Ok(Self { connection })
    }

    pub(crate) fn records(&self) -> Result<Vec<StoredRecord>, StateFileError> {
        let what = "a record";
        let rows = self.rows("SELECT id, object, form FROM record", what)?;
        rows.into_iter()
            .map(|(name, object, form)| {
                read_record(&object, &form).ok_or(StateFileError::Form { what, name })
            })
            .collect()
    }

    pub(crate) fn fields(&self) -> Result<Vec<(&'static str, CustomField)>, StateFileError> {
        let what = "a custom field";
        let rows = self.rows("SELECT path, model, form FROM custom_field", what)?;
        rows.into_iter()
            .map(|(path, model, form)| {
                read_field(&path, &model, &form).ok_or(StateFileError::Form { what, name: path })
            })
            .collect()
    }

    pub(crate) fn messages(&self) -> Result<Vec<Message>, StateFileError> {
        let what = "a message";
        // The number as text, so that all rows have one form.
        let rows = self.rows("SELECT CAST(number AS TEXT), '', form FROM message ORDER BY number", what)?;
        rows.into_iter()
            .map(|(name, _, form)| read_message(&name, &form).ok_or(StateFileError::Form { what, name }))
            .collect()
    }

    pub(crate) fn instances(&self) -> Result<Vec<Instance>, StateFileError> {
        let what = "a custom object instance";
        let rows = self.rows("SELECT id, custom_object, form FROM instance", what)?;
        rows.into_iter()
            .map(|(name, _, form)| {
                let form = serde_json::from_str::<InstanceForm>(&form);
                form.map(Instance::from).map_err(|_| StateFileError::Form { what, name })
            })
            .collect()
    }

    fn rows(&self, sql: &str, what: &'static str) -> Result<Vec<(String, String, String)>, StateFileError> {
        let read = |source| StateFileError::Read { what, source };
        let mut statement = self.connection.prepare(sql).map_err(read)?;
        let rows =
            statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).map_err(read)?;
        rows.collect::<Result<_, _>>().map_err(read)
    }

    pub(crate) fn minted(&self) -> Result<u64, StateFileError> {
        let sql = "SELECT coalesce(max(value), 0) FROM counter WHERE name = 'minted'";
        self.connection
            .query_row(sql, [], |row| row.get::<_, i64>(0))
            .map(i64::unsigned_abs)
            .map_err(|source| StateFileError::Read { what: "the id counter", source })
    }

    /// Writes the changes, all or nothing.
    pub(crate) fn write<'a, R, F, M, I>(
        &mut self,
        changes: Changes<R, F, M, I>,
        minted: u64,
    ) -> Result<(), StateFileError>
    where
        R: Iterator<Item = (RecordKind, RecordId, Option<&'a StoredRecord>)>,
        F: Iterator<Item = (&'static str, &'a CustomField)>,
        M: Iterator<Item = &'a Message>,
        I: Iterator<Item = &'a Instance>,
    {
        let transaction = self.connection.transaction().map_err(StateFileError::Write)?;
        for (object, id, record) in changes.records {
            write_record(&transaction, object, id, record).map_err(StateFileError::Write)?;
        }
        for (model, field) in changes.fields {
            write_field(&transaction, model, field).map_err(StateFileError::Write)?;
        }
        for message in changes.messages {
            write_message(&transaction, message).map_err(StateFileError::Write)?;
        }
        for instance in changes.instances {
            write_instance(&transaction, instance).map_err(StateFileError::Write)?;
        }
        let minted = i64::try_from(minted).unwrap_or(i64::MAX);
        transaction
            .execute("INSERT OR REPLACE INTO counter (name, value) VALUES ('minted', ?1)", [minted])
            .map_err(StateFileError::Write)?;
        transaction.commit().map_err(StateFileError::Write)
    }

    pub(crate) fn clear(&mut self) -> Result<(), StateFileError> {
        self.connection
            .execute_batch(
                "BEGIN; DELETE FROM record; DELETE FROM custom_field; DELETE FROM message; DELETE FROM instance;
                 DELETE FROM counter; COMMIT;",
            )
            .map_err(StateFileError::Write)
    }
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    // A holder does not let go by itself: waiting longer would only delay the error.
    connection.busy_timeout(Duration::from_millis(200))?;
    // Two simulators on one file would each answer from their own memory.
    connection.execute_batch(
        "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
         BEGIN IMMEDIATE; COMMIT;",
    )?;
    Ok(connection)
}

fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(TABLES)?;
    connection.pragma_update(None, "application_id", APPLICATION)?;
    connection.pragma_update(None, "user_version", LAYOUT)
}

fn write_record(
    to: &Connection,
    object: RecordKind,
    id: RecordId,
    record: Option<&StoredRecord>,
) -> rusqlite::Result<()> {
    match record {
        Some(record) => to.execute(
            "INSERT OR REPLACE INTO record (id, object, form) VALUES (?1, ?2, ?3)",
            params![id.to_string(), object.plural(), text(&RecordForm::from(record))?],
        )?,
        None => to.execute("DELETE FROM record WHERE id = ?1", [id.to_string()])?,
    };
    Ok(())
}

fn write_field(to: &Connection, model: &str, field: &CustomField) -> rusqlite::Result<()> {
    let form = FieldForm {
        id: field.id.to_string(),
        created_at: field.created_at.to_string(),
        label: field.label.clone(),
        kind: field.kind.clone(),
        options: field.options.clone(),
    };
    to.execute(
        "INSERT OR REPLACE INTO custom_field (model, path, form) VALUES (?1, ?2, ?3)",
        params![model, field.path, text(&form)?],
    )?;
    Ok(())
}

fn write_message(to: &Connection, message: &Message) -> rusqlite::Result<()> {
    let number = i64::try_from(message.number).unwrap_or(i64::MAX);
    to.execute(
        "INSERT OR REPLACE INTO message (number, form) VALUES (?1, ?2)",
        params![number, text(&MessageForm::from(message))?],
    )?;
    Ok(())
}

fn write_instance(to: &Connection, instance: &Instance) -> rusqlite::Result<()> {
    to.execute(
        "INSERT OR REPLACE INTO instance (custom_object, id, form) VALUES (?1, ?2, ?3)",
        params![instance.custom_object_id, instance.external_id, text(&InstanceForm::from(instance))?],
    )?;
    Ok(())
}

fn text(form: &impl Serialize) -> rusqlite::Result<String> {
    serde_json::to_string(form).map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}

fn read_record(object: &str, form: &str) -> Option<StoredRecord> {
    serde_json::from_str::<RecordForm>(form).ok()?.into_record(RecordKind::from_plural(object)?)
}

fn read_message(number: &str, form: &str) -> Option<Message> {
    serde_json::from_str::<MessageForm>(form).ok()?.into_message(number.parse().ok()?)
}

fn read_field(path: &str, model: &str, form: &str) -> Option<(&'static str, CustomField)> {
    let form: FieldForm = serde_json::from_str(form).ok()?;
    let field = CustomField {
        id: RecordId::parse(&form.id)?,
        created_at: SimulatorTime::parse(&form.created_at)?,
        label: form.label,
        path: path.to_owned(),
        kind: form.kind,
        options: form.options,
    };
    Some((MODELS.into_iter().find(|known| *known == model)?, field))
}
