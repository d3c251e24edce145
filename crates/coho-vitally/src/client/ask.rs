//! Asking: a request is sent until there is an answer to give. Repeats and the waits between them stand here.

use std::time::Duration;

use coho_core::sync::Api;
use coho_core::verdict::Call;

use super::Client;
use super::breaker::Health;
use super::limiter::Again;
use super::transport::Sent;
use crate::request::{Answer, Reply, Request};

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
    fn note(&mut self, request: &Request, sent: &Sent) {
        self.calls.push(sent.call.clone());
        self.health = match &sent.answer {
            Answer::Reply(reply) if request.is_failed_by(reply) => Health::Failing,
            Answer::Reply(_) => Health::Answering,
            Answer::Lost { .. } => Health::Failing,
            Answer::NotSent { .. } => Health::Unreachable,
        };
    }
}

impl Client {
    /// Sends a request until there is an answer to give.
    pub(super) async fn ask(&self, request: &Request, log: &mut Log) -> Answer {
        let Some(line) = self.line(request.api) else { return no_token(request.api) };
        if !request.after.is_zero() && self.1.first(tokio::time::sleep(request.after)).await.is_none() {
            return ended();
        }
        let (mut tries, mut before) = (0, None);
        loop {
            let Some(pass) = self.1.first(line.enter(request)).await else {
                // A try that failed may have been carried out: that it was not repeated tells nothing of it.
                return before.unwrap_or_else(ended);
            };
            let (sent, again) = line.send(pass, request).await;
            log.note(request, &sent);
            let answer = sent.answer;
            let is_refused = matches!(answer, Answer::Reply(Reply { status: 429, .. }));
            if is_refused && again == Again::Yes {
                continue;
            }
            tries += 1;
            if is_refused || !request.may_repeat_after(&answer) || tries >= self.0.settings.retry.tries {
                self.learn(request, &answer);
                return answer;
            }
            if self.1.first(tokio::time::sleep(self.backoff(tries))).await.is_none() {
                return answer;
            }
            before = Some(answer);
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
        Api::Rest => "there is no token for the REST API",
        Api::Analytics => "there is no token for the Analytics API",
    }
}
