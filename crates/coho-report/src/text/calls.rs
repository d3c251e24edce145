//! The calls that were made for one key: what was asked, what was answered, and how long it took.

use coho_core::verdict::Call;

use super::detail::for_what;
use crate::style::{Style, Tone};
use crate::words::{clip, tame, time};

/// The most characters of a body that are shown.
const LONGEST: usize = 600;

/// Calls in their order, each with its request and its answer. Empty where there are none.
pub fn calls(calls: &[Call], style: &Style) -> String {
    calls.iter().map(|call| one(call, style)).collect()
}

fn one(call: &Call, style: &Style) -> String {
    let status = call.status.map_or_else(|| "no answer".to_owned(), |status| status.to_string());
    let tone = if call.status.is_some_and(|status| status < 400) { Tone::Good } else { Tone::Bad };
    let at = call.at.format("%Y-%m-%d %H:%M:%S%.3fZ");
    let head = format!("{} {}", call.method, tame(&call.path));
    let took = format!("{:.1} ms", micros(call.micros));
    let mut text = format!("{at}  {head} → {}  {took}\n", style.paint(tone, &status));
    if let Some(told) = attempt(call) {
        text.extend(["  ", &told, "\n"]);
    }
    for (arrow, body) in [("→", call.request.as_deref()), ("←", Some(call.response.as_str()))] {
        if let Some(body) = body.filter(|body| !body.is_empty()) {
            text.extend(["  ", &style.paint(Tone::Faint, arrow), " ", &clip(&tame(body), LONGEST), "\n"]);
        }
    }
    text
}

/// Which attempt it was, and what it waited for, where there is something to tell.
pub fn attempt(call: &Call) -> Option<String> {
    let wait = call.attempt.wait;
    let millis = u64::try_from(wait.length.as_millis()).unwrap_or(u64::MAX);
    let waited = wait.why.filter(|_| millis >= 100);
    let waited = waited.map(|why| format!("after {} for {}", time(millis), for_what(why)));
    let number = (call.attempt.number > 1).then(|| format!("attempt {}", call.attempt.number));
    let parts: Vec<_> = number.into_iter().chain(waited).collect();
    Some(parts.join(", ")).filter(|told| !told.is_empty())
}

fn micros(micros: u64) -> f64 {
    f64::from(u32::try_from(micros).unwrap_or(u32::MAX)) / 1_000.0
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use coho_core::call::{Attempt, Headers, Wait, WaitWhy};

    use super::*;

    #[test]
    fn a_call_shows_both_bodies() {
        let call = Call {
            at: coho_core::time::Time::UNIX_EPOCH,
            micros: 1_250,
            route: None,
            method: "PUT",
            path: "/resources/accounts/acme".to_owned(),
            attempt: Attempt { number: 2, wait: Wait::new(Duration::from_millis(750), WaitWhy::Backoff) },
            request: Some(r#"{"name":"Acme"}"#.to_owned()),
            status: Some(400),
            headers: Headers::new(),
            response: r#"{"error":"no"}"#.to_owned(),
            request_cut: 0,
            response_cut: 0,
        };
        insta::assert_snapshot!(calls(&[call], &Style::default()), @r#"
        1970-01-01 00:00:00.000Z  PUT /resources/accounts/acme → 400  1.2 ms
          attempt 2, after 0.7 s for another attempt
          → {"name":"Acme"}
          ← {"error":"no"}
        "#);
    }
}
