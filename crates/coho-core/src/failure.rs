//! Failures: what every error says beside its message, so that whoever prints one needs to know no other type.

use std::error::Error;

use crate::code::Code;

/// An error with a stable code and with what helps. Its causes are its [`source`](std::error::Error::source)s.
///
/// ```
/// use coho_core::code::Code;
/// use coho_core::failure::Failure;
///
/// #[derive(Debug, thiserror::Error)]
/// #[error("the file `{0}` is missing")]
/// struct Missing(String);
///
/// impl Failure for Missing {
///     fn code(&self) -> Code {
///         Code::FILE_UNREADABLE
///     }
///
///     fn help(&self) -> Option<String> {
///         Some("check the source's `path`".to_owned())
///     }
/// }
///
/// let error = Missing("customers.csv".to_owned());
/// assert_eq!(format!("{error} [{}]", error.code()), "the file `customers.csv` is missing [file-unreadable]");
/// ```
pub trait Failure: std::error::Error {
    /// The stable code, which the reference of error codes is searched for.
    fn code(&self) -> Code;

    /// What to do about it.
    fn help(&self) -> Option<String> {
        None
    }
}

/// What the innermost cause of an error says; `None` where it has no cause. Of errors of HTTP clients this says the most, and those
/// around it repeat addresses.
pub fn deepest_cause(error: &dyn Error) -> Option<String> {
    std::iter::successors(error.source(), |cause| (*cause).source()).last().map(ToString::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_innermost_cause_is_told() {
        #[derive(Debug, thiserror::Error)]
        #[error("at https://somewhere.example")]
        struct Around(#[source] std::io::Error);

        let error = Around(std::io::Error::other("connection reset"));
        assert_eq!(deepest_cause(&error), Some("connection reset".to_owned()));
        assert_eq!(deepest_cause(&std::fmt::Error), None);
    }
}
