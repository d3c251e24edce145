//! Objects in the tables of a schema, for code that blocks: whole objects, and writes under a condition, each in one transaction that is on
//! the server's disk when it is answered. [`crate::calls`] makes the calls.

use std::fmt;
use std::fs::File;
use std::future::Future;
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use coho_core::ledger_address::PostgresLedgerAddress;
use futures_util::TryStreamExt as _;
use futures_util::future::BoxFuture;
use tokio::sync::Mutex;
use tokio::time::timeout;
use tokio_postgres::types::{FromSqlOwned, ToSql, Type};
use tokio_postgres::{Client, Error, Row};

use super::connect::{config, connector};
use super::fault::{PostgresFault, is_missing, unless_missing};
use super::session::{Line, Way, in_transaction};
use super::sql::{self, Statements};
use crate::calls::Calls;
use crate::shelf::{Condition, Listed, Put, Version};

/// How long a call may take once there is a connection, and how long nothing may happen to a large object.
const LONGEST: Duration = Duration::from_secs(30);
/// How many bytes a part of a large object has.
const PART: usize = 4 * 1024 * 1024;

/// What a statement is given.
type Parameter<'a> = &'a (dyn ToSql + Sync);
type Parameters<'a> = &'a [(Parameter<'a>, Type)];

/// Whether this shelf is marked as the one whose objects are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriterMark {
    /// It is, until its connection ends.
    Ours,
    /// Another one is, and its connection stands.
    Others,
}

/// Objects of one name in a schema of PostgreSQL. Its functions block.
#[derive(Clone)]
pub struct PostgresShelf {
    calls: Calls,
    inside: Arc<Mutex<Inside>>,
    _goodbye: Arc<Goodbye>,
}

struct Inside {
    way: Way,
    line: Line,
    statements: Statements,
    schema: String,
    ledger: String,
    /// Whether each connection is to have the mark of the one that writes.
    wants_mark: bool,
    /// The object that was created last, and is there unless the server forgot it.
    last: Option<String>,
}

impl PostgresShelf {
    /// The objects at this address; nobody is asked yet. A password that it leaves open comes from PGPASSWORD.
    pub fn open(address: &PostgresLedgerAddress) -> Result<Self, PostgresFault> {
        let mut config = config(address.url())?;
        if config.get_password().is_none()
            && let Ok(password) = std::env::var("PGPASSWORD")
        {
            config.password(password);
        }
        if config.get_application_name().is_none() {
            config.application_name("coho ledger");
        }
        let way = Way::new(config, connector()?);
        let (schema, ledger) = (address.schema().to_owned(), address.name().to_owned());
        let statements = Statements::of(&schema);
        let inside =
            Inside { way, line: Line::default(), statements, schema, ledger, wants_mark: false, last: None };
        let calls = Calls::start("postgres").map_err(PostgresFault::Disk)?;
        let inside = Arc::new(Mutex::new(inside));
        let goodbye = Arc::new(Goodbye { calls: calls.clone(), inside: Arc::clone(&inside) });
        Ok(Self { calls, inside, _goodbye: goodbye })
    }

    /// An object; `None` where there is none.
    pub fn get(&self, name: &str) -> Result<Option<(Vec<u8>, Version)>, PostgresFault> {
        let name = name.to_owned();
        self.wait(move |inside| Box::pin(async move { inside.get(&name).await }))
    }

    /// Writes an object under a condition. One that is created follows on the one that this shelf created last, which must be there.
    pub fn put(&self, name: &str, bytes: &[u8], condition: &Condition) -> Result<Put, PostgresFault> {
        let (name, bytes, condition) = (name.to_owned(), bytes.to_vec(), condition.clone());
        self.wait(move |inside| Box::pin(async move { inside.put(&name, &bytes, &condition).await }))
    }

    /// Writes a file as an object, in parts and in one transaction, whatever is there.
    pub fn upload(&self, name: &str, file: &Path) -> Result<(), PostgresFault> {
        let (name, file) = (name.to_owned(), file.to_owned());
        self.wait(move |inside| Box::pin(async move { inside.upload(&name, &file).await }))
    }

    /// Writes an object that is in parts into a file. Gives how many bytes it has; `None` where there is none.
    pub fn download(&self, name: &str, file: &Path) -> Result<Option<u64>, PostgresFault> {
        let (name, file) = (name.to_owned(), file.to_owned());
        self.wait(move |inside| Box::pin(async move { inside.download(&name, &file).await }))
    }

    /// The objects.
    pub fn list(&self) -> Result<Vec<Listed>, PostgresFault> {
        self.wait(|inside| Box::pin(inside.list()))
    }

    /// Removes objects; those that are not there are let be.
    pub fn remove(&self, names: &[String]) -> Result<(), PostgresFault> {
        let names = names.to_vec();
        self.wait(move |inside| Box::pin(async move { inside.remove(&names).await }))
    }

    /// The server's clock, in microseconds since 1970.
    pub fn now(&self) -> Result<i64, PostgresFault> {
        self.wait(|inside| Box::pin(inside.now()))
    }

    /// Marks this shelf as the one whose objects are written, unless another one is. The mark goes with the connection, so that of a process
    /// that was killed is gone with it; where a connection broke, the next one takes it again if it can.
    pub fn mark(&self) -> Result<WriterMark, PostgresFault> {
        self.wait(|inside| Box::pin(inside.mark()))
    }

    /// Whether any shelf is marked.
    pub fn is_marked(&self) -> Result<bool, PostgresFault> {
        self.wait(|inside| Box::pin(inside.is_marked()))
    }

    /// Whether there are tables or could be made: an error with the statements to run where not.
    pub fn check_rights(&self) -> Result<(), PostgresFault> {
        self.wait(|inside| Box::pin(inside.check_rights()))
    }

    fn wait<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Inside) -> BoxFuture<'_, Result<T, PostgresFault>> + Send + 'static,
    ) -> Result<T, PostgresFault> {
        let inside = Arc::clone(&self.inside);
        let call = async move { work(&mut *inside.lock().await).await };
        self.calls.wait(call).unwrap_or(Err(PostgresFault::Abandoned))
    }
}

impl fmt::Debug for PostgresShelf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PostgresShelf")
    }
}

/// Ends the connection in order when the last one that has the shelf is gone.
struct Goodbye {
    calls: Calls,
    inside: Arc<Mutex<Inside>>,
}

impl Drop for Goodbye {
    fn drop(&mut self) {
        let inside = Arc::clone(&self.inside);
        self.calls.wait(async move { inside.lock().await.line.close().await }).unwrap_or_default();
    }
}

impl Inside {
    async fn get(&mut self, name: &str) -> Result<Option<(Vec<u8>, Version)>, PostgresFault> {
        let (sql, ledger) = (self.statements.get(), self.ledger.clone());
        let found = self.query(&sql, &[(&ledger, Type::TEXT), (&name, Type::TEXT)]).await;
        let Some(rows) = unless_missing(found)? else { return Ok(None) };
        let Some(row) = rows.first() else { return Ok(None) };
        let (version, bytes): (i64, Option<Vec<u8>>) = (self.cell(row, 0)?, self.cell(row, 1)?);
        Ok(Some((bytes.unwrap_or_default(), version_of(version))))
    }

    async fn put(&mut self, name: &str, bytes: &[u8], condition: &Condition) -> Result<Put, PostgresFault> {
        let done = match condition {
            Condition::Absent => self.create(name, bytes).await?,
            Condition::Unchanged(version) => self.change(name, bytes, version).await?,
        };
        Ok(done.map_or(Put::Refused, |version| Put::Done(version_of(version))))
    }

    async fn create(&mut self, name: &str, bytes: &[u8]) -> Result<Option<i64>, PostgresFault> {
        let (sql, ledger, last) = (self.statements.create(), self.ledger.clone(), self.last.clone());
        let parameters: Parameters<'_> =
            &[(&ledger, Type::TEXT), (&name, Type::TEXT), (&bytes, Type::BYTEA), (&last, Type::TEXT)];
        let rows = match self.write(&sql, parameters).await {
            Err(fault) if is_missing(&fault) => {
                self.make().await?;
                self.write(&sql, parameters).await?
            }
            done => done?,
        };
        if let Some(row) = rows.first() {
            self.last = Some(name.to_owned());
            return self.cell(row, 0).map(Some);
        }
        // Somebody was faster; or what this one follows on is gone, though the server had said that it is stored.
        if let Some(last) = last
            && self.get(name).await?.is_none()
            && self.get(&last).await?.is_none()
        {
            return Err(PostgresFault::Forgotten { server: self.way.server.clone(), name: last });
        }
        Ok(None)
    }

    async fn change(
        &mut self,
        name: &str,
        bytes: &[u8],
        version: &Version,
    ) -> Result<Option<i64>, PostgresFault> {
        let (sql, ledger) = (self.statements.change(), self.ledger.clone());
        // One that is not of this store is of no object in it.
        let version = version.tag.as_deref().and_then(|tag| tag.parse::<i64>().ok()).unwrap_or(-1);
        let parameters: Parameters<'_> =
            &[(&ledger, Type::TEXT), (&name, Type::TEXT), (&bytes, Type::BYTEA), (&version, Type::INT8)];
        let Some(rows) = unless_missing(self.write(&sql, parameters).await)? else { return Ok(None) };
        rows.first().map(|row| self.cell(row, 0)).transpose()
    }

    async fn upload(&mut self, name: &str, file: &Path) -> Result<(), PostgresFault> {
        match self.upload_once(name, file).await {
            Err(fault) if is_missing(&fault) => {
                self.make().await?;
                self.upload_once(name, file).await
            }
            done => done,
        }
    }

    async fn upload_once(&mut self, name: &str, file: &Path) -> Result<(), PostgresFault> {
        let client = self.open().await?;
        let done = self.upload_over(&client, name, file).await;
        self.end(&client, done).await
    }

    /// One transaction, whose rows are sent one after the other. Whether an earlier attempt was made is not asked: it is made anew.
    async fn upload_over(&mut self, client: &Client, name: &str, file: &Path) -> Result<(), PostgresFault> {
        let mut file = File::open(file).map_err(PostgresFault::Disk)?;
        let length = file.metadata().map_err(PostgresFault::Disk)?.len();
        let length = i64::try_from(length).unwrap_or(i64::MAX);
        let (ledger, names) = (self.ledger.clone(), [name]);
        let (remove, begin, add) =
            (self.statements.remove(), self.statements.begin_parts(), self.statements.add_part());
        self.told(client.batch_execute(sql::BEGIN)).await?;
        let removed: Parameters<'_> = &[(&ledger, Type::TEXT), (&names.as_slice(), Type::TEXT_ARRAY)];
        self.told(client.query_typed(&remove, removed)).await?;
        let object: Parameters<'_> = &[(&ledger, Type::TEXT), (&name, Type::TEXT), (&length, Type::INT8)];
        self.told(client.query_typed(&begin, object)).await?;
        for number in 0_i32.. {
            let mut bytes = Vec::new();
            (&mut file).take(PART as u64).read_to_end(&mut bytes).map_err(PostgresFault::Disk)?;
            if bytes.is_empty() {
                break;
            }
            let part: Parameters<'_> =
                &[(&ledger, Type::TEXT), (&name, Type::TEXT), (&number, Type::INT4), (&bytes, Type::BYTEA)];
            self.told(client.query_typed(&add, part)).await?;
        }
        self.told(client.batch_execute(sql::COMMIT)).await
    }

    async fn download(&mut self, name: &str, file: &Path) -> Result<Option<u64>, PostgresFault> {
        let (length, parts, ledger) =
            (self.statements.length(), self.statements.parts(), self.ledger.clone());
        let found = self.query(&length, &[(&ledger, Type::TEXT), (&name, Type::TEXT)]).await;
        let found = unless_missing(found)?.unwrap_or_default();
        let Some(row) = found.first() else { return Ok(None) };
        let length = u64::try_from(self.cell::<i64>(row, 0)?).unwrap_or_default();
        let mut file = File::create(file).map_err(PostgresFault::Disk)?;
        let client = self.open().await?;
        let parameters = [(&ledger as Parameter<'_>, Type::TEXT), (&name, Type::TEXT)];
        let rows = self.told(client.query_typed_raw(&parts, parameters)).await?;
        let (mut rows, mut arrived) = (pin!(rows), 0);
        while let Some(row) = self.told(rows.try_next()).await? {
            let bytes: Vec<u8> = self.cell(&row, 0)?;
            file.write_all(&bytes).map_err(PostgresFault::Disk)?;
            arrived += bytes.len() as u64;
        }
        match arrived {
            // It was removed between the two statements.
            0 if length > 0 => Ok(None),
            _ if arrived != length => Err(PostgresFault::Cut { arrived, length }),
            _ => Ok(Some(length)),
        }
    }

    async fn list(&mut self) -> Result<Vec<Listed>, PostgresFault> {
        let (sql, ledger) = (self.statements.list(), self.ledger.clone());
        let found = unless_missing(self.query(&sql, &[(&ledger, Type::TEXT)]).await)?;
        let listed = |row: &Row| {
            let length = u64::try_from(self.cell::<i64>(row, 1)?).unwrap_or_default();
            Ok(Listed { key: self.cell(row, 0)?, length })
        };
        found.unwrap_or_default().iter().map(listed).collect()
    }

    async fn remove(&mut self, names: &[String]) -> Result<(), PostgresFault> {
        let (sql, ledger) = (self.statements.remove(), self.ledger.clone());
        let parameters: Parameters<'_> = &[(&ledger, Type::TEXT), (&names, Type::TEXT_ARRAY)];
        unless_missing(self.write(&sql, parameters).await)?;
        if self.last.as_ref().is_some_and(|last| names.contains(last)) {
            self.last = None;
        }
        Ok(())
    }

    async fn now(&mut self) -> Result<i64, PostgresFault> {
        let rows = self.query(sql::NOW, &[]).await?;
        rows.first().map_or(Ok(0), |row| self.cell(row, 0))
    }

    async fn mark(&mut self) -> Result<WriterMark, PostgresFault> {
        let client = self.open().await?;
        if !self.line.is_marked() {
            self.wants_mark = true;
            self.try_mark(&client).await?;
        }
        Ok(if self.line.is_marked() { WriterMark::Ours } else { WriterMark::Others })
    }

    async fn try_mark(&mut self, client: &Client) -> Result<(), PostgresFault> {
        let (schema, ledger) = (self.schema.clone(), self.ledger.clone());
        let parameters: Parameters<'_> = &[(&schema, Type::TEXT), (&ledger, Type::TEXT)];
        let rows = self.told(client.query_typed(sql::MARK, parameters)).await?;
        let is_marked = self.first(&rows)?;
        self.line.note_mark(is_marked);
        Ok(())
    }

    async fn is_marked(&mut self) -> Result<bool, PostgresFault> {
        let (schema, ledger) = (self.schema.clone(), self.ledger.clone());
        let rows = self.query(sql::IS_MARKED, &[(&schema, Type::TEXT), (&ledger, Type::TEXT)]).await?;
        self.first(&rows)
    }

    async fn check_rights(&mut self) -> Result<(), PostgresFault> {
        let (sql, ledger, schema) = (self.statements.list(), self.ledger.clone(), self.schema.clone());
        if unless_missing(self.query(&sql, &[(&ledger, Type::TEXT)]).await)?.is_some() {
            return Ok(());
        }
        let rows = self.query(sql::MAY_CREATE, &[(&schema, Type::TEXT)]).await?;
        if self.first(&rows)? { Ok(()) } else { Err(self.no_rights(true, "they do not exist yet")) }
    }

    /// Makes the schema, where there is none, and the tables. Another first run may do the same at this moment.
    async fn make(&mut self) -> Result<(), PostgresFault> {
        let client = self.open().await?;
        let made = self.make_over(&client).await;
        match self.end(&client, made).await {
            Err(PostgresFault::NoRights { words, .. }) => Err(self.no_rights(true, words)),
            done => done,
        }
    }

    async fn make_over(&mut self, client: &Client) -> Result<(), PostgresFault> {
        let (schema, create_schema, create_tables) =
            (self.schema.clone(), self.statements.create_schema(), self.statements.create_tables());
        self.told(client.batch_execute(sql::BEGIN)).await?;
        self.told(client.batch_execute(sql::LOCK_OF_SCHEMAS)).await?;
        let rows = self.told(client.query_typed(sql::HAS_SCHEMA, &[(&schema, Type::TEXT)])).await?;
        // Whoever may not make schemas may not even say that it need not be made.
        if !self.first(&rows)? {
            self.told(client.batch_execute(&create_schema)).await?;
        }
        self.told(client.batch_execute(&create_tables)).await?;
        self.told(client.batch_execute(sql::COMMIT)).await
    }

    /// Leaves no transaction behind that failed.
    async fn end<T>(&mut self, client: &Client, done: Result<T, PostgresFault>) -> Result<T, PostgresFault> {
        if done.is_err() && self.told(client.batch_execute(sql::ROLLBACK)).await.is_err() {
            self.line.hang_up();
        }
        done
    }

    /// One statement that reads.
    async fn query(&mut self, sql: &str, parameters: Parameters<'_>) -> Result<Vec<Row>, PostgresFault> {
        let client = self.open().await?;
        self.told(client.query_typed(sql, parameters)).await
    }

    /// One statement in one transaction, which is durable when it is answered, in one round trip.
    async fn write(&mut self, sql: &str, parameters: Parameters<'_>) -> Result<Vec<Row>, PostgresFault> {
        let client = self.open().await?;
        self.told(in_transaction(&client, client.query_typed(sql, parameters))).await
    }

    /// The connection, with the mark if it is to have it and can.
    async fn open(&mut self) -> Result<Arc<Client>, PostgresFault> {
        let (client, is_new) = self.line.open(&self.way).await?;
        if is_new && self.wants_mark {
            self.try_mark(&client).await?;
        }
        Ok(client)
    }

    /// What is answered in time, or what the error means.
    async fn told<T>(&mut self, work: impl Future<Output = Result<T, Error>>) -> Result<T, PostgresFault> {
        let fault = match timeout(LONGEST, work).await {
            Ok(Ok(done)) => return Ok(done),
            Ok(Err(error)) => self.line.explain(error, &self.way).await,
            Err(_) => {
                self.line.hang_up();
                PostgresFault::TooLong { server: self.way.server.clone() }
            }
        };
        if let PostgresFault::Refused(refusal) = &fault
            && refusal.state == "42501"
        {
            return Err(self.no_rights(false, &refusal.message));
        }
        Err(fault)
    }

    fn no_rights(&self, is_missing: bool, words: impl Into<String>) -> PostgresFault {
        let role = self.way.role().to_owned();
        PostgresFault::NoRights {
            statements: self.statements.for_administrators(&role, !is_missing),
            role,
            schema: self.schema.clone(),
            is_missing,
            words: words.into(),
        }
    }

    /// The first column of the first row.
    fn first<T: FromSqlOwned + Default>(&self, rows: &[Row]) -> Result<T, PostgresFault> {
        rows.first().map_or_else(|| Ok(T::default()), |row| self.cell(row, 0))
    }

    fn cell<T: FromSqlOwned>(&self, row: &Row, column: usize) -> Result<T, PostgresFault> {
        let why = |error: Error| error.to_string();
        let server = || self.way.server.clone();
        row.try_get(column).map_err(|error| PostgresFault::Lost { server: server(), why: why(error) })
    }
}

fn version_of(version: i64) -> Version {
    Version { tag: Some(version.to_string()), number: None }
}
