//! The live check: how a workspace behaves where Vitally's documentation is silent, found out with throw-away records.
//!
//! [`question`] has the questions, [`records`] and [`traits`] ask them, [`removal`] asks the last ones, and [`session`] keeps
//! track of what was made, so that [`cleanup`] takes all of it away again, however the check ends. [`file`] is what the
//! project keeps of the answers.

pub mod question;
pub mod file;
mod session;
mod price;
mod records;
mod writes;
mod users;
mod traits;
mod removal;
mod cleanup;

use coho_core::code::Code;
use coho_core::memory::Time;
use coho_core::object::Object;
use coho_core::target::VitallyId;
use coho_core::verdict::Verdict;
use coho_vitally::client::TestError;

use self::question::Learned;
use self::session::Session;
use crate::context::{Engine, EngineError};
use crate::stop::Stop;

/// What a live check came to.
#[derive(Debug)]
pub struct LiveReport {
    /// The destination.
    pub destination: String,
    /// Where its workspace is.
    pub url: String,
    /// When the check began.
    pub at: Time,
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

/// Why a live check ended before its end.
#[derive(Debug, thiserror::Error)]
pub enum LiveError {
    /// Somebody asked it to end.
    #[error("the check was interrupted")]
    Interrupted,
    /// The address or the token is wrong.
    #[error(transparent)]
    Test(#[from] TestError),
    /// The workspace has a record of a name that the check would use.
    #[error("the workspace has {} `{external_id}` already, and the check would write and delete it", object.with_article())]
    Exists {
        /// What it is.
        object: Object,
        /// Its external id.
        external_id: String,
    },
    /// Vitally refuses a record without which nothing can be found out.
    #[error("Vitally refuses {} that the check needs ({status}): {text}", object.with_article())]
    Refused {
        /// What was refused.
        object: Object,
        /// The status.
        status: u16,
        /// Vitally's text.
        text: String,
    },
    /// A new record does not show.
    #[error("{} that the check made does not show, though Vitally took it", object.with_article())]
    Unseen {
        /// What it is.
        object: Object,
    },
    /// All requests would end like this one.
    #[error("{text}")]
    Vitally {
        /// What it means.
        code: Code,
        /// What Vitally, or the network, said.
        text: String,
    },
}

impl LiveError {
    /// The stable code.
    pub fn code(&self) -> Code {
        match self {
            Self::Interrupted => Code::INTERRUPTED,
            Self::Test(error) => crate::check::code(error),
            Self::Exists { .. } => Code::ALREADY_EXISTS,
            Self::Refused { .. } => Code::REFUSED,
            Self::Unseen { .. } => Code::OUTCOME_UNKNOWN,
            Self::Vitally { code, .. } => *code,
        }
    }

    /// What to do about it.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Interrupted => Some("run the check again: it begins anew".to_owned()),
            Self::Exists { .. } => {
                Some("run the check again: it takes other names, by chance; or delete the record".to_owned())
            }
            Self::Refused { .. } => Some(
                "read Vitally's text; the token may lack a permission, or the workspace ask for more"
                    .to_owned(),
            ),
            Self::Test(_) | Self::Unseen { .. } | Self::Vitally { .. } => {
                self.code().entry().map(coho_core::code::Entry::help)
            }
        }
    }

    fn of(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Rejected { code, message } | Verdict::Halt { code, message } => {
                Self::Vitally { code, text: message }
            }
            Verdict::Unsent { why } | Verdict::Unsure { why } | Verdict::Deferred { message: why } => {
                let is_said = why.starts_with("Vitally");
                let text = if is_said { why } else { format!("Vitally gave no answer: {why}") };
                Self::Vitally { code: Code::SERVER_FAILING, text }
            }
            Verdict::Applied { .. }
            | Verdict::Accepted
            | Verdict::Gone
            | Verdict::Missing
            | Verdict::Exists
            | Verdict::Ambiguous => {
                let text = "Vitally answered with something that cannot be read".to_owned();
                Self::Vitally { code: Code::SERVER_FAILING, text }
            }
        }
    }
}

impl Engine<'_> {
    /// Finds out how a destination's workspace behaves. `name` is what all records of the check are called, alone or with
    /// an ending; nothing else may be called so.
    ///
    /// What was made is taken away again however the check ends; what stays is in [`LiveReport::left`]. The error is the
    /// project's: no such destination, or no token.
    pub async fn check_live(
        &self,
        destination: &str,
        name: &str,
        stop: &Stop,
    ) -> Result<LiveReport, EngineError> {
        self.rest_token_of(destination)?;
        let client = self.client_at(destination, None)?;
        let mut session = Session::new(client, name, stop, &*self.setup.clock);
        let at = self.setup.clock.now();
        let ended = ask_all(&mut session).await;
        let left = cleanup::clean(&mut session).await;
        session.learn_prices();
        let url = session.client.url().to_owned();
        let mut learned = session.learned;
        learned.sort_by_key(|learned| (learned.question, learned.object));
        Ok(LiveReport { destination: destination.to_owned(), url, at, learned, left, cut_short: ended.err() })
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
