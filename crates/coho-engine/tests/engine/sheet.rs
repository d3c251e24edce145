//! The sheet: what Vitally comes to hold, kept by hand, and how many calls that takes. It knows rows and what was
//! acknowledged of them, no ledger, no plan and no exchange.

use std::collections::{BTreeMap, BTreeSet};

use super::Step;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seats {
    None,
    Some(u8),
    /// Vitally takes numbers only.
    Wrong,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) version: u8,
    pub(crate) name: u8,
    pub(crate) plan: Option<u8>,
    pub(crate) seats: Seats,
}

impl Account {
    pub(crate) fn external(self, key: u8) -> String {
        format!("a{key}-{}", self.version)
    }

    fn fields(self, mapping: usize) -> Fields {
        let plan = self.plan.map(|plan| format!("\"p{plan}\""));
        let mut fields = Fields::from([("name", Some(format!("n{}", self.name))), ("plan", plan.clone())]);
        if mapping != 1 {
            let seats = match self.seats {
                Seats::None => None,
                Seats::Some(seats) => Some(seats.to_string()),
                Seats::Wrong => Some(WRONG.to_owned()),
            };
            fields.insert("seats", seats);
        }
        if mapping == 2 {
            fields.insert("tier", plan);
        }
        fields
    }
}

const WRONG: &str = "many";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct User {
    pub(crate) name: u8,
    pub(crate) account: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Contact {
    pub(crate) version: u8,
    pub(crate) name: u8,
    pub(crate) account: &'static str,
}

impl Contact {
    pub(crate) fn email(&self, key: u8) -> String {
        format!("e{key}-{}@acme.io", self.version)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Group {
    pub(crate) name: u8,
    pub(crate) plan: Option<u8>,
}

/// Mapped fields; null where the row has nothing.
type Fields = BTreeMap<&'static str, Option<String>>;

/// The accounts that a user was linked to, and so still is.
type Links = BTreeSet<&'static str>;

/// A record of Vitally.
#[derive(Clone, Debug, Default)]
struct Record {
    fields: BTreeMap<&'static str, String>,
    email: String,
    links: BTreeSet<String>,
}

/// What is known of a row's record.
#[derive(Clone, Debug, Default)]
struct Known {
    external: String,
    /// What was acknowledged; nothing where nothing was.
    sent: Option<BTreeMap<&'static str, String>>,
    /// Its row is gone, and the record was let be.
    left: bool,
    refused: Option<Refused>,
}

/// A write that Vitally refused.
#[derive(Clone, Debug, PartialEq)]
struct Refused {
    fields: (String, Fields, usize),
    tries: u32,
    due: i64,
}

/// Everything that Vitally holds, and what is known of each row.
#[derive(Debug, Default)]
pub(crate) struct Sheet {
    deletes: bool,
    conflicts: bool,
    records: BTreeMap<(&'static str, String), Record>,
    accounts: BTreeMap<u8, Known>,
    /// What rows were before, while what they are now is not there yet.
    departed: BTreeMap<u8, BTreeSet<String>>,
    users: BTreeMap<u8, (User, Links)>,
    contacts: BTreeMap<u8, (Contact, Links, String)>,
    refused_contacts: BTreeMap<u8, Refused>,
    groups: BTreeMap<u8, Group>,
    orders: BTreeMap<u8, u8>,
    found: BTreeSet<&'static str>,
    calls: usize,
    is_sure: bool,
}

pub(crate) fn line(
    object: &str,
    id: &str,
    name: &str,
    email: &str,
    traits: &[String],
    links: &[String],
) -> String {
    format!("{object} {id} {name} <{email}> {} in {}", traits.join(" "), links.join(" "))
}

impl Sheet {
    /// What is there before the first run. `conflicts` where a POST of a record that is there is refused.
    pub(crate) fn new(conflicts: bool) -> Self {
        let mut sheet = Self { conflicts, ..Self::default() };
        for account in ["s0", "s1"] {
            sheet.record("account", account).fields.insert("name", "Before".to_owned());
        }
        let old = sheet.record("user", "old");
        old.fields.insert("name", "Old".to_owned());
        old.email.push_str("e0-0@acme.io");
        old.links.insert("s0".to_owned());
        sheet
    }

    pub(crate) fn plant_late(&mut self) {
        self.record("account", "late").fields.insert("name", "Before".to_owned());
    }

    fn record(&mut self, object: &'static str, id: &str) -> &mut Record {
        self.records.entry((object, id.to_owned())).or_default()
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        let record = |((object, id), record): (&(&str, String), &Record)| {
            let traits = record.fields.iter().filter(|(name, _)| **name != "name");
            let traits: Vec<_> = traits.map(|(name, value)| format!("{name}={value}")).collect();
            let links: Vec<_> = record.links.iter().cloned().collect();
            line(object, id, &record.fields["name"], &record.email, &traits, &links)
        };
        let mut lines: Vec<_> = self.records.iter().map(record).collect();
        lines.extend(self.orders.values().map(|total| format!("event total={total}")));
        lines.sort();
        lines
    }

    /// One run at this moment. Gives the calls that it takes, and whether that is sure.
    pub(crate) fn run(&mut self, step: &Step, now: i64) -> (usize, bool) {
        (self.calls, self.is_sure) = (0, true);
        self.deletes = step.removed == "delete";
        for key in 0..3 {
            match step.accounts.get(&key) {
                Some(row) => self.account(key, *row, step.mapping, now),
                None => self.account_is_gone(key),
            }
            self.depart(key);
        }
        let mut asked = BTreeSet::new();
        for key in 0..2 {
            self.user(key, step.users.get(&key), &mut asked);
            self.contact(key, step.contacts.get(&key), &mut asked, now);
        }
        let changed = (0..2).filter(|key| self.group(*key, step.groups.get(key))).count();
        self.calls += usize::from(changed > 0);
        let before = self.orders.len();
        for (key, total) in &step.orders {
            self.orders.entry(*key).or_insert(*total);
        }
        self.calls += usize::from(self.orders.len() > before);
        (self.calls, self.is_sure)
    }

    /// What a row was before goes the way of rows that left, once what it is now is there, or the row is gone.
    fn depart(&mut self, key: u8) {
        let waits = self.accounts.get(&key).is_some_and(|known| known.sent.is_none());
        if waits && self.deletes {
            return;
        }
        for external in self.departed.remove(&key).into_iter().flatten().filter(|_| self.deletes) {
            self.calls += 1;
            self.records.remove(&("account", external));
        }
    }

    fn account_is_gone(&mut self, key: u8) {
        let Some(known) = self.accounts.get_mut(&key) else { return };
        if known.sent.is_none() {
            self.accounts.remove(&key);
        } else if self.deletes && !known.left {
            self.calls += 1;
            self.records.remove(&("account", known.external.clone()));
            self.accounts.remove(&key);
        } else if !known.left {
            (known.left, known.refused) = (true, None);
        }
    }

    fn account(&mut self, key: u8, row: Account, mapping: usize, now: i64) {
        let (external, fields) = (row.external(key), row.fields(mapping));
        let tried = (external.clone(), fields.clone(), mapping);
        let mut known = self.accounts.remove(&key).unwrap_or_default();
        if known.refused.as_ref().is_some_and(|refused| refused.fields == tried && refused.due > now) {
            self.accounts.insert(key, known);
            return;
        }
        if known.sent.is_some() && known.external != external {
            if self.deletes && !known.left {
                self.departed.entry(key).or_default().insert(known.external.clone());
            }
            known = Known::default();
        }
        // A row that is again what it was before does not leave it.
        self.departed.entry(key).or_default().remove(&external);
        known.external.clone_from(&external);
        let differs = match &known.sent {
            None => true,
            Some(sent) => fields.iter().any(|(name, value)| sent.get(name) != value.as_ref()),
        };
        if differs {
            let exists = self.records.contains_key(&("account", external.clone()));
            self.calls += if known.sent.is_none() && exists && self.conflicts { 3 } else { 1 };
            if fields.get("seats").is_some_and(|seats| seats.as_deref() == Some(WRONG)) {
                // Which of the two mistakes a POST is refused for is Vitally's to say.
                self.is_sure &= known.sent.is_some() || !exists;
                known.refused = Some(self.refuse(known.refused.take(), tried, now));
                self.accounts.insert(key, known);
                return;
            }
            let record = self.record("account", &external);
            let mut sent = BTreeMap::new();
            for (name, value) in fields {
                match value {
                    Some(value) => {
                        record.fields.insert(name, value.clone());
                        sent.insert(name, value);
                    }
                    // A null clears what this row was seen to set, and nothing else.
                    None if known.sent.as_ref().is_some_and(|sent| sent.contains_key(name)) => {
                        record.fields.remove(name);
                    }
                    None => {}
                }
            }
            known.sent = Some(sent);
        }
        (known.left, known.refused) = (false, None);
        self.accounts.insert(key, known);
    }

    /// A write that was refused once more: each time it waits twice as long, up to a day.
    fn refuse(&mut self, before: Option<Refused>, fields: (String, Fields, usize), now: i64) -> Refused {
        let before = before.filter(|refused| refused.fields == fields).map_or(0, |refused| refused.tries);
        // After ten refusals it waits for a change.
        self.is_sure &= before < 7;
        let minutes = (5_i64 << before).min(24 * 60);
        Refused { fields, tries: before + 1, due: now + minutes * 60_000 }
    }

    /// Whether an account's id is known, or is found now: asked once a run, and never again once it was found.
    fn finds(&mut self, account: &'static str, asked: &mut BTreeSet<&'static str>) -> bool {
        if !self.found.contains(account) && asked.insert(account) {
            self.calls += 1;
            if self.records.contains_key(&("account", account.to_owned())) {
                self.found.insert(account);
            }
        }
        self.found.contains(account)
    }

    fn user(&mut self, key: u8, row: Option<&User>, asked: &mut BTreeSet<&'static str>) {
        let id = format!("u{key}");
        let before = self.users.get(&key).cloned();
        let Some(row) = row else {
            if self.users.remove(&key).is_some() {
                self.calls += 1;
                self.records.remove(&("user", id));
            }
            return;
        };
        let is_there =
            |(before, links): &(User, Links)| before.name == row.name && links.contains(row.account);
        if before.as_ref().is_some_and(is_there) || !self.finds(row.account, asked) {
            return;
        }
        // Links are added to those that Vitally has, so they are read first.
        let reads = before.as_ref().is_some_and(|(_, links)| !links.contains(row.account));
        self.calls += 1 + usize::from(reads);
        let record = self.record("user", &id);
        record.fields.insert("name", format!("n{}", row.name));
        record.links.insert(row.account.to_owned());
        let mut links = before.map(|(_, links)| links).unwrap_or_default();
        links.insert(row.account);
        self.users.insert(key, (*row, links));
    }

    fn contact(&mut self, key: u8, row: Option<&Contact>, asked: &mut BTreeSet<&'static str>, now: i64) {
        let before = self.contacts.get(&key).cloned();
        let Some(row) = row else {
            self.refused_contacts.remove(&key);
            if let Some((_, _, id)) = self.contacts.remove(&key) {
                self.calls += 1;
                self.records.remove(&("user", id));
            }
            return;
        };
        let is_there = |(before, links, _): &(Contact, Links, String)| {
            (before.name, before.version) == (row.name, row.version) && links.contains(row.account)
        };
        if before.as_ref().is_some_and(is_there) {
            self.refused_contacts.remove(&key);
            return;
        }
        let email = row.email(key);
        let tried = (format!("{row:?}"), Fields::new(), 0);
        let refused = self.refused_contacts.get(&key).filter(|refused| refused.fields == tried).cloned();
        if refused.as_ref().is_some_and(|refused| refused.due > now) || !self.finds(row.account, asked) {
            return;
        }
        let holder =
            self.records.iter().find(|((object, _), record)| *object == "user" && record.email == email);
        let holder = holder.map(|((_, id), _)| id.clone());
        let id = match &before {
            None => {
                self.calls += 2;
                holder.unwrap_or_else(|| format!("c{key}"))
            }
            Some((before, links, id)) => {
                let moves = before.email(key) != email;
                self.calls += usize::from(moves);
                if moves && holder.is_some() {
                    let refused = self.refuse(refused, tried, now);
                    self.refused_contacts.insert(key, refused);
                    return;
                }
                self.calls += 1 + usize::from(!links.contains(row.account));
                id.clone()
            }
        };
        let record = self.record("user", &id);
        record.fields.insert("name", format!("n{}", row.name));
        record.email = email;
        record.links.insert(row.account.to_owned());
        self.refused_contacts.remove(&key);
        let mut links = before.map(|(_, links, _)| links).unwrap_or_default();
        links.insert(row.account);
        self.contacts.insert(key, (*row, links, id));
    }

    /// Whether a message is sent. What left is let be, and compared with when it returns.
    fn group(&mut self, key: u8, row: Option<&Group>) -> bool {
        let Some(row) = row else { return false };
        let before = self.groups.insert(key, *row);
        if before == Some(*row) {
            return false;
        }
        let record = self.record("organization", &format!("g{key}"));
        record.fields.insert("name", format!("n{}", row.name));
        match row.plan {
            Some(plan) => record.fields.insert("plan", format!("\"p{plan}\"")),
            None => record.fields.remove("plan"),
        };
        true
    }
}
