//! `alerts`: who is told, and from where on something is bad.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::TimeDelta;
use coho_core::alert::rules::{Bound, Bounds, Freshness, Rules, Shares, Steady, Times};
use coho_core::alert::{Level, Recipient, Trigger};
use coho_core::code::Code;
use coho_core::place::Place;
use coho_core::problem::Problem;
use coho_core::sync::{Limit, SyncId};

use super::{items, secret, secrets};
use crate::alerts::{AlertsSpec, ChannelSpec, SmtpSpec, SyncAlerts};
use crate::conform::count;
use crate::names::unknown_name;
use crate::yaml::{Content, Entry, Node};

/// How long a command may take if the project does not say.
const COMMAND: Duration = Duration::from_secs(10);

/// What `coho.yaml` says of alerts, before the syncs are known.
#[derive(Clone, Debug, Default)]
pub(crate) struct DeclaredAlerts {
    pub(crate) spec: AlertsSpec,
    /// The rules of a sync that says nothing.
    pub(crate) rules: Rules,
    /// The names of all recipients, also of those that cannot be read.
    pub(crate) names: Vec<String>,
}

/// Reads `alerts`, `public_url` and `ping` of `coho.yaml`.
pub(crate) fn project(root: &Node, problems: &mut Vec<Problem>) -> DeclaredAlerts {
    let node = root.get("alerts");
    let recipients = node.and_then(|node| node.get("to")).map_or(&[][..], Node::entries);
    let remind = node.and_then(|node| node.text_of("remind")).map(super::age);
    let default = AlertsSpec::default();
    let spec = AlertsSpec {
        recipients: recipients.iter().filter_map(|entry| recipient(entry, problems)).collect(),
        remind: match remind {
            Some(Some(remind)) => remind,
            Some(None) | None => default.remind,
        },
        disk: shares(node, "disk", Shares::default()),
        public_url: root.text_of("public_url").map(|url| url.trim_end_matches('/').to_owned()),
        ping: secret(root, "ping"),
        ..default
    };
    let names = recipients.iter().map(|entry| entry.key.clone()).collect();
    DeclaredAlerts { spec, rules: rules(node, &Rules::default()), names }
}

/// Reads `alerts` of a sync: what it says, and its rules.
pub(crate) fn sync(
    root: &Node,
    declared: &DeclaredAlerts,
    problems: &mut Vec<Problem>,
) -> (SyncAlerts, Rules) {
    let Some(node) = root.get("alerts") else { return (SyncAlerts::default(), declared.rules.clone()) };
    let is_off = node.text() == Some("off");
    let to = node.get("to").map(|to| {
        let names: Vec<(&str, &Place)> =
            items(to).iter().filter_map(|item| Some((item.text()?, &item.place))).collect();
        for (name, place) in &names {
            if !declared.names.iter().any(|known| known == name) {
                let known = declared.names.iter().map(String::as_str);
                problems.push(unknown_name("recipient", name, known).at(place));
            }
        }
        names.into_iter().map(|(name, _)| name.to_owned()).collect()
    });
    (SyncAlerts { is_off, to }, rules(Some(node), &declared.rules))
}

/// What the project says, with what its syncs say.
pub(crate) fn join(declared: DeclaredAlerts, syncs: Vec<(SyncId, SyncAlerts, Rules)>) -> AlertsSpec {
    let mut spec = declared.spec;
    for (recipient, _) in &mut spec.recipients {
        let is_told = |alerts: &SyncAlerts| {
            !alerts.is_off && alerts.to.as_ref().is_none_or(|to| to.contains(&recipient.name))
        };
        if syncs.iter().any(|(_, alerts, _)| !is_told(alerts)) {
            let told = syncs.iter().filter(|(_, alerts, _)| is_told(alerts));
            recipient.syncs = Some(told.map(|(id, ..)| id.clone()).collect());
        }
    }
    let watched = syncs.into_iter().filter(|(_, alerts, _)| !alerts.is_off);
    spec.rules = watched.map(|(id, _, rules)| (id, rules)).collect();
    spec
}

fn rules(node: Option<&Node>, default: &Rules) -> Rules {
    Rules {
        failed: steady(node, "failed", default.failed),
        rejected: bounds(node, "rejected", &default.rejected),
        invalid: bounds(node, "invalid", &default.invalid),
        held: steady(node, "held", default.held),
        duration: times(node, "duration", default.duration.clone()),
        volume: shares(node, "volume", default.volume.clone()),
        freshness: freshness(node, default.freshness.clone()),
    }
}

fn steady(node: Option<&Node>, key: &str, default: Option<Steady>) -> Option<Steady> {
    let Some(node) = node.and_then(|node| node.get(key)) else { return default };
    match &node.content {
        Content::Scalar(_) => Some(Steady { level: Level::parse(node.text()?)?, after: 1 }),
        Content::Map(_) => Some(Steady { level: Level::parse(node.text_of("level")?)?, after: after(node) }),
        Content::List(_) | Content::Unresolved => default,
    }
}

fn bounds(node: Option<&Node>, key: &str, default: &Bounds) -> Bounds {
    let Some(node) = node.and_then(|node| node.get(key)) else { return default.clone() };
    if let Some(scalar) = node.scalar() {
        return Bounds { warning: limit(&scalar.text), ..Bounds::default() };
    }
    Bounds {
        warning: bound(node, "warning"),
        critical: bound(node, "critical"),
        after: after(node),
        critical_after: number(node, "critical_after"),
    }
}

fn bound(node: &Node, key: &str) -> Option<Bound> {
    limit(&node.get(key)?.scalar()?.text)
}

fn limit(text: &str) -> Option<Bound> {
    let Limit { permille, floor } = super::limit(text)??;
    Some(if permille > 0 { Bound::Permille(permille) } else { Bound::Rows(floor.max(1)) })
}

fn times(node: Option<&Node>, key: &str, default: Times) -> Times {
    let Some(node) = node.and_then(|node| node.get(key)) else { return default };
    let time = |key: &str| TimeDelta::from_std(super::duration(node.text_of(key)?)?).ok();
    Times { warning: time("warning"), critical: time("critical") }
}

/// What is named replaces all that is watched if nothing is.
fn freshness(node: Option<&Node>, default: Freshness) -> Freshness {
    let Some(named) = node.and_then(|node| node.get("freshness")) else { return default };
    let grace = named.text_of("grace").and_then(super::duration);
    Freshness {
        age: times(node, "freshness", Times::default()),
        grace: grace.and_then(|grace| TimeDelta::from_std(grace).ok()),
    }
}

fn shares(node: Option<&Node>, key: &str, default: Shares) -> Shares {
    let Some(node) = node.and_then(|node| node.get(key)) else { return default };
    let share = |key: &str| super::permille(node.text_of(key)?);
    Shares { warning: share("warning"), critical: share("critical") }
}

fn after(node: &Node) -> u32 {
    number(node, "after").unwrap_or(1)
}

fn number(node: &Node, key: &str) -> Option<u32> {
    u32::try_from(count(node.get(key)?.scalar()?)?).ok()
}

fn recipient(entry: &Entry, problems: &mut Vec<Problem>) -> Option<(Recipient, ChannelSpec)> {
    let node = &entry.value;
    let when = node.get("when").map(|when| {
        items(when).iter().filter_map(|item| Trigger::parse(item.text()?)).collect::<BTreeSet<_>>()
    });
    let recipient = Recipient {
        from: node.text_of("level").and_then(Level::parse).unwrap_or(Level::Warning),
        when,
        examples: node.text_of("examples") != Some("false"),
        ..Recipient::new(&*entry.key)
    };
    Some((recipient, channel(entry, problems)?))
}

fn channel(entry: &Entry, problems: &mut Vec<Problem>) -> Option<ChannelSpec> {
    let node = &entry.value;
    let text = |key: &str| node.text_of(key).map(str::to_owned);
    // What is wrong with one key is told whatever is wrong with others.
    let mailboxes = (node.text_of("type") == Some("email")).then(|| mailboxes(node, problems));
    let bots_channel =
        (node.text_of("type") == Some("slack")).then(|| bots_channel(entry, problems)).flatten();
    let api_url = text("api_url").map(|url| url.trim_end_matches('/').to_owned());
    Some(match node.text_of("type")? {
        "slack" => match secret(node, "url") {
            Some(url) => ChannelSpec::Slack { url },
            None => ChannelSpec::SlackBot { token: secret(node, "token")?, channel: bots_channel?, api_url },
        },
        "pagerduty" => ChannelSpec::PagerDuty {
            routing_key: secret(node, "routing_key")?,
            former_keys: secrets(node, "former_keys"),
            url: text("url"),
        },
        "email" => {
            let (from, to) = mailboxes?;
            ChannelSpec::Email {
                server: SmtpSpec::parse(node.text_of("smtp")?)?,
                login: text("user").zip(secret(node, "password")),
                ca_file: text("ca_file"),
                from: from?,
                to: to?,
            }
        }
        "sms" => ChannelSpec::Sms {
            account: text("account")?,
            api_key: text("api_key"),
            secret: secret(node, "secret")?,
            from: text("from"),
            service: text("service"),
            to: text("to")?,
            api_url,
        },
        "teams" => ChannelSpec::Teams { url: secret(node, "url")? },
        "webhook" => ChannelSpec::Webhook { url: secret(node, "url")?, secrets: secrets(node, "secrets") },
        "command" => ChannelSpec::Command {
            run: items(node.get("run")?).iter().filter_map(|item| item.text().map(str::to_owned)).collect(),
            timeout: node.text_of("timeout").and_then(super::duration).unwrap_or(COMMAND),
        },
        _ => return None,
    })
}

/// A bot must be told where to write.
fn bots_channel(entry: &Entry, problems: &mut Vec<Problem>) -> Option<String> {
    let channel = entry.value.text_of("channel");
    if entry.value.entry("channel").is_none() && entry.value.entry("token").is_some() {
        problems.push(
            Problem::new(Code::MISSING_KEY, "`channel` is missing: the bot needs to know where to post")
                .at(&entry.at)
                .help("add `channel: C0123456789`; the id is at the end of the channel's details"),
        );
    }
    channel.map(str::to_owned)
}

/// Who sends, and who is told.
fn mailboxes(node: &Node, problems: &mut Vec<Problem>) -> (Option<String>, Option<Vec<String>>) {
    let from = node.get("from").and_then(|from| address(from, problems));
    (from, node.get("to").and_then(|to| addresses(to, problems)))
}

fn addresses(node: &Node, problems: &mut Vec<Problem>) -> Option<Vec<String>> {
    let found: Vec<_> = items(node).iter().map(|item| address(item, problems)).collect();
    found.into_iter().collect()
}

/// `ops@example.com`, `Ops <ops@example.com>`.
fn address(node: &Node, problems: &mut Vec<Problem>) -> Option<String> {
    let text = node.text()?;
    let inner = match text.split_once('<') {
        Some((_, rest)) => rest.strip_suffix('>').unwrap_or_default(),
        None => text,
    };
    let is_address = inner.split_once('@').is_some_and(|(user, host)| {
        let is_plain = |part: &str| {
            !part.is_empty() && !part.contains(|c: char| c.is_whitespace() || "@<>,;".contains(c))
        };
        is_plain(user) && is_plain(host)
    });
    if !is_address {
        problems.push(
            Problem::new(Code::WRONG_VALUE, "not an e-mail address")
                .at(&node.place)
                .help("write `ops@example.com` or `Ops <ops@example.com>`"),
        );
        return None;
    }
    Some(text.to_owned())
}
