//! What is said between Coho and the process that holds a driver: frames of a letter, a length and bytes. The bytes are JSON, except
//! those of rows, of which there are many: each row stands in its own form, with its length before it.
//!
//! Coho sends a [`Request`], and later [`Order`]s. The end of its input tells the process to end. The process answers
//! with [`Answer`]s; its last one is [`Answer::End`] or [`Answer::Failed`], and without it the process died.

use std::time::Duration;

use coho_core::row::{ColumnType, RowBuf};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// The most bytes of a frame: more is a sign that something else writes to the pipe.
const LONGEST: usize = 1 << 30;

/// What Coho asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Request {
    /// The driver: a name, the path of a library or of a manifest.
    pub(crate) driver: String,
    /// The driver's options: names and values.
    pub(crate) options: Vec<(String, String)>,
    /// What engines' lists of their work show: `coho:model=accounts`.
    pub(crate) tag: String,
    /// How long the engine may work on the query, where it can be told.
    pub(crate) limit: Option<Duration>,
    /// What is asked.
    pub(crate) asked: Asked,
}

/// What is asked of a driver.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Asked {
    /// Whether it connects.
    #[default]
    Connection,
    /// The columns that a query would give.
    Columns(Query),
    /// Its rows, at most so many.
    Rows(Query, u64),
    /// Its columns, and then its rows, or the answers to [`Statement`]s. An engine that Coho cannot ask to compare gives its rows.
    Compared(Query),
}

/// A model's query.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Query {
    /// SQL.
    Sql(String),
    /// A whole table, by the parts of its name: they are quoted as the engine does it.
    Table(Vec<String>),
}

/// What the driver's process says.
#[derive(Debug)]
pub(crate) enum Answer {
    /// The columns that the rows will have.
    Columns(Columns),
    /// Some rows.
    Rows(Vec<RowBuf>),
    /// A value that has no form that keeps it.
    Refused(RefusedValue),
    /// A statement was answered.
    Done,
    /// A statement was refused, which ends nothing.
    Declined(Report),
    /// Nothing more comes.
    Failed(Report),
    /// Everything that was asked for was said.
    End,
}

/// The columns of rows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Columns {
    /// What the driver calls its engine; empty where it does not say.
    pub(crate) vendor: String,
    /// Whether [`Statement`]s are answered.
    pub(crate) compares: bool,
    pub(crate) fields: Vec<Field>,
}

/// A column: its name, and the type of its cells or why it has none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Field {
    pub(crate) name: String,
    #[serde(with = "kind")]
    pub(crate) kind: Result<ColumnType, Refusal>,
    /// All that the driver says of its type.
    pub(crate) signature: String,
    /// Whether all its values are whole numbers.
    pub(crate) is_whole: bool,
}

/// Why a type has no form: its name, and the cast to write.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Refusal {
    pub(crate) kind: String,
    pub(crate) cast: String,
}

/// A value that has no form: the place of its column among those wanted, its row from 1, what it is, and the cast to write.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RefusedValue {
    pub(crate) column: usize,
    pub(crate) row: u64,
    pub(crate) what: String,
    pub(crate) cast: String,
}

/// Why the driver's process could not go on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Report {
    /// During what.
    pub(crate) step: Step,
    /// The driver's own words; may hold what options hold.
    pub(crate) message: String,
    /// The five characters of the SQL standard's code; empty where the driver has none.
    pub(crate) state: String,
    /// Where the driver was looked for.
    pub(crate) places: Vec<String>,
}

/// During what a driver's process failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Step {
    /// The driver was not found.
    #[default]
    Find,
    /// It was found, and cannot be used.
    Load,
    /// It refused the options, or could not connect.
    Connect,
    /// The engine does not accept who asks.
    Refuse,
    /// It refused the query.
    Query,
    /// A row could not be read.
    Row,
    /// The model's SQL has more than one statement.
    Statements,
    /// The model's SQL is not a query.
    Word,
    /// The query gives no columns.
    NoColumns,
}

/// Letters of frames.
const REQUEST: u8 = b'Q';
const WANTED: u8 = b'W';
const STATEMENT: u8 = b'S';
const COLUMNS: u8 = b'C';
const ROWS: u8 = b'R';
const REFUSED: u8 = b'V';
const DONE: u8 = b'D';
const DECLINED: u8 = b'N';
const FAILED: u8 = b'F';
const END: u8 = b'E';

const LETTERS: [u8; 10] = [REQUEST, WANTED, STATEMENT, COLUMNS, ROWS, REFUSED, DONE, DECLINED, FAILED, END];

/// How many bytes stand before those of a frame.
pub(crate) const HEAD: usize = 5;

/// The letter of a frame, and how many bytes it has; `None` where this begins none.
pub(crate) fn head(bytes: [u8; HEAD]) -> Option<(u8, usize)> {
    let [letter, length @ ..] = bytes;
    let length = usize::try_from(u32::from_le_bytes(length)).ok()?;
    let is_known = LETTERS.contains(&letter);
    (is_known && length <= LONGEST).then_some((letter, length))
}

impl Request {
    /// As a frame.
    pub(crate) fn frame(&self) -> Vec<u8> {
        told(REQUEST, self)
    }

    /// From a frame.
    pub(crate) fn read(letter: u8, bytes: &[u8]) -> Option<Self> {
        if letter == REQUEST { heard(bytes) } else { None }
    }
}

/// A column of the rows that Coho wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Wanted {
    /// Which of the query's fields it is.
    pub(crate) field: usize,
    pub(crate) care: Care,
}

/// Who looks at a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Care {
    /// Somebody reads it.
    Needed,
    /// Nobody needs it: it is null where it has no form.
    Spare,
    /// Nobody looks at it: it is null.
    None,
}

/// A statement of Coho's own, in the connection of the query.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Statement {
    pub(crate) sql: String,
    /// The columns of its rows that are wanted; `None` where it is not to run, and only its columns are asked for.
    pub(crate) wanted: Option<Vec<Wanted>>,
}

/// What Coho says after its request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// Which columns the rows of the query are to have.
    Wanted(Vec<Wanted>),
    /// A statement to run.
    Statement(Statement),
}

impl Order {
    /// As a frame.
    pub(crate) fn frame(&self) -> Vec<u8> {
        match self {
            Self::Wanted(wanted) => told(WANTED, wanted),
            Self::Statement(statement) => told(STATEMENT, statement),
        }
    }

    /// From a frame; `None` where it is none of them.
    pub(crate) fn read(letter: u8, bytes: &[u8]) -> Option<Self> {
        match letter {
            WANTED => heard(bytes).map(Self::Wanted),
            STATEMENT => heard(bytes).map(Self::Statement),
            _ => None,
        }
    }
}

impl Answer {
    /// As a frame.
    pub(crate) fn frame(&self) -> Vec<u8> {
        match self {
            Self::Columns(columns) => told(COLUMNS, columns),
            Self::Rows(rows) => rows_frame(rows),
            Self::Refused(value) => told(REFUSED, value),
            Self::Done => framed(DONE, &[]),
            Self::Declined(report) => told(DECLINED, report),
            Self::Failed(report) => told(FAILED, report),
            Self::End => framed(END, &[]),
        }
    }

    /// From a frame; `None` where it is none of them.
    pub(crate) fn read(letter: u8, bytes: &[u8]) -> Option<Self> {
        match letter {
            COLUMNS => heard(bytes).map(Self::Columns),
            ROWS => rows(bytes).map(Self::Rows),
            REFUSED => heard(bytes).map(Self::Refused),
            DONE => Some(Self::Done),
            DECLINED => heard(bytes).map(Self::Declined),
            FAILED => heard(bytes).map(Self::Failed),
            END => Some(Self::End),
            _ => None,
        }
    }
}

/// A frame with JSON.
fn told<T: Serialize + ?Sized>(letter: u8, what: &T) -> Vec<u8> {
    // Texts, numbers and lists of them always have a JSON; without one the other side would find the frame damaged.
    framed(letter, &serde_json::to_vec(what).unwrap_or_default())
}

fn heard<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    serde_json::from_slice(bytes).ok()
}

fn framed(letter: u8, bytes: &[u8]) -> Vec<u8> {
    let mut frame = Vec::with_capacity(HEAD + bytes.len());
    frame.push(letter);
    push(&mut frame, bytes);
    frame
}

/// Appends bytes with their length before them. A length that is too long for a frame is one that nobody reads.
fn push(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes());
    out.extend_from_slice(bytes);
}

fn rows_frame(rows: &[RowBuf]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for row in rows {
        push(&mut bytes, row.as_bytes());
    }
    framed(ROWS, &bytes)
}

fn rows(mut bytes: &[u8]) -> Option<Vec<RowBuf>> {
    let mut rows = Vec::new();
    while !bytes.is_empty() {
        let (length, rest) = bytes.split_first_chunk()?;
        let (row, rest) = rest.split_at_checked(usize::try_from(u32::from_le_bytes(*length)).ok()?)?;
        rows.push(RowBuf::from_bytes(row.to_vec()));
        bytes = rest;
    }
    Some(rows)
}

/// A column's type by its name.
mod kind {
    use coho_core::row::ColumnType;
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

    use super::Refusal;

    type Kind = Result<ColumnType, Refusal>;

    pub(super) fn serialize<S: Serializer>(kind: &Kind, serializer: S) -> Result<S::Ok, S::Error> {
        kind.as_ref().map(|kind| kind.name()).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Kind, D::Error> {
        match Result::<String, Refusal>::deserialize(deserializer)? {
            Ok(name) => {
                let known = ColumnType::ALL.into_iter().find(|kind| kind.name() == name);
                known.map(Ok).ok_or_else(|| D::Error::custom("no type of columns"))
            }
            Err(refusal) => Ok(Err(refusal)),
        }
    }
}

#[cfg(test)]
mod tests {
    use coho_core::row::Cell;
    use proptest::prelude::*;

    use super::*;

    fn split(frame: &[u8]) -> (u8, &[u8]) {
        let (first, rest) = frame.split_first_chunk().unwrap();
        let (letter, length) = head(*first).unwrap();
        assert_eq!(length, rest.len());
        (letter, rest)
    }

    #[test]
    fn a_request_arrives_as_it_was_sent() {
        for asked in [
            Asked::Connection,
            Asked::Columns(Query::Sql("SELECT 'é'".into())),
            Asked::Rows(Query::Table(vec!["a".into(), "b c".into()]), 7),
            Asked::Compared(Query::Sql("SELECT 1".into())),
        ] {
            let options =
                vec![("uri".to_owned(), "sc://h".to_owned()), ("password".to_owned(), String::new())];
            let limit = Some(Duration::from_millis(1_500));
            let request =
                Request { driver: "spark".into(), options, tag: "coho:model=m".into(), limit, asked };
            let frame = request.frame();
            let (letter, bytes) = split(&frame);
            assert_eq!(Request::read(letter, bytes), Some(request));
        }
    }

    #[test]
    fn answers_arrive_as_they_were_sent() {
        let refusal = Refusal { kind: "Binary".into(), cast: "hex(b) AS b".into() };
        let columns = vec![
            Field { name: "a".into(), kind: Ok(ColumnType::Mixed), signature: "Utf8".into(), is_whole: true },
            Field { name: String::new(), kind: Err(refusal), signature: String::new(), is_whole: false },
        ];
        let columns = Columns { vendor: "duckdb".into(), compares: true, fields: columns };
        let rows = vec![RowBuf::from_cells([Cell::Int(1), Cell::Null]), RowBuf::from_cells([])];
        let report = Report {
            step: Step::NoColumns,
            message: "m".into(),
            state: "42P01".into(),
            places: vec!["/a".into()],
        };
        let value = RefusedValue { column: 3, row: 1 << 40, what: "NaN".into(), cast: "c".into() };
        for answer in [
            Answer::Columns(columns),
            Answer::Rows(rows),
            Answer::Refused(value),
            Answer::Done,
            Answer::Declined(report.clone()),
            Answer::Failed(report),
            Answer::End,
        ] {
            let frame = answer.frame();
            let (letter, bytes) = split(&frame);
            assert_eq!(format!("{:?}", Answer::read(letter, bytes)), format!("{:?}", Some(answer)));
        }
    }

    #[test]
    fn what_is_wanted_arrives_as_it_was_sent() {
        let wanted: Vec<Wanted> = [Care::Needed, Care::Spare, Care::None]
            .into_iter()
            .zip([0, 7, 2])
            .map(|(care, field)| Wanted { field, care })
            .collect();
        let sql = "SELECT 'é'".to_owned();
        for order in [
            Order::Statement(Statement { sql: sql.clone(), wanted: Some(wanted.clone()) }),
            Order::Statement(Statement { sql, wanted: None }),
            Order::Wanted(wanted),
        ] {
            let frame = order.frame();
            let (letter, bytes) = split(&frame);
            assert_eq!(Order::read(letter, bytes), Some(order));
        }
    }

    proptest! {
        /// A driver that writes into the pipe makes no more than an error.
        #[test]
        fn any_bytes_are_read_without_panic(letter: u8, bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            for letter in LETTERS.into_iter().chain([letter]) {
                drop(Answer::read(letter, &bytes));
                drop(Request::read(letter, &bytes));
                drop(Order::read(letter, &bytes));
            }
        }
    }
}
