//! The playground: typed results, faults with their place, tests to paste, and what somebody may type to do harm.

use coho_core::json::Json;

use crate::stage::{FORM, Failure, SECRET, Served, Stage};

/// What is typed, as a form has it.
fn form(fields: &[(&str, &str)]) -> String {
    let encoded = |text: &str| -> String {
        text.bytes().fold(String::new(), |text, byte| text + &format!("%{byte:02X}"))
    };
    let pairs: Vec<_> = fields.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    pairs.join("&")
}

async fn tried(served: &Served, fields: &[(&str, &str)]) -> Result<Json, Failure> {
    let answer = served.post("/playground.json", &form(fields)).await?;
    assert_eq!(answer.status, 200, "{}", answer.body);
    Ok(serde_json::from_str(&answer.body)?)
}

#[tokio::test]
async fn a_template_gives_typed_values_row_by_row() -> Result<(), Failure> {
    let stage = Stage::new().await?;
    let served = stage.serve().await?;
    let rows = "{\"seats\":4}\n{\"seats\":12345678901234567890.10}";
    let page = tried(&served, &[("text", "{{ row.seats | times: 2 }}"), ("rows", rows)]).await?;
    assert_eq!(page["results"][0]["value"], 8);
    assert_eq!(page["results"][0]["of_type"], "integer");
    assert_eq!(page["results"].as_array().map(Vec::len), Some(2));
    let text = tried(&served, &[("text", "{{ 'now' | date: '%Y' }}"), ("rows", "{}")]).await?;
    assert_eq!(text["results"][0]["value"], "2026", "now is now, not the year of tests");
    served.end().await
}

#[tokio::test]
async fn a_fault_is_shown_with_its_line_and_what_was_meant() -> Result<(), Failure> {
    let stage = Stage::new().await?;
    let served = stage.serve().await?;
    let page =
        tried(&served, &[("text", "one\n{{ row.seast | upcsae }}"), ("rows", "{\"seats\":1}")]).await?;
    let told = page["problems"].to_string();
    assert!(told.contains("template:2:8") && told.contains("did you mean `seats`?"), "{told}");
    assert!(told.contains("did you mean `upcase`?") && page["test"].is_null(), "{told}");
    let rows = tried(&served, &[("text", "x"), ("rows", "{\"a\":")]).await?;
    assert!(rows["problems"][0]["text"].as_str().is_some_and(|text| text.contains("as JSON")), "{rows}");
    served.end().await
}

#[tokio::test]
async fn the_file_of_a_sync_is_tried_as_it_is_typed() -> Result<(), Failure> {
    let stage = Stage::new().await?;
    let served = stage.serve().await?;
    let page: Json = serde_json::from_str(&served.page("/playground.json?sync=accounts").await?.body)?;
    let text = page["text"].as_str().unwrap_or_default();
    assert!(text.contains("object: account"), "{page}");
    let typed = text.replace("plan: plan", "plan: { template: \"{{ row.plan | upcase }}\" }");
    let row = "{\"id\":1,\"name\":\"Acme\",\"plan\":\"free\",\"seats\":3,\"external\":\"a-1\"}";
    let fields = [("kind", "mapping"), ("sync", "accounts"), ("text", typed.as_str()), ("rows", row)];
    let page = tried(&served, &fields).await?;
    let record = &page["results"][0]["value"];
    assert_eq!((&record["externalId"], &record["traits"]["plan"]), (&"a-1".into(), &"FREE".into()), "{page}");
    let wrong = typed.replace("name: name", "nmae: name");
    let page =
        tried(&served, &[("kind", "mapping"), ("sync", "accounts"), ("text", &wrong), ("rows", row)]).await?;
    let told = page["problems"].to_string();
    assert!(told.contains("syncs/accounts.yaml:7:") && told.contains("did you mean `name`?"), "{told}");
    served.end().await
}

#[tokio::test]
async fn rows_of_a_model_are_read_when_somebody_asks() -> Result<(), Failure> {
    let stage = Stage::new().await?;
    let served = stage.serve().await?;
    let page = tried(&served, &[("text", "{{ row.name }}"), ("model", "accounts"), ("read", "yes")]).await?;
    assert_eq!(page["results"][1]["value"], "Bolt", "{page}");
    assert!(page["rows"].as_str().is_some_and(|rows| rows.contains("\"seats\":40")));
    assert!(page["columns"].as_array().is_some_and(|columns| columns.contains(&"external".into())));
    assert!(page["filters"].as_array().is_some_and(|filters| filters.contains(&"upcase".into())));
    stage.sql("DROP TABLE accounts")?;
    let broken = tried(&served, &[("text", "x"), ("model", "accounts"), ("read", "yes")]).await?;
    assert!(broken["error"].as_str().is_some_and(|text| text.contains("accounts")), "{broken}");
    served.end().await
}

#[tokio::test]
async fn what_came_is_a_test_that_passes_once_it_is_pasted() -> Result<(), Failure> {
    let stage = Stage::new().await?;
    let row = "{\"id\":1,\"name\":\"Acme: \\\"1\\\"\",\"plan\":\"yes\",\"seats\":3.50,\"external\":\"a-1\"}";
    let text = stage.text("syncs/accounts.yaml");
    let served = stage.serve().await?;
    let fields = [("kind", "mapping"), ("sync", "accounts"), ("text", text.as_str()), ("rows", row)];
    let page = tried(&served, &fields).await?;
    let paste = page["test"].as_str().ok_or("no test")?.to_owned();
    assert!(paste.starts_with("sync: accounts\n") && paste.contains("externalId: a-1"), "{paste}");
    let template = [("text", "{{ row.seats | plus: 1 }}"), ("rows", "{\"seats\":4}")];
    let of_template = tried(&served, &template).await?;
    stage.file("tests/one.yaml", &paste);
    stage.file("tests/two.yaml", of_template["test"].as_str().ok_or("no test of the template")?);
    assert_eq!(stage.tests()?, (2, 0), "{paste}");
    served.end().await
}

#[tokio::test]
async fn what_is_typed_is_text_and_stays_nowhere() -> Result<(), Failure> {
    let stage = Stage::new().await?;
    let served = stage.serve().await?;
    let hostile = format!("</textarea><script>alert(1)</script> {SECRET}");
    let row = format!("{{\"a\":\"<img src=x onerror=alert(2)> {SECRET}\"}}");
    let fields = form(&[("text", &format!("{hostile} {{{{ row.a }}}}")), ("rows", &row)]);
    let page = served.post("/playground", &fields).await?;
    assert_eq!(page.status, 200);
    assert!(!page.body.contains("<script>alert") && !page.body.contains("<img"), "{}", page.body);
    assert!(!page.body.contains(SECRET) && page.body.contains("&lt;script&gt;alert(1)"));
    assert_eq!(page.body.matches("</textarea>").count(), 3);
    assert!(!served.page("/playground").await?.body.contains("alert(1)"));
    served.end().await
}

#[tokio::test]
async fn what_is_too_much_ends() -> Result<(), Failure> {
    let stage = Stage::new().await?;
    let served = stage.serve().await?;
    assert_eq!(served.post_of_length("/playground", 10 << 20).await?.status, 413);
    let endless = "{% for a in (1..100000000) %}{% for b in (1..100000000) %}x{% endfor %}{% endfor %}";
    let page = tried(&served, &[("text", endless), ("rows", &"{}\n".repeat(100))]).await?;
    let told = page["results"][0]["problems"].to_string();
    assert!(told.contains("template-budget"), "{told}");
    let rows = tried(&served, &[("text", "x"), ("rows", &"{}\n".repeat(101))]).await?;
    assert!(rows["problems"].to_string().contains("101 rows"));
    served.end().await
}

#[tokio::test]
async fn only_a_form_of_ours_is_tried() -> Result<(), Failure> {
    let stage = Stage::new().await?;
    let served = stage.serve().await?;
    let (cookie, ours) = (served.cookie(), format!("Origin: http://{}", served.address));
    let body = format!("form={FORM}&text=x&rows=%7B%7D");
    for (headers, body, status) in [
        (vec![cookie.as_str(), &ours], "text=x", 403),
        (vec![cookie.as_str(), "Origin: http://evil.example"], body.as_str(), 403),
        (vec![cookie.as_str()], body.as_str(), 403),
        (vec![ours.as_str()], body.as_str(), 401),
        (vec![cookie.as_str(), &ours], body.as_str(), 200),
    ] {
        assert_eq!(served.ask("POST", "/playground", &headers, body).await?.status, status, "{headers:?}");
    }
    served.end().await
}
