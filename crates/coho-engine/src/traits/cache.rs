//! The cache of traits: in the ledger, where there is one, in the form of Vitally's own answer.
//!
//! It may only save a call. So nothing here can fail: a ledger that cannot be read has nothing, and one that a run holds is
//! left alone.

use chrono::TimeDelta;
use coho_core::json::{Json, to_serde};
use coho_core::object::Object;
use coho_core::time::Time;
use coho_ledger::{Access, Create, Ledger, Opening};
use serde_json::json;

use super::{Choice, CustomField};
use crate::context::{Engine, EngineError};
use crate::leased::Leased;
use crate::owner::OnForeign;

/// How long what was fetched will do.
const KEPT: TimeDelta = TimeDelta::hours(24);

impl Engine<'_> {
    /// What was fetched within the last day.
    pub(super) fn kept_traits(&self, destination: &str, object: Object) -> Option<(Time, Vec<CustomField>)> {
        let ledger = self.ledger_to_read().ok().flatten()?;
        let (fetched, body) = ledger.custom_fields(&self.workspace(destination), object).ok().flatten()?;
        let age = self.setup.clock.now().signed_duration_since(fetched);
        let will_do = (TimeDelta::zero()..KEPT).contains(&age);
        will_do.then(|| CustomField::parse(&body)).flatten().map(|fields| (fetched, fields))
    }

    /// Keeps what was fetched.
    pub(super) fn keep_traits(&self, destination: &str, object: Object, fields: &[CustomField], now: Time) {
        let body = Json::Array(fields.iter().map(written).collect()).to_string();
        if let Err(error) = self.try_to_keep(destination, object, &body, now) {
            tracing::debug!(%error, "cannot cache the traits");
        }
    }

    fn try_to_keep(
        &self,
        destination: &str,
        object: Object,
        body: &str,
        now: Time,
    ) -> Result<(), EngineError> {
        if !self.ledger_path().exists() {
            return Ok(());
        }
        let opening = Opening { now, create: Create::No, access: Access::ReadWrite };
        let ledger = Ledger::open(&self.ledger_path(), &opening)?;
        ledger.mask(&self.setup.project.masker)?;
        self.look_for_owner(&ledger, OnForeign::Refuse)?;
        let leased = Leased::take(&ledger, &self.setup.holder, &*self.setup.clock)?;
        ledger.keep_custom_fields(leased.lease(), &self.workspace(destination), object, body, now)?;
        Ok(leased.release()?)
    }
}

/// As Vitally writes it, so that one reader reads both.
fn written(field: &CustomField) -> Json {
    let option = |choice: &Choice| json!({ "label": choice.label, "value": to_serde(&choice.value) });
    let options: Vec<_> = field.options.iter().map(option).collect();
    json!({ "label": field.label, "path": field.path, "type": field.kind, "options": options })
}

#[cfg(test)]
mod tests {
    use coho_core::value::Value;

    use super::*;

    #[test]
    fn what_is_kept_reads_back() {
        let choice = |label: &str, value| Choice { label: label.to_owned(), value };
        let field = CustomField {
            label: "Tier".to_owned(),
            path: "vitally.custom.tier".to_owned(),
            kind: "string".to_owned(),
            options: vec![choice("Gold", Value::text("gold")), choice("Five", Value::Int(5))],
        };
        let body = Json::Array(vec![written(&field)]).to_string();
        assert_eq!(CustomField::parse(&body), Some(vec![field]));
    }
}
