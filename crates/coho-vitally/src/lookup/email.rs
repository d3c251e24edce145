//! The look-up by e-mail address: one search. Vitally does not document whether it minds upper and lower case, so that what
//! is found is compared without.

use super::{Finding, failed, one_of};
use crate::address::Address;
use crate::request::{Answer, Request};
use crate::turn::Turn;
use crate::wire::reading::{Reading, read, refused, unreadable};
use crate::wire::record::Page;

/// A look-up under way.
#[derive(Clone, Debug)]
pub(crate) struct ByEmail {
    address: String,
}

impl ByEmail {
    /// Begins. No user is found by an address that is empty.
    pub(crate) fn begin(address: &str) -> Turn<Self, Finding> {
        match address.trim() {
            "" => Turn::End(Finding::Missing),
            address => {
                let request = Request::get(&Address::Email(address.to_owned()));
                Turn::Ask(request, Self { address: address.to_owned() })
            }
        }
    }

    pub(crate) fn take(self, answer: &Answer) -> Turn<Self, Finding> {
        match read(answer) {
            Reading::Absent(_) => Turn::End(Finding::Missing),
            Reading::Fine(reply) => match Page::parse(&reply.body) {
                Some(page) => {
                    let same = page.records.into_iter().filter(|record| record.has_email(&self.address));
                    Turn::End(one_of(same.collect()))
                }
                None => failed(unreadable(reply)),
            },
            Reading::Refused(reply) => Turn::End(Finding::Failed(refused(reply))),
            Reading::End(end) => failed(end),
        }
    }
}
