//! Patterns: the crate against the oracle, and what a wrong pattern is told.

use chrono_tz::Tz;
use coho_schedule::{Cron, Time, Timed, Zone};
use proptest::prelude::*;

use crate::oracle::Wall;

/// Zones, and two years of each in which their clocks change: by an hour, by half an hour, at midnight, by a whole day, and at
/// one minute past midnight.
const ZONES: [(&str, &str, &str); 8] = [
    ("Europe/Berlin", "2026-01-01", "2028-01-01"),
    ("America/New_York", "2026-01-01", "2028-01-01"),
    ("Australia/Lord_Howe", "2026-01-01", "2028-01-01"),
    ("America/Sao_Paulo", "2017-01-01", "2019-01-01"),
    ("Pacific/Apia", "2011-01-01", "2013-01-01"),
    ("America/St_Johns", "2009-01-01", "2011-01-01"),
    ("Pacific/Chatham", "2026-01-01", "2028-01-01"),
    ("UTC", "2027-01-01", "2029-01-01"),
];

const PATTERNS: [&str; 14] = [
    "0 * * * *",
    "*/20 * * * *",
    "0 0 * * *",
    "30 2 * * *",
    "30 2,14 * * *",
    "0,15,30,45 1-3 * * *",
    "*/20 2 * * *",
    "15 0 * * *",
    "1 23,0 * * *",
    "30 */2 * * *",
    "0 7 * * 1-5",
    "0 2 1,15 * 0",
    "45 2 29 2 *",
    "5 4 31 */2 *",
];

fn day(text: &str) -> Time {
    format!("{text}T00:00:00Z").parse().unwrap()
}

fn ticks(pattern: &str, zone: &str, from: Time, until: Time) -> Vec<Time> {
    let timed = Timed::cron(pattern, Zone::named(zone).unwrap()).unwrap();
    timed.ticks(from).take_while(|tick| *tick < until).collect()
}

/// Every tick of two years is the oracle's.
fn agree(at: usize) {
    let (zone, from, until) = ZONES[at];
    let (from, until) = (day(from), day(until));
    let wall = Wall::of(zone.parse::<Tz>().unwrap(), from, until);
    for pattern in PATTERNS {
        assert_eq!(ticks(pattern, zone, from, until), wall.ticks(pattern), "{pattern} in {zone}");
    }
}

#[test]
fn two_years_of_berlin_are_the_oracles() {
    agree(0);
}

#[test]
fn two_years_of_new_york_are_the_oracles() {
    agree(1);
}

#[test]
fn two_years_of_lord_howe_are_the_oracles() {
    agree(2);
}

#[test]
fn two_years_of_sao_paulo_are_the_oracles() {
    agree(3);
}

#[test]
fn two_years_of_apia_are_the_oracles() {
    agree(4);
}

#[test]
fn two_years_of_st_johns_are_the_oracles() {
    agree(5);
}

#[test]
fn two_years_of_chatham_are_the_oracles() {
    agree(6);
}

#[test]
fn two_years_of_utc_are_the_oracles() {
    agree(7);
}

#[test]
fn ticks_that_are_asked_for_one_by_one_are_the_same() {
    for (zone, from, until) in ZONES {
        let (from, until) = (day(from), day(until));
        for pattern in ["30 2,14 * * *", "0 */5 * * *", "0 0 * * *"] {
            let timed = Timed::cron(pattern, Zone::named(zone).unwrap()).unwrap();
            let one_by_one = std::iter::successors(timed.next(from), |tick| timed.next(*tick));
            let one_by_one: Vec<_> = one_by_one.take_while(|tick| *tick < until).collect();
            assert_eq!(one_by_one, ticks(pattern, zone, from, until), "{pattern} in {zone}");
        }
    }
}

/// A field: `*`, a step, a number, a list, or a range.
fn field(least: u32, most: u32) -> impl Strategy<Value = String> {
    prop_oneof![
        Just("*".to_owned()),
        (2..=most.max(3) / 2).prop_map(|step| format!("*/{step}")),
        (least..=most).prop_map(|number| number.to_string()),
        proptest::collection::btree_set(least..=most, 1..4).prop_map(|list| list
            .iter()
            .map(u32::to_string)
            .collect::<Vec<_>>()
            .join(",")),
        (least..=most, least..=most).prop_map(|(a, b)| format!("{}-{}", a.min(b), a.max(b))),
    ]
}

fn pattern() -> impl Strategy<Value = String> {
    // Mostly small hours, in which clocks change.
    let hour = prop_oneof![field(0, 23), field(0, 4)];
    (field(0, 59), hour, field(1, 31), field(1, 12), field(0, 6))
        .prop_map(|(minute, hour, day, month, weekday)| format!("{minute} {hour} {day} {month} {weekday}"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_pattern_near_a_change_of_the_clocks_is_the_oracles(pattern in pattern(), which in 0..10_usize) {
        let (zone, from, until) = [
            ("Europe/Berlin", "2027-03-20", "2027-04-02"),
            ("Europe/Berlin", "2027-10-25", "2027-11-04"),
            ("America/New_York", "2027-03-08", "2027-03-20"),
            ("America/New_York", "2027-11-01", "2027-11-12"),
            ("Australia/Lord_Howe", "2026-09-28", "2026-10-08"),
            ("Australia/Lord_Howe", "2026-04-01", "2026-04-10"),
            ("America/Sao_Paulo", "2018-10-30", "2018-11-08"),
            ("America/Sao_Paulo", "2018-02-12", "2018-02-22"),
            ("Pacific/Apia", "2011-12-26", "2012-01-04"),
            ("America/St_Johns", "2010-11-01", "2010-11-12"),
        ][which];
        let (from, until) = (day(from), day(until));
        let wall = Wall::of(zone.parse::<Tz>().unwrap(), from, until);
        prop_assert_eq!(ticks(&pattern, zone, from, until), wall.ticks(&pattern));
    }
}

#[test]
fn a_pattern_that_never_occurs_has_no_ticks() {
    let never = Timed::cron("0 0 30 2 *", Zone::utc()).unwrap();
    assert_eq!(never.next(day("2026-01-01")), None);
    let leap_sunday = Timed::cron("0 0 29 2 *", Zone::utc()).unwrap();
    assert_eq!(leap_sunday.next(day("2026-01-01")), Some(day("2028-02-29")));
}

#[test]
fn the_extras_of_the_language_are_read() {
    let next = |pattern: &str| {
        let tick = Timed::cron(pattern, Zone::utc()).unwrap().next(day("2026-01-01")).unwrap();
        tick.format("%Y-%m-%d %H:%M").to_string()
    };
    assert_eq!(next("@weekly"), "2026-01-04 00:00");
    assert_eq!(next("@Hourly"), "2026-01-01 01:00");
    assert_eq!(next("0 9 L * *"), "2026-01-31 09:00");
    assert_eq!(next("0 9 * * fri#2"), "2026-01-09 09:00");
    assert_eq!(next("0 9 * * FRIL"), "2026-01-30 09:00");
    assert_eq!(next("0 9 * * 7"), "2026-01-04 09:00");
    assert_eq!(next("0 9 15W feb ?"), "2026-02-16 09:00");
    assert_eq!(next("0 9 13 * FRI"), "2026-01-02 09:00", "either of both days");
}

#[test]
fn a_wrong_pattern_is_told_where_and_how() {
    let told = |text: &str| {
        let fault = Cron::parse(text).unwrap_err();
        format!("{:?}: {}", text.get(fault.at.clone()).unwrap(), fault.message)
    };
    assert_eq!(told("0 25 * * *"), "\"25\": `25` is not an hour");
    assert_eq!(told("61 5 * * *"), "\"61\": `61` is not a minute");
    assert_eq!(told("0 0 32 * *"), "\"32\": `32` is not a day of the month");
    assert_eq!(told("0 0 * MON *"), "\"MON\": `MON` is not a month");
    assert_eq!(told("0 JAN * * *"), "\"JAN\": `JAN` is not an hour");
    assert_eq!(told("0  0 * * MONDAY"), "\"MONDAY\": `MONDAY` is not a weekday");
    assert_eq!(told("5-1 * * * *"), "\"5-1\": `5-1` is not a minute");
    assert_eq!(told("1,,2 * * * *"), "\"1,,2\": `1,,2` is not a minute");
    assert_eq!(told("*/0 * * * *"), "\"*/0\": `*/0` is not a minute");
    assert_eq!(told("0 0 * * +MON"), "\"+MON\": `+MON` is not a weekday");
    assert_eq!(told("* * * *"), "\"* * * *\": expected a cron pattern of 5 fields, found 4 fields");
    assert_eq!(told("0 0 7 * * *"), "\"0 0 7 * * *\": expected a cron pattern of 5 fields, found 6 fields");
    assert_eq!(told(""), "\"\": expected a cron pattern of 5 fields, found 0 fields");
    assert_eq!(told("@reboot"), "\"@reboot\": `@reboot` is not the name of a schedule");
    assert!(Cron::parse("0 0 7 * * *").unwrap_err().help.starts_with("seconds and years are not supported"));
}

#[test]
fn a_pattern_is_said_in_words() {
    let words = |pattern: &str| Timed::cron(pattern, Zone::named("Europe/Berlin").unwrap()).unwrap().words();
    assert_eq!(
        words("0 7 * * MON-FRI"),
        "At 07:00, on Monday, Tuesday, Wednesday, Thursday, and Friday (Europe/Berlin)"
    );
    assert_eq!(words("*/15 * * * *"), "Every 15 minutes (Europe/Berlin)");
    assert_eq!(words("@hourly"), "At minute 0 past every hour (Europe/Berlin)");
}
