//! The schedules of a project, for `coho check`: what each says, when it is due next, and what the clocks do to it.

use std::fmt::Write as _;

use coho_core::code::Code;
use coho_core::json::Json;
use coho_core::problem::Problem;
use coho_core::time::Time;
use coho_project::{Project, ScheduleSpec, StartTrigger};
use coho_schedule::{Timed, Zone};
use serde_json::json;

/// How many times are told.
const TOLD: usize = 5;

/// The times that the next change of the clocks skips.
pub(crate) fn skipped(project: &Project, now: Time) -> Vec<Problem> {
    project.schedules.values().filter_map(|spec| warning(spec, now)).collect()
}

fn warning(spec: &ScheduleSpec, now: Time) -> Option<Problem> {
    let StartTrigger::Timed(timed) = &spec.trigger else { return None };
    let skipped = timed.skipped(now)?;
    let zone = timed.zone();
    let lost = match skipped.times.as_slice() {
        [one] => format!("{one} does not exist"),
        [first, .., last] => format!("the times from {first} to {last} do not exist"),
        [] => return None,
    };
    let message = format!(
        "on {}, the clocks in {} go forward and {lost}: the sync runs at {} that day",
        skipped.day,
        zone.name(),
        zone.shows(skipped.at)
    );
    let help = "leave it, or choose a time at which clocks do not change";
    Some(Problem::new(Code::SKIPPED_TIME, message).help(help).at(&spec.place))
}

/// Lines for people; empty where no sync has a schedule.
pub(crate) fn text(project: &Project, now: Time) -> String {
    let mut text = String::new();
    for (sync, spec) in &project.schedules {
        let ended = writeln!(text, "\n{sync}: {}", spec.words());
        debug_assert!(ended.is_ok(), "a string accepts all text");
        if let StartTrigger::Timed(timed) = &spec.trigger {
            text.extend(times(timed, now).into_iter().map(|line| format!("  {line}\n")));
        }
    }
    text
}

fn times(timed: &Timed, now: Time) -> Vec<String> {
    let (zone, utc) = (timed.zone(), Zone::utc());
    let line = |tick: Time| {
        let in_utc = utc.shows(tick);
        if zone == utc { in_utc } else { format!("{:<24}{in_utc}", zone.shows(tick)) }
    };
    timed.ticks(now).take(TOLD).map(line).collect()
}

/// `[{sync, schedule, zone, next: […]}]`, or `after` and `stop_on` where it follows others.
pub(crate) fn json(project: &Project, now: Time) -> Json {
    let of = |(sync, spec): (&coho_core::sync::SyncId, &ScheduleSpec)| match &spec.trigger {
        StartTrigger::Timed(timed) => {
            let next: Vec<_> = timed.ticks(now).take(TOLD).map(stamp).collect();
            json!({ "sync": sync.as_str(), "schedule": timed.words(), "zone": timed.zone().name(), "next": next })
        }
        StartTrigger::After { syncs, stop_on } => {
            let after: Vec<_> = syncs.iter().map(coho_core::sync::SyncId::as_str).collect();
            json!({ "sync": sync.as_str(), "schedule": spec.words(), "after": after, "stop_on": stop_on.name() })
        }
    };
    project.schedules.iter().map(of).collect()
}

fn stamp(tick: Time) -> String {
    tick.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}

#[cfg(test)]
mod tests {
    use coho_project::{File, load_offline};

    use super::*;

    fn project(schedule: &str) -> Project {
        let sync = format!(
            "id: s\nmodel: m\nto: v\nobject: account\nmatch: {{ externalId: id }}\nfields: {{ name: name }}\nschedule: {schedule}\n"
        );
        let files = [
            File::text(
                "coho.yaml",
                "project: a\nsources: { files: { type: files, path: data } }\ndestinations: { v: { type: vitally, region: eu, rest_token: '${T}' } }\n",
            ),
            File::text("models/m.yaml", "{ source: files, file: m.csv, primary_key: id }"),
            File::text("syncs/s.yaml", sync),
        ];
        load_offline(&files, None).unwrap()
    }

    fn now() -> Time {
        "2026-11-27T12:00:00Z".parse().unwrap()
    }

    #[test]
    fn the_next_five_times_are_told_in_the_zone_and_in_utc() {
        let project = project("{ cron: '0 7 * * MON', zone: Europe/Berlin }");
        let expected = "\ns: At 07:00, on Monday (Europe/Berlin)
  2026-11-30 07:00 CET    2026-11-30 06:00 UTC
  2026-12-07 07:00 CET    2026-12-07 06:00 UTC
  2026-12-14 07:00 CET    2026-12-14 06:00 UTC
  2026-12-21 07:00 CET    2026-12-21 06:00 UTC
  2026-12-28 07:00 CET    2026-12-28 06:00 UTC\n";
        assert_eq!(text(&project, now()), expected);
        assert!(skipped(&project, now()).is_empty());
    }

    #[test]
    fn a_time_that_the_clocks_skip_is_warned_of_in_lists_too() {
        let told = |schedule: &str| {
            skipped(&project(schedule), now()).iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(
            told("{ cron: '30 2,14 * * *', zone: Europe/Berlin }"),
            [
                "on 2027-03-28, the clocks in Europe/Berlin go forward and 02:30 does not exist: the sync runs at 2027-03-28 03:00 CEST that day [skipped-time]"
            ]
        );
        assert_eq!(
            told("{ cron: '*/20 2 * * *', zone: Europe/Berlin }"),
            [
                "on 2027-03-28, the clocks in Europe/Berlin go forward and the times from 02:00 to 02:40 do not exist: the sync runs at 2027-03-28 03:00 CEST that day [skipped-time]"
            ]
        );
        assert!(told("'30 2,14 * * *'").is_empty());
    }

    #[test]
    fn a_document_has_the_same_as_moments() {
        let document = json(&project("{ every: 12h }"), now());
        assert_eq!(document[0]["next"][0], "2026-11-28T00:00:00Z");
        assert_eq!(document[0]["schedule"], "every 12h");
    }
}
