//! What templates may know besides the row, and the same at another time.

use chrono::{DateTime, TimeDelta, Utc};
use coho_core::value::Value;

/// What templates may know besides the row: `sync`, `run`, and what time it is. Fields that read it never cause a request by
/// themselves.
#[derive(Clone, Debug)]
pub struct Facts {
    /// What `sync` is: an object.
    pub sync: Value,
    /// What `run` is: an object.
    pub run: Value,
    /// What `'now' | date` shows. Without it, asking for it is a problem.
    pub now: Option<DateTime<Utc>>,
}

impl Facts {
    /// The facts of users' tests, the same on every day: the run is called `test` and began with the year 2000.
    pub fn of_tests(sync: Value) -> Self {
        let now = DateTime::from_timestamp(946_684_800, 0).unwrap_or_default();
        let run = Value::Object(vec![
            ("id".to_owned(), Value::text("test")),
            ("startedAt".to_owned(), Value::Timestamp(now)),
        ]);
        Self { sync, run, now: Some(now) }
    }

    /// Facts of which nothing that changes is the same: every part of the time, and every member of `run`.
    pub(super) fn elsewhen(&self) -> Self {
        let shift =
            TimeDelta::seconds(86_400 * 400 + 3_600 * 5 + 60 * 7 + 11) + TimeDelta::microseconds(123_457);
        let now = self.now.map(|now| now + shift);
        let run = if let Value::Object(members) = &self.run {
            let others = members.iter().map(|(name, value)| (name.clone(), another(value, shift)));
            Value::Object(others.collect())
        } else {
            another(&self.run, shift)
        };
        Self { sync: self.sync.clone(), run, now }
    }
}

/// A value of the same kind that is not the same.
fn another(value: &Value, shift: TimeDelta) -> Value {
    if let Value::Timestamp(moment) = value {
        return Value::Timestamp(*moment + shift);
    }
    if let Value::Int(number) = value {
        return Value::Int(number.wrapping_add(1));
    }
    Value::Text(format!("{}~", value.as_text().unwrap_or_default()))
}

impl Default for Facts {
    fn default() -> Self {
        Self { sync: Value::Object(Vec::new()), run: Value::Object(Vec::new()), now: None }
    }
}
