//! The file of accounts: twelve columns, each value a function of the row's number, so that every machine has the same file.

use std::io::{self, Write};

use serde_json::{Map, Value, json};

/// The columns, in the file's order. The first identifies the account.
pub const COLUMNS: [&str; 12] = [
    "id",
    "name",
    "plan",
    "seats",
    "mrr",
    "country",
    "industry",
    "owner_email",
    "active",
    "trial",
    "signed_up",
    "last_seen",
];

const PLANS: [&str; 4] = ["free", "team", "business", "enterprise"];
const COUNTRIES: [&str; 6] = ["DE", "FR", "GB", "JP", "NZ", "US"];
const INDUSTRIES: [&str; 5] = ["education", "finance", "health", "retail", "software"];

/// The external id of an account, by its number.
pub fn external_id(number: u64) -> String {
    format!("account-{number}")
}

/// Which rows differ from those of the first file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changed {
    /// None of them: this is the first file.
    None,
    /// Every second one.
    Half,
    /// Each of them.
    All,
}

impl Changed {
    /// Reads its name: `none`, `half` or `all`.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "none" => Some(Self::None),
            "half" => Some(Self::Half),
            "all" => Some(Self::All),
            _ => None,
        }
    }

    fn has(self, number: u64) -> bool {
        match self {
            Self::None => false,
            Self::Half => number.is_multiple_of(2),
            Self::All => true,
        }
    }
}

/// What is different about a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Changes {
    /// How many more seats it has.
    pub more_seats: u64,
    /// Whether it has a name.
    pub has_name: bool,
}

/// Writes the header and as many rows as asked for. A row that changed has other seats.
pub fn write(rows: u64, changed: Changed, out: &mut impl Write) -> io::Result<()> {
    let as_it_is = |number| Changes { more_seats: u64::from(changed.has(number)), has_name: true };
    write_with(rows, as_it_is, out)
}

/// The same with differences row by row.
pub fn write_with(rows: u64, changes: impl Fn(u64) -> Changes, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{}", COLUMNS.join(","))?;
    (1..=rows).try_for_each(|number| row(number, changes(number), out))
}

fn row(number: u64, changes: Changes, out: &mut impl Write) -> io::Result<()> {
    let bits = scattered(number);
    let (plan, country, industry) =
        (pick(&PLANS, bits), pick(&COUNTRIES, bits >> 8), pick(&INDUSTRIES, bits >> 16));
    let (seats, mrr, cents) =
        (1 + bits % 500 + changes.more_seats, (bits >> 24) % 20_000, (bits >> 40) % 100);
    let (month, day, hour) = (1 + (bits >> 44) % 12, 1 + (bits >> 48) % 28, (bits >> 52) % 24);
    let name = if changes.has_name { format!("Account {number}") } else { String::new() };
    write!(out, "{},{name},{plan},{seats},{mrr}.{cents:02},{country},{industry},", external_id(number))?;
    write!(out, "owner{}@example.com,{},{},", number % 1000, bits & 1 == 0, bits & 6 == 0)?;
    writeln!(out, "2024-{month:02}-{day:02},2026-01-{day:02}T{hour:02}:00:00Z")
}

pub(crate) fn pick<'a>(words: &[&'a str], bits: u64) -> &'a str {
    let words_cycle = words.iter().cycle();
    words_cycle.copied().nth((bits & 0xff) as usize).unwrap_or_default()
}

/// Bits that look random: the finalizer of SplitMix64.
pub(crate) fn scattered(number: u64) -> u64 {
    let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// What is sent to Vitally for a row: id and name as fields, the other columns as traits with the types that they look like.
///
/// Returns nothing for a row with fewer columns.
pub fn payload<'a>(cells: impl Iterator<Item = &'a str>) -> Option<Value> {
    let mut cells = COLUMNS.iter().zip(cells);
    let (_, id) = cells.next()?;
    let (_, name) = cells.next()?;
    let traits: Map<String, Value> =
        cells.map(|(column, cell)| ((*column).to_owned(), typed(cell))).collect();
    (traits.len() == COLUMNS.len() - 2).then(|| json!({ "externalId": id, "name": name, "traits": traits }))
}

fn typed(cell: &str) -> Value {
    match cell {
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        _ => cell.parse().map_or_else(|_| Value::String(cell.to_owned()), Value::Number),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_the_same_every_time() {
        let mut file = Vec::new();
        write(3, Changed::None, &mut file).unwrap();
        insta::assert_snapshot!("accounts", String::from_utf8(file).unwrap());
    }

    #[test]
    fn as_many_rows_change_as_asked_for() {
        let rows = |changed| {
            let mut file = Vec::new();
            write(4, changed, &mut file).unwrap();
            String::from_utf8(file).unwrap().lines().map(str::to_owned).collect::<Vec<_>>()
        };
        let first = rows(Changed::None);
        let differing = |changed| {
            let lines = rows(changed).into_iter().zip(&first);
            lines.map(|(now, before)| now != *before).collect::<Vec<_>>()
        };
        assert_eq!(differing(Changed::Half), [false, false, true, false, true]);
        assert_eq!(differing(Changed::All), [false, true, true, true, true]);
    }

    #[test]
    fn columns_become_fields_and_typed_traits() {
        let cells = "account-7,Account 7,team,12,9.50,DE,retail,owner7@example.com,true,false,2024-01-02,2026-01-02T03:00:00Z";
        let payload = payload(cells.split(',')).unwrap();
        insta::assert_snapshot!("payload", serde_json::to_string_pretty(&payload).unwrap());
    }

    #[test]
    fn a_short_row_has_no_payload() {
        assert_eq!(payload("account-7,Account 7".split(',')), None);
    }
}
