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

/// Writes the header and as many rows as asked for.
pub fn write(rows: u64, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{}", COLUMNS.join(","))?;
    (1..=rows).try_for_each(|number| row(number, out))
}

fn row(number: u64, out: &mut impl Write) -> io::Result<()> {
    let bits = scattered(number);
    let (plan, country, industry) =
        (pick(&PLANS, bits), pick(&COUNTRIES, bits >> 8), pick(&INDUSTRIES, bits >> 16));
    let (seats, mrr, cents) = (1 + bits % 500, (bits >> 24) % 20_000, (bits >> 40) % 100);
    let (month, day, hour) = (1 + (bits >> 44) % 12, 1 + (bits >> 48) % 28, (bits >> 52) % 24);
    write!(
        out,
        "{},Account {number},{plan},{seats},{mrr}.{cents:02},{country},{industry},",
        external_id(number)
    )?;
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
        write(3, &mut file).unwrap();
        insta::assert_snapshot!("accounts", String::from_utf8(file).unwrap());
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
