//! What is said between Coho and the process that holds a driver: frames of a letter, a length and bytes.
//!
//! Coho sends a [`Request`], and later which columns are [`Wanted`]. The end of its input tells the process to end. The process answers
//! with [`Answer`]s; its last one is [`Answer::End`] or [`Answer::Failed`], and without it the process died.

use std::time::Duration;

use coho_core::row::{ColumnType, RowBuf};

/// The most bytes of a frame: more is a sign that something else writes to the pipe.
const LONGEST: usize = 1 << 30;

/// What Coho asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
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
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Asked {
    /// Whether it connects.
    #[default]
    Connection,
    /// The columns that a query would give.
    Columns(Query),
    /// Its rows, at most so many.
    Rows(Query, u64),
}

/// A model's query.
#[derive(Clone, Debug, PartialEq, Eq)]
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
    Columns(Vec<Field>),
    /// Some rows.
    Rows(Vec<RowBuf>),
    /// A value that has no form that keeps it.
    Refused(RefusedValue),
    /// Nothing more comes.
    Failed(Report),
    /// Everything that was asked for was said.
    End,
}

/// A column: its name, and the type of its cells or why it has none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) kind: Result<ColumnType, Refusal>,
}

/// Why a type has no form: its name, and the cast to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) kind: String,
    pub(crate) cast: String,
}

/// A value that has no form: the place of its column among those wanted, its row from 1, what it is, and the cast to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RefusedValue {
    pub(crate) column: usize,
    pub(crate) row: u64,
    pub(crate) what: String,
    pub(crate) cast: String,
}

/// Why the driver's process could not go on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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

const STEPS: [Step; 9] = [
    Step::Find,
    Step::Load,
    Step::Connect,
    Step::Refuse,
    Step::Query,
    Step::Row,
    Step::Statements,
    Step::Word,
    Step::NoColumns,
];

/// Letters of frames.
const REQUEST: u8 = b'Q';
const WANTED: u8 = b'W';
const COLUMNS: u8 = b'C';
const ROWS: u8 = b'R';
const REFUSED: u8 = b'V';
const FAILED: u8 = b'F';
const END: u8 = b'E';

/// How many bytes stand before those of a frame.
pub(crate) const HEAD: usize = 5;

/// The letter of a frame, and how many bytes it has; `None` where this begins none.
pub(crate) fn head(bytes: [u8; HEAD]) -> Option<(u8, usize)> {
    let [letter, length @ ..] = bytes;
    let length = usize::try_from(u32::from_le_bytes(length)).ok()?;
    let is_known = [REQUEST, WANTED, COLUMNS, ROWS, REFUSED, FAILED, END].contains(&letter);
    (is_known && length <= LONGEST).then_some((letter, length))
}

impl Request {
    /// As a frame.
    pub(crate) fn frame(&self) -> Vec<u8> {
        let mut out = Writer::new(REQUEST);
        out.text(&self.driver);
        out.count(self.options.len());
        for (name, value) in &self.options {
            out.text(name);
            out.text(value);
        }
        out.text(&self.tag);
        out.long(self.limit.map_or(0, |limit| u64::try_from(limit.as_millis()).unwrap_or(u64::MAX).max(1)));
        match &self.asked {
            Asked::Connection => out.byte(0),
            Asked::Columns(query) => {
                out.byte(1);
                query.write(&mut out);
            }
            Asked::Rows(query, most) => {
                out.byte(2);
                query.write(&mut out);
                out.long(*most);
            }
        }
        out.end()
    }

    /// From a frame.
    pub(crate) fn read(letter: u8, bytes: &[u8]) -> Option<Self> {
        let mut from = Reader(bytes);
        if letter != REQUEST {
            return None;
        }
        let driver = from.text()?;
        let options =
            (0..from.count()?).map(|_| Some((from.text()?, from.text()?))).collect::<Option<_>>()?;
        let tag = from.text()?;
        let limit = Some(from.long()?).filter(|millis| *millis > 0).map(Duration::from_millis);
        let asked = match from.byte()? {
            0 => Asked::Connection,
            1 => Asked::Columns(Query::read(&mut from)?),
            2 => Asked::Rows(Query::read(&mut from)?, from.long()?),
            _ => return None,
        };
        Some(Self { driver, options, tag, limit, asked })
    }
}

impl Query {
    fn write(&self, out: &mut Writer) {
        match self {
            Self::Sql(sql) => {
                out.byte(0);
                out.text(sql);
            }
            Self::Table(parts) => {
                out.byte(1);
                out.count(parts.len());
                for part in parts {
                    out.text(part);
                }
            }
        }
    }

    fn read(from: &mut Reader<'_>) -> Option<Self> {
        match from.byte()? {
            0 => Some(Self::Sql(from.text()?)),
            1 => Some(Self::Table((0..from.count()?).map(|_| from.text()).collect::<Option<_>>()?)),
            _ => None,
        }
    }
}

/// A column of the rows that Coho wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// Which of the query's fields it is.
    pub(crate) field: usize,
    pub(crate) care: Care,
}

/// Who looks at a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Care {
    /// Somebody reads it.
    Needed,
    /// Nobody needs it: it is null where it has no form.
    Spare,
    /// Nobody looks at it: it is null.
    None,
}

const CARES: [Care; 3] = [Care::Needed, Care::Spare, Care::None];

/// The columns that Coho wants, as a frame.
pub(crate) fn wanted_frame(wanted: &[Wanted]) -> Vec<u8> {
    let mut out = Writer::new(WANTED);
    out.count(wanted.len());
    for column in wanted {
        out.count(column.field);
        out.byte(CARES.iter().position(|care| *care == column.care).and_then(small).unwrap_or(0));
    }
    out.end()
}

/// The same from a frame.
pub(crate) fn read_wanted(letter: u8, bytes: &[u8]) -> Option<Vec<Wanted>> {
    let mut from = Reader(bytes);
    if letter != WANTED {
        return None;
    }
    let columns = from.count()?;
    let mut column = || Some(Wanted { field: from.count()?, care: *CARES.get(usize::from(from.byte()?))? });
    (0..columns).map(|_| column()).collect()
}

impl Answer {
    /// As a frame.
    pub(crate) fn frame(&self) -> Vec<u8> {
        match self {
            Self::Columns(fields) => {
                let mut out = Writer::new(COLUMNS);
                out.count(fields.len());
                for field in fields {
                    field.write(&mut out);
                }
                out.end()
            }
            Self::Rows(rows) => {
                let mut out = Writer::new(ROWS);
                out.count(rows.len());
                for row in rows {
                    out.bytes(row.as_bytes());
                }
                out.end()
            }
            Self::Refused(value) => {
                let mut out = Writer::new(REFUSED);
                out.count(value.column);
                out.long(value.row);
                out.text(&value.what);
                out.text(&value.cast);
                out.end()
            }
            Self::Failed(report) => {
                let mut out = Writer::new(FAILED);
                out.byte(STEPS.iter().position(|step| *step == report.step).and_then(small).unwrap_or(0));
                out.text(&report.message);
                out.text(&report.state);
                out.count(report.places.len());
                for place in &report.places {
                    out.text(place);
                }
                out.end()
            }
            Self::End => Writer::new(END).end(),
        }
    }

    /// From a frame; `None` where it is none of them.
    pub(crate) fn read(letter: u8, bytes: &[u8]) -> Option<Self> {
        let mut from = Reader(bytes);
        Some(match letter {
            COLUMNS => {
                Self::Columns((0..from.count()?).map(|_| Field::read(&mut from)).collect::<Option<_>>()?)
            }
            ROWS => {
                let row = |from: &mut Reader<'_>| Some(RowBuf::from_bytes(from.bytes()?.to_vec()));
                Self::Rows((0..from.count()?).map(|_| row(&mut from)).collect::<Option<_>>()?)
            }
            REFUSED => Self::Refused(RefusedValue {
                column: from.count()?,
                row: from.long()?,
                what: from.text()?,
                cast: from.text()?,
            }),
            FAILED => Self::Failed(Report {
                step: *STEPS.get(usize::from(from.byte()?))?,
                message: from.text()?,
                state: from.text()?,
                places: (0..from.count()?).map(|_| from.text()).collect::<Option<_>>()?,
            }),
            END => Self::End,
            _ => return None,
        })
    }
}

impl Field {
    fn write(&self, out: &mut Writer) {
        out.text(&self.name);
        match &self.kind {
            Ok(kind) => {
                out.byte(0);
                out.byte(ColumnType::ALL.iter().position(|one| one == kind).and_then(small).unwrap_or(0));
            }
            Err(refusal) => {
                out.byte(1);
                out.text(&refusal.kind);
                out.text(&refusal.cast);
            }
        }
    }

    fn read(from: &mut Reader<'_>) -> Option<Self> {
        let name = from.text()?;
        let kind = match from.byte()? {
            0 => Ok(*ColumnType::ALL.get(usize::from(from.byte()?))?),
            1 => Err(Refusal { kind: from.text()?, cast: from.text()? }),
            _ => return None,
        };
        Some(Self { name, kind })
    }
}

fn small(number: usize) -> Option<u8> {
    u8::try_from(number).ok()
}

/// Writes a frame.
struct Writer(Vec<u8>);

impl Writer {
    fn new(letter: u8) -> Self {
        Self(vec![letter, 0, 0, 0, 0])
    }

    fn byte(&mut self, byte: u8) {
        self.0.push(byte);
    }

    /// Something that there are fewer of than a frame has bytes.
    fn count(&mut self, count: usize) {
        self.0.extend(u32::try_from(count).unwrap_or(u32::MAX).to_le_bytes());
    }

    fn long(&mut self, number: u64) {
        self.0.extend(number.to_le_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.count(bytes.len());
        self.0.extend_from_slice(bytes);
    }

    fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    fn end(mut self) -> Vec<u8> {
        let length = u32::try_from(self.0.len() - HEAD).unwrap_or(u32::MAX).to_le_bytes();
        for (place, byte) in self.0.iter_mut().skip(1).zip(length) {
            *place = byte;
        }
        self.0
    }
}

/// Reads what a [`Writer`] wrote.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn count(&mut self) -> Option<usize> {
        let (word, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        usize::try_from(u32::from_le_bytes(*word)).ok()
    }

    fn long(&mut self) -> Option<u64> {
        let (long, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u64::from_le_bytes(*long))
    }

    fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = self.count()?;
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }

    fn text(&mut self) -> Option<String> {
        String::from_utf8(self.bytes()?.to_vec()).ok()
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
            Field { name: "a".into(), kind: Ok(ColumnType::Mixed) },
            Field { name: String::new(), kind: Err(refusal) },
        ];
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
        let wanted: Vec<Wanted> =
            CARES.into_iter().zip([0, 7, 2]).map(|(care, field)| Wanted { field, care }).collect();
        let frame = wanted_frame(&wanted);
        let (letter, bytes) = split(&frame);
        assert_eq!(read_wanted(letter, bytes), Some(wanted));
    }

    proptest! {
        /// A driver that writes into the pipe makes no more than an error.
        #[test]
        fn any_bytes_are_read_without_panic(letter: u8, bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            for letter in [letter, REQUEST, WANTED, COLUMNS, ROWS, REFUSED, FAILED, END] {
                drop(Answer::read(letter, &bytes));
                drop(Request::read(letter, &bytes));
                drop(read_wanted(letter, &bytes));
            }
        }
    }
}
