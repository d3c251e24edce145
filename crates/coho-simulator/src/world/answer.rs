//! What was decided about a request, as an HTTP answer: status, body in the shape of the switches, rate headers, date.

use serde_json::{Value, json};

use super::World;
use crate::clock::Time;
use crate::fault::FaultAnswer;
use crate::limit::Gauge;
use crate::rest::{Granted, Refused};
use crate::switches::{ErrorShape, HeaderPrefix, RetryAfter};

/// An answer as bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
}

/// Why a request was not done.
pub(super) enum Denial {
    NoKey,
    WrongKey,
    /// Seconds until it would pass.
    TooMany {
        wait: u64,
    },
    Refused(Refused),
}

impl World {
    pub(super) fn granted(&mut self, granted: Granted, now: Time) -> Answer {
        let body = granted.body.map_or(Body::Empty, Body::Json);
        self.answer(granted.status, body, now)
    }

    pub(super) fn denied(&mut self, denial: &Denial, now: Time) -> Answer {
        match denial {
            // The one error that was captured from the real service, so no switch changes its shape.
            Denial::NoKey => {
                let body = Body::Json(json!({ "error": "Authorization header not present." }));
                self.answer(401, body, now)
            }
            Denial::WrongKey => self.error(401, "Unauthorized", now),
            Denial::Refused(refused) => self.error(refused.status, &refused.text, now),
            Denial::TooMany { wait } => {
                let mut answer = self.error(429, "Too Many Requests", now);
                match self.switches.retry_after {
                    RetryAfter::Off => {}
                    RetryAfter::On => answer.headers.push(("retry-after", wait.to_string())),
                }
                answer
            }
        }
    }

    pub(super) fn error(&mut self, status: u16, text: &str, now: Time) -> Answer {
        let body = match self.switches.err {
            ErrorShape::Error => Body::Json(json!({ "error": text })),
            ErrorShape::Message => Body::Json(json!({ "message": text })),
            ErrorShape::Html => html(text),
            ErrorShape::Empty => Body::Empty,
        };
        self.answer(status, body, now)
    }

    pub(super) fn fault_answer(&mut self, fault: &FaultAnswer, now: Time) -> Answer {
        let mut answer = match &fault.body {
            Some(body) => {
                let is_json = serde_json::from_str::<Value>(body).is_ok();
                let body = if is_json { Body::JsonText(body.clone()) } else { Body::Html(body.clone()) };
                self.answer(fault.status, body, now)
            }
            None => self.error(fault.status, reason(fault.status), now),
        };
        if let Some(seconds) = fault.retry_after {
            answer.headers.push(("retry-after", seconds.to_string()));
        }
        answer
    }

    /// A success that no client can read.
    pub(super) fn not_json(&mut self, now: Time) -> Answer {
        self.answer(200, html("OK"), now)
    }

    fn answer(&mut self, status: u16, body: Body, now: Time) -> Answer {
        let gauge = self.bucket.gauge(now);
        let mut headers = rate_headers(gauge, self.switches.x_prefix);
        headers.push(("date", now.http_date()));
        let (content_type, body) = match body {
            Body::Empty => return Answer { status, headers, body: String::new() },
            Body::Json(value) => ("application/json; charset=utf-8", value.to_string()),
            Body::JsonText(text) => ("application/json; charset=utf-8", text),
            Body::Html(text) => ("text/html; charset=utf-8", text),
        };
        headers.push(("content-type", content_type.to_owned()));
        Answer { status, headers, body }
    }
}

enum Body {
    Empty,
    Json(Value),
    JsonText(String),
    Html(String),
}

fn html(text: &str) -> Body {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    Body::Html(format!(
        "<!DOCTYPE html>\n<html><head><title>{text}</title></head><body><pre>{text}</pre></body></html>\n"
    ))
}

fn reason(status: u16) -> &'static str {
    let known = axum::http::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    known.unwrap_or("Error")
}

fn rate_headers(gauge: Gauge, prefix: HeaderPrefix) -> Vec<(&'static str, String)> {
    let [limit, remaining, reset] = match prefix {
        HeaderPrefix::Off => ["ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"],
        HeaderPrefix::On => ["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"],
    };
    vec![
        (limit, format!("{0}, {0};window=60", gauge.limit)),
        (remaining, gauge.remaining.to_string()),
        (reset, gauge.reset.to_string()),
    ]
}
