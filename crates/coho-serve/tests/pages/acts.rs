//! What pages may do: nothing unless it was allowed, and then only what a form of ours asks for and somebody confirmed.

use std::sync::{Arc, Mutex, PoisonError};

use coho_core::key::Key;
use coho_ledger::amend::{CauseFilter, Retried};
use coho_serve::actions::{Actions, Doing, Done, Refused, Wish};

use coho_core::json::Json;

use crate::browser::failing;
use crate::stage::{FORM, Failure, Served, Stage};

/// Writes down what it is asked for, and answers as it was told.
pub(crate) struct Clerk {
    wishes: Mutex<Vec<Wish>>,
    answer: Result<Done, Refused>,
}

impl Actions for Clerk {
    fn carry_out(&self, wish: Wish, _: Option<String>) -> Doing {
        self.wishes.lock().unwrap_or_else(PoisonError::into_inner).push(wish);
        let answer = self.answer.clone();
        Box::pin(async move { answer })
    }
}

impl Clerk {
    pub(crate) fn new(answer: Result<Done, Refused>) -> Arc<Self> {
        Arc::new(Self { wishes: Mutex::default(), answer })
    }

    pub(crate) fn wishes(&self) -> Vec<Wish> {
        self.wishes.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A run, and pages that may do what this clerk does.
async fn allowed(answer: Result<Done, Refused>) -> Result<(Stage, Served, Arc<Clerk>), Failure> {
    let stage = Stage::new().await?;
    stage.run().await?;
    let clerk = Clerk::new(answer);
    let served = stage.serve_with(Some(clerk.clone())).await?;
    Ok((stage, served, clerk))
}

fn began() -> Done {
    Done::Began { run: "run-000".to_owned() }
}

#[tokio::test]
async fn pages_that_only_look_show_no_button_and_refuse_every_deed() -> Result<(), Failure> {
    let stage = Stage::new().await?;
    stage.run().await?;
    let served = stage.serve().await?;
    for path in ["/", "/rows/1", "/project", "/plan"] {
        assert!(!served.page(path).await?.body.contains("/do/"), "{path}");
    }
    for path in ["/do/run", "/do/retry", "/do/forget"] {
        let (page, post) = (served.page(path).await?, served.post(path, "sync=accounts").await?);
        assert_eq!((page.status, post.status), (403, 403), "{path}");
        assert!(page.body.contains("--allow-actions"), "{path}");
    }
    served.end().await
}

#[tokio::test]
async fn a_run_is_asked_for_on_a_page_of_its_own_and_leads_to_its_page() -> Result<(), Failure> {
    let (_stage, served, clerk) = allowed(Ok(began())).await?;
    assert!(served.page("/").await?.body.contains("href=\"/do/run\""));
    let page = served.page("/do/run?sync=users").await?.body;
    assert!(page.contains("<option value=\"users\" selected>users</option>"), "{page}");
    assert!(page.contains(&format!("name=\"form\" value=\"{FORM}\"")) && clerk.wishes().is_empty());
    let answer = served.post("/do/run", "sync=users").await?;
    assert_eq!(answer.status, 303);
    assert_eq!(answer.headers.get("location").map(String::as_str), Some("/runs/run-000"));
    served.post("/do/run", "sync=").await?;
    let wishes = [vec!["users".to_owned()], Vec::new()].map(|syncs| Wish::Run { syncs });
    assert_eq!(clerk.wishes(), wishes);
    served.end().await
}

#[tokio::test]
async fn one_row_is_retried_or_forgotten_by_a_number_and_not_by_its_key() -> Result<(), Failure> {
    let (_stage, served, clerk) = allowed(Ok(Done::Told("Forgot 1 key.".to_owned()))).await?;
    let row = served.page("/rows/3").await?.body;
    assert!(row.contains("href=\"/do/retry?row=3\"") && row.contains("href=\"/do/forget?row=3\""), "{row}");
    let page = served.page("/do/forget?row=3").await?.body;
    assert!(page.contains("the row <span class=\"mono\">1</span> of users"), "{page}");
    let answer = served.post("/do/forget", "row=3").await?;
    assert_eq!(answer.status, 303, "{}", answer.body);
    for _ in 0..2 {
        let page = served.page(&answer.headers["location"]).await?;
        assert!(page.status == 200 && page.body.contains("Forgot 1 key."), "{}", page.body);
    }
    assert_eq!(served.page("/done/99").await?.status, 404);
    served.post("/do/retry", "row=3").await?;
    let (sync, key) = ("users".to_owned(), Some(Key::new("1")));
    let wishes = [
        Wish::Forget { sync: sync.clone(), key: key.clone() },
        Wish::Retry { sync, retried: Retried::Key(Key::new("1")) },
    ];
    assert_eq!(clerk.wishes(), wishes);
    for fields in ["row=999", "row=x", ""] {
        assert_eq!(served.post("/do/forget", fields).await?.status, 404, "{fields}");
    }
    assert_eq!(clerk.wishes().len(), 2, "nothing is forgotten whole because a row is not there");
    served.end().await
}

#[tokio::test]
async fn the_rows_of_a_cause_are_retried_together() -> Result<(), Failure> {
    let stage = failing().await?;
    let clerk = Clerk::new(Ok(began()));
    let served = stage.serve_with(Some(clerk.clone())).await?;
    for path in ["/", "/runs/run-001"] {
        let page = served.page(path).await?.body;
        // Vitally refused one account; the users whose account is not there wait too, and what is invalid is not retried.
        assert_eq!(page.matches("Retry these").count(), 2, "{path}: {page}");
    }
    let run: Json = serde_json::from_str(&served.page("/runs/run-001.json").await?.body)?;
    let causes = run["failures"].as_array().ok_or("no failures")?;
    let deferred = causes.iter().find(|cause| cause["status"] == "deferred").ok_or("none is deferred")?;
    let number = deferred["number"].as_u64().ok_or("no number")?;
    let page = served.page(&format!("/do/retry?cause={number}")).await?.body;
    assert!(page.contains("<b>3 rows</b> of users that failed of <code>reference-missing</code>"), "{page}");
    assert!(page.contains(&format!("name=\"cause\" value=\"{number}\"")) && !page.contains("<select"));
    assert_eq!(served.post("/do/retry", &format!("cause={number}")).await?.status, 303);
    let retried = Retried::Cause(CauseFilter::Number(number));
    assert_eq!(clerk.wishes(), [Wish::Retry { sync: "users".to_owned(), retried }]);
    for (path, fields) in [
        ("/do/retry", "cause=999".to_owned()),
        ("/do/retry", "cause=x".to_owned()),
        ("/do/forget", format!("cause={number}")),
    ] {
        assert_eq!(served.post(path, &fields).await?.status, 404, "{path} {fields}");
    }
    assert_eq!(clerk.wishes().len(), 1);
    served.end().await
}

#[tokio::test]
async fn what_is_refused_says_why() -> Result<(), Failure> {
    let refused = Refused {
        message: "another run <b>holds</b> it [lease-held]".to_owned(),
        help: Some("wait".to_owned()),
    };
    let (_stage, served, _) = allowed(Err(refused)).await?;
    let answer = served.post("/do/run", "").await?;
    assert_eq!(answer.status, 409);
    assert!(
        answer.body.contains("another run &lt;b&gt;holds&lt;/b&gt; it") && answer.body.contains(">wait<")
    );
    served.end().await
}

#[tokio::test]
async fn a_deed_without_our_key_or_from_elsewhere_is_not_done() -> Result<(), Failure> {
    let (_stage, served, clerk) = allowed(Ok(began())).await?;
    let (cookie, ours) = (served.cookie(), format!("Origin: http://{}", served.address));
    for path in ["/do/run", "/do/retry", "/do/forget"] {
        for (headers, body, status) in [
            (vec![cookie.as_str(), &ours], "sync=users", 403),
            (vec![cookie.as_str(), &ours], "sync=users&form=old", 403),
            (vec![cookie.as_str(), "Origin: http://evil.example"], "sync=users&form=form", 403),
            (vec![cookie.as_str(), &ours, "Sec-Fetch-Site: cross-site"], "sync=users&form=form", 403),
            (vec![ours.as_str()], "sync=users&form=form", 401),
        ] {
            assert_eq!(served.ask("POST", path, &headers, body).await?.status, status, "{path} {headers:?}");
        }
        assert_eq!(
            served.page(&format!("{path}?sync=users&form=form")).await?.status,
            200,
            "a GET only asks"
        );
    }
    assert!(clerk.wishes().is_empty());
    served.end().await
}
