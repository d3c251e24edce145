//! The sheet of shared records: what Vitally holds, and what each sync has to do with it, kept by hand.

use std::collections::{BTreeMap, BTreeSet};

use super::{Step, User};

/// An account of Vitally. One that is deleted and made again is another one.
#[derive(Clone, Debug)]
struct Account {
    id: u32,
    /// What each of the syncs `accounts` and `billing` sent.
    values: [Option<u8>; 2],
    /// Whether Coho made it.
    ours: bool,
}

/// What a sync has to do with a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Hold {
    id: u32,
    /// Whether this sync made the record.
    made: bool,
    /// Its row left, and the record was let be.
    left: bool,
    /// The row came back, and waits for an account that is not there.
    waits: bool,
}

impl Hold {
    /// Whether the sync answers for the record: there is a row for it.
    fn is_held(self) -> bool {
        !self.left || self.waits
    }
}

#[derive(Clone, Debug, Default)]
struct Person {
    id: u32,
    name: String,
    accounts: BTreeSet<u8>,
}

/// Everything that Vitally holds, and who holds it.
#[derive(Debug, Default)]
pub(crate) struct Sheet {
    accounts: BTreeMap<u8, Account>,
    people: BTreeMap<String, Person>,
    /// Of the syncs `accounts` and `billing`, by the account.
    holds: [BTreeMap<u8, Hold>; 2],
    /// The accounts that each of them ever had, or tried to update in vain as long as their rows are there: such a record may
    /// be its own.
    had: [BTreeSet<u8>; 2],
    tried: [BTreeSet<u8>; 2],
    /// Of the sync `users`, by the user.
    users: BTreeMap<u8, Hold>,
    made: u32,
}

pub(crate) fn name(letter: &str, number: u8) -> String {
    format!("{letter}{number}")
}

pub(crate) fn account_line(id: &str, plan: Option<u64>, seats: Option<u64>) -> String {
    format!("account {id} plan={plan:?} seats={seats:?}")
}

pub(crate) fn user_line(id: &str, name: &str, links: &[String]) -> String {
    format!("user {id} {name} in {}", links.join(" "))
}

/// How the records of all rows begin that must be there, where `held` is what is there: a user only with its account.
pub(crate) fn lines_of(step: &Step, held: &[String]) -> Vec<String> {
    let account = |id: &u8| format!("account {} ", name("a", *id));
    let there = |id: &u8| held.iter().any(|line| line.starts_with(&account(id)));
    let billed = step.seats.keys().filter(|_| step.mode == "upsert").map(account);
    let users = step.users.iter().filter(|(_, user)| there(&user.account));
    let users = users.map(|(id, user)| format!("user {} n{} ", name("u", *id), user.name));
    step.plans.keys().map(account).chain(billed).chain(users).collect()
}

impl Sheet {
    pub(crate) fn has_account(&self, id: u8) -> bool {
        self.accounts.contains_key(&id)
    }

    /// An account that people made.
    pub(crate) fn add_account(&mut self, account: u8) {
        let id = self.next();
        self.accounts.insert(account, Account { id, values: [None; 2], ours: false });
    }

    pub(crate) fn add_stranger(&mut self, stranger: &str, account: u8) {
        let id = self.next();
        let person = Person { id, name: stranger.to_owned(), accounts: [account].into() };
        self.people.insert(stranger.to_owned(), person);
    }

    /// The accounts that people made.
    pub(crate) fn made_by_people(&self) -> Vec<u8> {
        self.accounts.iter().filter(|(_, account)| !account.ours).map(|(id, _)| *id).collect()
    }

    /// The users who are there and still have a row.
    pub(crate) fn users_of(&self, step: &Step) -> Vec<u8> {
        step.users.keys().copied().filter(|id| self.people.contains_key(&name("u", *id))).collect()
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        let accounts = self.accounts.iter().map(|(id, account)| {
            let [plan, seats] = account.values.map(|value| value.map(u64::from));
            account_line(&name("a", *id), plan, seats)
        });
        let people = self.people.iter().map(|(id, person)| {
            let links: Vec<_> = person.accounts.iter().map(|account| name("a", *account)).collect();
            user_line(id, &person.name, &links)
        });
        let mut lines: Vec<_> = accounts.chain(people).collect();
        lines.sort();
        lines
    }

    fn next(&mut self) -> u32 {
        self.made += 1;
        self.made
    }

    /// One run: each sync is planned and writes, one after the other; then records are removed, the other way round.
    pub(crate) fn run(&mut self, step: &Step) {
        let plans = self.gone(0, step);
        self.write(0, &step.plans, "upsert");
        let seats = self.gone(1, step);
        self.write(1, &step.seats, step.mode);
        let left = self.users_gone(step);
        for (id, user) in &step.users {
            self.write_user(*id, *user);
        }
        for user in left {
            self.users.remove(&user);
            self.people.remove(&name("u", user));
        }
        for (sync, account) in
            seats.into_iter().map(|account| (1, account)).chain(plans.into_iter().map(|account| (0, account)))
        {
            self.remove(sync, account);
        }
    }

    /// The accounts that a sync is to remove. What another sync holds is let be, and so is what the policy spares.
    fn gone(&mut self, sync: usize, step: &Step) -> Vec<u8> {
        let rows = [&step.plans, &step.seats][sync];
        let mut removals = Vec::new();
        self.tried[sync].retain(|account| rows.contains_key(account));
        let others = self.holds[1 - sync].clone();
        for (account, hold) in
            self.holds[sync].iter_mut().filter(|(id, hold)| !rows.contains_key(id) && !hold.left)
        {
            let is_claimed = others.get(account).is_some_and(|other| !other.left);
            if is_claimed || spares(step.removed[sync], *hold) {
                hold.left = true;
            } else {
                removals.push(*account);
            }
        }
        removals
    }

    fn users_gone(&mut self, step: &Step) -> Vec<u8> {
        let mut removals = Vec::new();
        let gone = self.users.iter_mut().filter(|(id, _)| !step.users.contains_key(id));
        for (user, hold) in gone {
            hold.waits = false;
            if hold.left {
                continue;
            }
            hold.left = spares(step.removed[2], *hold);
            removals.extend((!hold.left).then_some(*user));
        }
        removals
    }

    /// Whatever existed before, a row's value is in its record afterwards. Only an update makes no record.
    fn write(&mut self, sync: usize, rows: &BTreeMap<u8, u8>, mode: &str) {
        for (account, value) in rows {
            let is_there = self.accounts.contains_key(account);
            if !is_there && mode == "update" {
                self.tried[sync].insert(*account);
                continue;
            }
            let other = 1 - sync;
            let may_be_theirs = self.had[other].contains(account) || self.tried[other].contains(account);
            if !is_there {
                self.add_account(*account);
            }
            let Some(record) = self.accounts.get_mut(account) else { continue };
            record.values[sync] = Some(*value);
            record.ours |= !is_there;
            let known = self.holds[sync].get(account);
            let was_ours = known.is_some_and(|known| known.made);
            let is_same = known.is_some_and(|known| known.id == record.id);
            let is_ours = if is_same { was_ours } else { !is_there && (was_ours || !may_be_theirs) };
            self.holds[sync]
                .insert(*account, Hold { id: record.id, made: is_ours, left: false, waits: false });
            self.had[sync].insert(*account);
            self.tried[sync].remove(account);
        }
    }

    /// A user comes into its account if that is there, and stays in those that it was in.
    fn write_user(&mut self, id: u8, row: User) {
        if !self.accounts.contains_key(&row.account) {
            if let Some(known) = self.users.get_mut(&id) {
                known.waits = true;
            }
            return;
        }
        let next = self.next();
        let made = !self.people.contains_key(&name("u", id));
        let person =
            self.people.entry(name("u", id)).or_insert_with(|| Person { id: next, ..Person::default() });
        person.name = format!("n{}", row.name);
        person.accounts.insert(row.account);
        let known = self.users.get(&id).filter(|known| known.id == person.id);
        let made = known.map_or(made, |known| known.made);
        self.users.insert(id, Hold { id: person.id, made, left: false, waits: false });
    }

    /// An account goes, unless the other sync came to hold it, or a user that is held has no other. Users who have no other go
    /// with it.
    fn remove(&mut self, sync: usize, account: u8) {
        if self.holds[1 - sync].get(&account).is_some_and(|other| !other.left) {
            return;
        }
        let only = |person: &Person| person.accounts.iter().eq([&account]);
        let held = self
            .users
            .iter()
            .filter(|(_, hold)| hold.is_held())
            .filter_map(|(id, _)| self.people.get(&name("u", *id)));
        if held.into_iter().any(only) {
            return;
        }
        self.people.retain(|_, person| !only(person));
        for person in self.people.values_mut() {
            person.accounts.remove(&account);
        }
        self.accounts.remove(&account);
        self.holds[sync].remove(&account);
    }
}

/// Whether a policy lets a record be whose row left.
fn spares(policy: &str, hold: Hold) -> bool {
    policy == "keep" || (policy == "delete-created" && !hold.made)
}
