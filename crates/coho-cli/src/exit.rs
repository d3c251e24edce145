//! Exit codes: what a script learns from a run.

use coho_core::code::Code;

/// How the command ends. Each number is documented in the command's help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done, or nothing to do.
    Done,
    /// `plan --exit-code` found something to send.
    SomethingToSend,
    /// As the run's report says.
    Report(u8),
}

impl Exit {
    /// The number.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::SomethingToSend => 10,
            Self::Report(code) => code,
        }
    }
}

/// An error of which the exit code is known.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Known {
    /// What happened.
    pub(crate) message: String,
    /// What to do about it.
    pub(crate) help: Option<String>,
    /// The exit code.
    pub(crate) code: u8,
    /// Why.
    #[source]
    pub(crate) source: Option<anyhow::Error>,
}

impl Known {
    /// The stable code, where the message names one in brackets.
    pub(crate) fn named(&self) -> Option<Code> {
        let (_, code) = self.message.strip_suffix(']')?.rsplit_once('[')?;
        Code::parse(code)
    }
}
