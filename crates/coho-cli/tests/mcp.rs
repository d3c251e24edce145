//! `coho mcp` as an assistant's program talks to it: JSON-RPC, a line a message.
#![cfg(feature = "mcp")]

#[path = "stage/stage.rs"]
#[expect(dead_code, reason = "other tests need more of the stage")]
mod stage;

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use coho_core::json::Json;

use serde_json::json;
use stage::{Failure, Stage};

/// A server that is talked to.
struct Server {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    number: u64,
}

impl Server {
    /// Starts it, and greets it as the protocol wants.
    fn start(stage: &Stage, arguments: &[&str]) -> Result<Self, Failure> {
        let mut child = stage
            .coho(["mcp"].iter().chain(arguments))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let input = child.stdin.take().ok_or("no standard input")?;
        let output = BufReader::new(child.stdout.take().ok_or("no standard output")?);
        let mut server = Self { child, input, output, number: 0 };
        let client = json!({ "name": "test", "version": "0" });
        let hello = json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client });
        let answered = server.ask("initialize", &hello)?;
        if answered["serverInfo"]["name"] != "coho" {
            return Err(format!("{answered}").into());
        }
        server.say(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }))?;
        Ok(server)
    }

    fn say(&mut self, message: &Json) -> Result<(), Failure> {
        writeln!(self.input, "{message}")?;
        Ok(self.input.flush()?)
    }

    fn ask(&mut self, method: &str, params: &Json) -> Result<Json, Failure> {
        self.number += 1;
        self.say(&json!({ "jsonrpc": "2.0", "id": self.number, "method": method, "params": params }))?;
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        let answer: Json = serde_json::from_str(&line)?;
        if answer["id"] != self.number {
            return Err(format!("{answer} is no answer to {}", self.number).into());
        }
        answer.get("result").cloned().ok_or_else(|| answer.to_string().into())
    }

    /// What a tool answers, and whether that is an error.
    fn call(&mut self, tool: &str, arguments: &Json) -> Result<(String, bool), Failure> {
        let result = self.ask("tools/call", &json!({ "name": tool, "arguments": arguments }))?;
        let text = result["content"][0]["text"].as_str().ok_or("no text")?;
        Ok((text.to_owned(), result["isError"] == true))
    }

    /// The document that a tool answers.
    fn document(&mut self, tool: &str, arguments: &Json) -> Result<Json, Failure> {
        match self.call(tool, arguments)? {
            (text, false) => Ok(serde_json::from_str(&text)?),
            (text, true) => Err(text.into()),
        }
    }

    /// Ends standard input, and gives the exit code.
    fn end(self) -> Result<Option<i32>, Failure> {
        let Self { mut child, input, .. } = self;
        drop(input);
        Ok(child.wait()?.code())
    }
}

/// A stage with a run in which one row is invalid.
fn stage() -> Result<Stage, Failure> {
    let stage = Stage::new()?;
    stage.write(
        "data/accounts.csv",
        "id,name,plan,seats\nacc-1,Alder,growth,42\nacc-2,Birch,starter,dozens\n",
    )?;
    let output = stage.coho(["run"]).output()?;
    if output.status.code() == Some(5) { Ok(stage) } else { Err(format!("{output:?}").into()) }
}

#[test]
fn tools_only_read_and_say_what_they_take() {
    let stage = stage().unwrap();
    let mut server = Server::start(&stage, &[]).unwrap();
    let tools = server.ask("tools/list", &json!({})).unwrap()["tools"].clone();
    let names: Vec<_> = tools.as_array().unwrap().iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["list_syncs", "list_runs", "explain_run", "explain_row", "plan", "preview"]);
    assert!(tools.as_array().unwrap().iter().all(|tool| tool["annotations"]["readOnlyHint"] == true));
    assert_eq!(tools[3]["inputSchema"]["required"], json!(["sync", "key"]));
    let before = std::fs::read(stage.project().join(".coho/ledger.db")).unwrap();
    for (tool, arguments) in [("plan", json!({})), ("preview", json!({ "sync": "accounts" }))] {
        server.document(tool, &arguments).unwrap();
    }
    assert_eq!(std::fs::read(stage.project().join(".coho/ledger.db")).unwrap(), before);
    assert_eq!(server.end().unwrap(), Some(0));
}

#[test]
fn a_run_and_a_row_are_explained() {
    let stage = stage().unwrap();
    let mut server = Server::start(&stage, &[]).unwrap();
    let syncs = server.document("list_syncs", &json!({})).unwrap();
    let last = &syncs["syncs"][0]["last"];
    assert_eq!(
        (&syncs["syncs"][0]["sync"], &last["status"]),
        (&json!("accounts"), &json!("completed-with-errors"))
    );
    let runs = server.document("list_runs", &json!({ "limit": 5 })).unwrap();
    assert_eq!(runs["runs"][0]["counts"]["statuses"], json!({ "delivered": 1, "invalid": 1 }));
    let run = server.document("explain_run", &json!({ "run": runs["runs"][0]["run"] })).unwrap();
    let cause = &run["failures"][0];
    assert_eq!(
        (&cause["code"], &cause["count"], &cause["examples"]),
        (&json!("cast-failed"), &json!(1), &json!(["acc-2"]))
    );
    let row = server.document("explain_row", &json!({ "sync": "accounts", "key": "acc-2" })).unwrap();
    assert_eq!(
        (&row["rows"][0]["status"], &row["rows"][0]["code"]),
        (&json!("invalid"), &json!("cast-failed"))
    );
}

#[test]
fn values_are_given_only_where_they_are_asked_for() {
    let stage = stage().unwrap();
    let calls = [
        ("list_syncs", json!({})),
        ("list_runs", json!({})),
        ("explain_run", json!({})),
        ("explain_row", json!({ "sync": "accounts", "key": "acc-1" })),
        ("explain_row", json!({ "sync": "accounts", "key": "acc-2" })),
        ("plan", json!({})),
        ("preview", json!({ "sync": "accounts" })),
    ];
    let all = |server: &mut Server| {
        let answers =
            calls.iter().map(|(tool, arguments)| server.document(tool, arguments).unwrap().to_string());
        answers.collect::<String>()
    };
    let without = all(&mut Server::start(&stage, &[]).unwrap());
    let with = all(&mut Server::start(&stage, &["--show-values"]).unwrap());
    for value in ["Alder", "growth", "dozens"] {
        assert!(!without.contains(value), "{value} is in {without}");
        assert!(with.contains(value), "{value} is not in {with}");
    }
    assert!(without.contains("acc-1") && without.contains("traits.seats"), "{without}");
    assert!(!with.contains(stage::TOKEN), "{with}");
}

#[test]
fn what_is_wrong_is_an_answer_and_the_server_goes_on() {
    let stage = stage().unwrap();
    let mut server = Server::start(&stage, &[]).unwrap();
    let (text, is_error) = server.call("explain_row", &json!({ "sync": "accunts", "key": "1" })).unwrap();
    assert!(is_error && text.contains("did you mean `accounts`?"), "{text}");
    let (text, is_error) = server.call("explain_row", &json!({ "sync": "accounts" })).unwrap();
    assert!(is_error && text.contains("expected text for `key`"), "{text}");
    let (text, is_error) = server.call("explain_run", &json!({ "run": "none" })).unwrap();
    assert!(is_error && text.contains("unknown run `none`"), "{text}");
    assert!(server.document("list_runs", &json!({})).is_ok());
}
