//! Asking: a request is sent until there is an answer to give. Repeats and the waits between them stand here.

use std::time::Duration;

use coho_core::call::{Attempt, Wait, WaitWhy};
use coho_core::sync::Api;
use coho_core::verdict::Call;

use super::breaker::Health;
use super::limiter::Again;
use super::limiter::headers::RateHeaders;
use super::transport::Sent;
use super::{Client, Looked};
use crate::ask::Ask;
use crate::lookup::LookupResult;
use crate::request::{Answer, Cost, Reply, Request};

/// The longest wait between two tries, before jitter.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// The calls of one exchange.
#[derive(Debug)]
pub(super) struct Log {
    pub(super) calls: Vec<Call>,
    pub(super) health: Health,
}

impl Default for Log {
    fn default() -> Self {
        Self { calls: Vec::new(), health: Health::Untried }
    }
}

impl Log {
    fn note(&mut self, request: &Request, call: Call, answer: &Answer) {
        self.calls.push(call);
        self.health = match answer {
            Answer::Reply(reply) if request.is_failed_by(reply) => Health::Failing,
            Answer::Reply(_) => Health::Answering,
            Answer::Lost { .. } => Health::Failing,
            Answer::NotSent { .. } => Health::Unreachable,
        };
    }
}

/// The tries of one request.
#[derive(Debug, Default)]
struct Tries {
    /// How many were made, those apart after which the server named a time.
    made: u32,
    /// After how many the server named a time.
    told: u32,
    /// An answer of a write after which it may have been carried out.
    doubt: Option<Answer>,
}

impl Tries {
    fn note(&mut self, request: &Request, answer: Answer) {
        let may_be_done = match &answer {
            Answer::Reply(_) | Answer::Lost { .. } => request.method.cost() == Cost::Write,
            Answer::NotSent { .. } => false,
        };
        if may_be_done {
            self.doubt.get_or_insert(answer);
        }
    }

    /// The last answer, unless it says only that this try was not carried out, and an earlier one may have been.
    fn answered(self, answer: Answer) -> Answer {
        let says_nothing_was_done = match &answer {
            Answer::NotSent { .. } => true,
            Answer::Reply(reply) => matches!(reply.status, 401 | 403 | 429),
            Answer::Lost { .. } => false,
        };
        match self.doubt {
            Some(doubt) if says_nothing_was_done => doubt,
            Some(_) | None => answer,
        }
    }

    /// Nothing more is tried.
    fn ended(self) -> Answer {
        self.answered(ended())
    }
}

fn is_throttled(answer: &Answer) -> bool {
    matches!(answer, Answer::Reply(Reply { status: 429, .. }))
}

fn is_unavailable(answer: &Answer) -> bool {
    matches!(answer, Answer::Reply(Reply { status: 502..=504, .. }))
}

/// Carries the requests of one exchange, and notes its calls.
#[derive(Debug)]
pub(super) struct Carrier<'a> {
    client: &'a Client,
    pub(super) log: Log,
}

impl<'a> Carrier<'a> {
    pub(super) fn new(client: &'a Client) -> Self {
        Self { client, log: Log::default() }
    }

    /// What a look-up found, with the calls that it took.
    pub(super) fn looked(self, finding: LookupResult) -> Looked {
        Looked { finding, calls: self.log.calls, health: self.log.health }
    }
}

impl Ask for Carrier<'_> {
    async fn ask(&mut self, request: Request) -> Answer {
        self.client.ask(&request, &mut self.log).await
    }
}

impl Client {
    /// Sends a request until there is an answer to give, or the end has come.
    pub(super) async fn ask(&self, request: &Request, log: &mut Log) -> Answer {
        let Some(line) = self.line(request.api) else { return no_token(request.api) };
        let mut tries = Tries::default();
        let mut wait = Wait::new(request.after, WaitWhy::Settle);
        if !self.waits(wait.length).await {
            return tries.ended();
        }
        for number in 1.. {
            let Some(pass) = self.1.first(line.enter(request)).await else { break };
            let attempt = Attempt { number, wait: wait.then(pass.waited()) };
            let (Sent { answer, headers, call, .. }, again) = line.send(pass, request, attempt).await;
            log.note(request, call, &answer);
            wait = Wait::NONE;
            if is_throttled(&answer) && again == Again::Yes {
                continue;
            }
            match self.wait_before_next(request, &answer, headers, &mut tries) {
                Some(next) => wait = next,
                None => return tries.answered(answer),
            }
            tries.note(request, answer);
            if !self.waits(wait.length).await {
                break;
            }
        }
        tries.ended()
    }

    /// Waits a while; whether the end did not come before.
    async fn waits(&self, wait: Duration) -> bool {
        wait.is_zero() || self.1.first(tokio::time::sleep(wait)).await.is_some()
    }

    /// How long to wait before another attempt; `None` where there is none. A server that names a time is left alone until then, as
    /// often as one that answers 429.
    fn wait_before_next(
        &self,
        request: &Request,
        answer: &Answer,
        headers: RateHeaders,
        tries: &mut Tries,
    ) -> Option<Wait> {
        let retry = self.0.settings.retry;
        if is_throttled(answer) || !request.may_repeat_after(answer) {
            return None;
        }
        match headers.retry_after {
            Some(wait) if is_unavailable(answer) => {
                tries.told += 1;
                let wait = Wait::new(wait.max(retry.first_wait), WaitWhy::RetryAfter);
                (tries.told <= retry.most_refusals).then_some(wait)
            }
            Some(_) | None => {
                tries.made += 1;
                (tries.made < retry.tries).then(|| Wait::new(self.backoff(tries.made), WaitWhy::Backoff))
            }
        }
    }

    /// The wait doubles, and a part of it is left to chance.
    fn backoff(&self, tries: u32) -> Duration {
        let retry = self.0.settings.retry;
        let wait = retry.first_wait.saturating_mul(2_u32.saturating_pow(tries - 1)).min(LONGEST_WAIT);
        wait.mul_f64(1.0 + self.0.settings.jitter.next() * 0.5)
    }
}

/// What is said of a call that did not leave before the end.
fn ended() -> Answer {
    Answer::NotSent { why: "the run ended before".to_owned() }
}

fn no_token(api: Api) -> Answer {
    Answer::NotSent { why: without_token(api).to_owned() }
}

/// What is said where an API is needed and has no token.
pub(super) fn without_token(api: Api) -> &'static str {
    match api {
        Api::Rest => "no token for the REST API",
        Api::Analytics => "no token for the Analytics API",
    }
}
