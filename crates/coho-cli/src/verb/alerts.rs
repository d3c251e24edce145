//! `coho alerts`: what is open, who is silent, whom no message reaches; tries channels, mutes syncs, sends what waits.

use std::cmp::Reverse;
use std::time::Duration;

use coho_core::alert::AlertKey;
use coho_core::sync::SyncId;
use coho_core::time::Time;
use coho_engine::alerts::{AlertsNow, Tried};
use coho_report::line::{AlertLine, AlertsLines, FailingLine, MuteLine, TriedLine};

use crate::args::{AlertsAction, Global};
use crate::exit::{Exit, Known};
use crate::verb::plan::style;
use crate::{engine, print, project};

/// How a test ends that a channel failed.
const FAILED: u8 = 5;

/// Does what was asked for; lists what is open, where nothing was.
pub(crate) async fn alerts(global: &Global, action: Option<AlertsAction>) -> anyhow::Result<Exit> {
    match action {
        None => list(global),
        Some(AlertsAction::Check) => check(global).await,
        Some(AlertsAction::Test { recipients }) => test(global, &recipients).await,
        Some(AlertsAction::Mute { sync, time, why }) => mute(global, &sync, time, &why),
        Some(AlertsAction::Unmute { sync }) => unmute(global, &sync).await,
    }
}

fn list(global: &Global) -> anyhow::Result<Exit> {
    let loaded = project::open(global)?;
    let engine = engine::of(&loaded);
    let lines = lines(engine.alerts()?, chrono::Utc::now());
    show(global, &coho_report::json::alerts(&lines), &coho_report::text::alerts(&lines, &style()))
}

fn show(global: &Global, document: &serde_json::Value, text: &str) -> anyhow::Result<Exit> {
    if global.json {
        print::json(document)?;
    } else {
        print::out(text)?;
    }
    Ok(Exit::Done)
}

async fn check(global: &Global) -> anyhow::Result<Exit> {
    let loaded = project::open(global)?;
    let delivered = engine::of(&loaded).check_alerts().await?;
    if delivered.sent > 0 {
        print::talk(&format!("{} sent", print::counted(delivered.sent, "message")));
    }
    list(global)
}

async fn test(global: &Global, recipients: &[String]) -> anyhow::Result<Exit> {
    let loaded = project::open(global)?;
    let known = &loaded.project.alerts.recipients;
    if known.is_empty() {
        return Err(nobody().into());
    }
    if let Some(name) = recipients.iter().find(|name| known.iter().all(|(known, _)| known.name != **name)) {
        let names: Vec<_> = known.iter().map(|(recipient, _)| recipient.name.as_str()).collect();
        let help = Some(format!("the project's recipients are {}", names.join(", ")));
        return Err(Known {
            message: format!("the project has no recipient `{name}`"),
            help,
            code: 2,
            source: None,
        }
        .into());
    }
    let tried = engine::of(&loaded).test_alerts(recipients).await?;
    let failed = tried.iter().any(|one| one.error.is_some());
    let lines: Vec<_> = tried.into_iter().map(tried_line).collect();
    show(global, &coho_report::json::tried(&lines), &coho_report::text::tried(&lines, &style()))?;
    Ok(if failed { Exit::Report(FAILED) } else { Exit::Done })
}

fn nobody() -> Known {
    let help =
        "add `alerts: { to: { ops: { type: slack, url: \"${SLACK_WEBHOOK}\" } } }` to coho.yaml".to_owned();
    Known {
        message: "the project has no alert recipients".to_owned(),
        help: Some(help),
        code: 2,
        source: None,
    }
}

fn tried_line(tried: Tried) -> TriedLine {
    TriedLine { recipient: tried.recipient, kind: tried.kind.to_owned(), error: tried.error }
}

fn mute(global: &Global, sync: &str, time: Duration, why: &str) -> anyhow::Result<Exit> {
    let loaded = project::open(global)?;
    let engine = engine::of(&loaded);
    engine.select(&[sync.to_owned()])?;
    let time = chrono::Duration::from_std(time)?;
    let mute = engine.mute(&SyncId::new(sync), time, why)?;
    print::talk(&format!(
        "alerts of `{sync}` are muted until {}; alerts that are still open then will be sent",
        mute.until.format("%Y-%m-%d %H:%M:%SZ")
    ));
    list(global)
}

async fn unmute(global: &Global, sync: &str) -> anyhow::Result<Exit> {
    let loaded = project::open(global)?;
    let engine = engine::of(&loaded);
    if !engine.unmute(&SyncId::new(sync)).await? {
        print::talk(&format!("`{sync}` was not muted"));
    }
    list(global)
}

/// What is known of alerts, as lines.
fn lines(standing: AlertsNow, now: Time) -> AlertsLines {
    let remembered = &standing.remembered;
    let mut open: Vec<_> = remembered
        .alerts
        .iter()
        .filter_map(|(key, alert)| {
            let (to_tell, told) = told(&standing, key);
            let muted = key.subject.sync().and_then(|sync| remembered.mute(sync, now));
            Some(AlertLine {
                subject: key.subject.clone(),
                trigger: key.trigger,
                level: alert.level?,
                since: alert.since,
                what: alert.detail.what.clone(),
                remedy: alert.detail.remedy.clone(),
                run: alert.detail.run.clone(),
                muted_until: muted.map(|mute| mute.until),
                told,
                to_tell,
            })
        })
        .collect();
    open.sort_by_key(|line| (Reverse(line.level), line.subject.clone(), line.trigger));
    let mutes = remembered.mutes.iter().filter(|mute| now < mute.until);
    let mutes =
        mutes.map(|mute| MuteLine { sync: mute.sync.clone(), until: mute.until, why: mute.why.clone() });
    let failing = standing.failing.into_iter().map(|failing| FailingLine {
        recipient: failing.recipient,
        since: failing.since,
        waiting: failing.waiting,
        due: failing.due,
        error: failing.error,
    });
    AlertsLines {
        open,
        mutes: mutes.collect(),
        failing: failing.collect(),
        waiting: standing.waiting.len() as u64,
    }
}

/// Who is going to be told that an alert is open, and who was.
fn told(standing: &AlertsNow, key: &AlertKey) -> (Vec<String>, Vec<String>) {
    let (mut to_tell, mut done) = (Vec::new(), Vec::new());
    for ((of, recipient), told) in &standing.remembered.told {
        if of == key && told.level.is_some() {
            let waits = standing.waiting.contains(&told.message);
            if waits { &mut to_tell } else { &mut done }.push(recipient.clone());
        }
    }
    (to_tell, done)
}
