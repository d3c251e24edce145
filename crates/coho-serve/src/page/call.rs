//! One call: what was asked and what was answered, side by side.

use coho_core::call::Headers;
use coho_ledger::look::requests::NumberedCall;
use coho_ledger::{Ledger, LedgerError};
use coho_report::words::counted;
use maud::{Markup, html};
use serde::{Deserialize, Serialize};

use super::{Context, elsewhere};
use crate::markup::{json, parts};
use crate::moment::{Moment, took};
use crate::shown::Page;
use crate::target::{self, Target};

/// So many rows of a batch are listed.
const MOST: usize = 500;

/// A call and its rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CallPage {
    call: Exchange,
    /// The rows of a call that was made for several.
    rows: Vec<RowOfCall>,
}

/// A row that a call was made for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct RowOfCall {
    key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    row: Option<i64>,
}

/// A request and its answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Exchange {
    pub(crate) number: i64,
    pub(crate) run: String,
    pub(crate) sync: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    row: Option<i64>,
    pub(crate) at: Moment,
    micros: u64,
    /// Which attempt of the request it was, and what it waited for.
    attempt: u32,
    waited_millis: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    waited_for: Option<String>,
    /// Both in words, where there is something to tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    told: Option<String>,
    method: String,
    /// The address that the path follows; absent in calls that earlier versions made.
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    path: String,
    request_headers: Headers,
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    response_headers: Headers,
    response: String,
    /// Bytes of both bodies that are not kept.
    cut: u64,
    /// The same for a shell; absent where a part is not kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    curl: Option<String>,
}

impl Exchange {
    /// A call of the ledger.
    pub(crate) fn of(call: &NumberedCall) -> Self {
        Self {
            number: call.number,
            attempt: call.call.attempt.number,
            waited_millis: u64::try_from(call.call.attempt.wait.length.as_millis()).unwrap_or(u64::MAX),
            told: coho_report::text::attempt(&call.call),
            waited_for: call.call.attempt.wait.why.map(|why| why.as_str().to_owned()),
            address: call.call.route.as_ref().map(|route| route.address.clone()),
            request_headers: call.call.route.as_ref().map(|route| route.headers.clone()).unwrap_or_default(),
            response_headers: call.call.headers.clone(),
            cut: call.call.request_cut + call.call.response_cut,
            curl: elsewhere::curl(call),
            run: call.run.as_str().to_owned(),
            sync: call.sync.as_str().to_owned(),
            key: call.key.as_ref().map(ToString::to_string),
            row: call.row,
            at: call.call.at.into(),
            micros: call.call.micros,
            method: call.call.method.to_owned(),
            path: call.call.path.clone(),
            request: call.call.request.clone(),
            status: call.call.status,
            response: call.call.response.clone(),
        }
    }

    /// One line that says it all.
    pub(crate) fn line(&self) -> Markup {
        html! {
            span .mono { (self.method) " " (self.path) } " " (parts::answer(self.status)) " "
            span .faint { (took(self.micros)) @if let Some(told) = &self.told { ", " (told) } }
        }
    }

    /// Request and answer side by side.
    pub(crate) fn sides(&self) -> Markup {
        html! {
            div .sides {
                section {
                    h3 { "Request" }
                    p .mono .small { (self.method) " " @if let Some(address) = &self.address { (address) } (self.path) }
                    (headers(&self.request_headers))
                    @match &self.request {
                        Some(body) => { (json::document(body)) }
                        None => { (parts::empty("without a body")) }
                    }
                }
                section {
                    h3 { "Answer " (parts::answer(self.status)) " " span .faint { "after " (took(self.micros)) } }
                    (headers(&self.response_headers))
                    (json::document(&self.response))
                }
            }
            @if let Some(curl) = &self.curl { (elsewhere::show(self.number, curl)) }
            @if self.cut > 0 { p .small .faint { (counted(self.cut, "byte")) " of long bodies are not kept" } }
        }
    }
}

fn headers(headers: &Headers) -> Markup {
    html! {
        @if !headers.is_empty() {
            details .headers {
                summary .small { (counted(headers.len() as u64, "header")) }
                dl .mono .small { @for (name, value) in headers { div { dt { (name) } dd { (value) } } } }
            }
        }
    }
}

/// A call, if there is one with this number.
pub(crate) fn make(_: &Context<'_>, ledger: &Ledger, number: i64) -> Result<Option<CallPage>, LedgerError> {
    let Some(call) = ledger.numbered_call(number)? else { return Ok(None) };
    let rows = ledger.rows_of_request(number, MOST)?;
    let rows = rows.into_iter().map(|(key, row)| RowOfCall { key: key.to_string(), row }).collect();
    Ok(Some(CallPage { call: Exchange::of(&call), rows }))
}

impl Page for CallPage {
    fn title(&self) -> String {
        format!("Call {}", self.call.number)
    }

    fn main(&self) -> Markup {
        let run = target::run(&self.call.run).path();
        let calls = Target::Calls { run: self.call.run.clone() }.path();
        html! {
            p .crumbs { a href="/runs" { "Runs" } " / " a href=(run) { "Run" } " / " a href=(calls) { "Calls" } }
            h1 { (self.call.line()) }
            dl .facts {
                div { dt { "Sent" } dd { (parts::moment_with_utc(&self.call.at)) } }
                div { dt { "Sync" } dd { (self.call.sync) } }
                @if let Some(key) = &self.call.key {
                    div { dt { "Row" } dd { (link(key, self.call.row)) } }
                }
            }
            h2 .visually-hidden { "Request and answer" }
            (self.call.sides())
            @if !self.rows.is_empty() {
                section {
                    h2 { "Rows of this call" }
                    ul .keys { @for row in &self.rows { li { (link(&row.key, row.row)) } } }
                }
            }
        }
    }
}

fn link(key: &str, row: Option<i64>) -> Markup {
    html! {
        @match row {
            Some(number) => { a href=(Target::Row { number }.path()) { (key) } }
            None => { (key) }
        }
    }
}
