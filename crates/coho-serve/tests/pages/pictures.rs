//! What pages show of three runs: one that sends everything, one with failures, one that mends some.

use crate::stage::{Failure, Served, Stage};

/// Three runs, the second with a refused account and a user that names no account.
async fn told() -> Result<(Stage, Served), Failure> {
    let stage = Stage::new().await?;
    stage.run().await?;
    stage.advance(900);
    stage.sql(
        "UPDATE accounts SET seats = 5 WHERE id = 1;
         INSERT INTO users VALUES (3, 'Cat', 'a-9', 'cat@none.example'), (4, 'Dan', NULL, NULL)",
    )?;
    stage.run().await?;
    stage.advance(900);
    stage.sql("INSERT INTO accounts VALUES (9, 'Nine', 'free', 1)")?;
    stage.run().await?;
    let served = stage.serve().await?;
    Ok((stage, served))
}

/// The page as HTML, a tag a line, and as JSON.
async fn picture(stage: &Stage, served: &Served, path: &str) -> Result<(String, String), Failure> {
    let html = served.page(path).await?;
    let twin = if path == "/" { "/home.json".to_owned() } else { twin(path) };
    let json = served.page(&twin).await?;
    assert_eq!((html.status, json.status), (200, 200), "{path}");
    let main =
        html.body.split("<main").nth(1).and_then(|rest| rest.split("</main>").next()).unwrap_or_default();
    let lines = stage.redacted(&format!("<main{main}").replace("><", ">\n<"));
    Ok((lines, stage.redacted(&json.body)))
}

fn twin(path: &str) -> String {
    match path.split_once('?') {
        Some((path, query)) => format!("{path}.json?{query}"),
        None => format!("{path}.json"),
    }
}

macro_rules! pictures {
    ($($name:ident: $path:literal, $html:literal, $json:literal;)*) => {$(
        #[tokio::test]
        async fn $name() -> Result<(), Failure> {
            let (stage, served) = told().await?;
            let (html, json) = picture(&stage, &served, $path).await?;
            insta::with_settings!({ snapshot_path => "../snapshots", prepend_module_to_snapshot => false, omit_expression => true }, {
                insta::assert_snapshot!($html, html);
                insta::assert_snapshot!($json, json);
            });
            served.end().await
        }
    )*};
}

pictures! {
    home: "/", "home-html", "home-json";
    runs: "/runs", "runs-html", "runs-json";
    run: "/runs/run-001", "run-html", "run-json";
    rows: "/runs/run-001/rows?sync=users", "rows-html", "rows-json";
    standing: "/rows?standing=yes", "standing-html", "standing-json";
    carried: "/runs/run-002/rows?sync=users", "carried-html", "carried-json";
    calls: "/runs/run-001/calls", "calls-html", "calls-json";
    row: "/rows/6", "row-html", "row-json";
    call: "/calls/3", "call-html", "call-json";
    project: "/project", "project-html", "project-json";
}

#[tokio::test]
async fn before_the_first_run_the_overview_says_what_to_do() -> Result<(), Failure> {
    let stage = Stage::new().await?;
    let served = stage.serve().await?;
    let page = served.page("/").await?;
    assert!(page.body.contains("Nothing has run yet") && page.body.contains("coho plan"));
    assert_eq!(served.page("/runs/run-000").await?.status, 404);
    stage.run().await?;
    assert!(served.page("/").await?.body.contains("accounts"), "a ledger that came to be is found");
    served.end().await
}
