//! The cursor's text: base64 of JSON, as seen in the documentation's examples. It is good for the order it was made in.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::clock::SimulatorTime;
use crate::record::RecordId;
use crate::rest::Refused;
use crate::store::{Order, Place};

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CursorForm {
    sort_val: String,
    id: String,
    sort_by: String,
}

pub(crate) fn write((time, id): Place, order: Order) -> String {
    let form = CursorForm { sort_val: time.to_string(), id: id.to_string(), sort_by: name(order).to_owned() };
    // Three texts always serialise.
    STANDARD.encode(serde_json::to_vec(&form).unwrap_or_default())
}

pub(crate) fn read(text: &str, order: Order) -> Result<Place, Refused> {
    parse(text, order).ok_or_else(|| Refused::bad("from is not a valid cursor"))
}

fn parse(text: &str, order: Order) -> Option<Place> {
    let form: CursorForm = serde_json::from_slice(&STANDARD.decode(text).ok()?).ok()?;
    let place = (SimulatorTime::parse(&form.sort_val)?, RecordId::parse(&form.id)?);
    (form.sort_by == name(order)).then_some(place)
}

const fn name(order: Order) -> &'static str {
    match order {
        Order::UpdatedAt => "updatedAt",
        Order::CreatedAt => "createdAt",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_in_its_own_order_only() {
        let place = (SimulatorTime::from_millis(1_234), RecordId::nth(7));
        let text = write(place, Order::CreatedAt);
        assert_eq!(read(&text, Order::CreatedAt), Ok(place));
        assert_eq!(read(&text, Order::UpdatedAt).unwrap_err().status, 400);
        assert_eq!(read("%%%", Order::CreatedAt).unwrap_err().status, 400);
    }
}
