//! Why a live check ends before its end. What Vitally refuses is an answer; these are what leaves nothing to ask.

use coho_core::code::{Code, Entry};
use coho_core::failure::Failure;
use coho_core::object::Object;
use coho_core::verdict::Verdict;

use crate::client::TestError;

/// Why a live check ended before its end.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each member says by its name what it is")]
pub enum LiveError {
    /// It was not to go on.
    #[error("the check was interrupted")]
    Interrupted,
    /// The address or the token is wrong.
    #[error(transparent)]
    Test(#[from] TestError),
    /// The workspace has a record of a name that the check would use.
    #[error("the workspace already has {} `{external_id}`, which the check would overwrite and delete", object.with_article())]
    Exists { object: Object, external_id: String },
    /// Vitally refuses a record without which nothing can be found out.
    #[error("Vitally refuses {} that the check needs ({status}): {text}", object.with_article())]
    Refused { object: Object, status: u16, text: String },
    /// A new record does not show.
    #[error("{} that the check created does not show up, although Vitally accepted it", object.with_article())]
    Unseen { object: Object },
    /// All requests would end like this one.
    #[error("{text}")]
    Vitally { code: Code, text: String },
}

impl Failure for LiveError {
    fn code(&self) -> Code {
        match self {
            Self::Interrupted => Code::INTERRUPTED,
            Self::Test(error) => error.code(),
            Self::Exists { .. } => Code::ALREADY_EXISTS,
            Self::Refused { .. } => Code::REFUSED,
            Self::Unseen { .. } => Code::OUTCOME_UNKNOWN,
            Self::Vitally { code, .. } => *code,
        }
    }

    fn help(&self) -> Option<String> {
        let help = match self {
            Self::Interrupted => "run the check again: it starts over",
            Self::Exists { .. } => "run the check again: it picks other random names; or delete the record",
            Self::Refused { .. } => {
                "read Vitally's message; the token may lack a permission, or the workspace may require more fields"
            }
            Self::Test(_) | Self::Unseen { .. } | Self::Vitally { .. } => {
                return self.code().entry().map(Entry::help);
            }
        };
        Some(help.to_owned())
    }
}

impl LiveError {
    /// What a verdict says that is none on the request alone.
    pub(super) fn of(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Rejected { code, message } | Verdict::Halt { code, message } => {
                Self::Vitally { code, text: message }
            }
            Verdict::Unsent { why } | Verdict::Unsure { why } | Verdict::Deferred { message: why } => {
                let is_said = why.starts_with("Vitally");
                let text = if is_said { why } else { format!("Vitally did not answer: {why}") };
                Self::Vitally { code: Code::SERVER_FAILING, text }
            }
            Verdict::Applied { .. }
            | Verdict::Accepted
            | Verdict::Gone
            | Verdict::Missing
            | Verdict::Exists
            | Verdict::Ambiguous => {
                let text = "Vitally sent a response that Coho cannot read".to_owned();
                Self::Vitally { code: Code::SERVER_FAILING, text }
            }
        }
    }
}
