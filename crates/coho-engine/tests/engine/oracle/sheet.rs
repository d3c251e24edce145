//! The sheet: what Vitally comes to hold, kept by hand, and how many calls that takes. It knows rows and what was
//! acknowledged of them, no ledger, no plan and no exchange.

use std::collections::{BTreeMap, BTreeSet};

#[path = "lines.rs"]
mod lines;

pub(crate) use lines::line;

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

/// The primary key of a row, and the one that it has while keys are renamed, or not.
pub(crate) fn keys(number: u8, rekeyed: bool) -> (u8, u8) {
    if rekeyed { (number + 10, number) } else { (number, number + 10) }
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
    /// The links that a POST took away in this step.
    taken: BTreeSet<String>,
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

/// Everything that Vitally holds, and what is known of each key.
#[derive(Debug, Default)]
#[allow(clippy::struct_excessive_bools, reason = "each is a switch of its own, of Vitally or of the history")]
pub(crate) struct Sheet {
    deletes: bool,
    /// A POST of a record that is there is refused.
    conflicts: bool,
    /// A POST of a user that is there takes its other links away.
    replaces: bool,
    rekeyed: bool,
    records: BTreeMap<(&'static str, String), Record>,
    accounts: BTreeMap<u8, Known>,
    /// What rows were before, while what they are now is not there yet.
    departed: BTreeMap<u8, BTreeSet<String>>,
    /// Of each key, and whether its record was let be, since its row has another key now.
    users: BTreeMap<u8, (User, Links, bool)>,
    /// The same, with the external id of the record that the address found.
    contacts: BTreeMap<u8, (Contact, Links, String, bool)>,
    refused_contacts: BTreeMap<u8, Refused>,
    groups: BTreeMap<u8, (Group, bool)>,
    orders: BTreeMap<u8, u8>,
    found: BTreeSet<&'static str>,
    calls: usize,
    is_sure: bool,
}

impl Sheet {
    /// What is there before the first run.
    pub(crate) fn new(vitally: &str) -> Self {
        let (conflicts, replaces) = (vitally == "conflicting-post", vitally == "replacing-account-ids");
        let mut sheet = Self { conflicts, replaces, ..Self::default() };
        for account in ["s0", "s1"] {
            sheet.record("account", account).fields.insert("name", "Before".to_owned());
        }
        let old = sheet.record("user", "old");
        old.fields.insert("name", "Old".to_owned());
        old.email.push_str("e0-0@acme.io");
        old.links.insert("s0".to_owned());
        sheet
    }

    /// What an older ledger remembers, and so Vitally holds: an account of the row 1, and where `assumes`, one that the row 2 is
    /// compared with, but never was sent.
    pub(crate) fn remember(&mut self, assumes: bool) {
        for (key, external, name) in [(1, "acme", "Acme"), (2, "hoop", "Hoop")] {
            self.record("account", external).fields.insert("name", name.to_owned());
            let sent = Some(BTreeMap::from([("name", name.to_owned())]));
            if key == 1 || assumes {
                self.accounts.insert(
                    key,
                    Known { external: external.to_owned(), sent, left: key == 2, refused: None },
                );
            }
        }
    }

    /// Another step begins.
    pub(crate) fn begin(&mut self) {
        self.records.values_mut().for_each(|record| record.taken.clear());
    }

    pub(crate) fn plant_late(&mut self) {
        self.record("account", "late").fields.insert("name", "Before".to_owned());
    }

    fn record(&mut self, object: &'static str, id: &str) -> &mut Record {
        self.records.entry((object, id.to_owned())).or_default()
    }

    /// One run at this moment. Gives the calls that it takes, and whether that is sure.
    pub(crate) fn run(&mut self, step: &Step, now: i64) -> (usize, bool) {
        // Whether a row of a new key finds its record takes more calls or fewer.
        (self.calls, self.is_sure) = (0, self.rekeyed == step.rekeyed);
        self.rekeyed = step.rekeyed;
        self.deletes = step.removed == "delete";
        for number in 0..3 {
            let row = step.accounts.get(&number);
            let external = row.map(|row| row.external(number));
            let (key, other) = keys(number, step.rekeyed);
            self.account_is_gone(other, external.as_deref());
            match row {
                Some(row) => {
                    self.account(key, &row.external(number), row.fields(step.mapping), step.mapping, now);
                }
                None => self.account_is_gone(key, None),
            }
            self.depart(key, external.as_deref());
            self.depart(other, external.as_deref());
        }
        let mut asked = BTreeSet::new();
        for number in 0..2 {
            self.user(number, step.users.get(&number), &mut asked);
            self.contact(number, step.contacts.get(&number), &mut asked, now);
        }
        let changed = (0..2).filter(|number| self.group(*number, step.groups.get(number))).count();
        self.calls += usize::from(changed > 0);
        let before = self.orders.len();
        for (key, total) in &step.orders {
            self.orders.entry(*key).or_insert(*total);
        }
        self.calls += usize::from(self.orders.len() > before);
        (self.calls, self.is_sure)
    }

    /// What a row was before goes the way of rows that left, once what it is now is there, or the row is gone. What another
    /// key's row is now stays.
    fn depart(&mut self, key: u8, wanted: Option<&str>) {
        let waits = self.accounts.get(&key).is_some_and(|known| known.sent.is_none());
        if waits && self.deletes {
            return;
        }
        for external in self.departed.remove(&key).into_iter().flatten() {
            if self.deletes && wanted != Some(&external) {
                self.calls += 1;
                self.records.remove(&("account", external));
            }
        }
    }

    /// A key without a row, while the row of another key may be its record.
    fn account_is_gone(&mut self, key: u8, wanted: Option<&str>) {
        let Some(known) = self.accounts.get_mut(&key) else { return };
        if known.sent.is_none() {
            self.accounts.remove(&key);
        } else if self.deletes && !known.left && wanted != Some(&known.external) {
            self.calls += 1;
            self.records.remove(&("account", known.external.clone()));
            self.accounts.remove(&key);
        } else if !known.left {
            (known.left, known.refused) = (true, None);
        }
    }

    fn account(&mut self, key: u8, external: &str, fields: Fields, mapping: usize, now: i64) {
        let tried = (external.to_owned(), fields.clone(), mapping);
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
        self.departed.entry(key).or_default().remove(external);
        external.clone_into(&mut known.external);
        let exists = self.records.contains_key(&("account", external.to_owned()));
        known.sent = known.sent.filter(|_| exists);
        // A record that was let be may have been another key's meanwhile: what that one set counts as set.
        let others = self.accounts.values().filter(|other| known.left && other.external == external);
        let theirs: Vec<_> = others.filter_map(|other| other.sent.clone()).collect();
        self.is_sure &= theirs.is_empty() && (exists || !known.left);
        let differs = !theirs.is_empty()
            || match &known.sent {
                None => true,
                Some(sent) => fields.iter().any(|(name, value)| sent.get(name) != value.as_ref()),
            };
        if let Some(sent) = &mut known.sent {
            sent.extend(theirs.into_iter().flatten());
        }
        if differs {
            self.calls += if known.sent.is_none() && exists && self.conflicts { 3 } else { 1 };
            if fields.get("seats").is_some_and(|seats| seats.as_deref() == Some(WRONG)) {
                // Which of the two mistakes a POST is refused for is Vitally's to say.
                self.is_sure &= known.sent.is_some() || !exists;
                known.refused = Some(self.refuse(known.refused.take(), tried, now));
                self.accounts.insert(key, known);
                return;
            }
            let record = self.record("account", external);
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

    fn user(&mut self, number: u8, row: Option<&User>, asked: &mut BTreeSet<&'static str>) {
        let (id, (key, other)) = (format!("u{number}"), keys(number, self.rekeyed));
        if let (Some((_, _, left)), true) = (self.users.get_mut(&other), row.is_some()) {
            *left = true;
        }
        let Some(row) = row else {
            for key in [key, other] {
                if self.users.get(&key).is_some_and(|(_, _, left)| !left) {
                    self.calls += 1;
                    self.users.remove(&key);
                    self.records.remove(&("user", id.clone()));
                }
            }
            return;
        };
        let exists = self.records.contains_key(&("user", id.clone()));
        let before = self.users.get(&key).filter(|_| exists).cloned();
        let is_there = |(before, links, left): &(User, Links, bool)| {
            !left && before.name == row.name && links.contains(row.account)
        };
        if before.as_ref().is_some_and(is_there) || !self.finds(row.account, asked) {
            return;
        }
        self.is_sure &= self.users.get(&key).is_none_or(|(_, _, left)| !left);
        // Links are added to those that Vitally has, so they are read first.
        let reads = before.as_ref().is_some_and(|(_, links, _)| !links.contains(row.account));
        self.calls += 1 + usize::from(reads);
        let is_posted = before.is_none();
        self.write_user(&id, row.name, None, row.account, is_posted);
        let mut links = before.map(|(_, links, _)| links).unwrap_or_default();
        links.insert(row.account);
        self.users.insert(key, (*row, links, false));
    }

    fn write_user(&mut self, id: &str, name: u8, email: Option<String>, account: &str, is_posted: bool) {
        let replaces = self.replaces && is_posted;
        let record = self.record("user", id);
        record.fields.insert("name", format!("n{name}"));
        record.email = email.unwrap_or_default();
        if replaces {
            record.taken.append(&mut record.links);
        }
        record.links.insert(account.to_owned());
    }

    fn contact(&mut self, number: u8, row: Option<&Contact>, asked: &mut BTreeSet<&'static str>, now: i64) {
        let (key, other) = keys(number, self.rekeyed);
        self.refused_contacts.remove(&other);
        if let (Some((.., left)), true) = (self.contacts.get_mut(&other), row.is_some()) {
            *left = true;
        }
        let Some(row) = row else {
            self.refused_contacts.remove(&key);
            for key in [key, other] {
                if let Some((_, _, id, false)) = self.contacts.get(&key) {
                    self.calls += 1;
                    self.records.remove(&("user", id.clone()));
                    self.contacts.remove(&key);
                }
            }
            return;
        };
        let exists = |(_, _, id, _): &&(Contact, Links, String, bool)| {
            self.records.contains_key(&("user", id.clone()))
        };
        let before = self.contacts.get(&key).filter(exists).cloned();
        let is_there = |(before, links, _, left): &(Contact, Links, String, bool)| {
            !left && (before.name, before.version) == (row.name, row.version) && links.contains(row.account)
        };
        if before.as_ref().is_some_and(is_there) {
            self.refused_contacts.remove(&key);
            return;
        }
        let email = row.email(number);
        let tried = (format!("{row:?}"), Fields::new(), 0);
        let refused = self.refused_contacts.get(&key).filter(|refused| refused.fields == tried).cloned();
        if refused.as_ref().is_some_and(|refused| refused.due > now) || !self.finds(row.account, asked) {
            return;
        }
        self.is_sure &= self.contacts.get(&key).is_none_or(|(.., left)| !left);
        let holder =
            self.records.iter().find(|((object, _), record)| *object == "user" && record.email == email);
        let holder = holder.map(|((_, id), _)| id.clone());
        let is_posted = before.is_none() && holder.is_none();
        let id = match &before {
            None => {
                self.calls += 2;
                holder.unwrap_or_else(|| format!("c{number}"))
            }
            Some((before, links, id, _)) => {
                let moves = before.email(number) != email;
                self.calls += usize::from(moves);
                if moves && holder.is_some_and(|holder| holder != *id) {
                    // Whether the record that is known is still there.
                    self.calls += 1;
                    let refused = self.refuse(refused, tried, now);
                    self.refused_contacts.insert(key, refused);
                    return;
                }
                self.calls += 1 + usize::from(!links.contains(row.account));
                id.clone()
            }
        };
        self.write_user(&id, row.name, Some(email), row.account, is_posted);
        self.refused_contacts.remove(&key);
        let mut links = before.map(|(_, links, ..)| links).unwrap_or_default();
        links.insert(row.account);
        self.contacts.insert(key, (*row, links, id, false));
    }

    /// Whether a message is sent. What left is let be, and compared with when it returns.
    fn group(&mut self, number: u8, row: Option<&Group>) -> bool {
        let (key, other) = keys(number, self.rekeyed);
        let Some(row) = row else {
            // A key that comes back to a record that another one was too does not know which of them wrote last.
            if [key, other].iter().all(|key| self.groups.contains_key(key)) {
                for key in [key, other] {
                    self.groups.entry(key).and_modify(|(_, left)| *left = true);
                }
            }
            return false;
        };
        let theirs = self.groups.get_mut(&other).map(|(theirs, left)| {
            *left = true;
            *theirs
        });
        let before = self.groups.insert(key, (*row, false));
        if before == Some((*row, false)) {
            return false;
        }
        let has_left = before.is_some_and(|(_, left)| left);
        self.is_sure &= !has_left;
        let sets = |group: Option<Group>| group.is_some_and(|group| group.plan.is_some());
        let clears = sets(before.map(|(before, _)| before)) || (has_left && sets(theirs));
        let record = self.record("organization", &format!("g{number}"));
        record.fields.insert("name", format!("n{}", row.name));
        match row.plan {
            Some(plan) => record.fields.insert("plan", format!("\"p{plan}\"")),
            None if clears => record.fields.remove("plan"),
            None => None,
        };
        true
    }
}
