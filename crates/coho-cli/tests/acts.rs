//! What pages of `coho debug --allow-actions` do, asked for over HTTP as a browser does, and seen from the terminal.
//!
//! Each test waits for what the debugger says or answers, never for time to pass.

#![expect(clippy::unwrap_used, reason = "a scene that cannot be set fails its test, wherever it is set")]

#[path = "stage/stage.rs"]
#[expect(dead_code, reason = "other tests need more of the stage")]
mod stage;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, ChildStderr, Command, Stdio};

use coho_core::json::Json;
use coho_simulator::{FaultAnswer, RecordKind, ScriptedFault, Trouble};
use stage::Stage;

/// A debugger whose pages may act.
struct Debugger {
    child: Child,
    said: BufReader<ChildStderr>,
    address: String,
    token: String,
    /// What forms of its pages carry.
    form: String,
}

impl Debugger {
    fn start(stage: &Stage) -> Self {
        let mut command = stage.coho(["debug", "--allow-actions", "--no-open"]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let (url, token) = line.trim().split_once("/#").unwrap();
        let address = url.trim_start_matches("http://").to_owned();
        let said = BufReader::new(child.stderr.take().unwrap());
        let mut debugger = Self { child, said, address, token: token.to_owned(), form: String::new() };
        let page = debugger.page("/do/run");
        let form = page.split("name=\"form\" value=\"").nth(1).and_then(|rest| rest.split('"').next());
        form.unwrap().clone_into(&mut debugger.form);
        debugger
    }

    /// Waits until it says this, and gives the line.
    fn hear(&mut self, words: &str) -> String {
        loop {
            let mut line = String::new();
            assert_ne!(self.said.read_line(&mut line).unwrap(), 0, "waited in vain for {words:?}");
            if line.contains(words) {
                return line.trim_end().to_owned();
            }
        }
    }

    /// Status, place and body of an answer.
    fn ask(&self, method: &str, path: &str, body: &str) -> (u16, String, String) {
        let (host, token, length) = (&self.address, &self.token, body.len());
        let mut stream = TcpStream::connect(host).unwrap();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\nAuthorization: Bearer {token}\r\n\
             Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let place = head.lines().find_map(|line| line.strip_prefix("location: ")).unwrap_or_default();
        (status, place.to_owned(), body.to_owned())
    }

    fn page(&self, path: &str) -> String {
        let (status, _, body) = self.ask("GET", path, "");
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    fn json(&self, path: &str) -> Json {
        serde_json::from_str(&self.page(path)).unwrap()
    }

    /// Posts a form as one of its pages does.
    fn post(&self, path: &str, fields: &str) -> (u16, String, String) {
        self.ask("POST", path, &format!("form={}&{fields}", self.form))
    }

    /// What the page says to which a form leads.
    fn done(&self, path: &str, fields: &str) -> String {
        let (status, place, body) = self.post(path, fields);
        assert_eq!(status, 303, "{body}");
        self.json(&format!("{place}.json"))["text"].as_str().unwrap().to_owned()
    }

    /// Asks for a run and gives its page, once the run has ended.
    fn ran(&self, path: &str, fields: &str) -> Json {
        let (status, place, body) = self.post(path, fields);
        assert_eq!(status, 303, "{body}");
        loop {
            let page = self.json(&format!("{place}.json"));
            if page["now"].is_null() {
                return page;
            }
        }
    }

    fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").arg(format!("-{name}")).arg(id).status().unwrap().success());
    }
}

impl Drop for Debugger {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Somebody named anna at a machine with the small project.
fn stage() -> Stage {
    let mut stage = Stage::new().unwrap();
    stage.set("USER", "anna");
    stage
}

/// What a command says, on both of its outputs.
fn said(stage: &Stage, arguments: &[&str]) -> String {
    let output = stage.coho(arguments).output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// Vitally refuses the next account with these words.
fn refuse(stage: &Stage, words: &str) {
    let body = Some(format!("{{\"error\":\"{words}\"}}"));
    let answer = FaultAnswer { body, ..FaultAnswer::status(400) };
    stage.vitally.script(ScriptedFault::once(Trouble::Answer(answer)).on("POST", "/resources/accounts"));
}

/// The number of a row's newest status, by its key.
fn number(debugger: &Debugger, run: &str, key: &str) -> i64 {
    let rows = debugger.json(&format!("/runs/{run}/rows.json"));
    let rows = rows["rows"].as_array().unwrap();
    rows.iter().find(|row| row["key"] == key).and_then(|row| row["number"].as_i64()).unwrap()
}

fn run_of(page: &Json) -> String {
    page["head"]["run"].as_str().unwrap().to_owned()
}

#[test]
fn a_run_that_a_page_asks_for_says_who_asked_where_runs_are_listed() {
    let stage = stage();
    let mut debugger = Debugger::start(&stage);
    let page = debugger.ran("/do/run", "sync=accounts");
    assert_eq!(page["sum"]["read"], 3, "{page:#}");
    assert_eq!(stage.vitally.count(RecordKind::Account), 3);
    let told = "started by a person in the debugger of anna on machine: run accounts";
    assert_eq!(page["origin"]["started"][0], told);
    assert!(said(&stage, &["runs", &run_of(&page)]).contains(told));
    assert_eq!(debugger.hear("asked for"), "asked for on a page by anna: coho run accounts");
    debugger.hear("accounts: completed");
}

#[test]
fn one_row_is_forgotten_and_who_asked_is_known_afterwards() {
    let stage = stage();
    let mut debugger = Debugger::start(&stage);
    let run = run_of(&debugger.ran("/do/run", ""));
    let row = number(&debugger, &run, "acc-2");
    assert_eq!(
        debugger.done("/do/forget", &format!("row={row}")),
        "Forgot 1 key: their rows are new to the next run."
    );
    let log = debugger.hear("forget");
    assert_eq!(log, "asked for on a page by anna: coho forget accounts --key '…'", "without the row's key");
    let page = debugger.json(&format!("/rows/{row}.json"));
    assert_eq!(
        (&page["forgotten"][0]["user"], &page["forgotten"][0]["by"]),
        (&"anna".into(), &"debugger".into())
    );
    assert!(page["remembered"].is_null(), "{page:#}");
    let told = said(&stage, &["rows", "accounts", "--key", "acc-2"]);
    assert!(
        told.contains("forgotten on purpose on ") && told.contains(" by anna on machine, on a page"),
        "{told}"
    );
    let plan = said(&stage, &["plan"]);
    assert!(plan.contains("+ acc-2  new-record") && plan.contains("unchanged  2"), "{plan}");
    let text = debugger.done("/do/forget", &format!("row={row}"));
    assert_eq!(text, "Nothing was remembered.");
}

#[test]
fn nothing_is_forgotten_while_a_run_holds_the_ledger() {
    let stage = stage();
    let debugger = Debugger::start(&stage);
    let run = run_of(&debugger.ran("/do/run", ""));
    let row = number(&debugger, &run, "acc-1");
    stage.write("data/accounts.csv", "id,name,plan,seats\nacc-1,Alder,growth,43\n").unwrap();
    stage.vitally.script(ScriptedFault::once(Trouble::HangAfterCommit).on("PUT", "/resources/accounts/*"));
    let mut other = stage.coho(["run"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    while !stage.vitally.calls().iter().any(|call| call.method == "PUT") {
        std::thread::yield_now();
    }
    for (path, fields) in [
        ("/do/forget", format!("row={row}")),
        ("/do/retry", "sync=accounts".to_owned()),
        ("/do/run", "sync=accounts".to_owned()),
    ] {
        let (status, _, body) = debugger.post(path, &fields);
        assert_eq!(status, 409, "{path}: {body}");
        assert!(body.contains("[lease-held]"), "{body}");
    }
    other.kill().unwrap();
    other.wait().unwrap();
    let page = debugger.json(&format!("/rows/{row}.json"));
    assert!(page["forgotten"].is_null() && page["remembered"].is_object(), "{page:#}");
    // The write of that run is open now, and is looked after before anything of the row is forgotten.
    let (status, _, body) = debugger.post("/do/forget", &format!("row={row}"));
    assert!(status == 409 && body.contains("have a write whose result is unknown"), "{body}");
}

#[test]
fn the_rows_of_one_cause_are_retried_and_no_others() {
    let stage = stage();
    refuse(&stage, "name is silly");
    assert!(said(&stage, &["run", "--key", "acc-1"]).contains("1 rejected"));
    refuse(&stage, "plan is odd");
    assert!(said(&stage, &["run", "--key", "acc-2"]).contains("1 rejected"));
    let debugger = Debugger::start(&stage);
    let home = debugger.json("/home.json");
    let causes = home["failing"].as_array().unwrap();
    assert_eq!(causes.len(), 2, "{home:#}");
    let odd = causes.iter().find(|cause| cause["message"] == "plan is odd").unwrap();
    let cause = odd["number"].as_u64().unwrap();
    let page = debugger.ran("/do/retry", &format!("cause={cause}"));
    assert_eq!(page["sum"]["read"], 1, "{page:#}");
    let records = stage.vitally.records(RecordKind::Account);
    let ids: Vec<_> = records.iter().filter_map(|record| record.external_id.as_deref()).collect();
    assert_eq!(ids, ["acc-2"]);
    let started = page["origin"]["started"][0].as_str().unwrap();
    assert!(started.ends_with(&format!(": retry accounts --cause {cause}")), "{started}");
    assert_eq!(
        debugger.done("/do/retry", &format!("cause={cause}")),
        "No rows are waiting: nothing was sent."
    );
    assert!(said(&stage, &["retry", "accounts", "--cause", "refused"]).contains("1 delivered"));
}

#[test]
fn a_project_that_is_wrong_by_now_is_said_and_nothing_is_done() {
    let stage = stage();
    let debugger = Debugger::start(&stage);
    stage.write("syncs/accounts.yaml", "id: accounts\nmodel: nothing\n").unwrap();
    let (status, _, body) = debugger.post("/do/run", "sync=accounts");
    assert!(status == 409 && body.contains("the project’s page says what is wrong"), "{body}");
    assert!(stage.vitally.calls().is_empty());
    let (status, _, body) = debugger.ask("POST", "/do/run", "form=of-an-earlier-start&sync=accounts");
    assert!(status == 403 && body.contains("Nothing was done"), "{body}");
}

#[test]
fn a_run_of_a_page_is_finished_when_the_debugger_ends() {
    let stage = Stage::empty(std::time::Duration::from_millis(50)).unwrap();
    stage.take_project(&stage::manifest().join("tests/stage/project")).unwrap();
    let mut debugger = Debugger::start(&stage);
    let (status, place, _) = debugger.post("/do/run", "");
    assert!(status == 303 && place.starts_with("/runs/"), "{place}");
    debugger.signal("TERM");
    assert_eq!(debugger.child.wait().unwrap().code(), Some(0));
    assert!(stage.coho(["run"]).status().unwrap().success());
    assert_eq!(stage.vitally.count(RecordKind::Account), 3, "each once");
}
