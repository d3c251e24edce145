//! The live check: how a workspace behaves where Vitally's documentation is silent, found out with throw-away records.
//!
//! [`Question`] has what is asked, and which page leaves it open. Read `records` for what is made, `writes`, `users` and
//! `traits` for what is asked of it, `removal` for the last questions. `session` sends the requests and keeps track of what
//! was made, so that `cleanup` takes all of it away again, however the check ends. No exchange stands behind a request here:
//! an exchange is right whatever the answer, and this wants to see it.

mod question;
mod error;
mod session;
mod price;
mod records;
mod writes;
mod users;
mod traits;
mod removal;
mod cleanup;

use coho_core::object::Object;
use coho_core::target::VitallyId;

use super::Client;

pub use error::LiveError;
pub use question::{Learned, Question};

use session::Session;

/// What a live check came to.
#[derive(Debug)]
pub struct LiveCheck {
    /// What was learned, in the order of the questions.
    pub learned: Vec<Learned>,
    /// What could not be taken away again.
    pub left: Vec<Left>,
    /// Why it ended before its end.
    pub cut_short: Option<LiveError>,
}

/// A record of the check that is still in Vitally, or may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// What it is.
    pub object: Object,
    /// Its external id.
    pub external_id: String,
    /// Vitally's id, where it is known.
    pub id: Option<VitallyId>,
    /// Why it could not be removed.
    pub why: String,
}

impl Client {
    /// Finds out how the workspace behaves. It makes an organization, two accounts and two users, changes them, looks at
    /// them and deletes them, in about 60 calls.
    ///
    /// `name` is what all these records are called, alone or with an ending, and it is the local part of their e-mail
    /// address: letters, digits and hyphens. A workspace that has a record of that name is left alone. `go_on` is asked
    /// before each call; once it says no, only what was made is still taken away.
    ///
    /// It costs some of Vitally's rate, and what calls cost is learned from what is left of it: nothing else should use this
    /// client meanwhile.
    pub async fn check_live(&self, name: &str, go_on: &(dyn Fn() -> bool + Sync)) -> LiveCheck {
        let mut session = Session::new(self, name, go_on);
        let ended = ask_all(&mut session).await;
        let left = cleanup::clean(&mut session).await;
        session.learn_prices();
        let mut learned = session.learned;
        learned.sort_by_key(|learned| (learned.question, learned.object));
        LiveCheck { learned, left, cut_short: ended.err() }
    }
}

/// All questions, in an order in which each finds what it needs.
async fn ask_all(session: &mut Session<'_>) -> Result<(), LiveError> {
    session.client.test().await?;
    session.refuse_what_exists().await?;
    let made = records::make(session).await?;
    for (object, id) in made.all() {
        writes::ask(session, object, id, &made).await?;
    }
    writes::ask_of_accounts(session, &made).await?;
    users::ask(session, &made).await?;
    traits::ask(session, &made.account).await?;
    removal::ask(session, &made).await
}
