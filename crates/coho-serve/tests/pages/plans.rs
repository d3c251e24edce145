//! Plans on a page: made when somebody asks, removals first, every operation once, saved as an approved plan, one at a time, cancelled.

use std::collections::BTreeSet;

use coho_core::json::Json;

use crate::stage::{Failure, SECRET, Served, Stage};
use crate::wire::Answer;

/// Asks for a plan of this sync, or of all, and waits until its page shows it.
async fn planned(served: &Served, sync: &str) -> Result<(), Failure> {
    let answer = served.post("/plan", &format!("sync={sync}")).await?;
    assert_eq!((answer.status, answer.headers.get("location").map(String::as_str)), (303, Some("/plan")));
    served.stream_until("/plan", "As of ").await
}

async fn json(served: &Served, path: &str) -> Result<Json, Failure> {
    Ok(serde_json::from_str(&served.page(path).await?.body)?)
}

fn keys(page: &Json) -> Vec<String> {
    let items = page["plan"]["list"]["items"].as_array().cloned().unwrap_or_default();
    items.iter().filter_map(|item| item["key"].as_str().map(str::to_owned)).collect()
}

/// A run, and then: an account left, one changed, so many are new.
async fn changed(new: usize) -> Result<(Stage, Served), Failure> {
    let stage = Stage::new().await?;
    stage.run().await?;
    stage.sql("DELETE FROM accounts WHERE id = 1; UPDATE accounts SET seats = 41 WHERE id = 2")?;
    let rows: Vec<_> = (0..new).map(|number| format!("({}, 'New', 'free', 1)", number + 100)).collect();
    if !rows.is_empty() {
        stage.sql(&format!("INSERT INTO accounts VALUES {}", rows.join(", ")))?;
    }
    let served = stage.serve().await?;
    Ok((stage, served))
}

#[tokio::test]
async fn a_plan_is_made_when_somebody_asks_and_tells_removals_first() -> Result<(), Failure> {
    let (stage, served) = changed(1).await?;
    let before = served.page("/plan").await?.body;
    assert!(before.contains("No plan yet") && before.contains("<option value=\"users\">users</option>"));
    planned(&served, "").await?;
    let page = served.page("/plan").await?.body;
    let place = |text: &str| page.find(text).unwrap_or_else(|| panic!("{text} is not in {page}"));
    assert!(place("1 record</b> would be removed") < place("accounts → account"));
    assert!(page.contains("users → user") && page.contains("Nothing to send."));
    assert!(place("id=\"operation-") < place("<tr><th class=\"mono\" scope=\"row\">traits.seats</th>"));
    let first = page.split("id=\"operation-").nth(1).unwrap_or_default();
    assert!(first.contains(">remove</span>") && first.contains("created by Coho"), "{first}");
    let of = json(&served, "/plan.json").await?;
    let accounts = &of["plan"]["syncs"][0];
    let sums = ["read", "absent", "writes", "removals"].map(|name| accounts[name].as_u64());
    assert_eq!(sums, [Some(2), Some(1), Some(2), Some(1)]);
    assert_eq!(accounts["holds"], true);
    assert_eq!(of["plan"]["list"]["items"][0]["least_calls"], 1);
    assert_eq!(stage.writes(), 4, "a plan sends nothing");
    served.end().await
}

#[tokio::test]
async fn every_operation_is_on_exactly_one_page() -> Result<(), Failure> {
    let (_stage, served) = changed(120).await?;
    planned(&served, "accounts").await?;
    let (mut found, mut path) = (Vec::new(), "/plan.json?sync=accounts".to_owned());
    for page in 0.. {
        assert!(page < 4, "paging does not end");
        let part = json(&served, &path).await?;
        found.extend(keys(&part));
        let Some(next) = part["plan"]["list"]["next"].as_str() else { break };
        path = format!("/plan.json?sync=accounts&after={next}");
    }
    assert_eq!(found.len(), 122);
    assert_eq!(found[0], "1", "the removal is first");
    assert_eq!(found.iter().collect::<BTreeSet<_>>().len(), 122);
    let removals = json(&served, "/plan.json?sync=accounts&kind=remove").await?;
    assert_eq!(keys(&removals), ["1"]);
    let added = json(&served, "/plan.json?sync=accounts&kind=add").await?;
    assert_eq!((keys(&added).len(), added["plan"]["list"]["next"].is_string()), (50, true));
    served.end().await
}

#[tokio::test]
async fn a_saved_plan_binds_a_run() -> Result<(), Failure> {
    let (stage, served) = changed(1).await?;
    assert_eq!(served.page("/plan/file").await?.status, 404, "there is none yet");
    planned(&served, "").await?;
    let approved = served.page("/plan/file").await?;
    assert!(approved.headers.get("content-disposition").is_some_and(|value| value.contains("plan.json")));
    assert!(
        approved.body.starts_with("{\"permit\":1,\"project\":\"stage\"") && !approved.body.contains("New")
    );
    stage.sql("UPDATE accounts SET seats = 99 WHERE id = 2")?;
    let report = stage.run_under(Some(&approved.body)).await?;
    let accounts = report.syncs.iter().find(|sync| sync.sync.as_str() == "accounts").ok_or("no accounts")?;
    // The new one is sent. What changed since is stale, and so is a removal that would take a user along.
    let statuses = ["delivered", "removed", "stale"].map(coho_core::verdict::RowStatus::parse);
    assert_eq!(
        statuses.map(|status| status.map(|status| accounts.counts.status(status))),
        [Some(1), Some(0), Some(2)]
    );
    served.end().await
}

#[tokio::test]
async fn what_a_guard_holds_and_what_is_invalid_is_listed_with_its_reason() -> Result<(), Failure> {
    let stage = Stage::new().await?;
    stage.run().await?;
    stage.sql("DELETE FROM accounts; INSERT INTO users VALUES (NULL, 'Nobody', 'a-1', 'n@acme.example')")?;
    let served = stage.serve().await?;
    planned(&served, "").await?;
    let page = served.page("/plan?sync=accounts&kind=held").await?.body;
    assert!(page.contains("2 operations held") && page.contains("empty-source"), "{page}");
    assert_eq!(page.matches("class=\"row\"").count(), 2);
    let invalid = served.page("/plan?sync=users&kind=invalid").await?.body;
    assert!(invalid.contains("a row without a key") && invalid.contains("null-key"), "{invalid}");
    served.end().await
}

#[tokio::test]
async fn a_plan_is_made_beside_a_run_and_says_so() -> Result<(), Failure> {
    let (stage, served) = changed(0).await?;
    let lease = stage.hold_ledger()?;
    planned(&served, "accounts").await?;
    let page = served.page("/plan").await?.body;
    assert!(page.contains("has been under way since") && page.contains(">update</"), "{page}");
    drop(lease);
    served.end().await
}

#[tokio::test]
async fn only_one_plan_is_made_at_a_time_and_it_can_be_cancelled() -> Result<(), Failure> {
    let stage = Stage::new().await?;
    let source = stage.endless_source().await?;
    let served = stage.serve().await?;
    planned(&served, "users").await?;
    served.post("/plan", "sync=endless").await?;
    served.post("/plan", "sync=users").await?;
    let page = json(&served, "/plan.json").await?;
    assert_eq!(page["under_way"]["of"][0], "endless", "the second one did not begin");
    assert!(served.page("/plan").await?.body.contains("action=\"/plan/cancel\""));
    served.post("/plan/cancel", "").await?;
    served.stream_until("/plan", "Plan again").await?;
    let page = json(&served, "/plan.json").await?;
    assert_eq!((page["under_way"].is_null(), page["plan"]["of"][0].as_str()), (true, Some("users")));
    drop(source);
    served.end().await
}

#[tokio::test]
async fn a_plan_that_cannot_be_made_says_why() -> Result<(), Failure> {
    let stage = Stage::new().await?;
    stage.file("syncs/users.yaml", "id: users\nmodel: nothing\n");
    let served = stage.serve().await?;
    planned(&served, "").await?;
    let page = served.page("/plan").await?.body;
    assert!(page.contains("syncs/users.yaml:2:8") && !page.contains("Save this plan"), "{page}");
    served.end().await
}

#[tokio::test]
async fn values_in_a_plan_are_text_and_secrets_are_masked() -> Result<(), Failure> {
    let stage = Stage::new().await?;
    stage.sql(&format!(
        "UPDATE accounts SET name = '<script>alert(1)</script>', plan = '{SECRET}' WHERE id = 1;
         UPDATE accounts SET id = '<img src=x>' WHERE id = 2"
    ))?;
    let served = stage.serve().await?;
    planned(&served, "").await?;
    for path in ["/plan", "/plan.json"] {
        let body = served.page(path).await?.body;
        assert!(!body.contains(SECRET) && body.contains("***"), "{body}");
    }
    let page = served.page("/plan").await?.body;
    assert!(
        !page.contains("<script>alert") && !page.contains("<img") && page.contains("&lt;script&gt;alert(1)")
    );
    served.end().await
}

#[tokio::test]
async fn a_form_without_our_key_or_from_elsewhere_begins_nothing() -> Result<(), Failure> {
    let stage = Stage::new().await?;
    let served = stage.serve().await?;
    let cookie = served.cookie();
    let ours = format!("Origin: http://{}", served.address);
    let refused = async |headers: &[&str], body: &str| -> Result<Answer, Failure> {
        served.ask("POST", "/plan", headers, body).await
    };
    assert_eq!(refused(&[&cookie, &ours], "sync=").await?.status, 403);
    assert_eq!(refused(&[&cookie, &ours], "sync=&form=wrong").await?.status, 403);
    assert_eq!(refused(&[&cookie, "Origin: http://evil.example"], "form=form").await?.status, 403);
    assert_eq!(refused(&[&cookie], "form=form").await?.status, 403);
    assert_eq!(refused(&[&ours], "form=form").await?.status, 401);
    assert_eq!(served.post_of_length("/plan", 10 << 20).await?.status, 413);
    assert!(served.page("/plan").await?.body.contains("No plan yet"));
    served.end().await
}

#[tokio::test]
async fn columns_that_are_masked_show_on_no_page() -> Result<(), Failure> {
    let stage = Stage::new().await?;
    stage.run().await?;
    stage.sql("INSERT INTO accounts VALUES (100, 'New', 'free', 1)")?;
    let model = stage.text("models/accounts.yaml").replace("primary_key: id", "primary_key: id, mask: name");
    assert!(model.contains("mask: name"), "{model}");
    stage.file("models/accounts.yaml", &model);
    let served = stage.serve().await?;
    planned(&served, "accounts").await?;
    let plan = served.page("/plan.json").await?.body;
    assert!(plan.contains("\"after\": \"***\"") && !plan.contains("\"New\""), "{plan}");
    let read =
        served.post("/playground.json", "model=accounts&read=yes&text=%7B%7B%20row.name%20%7D%7D").await?;
    assert!(read.body.contains("***") && !read.body.contains("New"), "{}", read.body);
    let row = json(&served, "/rows/1.json").await?;
    let name =
        row["remembered"]["sent"].as_array().into_iter().flatten().find(|field| field["field"] == "name");
    assert_eq!(name.map(|name| &name["value"]), Some(&Json::from("***")), "{row:#}");
    served.end().await
}
