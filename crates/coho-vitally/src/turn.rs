//! Turns: how small machines without I/O are put together into larger ones.

use crate::request::Request;

/// What a machine wants next: an answer to a request, or to end.
#[derive(Debug)]
pub(crate) enum Turn<M, T> {
    /// Send this, and give the answer to the machine.
    Ask(Request, M),
    /// The machine has ended.
    End(T),
}

impl<M, T> Turn<M, T> {
    /// Makes this machine a part of another: `wrap` while it runs, `then` when it has ended.
    pub(crate) fn then<N, U>(
        self,
        wrap: impl FnOnce(M) -> N,
        then: impl FnOnce(T) -> Turn<N, U>,
    ) -> Turn<N, U> {
        match self {
            Self::Ask(request, machine) => Turn::Ask(request, wrap(machine)),
            Self::End(result) => then(result),
        }
    }
}
