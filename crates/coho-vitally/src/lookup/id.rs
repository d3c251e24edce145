//! The look-up by Vitally's id: one read. Whatever external id the record has, it is the one.

use coho_core::object::Object;
use coho_core::target::VitallyId;

use super::{Finding, failed, found};
use crate::address::Address;
use crate::request::{Answer, Request};
use crate::turn::Turn;
use crate::wire::reading::{Reading, read, refused, unreadable};
use crate::wire::record::Record;

/// A look-up under way.
#[derive(Clone, Debug)]
pub(crate) struct ById {
    object: Object,
    id: VitallyId,
}

impl ById {
    pub(crate) fn begin(object: Object, id: VitallyId) -> Turn<Self, Finding> {
        match object {
            Object::Event => Turn::End(Finding::Missing),
            Object::Organization | Object::Account | Object::User => {
                Turn::Ask(Request::get(&Address::Id(object, id.clone())), Self { object, id })
            }
        }
    }

    pub(crate) fn take(self, answer: &Answer) -> Turn<Self, Finding> {
        match read(answer) {
            Reading::Absent(_) => Turn::End(Finding::Missing),
            Reading::Fine(reply) => match Record::parse(&reply.body) {
                Some(record) if record.id.as_ref() == Some(&self.id) => found(record),
                Some(_) => Turn::End(Finding::Wrong { message: self.other() }),
                None => failed(unreadable(reply)),
            },
            Reading::Refused(reply) => Turn::End(Finding::Failed(refused(reply))),
            Reading::End(end) => failed(end),
        }
    }

    fn other(&self) -> String {
        format!("Vitally answered with another {} where the id `{}` was asked for", self.object, self.id)
    }
}
