//! What was decided about a request, as an HTTP answer: status, body in the shape of the switches, rate headers, date.

use serde_json::{Value, json};

use super::World;
use super::api::{Api, Moment};
use crate::fault::FaultAnswer;
use crate::limit::Gauge;
use crate::rest::{Granted, Misfit, Refused};
use crate::switches::{ErrorShape, HeaderPrefix, RateHeaders, RetryAfter};

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
    pub(super) fn granted(&mut self, granted: Granted, at: Moment) -> Answer {
        let body = granted.body.map_or(Body::Empty, Body::Json);
        self.answer(granted.status, body, at)
    }

    /// The one success of the Analytics API.
    pub(super) fn success(&mut self, at: Moment) -> Answer {
        self.answer(200, Body::Json(json!({ "message": "Success." })), at)
    }

    pub(super) fn denied(&mut self, denial: &Denial, at: Moment) -> Answer {
        let no_key = "Authorization header not present.";
        match (denial, at.api) {
            // The one error that was captured from the real service, so no switch changes its shape.
            (Denial::NoKey, Api::Rest) => self.answer(401, Body::Json(json!({ "error": no_key })), at),
            (Denial::NoKey, Api::Analytics) => self.error(401, no_key, at),
            (Denial::WrongKey, _) => self.error(401, "Unauthorized", at),
            (Denial::Refused(refused), _) => match &refused.misfit {
                Some(misfit) if self.shape(at) == ErrorShape::Validation => {
                    self.answer(refused.status, Body::Json(validation(misfit)), at)
                }
                Some(_) | None => self.error(refused.status, &refused.text, at),
            },
            (Denial::TooMany { wait }, api) => {
                let mut answer = self.error(429, "Too Many Requests", at);
                if self.tells_when(api) {
                    answer.headers.push(("retry-after", wait.to_string()));
                }
                answer
            }
        }
    }

    /// Whether a 429 says when to come back.
    fn tells_when(&self, api: Api) -> bool {
        match api {
            Api::Rest => self.switches.retry_after == RetryAfter::On,
            Api::Analytics => {
                matches!(self.switches.rate_headers, RateHeaders::RetryAfter | RateHeaders::Both)
            }
        }
    }

    fn shape(&self, at: Moment) -> ErrorShape {
        match at.api {
            Api::Rest => self.switches.err,
            Api::Analytics => self.switches.error_shape,
        }
    }

    pub(super) fn error(&mut self, status: u16, text: &str, at: Moment) -> Answer {
        let body = match self.shape(at) {
            ErrorShape::Validation | ErrorShape::Error => Body::Json(json!({ "error": text })),
            ErrorShape::Message => Body::Json(json!({ "message": text })),
            ErrorShape::Text => Body::Text(text.to_owned()),
            ErrorShape::Html => html(text),
            ErrorShape::Empty => Body::Empty,
        };
        self.answer(status, body, at)
    }

    pub(super) fn fault_answer(&mut self, fault: &FaultAnswer, at: Moment) -> Answer {
        let mut answer = match &fault.body {
            Some(body) => {
                let is_json = serde_json::from_str::<Value>(body).is_ok();
                let body = if is_json { Body::JsonText(body.clone()) } else { Body::Html(body.clone()) };
                self.answer(fault.status, body, at)
            }
            None => self.error(fault.status, reason(fault.status), at),
        };
        if let Some(seconds) = fault.retry_after {
            answer.headers.push(("retry-after", seconds.to_string()));
        }
        answer
    }

    /// A success that no client can read.
    pub(super) fn not_json(&mut self, at: Moment) -> Answer {
        self.answer(200, html("OK"), at)
    }

    fn answer(&mut self, status: u16, body: Body, at: Moment) -> Answer {
        let mut headers = self.rate(at);
        headers.push(("date", at.now.http_date()));
        let (content_type, body) = match body {
            Body::Empty => return Answer { status, headers, body: String::new() },
            Body::Json(value) => ("application/json; charset=utf-8", value.to_string()),
            Body::JsonText(text) => ("application/json; charset=utf-8", text),
            Body::Text(text) => ("text/plain; charset=utf-8", text),
            Body::Html(text) => ("text/html; charset=utf-8", text),
        };
        headers.push(("content-type", content_type.to_owned()));
        Answer { status, headers, body }
    }

    fn rate(&mut self, at: Moment) -> Vec<(&'static str, String)> {
        match (at.api, self.switches.rate_headers) {
            (Api::Rest, _) => rate_headers(self.meter.gauge(at.now), self.switches.x_prefix),
            (Api::Analytics, RateHeaders::RateLimit | RateHeaders::Both) => {
                rate_headers(self.analytics_meter.gauge(at.now), HeaderPrefix::Off)
            }
            (Api::Analytics, RateHeaders::None | RateHeaders::RetryAfter) => Vec::new(),
        }
    }
}

enum Body {
    Empty,
    Json(Value),
    JsonText(String),
    Text(String),
    Html(String),
}

/// What the service answers to a body that does not fit, as it was captured.
fn validation(misfit: &Misfit) -> Value {
    let params =
        misfit.additional.as_ref().map_or_else(|| json!({}), |name| json!({ "additionalProperty": name }));
    let error = json!({ "instancePath": misfit.place, "params": params, "message": misfit.message });
    json!({ "error": { "message": "validation failed", "errors": [error] } })
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
        HeaderPrefix::None => return Vec::new(),
    };
    vec![
        (limit, format!("{0}, {0};window=60", gauge.limit)),
        (remaining, gauge.remaining.to_string()),
        (reset, gauge.reset.to_string()),
    ]
}
