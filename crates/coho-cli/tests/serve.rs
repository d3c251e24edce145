//! `coho serve` from outside: triggers over HTTP as orchestrators send them, changed files, two servers, kills and signals.
//!
//! Each test waits for what a server says or answers, never for time to pass.

#![expect(clippy::unwrap_used, reason = "a scene that cannot be set fails its test, wherever it is set")]

#[path = "stage/stage.rs"]
#[expect(dead_code, reason = "other tests need more of the stage")]
mod stage;
#[path = "stage/server.rs"]
mod server;

use std::sync::atomic::{AtomicUsize, Ordering};

use coho_core::json::Json;
use coho_simulator::{RecordKind, ScriptedFault, Trouble};
use server::{Server, sync_id, token};
use stage::{Failure, Stage};

#[test]
fn a_sync_is_triggered_in_each_way_that_orchestrators_know() {
    let stage = Stage::new().unwrap();
    let may = token(&stage, &["airflow"]);
    let server = Server::start(&stage);
    let sync = sync_id(&server, &may);
    let before = server.get(&format!("/api/v1/syncs/{sync}"), &may);
    assert_eq!(before["status"], "pending");
    assert!(before["lastRunAt"].is_string(), "some clients cannot read null");
    let named = "/api/v1/syncs/trigger";
    let own = format!("/api/v1/syncs/{sync}/trigger");
    let form = "application/x-www-form-urlencoded";
    for (path, kind, body) in [
        (named, form, "syncSlug=accounts".to_owned()),
        (named, form, format!("syncId={sync}")),
        (named, "application/json", r#"{"syncSlug": "accounts", "fullResync": false}"#.to_owned()),
        (own.as_str(), "", String::new()),
        (own.as_str(), "application/json", "{}".to_owned()),
    ] {
        let run = server.trigger(path, &may, kind, &body);
        let ended = server.wait_for(&sync, &run, &may);
        assert_eq!(ended["status"], "success", "{ended}");
        assert!(ended["finishedAt"].is_string());
    }
    let runs = server.get(&format!("/api/v1/syncs/{sync}/runs?limit=100"), &may);
    let counts: Vec<_> = runs["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|run| run["successfulRows"]["addedCount"].as_u64())
        .collect();
    let rows = stage.vitally.count(RecordKind::Account) as u64;
    assert_eq!(counts, [Some(0), Some(0), Some(0), Some(0), Some(rows)], "the newest first");
    let destination =
        server.get(&format!("/api/v1/destinations/{}", before["destinationId"].as_str().unwrap()), &may);
    assert_eq!(destination["type"], "vitally");
    assert_eq!(server.end(), Some(0));
}

#[test]
fn whoever_has_no_token_or_one_that_may_not_is_refused() {
    let stage = Stage::new().unwrap();
    let reader = token(&stage, &["dashboard", "--may", "read"]);
    let server = Server::start(&stage);
    let sync = sync_id(&server, &reader);
    let path = format!("/api/v1/syncs/{sync}/trigger");
    let status = |token: Option<&str>, body: &str| server.send("POST", &path, token, "", body).0;
    assert_eq!(status(None, ""), 401);
    assert_eq!(status(Some("coho_no-such-token"), ""), 401);
    assert_eq!(status(Some(&reader), ""), 403);
    assert_eq!(server.send("GET", "/api/v1/syncs/12345", Some(&reader), "", "").0, 404);
    assert!(stage.coho(["token", "revoke", "dashboard"]).status().unwrap().success());
    assert_eq!(server.send("GET", "/api/v1/syncs", Some(&reader), "", "").0, 401);
    let other = token(&stage, &["airflow"]);
    assert_eq!(status(Some(&other), "["), 422);
    assert_eq!(status(Some(&other), r#"{"fullResync": true}"#), 422);
    assert_eq!(status(Some(&other), &"x".repeat(70_000)), 413);
    assert_eq!(server.send("GET", "/livez", None, "", "").0, 200);
    assert_eq!(server.send("GET", "/readyz", None, "", "").0, 200);
    assert_eq!(stage.vitally.count(RecordKind::Account), 0, "nothing ran");
}

#[test]
fn prometheus_reads_what_runs_of_the_command_did_too() {
    let stage = Stage::new().unwrap();
    let may = token(&stage, &["prometheus", "--may", "read"]);
    assert!(stage.coho(["run"]).status().unwrap().success());
    let server = Server::start(&stage);
    assert_eq!(server.send("GET", "/metrics", None, "", "").0, 401);
    let text = server.text("/metrics", &may);
    let rows = stage.vitally.count(RecordKind::Account);
    for line in [
        format!("coho_rows_total{{sync=\"accounts\",status=\"delivered\"}} {rows}\n"),
        "coho_runs_total{sync=\"accounts\",status=\"success\"} 1\n".to_owned(),
        "coho_requests_open{sync=\"accounts\"} 0\n".to_owned(),
    ] {
        assert!(text.contains(&line), "{line} in\n{text}");
    }
    assert!(text.contains("coho_sync_last_success_timestamp_seconds{sync=\"accounts\"} "), "{text}");
    assert!(text.starts_with("# HELP coho_rows_total ") && !text.contains("# EOF"), "{text}");
    let head = format!(
        "GET /metrics HTTP/1.1\r\nHost: coho\r\nAuthorization: Bearer {may}\r\n\
         Accept: application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5\r\nConnection: close\r\n\r\n"
    );
    let (_, head, open) = server.raw(&head);
    assert!(head.contains("content-type: application/openmetrics-text; version=1.0.0"), "{head}");
    assert!(open.starts_with("# HELP coho_rows ") && open.ends_with("# EOF\n"), "{open}");
    assert!(
        head.contains("cache-control: no-store") && head.contains("x-content-type-options: nosniff"),
        "{head}"
    );
}

#[test]
fn pages_open_for_a_token_that_may_read_as_long_as_it_is_taken() {
    let stage = Stage::new().unwrap();
    stage
        .write(
            "syncs/accounts.yaml",
            std::fs::read_to_string(stage.project().join("syncs/accounts.yaml")).unwrap()
                + "\nschedule: { every: 31d }\n",
        )
        .unwrap();
    let may = token(&stage, &["anna", "--may", "read"]);
    let server = Server::start(&stage);
    let address = &server.address;
    let page = |cookie: &str| {
        let head =
            format!("GET / HTTP/1.1\r\nHost: {address}\r\nCookie: {cookie}\r\nConnection: close\r\n\r\n");
        server.raw(&head)
    };
    let begin = |token: &str| {
        let body = format!("token={token}");
        let length = body.len();
        server.raw(&format!(
            "POST /session HTTP/1.1\r\nHost: {address}\r\nOrigin: http://{address}\r\nContent-Length: {length}\r\n\
             Connection: close\r\n\r\n{body}"
        ))
    };
    let (status, _, door) = page("");
    assert!(status == 401 && door.contains("coho token new"), "{door}");
    assert_eq!(begin("coho_no-such-token").0, 401);
    let (status, head, _) = begin(&may);
    assert_eq!(status, 303, "{head}");
    let cookie =
        head.split("set-cookie: ").nth(1).and_then(|rest| rest.split(';').next()).unwrap().to_owned();
    assert!(!cookie.contains(&may));
    assert_eq!(page(&cookie).0, 200);
    // A page elsewhere whose name was made to lead here does not get in with it.
    let elsewhere =
        format!("GET / HTTP/1.1\r\nHost: evil.example\r\nCookie: {cookie}\r\nConnection: close\r\n\r\n");
    assert_eq!(server.raw(&elsewhere).0, 421);
    // The next time is there as soon as the server has looked at the schedules once.
    let home = loop {
        let home = server.get("/home.json", &may);
        if home["agenda"]["schedules"][0]["next"].is_string() {
            break home;
        }
    };
    assert_eq!(home["agenda"]["schedules"][0]["schedule"], "every 31d", "{home}");
    assert_eq!(home["agenda"]["queue"], serde_json::json!([]));
    assert!(stage.coho(["token", "revoke", "anna"]).status().unwrap().success());
    assert_eq!(page(&cookie).0, 401);
    assert_eq!(server.send("GET", "/home.json", Some(&may), "", "").0, 401);
}

#[test]
fn a_thousand_clients_harm_no_run() {
    may_open_many();
    let stage = Stage::new().unwrap();
    let may = token(&stage, &["airflow"]);
    let mut server = Server::start(&stage);
    let sync = sync_id(&server, &may);
    let begun = "GET /livez HTTP/1.1\r\nHost: coho\r\n";
    let mut held = Vec::new();
    for _ in 0..1_000 {
        let mut stream = std::net::TcpStream::connect(&server.address).unwrap();
        // Half a head: nothing comes back unless there is no room.
        drop(std::io::Write::write_all(&mut stream, begun.as_bytes()));
        held.push(stream);
    }
    let told = || {
        let mut answer = String::new();
        let mut stream = std::net::TcpStream::connect(&server.address).unwrap();
        drop(std::io::Read::read_to_string(&mut stream, &mut answer));
        answer
    };
    while !told().contains("503 Service Unavailable") {}
    // A run that the command makes, and one that the server makes, both get through.
    assert!(stage.coho(["run"]).status().unwrap().success());
    drop(held);
    let run = loop {
        let (status, body) =
            server.send("POST", "/api/v1/syncs/trigger", Some(&may), "", "syncSlug=accounts");
        if status == 200 {
            break body["id"].as_str().unwrap().to_owned();
        }
        assert_eq!(status, 503, "{body}");
    };
    assert_eq!(server.wait_for(&sync, &run, &may)["status"], "success");
    server.signal("TERM");
    server.hear("ended");
    assert_eq!(server.child.wait().unwrap().code(), Some(0));
}

/// Where a process may open 1,024 files only, a thousand connections are too many for this one.
fn may_open_many() {
    let process = std::process::id().to_string();
    // Where there is no such program, the limit is the system's.
    drop(std::process::Command::new("prlimit").args(["--nofile=4096:", "--pid", &process]).output());
}

/// Watches the overview until the server ends it, and counts how often it comes.
fn watch(address: &str, token: &str, seen: &AtomicUsize) {
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    let request = format!(
        "GET / HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\nAccept: text/event-stream\r\n\r\n"
    );
    std::io::Write::write_all(&mut stream, request.as_bytes()).unwrap();
    for line in std::io::BufRead::lines(std::io::BufReader::new(stream)).map_while(Result::ok) {
        if line.contains("event: page") {
            seen.fetch_add(1, Ordering::SeqCst);
        }
    }
}

#[test]
fn two_browsers_an_orchestrator_and_cron_share_one_server() {
    let stage = Stage::empty(std::time::Duration::from_millis(20)).unwrap();
    stage.take_project(&stage::manifest().join("tests/stage/project")).unwrap();
    let may = token(&stage, &["airflow"]);
    let server = Server::start(&stage);
    let sync = sync_id(&server, &may);
    let (address, may) = (server.address.clone(), may.as_str());
    let seen = [const { AtomicUsize::new(0) }; 2];
    std::thread::scope(|scope| {
        for seen in &seen {
            let address = &address;
            scope.spawn(move || watch(address, may, seen));
        }
        let orchestrator = scope.spawn(|| {
            // Until both browsers have seen the overview change twice.
            while seen.iter().any(|pages| pages.load(Ordering::SeqCst) < 3) {
                let run = server.trigger("/api/v1/syncs/trigger", may, "", "syncSlug=accounts");
                assert_eq!(server.wait_for(&sync, &run, may)["status"], "success");
            }
        });
        for _ in 0..4 {
            // 7: another run has the ledger, which is as good as having run.
            let code = stage.coho(["run"]).status().unwrap().code();
            assert!(matches!(code, Some(0 | 7)), "{code:?}");
        }
        orchestrator.join().unwrap();
        // The browsers' streams end with the server.
        server.signal("TERM");
    });
    let listed = stage.coho(["runs", "--json"]).output().unwrap();
    let listed: Json = serde_json::from_slice(&listed.stdout).unwrap();
    let time = |run: &Json| {
        let started: chrono::DateTime<chrono::Utc> = run["started"].as_str().unwrap().parse().unwrap();
        (started, started + chrono::TimeDelta::milliseconds(run["millis"].as_i64().unwrap()))
    };
    let mut times: Vec<_> = listed["runs"].as_array().unwrap().iter().map(time).collect();
    times.sort_unstable();
    assert!(times.len() > 1, "{listed}");
    assert!(times.windows(2).all(|pair| pair[0].1 <= pair[1].0), "no run overlaps another: {times:?}");
}

#[test]
fn the_server_ends_while_a_run_is_under_way_and_somebody_watches() {
    let stage = Stage::empty(std::time::Duration::from_millis(100)).unwrap();
    stage.take_project(&stage::manifest().join("tests/stage/project")).unwrap();
    let may = token(&stage, &["airflow"]);
    let mut server = Server::start(&stage);
    let sync = sync_id(&server, &may);
    let run = server.trigger("/api/v1/syncs/trigger", &may, "", "syncSlug=accounts");
    let mut watching = std::net::TcpStream::connect(&server.address).unwrap();
    let request = format!(
        "GET / HTTP/1.1\r\nHost: coho\r\nAuthorization: Bearer {may}\r\nAccept: text/event-stream\r\n\r\n"
    );
    std::io::Write::write_all(&mut watching, request.as_bytes()).unwrap();
    let mut first = [0; 12];
    std::io::Read::read_exact(&mut watching, &mut first).unwrap();
    assert_eq!(&first, b"HTTP/1.1 200");
    let mut slow = std::net::TcpStream::connect(&server.address).unwrap();
    std::io::Write::write_all(&mut slow, b"POST /api/v1/syncs/trigger HTTP/1.1\r\nHost: coho\r\n").unwrap();
    server.hear("accounts: starts (api)");
    server.signal("TERM");
    server.hear("ended");
    assert_eq!(server.child.wait().unwrap().code(), Some(0));
    let next = Server::start(&stage);
    assert_eq!(next.wait_for(&sync, &run, &may)["status"], "success");
}

#[test]
fn an_address_that_others_can_reach_needs_a_token() {
    let stage = Stage::new().unwrap();
    let refused = stage.coho(["serve", "--listen", "0.0.0.0:0"]).output().unwrap();
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("the project has no token"));
}

#[test]
fn a_run_that_was_killed_is_gone_on_with_by_the_next_server() {
    let stage = Stage::new().unwrap();
    let may = token(&stage, &["airflow"]);
    stage.vitally.script(ScriptedFault::once(Trouble::HangAfterCommit).on("POST", "/resources/accounts"));
    let (sync, run) = {
        let mut server = Server::start(&stage);
        let sync = sync_id(&server, &may);
        let run = server.trigger("/api/v1/syncs/trigger", &may, "", "syncSlug=accounts");
        server.hear("accounts: starts (api)");
        let stuck = || stage.vitally.calls().iter().any(|call| call.method == "POST");
        while !stuck() {
            std::thread::yield_now();
        }
        server.child.kill().unwrap();
        (sync, run)
    };
    let mut server = Server::start(&stage);
    server.hear("continues an interrupted run");
    assert_eq!(server.wait_for(&sync, &run, &may)["status"], "success");
    let posts = stage.vitally.calls().iter().filter(|call| call.method == "POST" && call.committed).count();
    assert_eq!(posts, stage.vitally.count(RecordKind::Account), "no second record");
}

#[test]
fn the_grace_bounds_how_long_a_call_without_an_answer_is_waited_for() {
    let stage = Stage::new().unwrap();
    let may = token(&stage, &["airflow"]);
    stage.vitally.script(ScriptedFault::once(Trouble::HangAfterCommit).on("POST", "/resources/accounts"));
    let mut server = Server::start_with(&stage, &["--grace", "0s"]);
    let run = server.trigger("/api/v1/syncs/trigger", &may, "", "syncSlug=accounts");
    let sync = sync_id(&server, &may);
    server.hear("accounts: starts (api)");
    while !stage.vitally.calls().iter().any(|call| call.method == "POST") {
        std::thread::yield_now();
    }
    server.signal("TERM");
    server.hear("the grace period is over");
    assert_eq!(server.child.wait().unwrap().code(), Some(130));
    let next = Server::start(&stage);
    assert_eq!(next.wait_for(&sync, &run, &may)["status"], "success");
}

#[test]
fn wrong_files_leave_the_old_project_in_force() {
    let stage = Stage::new().unwrap();
    let may = token(&stage, &["airflow"]);
    let mut server = Server::start(&stage);
    let sync = sync_id(&server, &may);
    let path = stage.project().join("syncs/accounts.yaml");
    let right = std::fs::read_to_string(&path).unwrap();
    stage.write("syncs/accounts.yaml", format!("{right}\nschedule: \"0 25 * * *\"\n")).unwrap();
    server.hear("`25` is not an hour");
    server.hear("the server keeps using the old ones");
    let ready = server.send("GET", "/readyz", None, "", "");
    assert_eq!(
        (ready.0, ready.1["project"].as_str()),
        (200, Some("the project's new files have mistakes, so the server keeps using the old ones"))
    );
    let fault = server.get("/home.json", &may)["agenda"]["fault"].to_string();
    assert!(fault.contains("`25` is not an hour"), "{fault}");
    let run = server.trigger("/api/v1/syncs/trigger", &may, "", "syncSlug=accounts");
    assert_eq!(server.wait_for(&sync, &run, &may)["status"], "success");
    stage.write("syncs/accounts.yaml", format!("{right}\nschedule: {{ every: 31d }}\n")).unwrap();
    server.hear("the project changed");
    assert!(server.get("/home.json", &may)["agenda"]["fault"].is_null());
    assert_eq!(server.get(&format!("/api/v1/syncs/{sync}"), &may)["schedule"]["type"], "every 31d");
}

#[test]
fn two_servers_on_one_ledger_run_what_is_asked_for_once() -> Result<(), Failure> {
    let stage = Stage::new()?;
    let may = token(&stage, &["airflow"]);
    let (one, other) = (Server::start(&stage), Server::start(&stage));
    let sync = sync_id(&one, &may);
    let run = one.trigger("/api/v1/syncs/trigger", &may, "", "syncSlug=accounts");
    assert_eq!(other.wait_for(&sync, &run, &may)["status"], "success");
    let second = other.trigger("/api/v1/syncs/trigger", &may, "", "syncSlug=accounts");
    assert_ne!(second, run);
    assert_eq!(one.wait_for(&sync, &second, &may)["status"], "success");
    let runs = stage.coho(["runs", "--json"]).output()?;
    let runs: Json = serde_json::from_slice(&runs.stdout)?;
    assert_eq!(runs["runs"].as_array().map(Vec::len), Some(2), "{runs}");
    Ok(())
}

#[test]
fn a_page_asks_for_a_run_that_waits_in_the_queue() {
    let stage = Stage::new().unwrap();
    let may = token(&stage, &["people"]);
    let reader = token(&stage, &["dashboard", "--may", "read"]);
    let mut server = Server::start_with(&stage, &["--allow-actions"]);
    let page = server.text("/do/run", &may);
    let key = page.split("name=\"form\" value=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    let host = server.address.clone();
    let ask = |token: &str, from: &str, body: &str| {
        let head = format!(
            "POST /do/run HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\nOrigin: {from}"
        );
        server.raw(&format!("{head}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len())).0
    };
    let (form, ours) = (format!("form={key}&sync=accounts"), format!("http://{host}"));
    assert_eq!(ask(&reader, &ours, &form), 403, "who may only read");
    assert_eq!(ask(&may, &ours, "form=guessed&sync=accounts"), 403, "a form that is not ours");
    assert_eq!(ask(&may, "http://elsewhere.example", &form), 403, "a page elsewhere");
    assert_eq!(ask(&may, &ours, &form), 303);
    server.hear("accounts: starts (page)");
    server.hear("accounts: completed");
    let runs = server.get("/runs.json", &may);
    assert_eq!(runs["runs"].as_array().map(Vec::len), Some(1), "{runs:#}");
    assert_eq!(server.end(), Some(0));
}
