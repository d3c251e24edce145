//! The fault classes of the network and of Vitally: what is done to which calls.

use super::proxy::{Mischief, Script, Struck, answer};

/// A class of faults between Coho and Vitally.
pub(crate) struct Network {
    pub(crate) name: &'static str,
    pub(crate) what: &'static str,
    /// Whether it takes a minute, because a time-out is waited for.
    pub(crate) is_slow: bool,
    pub(crate) script: Script,
}

/// The spellings in which servers say when to come back, and none.
const SPELLINGS: [&[(&str, &str)]; 8] = [
    &[("Retry-After", "1")],
    &[("retry-after", "0")],
    &[("RateLimit-Limit", "1000"), ("RateLimit-Remaining", "0"), ("RateLimit-Reset", "1")],
    &[("X-RateLimit-Limit", "1000"), ("X-RateLimit-Remaining", "0"), ("X-RateLimit-Reset", "1")],
    &[("X-Rate-Limit-Limit", "1000"), ("X-Rate-Limit-Remaining", "0"), ("X-Rate-Limit-Reset", "1")],
    &[("RateLimit", "limit=1000, remaining=0, reset=1")],
    &[("RateLimit", "\"default\";r=0;t=1"), ("RateLimit-Policy", "\"default\";q=1000;w=60")],
    &[("Retry-After", "soon"), ("RateLimit-Reset", "never")],
];

const ERROR: &str = r#"{"error":"it is not you"}"#;

/// All of them.
pub(crate) fn classes() -> Vec<Network> {
    let mut classes = refusals();
    classes.extend(broken_connections());
    classes.extend(replies());
    classes.extend(lies());
    classes
}

fn class(
    name: &'static str,
    what: &'static str,
    struck: Struck,
    times: usize,
    mischief: Vec<Mischief>,
) -> Network {
    Network { name, what, is_slow: false, script: Script { struck, skip: 1, times, mischief } }
}

fn slow(class: Network) -> Network {
    Network { is_slow: true, ..class }
}

fn refusals() -> Vec<Network> {
    let refused = |headers: &[(&str, &str)]| Mischief::Answer(answer("429 Too Many Requests", headers, "{}"));
    vec![
        class(
            "429-storm",
            "429 with every spelling of the rate's headers, in turn, two calls of three",
            Struck::All,
            12,
            SPELLINGS
                .chunks(2)
                .flat_map(|pair| pair.iter().map(|headers| refused(headers)).chain([Mischief::Pass]))
                .collect(),
        ),
        slow(class("429-bare", "429 without a header", Struck::All, 2, vec![refused(&[])])),
        class(
            "5xx-before",
            "500, 502, 503, 504; nothing was written",
            Struck::Writes,
            8,
            failures(Mischief::Answer),
        ),
        class(
            "5xx-after",
            "500, 502, 503, 504; the write was made",
            Struck::Writes,
            8,
            failures(Mischief::AnswerAfter),
        ),
        class(
            "5xx-reads",
            "503 to reads",
            Struck::Reads,
            6,
            vec![Mischief::Answer(answer("503 Service Unavailable", &[], ERROR))],
        ),
    ]
}

/// Answers of a server, or of what is before it, that does not work.
fn failures(mischief: fn(Vec<u8>) -> Mischief) -> Vec<Mischief> {
    let all =
        ["500 Internal Server Error", "502 Bad Gateway", "503 Service Unavailable", "504 Gateway Timeout"];
    all.map(|status| mischief(answer(status, &[], ERROR))).into()
}

fn broken_connections() -> Vec<Network> {
    vec![
        class("reset-before", "closed before the call was read", Struck::All, 6, vec![Mischief::ResetBefore]),
        class(
            "reset-during",
            "closed within the answer's head",
            Struck::Writes,
            6,
            vec![Mischief::ResetDuring],
        ),
        class(
            "reset-after",
            "closed without an answer to a write that was made",
            Struck::Writes,
            6,
            vec![Mischief::ResetAfter],
        ),
        class("truncated", "closed within the answer's body", Struck::Writes, 6, vec![Mischief::HalfBody]),
        class("slow-drip", "an answer a few bytes at a time", Struck::All, 6, vec![Mischief::Drip]),
        slow(class(
            "time-out-before",
            "no answer; nothing was written",
            Struck::Writes,
            1,
            vec![Mischief::Silence],
        )),
        slow(class(
            "time-out-after",
            "no answer; the write was made",
            Struck::Writes,
            1,
            vec![Mischief::SilenceAfter],
        )),
    ]
}

const JSON: &[(&str, &str)] = &[("Content-Type", "application/json")];

/// Answers that are no answer, to writes that were made.
fn replies() -> Vec<Network> {
    let ok = |body: &str| Mischief::AnswerAfter(answer("200 OK", JSON, body));
    let huge = format!("{{\"id\":\"{}\"}}", "x".repeat(20 << 20));
    let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
    let no_text = [answer("200 OK", &[], "").as_slice(), &[0xff, 0xfe, 0x00]].concat();
    vec![
        class(
            "malformed",
            "200 with half JSON, bytes that are not text, and no body; the write was made",
            Struck::Writes,
            6,
            vec![ok("{\"id\": \"v-1\", "), Mischief::AnswerAfter(no_text), ok("")],
        ),
        class(
            "wrong-types",
            "200 with ids and traits of other types; the write was made",
            Struck::Writes,
            6,
            vec![ok(r#"{"id": 7, "externalId": ["a"], "traits": 3}"#), ok("[]"), ok("null"), ok("\"fine\"")],
        ),
        class(
            "huge",
            "200 with 20 MiB, and with 200,000 brackets; the write was made",
            Struck::Writes,
            4,
            vec![ok(&huge), ok(&deep)],
        ),
    ]
}

/// Answers to writes that were not made: none of them may pass for a success.
fn lies() -> Vec<Network> {
    let lie = |body: &str| Mischief::Answer(answer("200 OK", JSON, body));
    let to = |status: &str, place: &str| Mischief::Answer(answer(status, &[("Location", place)], ""));
    vec![
        class(
            "foreign",
            "200 from a proxy, a login page or another API; nothing was written",
            Struck::Writes,
            6,
            vec![
                lie("<html><body>Please sign in</body></html>"),
                lie(r#"{"status":"ok"}"#),
                lie(r#"{"jsonrpc":"2.0","result":true}"#),
            ],
        ),
        class(
            "lying",
            "2xx that is not a success, or shows another record; nothing was written",
            Struck::Writes,
            6,
            vec![
                lie(r#"{"error":"not saved"}"#),
                lie(r#"{"success":false,"errors":["quota"]}"#),
                lie(r#"{"id":"another","externalId":"another","name":"Another","traits":{}}"#),
                Mischief::Answer(answer("202 Accepted", &[], "{}")),
            ],
        ),
        class(
            "redirects",
            "301, 302, 307 and 308, here and elsewhere; nothing was written",
            Struck::Writes,
            8,
            vec![
                to("301 Moved Permanently", "/resources/accounts"),
                to("302 Found", "http://127.0.0.1:1/elsewhere"),
                to("307 Temporary Redirect", "/resources/accounts"),
                to("308 Permanent Redirect", "http://127.0.0.1:1/elsewhere"),
            ],
        ),
    ]
}
