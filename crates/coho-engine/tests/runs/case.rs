//! What a case of `fixtures/runs` tells: the syncs, what Vitally is like, and for each run what happens before it.

use std::collections::BTreeMap;
use std::time::Duration;

use coho_core::decide::RunKind;
use coho_core::json::Json;
use coho_core::key::Key;
use coho_engine::plan::Filter;
use coho_engine::run::Options;
use coho_simulator::{
    FaultAnswer, LifecycleStage, RecordId, RecordKind, ScriptedFault, Seed, SimulatorSettings, SimulatorTime,
    Switches, Trouble,
};
use serde::Deserialize;
use serde_json::Map;

use crate::stage::{Failure, Stage, TOKEN};

/// A history. Its tables are `accounts (id, external, name, plan, seats, noise)`, `users (id, external, name, account, email)`,
/// `organizations (id, external, name)` and `orders (id, message, kind, at, account, organization, user, total, note)`, each with a
/// model of its name.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    /// The text of each sync.
    syncs: BTreeMap<String, String>,
    /// Other files of the project, by their paths.
    #[serde(default)]
    files: BTreeMap<String, String>,
    /// Whether the destination has the token of the Analytics API too.
    #[serde(default)]
    analytics: bool,
    /// How Vitally behaves, where its documentation is silent: switches of the simulator.
    #[serde(default)]
    behaves: BTreeMap<String, String>,
    /// What the snapshot shows of each run.
    #[serde(default)]
    pub(crate) shows: Shows,
    pub(crate) runs: Vec<Step>,
}

#[derive(Clone, Copy, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Shows {
    /// How it ended, problems, guards and calls.
    #[default]
    Outcome,
    /// The texts of plan and run too.
    Texts,
}

/// One run, with what happens before it, in this order.
#[expect(clippy::struct_excessive_bools, reason = "each is a member that a case may have")]
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Step {
    /// Syncs that are written anew.
    syncs: BTreeMap<String, String>,
    /// Other files that are written anew.
    files: BTreeMap<String, String>,
    /// Files that are taken away.
    removes: Vec<String>,
    /// How much time passes: `30s`, `5m`, `12h` or `30d`.
    waits: Option<String>,
    /// What people do in Vitally.
    vitally: Vec<Deed>,
    /// How Vitally behaves from now on.
    behaves: BTreeMap<String, String>,
    /// So many accounts more, `[from, to]`, all alike but for their numbers.
    accounts: Option<[usize; 2]>,
    /// Changes of the source.
    sql: String,
    /// Files of JSON rows, by their names.
    rows: BTreeMap<String, Vec<Json>>,
    /// Whether what is left of earlier answers is dropped.
    answers_end: bool,
    /// What Vitally does with the next calls, instead of what they ask for.
    answers: Vec<Answer>,
    /// What is run.
    pub(crate) run: Kind,
    /// Only so many rows.
    limit: Option<u64>,
    /// Only the row of this key.
    key: Option<String>,
    /// Whether no plan is made before, which must say the same.
    pub(crate) unplanned: bool,
    /// Whether the snapshot shows what Vitally holds afterwards.
    pub(crate) records: bool,
    /// The same for events.
    pub(crate) events: bool,
    /// Queries on the ledger whose rows the snapshot shows.
    pub(crate) ledger: Vec<String>,
}

#[derive(Clone, Copy, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    #[default]
    Sync,
    Baseline,
    Adopt,
    Resend,
    ResendEvents,
    /// A plan alone.
    Plan,
    /// Nothing: what happens before is all.
    None,
}

/// What a person does in Vitally.
#[derive(Deserialize)]
#[expect(clippy::large_enum_variant, reason = "a case has a handful of them")]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
enum Deed {
    /// A record is there.
    Seed(Planted),
    /// A record is deleted.
    Delete(Named),
    /// A record is marked.
    Mark {
        object: String,
        external: String,
        #[serde(rename = "as")]
        lifecycle: String,
    },
    /// A trait is defined.
    Define { model: String, path: String, kind: String },
    /// All records are gone.
    Reset,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    object: String,
    external: String,
}

/// A record that was there before.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Planted {
    /// `account`, `organization` or `user`.
    object: String,
    external: Option<String>,
    id: Option<String>,
    name: Option<String>,
    email: Option<String>,
    #[serde(default)]
    traits: Map<String, Json>,
    organization: Option<String>,
    #[serde(default)]
    accounts: Vec<String>,
    #[serde(default)]
    organizations: Vec<String>,
    /// When it was made, if not now.
    made: Option<String>,
    /// When it was last written, if not then.
    written: Option<String>,
}

/// What happens to the next call that fits.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Answer {
    /// `PUT /resources/accounts/*`; any call without it.
    call: Option<String>,
    /// So many that fit pass before.
    #[serde(default)]
    skip: u32,
    times: Option<u32>,
    /// The answer.
    status: Option<u16>,
    body: Option<String>,
    retry_after: Option<u32>,
    /// What happens instead of an answer.
    trouble: Option<Instead>,
    /// Whether the call is done all the same.
    #[serde(default)]
    done: bool,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Instead {
    /// The connection is cut.
    Drop,
    /// No answer ever comes.
    Hang,
    /// The answer is not JSON.
    NotJson,
}

impl Case {
    pub(crate) async fn stage(&self) -> Result<Stage, Failure> {
        let syncs: Vec<_> = self.syncs.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        let mut settings = SimulatorSettings::new(TOKEN);
        switch(&mut settings.switches, &self.behaves)?;
        let mut stage = Stage::served(&syncs, settings).await?;
        if self.analytics {
            stage.analytics();
        }
        self.files.iter().for_each(|(path, text)| stage.file(path, text));
        Ok(stage)
    }
}

fn switch(switches: &mut Switches, changes: &BTreeMap<String, String>) -> Result<(), Failure> {
    for (name, value) in changes {
        switches.set(name, value)?;
    }
    Ok(())
}

impl Step {
    pub(crate) fn prepare(&self, stage: &mut Stage) -> Result<(), Failure> {
        self.syncs.iter().for_each(|(name, text)| stage.sync(name, text));
        self.files.iter().for_each(|(path, text)| stage.file(path, text));
        self.removes.iter().for_each(|path| stage.remove(path));
        if let Some(waits) = &self.waits {
            stage.advance(duration(waits)?);
        }
        self.vitally.iter().try_for_each(|deed| deed.perform(stage))?;
        if !self.behaves.is_empty() {
            let mut switches = stage.vitally.switches();
            switch(&mut switches, &self.behaves)?;
            stage.vitally.set_switches(switches);
        }
        if let Some([from, to]) = self.accounts {
            stage.many_accounts(from, to)?;
        }
        stage.sql(&self.sql)?;
        self.rows.iter().try_for_each(|(name, rows)| stage.rows(name, rows))?;
        if self.answers_end {
            stage.vitally.clear_script();
        }
        for answer in &self.answers {
            stage.vitally.script(answer.fault()?);
        }
        Ok(())
    }

    pub(crate) fn options(&self) -> Options {
        let run_kind = match self.run {
            Kind::Baseline => RunKind::Baseline,
            Kind::Adopt => RunKind::Adopt,
            Kind::Resend => RunKind::Resend,
            Kind::ResendEvents => RunKind::ResendEvents,
            Kind::Sync | Kind::Plan | Kind::None => RunKind::Sync,
        };
        let key = self.key.as_deref().map(Key::new);
        let filter = Filter { limit: self.limit, key, ..Filter::default() };
        Options { filter, run_kind, ..Options::default() }
    }
}

/// `30s`, `5m`, `12h` or `30d`.
fn duration(text: &str) -> Result<Duration, Failure> {
    let units = [("s", 1), ("m", 60), ("h", 3_600), ("d", 86_400)];
    let found = units.into_iter().find_map(|(unit, seconds)| {
        let count: u64 = text.strip_suffix(unit)?.parse().ok()?;
        Some(Duration::from_secs(count * seconds))
    });
    found.ok_or_else(|| {
        format!("expected a duration such as `30s`, `5m`, `12h` or `30d`, found `{text}`").into()
    })
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sync => "sync",
            Self::Baseline => "baseline",
            Self::Adopt => "adopt",
            Self::Resend => "resend",
            Self::ResendEvents => "resend-events",
            Self::Plan => "plan",
            Self::None => "none",
        }
    }
}

impl Deed {
    fn perform(&self, stage: &Stage) -> Result<(), Failure> {
        let vitally = &stage.vitally;
        match self {
            Self::Seed(planted) => drop(vitally.seed(planted.seed()?)?),
            Self::Delete(named) => drop(vitally.delete(object(&named.object)?, &named.external)?),
            Self::Mark { object: name, external, lifecycle } => {
                let lifecycle = match lifecycle.as_str() {
                    "churned" => LifecycleStage::Churned,
                    "ignored" => LifecycleStage::Ignored,
                    "active" => LifecycleStage::Active,
                    other => {
                        return Err(format!("expected churned, ignored or active, found `{other}`").into());
                    }
                };
                vitally.mark(object(name)?, external, lifecycle)?;
            }
            Self::Define { model, path, kind } => vitally.define(model, path, kind)?,
            Self::Reset => vitally.reset()?,
        }
        Ok(())
    }
}

fn object(name: &str) -> Result<RecordKind, Failure> {
    let known = RecordKind::ALL.into_iter().find(|known| known.singular() == name);
    known.ok_or_else(|| format!("expected account, organization or user, found `{name}`").into())
}

impl Planted {
    fn seed(&self) -> Result<Seed, Failure> {
        let time = |text: &Option<String>| match text {
            None => Ok(None),
            Some(text) => {
                SimulatorTime::parse(text).map(Some).ok_or_else(|| format!("`{text}` is not a time"))
            }
        };
        let id = match &self.id {
            None => None,
            Some(id) => Some(RecordId::parse(id).ok_or_else(|| format!("`{id}` is not an id of Vitally"))?),
        };
        Ok(Seed {
            id,
            created_at: time(&self.made)?,
            updated_at: time(&self.written)?,
            name: self.name.clone(),
            email: self.email.clone(),
            traits: self.traits.clone(),
            organization: self.organization.clone(),
            accounts: self.accounts.clone(),
            organizations: self.organizations.clone(),
            ..Seed::new(object(&self.object)?, self.external.as_deref())
        })
    }
}

impl Answer {
    fn fault(&self) -> Result<ScriptedFault, Failure> {
        let trouble = match (self.trouble, self.status, self.done) {
            (None, Some(status), done) => {
                let answer = FaultAnswer { status, body: self.body.clone(), retry_after: self.retry_after };
                if done { Trouble::AnswerAfterCommit(answer) } else { Trouble::Answer(answer) }
            }
            (Some(Instead::Drop), None, false) => Trouble::DropBefore,
            (Some(Instead::Drop), None, true) => Trouble::DropAfterCommit,
            (Some(Instead::Hang), None, false) => Trouble::Hang,
            (Some(Instead::Hang), None, true) => Trouble::HangAfterCommit,
            (Some(Instead::NotJson), None, true) => Trouble::NotJson,
            _ => return Err("an answer has a status, or trouble instead of one".into()),
        };
        let fault =
            ScriptedFault { skip: self.skip, times: self.times.unwrap_or(1), ..ScriptedFault::once(trouble) };
        match self.call.as_deref().map(|call| call.split_once(' ').ok_or("expected METHOD /path")) {
            None => Ok(fault),
            Some(call) => {
                let (method, path) = call?;
                let method = (method != "*").then(|| method.to_owned());
                let path = (path != "*").then(|| path.to_owned());
                Ok(ScriptedFault { method, path, ..fault })
            }
        }
    }
}
