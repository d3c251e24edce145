//! The state of each alert, from one run to the next: what was found changes it, and nothing else does.

use std::collections::BTreeMap;

use coho_core::alert::remembered::{Alert, Detail};
use coho_core::alert::{AlertKey, Level, Subject};
use coho_core::time::Time;

/// What was found of one alert. What was not looked at has no finding, and keeps its state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    /// How bad it is by itself; `None` where all is well.
    pub level: Option<Level>,
    /// In how many runs in a row it must be bad, so that it counts.
    pub after: u32,
    /// In the how manyth run in a row it is critical, whatever its level.
    pub critical_after: Option<u32>,
    /// What was found, in words.
    pub detail: Detail,
}

impl Observation {
    /// All is well.
    pub fn well(detail: Detail) -> Self {
        Self { level: None, after: 1, critical_after: None, detail }
    }

    /// It is this bad, at once.
    pub fn bad(level: Level, detail: Detail) -> Self {
        Self { level: Some(level), ..Self::well(detail) }
    }

    /// How bad it is in the how manyth run in a row, where it was at a level before.
    fn effective(&self, streak: u32, before: Option<Level>) -> Option<Level> {
        let found = self.level?;
        if before.is_none() && streak < self.after {
            return None;
        }
        let is_long = self.critical_after.is_some_and(|runs| streak >= runs);
        Some(if is_long { Level::Critical } else { found })
    }
}

/// Takes findings into the states.
pub fn advance(
    alerts: &mut BTreeMap<AlertKey, Alert>,
    findings: &BTreeMap<AlertKey, Observation>,
    now: Time,
) {
    for (key, finding) in findings {
        match (alerts.get_mut(key), finding.level) {
            (None, None) => {}
            (Some(alert), None) => recover(alert, &finding.detail, now),
            (Some(alert), Some(_)) => worsen(alert, finding, now),
            (None, Some(_)) => {
                let mut alert = Alert { level: None, streak: 0, since: now, detail: Detail::default() };
                worsen(&mut alert, finding, now);
                alerts.insert(key.clone(), alert);
            }
        }
    }
}

fn worsen(alert: &mut Alert, finding: &Observation, now: Time) {
    if alert.streak == 0 {
        alert.since = now;
    }
    alert.streak = alert.streak.saturating_add(1);
    alert.level = finding.effective(alert.streak, alert.level);
    alert.detail.clone_from(&finding.detail);
}

fn recover(alert: &mut Alert, detail: &Detail, now: Time) {
    if alert.level.is_some() {
        alert.since = now;
        alert.detail.clone_from(detail);
    }
    alert.level = None;
    alert.streak = 0;
}

/// Ends the alerts whose subject is not there any more: a sync that was deleted, renamed or disabled has none open.
pub fn close(alerts: &mut BTreeMap<AlertKey, Alert>, is_there: impl Fn(&Subject) -> bool, now: Time) {
    for (key, alert) in alerts.iter_mut().filter(|(key, _)| !is_there(&key.subject)) {
        let what = format!("{} is not in the project any more", key.subject.name());
        let brief = "not in the project any more".to_owned();
        recover(alert, &Detail { brief, what, ..Detail::default() }, now);
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use coho_core::alert::Trigger;

    use super::*;

    fn key() -> AlertKey {
        AlertKey { subject: Subject::Ledger, trigger: Trigger::Disk }
    }

    fn finding(level: Option<Level>) -> Observation {
        Observation { level, after: 1, critical_after: None, detail: Detail::default() }
    }

    /// The level after each run.
    fn levels(findings: &[Observation]) -> Vec<Option<Level>> {
        let mut alerts = BTreeMap::new();
        let of = |(number, finding): (usize, &Observation)| {
            let now = Time::UNIX_EPOCH + TimeDelta::hours(i64::try_from(number).unwrap());
            advance(&mut alerts, &[(key(), finding.clone())].into(), now);
            alerts.get(&key()).and_then(|alert| alert.level)
        };
        findings.iter().enumerate().map(of).collect()
    }

    #[test]
    fn a_level_follows_what_is_found() {
        let (well, warning, critical) = (None, Some(Level::Warning), Some(Level::Critical));
        let found = [well, warning, critical, critical, warning, well, critical, well];
        assert_eq!(levels(&found.map(finding)), found);
    }

    #[test]
    fn what_is_noisy_counts_after_some_runs_in_a_row() {
        let noisy = |level| Observation { after: 2, ..finding(level) };
        let bad = Some(Level::Warning);
        let found = [bad, None, bad, bad, bad, None].map(noisy);
        assert_eq!(levels(&found), [None, None, None, bad, bad, None]);
    }

    #[test]
    fn a_warning_that_stays_becomes_critical() {
        let staying = |level| Observation { critical_after: Some(3), ..finding(level) };
        let bad = Some(Level::Warning);
        let found = [bad, bad, bad, bad, None, bad].map(staying);
        let grave = Some(Level::Critical);
        assert_eq!(levels(&found), [bad, bad, grave, grave, None, bad]);
    }

    #[test]
    fn since_is_the_first_bad_run_until_it_is_well() {
        let mut alerts = BTreeMap::new();
        let at = |hours| Time::UNIX_EPOCH + TimeDelta::hours(hours);
        let noisy = Observation { after: 2, ..finding(Some(Level::Warning)) };
        let since = |alerts: &BTreeMap<AlertKey, Alert>| alerts.get(&key()).map(|alert| alert.since);
        for hour in 1..4 {
            advance(&mut alerts, &[(key(), noisy.clone())].into(), at(hour));
            assert_eq!(since(&alerts), Some(at(1)));
        }
        for hour in 4..6 {
            advance(&mut alerts, &[(key(), finding(None))].into(), at(hour));
            assert_eq!(since(&alerts), Some(at(4)));
        }
    }

    #[test]
    fn what_is_gone_has_no_alert_open() {
        let mut alerts = BTreeMap::new();
        advance(&mut alerts, &[(key(), finding(Some(Level::Critical)))].into(), Time::UNIX_EPOCH);
        close(&mut alerts, |_| false, Time::UNIX_EPOCH);
        assert_eq!(alerts.get(&key()).map(|alert| (alert.level, alert.streak)), Some((None, 0)));
    }
}
