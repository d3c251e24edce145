//! A session: the client, what was made, what was learned. Each request goes through here.

use std::time::Duration;

use coho_core::json::Json;
use coho_core::object::Object;
use coho_core::sync::Api;
use coho_core::target::VitallyId;

use super::error::LiveError;
use super::price::Prices;
use super::question::{Learned, Question};
use crate::Record;
use crate::address::{all, encode};
use crate::client::Client;
use crate::client::ask::Log;
use crate::request::{Cost, Method, Reply, Request, Shows};
use crate::wire::reading::{Reading, read};

/// A Vitally id that no record has: its version and variant are right, and all else is ones.
pub(super) const NOBODY: &str = "ffffffff-ffff-4fff-bfff-ffffffffffff";

/// Whether the next request may leave.
pub(super) type GoOn<'s> = &'s (dyn Fn() -> bool + Sync);

/// A check under way.
pub(super) struct Session<'s> {
    pub(super) client: &'s Client,
    /// What all its records are called, alone or with an ending.
    pub(super) name: String,
    go_on: GoOn<'s>,
    prices: Prices,
    /// What was made and is to be taken away; the newest last. A record stands here before its POST leaves.
    pub(super) made: Vec<Made>,
    pub(super) learned: Vec<Learned>,
}

/// A record that was made, or may have been.
#[derive(Clone, Debug)]
pub(super) struct Made {
    pub(super) object: Object,
    pub(super) external_id: String,
    /// `None` while no answer told.
    pub(super) id: Option<VitallyId>,
}

/// What came of a write.
pub(super) struct Written {
    pub(super) reply: Reply,
    /// The record in the answer, where it was carried out.
    pub(super) record: Option<Record>,
}

impl Written {
    /// Vitally's id in the answer.
    pub(super) fn id(&self) -> Option<VitallyId> {
        self.record.as_ref().and_then(|record| record.id.clone())
    }
}

impl<'s> Session<'s> {
    pub(super) fn new(client: &'s Client, name: &str, go_on: GoOn<'s>) -> Self {
        let (name, prices) = (name.to_owned(), Prices::default());
        Self { client, name, go_on, prices, made: Vec::new(), learned: Vec::new() }
    }

    /// The name with an ending.
    pub(super) fn named(&self, ending: &str) -> String {
        format!("{}-{ending}", self.name)
    }

    pub(super) fn learn(&mut self, question: Question, object: Option<Object>, answer: impl Into<String>) {
        self.learned.push(Learned { question, object, answer: answer.into() });
    }

    /// What calls cost, where Vitally told what is left of its rate.
    pub(super) fn learn_prices(&mut self) {
        for (question, cost) in [(Question::WriteCost, Cost::Write), (Question::ReadCost, Cost::Read)] {
            if let Some(units) = self.prices.of(cost) {
                self.learn(question, None, units.to_string());
            }
        }
    }

    /// Sends a request, unless somebody asked to end.
    pub(super) async fn ask(
        &mut self,
        method: Method,
        path: String,
        body: Option<Json>,
    ) -> Result<Reply, LiveError> {
        if (self.go_on)() { self.ask_anyway(method, path, body).await } else { Err(LiveError::Interrupted) }
    }

    /// Sends a request, even if somebody asked to end.
    pub(super) async fn ask_anyway(
        &mut self,
        method: Method,
        path: String,
        body: Option<Json>,
    ) -> Result<Reply, LiveError> {
        let body = body.map(|body| body.to_string());
        let request =
            Request { api: Api::Rest, method, path, body, after: Duration::ZERO, shows: Shows::Anything };
        let reply = send(self.client, &request).await;
        self.prices.note(method.cost(), self.client.state().rest, self.client.0.settings.clock.now());
        reply
    }

    pub(super) async fn get(&mut self, object: Object, id: &str) -> Result<Reply, LiveError> {
        self.ask(Method::Get, path(object, id), None).await
    }

    pub(super) async fn put(&mut self, object: Object, id: &str, body: Json) -> Result<Written, LiveError> {
        Ok(written(self.ask(Method::Put, path(object, id), Some(body)).await?))
    }

    /// The record with one of Vitally's ids.
    pub(super) async fn record(
        &mut self,
        object: Object,
        id: &VitallyId,
    ) -> Result<Option<Record>, LiveError> {
        Ok(written(self.get(object, id.as_str()).await?).record)
    }

    /// Sends a POST. The record is remembered as made before it leaves, and forgotten where Vitally refuses it.
    pub(super) async fn post(
        &mut self,
        object: Object,
        external_id: &str,
        body: Json,
    ) -> Result<Written, LiveError> {
        self.making(object, external_id);
        let reply = self.ask(Method::Post, all(object), Some(body)).await;
        self.made_by(reply)
    }

    /// Sends a PUT that may make a record.
    pub(super) async fn put_missing(
        &mut self,
        object: Object,
        external_id: &str,
        body: Json,
    ) -> Result<Written, LiveError> {
        self.making(object, external_id);
        let reply = self.ask(Method::Put, path(object, external_id), Some(body)).await;
        self.made_by(reply)
    }

    fn making(&mut self, object: Object, external_id: &str) {
        self.made.push(Made { object, external_id: external_id.to_owned(), id: None });
    }

    /// Notes what became of the newest. Without an answer it may be there.
    fn made_by(&mut self, reply: Result<Reply, LiveError>) -> Result<Written, LiveError> {
        let written = match reply {
            Ok(reply) => written(reply),
            Err(LiveError::Interrupted) => {
                self.made.pop();
                return Err(LiveError::Interrupted);
            }
            Err(error) => return Err(error),
        };
        let id = written.id();
        let is_known = id.is_some() && self.made.iter().any(|made| made.id == id);
        if !written.reply.is_fine() || is_known {
            self.made.pop();
        } else if let Some(newest) = self.made.last_mut() {
            newest.id = id;
        }
        Ok(written)
    }

    /// Fails where the workspace has a record of a name that the check will use. The first miss shows the shape of errors.
    pub(super) async fn refuse_what_exists(&mut self) -> Result<(), LiveError> {
        let names = [self.name.clone(), self.named("2"), self.named("missing")];
        for object in Object::RECORDS {
            for name in &names {
                let reply = self.get(object, name).await?;
                let record = reply.is_fine().then(|| Record::parse(&reply.body)).flatten();
                if record.is_some_and(|record| record.external_id.as_ref() == Some(name)) {
                    return Err(LiveError::Exists { object, external_id: name.clone() });
                }
                if !reply.is_fine() && self.learned.is_empty() {
                    self.learn(Question::ErrorText, None, text_of(&reply));
                }
            }
        }
        Ok(())
    }
}

/// No exchange stands behind these requests; the pace and the repeats of all others hold. Whatever says something of this
/// request alone is a reply, be it a refusal; what would meet all requests alike is the error: a token that is not accepted,
/// a server that fails or does not answer.
async fn send(client: &Client, request: &Request) -> Result<Reply, LiveError> {
    if let Some(verdict) = client.halted() {
        return Err(LiveError::of(verdict));
    }
    let answer = client.ask(request, &mut Log::default()).await;
    match read(&answer) {
        Reading::Fine(reply) | Reading::Absent(reply) | Reading::Refused(reply) => Ok(reply.clone()),
        Reading::End(end) => Err(LiveError::of(match request.method {
            Method::Get => end.of_read(),
            Method::Post | Method::Put | Method::Delete => end.of_write(),
        })),
    }
}

fn written(reply: Reply) -> Written {
    let record = reply.is_fine().then(|| Record::parse(&reply.body)).flatten();
    Written { reply, record }
}

/// Where an error has its text.
fn text_of(reply: &Reply) -> &'static str {
    match serde_json::from_str::<Json>(&reply.body) {
        Ok(Json::Object(members)) => ["error", "message", "errors"]
            .into_iter()
            .find(|name| members.contains_key(*name))
            .unwrap_or("json"),
        Ok(Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Array(_)) => "json",
        Err(_) if reply.body.trim().is_empty() => "none",
        Err(_) if reply.body.trim_start().starts_with('<') => "page",
        Err(_) => "text",
    }
}

/// `refused-409`.
pub(super) fn refused(reply: &Reply) -> String {
    format!("refused-{}", reply.status)
}

/// One record, by Vitally's id or an external one.
pub(super) fn path(object: Object, id: &str) -> String {
    format!("{}/{}", all(object), encode(id))
}
