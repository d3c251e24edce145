//! Raw calls: one request and its answer, for whoever wants to find out how a workspace behaves. No exchange stands behind
//! them; the pace and the repeats of all other calls hold.

use coho_core::verdict::Verdict;

use super::Client;
use super::ask::Log;
use crate::request::{Method, Reply, Request};
use crate::wire::reading::{Reading, read};

impl Client {
    /// Sends one request. Whatever says something of this request alone is a reply, be it a refusal; what would meet all
    /// requests alike (a token that is not accepted, a server that fails or does not answer) is the error.
    pub async fn raw(&self, request: &Request) -> Result<Reply, Verdict> {
        if let Some(verdict) = self.halted() {
            return Err(verdict);
        }
        let answer = self.ask(request, &mut Log::default()).await;
        match read(&answer) {
            Reading::Fine(reply) | Reading::Absent(reply) | Reading::Refused(reply) => Ok(reply.clone()),
            Reading::End(end) => Err(match request.method {
                Method::Get => end.of_read(),
                Method::Post | Method::Put | Method::Delete => end.of_write(),
            }),
        }
    }
}
