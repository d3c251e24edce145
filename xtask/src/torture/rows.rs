//! The books: what the rows of a life say, and so what Vitally must come to hold.

use std::collections::BTreeMap;

use super::random::Random;

/// Accounts that there can be.
const ACCOUNTS: u32 = 60;

/// All rows of a life's project.
#[derive(Debug)]
pub(crate) struct Rows {
    pub(crate) accounts: BTreeMap<u32, Account>,
    /// Users who are matched by external id.
    pub(crate) users: BTreeMap<u32, User>,
    /// Users who are matched by e-mail address.
    pub(crate) contacts: BTreeMap<u32, User>,
    /// Events are never taken back: the number of each, and its account.
    pub(crate) events: Vec<u32>,
    /// Accounts that have no row, and stay.
    pub(crate) others: Vec<&'static str>,
}

/// A row of accounts.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) name: u32,
    pub(crate) seats: u32,
}

/// A row of users or contacts.
#[derive(Debug)]
pub(crate) struct User {
    pub(crate) name: u32,
    pub(crate) account: u32,
}

impl Rows {
    /// The rows with which a life begins. Two accounts are there for ever, so that users always have one.
    pub(crate) fn first(random: &mut Random) -> Self {
        let mut rows = Self {
            accounts: BTreeMap::new(),
            users: BTreeMap::new(),
            contacts: BTreeMap::new(),
            events: Vec::new(),
            others: Vec::new(),
        };
        for id in 0..2 {
            rows.accounts.insert(id, Account { name: 0, seats: 1 });
        }
        for _ in 0..8 {
            rows.change(random);
        }
        rows
    }

    /// Some rows come, some change, some leave.
    pub(crate) fn change(&mut self, random: &mut Random) {
        for _ in 0..random.below(12) {
            let account = Account { name: random.below(5), seats: random.below(9) };
            self.accounts.insert(random.below(ACCOUNTS), account);
        }
        for _ in 0..random.below(4) {
            self.leave(2 + random.below(ACCOUNTS - 2));
        }
        for _ in 0..random.below(6) {
            let user = self.user(random);
            self.users.insert(random.below(30), user);
            let contact = self.user(random);
            self.contacts.insert(random.below(30), contact);
        }
        for _ in 0..random.below(3) {
            self.users.remove(&random.below(30));
            self.contacts.remove(&random.below(30));
        }
        for _ in 0..random.below(20) {
            self.events.push(random.below(2));
        }
    }

    /// An account leaves; its users go to the first one, as Vitally would delete them otherwise.
    fn leave(&mut self, account: u32) {
        self.accounts.remove(&account);
        let moved = self.users.values_mut().chain(self.contacts.values_mut());
        moved.filter(|user| user.account == account).for_each(|user| user.account = 0);
    }

    fn user(&self, random: &mut Random) -> User {
        let ids: Vec<u32> = self.accounts.keys().copied().collect();
        User { name: random.below(5), account: random.pick(&ids).copied().unwrap_or_default() }
    }

    /// The files of the models, by name.
    pub(crate) fn files(&self) -> [(&'static str, String); 4] {
        let account =
            |(id, account): (&u32, &Account)| format!("a-{id},Account {},{}", account.name, account.seats);
        let event = |(number, account): (usize, &u32)| format!("{number},2026-01-01T00:00:00Z,a-{account}");
        [
            ("accounts", file("id,name,seats", self.accounts.iter().map(account))),
            ("users", users("u", &self.users)),
            ("contacts", users("c", &self.contacts)),
            ("events", file("number,at,account", self.events.iter().enumerate().map(event))),
        ]
    }
}

fn users(prefix: &str, users: &BTreeMap<u32, User>) -> String {
    let user = |(id, user): (&u32, &User)| {
        format!("{prefix}-{id},{prefix}-{id}@example.com,User {},a-{}", user.name, user.account)
    };
    file("id,email,name,account", users.iter().map(user))
}

fn file(head: &str, rows: impl Iterator<Item = String>) -> String {
    std::iter::once(head.to_owned()).chain(rows).map(|line| line + "\n").collect()
}
