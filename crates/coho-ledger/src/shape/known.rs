//! The shapes that a ledger has, as its writer knows them: found by their outlines without asking SQLite, and made where there are
//! none yet.
//!
//! Two calls with the same outlines may share values in other places: one answer repeats what was sent, another one does not. So
//! outlines of calls have some shapes each, and a call takes the first that fits it, which is the one that leaves the fewest
//! values. Values are held against each other only where they have one name, or are long: else each accident would be a shape.

use std::collections::{HashMap, HashSet};

use rusqlite::{Connection, params};

use super::scan::{Kind, Token, tokens};
use super::{BARE, END, PACKED, WORDS, place_number, place_of};
use crate::failure::Fault;

/// The most shapes of a ledger. What has another one is kept as it is.
const MOST: usize = 2_000;

/// From so many on, an outline has a shape when it is seen again: names may come from data, and be others in each row.
const FREE: usize = 200;

/// How many outlines are remembered that were seen once.
const REMEMBERED: usize = 20_000;

/// The most shapes of calls with the same outlines, besides the one that shares nothing.
const MOST_ALIKE: usize = 8;

/// So many calls of a shape are looked at for one that leaves fewer values.
const TRIALS: u8 = 8;

/// The most bytes that are kept of the values of one row: more of them are compressed better.
const MOST_BYTES: usize = 2_048;

/// From so many bytes on a value is the same wherever it stands, whatever its name.
const LONG: usize = 16;

/// How often it is written down that a shape is in use, in microseconds.
const USED_AGAIN: i64 = 3_600_000_000;

/// What parts the texts of a call in [`Shape::literal`].
const PART: u8 = 0x1d;

/// The mark of a value in [`Shape::literal`].
const MARK: u8 = 0x1f;

/// The shapes of a ledger. They are known for as long as one lease is held: whoever holds the next one may take some away.
#[derive(Debug, Default)]
pub(crate) struct Shapes {
    epoch: Option<u64>,
    number: usize,
    by_literal: HashMap<u64, Vec<Shape>>,
    /// Outlines that were seen once, and have no shape.
    seen: HashSet<u64>,
    /// The literal that is looked for; kept for its memory.
    literal: Vec<u8>,
}

#[derive(Debug)]
struct Shape {
    id: i64,
    /// The outline with a mark in each place.
    literal: Box<[u8]>,
    /// How many values stand elsewhere.
    base: usize,
    /// The number of the value in each place.
    places: Box<[usize]>,
    /// How many of the values are its own.
    own: usize,
    used_at: i64,
    trials: u8,
}

/// The values that a call need not have, since they stand with its row's status, and the row's key.
#[derive(Debug)]
pub(crate) struct StatusValues<'t> {
    /// The number of the row's status.
    pub(crate) status: i64,
    values: Vec<Value<'t>>,
}

/// A value, as it is held against another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Value<'t> {
    text: &'t str,
    name: &'t str,
    is_quoted: bool,
}

impl Value<'_> {
    /// Whether it is kept once with this one.
    fn is(&self, other: &Self) -> bool {
        self.is_quoted == other.is_quoted
            && self.text == other.text
            && (self.text.len() >= LONG || (self.name == other.name && !self.name.is_empty()))
    }

    fn push_to(&self, values: &mut String) {
        if let Some((word, _)) = WORDS.iter().find(|(_, text)| !self.is_quoted && *text == self.text) {
            values.push(*word);
        } else {
            values.extend((!self.is_quoted).then_some(BARE));
            values.push_str(self.text);
        }
        values.push(END);
    }
}

/// A text that is kept as its shape and its values.
#[derive(Debug)]
pub(crate) struct PackedText<'t> {
    /// What is kept.
    pub(crate) text: String,
    values: Vec<Value<'t>>,
}

impl<'t> PackedText<'t> {
    /// The values of a row's status that its calls may share, with its key. `None` where the key is no value of a text.
    pub(crate) fn status_values(packed: Option<Self>, status: i64, key: &'t str) -> Option<StatusValues<'t>> {
        if key.bytes().any(|byte| byte < b' ') {
            return None;
        }
        let mut values = vec![Value { text: key, name: "externalId", is_quoted: true }];
        values.extend(packed.into_iter().flat_map(|packed| packed.values));
        Some(StatusValues { status, values })
    }
}

/// The texts of a call, each where it is to be kept as a shape.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct CallTexts<'t> {
    pub(crate) request: Option<&'t str>,
    pub(crate) headers: Option<&'t str>,
    pub(crate) response: Option<&'t str>,
}

/// What is kept of the texts of a call.
#[derive(Debug)]
pub(crate) struct PackedCall {
    /// The number of the shape.
    pub(crate) shape: i64,
    /// The values that stand nowhere else.
    pub(crate) own: String,
    /// Whether the request is among the texts.
    pub(crate) has_request: bool,
    /// Whether the headers are.
    pub(crate) has_headers: bool,
    /// Whether the response is.
    pub(crate) has_response: bool,
}

impl Shapes {
    /// Reads the shapes where they are not known under this lease.
    pub(crate) fn know(&mut self, connection: &Connection, epoch: u64) -> Result<(), Fault> {
        if self.epoch == Some(epoch) {
            return Ok(());
        }
        self.forget();
        let mut statement = connection.prepare(
            "SELECT id, text, request, response_headers, response, base, used_at FROM shapes ORDER BY id",
        )?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let part = |column: usize| row.get::<_, Option<String>>(column).map(Option::unwrap_or_default);
            let outline = match row.get::<_, Option<String>>(1)? {
                Some(text) => text,
                None => [part(2)?, part(3)?, part(4)?].join("\u{1d}"),
            };
            let base = usize::try_from(row.get::<_, i64>(5)?).unwrap_or_default();
            let shape = Shape::read(row.get(0)?, &outline, base, row.get(6)?);
            self.add(shape.ok_or_else(|| Fault::damaged("a shape is not one that Coho writes"))?);
        }
        self.epoch = Some(epoch);
        Ok(())
    }

    /// Knows nothing any more: what was made last may be gone.
    pub(crate) fn forget(&mut self) {
        *self = Self::default();
    }

    fn add(&mut self, shape: Shape) {
        self.number += 1;
        let alike = self.by_literal.entry(hash(&shape.literal)).or_default();
        let place = alike.partition_point(|known| known.own <= shape.own);
        alike.insert(place, shape);
    }

    /// A text as its shape and its values; `None` where it is kept as it is.
    pub(crate) fn text<'t>(
        &mut self,
        connection: &Connection,
        kind: Kind,
        text: &'t str,
        now: i64,
    ) -> Result<Option<PackedText<'t>>, Fault> {
        let Some(tokens) = tokens(text, kind) else { return Ok(None) };
        if too_long(tokens.iter().map(|token| token.at.len())) {
            return Ok(None);
        }
        self.literal.clear();
        push_literal(&mut self.literal, text, &tokens);
        let found = self.find(0, |shape| shape.places.len() == tokens.len());
        let id = if let Some(shape) = found {
            shape.used(connection, now)?
        } else {
            let places = (0..tokens.len()).collect();
            let Some(id) = self.make(connection, places, 0, None, now)? else { return Ok(None) };
            id
        };
        let values: Vec<_> = tokens.iter().map(|token| value(text, token)).collect();
        let mut packed = String::with_capacity(text.len());
        packed.push(PACKED);
        packed.push_str(&id.to_string());
        packed.push(END);
        for value in &values {
            value.push_to(&mut packed);
        }
        Ok(Some(PackedText { text: packed, values }))
    }

    /// The texts of a call as their shape and their values; `None` where all of them are kept as they are.
    pub(crate) fn call(
        &mut self,
        connection: &Connection,
        base: Option<&StatusValues<'_>>,
        texts: CallTexts<'_>,
        now: i64,
    ) -> Result<Option<PackedCall>, Fault> {
        let scanned = [texts.request, texts.headers, texts.response]
            .map(|text| text.and_then(|text| Some((text, tokens(text, Kind::Body)?))));
        let [has_request, has_headers, has_response] = scanned.each_ref().map(Option::is_some);
        let values: Vec<Value<'_>> = scanned
            .iter()
            .flatten()
            .flat_map(|(text, tokens)| tokens.iter().map(|token| value(text, token)))
            .collect();
        if values.is_empty() {
            return Ok(None);
        }
        self.literal.clear();
        let mut ends = [0; 3];
        for (part, end) in scanned.iter().zip(&mut ends) {
            if let Some((text, tokens)) = part {
                push_literal(&mut self.literal, text, tokens);
            }
            *end = self.literal.len();
            self.literal.push(PART);
        }
        self.literal.pop();
        let base = base.map_or(&[][..], |base| &base.values);
        let Some((shape, own)) = self.shape_of(connection, base, &values, ends, now)? else {
            return Ok(None);
        };
        Ok(Some(PackedCall { shape, own, has_request, has_headers, has_response }))
    }

    /// The shape of a call, and the values that are its own.
    fn shape_of(
        &mut self,
        connection: &Connection,
        base: &[Value<'_>],
        values: &[Value<'_>],
        ends: [usize; 3],
        now: i64,
    ) -> Result<Option<(i64, String)>, Fault> {
        let found = self.find(base.len(), |shape| shape.fits(base, values));
        let known = match found {
            Some(shape) if shape.trials >= TRIALS => {
                let id = shape.used(connection, now)?;
                return Ok(finish(id, base.len(), &shape.places, values));
            }
            Some(shape) => {
                shape.trials += 1;
                Some((shape.used(connection, now)?, shape.places.clone()))
            }
            None => None,
        };
        let is_full = self.alike(base.len()) >= MOST_ALIKE;
        let places =
            if is_full { (base.len()..base.len() + values.len()).collect() } else { ideal(base, values) };
        let own = own_number(&places, base.len());
        if let Some((id, known)) = known.filter(|(_, known)| is_full || own_number(known, base.len()) <= own)
        {
            return Ok(finish(id, base.len(), &known, values));
        }
        let made = self.make(connection, places.clone(), base.len(), Some(ends), now)?;
        Ok(made.and_then(|id| finish(id, base.len(), &places, values)))
    }

    /// How many shapes have the outline that is looked for.
    fn alike(&self, base: usize) -> usize {
        let alike = self.by_literal.get(&hash(&self.literal));
        alike.map_or(0, |alike| alike.iter().filter(|shape| shape.is(&self.literal, base)).count())
    }

    /// The first shape with the outline that is looked for that fits.
    fn find(&mut self, base: usize, fits: impl Fn(&Shape) -> bool) -> Option<&mut Shape> {
        let literal = &self.literal;
        let alike = self.by_literal.get_mut(&hash(literal))?;
        alike.iter_mut().find(|shape| shape.is(literal, base) && fits(shape))
    }

    /// Makes a shape of the outline that was looked for; the texts of a call end there. `None` where there are too many.
    fn make(
        &mut self,
        connection: &Connection,
        places: Box<[usize]>,
        base: usize,
        ends: Option<[usize; 3]>,
        now: i64,
    ) -> Result<Option<i64>, Fault> {
        // A name with an address in it is somebody's.
        if self.number >= MOST || self.literal.contains(&b'@') {
            return Ok(None);
        }
        if self.number >= FREE && self.seen.insert(hash(&self.literal)) {
            if self.seen.len() > REMEMBERED {
                self.seen.clear();
            }
            return Ok(None);
        }
        let parts = outlines(&self.literal, &places, ends);
        let [text, request, headers, response] = &parts;
        connection
            .prepare_cached(
                "INSERT INTO shapes (text, request, response_headers, response, base, used_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![text, request, headers, response, i64::try_from(base).unwrap_or(i64::MAX), now])?;
        let id = connection.last_insert_rowid();
        let own = own_number(&places, base);
        self.add(Shape {
            id,
            literal: self.literal.as_slice().into(),
            base,
            places,
            own,
            used_at: now,
            trials: 0,
        });
        Ok(Some(id))
    }
}

impl Shape {
    /// A shape from its outline.
    fn read(id: i64, outline: &str, base: usize, used_at: i64) -> Option<Self> {
        let mut pieces = outline.split(END);
        let mut literal = pieces.next()?.as_bytes().to_vec();
        let mut places = Vec::new();
        for piece in pieces {
            let place = piece.chars().next()?;
            places.push(place_number(place)?);
            literal.push(MARK);
            literal.extend_from_slice(piece.get(place.len_utf8()..)?.as_bytes());
        }
        let own = own_number(&places, base);
        Some(Self { id, literal: literal.into(), base, places: places.into(), own, used_at, trials: TRIALS })
    }

    fn is(&self, literal: &[u8], base: usize) -> bool {
        self.base == base && *self.literal == *literal
    }

    /// Its number; once in a while it is written down that it is in use.
    fn used(&mut self, connection: &Connection, now: i64) -> Result<i64, Fault> {
        if self.used_at.saturating_add(USED_AGAIN) < now {
            connection
                .prepare_cached("UPDATE shapes SET used_at = ?2 WHERE id = ?1")?
                .execute([self.id, now])?;
            self.used_at = now;
        }
        Ok(self.id)
    }

    /// Whether it fits these values: what it takes for the same is the same.
    fn fits<'t>(&self, base: &[Value<'t>], values: &[Value<'t>]) -> bool {
        let mut kept: Vec<&Value<'t>> = Vec::with_capacity(self.base + self.own);
        kept.extend(base);
        for (place, value) in self.places.iter().zip(values) {
            match kept.get(*place) {
                Some(same) if same.text != value.text || same.is_quoted != value.is_quoted => return false,
                Some(_) => {}
                None => kept.push(value),
            }
        }
        self.places.len() == values.len()
    }
}

/// Which value stands in which place, where values that are the same are kept once.
fn ideal(base: &[Value<'_>], values: &[Value<'_>]) -> Box<[usize]> {
    let mut kept: Vec<&Value<'_>> = base.iter().collect();
    let place = |value| {
        if let Some(known) = kept.iter().position(|known| known.is(value)) {
            return known;
        }
        kept.push(value);
        kept.len() - 1
    };
    values.iter().map(place).collect()
}

/// How many values are none of the base.
fn own_number(places: &[usize], base: usize) -> usize {
    places.iter().max().map_or(0, |last| (last + 1).saturating_sub(base))
}

/// The number of a shape, and the values of its own as they are kept; `None` where they are too long.
fn finish(id: i64, base: usize, places: &[usize], values: &[Value<'_>]) -> Option<(i64, String)> {
    let (mut own, mut next) = (String::with_capacity(128), base);
    for (place, value) in places.iter().zip(values) {
        if *place == next {
            value.push_to(&mut own);
            next += 1;
        }
    }
    (own.len() <= MOST_BYTES).then_some((id, own))
}

/// The outlines: that of a text of its own, or those of request, headers and response.
fn outlines(literal: &[u8], places: &[usize], ends: Option<[usize; 3]>) -> [Option<String>; 4] {
    let mut places = places.iter();
    let mut outline = |literal: &[u8]| {
        let mut pieces = literal.split(|byte| *byte == MARK);
        let mut outline = String::from_utf8_lossy(pieces.next().unwrap_or_default()).into_owned();
        for piece in pieces {
            outline.push(END);
            outline.extend(places.next().and_then(|place| place_of(*place)));
            outline.push_str(&String::from_utf8_lossy(piece));
        }
        Some(outline).filter(|outline| !outline.is_empty())
    };
    let Some([request, headers, response]) = ends else { return [outline(literal), None, None, None] };
    let part = |from: usize, to: usize| literal.get(from..to).unwrap_or_default();
    let (first, second) = (outline(part(0, request)), outline(part(request + 1, headers)));
    [None, first, second, outline(part(headers + 1, response))]
}

fn value<'t>(text: &'t str, token: &Token) -> Value<'t> {
    let piece = |range: &std::ops::Range<usize>| text.get(range.clone()).unwrap_or_default();
    Value { text: piece(&token.at), name: piece(&token.name), is_quoted: token.is_quoted }
}

fn too_long(lengths: impl Iterator<Item = usize>) -> bool {
    lengths.sum::<usize>() > MOST_BYTES
}

/// A text with a mark in the place of each value, its quotes included.
fn push_literal(literal: &mut Vec<u8>, text: &str, tokens: &[Token]) {
    let mut at = 0;
    for token in tokens {
        let quote = usize::from(token.is_quoted);
        literal.extend_from_slice(text.as_bytes().get(at..token.at.start - quote).unwrap_or_default());
        literal.push(MARK);
        at = token.at.end + quote;
    }
    literal.extend_from_slice(text.as_bytes().get(at..).unwrap_or_default());
}

/// What is looked up by; what is found is compared byte by byte.
fn hash(literal: &[u8]) -> u64 {
    const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
    let mixed = |hash: u64, word: u64| (hash ^ word).wrapping_mul(ODD).rotate_left(23);
    let (words, rest) = literal.as_chunks::<8>();
    let hash = words.iter().fold(ODD, |hash, word| mixed(hash, u64::from_le_bytes(*word)));
    rest.iter().fold(mixed(hash, literal.len() as u64), |hash, byte| mixed(hash, u64::from(*byte)))
}
