//! What all requests share, and how a page is made of it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::http::HeaderMap;
use coho_ledger::Ledger;
use coho_ledger::look::Patience;
use coho_ledger::token::TokenScope;
use tokio::sync::{Mutex, Semaphore, watch};

use crate::done::DoneActions;
use crate::page::{self, Asked, Context, Found};
use crate::plans::Plans;
use crate::reader::{ReadError, Reader};
use crate::running::house::House;
use crate::searches::Searches;
use crate::sessions::{Sessions, Visitor};
use crate::site::Site;
use crate::{guard, sessions};

/// How many templates and mappings are tried at once: each has a processor to itself.
const TRIALS: usize = 2;

/// The longest that a page may ask the ledger.
const PATIENCE: Duration = Duration::from_secs(3);

/// How long rows are searched before the page says how far that went.
const BRIEF: Duration = Duration::from_millis(200);

/// What all requests share.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) site: Arc<Site>,
    pub(crate) reader: Arc<Reader>,
    pub(crate) searches: Arc<Searches>,
    pub(crate) done: Arc<DoneActions>,
    pub(crate) plans: Arc<Plans>,
    /// How many templates and mappings may be tried at once.
    pub(crate) trials: Arc<Semaphore>,
    pub(crate) sessions: Arc<Sessions>,
    /// What runs syncs in this process, if something does.
    pub(crate) house: Option<Arc<House>>,
    /// How many more pages may move.
    pub(crate) streams: Arc<Semaphore>,
    /// Whose turn it is to be made anew, of the pages that move.
    pub(crate) turns: Arc<Mutex<()>>,
    /// Becomes true when the server is to end: streams end then.
    pub(crate) ending: watch::Receiver<bool>,
}

impl Shared {
    pub(crate) fn new(site: Site, house: Option<Arc<House>>, ending: watch::Receiver<bool>) -> Self {
        let reader = Arc::new(Reader::new(site.ledger.clone(), Arc::clone(&site.clock)));
        let streams = Arc::new(Semaphore::new(site.limits.streams));
        let trials = Arc::new(Semaphore::new(TRIALS));
        let (searches, done, plans, sessions, turns) =
            (Arc::default(), Arc::default(), Arc::default(), Arc::default(), Arc::default());
        Self {
            site: Arc::new(site),
            reader,
            searches,
            done,
            plans,
            trials,
            sessions,
            house,
            streams,
            turns,
            ending,
        }
    }

    /// Who a request is from: by the session that it belongs to, or by the token that it shows.
    /// Cookies count only where the server is called by a name of its own.
    pub(crate) async fn visitor(&self, headers: &HeaderMap, is_ours: bool) -> Option<Visitor> {
        let site = &self.site;
        if guard::token(site, headers) || (is_ours && guard::session(site, headers)) {
            return Some(Visitor { may: TokenScope::Trigger, name: None });
        }
        // Tokens of the ledger are for the server that runs syncs: what a debugger shows needs its own.
        self.house.as_ref()?;
        let by_cookie = if is_ours { self.sessions.of(site, headers) } else { None };
        sessions::visitor(&self.reader, by_cookie.or_else(|| sessions::bearer(headers))?).await
    }
}

/// The page, read on a thread that may block.
pub(crate) async fn make(shared: &Shared, asked: Asked) -> Result<Found, ReadError> {
    let (site, searches, done) =
        (Arc::clone(&shared.site), Arc::clone(&shared.searches), Arc::clone(&shared.done));
    let (plans, house) = (Arc::clone(&shared.plans), shared.house.clone());
    let begun = Instant::now();
    let patience = Patience::until(move || begun.elapsed() > PATIENCE);
    let brief = Patience::until(move || begun.elapsed() > BRIEF);
    let work = move |ledger: Option<&Ledger>| {
        let now = site.clock.now();
        let context = Context {
            site: &site,
            searches: &searches,
            done: &done,
            plans: &plans,
            house: house.as_deref(),
            now,
            asked: &asked,
            patience: &brief,
        };
        page::make(&context, ledger)
    };
    shared.reader.read(patience, work).await
}
