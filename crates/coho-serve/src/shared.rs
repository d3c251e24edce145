//! What all requests share, and how a page is made of it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use coho_ledger::Ledger;
use coho_ledger::look::Patience;
use tokio::sync::{Semaphore, watch};

use crate::page::{self, Asked, Context, Found};
use crate::reader::{ReadError, Reader};
use crate::plans::Plans;
use crate::searches::Searches;
use crate::site::Site;

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
    pub(crate) plans: Arc<Plans>,
    /// How many templates and mappings may be tried at once.
    pub(crate) trials: Arc<Semaphore>,
    /// Becomes true when the server is to end: streams end then.
    pub(crate) ending: watch::Receiver<bool>,
}

/// The page, read on a thread that may block.
pub(crate) async fn make(shared: &Shared, asked: Asked) -> Result<Found, ReadError> {
    let (site, searches) = (Arc::clone(&shared.site), Arc::clone(&shared.searches));
    let plans = Arc::clone(&shared.plans);
    let begun = Instant::now();
    let patience = Patience::until(move || begun.elapsed() > PATIENCE);
    let brief = Patience::until(move || begun.elapsed() > BRIEF);
    let work = move |ledger: Option<&Ledger>| {
        let now = site.clock.now();
        let context = Context {
            site: &site,
            searches: &searches,
            plans: &plans,
            now,
            asked: &asked,
            patience: &brief,
        };
        page::make(&context, ledger)
    };
    shared.reader.read(patience, work).await
}
