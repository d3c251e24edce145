//! What others write stays text, and stays small: in names of syncs, templates, headers, answers, keys, and cells of exports.

use coho_simulator::{FaultAnswer, ScriptedFault, Trouble};

use crate::stage::{COOKIE, Failure, Served, Stage};
use crate::wire;

/// What a browser must never take for markup.
const HOSTILE: &str = "<script>alert(1)</script><img src=x onerror=alert(2)>";

/// The most bytes that a page may have, whatever a row or an answer has.
const LARGEST: usize = 2_000_000;

/// Fails where a page shows it otherwise than as text.
fn is_text(path: &str, body: &str) {
    assert!(!body.contains("<script>alert") && !body.contains("<img"), "{path}");
    // In a cause, numbers are left out.
    assert!(body.contains("&lt;script&gt;alert("), "{path} does not show it at all");
}

#[tokio::test]
async fn names_of_syncs_and_templates_are_text() -> Result<(), Failure> {
    let sync = |id: &str, template: &str| {
        format!(
            "id: \"{id}\"\nmodel: accounts\nto: vitally\nobject: organization\nmatch: {{ externalId: external }}\n\
             fields: {{ name: {{ template: \"{template}\" }} }}\n"
        )
    };
    for text in [
        sync(HOSTILE, "{{ row.name }}"),
        sync("odd", &format!("{HOSTILE}{{{{ row.name }}}}")),
        sync("odd", &format!("{{{{ {HOSTILE} }}}}")),
    ] {
        let stage = Stage::new().await?;
        stage.file("syncs/odd.yaml", &text);
        let served = stage.serve().await?;
        is_text(&text, &served.page("/project").await?.body);
        served.end().await?;
    }
    Ok(())
}

#[tokio::test]
async fn answers_and_their_headers_are_text() -> Result<(), Failure> {
    let stage = Stage::new().await?;
    stage.run().await?;
    let refused =
        FaultAnswer { body: Some(format!("{{\"message\":\"{HOSTILE}\"}}")), ..FaultAnswer::status(400) };
    stage
        .vitally
        .script(ScriptedFault::once(Trouble::Answer(refused)).on("PUT", "/resources/accounts/*").times(100));
    stage.sql("UPDATE accounts SET seats = 7")?;
    stage.run().await?;
    let ledger = rusqlite::Connection::open(stage.folder.path().join("ledger.db"))?;
    let headers = format!("{{\"x-{HOSTILE}\":\"{HOSTILE}\"}}");
    ledger
        .execute("UPDATE calls SET response_headers = ?1, path = path || ?2", [headers.as_str(), HOSTILE])?;
    ledger.execute(
        "UPDATE endpoints SET headers = ?1, address = address || ?2 || id",
        [headers.as_str(), HOSTILE],
    )?;
    let served = stage.serve().await?;
    let call = ledger.query_row("SELECT max(id) FROM calls", [], |row| row.get::<_, i64>(0))?;
    let row = ledger.query_row("SELECT max(id) FROM fates", [], |row| row.get::<_, i64>(0))?;
    let (call, row) = (format!("/calls/{call}"), format!("/rows/{row}"));
    for path in
        ["/", "/runs/run-001", "/runs/run-001/rows", "/runs/run-001/calls", "/rows?standing=yes", &row, &call]
    {
        is_text(path, &served.page(path).await?.body);
    }
    served.end().await
}

#[tokio::test]
async fn no_cell_of_an_export_is_a_formula() -> Result<(), Failure> {
    let stage = Stage::new().await?;
    let keys = ["=1+1", "+1", "-1+1", "@SUM(1)", "\t=1", "\r=1", "\"=1", "a,=1", "a\n=1"];
    for key in keys {
        let database = rusqlite::Connection::open(stage.folder.path().join("app.db"))?;
        database.execute("INSERT INTO users VALUES (?1, 'Odd', 'a-9', NULL)", [key])?;
    }
    stage.run().await?;
    let served = stage.serve().await?;
    let csv = served.page("/runs/run-000/rows.csv?sync=users").await?;
    assert_eq!(csv.headers.get("content-type").map(String::as_str), Some("text/csv; charset=utf-8"));
    let mut reader = csv::ReaderBuilder::new().from_reader(csv.body.as_bytes());
    let cells: Vec<String> = reader
        .records()
        .collect::<Result<Vec<_>, _>>()?
        .iter()
        .flat_map(|record| record.iter().map(str::to_owned).collect::<Vec<_>>())
        .collect();
    // A number with a sign is a number.
    let is_formula =
        |cell: &String| cell.starts_with(['=', '+', '-', '@', '\t', '\r']) && cell.parse::<f64>().is_err();
    assert!(!cells.iter().any(is_formula), "{cells:?}");
    for key in keys {
        assert!(
            cells.iter().any(|cell| cell.strip_prefix('\'').unwrap_or(cell) == key),
            "{key:?} in {cells:?}"
        );
    }
    served.end().await
}

#[tokio::test]
async fn ten_megabytes_make_no_large_page() -> Result<(), Failure> {
    let stage = Stage::new().await?;
    let many = "x<".repeat(5_000_000);
    let refused =
        FaultAnswer { body: Some(format!("{{\"message\":\"{many}\"}}")), ..FaultAnswer::status(400) };
    stage.vitally.script(ScriptedFault::once(Trouble::Answer(refused)));
    let database = rusqlite::Connection::open(stage.folder.path().join("app.db"))?;
    database.execute("UPDATE accounts SET name = ?1 WHERE id = 2", [&many])?;
    stage.run().await?;
    let served = stage.serve().await?;
    for path in [
        "/",
        "/runs/run-000",
        "/runs/run-000/rows",
        "/runs/run-000/calls",
        "/rows",
        "/rows/1",
        "/rows/2",
        "/calls/1",
        "/calls/2",
    ] {
        let page = served.page(path).await?;
        assert_eq!(page.status, 200, "{path}");
        assert!(page.body.len() < LARGEST, "{path} has {} bytes", page.body.len());
    }
    served.end().await
}

#[tokio::test]
async fn ten_megabytes_are_not_taken() -> Result<(), Failure> {
    let stage = Stage::new().await?;
    stage.run().await?;
    let served = stage.serve().await?;
    for (path, field) in [("/session", "token"), ("/search", "text")] {
        let status = posted(&served, path, &format!("{field}={}", "x".repeat(10_000_000))).await;
        // The server may end the connection before it has read all of it.
        assert!(status.is_none_or(|status| status == 400 || status == 413), "{path}: {status:?}");
    }
    assert_eq!(served.page("/").await?.status, 200);
    served.end().await
}

async fn posted(served: &Served, path: &str, body: &str) -> Option<u16> {
    let cookie = format!("Cookie: coho-{}={COOKIE}", served.address.port());
    let origin = format!("Origin: http://{}", served.address);
    let answer = served.ask("POST", path, &[&cookie, &origin], body).await;
    answer.ok().map(|answer| answer.status)
}

#[tokio::test]
async fn odd_requests_get_no_page() -> Result<(), Failure> {
    let stage = Stage::new().await?;
    stage.run().await?;
    let served = stage.serve().await?;
    let port = served.address.port();
    let cookie = format!("Cookie: coho-{port}={COOKIE}");
    for path in [
        "/%00",
        "/runs/%00",
        "/..%5cledger.db",
        "/%252e%252e/ledger.db",
        "/coho.css/..",
        "//coho.js/",
        "/rows/9223372036854775808",
        "/runs/run-000/rows/../../../ledger.db",
    ] {
        assert_eq!(served.page(path).await?.status, 404, "{path}");
    }
    let heads = [
        format!("GET / HTTP/1.1\r\n{cookie}\r\n"),
        format!("GET / HTTP/1.1\r\nHost: localhost.:{port}\r\n{cookie}\r\n"),
        format!("GET / HTTP/1.1\r\nHost: me@localhost:{port}\r\n{cookie}\r\n"),
        format!("GET / HTTP/1.1\r\nHost: localhost:{port}@evil.example\r\n{cookie}\r\n"),
        format!("GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\n{cookie}\r\n"),
        format!("CONNECT localhost:{port} HTTP/1.1\r\nHost: localhost:{port}\r\n{cookie}\r\n"),
    ];
    for head in heads {
        let answer = wire::raw(served.address, &format!("{head}Connection: close\r\n\r\n")).await?;
        assert!(answer.status >= 400 && !answer.body.contains("accounts"), "{head}: {}", answer.status);
    }
    for origin in ["Origin: http://evil.example", "Origin: null", "X-None: 1"] {
        assert_eq!(
            served.ask("POST", "/search", &[&cookie, origin], "text=Acme").await?.status,
            403,
            "{origin}"
        );
    }
    served.end().await
}
