//! Law 12, told once: over a year of runs with flapping, mutes, a renamed sync, two processes, and kills between the outbox and
//! the settling, each recipient is told each change once, in order, and nothing is left open that is well.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::TimeDelta;
use coho_alert::found::Findings;
use coho_alert::machine::Observation;
use coho_alert::message::Notification;
use coho_core::alert::remembered::{Detail, Mute};
use coho_core::alert::{AlertKey, Level, Recipient, Subject, Trigger};
use coho_core::sync::SyncId;
use coho_core::time::Time;
use coho_ledger::Ledger;
use coho_ledger::lease::Holder;
use coho_ledger::outbox::DeliveryAttempt;
use coho_project::{File, Project, load};

use crate::context::{Engine, Setup};

const PROJECT: &str = "
project: acme
sources: { files: { type: files, path: data } }
destinations: { vitally: { type: vitally, region: eu, rest_token: sk_live_1 } }
alerts:
  to:
    ops: { type: command, run: [tell] }
    pager: { type: command, run: [tell], level: critical }
    failures: { type: command, run: [tell], when: [failed] }
";

const MODEL: &str = "{ source: files, file: rows.csv, primary_key: id }";

/// The hours between two looks.
const STEP: i64 = 24;

fn sync(id: &str) -> File {
    let text = format!(
        "{{ id: {id}, model: rows, to: vitally, object: account, match: {{ externalId: id }}, fields: {{ name: name }} }}"
    );
    File::text(format!("syncs/{id}.yaml"), text)
}

fn project(syncs: &[&str]) -> Project {
    let mut files = vec![File::text("coho.yaml", PROJECT), File::text("models/rows.yaml", MODEL)];
    files.extend(syncs.iter().map(|id| sync(id)));
    load(&files, &|_| None, None).unwrap()
}

fn at(step: i64) -> Time {
    Time::UNIX_EPOCH + TimeDelta::hours(step * STEP)
}

fn engine<'a>(project: &'a Project, process: &str, now: Time) -> Engine<'a> {
    Engine::new(Setup {
        project,
        root: ".".into(),
        temporary: ".".into(),
        clock: Arc::new(move || now),
        holder: Holder { id: process.to_owned(), pid: 1, host: "here".to_owned() },
        run_id: Arc::new(|| "run".to_owned()),
        lineage: None,
    })
}

/// Numbers that look like chance and are always the same.
struct Chance(Cell<u64>);

impl Chance {
    fn below(&self, bound: u64) -> u64 {
        // SplitMix64.
        self.0.set(self.0.get().wrapping_add(0x9e37_79b9_7f4a_7c15));
        let mut bits = self.0.get();
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (bits ^ (bits >> 31)) % bound
    }

    fn is(&self, percent: u64) -> bool {
        self.below(100) < percent
    }
}

type Sequences = BTreeMap<(String, String), Vec<Option<Level>>>;

/// What is true, and what each recipient must have been told because of it.
#[derive(Default)]
struct Truth {
    levels: BTreeMap<AlertKey, Option<Level>>,
    expected: Sequences,
}

impl Truth {
    fn look(&mut self, recipients: &[Recipient], muted: &BTreeSet<SyncId>) {
        for (key, level) in &self.levels {
            if key.subject.sync().is_some_and(|sync| muted.contains(sync)) {
                continue;
            }
            for recipient in recipients {
                let told = self.expected.entry((recipient.name.clone(), key.to_string())).or_default();
                let level = recipient.level(key, *level);
                if told.last().copied().flatten() != level {
                    told.push(level);
                }
            }
        }
    }
}

/// What arrived: each message once, however often it was sent.
#[derive(Default)]
struct Inboxes {
    seen: BTreeSet<String>,
    told: Sequences,
    last: BTreeMap<(String, String), (Time, Option<Level>)>,
    again: u64,
}

impl Inboxes {
    fn take(&mut self, recipient: &str, body: &str, now: Time) {
        let message = Notification::from_json(body).unwrap();
        if !self.seen.insert(message.id.clone()) {
            self.again += 1;
            return;
        }
        for line in &message.alerts {
            let key = format!("{}: {}", named(&line.alert), line.trigger);
            let place = (recipient.to_owned(), key);
            if line.turn == "reminder" {
                let (_, level) = self.last[&place];
                assert_eq!(level, Some(Level::Critical), "a reminder of what is not critical");
            } else {
                self.told.entry(place.clone()).or_default().push(line.level());
            }
            self.last.insert(place, (now, line.level()));
        }
    }
}

/// `coho:acme:vitally/accounts:failed` is `sync vitally/accounts`.
fn named(alert: &str) -> String {
    format!("sync {}", alert.split(':').nth(2).unwrap())
}

struct World {
    ledger: Ledger,
    chance: Chance,
    truth: Truth,
    inboxes: Inboxes,
    muted: BTreeMap<SyncId, Time>,
}

impl World {
    /// A run of a process: it finds how things stand with some of the syncs.
    fn run(&mut self, project: &Project, process: &str, now: Time) {
        let mut findings = Findings::new();
        for sync in project.syncs.iter().filter(|_| self.chance.is(80)) {
            for trigger in [Trigger::Failed, Trigger::Rejected, Trigger::Held] {
                let subject = Subject::Sync { destination: "vitally".to_owned(), sync: sync.id.clone() };
                let level = match self.chance.below(10) {
                    0 => Some(Level::Critical),
                    1 => Some(Level::Warning),
                    2..6 => self
                        .truth
                        .levels
                        .get(&AlertKey { subject: subject.clone(), trigger })
                        .copied()
                        .flatten(),
                    _ => None,
                };
                let key = AlertKey { subject, trigger };
                let detail = Detail { brief: "found".to_owned(), ..Detail::default() };
                findings.insert(key.clone(), Observation { level, ..Observation::well(detail) });
                self.truth.levels.insert(key, level);
            }
        }
        self.tell(project, process, &findings, now);
    }

    fn tell(&mut self, project: &Project, process: &str, findings: &Findings, now: Time) {
        for (key, level) in &mut self.truth.levels {
            let is_there = key.subject.sync().is_some_and(|sync| project.sync(sync).is_some());
            *level = level.filter(|_| is_there);
        }
        self.muted.retain(|_, until| now < *until);
        let engine = engine(project, process, now);
        self.ledger.tell(now, |remembered, next| engine.telling(remembered, findings, next)).unwrap();
        let recipients: Vec<_> = project.alerts.recipients.iter().map(|(one, _)| one.clone()).collect();
        self.truth.look(&recipients, &self.muted.keys().cloned().collect());
    }

    /// One attempt for each recipient, which may be killed at each point.
    fn send(&mut self, project: &Project, process: &str, now: Time, is_well: bool) {
        for (recipient, _) in &project.alerts.recipients {
            while let Some(claimed) =
                self.ledger.claim(&recipient.name, process, now, now + TimeDelta::minutes(2)).unwrap()
            {
                let status = if is_well { 9 } else { self.chance.below(10) };
                if status == 0 {
                    // Killed before it was sent.
                    break;
                }
                if status == 1 {
                    let due = now + TimeDelta::hours(1);
                    let later = DeliveryAttempt::Later { due, error: "it answered 500".to_owned() };
                    self.ledger.settle_message(&claimed.id, process, &later, now).unwrap();
                    break;
                }
                self.inboxes.take(&recipient.name, &claimed.body, now);
                if status == 2 {
                    // Killed after it arrived.
                    break;
                }
                let sent = DeliveryAttempt::Sent { receipt: None };
                self.ledger.settle_message(&claimed.id, process, &sent, now).unwrap();
            }
        }
    }

    fn mute(&mut self, project: &Project, now: Time) {
        let sync = project.syncs[0].id.clone();
        let until = now + TimeDelta::hours(STEP * i64::try_from(1 + self.chance.below(9)).unwrap());
        self.ledger.mute(&Mute { sync: sync.clone(), until, why: "moving".to_owned(), since: now }).unwrap();
        self.muted.insert(sync, until);
    }

    fn step(&mut self, project: &Project, now: Time) {
        let process = if self.chance.is(50) { "one" } else { "two" };
        match self.chance.below(20) {
            0 => self.mute(project, now),
            1 => self.tell(project, process, &Findings::new(), now),
            _ => self.run(project, process, now),
        }
        for process in ["one", "two"] {
            if self.chance.is(60) {
                self.send(project, process, now, false);
            }
        }
    }
}

fn year(seed: u64) -> World {
    let mut world = World {
        ledger: Ledger::temporary(at(0)).unwrap(),
        chance: Chance(Cell::new(seed)),
        truth: Truth::default(),
        inboxes: Inboxes::default(),
        muted: BTreeMap::new(),
    };
    let (first, second) = (project(&["accounts", "users"]), project(&["customers", "users"]));
    let steps = 365 * 24 / STEP;
    for step in 1..steps {
        // In the middle of the year `accounts` is renamed to `customers`.
        let project = if step < steps / 2 { &first } else { &second };
        world.step(project, at(step));
    }
    // The year ends well: mutes are over, everything is looked at once more and delivered.
    let later = at(steps + 20);
    world.tell(&second, "one", &Findings::new(), later);
    world.send(&second, "one", later + TimeDelta::hours(2), true);
    world
}

#[test]
fn each_change_is_told_once_to_each_recipient() {
    for seed in 1..3 {
        let world = year(seed);
        let expected: Sequences =
            world.truth.expected.into_iter().filter(|(_, levels)| !levels.is_empty()).collect();
        assert_eq!(world.inboxes.told, expected, "seed {seed}");
        assert!(world.ledger.waiting_messages().unwrap().is_empty());
        assert!(world.inboxes.again > 0, "nobody was killed after a message arrived");
        let told: usize = expected.values().map(Vec::len).sum();
        assert!(told > 300, "{told}");
    }
}

#[test]
fn nothing_is_left_open_that_is_well() {
    let mut world = year(7);
    let project = project(&["customers", "users"]);
    let end = at(2_000);
    let well = Observation::well(Detail::default());
    let keys: Vec<_> = world.truth.levels.keys().cloned().collect();
    let findings = keys.into_iter().map(|key| (key, well.clone())).collect();
    world.truth.levels.values_mut().for_each(|level| *level = None);
    world.tell(&project, "two", &findings, end);
    world.send(&project, "two", end, true);
    assert!(world.inboxes.last.values().all(|(_, level)| level.is_none()));
    let remembered = world.ledger.alerts().unwrap();
    assert!(remembered.told.is_empty(), "{:?}", remembered.told);
}
