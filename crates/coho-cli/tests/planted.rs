//! Every secret of a project, in every encoding, looked for in everything: what these verbs print, every file that is written, what is
//! packed in the ledger, plans and approved plans, alerts, webhooks and lineage as they arrive, every page of the debugger with its JSON
//! twin, what the server answers, and all snapshots of this repository.

#![expect(clippy::unwrap_used, reason = "a scene that cannot be set fails its test, wherever it is set")]

#[path = "stage/stage.rs"]
#[expect(dead_code, reason = "other tests need more of the stage")]
mod stage;

#[path = "stage/server.rs"]
#[expect(dead_code, reason = "other tests need more of it")]
mod server;

use std::collections::{BTreeSet, VecDeque};
use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::Stdio;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use coho_simulator::{FaultAnswer, ScriptedFault, Trouble};
use coho_testkit::Receiver;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use server::{Server, sync_id, token};
use stage::{ANALYTICS_TOKEN, Stage, TOKEN};

/// A password as it is, with characters that every encoding writes otherwise.
const PASSWORD: &str = "w&rehouse/p<ss>\"w+rd";

/// The same as an address has it.
const PASSWORD_IN_URL: &str = "w%26rehouse%2Fp%3Css%3E%22w%2Brd";

/// What signs messages to webhooks.
const SIGNING: &str = "signing-secret-of-the-hook";

/// What a server of lineage is asked with.
const LINEAGE: &str = "key-of-the-lineage-server";

const SECRETS: [&str; 5] = [TOKEN, ANALYTICS_TOKEN, PASSWORD, SIGNING, LINEAGE];

/// The forms of a secret that text can have.
fn texts(secret: &str) -> BTreeSet<String> {
    let hex: String = secret.bytes().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    });
    let url: String = secret.bytes().fold(String::new(), |mut url, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            url.push(char::from(byte));
        } else {
            write!(url, "%{byte:02X}").unwrap();
        }
        url
    });
    let json = serde_json::Value::from(secret).to_string();
    let html = secret.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    let mut texts = BTreeSet::from([
        secret.to_owned(),
        json.trim_matches('"').to_owned(),
        html,
        url.replace("%20", "+"),
        url.to_lowercase(),
        url,
        hex.to_uppercase(),
        hex,
        STANDARD_NO_PAD.encode(secret),
        STANDARD_NO_PAD.encode(format!("{secret}:")),
        STANDARD_NO_PAD.encode(format!("user:{secret}")),
        STANDARD_NO_PAD.encode(format!("me:{secret}")),
        STANDARD_NO_PAD.encode(format!("x:{secret}")),
        URL_SAFE_NO_PAD.encode(secret),
    ]);
    texts.retain(|text| text.len() > 4);
    texts
}

/// What is looked for: the texts, and the secret in two bytes a character.
fn needles() -> Vec<(String, Vec<u8>)> {
    let mut needles = Vec::new();
    for secret in SECRETS {
        // What depends on the characters beside it ends the needle early.
        needles.extend(texts(secret).into_iter().map(|text| {
            let short = text.len().saturating_sub(3).max(5).min(text.len());
            let bytes = text.as_bytes()[..short].to_vec();
            (text, bytes)
        }));
        // In base64 a text has three forms: by what stands before it, of which some letters tell too.
        for (before, mixed) in [("", 0), ("x", 2), ("xx", 3)] {
            let text = STANDARD_NO_PAD.encode(format!("{before}{secret}"));
            let inner = text.as_bytes()[mixed..text.len() - 3].to_vec();
            needles.push((format!("{secret} in base64 behind {}", before.len()), inner));
        }
        let little: Vec<u8> = secret.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = secret.encode_utf16().flat_map(u16::to_be_bytes).collect();
        needles.extend([(format!("{secret} in UTF-16"), little), (format!("{secret} in UTF-16BE"), big)]);
    }
    needles
}

/// A scan for all of them.
struct Scan(Vec<(String, Vec<u8>)>);

impl Scan {
    fn assert_clean(&self, place: &str, bytes: &[u8]) {
        for (name, needle) in &self.0 {
            let found = bytes.windows(needle.len()).position(|window| window == needle);
            if let Some(at) = found {
                let around = &bytes[at.saturating_sub(60)..(at + needle.len() + 60).min(bytes.len())];
                panic!("{place} has `{name}`: …{}…", String::from_utf8_lossy(around));
            }
        }
    }

    /// All files below a folder, but those that a person wrote.
    fn folder(&self, folder: &Path, written: &[&str]) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_dir() {
                self.folder(&path, written);
            } else if !written.contains(&name.as_str()) {
                self.assert_clean(&path.display().to_string(), &fs::read(&path).unwrap());
            }
        }
    }

    /// What is packed in the ledger.
    fn packed(&self, ledger: &Path) -> usize {
        let ledger = Connection::open_with_flags(ledger, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
        let mut packed = 0;
        for (table, column) in
            [("calls", "request_zlib"), ("calls", "response_zlib"), ("fates", "fields_zlib")]
        {
            let mut statement = ledger.prepare(&format!("SELECT {column} FROM {table}")).unwrap();
            let mut rows = statement.query([]).unwrap();
            while let Some(row) = rows.next().unwrap() {
                let ValueRef::Blob(bytes) = row.get_ref(0).unwrap() else { continue };
                let mut text = Vec::new();
                flate2::read::ZlibDecoder::new(bytes).read_to_end(&mut text).unwrap();
                self.assert_clean(&format!("{table}.{column}"), &text);
                packed += 1;
            }
        }
        packed
    }
}

/// A project with every kind of secret, whose Vitally repeats all of them in all forms.
fn scene(hook: &Receiver) -> Stage {
    let mut stage = Stage::new().unwrap();
    stage.set("WAREHOUSE_URL", &format!("postgres://me:{PASSWORD_IN_URL}@127.0.0.1:1/warehouse"));
    stage.set("SIGNING", SIGNING);
    stage.set("OPENLINEAGE_URL", &hook.url());
    stage.set("OPENLINEAGE_API_KEY", LINEAGE);
    // The hook is at another name than the debugger: its address is a secret as a whole, with all that begins so.
    stage
        .write(
            "coho.yaml",
            format!(
                "project: acme\nsources:\n  files: {{ type: files, path: data }}\n  \
                 warehouse: {{ type: postgres, url: \"${{WAREHOUSE_URL}}\" }}\n\
                 destinations:\n  vitally: {{ type: vitally, base_url: \"${{VITALLY_URL}}\", rest_token: \"${{VITALLY_TOKEN}}\", \
                 analytics_token: \"${{ANALYTICS_TOKEN}}\", concurrency: 1 }}\n\
                 alerts: {{ to: {{ hook: {{ type: webhook, url: \"{hook}/${{SIGNING}}\", secrets: \"${{SIGNING}}\" }} }} }}\n\
                 webhooks: {{ life: {{ url: \"{hook}/${{SIGNING}}\", secrets: \"${{SIGNING}}\" }} }}\n",
                hook = hook.url().replace("127.0.0.1", "localhost")
            ),
        )
        .unwrap();
    stage.write("models/people.yaml", "source: warehouse\ntable: people\nprimary_key: id\n").unwrap();
    let people = "id: people\nmodel: people\nto: vitally\nobject: user\nmatch: { externalId: id }\nfields:\n  name: name\n  \
                  email: email\n  accountIds: { column: account, lookup: account.externalId }\n";
    stage.write("syncs/people.yaml", people).unwrap();
    let all: Vec<String> = SECRETS.iter().flat_map(|secret| texts(secret)).collect();
    let body = serde_json::json!({ "error": all.join(" and "), "padding": "x".repeat(700) }).to_string();
    let answer = FaultAnswer { status: 422, body: Some(body), retry_after: None };
    stage
        .vitally
        .script(ScriptedFault::once(Trouble::Answer(answer)).on("POST", "/resources/accounts").times(1_000));
    hook.answer_next(&[403; 400]);
    stage
}

const VERBS: [&[&str]; 24] = [
    &["check"],
    &["check", "--json"],
    &["plan"],
    &["plan", "--json"],
    &["plan", "accounts", "-o", "approved.plan"],
    &["run", "-vv"],
    &["run", "--json"],
    &["run", "accounts", "--plan", "approved.plan", "--json"],
    &["run", "--log-format", "json", "-vv"],
    &["preview", "accounts"],
    &["preview", "people"],
    &["adopt", "accounts"],
    &["retry", "accounts", "--json"],
    &["rows", "accounts", "--as", "csv"],
    &["rows", "accounts", "--key", "acc-1", "--json"],
    &["runs", "--json"],
    &["alerts"],
    &["alerts", "test"],
    &["traits", "account"],
    &["runs", "--failures"],
    &["baseline", "people"],
    &["dbt", "exposures"],
    &["purge", "accounts", "--key", "acc-1", "--yes"],
    &["forget", "people", "--yes", "--json"],
];

/// Files that this test wrote, secrets or not.
const WRITTEN: [&str; 1] = ["coho.yaml"];

#[test]
fn no_secret_is_anywhere_in_any_encoding() {
    let scan = Scan(needles());
    let hook = Receiver::start().unwrap();
    let stage = scene(&hook);
    for arguments in VERBS {
        let told = stage.coho(arguments).env("RUST_LOG", "trace").output().unwrap();
        let name = arguments.join(" ");
        scan.assert_clean(&format!("stdout of {name}"), &told.stdout);
        scan.assert_clean(&format!("stderr of {name}"), &told.stderr);
    }
    // The project is one that Coho takes: otherwise no verb would come to anything.
    assert!(stage.coho(["check", "--offline"]).status().unwrap().success());
    let pages = crawl(&stage, &scan);
    assert!(pages > 10, "only {pages} pages were found");
    scan.folder(stage.folder(), &WRITTEN);
    assert!(scan.packed(&stage.project().join(".coho/ledger.db")) > 0, "nothing long enough to be packed");
    serve(&stage, &scan);
    scan.folder(stage.folder(), &WRITTEN);
    let arrived = hook.take();
    for told in ["alert.", "sync.", "eventType"] {
        assert!(arrived.iter().any(|one| one.body.contains(told)), "nobody was told of `{told}`");
    }
    for one in &arrived {
        scan.assert_clean("a message", &one.bytes);
    }
    // The secrets were there to be found: Vitally and the hook got them.
    assert!(stage.vitally.calls().len() > 3);
    assert!(arrived.iter().any(|arrived| arrived.path.contains(SIGNING)));
}

/// What the server answers to programs, about a run that it made.
fn serve(stage: &Stage, scan: &Scan) {
    let may = token(stage, &["orchestrator"]);
    let server = Server::start(stage);
    let sync = sync_id(&server, &may);
    let run = server.trigger(&format!("/api/v1/syncs/{sync}/trigger"), &may, "", "");
    let ended = server.wait_for(&sync, &run, &may);
    scan.assert_clean("the run that was triggered", ended.to_string().as_bytes());
    let runs = format!("/api/v1/syncs/{sync}/runs?limit=100");
    for path in ["/metrics", "/openapi.json", "/api/v1/syncs", runs.as_str(), "/", "/runs"] {
        scan.assert_clean(path, server.text(path, &may).as_bytes());
    }
    server.end();
}

/// All pages of the debugger that links lead to, with their JSON twins. Gives how many.
fn crawl(stage: &Stage, scan: &Scan) -> usize {
    let mut command = stage.coho(["debug", "--no-open"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut said = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut said).unwrap();
    let (url, token) = said.trim().split_once("/#").unwrap();
    let host = url.trim_start_matches("http://");
    let mut waiting: VecDeque<String> = ["/", "/home.json", "/runs.csv"].map(str::to_owned).into();
    let mut seen: BTreeSet<String> = waiting.iter().cloned().collect();
    let mut read = 0;
    while let Some(path) = waiting.pop_front() {
        let body = page(host, token, &path);
        scan.assert_clean(&format!("the page {path}"), &body);
        read += 1;
        let text = String::from_utf8_lossy(&body).into_owned();
        for link in text.split("href=\"/").skip(1).filter_map(|rest| rest.split('"').next()) {
            let link = format!("/{}", link.split('#').next().unwrap_or_default().replace("&amp;", "&"));
            let twin = format!("{}.json", link.split('?').next().unwrap_or_default());
            for found in [link, twin] {
                if !found.contains("/assets/") && seen.len() < 250 && seen.insert(found.clone()) {
                    waiting.push_back(found);
                }
            }
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
    read
}

fn page(host: &str, token: &str, path: &str) -> Vec<u8> {
    let mut stream = TcpStream::connect(host).unwrap();
    let head = format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    answer
}

#[test]
fn no_snapshot_of_the_repository_has_a_secret_of_the_stage() {
    let scan = Scan(needles());
    let root = stage::manifest().join("../..");
    let mut snapshots = 0;
    let mut folders = vec![root.join("crates"), root.join("docs"), root.join("fixtures")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "snap") {
                scan.assert_clean(&path.display().to_string(), &fs::read(&path).unwrap());
                snapshots += 1;
            }
        }
    }
    assert!(snapshots > 100, "only {snapshots} snapshots were found");
}

#[test]
fn every_form_of_a_password_is_found() {
    let scan = Scan(needles());
    // Each was made by other programs.
    for form in [
        r#"w&rehouse/p<ss>"w+rd"#,
        r#"w&rehouse/p<ss>\"w+rd"#,
        "w%26rehouse%2Fp%3Css%3E%22w%2Brd",
        "w%26rehouse%2fp%3css%3e%22w%2brd",
        "w&amp;rehouse/p&lt;ss&gt;&quot;w+rd",
        "77267265686f7573652f703c73733e22772b7264",
        "77267265686F7573652F703C73733E22772B7264",
        "dyZyZWhvdXNlL3A8c3M+IncrcmQ=",
        "dyZyZWhvdXNlL3A8c3M-IncrcmQ",
        "dXNlcjp3JnJlaG91c2UvcDxzcz4idytyZA==",
        "bWU6dyZyZWhvdXNlL3A8c3M+IncrcmQ=",
        "eDp3JnJlaG91c2UvcDxzcz4idytyZA==",
        "w\0&\0r\0e\0h\0o\0u\0s\0e\0/\0p\0<\0s\0s\0>\0\"\0w\0+\0r\0d\0",
    ] {
        let within = format!("before {form} after");
        let is_found = scan
            .0
            .iter()
            .any(|(_, needle)| within.as_bytes().windows(needle.len()).any(|window| window == needle));
        assert!(is_found, "{form:?}");
    }
}
