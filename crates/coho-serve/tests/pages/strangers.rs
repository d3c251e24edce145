//! Who is refused: other names, other origins, no token, old tokens, paths that lead elsewhere, and what rows hold.

use crate::stage::{COOKIE, Failure, KEY, SECRET, Stage};
use crate::wire;

/// What a browser must never take for markup.
const HOSTILE: &str = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'`";

#[tokio::test]
async fn a_name_that_was_made_to_lead_here_opens_nothing() -> Result<(), Failure> {
    let stage = Stage::new().await?;
    let served = stage.serve().await?;
    let port = served.address.port();
    let cookie = format!("Cookie: coho-{port}={COOKIE}");
    for (host, status) in [
        (format!("evil.example:{port}"), 421),
        ("127.0.0.1".to_owned(), 421),
        (format!("127.0.0.1:{port}.evil.example"), 421),
        (format!("localhost:{port}"), 200),
        (format!("[::1]:{port}"), 200),
    ] {
        let answer = served.ask("GET", "/", &[&format!("Host: {host}"), &cookie], "").await?;
        assert_eq!(answer.status, status, "{host}");
    }
    let two = format!(
        "GET / HTTP/1.1\r\nHost: localhost:{port}\r\nHost: evil.example\r\n{cookie}\r\nConnection: close\r\n\r\n"
    );
    assert!(wire::raw(served.address, &two).await?.status >= 400);
    served.end().await
}

#[tokio::test]
async fn without_the_token_there_is_a_door_and_nothing_behind_it() -> Result<(), Failure> {
    let stage = Stage::new().await?;
    stage.run().await?;
    let served = stage.serve().await?;
    let port = served.address.port();
    let old = format!("Cookie: coho-{port}=the-cookie-of-an-earlier-start");
    for headers in [
        vec![],
        vec![old.as_str()],
        vec!["Authorization: Bearer wrong"],
        vec!["Cookie: coho-1=the-cookie-of-the-stage"],
    ] {
        for path in [
            "/",
            "/runs",
            "/runs/run-000",
            "/home.json",
            "/rows/1",
            "/nowhere",
            "/?token=the-token-of-the-stage",
        ] {
            let answer = served.ask("GET", path, &headers, "").await?;
            assert_eq!(answer.status, 401, "{path}");
            assert!(!answer.body.contains("accounts"), "{path}");
        }
        let stream = [headers.clone(), vec!["Accept: text/event-stream"]].concat();
        assert_eq!(served.ask("GET", "/", &stream, "").await?.status, 401);
    }
    let bearer = format!("Authorization: Bearer {KEY}");
    assert_eq!(served.ask("GET", "/home.json", &[&bearer], "").await?.status, 200);
    served.end().await
}

#[tokio::test]
async fn the_token_gives_a_cookie_to_pages_of_ours_only() -> Result<(), Failure> {
    let stage = Stage::new().await?;
    let served = stage.serve().await?;
    let (ours, body) = (format!("Origin: http://{}", served.address), format!("token={KEY}"));
    let post = async |headers: &[&str], body: &str| served.ask("POST", "/session", headers, body).await;
    for origin in ["Origin: http://evil.example", "Origin: null", "X-None: 1"] {
        assert_eq!(post(&[origin], &body).await?.status, 403, "{origin}");
    }
    assert_eq!(post(&[&ours, "Sec-Fetch-Site: cross-site"], &body).await?.status, 403);
    assert_eq!(post(&[&ours], "token=wrong").await?.status, 401);
    let answer = post(&[&ours], &body).await?;
    let cookie = answer.headers.get("set-cookie").cloned().unwrap_or_default();
    assert_eq!(answer.status, 303);
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
    assert!(!cookie.contains(KEY), "the cookie holds another secret than the address");
    served.end().await
}

#[tokio::test]
async fn paths_lead_to_pages_and_nowhere_else() -> Result<(), Failure> {
    let stage = Stage::new().await?;
    stage.run().await?;
    let served = stage.serve().await?;
    for path in [
        "/../ledger.db",
        "/%2e%2e/ledger.db",
        "/coho.js/../../ledger.db",
        "/runs/..%2f..%2fledger.db",
        "/rows/99999",
        "/rows/-1",
    ] {
        assert_eq!(served.page(path).await?.status, 404, "{path}");
    }
    assert_eq!(served.ask("DELETE", "/", &[], "").await?.status, 405);
    served.end().await
}

#[tokio::test]
async fn what_rows_hold_is_text_and_secrets_are_masked() -> Result<(), Failure> {
    let stage = Stage::new().await?;
    let quoted = HOSTILE.replace('\'', "''");
    stage.sql(&format!(
        "UPDATE accounts SET name = '{quoted}', plan = '{SECRET}' WHERE id = 1; UPDATE users SET id = '{quoted}' WHERE id = 1"
    ))?;
    stage.run().await?;
    let served = stage.serve().await?;
    let pages =
        ["/", "/runs", "/runs/run-000", "/runs/run-000/rows", "/runs/run-000/calls"].map(str::to_owned);
    let numbered = (1..=4).flat_map(|number| [format!("/rows/{number}"), format!("/calls/{number}")]);
    let mut shown = String::new();
    for path in pages.into_iter().chain(numbered) {
        for path in [path.clone(), if path == "/" { "/home.json".to_owned() } else { path + ".json" }] {
            let answer = served.page(&path).await?;
            assert_eq!(answer.status, 200, "{path}");
            assert!(!answer.body.contains(SECRET), "{path} shows a secret");
            if path.strip_suffix(".json").is_none() {
                assert!(!answer.body.contains("<script>alert") && !answer.body.contains("<img"), "{path}");
                let title =
                    answer.body.split("<title>").nth(1).and_then(|rest| rest.split("</title>").next());
                assert!(!title.unwrap_or_default().contains("alert"), "{path} has a value in its title");
                let addresses =
                    answer.body.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
                assert!(
                    addresses.clone().all(|address| !address.contains("alert")),
                    "{path} links with a value"
                );
            }
            shown += &answer.body;
        }
    }
    assert!(shown.contains("&lt;script&gt;alert(1)") && shown.contains("***"));
    served.end().await
}

#[tokio::test]
async fn every_answer_forbids_what_is_not_ours() -> Result<(), Failure> {
    let stage = Stage::new().await?;
    let served = stage.serve().await?;
    for path in ["/", "/coho.js", "/coho.css", "/nowhere", "/home.json"] {
        let answer = served.page(path).await?;
        let policy = answer.headers.get("content-security-policy").cloned().unwrap_or_default();
        assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self';"), "{path}");
        assert!(
            !policy.contains("unsafe") && policy.contains("require-trusted-types-for 'script'"),
            "{path}"
        );
        assert_eq!(answer.headers.get("referrer-policy").map(String::as_str), Some("same-origin"), "{path}");
        let kept = if path.starts_with("/coho") { "no-cache" } else { "no-store" };
        assert_eq!(answer.headers.get("cache-control").map(String::as_str), Some(kept), "{path}");
    }
    served.end().await
}
