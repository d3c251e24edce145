//! Memories as SQLite gives them: a page of cells in one buffer, which is read and compared without being decoded.

use coho_core::code::Code;
use coho_core::digest::{Digest, ENCODING};
use coho_core::fields::Sent;
use coho_core::json;
use coho_core::key::Key;
use coho_core::path::FieldPath;
use coho_core::row_state::{DeliveryState, Due, Origin, Pending, RowState, Seen, Verb, Why};
use coho_core::target::{ExternalId, VitallyId};
use coho_core::time::Time;
use coho_core::value::Value;
use rusqlite::types::ValueRef;
use rusqlite::{Row, Rows};

use crate::failure::Fault;
use crate::moment;
use crate::shape::opened;

/// The columns of a memory, in the order of [`Column`].
const COLUMNS: &str = "key, departure, target, standing, sent, n, vitally_id, origin, removed_at, pending, verb, operation, \
     would_send, since, why, code, tried_row, tried_mapping, tries, due, due_at, seen_row, seen_mapping, encoding, serial, \
     updated_at";

/// The columns of a memory as they are read, of the table or join with this name: what was sent is put together.
pub(crate) fn columns_of(table: &str) -> String {
    let column = |name: &str| match name {
        "sent" | "would_send" => opened(&format!("{table}.{name}")),
        _ => format!("{table}.{name}"),
    };
    COLUMNS.split(", ").map(|name| column(name.trim())).collect::<Vec<_>>().join(", ")
}

/// The places of the columns.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Column {
    Key,
    Departure,
    Target,
    Standing,
    Sent,
    N,
    VitallyId,
    Origin,
    RemovedAt,
    Pending,
    Verb,
    Operation,
    WouldSend,
    Since,
    Why,
    Code,
    TriedRow,
    TriedMapping,
    Tries,
    Due,
    DueAt,
    SeenRow,
    SeenMapping,
    Encoding,
    Serial,
    UpdatedAt,
}

/// How many columns there are.
pub(crate) const WIDTH: usize = Column::UpdatedAt as usize + 1;

/// A cell: nothing, a number, or a piece of the page's bytes.
#[derive(Clone, Copy, Debug)]
enum Slot {
    Null,
    Int(i64),
    Bytes { start: usize, end: usize },
}

/// Some memories.
#[derive(Debug, Default)]
pub(crate) struct Page {
    bytes: Vec<u8>,
    slots: Vec<Slot>,
}

impl Page {
    /// All that these rows give, read to their end.
    pub(crate) fn read(mut rows: Rows<'_>) -> rusqlite::Result<Self> {
        let mut page = Self::default();
        while let Some(row) = rows.next()? {
            page.push(row)?;
        }
        Ok(page)
    }

    /// Adds the memory of a row that has the columns of [`columns_of`] first.
    pub(crate) fn push(&mut self, row: &Row<'_>) -> rusqlite::Result<()> {
        for column in 0..WIDTH {
            let slot = match row.get_ref(column)? {
                ValueRef::Null | ValueRef::Real(_) => Slot::Null,
                ValueRef::Integer(number) => Slot::Int(number),
                ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
                    let start = self.bytes.len();
                    self.bytes.extend_from_slice(bytes);
                    Slot::Bytes { start, end: self.bytes.len() }
                }
            };
            self.slots.push(slot);
        }
        Ok(())
    }

    /// How many memories there are.
    pub(crate) fn len(&self) -> usize {
        self.slots.len() / WIDTH
    }

    /// The memory at this place.
    pub(crate) fn at(&self, row: usize) -> Raw<'_> {
        let slots = self.slots.get(row * WIDTH..(row + 1) * WIDTH).unwrap_or_default();
        Raw { bytes: &self.bytes, slots }
    }
}

/// One memory, not decoded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Raw<'a> {
    bytes: &'a [u8],
    slots: &'a [Slot],
}

impl<'a> Raw<'a> {
    fn bytes(self, column: Column) -> Option<&'a [u8]> {
        match self.slots.get(column as usize)? {
            Slot::Bytes { start, end } => self.bytes.get(*start..*end),
            Slot::Null | Slot::Int(_) => None,
        }
    }

    fn int(self, column: Column) -> Option<i64> {
        match self.slots.get(column as usize)? {
            Slot::Int(number) => Some(*number),
            Slot::Null | Slot::Bytes { .. } => None,
        }
    }

    fn text(self, column: Column) -> Result<Option<&'a str>, Fault> {
        let Some(bytes) = self.bytes(column) else { return Ok(None) };
        std::str::from_utf8(bytes).map(Some).map_err(|_| wrong(column))
    }

    fn some_text(self, column: Column) -> Result<&'a str, Fault> {
        self.text(column)?.ok_or_else(|| wrong(column))
    }

    fn number<T: TryFrom<i64>>(self, column: Column) -> Result<T, Fault> {
        self.int(column).and_then(|number| T::try_from(number).ok()).ok_or_else(|| wrong(column))
    }

    fn time(self, column: Column) -> Result<Time, Fault> {
        moment::time(self.int(column).ok_or_else(|| wrong(column))?)
    }

    fn digest(self, column: Column) -> Option<Digest> {
        self.bytes(column)?.try_into().ok().map(Digest::from_bytes)
    }

    fn some_digest(self, column: Column) -> Result<Digest, Fault> {
        self.digest(column).ok_or_else(|| wrong(column))
    }

    /// The key's bytes, by which memories are ordered.
    pub(crate) fn key(self) -> &'a [u8] {
        self.bytes(Column::Key).unwrap_or_default()
    }

    /// Which record that its row left; 0 for the row's own. By that memories of one key are ordered.
    pub(crate) fn departure(self) -> u32 {
        self.int(Column::Departure).and_then(|number| u32::try_from(number).ok()).unwrap_or_default()
    }

    /// The key that it is remembered under.
    pub(crate) fn whole_key(self) -> Key {
        let target = String::from_utf8_lossy(self.bytes(Column::Target).unwrap_or_default());
        Key::departed(String::from_utf8_lossy(self.key()), self.departure(), &target)
    }

    /// The name of the standing.
    pub(crate) fn delivery(self) -> &'a [u8] {
        self.bytes(Column::Standing).unwrap_or_default()
    }

    /// The name of what is pending.
    pub(crate) fn pending(self) -> &'a [u8] {
        self.bytes(Column::Pending).unwrap_or_default()
    }

    /// When it changed last. A time that cannot be told counts as the latest: what expires by it stays.
    pub(crate) fn updated_at(self) -> Time {
        self.time(Column::UpdatedAt).unwrap_or(Time::MAX_UTC)
    }

    /// The whole memory.
    pub(crate) fn decode(self) -> Result<RowState, Fault> {
        Ok(RowState {
            target: ExternalId::parse(self.some_text(Column::Target)?).map_err(|_| wrong(Column::Target))?,
            delivery: self.decode_standing()?,
            pending: self.decode_pending()?,
            seen: self.seen(),
            version: self.number(Column::Serial)?,
        })
    }

    /// What another encoding digested is of no use.
    fn seen(self) -> Option<Seen> {
        if self.int(Column::Encoding) != Some(i64::from(ENCODING)) {
            return None;
        }
        Some(Seen { row: self.digest(Column::SeenRow)?, mapping: self.digest(Column::SeenMapping)? })
    }

    fn decode_standing(self) -> Result<DeliveryState, Fault> {
        Ok(match self.delivery() {
            b"never" => DeliveryState::Never,
            b"assumed" => DeliveryState::Assumed { sent: self.sent(Column::Sent)? },
            b"delivered" => DeliveryState::Delivered {
                sent: self.sent(Column::Sent)?,
                n: self.number(Column::N)?,
                id: self.text(Column::VitallyId)?.map(VitallyId::new),
                origin: self.origin()?,
            },
            b"released" => DeliveryState::Released {
                sent: self.sent(Column::Sent)?,
                id: self.text(Column::VitallyId)?.map(VitallyId::new),
                origin: self.origin()?,
            },
            b"removed" => DeliveryState::Removed { at: self.time(Column::RemovedAt)? },
            _ => return Err(wrong(Column::Standing)),
        })
    }

    fn origin(self) -> Result<Origin, Fault> {
        match self.bytes(Column::Origin) {
            Some(b"created") => Ok(Origin::Created),
            Some(b"found") => Ok(Origin::Found),
            Some(_) | None => Err(wrong(Column::Origin)),
        }
    }

    fn sent(self, column: Column) -> Result<Sent, Fault> {
        let value = json::parse(self.some_text(column)?).map_err(|_| wrong(column))?;
        let Value::Object(members) = value else { return Err(wrong(column)) };
        Ok(members.into_iter().map(|(path, value)| (FieldPath::new(&path), value)).collect())
    }

    fn decode_pending(self) -> Result<Pending, Fault> {
        Ok(match self.pending() {
            b"none" => Pending::None,
            b"open" => Pending::Open {
                operation: self.some_digest(Column::Operation)?,
                would_send: self.sent(Column::WouldSend)?,
                verb: self.verb()?,
                since: self.time(Column::Since)?,
            },
            b"waiting" => Pending::Waiting {
                why: self.why()?,
                code: self.text(Column::Code)?.and_then(Code::parse).ok_or_else(|| wrong(Column::Code))?,
                tried: Seen {
                    row: self.some_digest(Column::TriedRow)?,
                    mapping: self.some_digest(Column::TriedMapping)?,
                },
                tries: self.number(Column::Tries)?,
                due: self.due()?,
                verb: self.verb()?,
            },
            _ => return Err(wrong(Column::Pending)),
        })
    }

    fn verb(self) -> Result<Verb, Fault> {
        match self.bytes(Column::Verb) {
            Some(b"write") => Ok(Verb::Write),
            Some(b"remove") => Ok(Verb::Remove),
            Some(_) | None => Err(wrong(Column::Verb)),
        }
    }

    fn why(self) -> Result<Why, Fault> {
        match self.bytes(Column::Why) {
            Some(b"rejected") => Ok(Why::Rejected),
            Some(b"deferred") => Ok(Why::Deferred),
            Some(b"skipped") => Ok(Why::Skipped),
            Some(_) | None => Err(wrong(Column::Why)),
        }
    }

    fn due(self) -> Result<Due, Fault> {
        match self.bytes(Column::Due) {
            Some(b"at") => Ok(Due::At(self.time(Column::DueAt)?)),
            Some(b"always") => Ok(Due::Always),
            Some(b"on-change") => Ok(Due::OnChange),
            Some(_) | None => Err(wrong(Column::Due)),
        }
    }
}

/// The column is named, its content never.
fn wrong(column: Column) -> Fault {
    let name = COLUMNS.split(", ").nth(column as usize).unwrap_or_default();
    Fault::damaged(format!(
        "the column `{}` of a row state holds a value that Coho never writes",
        name.trim()
    ))
}
