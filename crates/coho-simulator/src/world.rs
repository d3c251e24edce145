//! Everything that one simulator knows, and what it does with one request: faults, credentials, rate, one of the two
//! APIs, log.
//!
//! [`api`] tells the two apart, [`answer`] gives what came of a request the form of an HTTP answer. Synchronous: the
//! server locks it, hands it a request, and sends what it is told.

mod answer;
mod api;

use crate::analytics::{self, route};
use crate::auth::{self, Credentials};
use crate::call::{CallReply, Log, ServedCall, kept_text};
use crate::clock::{SimulatorClock, SimulatorTime};
use crate::fault::{Script, Trouble};
use crate::limit::{Meter, Pass};
use crate::record::{LifecycleStage, RecordKind, StoredRecord};
use crate::rest::{self, Asked, Granted, Received, Refused, Turn};
use crate::settings::SimulatorSettings;
use crate::store::Store;
use crate::store::file::StateFileError;
use crate::switches::{Switches, Window};
pub(crate) use answer::Answer;
use answer::Denial;
use api::{Api, Moment};

/// One simulator.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) store: Store,
    pub(crate) clock: SimulatorClock,
    pub(crate) script: Script,
    pub(crate) log: Log,
    switches: Switches,
    rest_key: Key,
    analytics_token: Key,
    meter: Meter,
    analytics_meter: Meter,
    /// POSTs that wrote since `drop_after_commit` was set.
    posts: u32,
}

/// The key, which does not show.
struct Key(String);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

/// What the server does for a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ending {
    Answer(Answer),
    /// Cut the connection.
    Cut,
    /// Keep the connection and say nothing.
    Hang,
}

/// A request that was worked out, before trouble gets at its answer.
struct Done {
    answer: Answer,
    committed: bool,
}

impl World {
    pub(crate) fn new(settings: &SimulatorSettings, store: Store) -> Self {
        Self {
            store,
            clock: settings.clock.clone(),
            script: Script::default(),
            log: Log::new(settings.calls_kept),
            meter: rest_meter(&settings.switches, settings.clock.now()),
            analytics_meter: analytics_meter(&settings.switches, settings.clock.now()),
            switches: settings.switches.clone(),
            rest_key: Key(settings.rest_key.clone()),
            analytics_token: Key(settings.analytics_token.clone()),
            posts: 0,
        }
    }

    pub(crate) fn switches(&self) -> &Switches {
        &self.switches
    }

    pub(crate) fn set_switches(&mut self, switches: Switches) {
        // A new limit begins unused, and a new count of POSTs at nought: what was used before the change
        // would make a test depend on what ran before it.
        if (switches.limit, switches.window) != (self.switches.limit, self.switches.window) {
            self.meter = rest_meter(&switches, self.clock.now());
        }
        if switches.rate != self.switches.rate {
            self.analytics_meter = analytics_meter(&switches, self.clock.now());
        }
        if switches.drop_after_commit != self.switches.drop_after_commit {
            self.posts = 0;
        }
        self.switches = switches;
    }

    /// Forgets records, definitions, calls, faults and the used rate. Switches and the clock stay.
    pub(crate) fn reset(&mut self) -> Result<(), StateFileError> {
        self.log.clear();
        self.script.replace(Vec::new());
        self.meter = rest_meter(&self.switches, self.clock.now());
        self.analytics_meter = analytics_meter(&self.switches, self.clock.now());
        self.posts = 0;
        self.store.clear()
    }

    /// Brings the records up to the present: users whose time has come go, Analytics messages that are due are applied.
    pub(crate) fn settle(&mut self) {
        let now = self.clock.now();
        self.store.sweep(now);
        self.apply_until(now);
    }

    /// Applies all Analytics messages, whenever they are due. Says how many there were.
    pub(crate) fn flush_messages(&mut self) -> Result<usize, StateFileError> {
        let settled = self.apply_until(SimulatorTime::from_millis(i64::MAX));
        self.store.flush()?;
        Ok(settled)
    }

    /// Marks a record, if it is there. `updatedAt` stays, as nobody wrote it.
    pub(crate) fn mark(&mut self, object: RecordKind, external_id: &str, lifecycle: LifecycleStage) -> bool {
        let Some(record) = self.store.by_external(object, external_id).cloned() else { return false };
        self.store.put(StoredRecord { lifecycle, ..record });
        true
    }

    fn apply_until(&mut self, by: SimulatorTime) -> usize {
        let now = self.clock.now();
        let mut turn = Turn { store: &mut self.store, switches: &self.switches, now };
        analytics::settle(&mut turn, by)
    }

    /// Works out one request and logs it.
    pub(crate) fn handle(&mut self, asked: &Asked) -> Ending {
        self.settle();
        let at = Moment { api: Api::of(&asked.path), now: self.clock.now() };
        let (ending, committed) = self.decide(asked, at);
        self.log.add(ServedCall {
            number: 0,
            at: at.now,
            method: asked.method.clone(),
            path: asked.path.clone(),
            query: asked.query.clone(),
            body: match &asked.body {
                Received::Whole(bytes) => kept_text(bytes),
                Received::TooLarge => "(more than 32 MiB)".to_owned(),
            },
            reply: logged(&ending),
            committed,
        });
        ending
    }

    fn decide(&mut self, asked: &Asked, at: Moment) -> (Ending, bool) {
        let trouble = self.script.strike(&asked.method, &asked.path);
        match trouble {
            Some(Trouble::Answer(answer)) => (Ending::Answer(self.fault_answer(&answer, at)), false),
            Some(Trouble::DropBefore) => (Ending::Cut, false),
            Some(Trouble::Hang) => (Ending::Hang, false),
            Some(Trouble::AnswerAfterCommit(answer)) => {
                let committed = self.work(asked, at).committed;
                (Ending::Answer(self.fault_answer(&answer, at)), committed)
            }
            Some(Trouble::DropAfterCommit) => (Ending::Cut, self.work(asked, at).committed),
            Some(Trouble::HangAfterCommit) => (Ending::Hang, self.work(asked, at).committed),
            Some(Trouble::NotJson) => {
                let committed = self.work(asked, at).committed;
                (Ending::Answer(self.not_json(at)), committed)
            }
            Some(Trouble::CutList(cut)) => {
                let Done { answer, committed } = self.work(asked, at);
                let body = cut.of(&answer.body, asked.query.as_deref());
                (Ending::Answer(Answer { body, ..answer }), committed)
            }
            None => {
                let done = self.work(asked, at);
                let cut = done.committed && asked.method == "POST" && self.is_post_to_drop();
                (if cut { Ending::Cut } else { Ending::Answer(done.answer) }, done.committed)
            }
        }
    }

    fn is_post_to_drop(&mut self) -> bool {
        self.posts = self.posts.wrapping_add(1);
        // Zero divides nothing, and stands for never.
        self.posts.checked_rem(self.switches.drop_after_commit) == Some(0)
    }

    fn work(&mut self, asked: &Asked, at: Moment) -> Done {
        let done = match at.api {
            Api::Rest => self.work_rest(asked, at),
            Api::Analytics => self.work_analytics(asked, at),
        };
        match self.store.flush() {
            Ok(()) => done,
            Err(error) => {
                tracing::error!(%error, "the state file was not written");
                Done { answer: self.error(500, "Internal Server Error", at), committed: false }
            }
        }
    }

    fn work_rest(&mut self, asked: &Asked, at: Moment) -> Done {
        match self.admit_rest(asked, at.now).and_then(|()| self.rest(asked, at.now)) {
            Ok(granted) => Done { answer: self.granted(granted, at), committed: asked.method != "GET" },
            Err(denial) => Done { answer: self.denied(&denial, at), committed: false },
        }
    }

    fn work_analytics(&mut self, asked: &Asked, at: Moment) -> Done {
        let path = match self.admit_analytics(asked, at.now) {
            Ok(path) => path,
            Err(denial) => return Done { answer: self.denied(&denial, at), committed: false },
        };
        let mut turn = Turn { store: &mut self.store, switches: &self.switches, now: at.now };
        let reply = analytics::answer(&mut turn, path, asked);
        let answer = match reply.answer {
            Ok(()) => self.success(at),
            Err(refused) => self.denied(&Denial::Refused(refused), at),
        };
        Done { answer, committed: reply.taken > 0 }
    }

    fn admit_rest(&mut self, asked: &Asked, now: SimulatorTime) -> Result<(), Denial> {
        if !asked.path.starts_with("/resources/") {
            return Err(Denial::Refused(Refused::not_found()));
        }
        require(auth::check(asked.authorization.as_deref(), &self.rest_key.0))?;
        let units = match asked.method.as_str() {
            "POST" | "PUT" | "PATCH" | "DELETE" => self.switches.write_cost,
            _ => 1,
        };
        pass(self.meter.take(units, now))
    }

    fn admit_analytics(&mut self, asked: &Asked, now: SimulatorTime) -> Result<route::Path, Denial> {
        let path = route::read(&asked.method, &asked.path).map_err(Denial::Refused)?;
        require(auth::check_token(asked.authorization.as_deref(), &self.analytics_token.0))?;
        pass(self.analytics_meter.take(1, now))?;
        Ok(path)
    }

    fn rest(&mut self, asked: &Asked, now: SimulatorTime) -> Result<Granted, Denial> {
        let mut turn = Turn { store: &mut self.store, switches: &self.switches, now };
        rest::answer(&mut turn, asked).map_err(Denial::Refused)
    }
}

fn rest_meter(switches: &Switches, now: SimulatorTime) -> Meter {
    Meter::unused(switches.window, switches.limit, now)
}

fn analytics_meter(switches: &Switches, now: SimulatorTime) -> Meter {
    Meter::unused(Window::Bucket, switches.rate, now)
}

fn require(credentials: Credentials) -> Result<(), Denial> {
    match credentials {
        Credentials::Right => Ok(()),
        Credentials::Wrong => Err(Denial::WrongKey),
        Credentials::Absent => Err(Denial::NoKey),
    }
}

fn pass(pass: Pass) -> Result<(), Denial> {
    match pass {
        Pass::Granted => Ok(()),
        Pass::Refused { wait } => Err(Denial::TooMany { wait }),
    }
}

fn logged(ending: &Ending) -> CallReply {
    match ending {
        Ending::Answer(answer) => {
            CallReply::Answered { status: answer.status, body: kept_text(answer.body.as_bytes()) }
        }
        Ending::Cut => CallReply::Cut,
        Ending::Hang => CallReply::Hung,
    }
}
