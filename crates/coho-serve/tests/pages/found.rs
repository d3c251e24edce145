//! Finding rows: what is searched is in no address, an export has all that the filters choose, and filters select.

use crate::stage::{COOKIE, Failure, Served, Stage};

/// A stage with a run of two accounts and two users, one of which begins a formula.
async fn ran() -> Result<(Stage, Served), Failure> {
    let stage = Stage::new().await?;
    stage.sql("UPDATE users SET id = '=HYPERLINK(1)', account = 'a-9' WHERE id = 2")?;
    stage.run().await?;
    let served = stage.serve().await?;
    Ok((stage, served))
}

/// Where a search leads.
async fn searched(served: &Served, form: &str) -> Result<String, Failure> {
    let cookie = format!("Cookie: coho-{}={COOKIE}", served.address.port());
    let origin = format!("Origin: http://{}", served.address);
    let answer = served.ask("POST", "/search", &[&cookie, &origin], form).await?;
    assert_eq!(answer.status, 303);
    Ok(answer.headers.get("location").cloned().unwrap_or_default())
}

#[tokio::test]
async fn a_row_is_found_by_a_value_that_no_address_shows() -> Result<(), Failure> {
    let (_stage, served) = ran().await?;
    let place = searched(&served, "text=ANN%40acme.example").await?;
    assert_eq!(place, "/rows?q=1");
    assert_eq!(
        searched(&served, "text=ann%40acme.example&run=run-000&status=delivered").await?,
        "/runs/run-000/rows?status=delivered&q=2"
    );
    let page = served.page(&place).await?;
    assert!(page.body.contains("href=\"/rows/3\"") && !page.body.contains("href=\"/rows/1\""));
    assert!(served.page("/runs/run-000/rows?q=2&status=delivered").await?.body.contains("ann@acme.example"));
    assert!(served.page("/rows?q=77").await?.body.contains("no longer has this search"));
    let by_key = searched(&served, "text=%3DHYPERLINK(1)").await?;
    assert!(served.page(&by_key).await?.body.contains("With this key"));
    served.end().await
}

#[tokio::test]
async fn an_export_has_all_rows_and_no_formula() -> Result<(), Failure> {
    let (_stage, served) = ran().await?;
    let csv = served.page("/runs/run-000/rows.csv?sync=users").await?;
    assert!(csv.headers.get("content-disposition").is_some_and(|value| value.starts_with("attachment")));
    assert!(csv.body.contains("'=HYPERLINK(1)") && !csv.body.contains("\n=HYPERLINK"), "{}", csv.body);
    assert!(
        csv.body.contains("key,status,verb,code,message,run,at") && !csv.body.contains("a-1"),
        "{}",
        csv.body
    );
    let lines = served.page("/runs/run-000/rows.ndjson").await?;
    assert_eq!(lines.body.matches("\"status\"").count(), 4, "{}", lines.body);
    served.end().await
}

#[tokio::test]
async fn an_export_is_as_long_as_the_run() -> Result<(), Failure> {
    let stage = Stage::new().await?;
    let rows: Vec<_> = (10..1_300).map(|number| format!("({number}, 'Account', 'free', 1)")).collect();
    stage.sql(&format!("INSERT INTO accounts VALUES {}", rows.join(", ")))?;
    stage.run().await?;
    let served = stage.serve().await?;
    let csv = served.page("/runs/run-000/rows.csv?sync=accounts").await?;
    assert_eq!(csv.body.matches(",delivered,").count(), 1_292);
    assert_eq!(csv.body.matches("key,status").count(), 1);
    let first = served.page("/runs/run-000/rows?sync=accounts").await?;
    let next = first.body.split("rel=\"next\" href=\"").nth(1).and_then(|rest| rest.split('"').next());
    let next = next.unwrap_or_default().replace("&amp;", "&");
    let second = served.page(&next).await?;
    assert_eq!(second.body.matches("class=\"row\"").count(), 50);
    served.end().await
}

#[tokio::test]
async fn filters_select_and_show_what_they_leave() -> Result<(), Failure> {
    let (_stage, served) = ran().await?;
    let page = served.page("/runs/run-000/rows?status=deferred").await?.body;
    assert!(
        page.contains("href=\"/rows/4\"") && !page.contains("href=\"/rows/3\""),
        "only the user without an account"
    );
    assert!(
        page.contains("aria-current=\"true\">deferred <b>1</b>") && page.contains(">delivered <b>3</b>"),
        "{page}"
    );
    let none = served.page("/runs/run-000/rows?status=invalid").await?.body;
    assert!(none.contains("This run recorded no such rows"));
    served.end().await
}

#[tokio::test]
async fn the_overview_leads_to_rows_that_wait_since_an_earlier_run() -> Result<(), Failure> {
    let (stage, served) = ran().await?;
    stage.run().await?;
    let home = served.page("/").await?.body;
    let place = "/rows?standing=yes&amp;sync=users&amp;cause=1";
    assert!(home.contains(place), "{home}");
    let rows = served.page(&place.replace("&amp;", "&")).await?.body;
    assert!(rows.contains("href=\"/rows/4\"") || rows.contains("href=\"/rows/5\""), "{rows}");
    served.end().await
}
