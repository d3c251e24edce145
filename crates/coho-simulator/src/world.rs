//! Everything that one simulator knows, and what it does with one request: faults, credentials, rate, REST, log.
//!
//! [`answer`] gives what came of it the form of an HTTP answer. Synchronous: the server locks it, hands it a request, and sends what it is told.

mod answer;

use crate::auth::{self, Credentials};
use crate::call::{Call, CallReply, Log, kept_text};
use crate::clock::{Clock, Time};
use crate::fault::{Script, Trouble};
use crate::limit::{Bucket, Pass};
use crate::rest::{self, Asked, Granted, Received, Refused, Turn};
use crate::settings::Settings;
use crate::store::Store;
use crate::store::file::FileError;
use crate::switches::Switches;
pub(crate) use answer::Answer;
use answer::Denial;

/// One simulator.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) store: Store,
    pub(crate) clock: Clock,
    pub(crate) script: Script,
    pub(crate) log: Log,
    switches: Switches,
    rest_key: Key,
    bucket: Bucket,
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
    pub(crate) fn new(settings: &Settings, store: Store) -> Self {
        Self {
            store,
            clock: settings.clock.clone(),
            script: Script::default(),
            log: Log::new(settings.calls_kept),
            bucket: Bucket::full(settings.switches.limit, settings.clock.now()),
            switches: settings.switches.clone(),
            rest_key: Key(settings.rest_key.clone()),
            posts: 0,
        }
    }

    pub(crate) fn switches(&self) -> &Switches {
        &self.switches
    }

    pub(crate) fn set_switches(&mut self, switches: Switches) {
        // A new limit begins with a full bucket, and a new count of POSTs at nought: what was used before the change
        // would make a test depend on what ran before it.
        if switches.limit != self.switches.limit {
            self.bucket = Bucket::full(switches.limit, self.clock.now());
        }
        if switches.drop_after_commit != self.switches.drop_after_commit {
            self.posts = 0;
        }
        self.switches = switches;
    }

    /// Forgets records, definitions, calls, faults and the used rate. Switches and the clock stay.
    pub(crate) fn reset(&mut self) -> Result<(), FileError> {
        self.log.clear();
        self.script.replace(Vec::new());
        self.bucket = Bucket::full(self.switches.limit, self.clock.now());
        self.posts = 0;
        self.store.clear()
    }

    /// Works out one request and logs it.
    pub(crate) fn handle(&mut self, asked: &Asked) -> Ending {
        let now = self.clock.now();
        self.store.sweep(now);
        let (ending, committed) = self.decide(asked, now);
        self.log.add(Call {
            number: 0,
            at: now,
            method: asked.method.clone(),
            path: asked.path.clone(),
            query: asked.query.clone(),
            body: match &asked.body {
                Received::Whole(bytes) => kept_text(bytes),
                Received::TooLarge => "(more than 1 MiB)".to_owned(),
            },
            reply: logged(&ending),
            committed,
        });
        ending
    }

    fn decide(&mut self, asked: &Asked, now: Time) -> (Ending, bool) {
        let trouble = self.script.strike(&asked.method, &asked.path);
        match trouble {
            Some(Trouble::Answer(answer)) => (Ending::Answer(self.fault_answer(&answer, now)), false),
            Some(Trouble::DropBefore) => (Ending::Cut, false),
            Some(Trouble::Hang) => (Ending::Hang, false),
            Some(Trouble::AnswerAfterCommit(answer)) => {
                let committed = self.work(asked, now).committed;
                (Ending::Answer(self.fault_answer(&answer, now)), committed)
            }
            Some(Trouble::DropAfterCommit) => (Ending::Cut, self.work(asked, now).committed),
            Some(Trouble::HangAfterCommit) => (Ending::Hang, self.work(asked, now).committed),
            Some(Trouble::NotJson) => {
                let committed = self.work(asked, now).committed;
                (Ending::Answer(self.not_json(now)), committed)
            }
            None => {
                let done = self.work(asked, now);
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

    fn work(&mut self, asked: &Asked, now: Time) -> Done {
        let worked = self.admit(asked, now).and_then(|()| self.rest(asked, now));
        let written = self.store.flush();
        match (worked, written) {
            (_, Err(error)) => {
                tracing::error!(%error, "the state file was not written");
                Done { answer: self.error(500, "Internal Server Error", now), committed: false }
            }
            (Ok(granted), Ok(())) => {
                let committed = asked.method != "GET";
                Done { answer: self.granted(granted, now), committed }
            }
            (Err(denial), Ok(())) => Done { answer: self.denied(&denial, now), committed: false },
        }
    }

    fn admit(&mut self, asked: &Asked, now: Time) -> Result<(), Denial> {
        if !asked.path.starts_with("/resources/") {
            return Err(Denial::Refused(Refused::not_found()));
        }
        match auth::check(asked.authorization.as_deref(), &self.rest_key.0) {
            Credentials::Right => {}
            Credentials::Wrong => return Err(Denial::WrongKey),
            Credentials::Absent => return Err(Denial::NoKey),
        }
        let units = match asked.method.as_str() {
            "POST" | "PUT" | "PATCH" | "DELETE" => self.switches.write_cost,
            _ => 1,
        };
        match self.bucket.take(units, now) {
            Pass::Granted => Ok(()),
            Pass::Refused { wait } => Err(Denial::TooMany { wait }),
        }
    }

    fn rest(&mut self, asked: &Asked, now: Time) -> Result<Granted, Denial> {
        let mut turn = Turn { store: &mut self.store, switches: &self.switches, now };
        rest::answer(&mut turn, asked).map_err(Denial::Refused)
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
