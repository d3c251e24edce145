//! Origin: whether a record was born by our write. Only such a record may be deleted under `delete-created`, so it is created
//! only where an answer proves it, and every doubt means "found"
//! ([decision 0022](https://github.com/coho-sync/coho/blob/main/docs/decisions/0022-created-needs-evidence.md)).
//!
//! | answer | proves |
//! |---|---|
//! | to a POST: a record as young as the request, or 201 without an age | created |
//! | to a PUT: 201, and a record as young as the request | created |
//! | to a PUT: 200, however young the record | nothing: another sync may have made it a moment before |
//! | to a look after an unclear write: a record that is younger than the intent | created; in update mode nothing |
//!
//! Whether another sync of the ledger made the record is for the caller to know.

use chrono::TimeDelta;
use coho_core::operation::Known;
use coho_core::row_state::Origin;
use coho_core::time::Time;

use crate::request::Reply;
use crate::wire::record::Record;

/// What tells an answer's time: Vitally's clock and ours.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    status: u16,
    date: Option<Time>,
    asked: Time,
    elapsed: TimeDelta,
}

/// How far two clocks are taken to differ at most, where nothing compares them.
const CLOCKS_DIFFER: TimeDelta = TimeDelta::minutes(5);

/// How a record was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reached {
    /// As the record that is remembered.
    Remembered,
    /// As another one: its id is new to us, or it was created in place of what was remembered.
    Anew,
}

impl Moment {
    pub(crate) fn of(reply: &Reply) -> Self {
        Self {
            status: reply.status,
            date: reply.date,
            asked: reply.asked,
            elapsed: TimeDelta::from_std(reply.elapsed).unwrap_or(TimeDelta::MAX),
        }
    }

    /// Our clock when the request was sent.
    pub(crate) fn asked(self) -> Time {
        self.asked
    }

    /// Whether the record is as young as the request that this answers.
    ///
    /// Both times are Vitally's: the request left us no earlier than the `Date` of the answer less the time that it took;
    /// a second more is for clocks of several servers. Without a `Date`, a record is that young that was never updated, and
    /// that our clock calls young.
    pub(crate) fn bore(self, record: &Record) -> bool {
        match (record.created_at, self.date) {
            (None, _) => self.status == 201,
            (Some(created), Some(date)) => earlier(date, self.elapsed + TimeDelta::seconds(1)) <= created,
            (Some(created), None) => {
                record.updated_at == Some(created) && (created - self.asked).abs() <= CLOCKS_DIFFER
            }
        }
    }

    /// Whether the record was born by a write that was intended at a moment of our clock. The two clocks are compared through
    /// the `Date` of the answer; without one, a second of difference is allowed.
    fn is_of_intent(self, since: Time, record: &Record) -> bool {
        let Some(created) = record.created_at else { return false };
        let since = match self.date {
            Some(date) => earlier(since.checked_add_signed(date - self.asked).unwrap_or(since), self.elapsed),
            None => earlier(since, TimeDelta::seconds(1)),
        };
        since <= created
    }

    /// The origin of a record that was written, or looked at.
    pub(crate) fn origin(self, known: &Known, reached: Reached, record: &Record) -> Origin {
        let ours = match known {
            Known::New | Known::Assumed => false,
            Known::There { origin, .. } => reached == Reached::Remembered && *origin == Origin::Created,
            Known::Unclear { origin: Some(origin), .. } if reached == Reached::Remembered => {
                *origin == Origin::Created
            }
            Known::Unclear { since, .. } => self.is_of_intent(*since, record),
        };
        if ours { Origin::Created } else { Origin::Found }
    }
}

fn earlier(time: Time, by: TimeDelta) -> Time {
    time.checked_sub_signed(by).unwrap_or(Time::MIN_UTC)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn at(seconds: i64, millis: u32) -> Time {
        Time::from_timestamp(seconds, millis * 1_000_000).unwrap()
    }

    fn moment(status: u16, date: Option<Time>) -> Moment {
        let elapsed = Duration::from_millis(500);
        Moment::of(&Reply { status, body: String::new(), date, asked: at(0, 0), elapsed })
    }

    fn record(created: Time, updated: Time) -> Record {
        let [created, updated] = [created, updated].map(|time| time.to_rfc3339());
        Record::parse(&format!(r#"{{"createdAt":"{created}","updatedAt":"{updated}"}}"#)).unwrap()
    }

    #[test]
    fn a_record_that_is_as_young_as_the_request_was_born_by_it() {
        let moment = moment(200, Some(at(100, 0)));
        assert!(moment.bore(&record(at(100, 900), at(100, 900))));
        assert!(moment.bore(&record(at(98, 500), at(98, 500))));
        assert!(!moment.bore(&record(at(98, 499), at(98, 499))));
    }

    #[test]
    fn without_a_date_a_record_that_was_never_updated_is_new() {
        assert!(moment(200, None).bore(&record(at(1, 0), at(1, 0))));
        assert!(!moment(200, None).bore(&record(at(1, 0), at(1, 1))));
        assert!(!moment(200, None).bore(&record(at(301, 0), at(301, 0))));
    }

    #[test]
    fn without_an_age_only_201_says_that_it_is_new() {
        assert!(moment(201, Some(at(100, 0))).bore(&Record::default()));
        assert!(!moment(200, Some(at(100, 0))).bore(&Record::default()));
    }

    #[test]
    fn clocks_that_differ_by_an_hour_do_not_matter() {
        // Vitally's clock is 3,600 s ahead of ours; our intent is from 10 s before the request at 0.
        let moment = moment(200, Some(at(3_600, 0)));
        let known = Known::Unclear { since: at(-10, 0), id: None, origin: None };
        let origin = |created| moment.origin(&known, Reached::Anew, &record(created, created));
        assert_eq!(origin(at(3_590, 0)), Origin::Created);
        assert_eq!(origin(at(3_589, 0)), Origin::Found);
    }

    #[test]
    fn a_record_in_place_of_the_remembered_one_is_not_ours() {
        let known = Known::There { id: None, origin: Origin::Created };
        let moment = moment(200, Some(at(100, 0)));
        assert_eq!(moment.origin(&known, Reached::Remembered, &Record::default()), Origin::Created);
        assert_eq!(moment.origin(&known, Reached::Anew, &Record::default()), Origin::Found);
        // Where the last write is unclear, a record in place of ours is ours only if that write made it.
        let known = Known::Unclear { since: at(-10, 0), id: None, origin: Some(Origin::Created) };
        let old = record(at(0, 0), at(0, 0));
        assert_eq!(moment.origin(&known, Reached::Remembered, &old), Origin::Created);
        assert_eq!(moment.origin(&known, Reached::Anew, &old), Origin::Found);
    }
}
