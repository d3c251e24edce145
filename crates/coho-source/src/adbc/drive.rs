//! The process that holds a driver: it reads a request from its standard input, and writes rows to its standard output.
//!
//! A driver is a library of somebody else, in C++ or Go, with threads and signal handlers of its own. Here it can crash without
//! taking a run with it. [`session`] loads it and connects, [`shape`] says which of its types are read, [`cells`] reads them; [`counted`] knows
//! whether all rows came.
//!
//! When the standard input ends, nobody waits for rows any more: the query is cancelled, and the process ends.

mod session;
mod shape;
mod cells;
mod counted;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::{self, Read, Write};
use std::ops::ControlFlow;
use std::process::exit;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use adbc_core::error::Error;
use adbc_core::{CancelHandle, Statement};
use adbc_driver_manager::ManagedStatement;
use arrow_array::{RecordBatch, RecordBatchReader};
use coho_core::row::{Cell, RowBuf};

use super::engine::Engine;
use super::frame::{
    self, Answer, Asked, Care, HEAD, Order, Query, RefusedValue, Report, Request, Step, Wanted, head,
};
use crate::buckets::engines::of_vendor;
use cells::Column;
use counted::Count;
use session::{Session, failed};

/// A frame of rows ends with the row that reaches this many bytes.
const FRAME_BYTES: usize = 64 * 1024;

/// How long a driver may take to cancel its query before the process ends anyway.
const CANCEL_PATIENCE: Duration = Duration::from_secs(2);

/// What cancels the query, once there is one.
type Cancel = Arc<Mutex<Option<Cancelling>>>;

struct Cancelling {
    handle: Box<dyn CancelHandle>,
    /// Whether the engine goes on with a query until its session ends.
    ends_session: bool,
}

/// Answers the request on the standard input, and ends with it. This is all that a program does which is named by
/// [`DriverHost`](crate::DriverHost); what a driver prints goes to the standard error.
pub fn drive() -> io::Result<()> {
    let out = File::from(rustix::io::dup(io::stdout())?);
    rustix::stdio::dup2_stdout(io::stderr())?;
    let mut pipe = Pipe { out };
    let mut input = io::stdin();
    let Some((letter, bytes)) = frame(&mut input)? else { return Ok(()) };
    let request = Request::read(letter, &bytes).ok_or(io::ErrorKind::InvalidData)?;
    let cancel = Cancel::default();
    let (told, orders) = sync_channel(1);
    let watched = Arc::clone(&cancel);
    std::thread::Builder::new().spawn(move || watch(input, told, &watched))?;
    let last = match answer(&request, &mut pipe, &orders, &cancel) {
        Ok(()) => Answer::End,
        Err(Stop::Report(report)) => Answer::Failed(report),
        Err(Stop::Pipe(error)) => return Err(error),
    };
    pipe.send(&last)?;
    // The driver's own end is nobody's concern any more: not all of them survive it.
    exit(0)
}

/// Why there are no further answers.
enum Stop {
    /// To be told.
    Report(Report),
    /// Nobody listens.
    Pipe(io::Error),
}

impl From<Report> for Stop {
    fn from(report: Report) -> Self {
        Self::Report(report)
    }
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Pipe(error)
    }
}

/// Where answers go.
struct Pipe {
    out: File,
}

impl Pipe {
    fn send(&mut self, answer: &Answer) -> io::Result<()> {
        self.out.write_all(&answer.frame())
    }
}

/// The next frame; `None` where there is none.
fn frame(input: &mut impl Read) -> io::Result<Option<(u8, Vec<u8>)>> {
    let mut first = [0; HEAD];
    match input.read_exact(&mut first) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        read => read?,
    }
    let (letter, length) = head(first).ok_or(io::ErrorKind::InvalidData)?;
    let mut bytes = vec![0; length];
    input.read_exact(&mut bytes)?;
    Ok(Some((letter, bytes)))
}

/// Passes on what is wanted, and ends the process when the input ends.
fn watch(mut input: impl Read, told: SyncSender<Order>, cancel: &Cancel) {
    while let Ok(Some((letter, bytes))) = frame(&mut input) {
        if let Some(order) = Order::read(letter, &bytes)
            && told.send(order).is_err()
        {
            break;
        }
    }
    // Who waits for an order waits no longer.
    drop(told);
    let cancelled = std::thread::Builder::new().spawn({
        let cancel = Arc::clone(cancel);
        move || {
            let mut ends_session = false;
            if let Ok(cancelling) = cancel.lock()
                && let Some(cancelling) = cancelling.as_ref()
            {
                ends_session = cancelling.ends_session;
                // A driver that cannot cancel leaves the query to its engine.
                cancelling.handle.try_cancel().unwrap_or_default();
            }
            if !ends_session {
                exit(0)
            }
        }
    });
    if cancelled.is_ok() {
        std::thread::sleep(CANCEL_PATIENCE);
    }
    exit(0)
}

fn answer(request: &Request, pipe: &mut Pipe, orders: &Receiver<Order>, cancel: &Cancel) -> Result<(), Stop> {
    let mut session = Session::open(request)?;
    let (query, most) = match &request.asked {
        Asked::Connection => return Ok(()),
        Asked::Columns(query) => (query, None),
        Asked::Rows(query, most) => (query, Some(*most)),
        Asked::Compared(query) => {
            if compare(&mut session, request, query, &mut Talk { pipe, orders, cancel })?.is_break() {
                return Ok(());
            }
            (query, Some(u64::MAX))
        }
    };
    let sql = session.engine.sql(query)?;
    let mut announced = None;
    if session.engine.describes_first() && session.engine.is_subquery(&sql) {
        let schema = described(&mut session, request, &sql, cancel)?;
        if most.is_none() {
            return Ok(pipe.send(&columns(&schema, &session)?)?);
        }
        announced = Some(schema);
    }
    // Who wants some rows only cannot miss any.
    let count = if most == Some(u64::MAX) { Count::of(session.engine) } else { Count::None };
    let mut statement = session.statement_of(&count.around(&sql), request)?;
    watched(&mut statement, session.engine, cancel);
    // Not every driver can say it without running the query.
    if most.is_none()
        && let Ok(schema) = statement.execute_schema()
        && !schema.fields().is_empty()
    {
        return Ok(pipe.send(&columns(&schema, &session)?)?);
    }
    let mut reader = statement.execute().map_err(refused)?;
    let given = reader.schema();
    let schema = announced.filter(|_| count == Count::Beside || given.fields().is_empty());
    pipe.send(&columns(schema.as_ref().unwrap_or(&given), &session)?)?;
    let Some(most) = most else { return Ok(()) };
    let Ok(Order::Wanted(wanted)) = orders.recv() else { return Ok(()) };
    if count.is_to_be_confirmed(&reader) {
        return Ok(counted::confirm_empty(&mut session, request, &sql, cancel)?);
    }
    rows(&mut reader, &Sending { wanted, engine: session.engine, most, count }, pipe)
}

fn refused(error: Error) -> Report {
    failed(Step::Query, error)
}

/// Lets a statement be cancelled.
fn watched(statement: &mut ManagedStatement, engine: Engine, cancel: &Cancel) {
    if let Ok(mut cancelling) = cancel.lock() {
        let handle = statement.get_cancel_handle();
        *cancelling = Some(Cancelling { handle, ends_session: engine == Engine::Spark });
    }
}

/// With whom, and by what.
struct Talk<'a> {
    pipe: &'a mut Pipe,
    orders: &'a Receiver<Order>,
    cancel: &'a Cancel,
}

/// Says the columns of a query without running it, and then answers one statement after another, all in one connection; the rows of
/// the query end it. Goes on to read all rows where the engine cannot be asked to compare, or the query cannot be described.
fn compare(
    session: &mut Session,
    request: &Request,
    query: &Query,
    talk: &mut Talk<'_>,
) -> Result<ControlFlow<()>, Stop> {
    if of_vendor(&session.vendor).is_none() {
        return Ok(ControlFlow::Continue(()));
    }
    session.begin();
    let sql = session.engine.sql(query)?;
    let Ok(schema) = described(session, request, &sql, talk.cancel) else {
        session.begin_again();
        return Ok(ControlFlow::Continue(()));
    };
    session.compares = true;
    talk.pipe.send(&columns(&schema, session)?)?;
    while let Ok(order) = talk.orders.recv() {
        match order {
            Order::Wanted(wanted) => {
                all_rows(session, request, &sql, wanted, talk)?;
                break;
            }
            Order::Statement(asked) => match one(session, request, &asked, talk) {
                Ok(()) => talk.pipe.send(&Answer::Done)?,
                Err(Stop::Report(report)) => {
                    session.begin_again();
                    talk.pipe.send(&Answer::Declined(report))?;
                }
                Err(stop @ Stop::Pipe(_)) => return Err(stop),
            },
        }
    }
    Ok(ControlFlow::Break(()))
}

/// Answers one statement.
fn one(
    session: &mut Session,
    request: &Request,
    asked: &frame::Statement,
    talk: &mut Talk<'_>,
) -> Result<(), Stop> {
    let Some(wanted) = asked.wanted.clone() else {
        let schema = described(session, request, &asked.sql, talk.cancel)?;
        return Ok(talk.pipe.send(&columns(&schema, session)?)?);
    };
    all_rows(session, request, &asked.sql, wanted, talk)
}

/// Sends all rows of a statement.
fn all_rows(
    session: &mut Session,
    request: &Request,
    sql: &str,
    wanted: Vec<Wanted>,
    talk: &mut Talk<'_>,
) -> Result<(), Stop> {
    let engine = session.engine;
    let count = Count::of(engine);
    let mut statement = session.statement_of(&count.around(sql), request)?;
    watched(&mut statement, engine, talk.cancel);
    let mut reader = statement.execute().map_err(refused)?;
    if count.is_to_be_confirmed(&reader) {
        return Ok(counted::confirm_empty(session, request, sql, talk.cancel)?);
    }
    rows(&mut reader, &Sending { wanted, engine, most: u64::MAX, count }, talk.pipe)
}

/// The columns of a statement's rows, of which one at most is asked for.
fn described(
    session: &mut Session,
    request: &Request,
    sql: &str,
    cancel: &Cancel,
) -> Result<arrow_schema::Schema, Report> {
    let Some(around) = session.engine.description(sql) else {
        let mut statement = session.statement_of(sql, request)?;
        watched(&mut statement, session.engine, cancel);
        return statement.execute_schema().map_err(refused);
    };
    let mut statement = session.statement_of(&around, request)?;
    watched(&mut statement, session.engine, cancel);
    let reader = statement.execute().map_err(refused)?;
    Ok(reader.schema().as_ref().clone())
}

fn columns(schema: &arrow_schema::Schema, session: &Session) -> Result<Answer, Report> {
    if schema.fields().is_empty() {
        return Err(Report { step: Step::NoColumns, ..Report::default() });
    }
    let fields = schema.fields().iter().map(|field| shape::column(field, session.engine)).collect();
    let (vendor, compares) = (session.vendor.clone(), session.compares);
    Ok(Answer::Columns(frame::Columns { vendor, compares, fields }))
}

/// How rows are sent.
struct Sending {
    wanted: Vec<Wanted>,
    engine: Engine,
    most: u64,
    count: Count,
}

fn rows(reader: &mut dyn RecordBatchReader, how: &Sending, pipe: &mut Pipe) -> Result<(), Stop> {
    let (mut given, mut number) = (0, None);
    for batch in reader {
        let batch = batch.map_err(|error| Report {
            step: Step::Row,
            message: error.to_string(),
            ..Report::default()
        })?;
        number = number.or_else(|| how.count.in_batch(&batch));
        if send(&batch, how, &mut given, pipe)?.is_break() {
            return Ok(());
        }
    }
    Ok(how.count.agrees(given, number)?)
}

/// Sends the rows of a batch; breaks where no more are wanted.
fn send(
    batch: &RecordBatch,
    how: &Sending,
    given: &mut u64,
    pipe: &mut Pipe,
) -> Result<ControlFlow<()>, Stop> {
    let columns: Vec<Option<Column<'_>>> =
        how.wanted.iter().map(|wanted| column(batch, wanted)).collect::<Result<_, _>>()?;
    let (mut ready, mut bytes) = (Vec::new(), 0);
    for at in 0..batch.num_rows() {
        *given += 1;
        match row(&columns, at, &how.wanted) {
            Ok(row) => {
                bytes += row.as_bytes().len();
                ready.push(row);
            }
            Err((column, what)) => {
                pipe.send(&Answer::Rows(ready))?;
                let name = name(batch, how.wanted.get(column));
                let is_bytes = what == cells::NOT_UTF_8;
                let cast = if is_bytes { how.engine.encoded(&name) } else { how.engine.text(&name) };
                let refused = RefusedValue { column, row: *given, what: what.to_owned(), cast };
                pipe.send(&Answer::Refused(refused))?;
                return Ok(ControlFlow::Break(()));
            }
        }
        if bytes >= FRAME_BYTES {
            pipe.send(&Answer::Rows(std::mem::take(&mut ready)))?;
            bytes = 0;
        }
        if *given >= how.most {
            pipe.send(&Answer::Rows(ready))?;
            return Ok(ControlFlow::Break(()));
        }
    }
    pipe.send(&Answer::Rows(ready))?;
    Ok(ControlFlow::Continue(()))
}

/// A column of a batch; none where nobody looks at it. What its type has no form for was refused before, unless nobody needs it.
fn column<'a>(batch: &'a RecordBatch, wanted: &Wanted) -> Result<Option<Column<'a>>, Report> {
    if wanted.care == Care::None {
        return Ok(None);
    }
    let array = batch.columns().get(wanted.field);
    let field = batch.schema_ref().fields().get(wanted.field);
    let column = array.zip(field).and_then(|(array, field)| Column::of(array, field));
    if column.is_none() && wanted.care == Care::Needed {
        let message = "the driver gave rows of other types than it had announced".to_owned();
        return Err(Report { step: Step::Row, message, ..Report::default() });
    }
    Ok(column)
}

fn name(batch: &RecordBatch, wanted: Option<&Wanted>) -> String {
    let field = wanted.and_then(|wanted| batch.schema_ref().fields().get(wanted.field));
    field.map(|field| field.name().clone()).unwrap_or_default()
}

fn row(
    columns: &[Option<Column<'_>>],
    at: usize,
    wanted: &[Wanted],
) -> Result<RowBuf, (usize, cells::Wrong)> {
    let mut row = RowBuf::from_bytes(Vec::with_capacity(16 * columns.len()));
    let mut scratch = String::new();
    for (place, (column, wanted)) in columns.iter().zip(wanted).enumerate() {
        match column.as_ref().map_or(Ok(Cell::Null), |column| column.cell(at, &mut scratch)) {
            Ok(cell) => row.push(cell),
            Err(_) if wanted.care != Care::Needed => row.push(Cell::Null),
            Err(what) => return Err((place, what)),
        }
    }
    Ok(row)
}
