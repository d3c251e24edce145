//! Changes of the clocks, by example.

use coho_schedule::{Time, Timed, Zone};

fn local(pattern: &str, zone: &str, after: &str, count: usize) -> Vec<String> {
    let zone = Zone::named(zone).unwrap();
    let timed = Timed::cron(pattern, zone.clone()).unwrap();
    let after: Time = after.parse().unwrap();
    timed.ticks(after).take(count).map(|tick| zone.shows(tick)).collect()
}

#[test]
fn a_time_that_is_skipped_is_made_up_for_when_the_clocks_change() {
    assert_eq!(
        local("30 2 * * *", "America/New_York", "2027-03-13T12:00:00Z", 2),
        ["2027-03-14 03:00 EDT", "2027-03-15 02:30 EDT"]
    );
    assert_eq!(
        local("0,30 2,14 * * *", "Europe/Berlin", "2027-03-27T20:00:00Z", 3),
        ["2027-03-28 03:00 CEST", "2027-03-28 14:00 CEST", "2027-03-28 14:30 CEST"]
    );
}

#[test]
fn a_time_that_is_shown_twice_is_due_the_first_time() {
    assert_eq!(
        local("30 2 * * *", "Europe/Berlin", "2027-10-30T12:00:00Z", 2),
        ["2027-10-31 02:30 CEST", "2027-11-01 02:30 CET"]
    );
}

#[test]
fn hours_that_are_not_named_go_by_the_hours_that_pass() {
    assert_eq!(
        local("0 * * * *", "Europe/Berlin", "2027-10-30T23:30:00Z", 4),
        ["2027-10-31 02:00 CEST", "2027-10-31 02:00 CET", "2027-10-31 03:00 CET", "2027-10-31 04:00 CET"]
    );
    assert_eq!(
        local("15 * * * *", "Australia/Lord_Howe", "2026-10-03T14:50:00Z", 2),
        ["2026-10-04 03:15 +11", "2026-10-04 04:15 +11"]
    );
}

#[test]
fn a_midnight_that_is_skipped_is_made_up_for() {
    assert_eq!(
        local("0 0 * * *", "America/Sao_Paulo", "2018-11-03T12:00:00Z", 2),
        ["2018-11-04 01:00 -02", "2018-11-05 00:00 -02"]
    );
}

#[test]
fn the_times_that_the_next_change_skips_are_told() {
    let berlin = Zone::named("Europe/Berlin").unwrap();
    let skipped = |pattern: &str, after: &str| {
        let timed = Timed::cron(pattern, berlin.clone()).unwrap();
        timed
            .skipped(after.parse().unwrap())
            .map(|skipped| (skipped.day, skipped.times, berlin.shows(skipped.at)))
    };
    let at = "2027-03-28 03:00 CEST".to_owned();
    let day = "2027-03-28".to_owned();
    let now = "2026-11-27T12:00:00Z";
    assert_eq!(skipped("30 2 * * *", now), Some((day.clone(), vec!["02:30".to_owned()], at.clone())));
    assert_eq!(skipped("0,30 1,2 * * *", now), Some((day, vec!["02:00".to_owned(), "02:30".to_owned()], at)));
    assert_eq!(skipped("30 3 * * *", now), None);
    assert_eq!(skipped("30 2 * * MON", now), None, "a Sunday is not a Monday");
    assert_eq!(skipped("30 * * * *", now), None);
}

#[test]
fn a_zone_without_changes_skips_nothing() {
    let timed = Timed::cron("30 2 * * *", Zone::utc()).unwrap();
    assert_eq!(timed.skipped("2026-11-27T12:00:00Z".parse().unwrap()), None);
}
