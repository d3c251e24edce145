//! Pages that move: a page asked for as `text/event-stream` comes again whenever the ledger changed, by this process or by any
//! other, and then differs.
//!
//! Whether the ledger changed is one small question; a page is made at most once in [`PAUSE`].

use std::convert::Infallible;
use std::time::Duration;

use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::Stream;

use crate::page::{Asked, Found};
use crate::reader::ReadError;
use crate::shared::{Shared, make};
use crate::target::Target;

/// The shortest time between two looks at the ledger.
const PAUSE: Duration = Duration::from_secs(1);

/// What a stream knows between two looks.
struct Watcher {
    shared: Shared,
    asked: Asked,
    /// What was sent last.
    last: Option<String>,
    /// The ledger as it was looked at last.
    seen: Option<Look>,
    /// The state of plans as it was looked at last.
    plans: Option<u64>,
}

/// A connection that notices what others write: it must be the same one each time.
struct Look {
    ledger: coho_ledger::Ledger,
    version: i64,
}

/// The page, now and whenever it changes.
pub(crate) fn of(shared: Shared, asked: Asked) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let watcher = Watcher { shared, asked, last: None, seen: None, plans: None };
    let events = futures_util::stream::unfold(watcher, |mut watcher| async move {
        let page = watcher.next().await?;
        let event = Event::default().event("page").data(page);
        Some((Ok(event), watcher))
    });
    Sse::new(events).keep_alive(KeepAlive::new().interval(Duration::from_secs(20)))
}

impl Watcher {
    /// The page, when it differs from what was sent last. `None` when the server ends.
    async fn next(&mut self) -> Option<String> {
        loop {
            if *self.shared.ending.borrow() {
                return None;
            }
            if let Some(page) = self.changed().await {
                return Some(page);
            }
            let mut ending = self.shared.ending.clone();
            tokio::select! {
                () = tokio::time::sleep(PAUSE) => {}
                _ = ending.wait_for(|ends| *ends) => return None,
            }
        }
    }

    async fn changed(&mut self) -> Option<String> {
        let is_new = if self.asked.target == Target::Plan {
            self.plans_changed()
        } else {
            self.ledger_changed().await
        };
        if !is_new {
            return None;
        }
        let Ok(Found::Page(shown)) = make(&self.shared, self.asked.clone()).await else { return None };
        let page = shown.main.into_string();
        if self.last.as_ref() == Some(&page) {
            return None;
        }
        self.last = Some(page.clone());
        Some(page)
    }

    /// Whether plans went on since the last look.
    fn plans_changed(&mut self) -> bool {
        let version = Some(self.shared.plans.version());
        std::mem::replace(&mut self.plans, version) != version
    }

    /// Whether the ledger was written to since the last look, or is another one.
    async fn ledger_changed(&mut self) -> bool {
        let seen = self.seen.take();
        let reader = std::sync::Arc::clone(&self.shared.reader);
        let looked = tokio::task::spawn_blocking(move || look(seen, &reader)).await;
        let Ok(Ok((changed, seen))) = looked else { return false };
        self.seen = seen;
        changed
    }
}

fn look(seen: Option<Look>, reader: &crate::reader::Reader) -> Result<(bool, Option<Look>), ReadError> {
    if let Some(mut look) = seen {
        let version = look.ledger.version()?;
        let changed = version != look.version;
        look.version = version;
        return Ok((changed, Some(look)));
    }
    let Some(ledger) = reader.open()? else { return Ok((true, None)) };
    let version = ledger.version()?;
    Ok((true, Some(Look { ledger, version })))
}
