//! Who is told what: the difference between how things stand and what each recipient was told.
//!
//! Nothing else is kept of what is to be told, so a mute, a new recipient, a message that could not be delivered and a process
//! that died need no rule of their own: the next look finds the difference.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use coho_core::alert::remembered::{Alert, Remembered, Told};
use coho_core::alert::{AlertKey, Level, Recipient};
use coho_core::time::Time;

/// What a recipient is told of one alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Turn {
    /// It was well, to the recipient's knowledge, and is bad.
    Opened,
    /// It was a warning and is critical.
    Worse,
    /// It was critical, and is less than that.
    Better,
    /// It is well.
    Recovered,
    /// It still is critical.
    Reminder,
}

impl Turn {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Opened, Self::Worse, Self::Better, Self::Recovered, Self::Reminder];

    /// The word in messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Worse => "worse",
            Self::Better => "better",
            Self::Recovered => "recovered",
            Self::Reminder => "reminder",
        }
    }

    /// The turn of this word.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|turn| turn.as_str() == text)
    }
}

/// A change that a recipient is told of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turned {
    /// Which alert.
    pub key: AlertKey,
    /// What became of it.
    pub turn: Turn,
    /// How bad it is now, as far as it concerns the recipient.
    pub level: Option<Level>,
    /// The alert.
    pub alert: Alert,
    /// What the recipient knows after this message.
    pub told: Told,
}

/// All that a recipient is told at one moment: one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The message's id.
    pub id: String,
    /// Who is told.
    pub recipient: String,
    /// What, the gravest first.
    pub turns: Vec<Turned>,
}

/// What is to be told at this moment, at most one message for each recipient. While something critical stays so, it is told
/// again after `remind`. `next_id` draws the ids of messages, which no two may share.
pub fn tell(
    remembered: &Remembered,
    recipients: &[Recipient],
    remind: Option<TimeDelta>,
    now: Time,
    next_id: &mut dyn FnMut() -> String,
) -> Vec<Notice> {
    let notice = |recipient: &Recipient| {
        let mut found: Vec<_> = keys(remembered, recipient)
            .into_iter()
            .filter_map(|key| difference(remembered, recipient, key, remind, now))
            .collect();
        if found.is_empty() {
            return None;
        }
        let id = next_id();
        for turned in &mut found {
            turned.name_message(&id);
        }
        found.sort_by_key(|turned| (std::cmp::Reverse(turned.level), turned.turn, turned.key.clone()));
        Some(Notice { id, recipient: recipient.name.clone(), turns: found })
    };
    recipients.iter().filter_map(notice).collect()
}

/// The alerts that stand, and those that the recipient was told of.
fn keys<'a>(remembered: &'a Remembered, recipient: &Recipient) -> BTreeSet<&'a AlertKey> {
    let told = remembered.told.keys().filter(|(_, name)| *name == recipient.name).map(|(key, _)| key);
    remembered.alerts.keys().chain(told).collect()
}

fn difference(
    remembered: &Remembered,
    recipient: &Recipient,
    key: &AlertKey,
    remind: Option<TimeDelta>,
    now: Time,
) -> Option<Turned> {
    if key.subject.sync().is_some_and(|sync| remembered.mute(sync, now).is_some()) {
        return None;
    }
    let told = remembered.told.get(&(key.clone(), recipient.name.clone()));
    let alert = remembered.alerts.get(key).cloned().unwrap_or_else(|| forgotten(now));
    let level = recipient.level(key, alert.level);
    let turn = turn(told, level, remind, now)?;
    let is_new = turn == Turn::Opened;
    let opened = told.filter(|_| !is_new);
    let told = Told {
        level,
        at: now,
        message: String::new(),
        opened_by: opened.map(|told| told.opened_by.clone()).unwrap_or_default(),
        opened_at: opened.map_or(alert.since, |told| told.opened_at),
    };
    Some(Turned { key: key.clone(), turn, level, alert, told })
}

/// An alert of which nothing but what was told is left: it is over.
fn forgotten(now: Time) -> Alert {
    Alert { level: None, streak: 0, since: now, detail: coho_core::alert::remembered::Detail::default() }
}

fn turn(told: Option<&Told>, level: Option<Level>, remind: Option<TimeDelta>, now: Time) -> Option<Turn> {
    let before = told.and_then(|told| told.level);
    match (before, level) {
        (None, None) | (Some(Level::Warning), Some(Level::Warning)) => None,
        (None, Some(_)) => Some(Turn::Opened),
        (Some(_), None) => Some(Turn::Recovered),
        (Some(Level::Warning), Some(Level::Critical)) => Some(Turn::Worse),
        (Some(Level::Critical), Some(Level::Warning)) => Some(Turn::Better),
        (Some(Level::Critical), Some(Level::Critical)) => {
            let is_due = |told: &Told| remind.is_some_and(|remind| now - told.at >= remind);
            told.is_some_and(is_due).then_some(Turn::Reminder)
        }
    }
}

impl Turned {
    fn name_message(&mut self, id: &str) {
        id.clone_into(&mut self.told.message);
        if self.told.opened_by.is_empty() {
            id.clone_into(&mut self.told.opened_by);
        }
    }
}

#[cfg(test)]
mod tests {
    use coho_core::alert::remembered::{Detail, Mute};
    use coho_core::alert::{Subject, Trigger};
    use coho_core::sync::SyncId;

    use super::*;

    const DAY: Option<TimeDelta> = Some(TimeDelta::hours(24));

    fn key(sync: &str, trigger: Trigger) -> AlertKey {
        AlertKey { subject: Subject::Sync { destination: "v".to_owned(), sync: SyncId::new(sync) }, trigger }
    }

    fn at(hours: i64) -> Time {
        Time::UNIX_EPOCH + TimeDelta::hours(hours)
    }

    fn stand(remembered: &mut Remembered, key: &AlertKey, level: Option<Level>, now: Time) {
        let alert = Alert { level, streak: 1, since: now, detail: Detail::default() };
        remembered.alerts.insert(key.clone(), alert);
    }

    /// What is told, and remembers that it was.
    fn told(remembered: &mut Remembered, recipients: &[Recipient], now: Time) -> Vec<String> {
        let mut number = 0;
        let mut id = || {
            number += 1;
            format!("{}-{number}", now.timestamp())
        };
        let mut lines = Vec::new();
        for notice in tell(remembered, recipients, DAY, now, &mut id) {
            for turned in notice.turns {
                lines.push(format!("{} {} {}", notice.recipient, turned.key, turned.turn.as_str()));
                remembered.told.insert((turned.key, notice.recipient.clone()), turned.told);
            }
        }
        lines
    }

    #[test]
    fn a_change_is_told_once_and_its_end_too() {
        let (mut remembered, all) = (Remembered::default(), [Recipient::new("ops")]);
        let key = key("accounts", Trigger::Failed);
        stand(&mut remembered, &key, Some(Level::Warning), at(0));
        assert_eq!(told(&mut remembered, &all, at(0)), ["ops sync v/accounts: failed opened"]);
        assert!(told(&mut remembered, &all, at(1)).is_empty());
        stand(&mut remembered, &key, Some(Level::Critical), at(2));
        assert_eq!(told(&mut remembered, &all, at(2)), ["ops sync v/accounts: failed worse"]);
        stand(&mut remembered, &key, None, at(3));
        assert_eq!(told(&mut remembered, &all, at(3)), ["ops sync v/accounts: failed recovered"]);
        assert!(told(&mut remembered, &all, at(4)).is_empty());
    }

    #[test]
    fn what_is_critical_is_told_again_each_day() {
        let (mut remembered, all) = (Remembered::default(), [Recipient::new("ops")]);
        stand(&mut remembered, &key("accounts", Trigger::Failed), Some(Level::Critical), at(0));
        let hours: Vec<_> =
            (0..50).filter(|hour| !told(&mut remembered, &all, at(*hour)).is_empty()).collect();
        assert_eq!(hours, [0, 24, 48]);
    }

    #[test]
    fn all_that_changed_at_once_is_one_message_the_gravest_first() {
        let (mut remembered, all) = (Remembered::default(), [Recipient::new("ops"), Recipient::new("dev")]);
        stand(&mut remembered, &key("accounts", Trigger::Held), Some(Level::Warning), at(0));
        stand(&mut remembered, &key("users", Trigger::Failed), Some(Level::Critical), at(0));
        let mut ids = 0;
        let notices = tell(&remembered, &all, DAY, at(0), &mut || {
            ids += 1;
            ids.to_string()
        });
        assert_eq!((notices.len(), notices[0].turns.len()), (2, 2));
        assert_eq!(notices[0].turns[0].level, Some(Level::Critical));
        assert_eq!(notices[0].turns[0].told.opened_by, notices[0].id);
    }

    #[test]
    fn a_mute_is_silent_and_what_is_open_at_its_end_is_told_then() {
        let (mut remembered, all) = (Remembered::default(), [Recipient::new("ops")]);
        let sync = SyncId::new("accounts");
        remembered.mutes.push(Mute { sync, until: at(4), why: "moving".to_owned(), since: at(0) });
        let (failed, held) = (key("accounts", Trigger::Failed), key("accounts", Trigger::Held));
        stand(&mut remembered, &failed, Some(Level::Critical), at(1));
        stand(&mut remembered, &held, Some(Level::Warning), at(1));
        assert!(told(&mut remembered, &all, at(1)).is_empty());
        stand(&mut remembered, &held, None, at(2));
        assert!(told(&mut remembered, &all, at(3)).is_empty());
        assert_eq!(told(&mut remembered, &all, at(4)), ["ops sync v/accounts: failed opened"]);
    }

    #[test]
    fn who_asked_for_the_gravest_alone_is_told_when_it_is_less() {
        let grave = [Recipient { from: Level::Critical, ..Recipient::new("pager") }];
        let mut remembered = Remembered::default();
        let key = key("accounts", Trigger::Rejected);
        stand(&mut remembered, &key, Some(Level::Warning), at(0));
        assert!(told(&mut remembered, &grave, at(0)).is_empty());
        stand(&mut remembered, &key, Some(Level::Critical), at(1));
        assert_eq!(told(&mut remembered, &grave, at(1)), ["pager sync v/accounts: rejected opened"]);
        stand(&mut remembered, &key, Some(Level::Warning), at(2));
        assert_eq!(told(&mut remembered, &grave, at(2)), ["pager sync v/accounts: rejected recovered"]);
    }

    #[test]
    fn a_message_keeps_the_one_that_opened_the_alert() {
        let (mut remembered, all) = (Remembered::default(), [Recipient::new("ops")]);
        let key = key("accounts", Trigger::Rejected);
        stand(&mut remembered, &key, Some(Level::Warning), at(0));
        told(&mut remembered, &all, at(0));
        stand(&mut remembered, &key, None, at(5));
        let notices = tell(&remembered, &all, DAY, at(5), &mut || "end".to_owned());
        let last = &notices[0].turns[0].told;
        assert_eq!((last.opened_by.as_str(), last.message.as_str(), last.opened_at), ("0-1", "end", at(0)));
    }
}
