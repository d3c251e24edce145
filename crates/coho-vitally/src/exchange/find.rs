//! Finding a record: several look-ups, one after the other, until one of them finds something. Which ones is for
//! [`Subject`] to say: its methods `seeks…` are the only place that knows how a sync matches.

use std::collections::VecDeque;
use std::time::Duration;

use coho_core::memory::Verb;
use coho_core::operation::Known;
use coho_core::target::VitallyId;

use crate::address::Paths;
use crate::exchange::subject::Subject;
use crate::lookup::{Finding, Lookup};
use crate::request::{Answer, Request};
use crate::resolved::Match;
use crate::turn::Turn;

/// One way to find a record.
#[derive(Clone, Debug)]
pub(crate) enum Seek {
    /// By the external id of the operation.
    Target(Paths),
    /// By a remembered id, then by the external id of the operation, which the record must have.
    Remembered(Paths, VitallyId),
    /// By a remembered id, whatever external id the record has.
    Id(VitallyId),
    /// By an e-mail address.
    Email(String),
    /// The caller has searched the e-mail address.
    Told(Match),
}

/// Look-ups under way.
#[derive(Debug)]
pub(crate) struct Find {
    lookup: Lookup,
    rest: VecDeque<Seek>,
}

impl Find {
    /// Begins with the first way; its request waits a while.
    pub(crate) fn start(subject: &Subject, seeks: Vec<Seek>, after: Duration) -> Turn<Self, Finding> {
        match Self::next(subject, seeks.into()) {
            Turn::Ask(request, find) => Turn::Ask(Request { after, ..request }, find),
            Turn::End(finding) => Turn::End(finding),
        }
    }

    pub(crate) fn take(self, subject: &Subject, answer: &Answer) -> Turn<Self, Finding> {
        let Self { lookup, rest } = self;
        match lookup.take(answer) {
            Turn::Ask(request, lookup) => Turn::Ask(request, Self { lookup, rest }),
            Turn::End(Finding::Missing) => Self::next(subject, rest),
            Turn::End(finding) => Turn::End(finding),
        }
    }

    fn next(subject: &Subject, mut rest: VecDeque<Seek>) -> Turn<Self, Finding> {
        while let Some(seek) = rest.pop_front() {
            match seek.begin(subject) {
                Turn::Ask(request, lookup) => return Turn::Ask(request, Self { lookup, rest }),
                Turn::End(Finding::Missing) => {}
                Turn::End(finding) => return Turn::End(finding),
            }
        }
        Turn::End(Finding::Missing)
    }
}

impl Seek {
    fn begin(self, subject: &Subject) -> Turn<Lookup, Finding> {
        let (object, target) = (subject.object, subject.target.clone());
        match self {
            Self::Target(paths) => Lookup::begin(object, target, paths, None),
            Self::Remembered(paths, id) => Lookup::begin(object, target, paths, Some(&id)),
            Self::Id(id) => Lookup::id(object, id),
            Self::Email(address) => Lookup::email(&address),
            Self::Told(Match::None) => Turn::End(Finding::Missing),
            Self::Told(Match::One(record)) => Turn::End(Finding::Found(record)),
            Self::Told(Match::Several) => Turn::End(Finding::Several),
        }
    }
}

impl Subject {
    /// How the record is found before it is written. A write that is unclear may have made it under its external id; a
    /// record whose address changes may still have the old one.
    pub(crate) fn seeks(&self) -> Vec<Seek> {
        let Some(email) = &self.email else { return vec![Seek::Target(self.paths)] };
        let mut seeks = self.seeks_address();
        // Who was told who has the new address was told of the old one too.
        if self.found.is_none() {
            seeks.extend(email.before.clone().map(Seek::Email));
        }
        if matches!(self.known, Known::Unclear { .. }) {
            seeks.push(Seek::Target(self.paths));
        }
        seeks
    }

    /// Who has the e-mail address.
    pub(crate) fn seeks_address(&self) -> Vec<Seek> {
        match (&self.email, &self.found) {
            (None, _) => Vec::new(),
            (Some(_), Some(found)) => vec![Seek::Told(found.clone())],
            (Some(email), None) => vec![Seek::Email(email.address.clone())],
        }
    }

    /// How the record is found after Vitally said that it exists: under the external id, since the address found none.
    pub(crate) fn seeks_again(&self) -> Vec<Seek> {
        let mut seeks = vec![Seek::Target(self.paths)];
        seeks.extend(self.email.as_ref().map(|email| Seek::Email(email.address.clone())));
        seeks
    }

    /// How a record is found that is to be deleted: where an e-mail address matches, never by its external id.
    pub(crate) fn seeks_removed(&self) -> Vec<Seek> {
        match &self.email {
            None => vec![Seek::Target(self.paths)],
            Some(_) => self.seeks_address(),
        }
    }

    /// How it is found out what became of a write or a removal.
    pub(crate) fn seeks_probed(&self, verb: Verb) -> Vec<Seek> {
        match (&self.email, self.id.clone(), verb) {
            (None, Some(id), _) => vec![Seek::Remembered(self.paths, id)],
            (None, None, _) => vec![Seek::Target(self.paths)],
            (Some(_), id, Verb::Write) => id.map(Seek::Id).into_iter().chain(self.seeks()).collect(),
            (Some(_), Some(id), Verb::Remove) => vec![Seek::Id(id)],
            (Some(_), None, Verb::Remove) => self.seeks_address(),
        }
    }
}
