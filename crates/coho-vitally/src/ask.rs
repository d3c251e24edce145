//! The port of all exchanges, look-ups and lists: somebody carries a request and brings its answer.
//!
//! The client carries them over HTTP, a test answers from a script; neither sockets nor clocks are known here
//! ([decision 0021](https://github.com/coho-sync/coho/blob/main/docs/decisions/0021-exchanges-are-straight-code-over-a-port.md)).

use crate::request::{Answer, Request};

/// Carries requests.
///
/// ```
/// use coho_core::object::Object;
/// use coho_core::target::ExternalId;
/// use coho_vitally::address::Paths;
/// use coho_vitally::ask::Ask;
/// use coho_vitally::lookup::{self, LookupResult};
/// use coho_vitally::request::{Answer, Request};
///
/// /// Nobody answers.
/// struct Silence(Vec<Request>);
///
/// impl Ask for Silence {
///     async fn ask(&mut self, request: Request) -> Answer {
///         self.0.push(request);
///         Answer::Lost { why: "timed out".to_owned() }
///     }
/// }
///
/// # async fn example() -> Result<(), coho_core::target::ExternalIdError> {
/// let mut silence = Silence(Vec::new());
/// let finding = lookup::by_external_id(&mut silence, Object::User, &ExternalId::parse("u/7")?, &mut Paths::default()).await;
/// assert!(matches!(finding, LookupResult::Failed(_)));
/// assert_eq!(silence.0[0].path, "/resources/users/u%2F7");
/// # Ok(())
/// # }
/// # let mut example = std::pin::pin!(example());
/// # let done = example.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop()));
/// # assert!(matches!(done, std::task::Poll::Ready(Ok(()))));
/// ```
pub trait Ask: Send {
    /// Sends a request, after its wait, and gives what came of it.
    fn ask(&mut self, request: Request) -> impl Future<Output = Answer> + Send;
}
