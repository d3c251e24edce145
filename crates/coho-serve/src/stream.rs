//! Pages that move: a page asked for as `text/event-stream` comes again whenever the ledger changed, by this process or by any
//! other, and then differs.
//!
//! Whether the ledger changed is one small question; a page is made at most once in [`PAUSE`]. All pages that move together take
//! a twentieth of one processor at most, whatever their number: a run beside them is not to become slower.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::Stream;
use tokio::sync::OwnedSemaphorePermit;

use crate::page::{Asked, Found};
use crate::reader::ReadError;
use crate::shared::{Shared, make};
use crate::target::Target;

/// The shortest time between two looks at the ledger.
const PAUSE: Duration = Duration::from_secs(1);

/// After a page was made, none is made for so many times as long as that took, but for [`LONGEST`] at most.
const REST: u32 = 19;
const LONGEST: Duration = Duration::from_secs(2);

/// What a stream knows between two looks.
struct Watcher {
    shared: Shared,
    asked: Asked,
    /// Whether it looks for the first time.
    is_new: bool,
    /// What was sent last.
    last: Option<String>,
    /// The ledger as it was looked at last.
    seen: Option<Look>,
    /// The state of plans as it was looked at last.
    plans: Option<u64>,
    /// Its place among those that move at once.
    _place: OwnedSemaphorePermit,
}

/// A connection that notices what others write: it must be the same one each time.
struct Look {
    ledger: coho_ledger::Ledger,
    version: i64,
}

/// The page, now and whenever it changes. `None` where too many move already.
pub(crate) fn of(shared: Shared, asked: Asked) -> Option<Sse<impl Stream<Item = Result<Event, Infallible>>>> {
    let place = Arc::clone(&shared.streams).try_acquire_owned().ok()?;
    let watcher = Watcher { shared, asked, is_new: true, last: None, seen: None, plans: None, _place: place };
    let events = futures_util::stream::unfold(watcher, |mut watcher| async move {
        let page = watcher.next().await?;
        let event = Event::default().event("page").data(page);
        Some((Ok(event), watcher))
    });
    Some(Sse::new(events).keep_alive(KeepAlive::new().interval(Duration::from_secs(20))))
}

impl Watcher {
    /// The page, when it differs from what was sent last. `None` when the server ends.
    async fn next(&mut self) -> Option<String> {
        let mut ending = self.shared.ending.clone();
        loop {
            let pause = if std::mem::take(&mut self.is_new) { Duration::ZERO } else { PAUSE };
            tokio::select! {
                biased;
                _ = ending.wait_for(|ends| *ends) => return None,
                () = tokio::time::sleep(pause) => {}
            }
            tokio::select! {
                biased;
                _ = ending.wait_for(|ends| *ends) => return None,
                page = self.changed() => if page.is_some() { return page; }
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
        let turn = Arc::clone(&self.shared.turns).lock_owned().await;
        let begun = Instant::now();
        let made = make(&self.shared, self.asked.clone()).await;
        let rest = (begun.elapsed() * REST).min(LONGEST);
        tokio::spawn(async move {
            tokio::time::sleep(rest).await;
            drop(turn);
        });
        let Ok(Found::Page(shown)) = made else { return None };
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
        let reader = Arc::clone(&self.shared.reader);
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
