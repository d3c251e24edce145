//! Whether Vitally holds what the rows say: each record and each event once, with its values, and nothing else.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::rows::{Rows, User};

/// Compares the simulator's state with the rows.
pub(crate) fn same(state: &Value, rows: &Rows) -> Result<()> {
    let accounts = list(state, "accounts")?;
    let names: BTreeMap<&str, &str> =
        accounts.iter().map(|account| (text(account, "id"), text(account, "externalId"))).collect();
    compare("accounts", accounts.iter().map(account_line), expected_accounts(rows))?;
    let users = list(state, "users")?;
    let held = users.iter().map(|user| user_line(user, &names));
    compare("users", held, expected_users("u", &rows.users).chain(expected_users("c", &rows.contacts)))?;
    let events = list(state, "events")?;
    compare("events", events.iter().map(event_line), expected_events(rows))
}

fn expected_accounts(rows: &Rows) -> impl Iterator<Item = String> {
    let accounts = rows
        .accounts
        .iter()
        .map(|(id, account)| format!("a-{id} Account {} {}", account.name, account.seats));
    accounts.chain(rows.others.iter().map(|other| format!("{other} {other} null")))
}

fn account_line(account: &Value) -> String {
    format!("{} {} {}", text(account, "externalId"), text(account, "name"), account["traits"]["seats"])
}

fn expected_users(prefix: &'static str, users: &BTreeMap<u32, User>) -> impl Iterator<Item = String> {
    users.iter().map(move |(id, user)| {
        format!("{prefix}-{id} {prefix}-{id}@example.com User {} a-{}", user.name, user.account)
    })
}

fn user_line(user: &Value, accounts: &BTreeMap<&str, &str>) -> String {
    let links = user["accountIds"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let links: Vec<&str> = links.map(|id| accounts.get(id).copied().unwrap_or("gone")).collect();
    let (id, email, name) = (text(user, "externalId"), text(user, "email"), text(user, "name"));
    format!("{id} {email} {name} {}", links.join("+"))
}

fn expected_events(rows: &Rows) -> impl Iterator<Item = String> {
    rows.events.iter().enumerate().map(|(number, account)| format!("{number} a-{account}"))
}

fn event_line(event: &Value) -> String {
    format!("{} {}", event["properties"]["number"], text(event, "accountId"))
}

fn compare(
    what: &str,
    held: impl Iterator<Item = String>,
    wanted: impl Iterator<Item = String>,
) -> Result<()> {
    let (mut held, mut wanted): (Vec<_>, Vec<_>) = (held.collect(), wanted.collect());
    held.sort();
    wanted.sort();
    if held == wanted {
        return Ok(());
    }
    let missing: Vec<_> = wanted.iter().filter(|line| !held.contains(line)).collect();
    let beyond: Vec<_> = held.iter().filter(|line| !wanted.contains(line)).collect();
    let twice: Vec<_> = held.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| &pair[0]).collect();
    bail!("{what}: missing {missing:?}, not in the rows {beyond:?}, twice {twice:?}")
}

fn list<'a>(state: &'a Value, name: &str) -> Result<&'a Vec<Value>> {
    state[name].as_array().with_context(|| format!("the simulator shows no {name}"))
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(all: &[&str]) -> std::vec::IntoIter<String> {
        all.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>().into_iter()
    }

    #[test]
    fn what_is_twice_is_found() {
        let error = compare("accounts", lines(&["a", "a", "b"]), lines(&["b", "a"])).unwrap_err();
        assert_eq!(error.to_string(), r#"accounts: missing [], not in the rows [], twice ["a"]"#);
    }

    #[test]
    fn what_is_missing_and_what_is_too_much_is_found() {
        let error = compare("accounts", lines(&["b"]), lines(&["a"])).unwrap_err();
        assert_eq!(error.to_string(), r#"accounts: missing ["a"], not in the rows ["b"], twice []"#);
    }
}
