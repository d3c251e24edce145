//! A script in place of Vitally: answers that were written down, and what was asked.

use std::collections::VecDeque;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use coho_vitally::ask::Ask;
use coho_vitally::request::{Answer, Request};

/// Answers in their order. Once they are used up, nobody answers any more.
#[derive(Debug)]
pub(crate) struct Script {
    answers: VecDeque<Answer>,
    /// What was asked, with the answers.
    pub(crate) told: Vec<(Request, Answer)>,
}

impl Script {
    pub(crate) fn new(answers: impl IntoIterator<Item = Answer>) -> Self {
        Self { answers: answers.into_iter().collect(), told: Vec::new() }
    }

    /// How many answers are left.
    #[allow(dead_code, reason = "each test file uses a part of it")]
    pub(crate) fn left(&self) -> usize {
        self.answers.len()
    }
}

impl Ask for Script {
    async fn ask(&mut self, request: Request) -> Answer {
        let Some(answer) = self.answers.pop_front() else { return std::future::pending().await };
        self.told.push((request, answer.clone()));
        answer
    }
}

/// Lets straight code run until it waits for an answer that the script does not have: `None`.
pub(crate) fn run<T>(future: impl Future<Output = T>) -> Option<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => Some(done),
        Poll::Pending => None,
    }
}
