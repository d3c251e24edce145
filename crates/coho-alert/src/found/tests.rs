//! What runs find, case by case.

use coho_core::alert::rules::Freshness;
use coho_core::counts::Counts;
use coho_core::key::Key;
use coho_core::object::Object;
use coho_core::plan::{GuardHit, ProblemCount, ProblemKind};
use coho_core::problem::Problem;

use super::*;

fn summary(sync: &str, status: SyncStatus) -> SyncSummary {
    let mut counts = Counts { read: 100, ..Counts::default() };
    counts.add_rows(RowStatus::Unchanged, 100);
    SyncSummary {
        sync: SyncId::new(sync),
        object: Object::Account,
        status,
        counts,
        problems: [].into(),
        waiting: 0,
        guards: Vec::new(),
        calls: 1,
        millis: 90_000,
        notes: Vec::new(),
    }
}

fn halted(code: Code) -> SyncStatus {
    SyncStatus::Halted { code, message: "no".to_owned(), at: None }
}

/// `TRIGGER LEVEL: BRIEF` of all that is not well, and what was looked at besides.
fn told(summaries: &[SyncSummary], rules: &Rules, is_whole: bool, earlier: &[u64]) -> (Vec<String>, usize) {
    let ran: Vec<_> = summaries
        .iter()
        .map(|summary| Ran {
            summary,
            destination: "vitally",
            source: "files",
            rules,
            is_whole,
            earlier,
            run: "r",
        })
        .collect();
    let findings = run(&ran);
    let line = |(key, finding): (&AlertKey, &Observation)| {
        Some(format!("{key} {}: {}", finding.level?.as_str(), finding.detail.brief))
    };
    (findings.iter().filter_map(line).collect(), findings.len())
}

#[test]
fn a_good_run_looks_at_everything_and_finds_nothing() {
    let (told, looked) = told(&[summary("a", SyncStatus::Completed)], &Rules::default(), true, &[]);
    assert_eq!((told, looked), (Vec::new(), 8));
}

#[test]
fn a_failed_run_says_nothing_of_its_rows() {
    let problem = Problem::new(Code::SOURCE_FAILED, "it is gone");
    let mut failed = summary("a", SyncStatus::Failed(vec![problem]));
    failed.counts.add_rows(RowStatus::Invalid, 50);
    let (told, looked) = told(&[failed], &Rules::default(), true, &[]);
    assert_eq!(told, ["sync vitally/a: failed critical: run failed [source-failed]"]);
    assert_eq!(looked, 1);
}

#[test]
fn a_failed_run_says_what_helps_in_its_case_or_else_what_its_code_says() {
    let remedy = |problem: Problem| {
        let failed = summary("a", SyncStatus::Failed(vec![problem]));
        let rules = &Rules::default();
        let (is_whole, earlier) = (true, [].as_slice());
        let ran = Ran {
            summary: &failed,
            destination: "vitally",
            source: "files",
            rules,
            is_whole,
            earlier,
            run: "r",
        };
        run(&[ran]).into_values().filter_map(|finding| finding.detail.remedy).collect::<Vec<_>>()
    };
    let problem = Problem::new(Code::SOURCE_FAILED, "no table `customer`");
    assert_eq!(remedy(problem.clone().help("did you mean `customers`?")), ["did you mean `customers`?"]);
    assert_eq!(Some(remedy(problem)), Code::SOURCE_FAILED.help().map(|help| vec![help]));
}

#[test]
fn a_run_that_a_person_stopped_says_nothing() {
    assert_eq!(told(&[summary("a", SyncStatus::Interrupted)], &Rules::default(), true, &[]).1, 0);
}

#[test]
fn a_refused_token_is_one_alert_of_the_destination() {
    let syncs = [summary("a", halted(Code::UNAUTHORIZED)), summary("b", halted(Code::UNAUTHORIZED))];
    let (told, looked) = told(&syncs, &Rules::default(), true, &[]);
    assert_eq!(told, ["destination vitally: credentials critical: credentials refused [unauthorized]"]);
    assert_eq!(looked, 1);
    let problem = Problem::new(Code::SOURCE_REFUSED, "no");
    let (told, _) =
        self::told(&[summary("a", SyncStatus::Failed(vec![problem]))], &Rules::default(), true, &[]);
    assert_eq!(told, ["source files: credentials critical: credentials refused [source-refused]"]);
}

#[test]
fn refused_and_invalid_rows_are_counted_with_those_that_wait() {
    let mut one = summary("a", SyncStatus::CompletedWithErrors);
    one.waiting = 2;
    one.counts.add_outcomes(coho_core::verdict::Outcome::Rejected, 1);
    let count = |key: &str, code| ProblemCount {
        count: 1,
        key: Some(Key::new(key)),
        first: Problem::new(code, "row"),
    };
    one.problems.insert(ProblemKind { code: Code::REFUSED, field: None }, count("acme", Code::REFUSED));
    one.problems
        .insert(ProblemKind { code: Code::CAST_FAILED, field: None }, count("bolt", Code::CAST_FAILED));
    let rules = Rules::default();
    let (told, _) = told(std::slice::from_ref(&one), &rules, true, &[]);
    assert_eq!(told, ["sync vitally/a: rejected warning: 3 of 100 rows rejected"]);
    let ran = Ran {
        summary: &one,
        destination: "vitally",
        source: "files",
        rules: &rules,
        is_whole: true,
        earlier: &[],
        run: "r",
    };
    let detail = rejected(&ran).detail;
    assert_eq!((detail.count, detail.examples), (Some(3), vec!["acme".to_owned()]));
    assert_eq!(detail.what, "3 rows are rejected, of 100, mostly refused");
    // Of a part of the rows nothing follows for the others.
    assert_eq!(self::told(&[one], &rules, false, &[]).0, [""; 0]);
}

#[test]
fn guards_times_and_volumes_are_held_against_their_rules() {
    let mut held = summary("a", SyncStatus::Held);
    let guard = GuardHit {
        code: Code::MAX_REMOVED,
        message: "37 of 91".to_owned(),
        help: "look".to_owned(),
        held: 37,
    };
    held.guards.push(guard);
    let minute = Some(TimeDelta::minutes(1));
    let rules = Rules {
        duration: coho_core::alert::rules::Times { warning: minute, critical: None },
        volume: Shares { warning: Some(500), critical: Some(900) },
        ..Rules::default()
    };
    let (told, _) = told(&[held.clone()], &rules, true, &[220, 210, 2_000]);
    let expected = [
        "sync vitally/a: held warning: 37 operations held [max-removed]",
        "sync vitally/a: duration warning: run took 90 s",
        "sync vitally/a: volume warning: 100 rows, 54.5 % fewer than usual",
    ];
    assert_eq!(told, expected);
    // Two runs are no custom.
    assert!(!self::told(&[held], &rules, true, &[220, 210]).0.iter().any(|line| line.contains("volume")));
}

#[test]
fn a_sync_is_stale_after_its_time_and_a_disk_is_full_below_its_share() {
    let rules = Rules {
        freshness: Freshness {
            age: coho_core::alert::rules::Times { warning: None, critical: Some(TimeDelta::hours(26)) },
            grace: Some(TimeDelta::hours(1)),
        },
        ..Rules::default()
    };
    let level = |hours| {
        let now = Time::UNIX_EPOCH + TimeDelta::hours(hours);
        let fresh = Fresh { good: Some(Time::UNIX_EPOCH), expected: None };
        freshness("vitally", &SyncId::new("a"), &rules, fresh, now).1.level
    };
    assert_eq!((level(25), level(26)), (None, Some(Level::Critical)));
    let late = |minutes| {
        let fresh = Fresh { good: None, expected: Some(Time::UNIX_EPOCH) };
        let now = Time::UNIX_EPOCH + TimeDelta::minutes(minutes);
        freshness("vitally", &SyncId::new("a"), &rules, fresh, now).1.level
    };
    assert_eq!((late(-5), late(59), late(60)), (None, None, Some(Level::Critical)));
    let shares = Shares { warning: Some(100), critical: Some(20) };
    let level = |free| disk(&shares, free).1.level;
    assert_eq!((level(101), level(100), level(20)), (None, Some(Level::Warning), Some(Level::Critical)));
}
