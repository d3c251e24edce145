//! Finding a record: several looks, one after the other, until one of them finds something. Which ones is for [`Subject`] to
//! say: its methods `looks…` are the only place that knows how a sync matches.

use std::time::Duration;

use coho_core::row_state::Verb;
use coho_core::target::VitallyId;
use coho_core::verdict::Verdict;

use crate::address::RouteIds;
use crate::ask::Ask;
use crate::exchange::Exchange;
use crate::exchange::subject::Subject;
use crate::lookup::{self, LookupResult};
use crate::resolved::Match;
use crate::wire::record::Record;
use crate::wire::refusal::Certainty;

/// How long the looks after a refusal wait for Vitally to see a record that exists.
const WAITS: [Duration; 3] = [Duration::ZERO, Duration::from_millis(250), Duration::from_secs(1)];

/// One way to find a record.
#[derive(Clone, Debug)]
pub(crate) enum Look {
    /// By the external id of the operation.
    Target,
    /// By the same, though its path says that there is no such record.
    TargetWithoutPath,
    /// By the same, once its path said that there is no such record: that means something where the path is known to take
    /// external ids.
    TargetUnlessShown,
    /// By a remembered id, then by the external id of the operation, which the record must have.
    Remembered(VitallyId),
    /// By a remembered id, whatever external id the record has.
    Id(VitallyId),
    /// By an e-mail address.
    Email(String),
    /// The caller has searched the e-mail address.
    Told(Match),
}

impl<A: Ask> Exchange<'_, A> {
    /// Looks one way after the other. Nothing is written meanwhile, so that an error is final.
    pub(crate) async fn find(&mut self, looks: Vec<Look>) -> Result<Option<Record>, Verdict> {
        for look in looks {
            let finding = self.look(look).await;
            if let Some(record) = self.subject.one(finding)? {
                return Ok(Some(record));
            }
        }
        Ok(None)
    }

    /// The same after a while: Vitally may not see at once what was written.
    pub(crate) async fn find_after(
        &mut self,
        wait: Duration,
        looks: Vec<Look>,
    ) -> Result<Option<Record>, Verdict> {
        self.asked.wait = wait;
        let found = self.find(looks).await;
        self.asked.wait = Duration::ZERO;
        found
    }

    /// Finds the record of a POST that was refused. Where Vitally said that it exists, a path that says otherwise is not believed.
    pub(crate) async fn find_refused(&mut self, certainty: Certainty) -> Result<Option<Record>, Verdict> {
        let looks = match certainty {
            Certainty::Said => WAITS.len(),
            Certainty::Guessed => 1,
        };
        for wait in WAITS.into_iter().take(looks) {
            if let Some(record) = self.find_after(wait, self.subject.looks_again()).await? {
                return Ok(Some(record));
            }
        }
        self.find_against_the_path(certainty).await
    }

    /// One look without the path, where that is believed to take external ids.
    pub(crate) async fn find_against_the_path(
        &mut self,
        certainty: Certainty,
    ) -> Result<Option<Record>, Verdict> {
        match (certainty, self.paths.of(self.subject.object)) {
            (Certainty::Said, RouteIds::Both | RouteIds::BothShown) => {
                self.find(vec![Look::TargetWithoutPath]).await
            }
            (Certainty::Said, RouteIds::VitallysOnly) | (Certainty::Guessed, _) => Ok(None),
        }
    }

    async fn look(&mut self, look: Look) -> LookupResult {
        let (object, target, asked) = (self.subject.object, &self.subject.target, &mut self.asked);
        match look {
            Look::Target => lookup::by_external_id(asked, object, target, self.paths).await,
            Look::TargetWithoutPath => lookup::against_the_path(asked, object, target, self.paths).await,
            Look::TargetUnlessShown => lookup::unless_shown(asked, object, target, self.paths).await,
            Look::Remembered(id) => lookup::by_remembered_id(asked, object, target, &id, self.paths).await,
            Look::Id(id) => lookup::by_id(asked, object, &id).await,
            Look::Email(address) => lookup::by_email(asked, &address).await,
            Look::Told(Match::None) => LookupResult::Missing,
            Look::Told(Match::One(record)) => LookupResult::Found(record),
            Look::Told(Match::Several) => LookupResult::Several,
        }
    }
}

impl Subject {
    /// How the record is found before it is written. A write that is unclear may have made it under its external id; a
    /// record whose address changes may still have the old one.
    pub(crate) fn looks(&self) -> Vec<Look> {
        let Some(email) = &self.email else { return vec![Look::Target] };
        let mut looks = self.looks_by_address();
        // Who was told who has the new address was told of the old one too.
        if self.found.is_none() {
            looks.extend(email.before.clone().map(Look::Email));
        }
        if self.is_unclear() {
            looks.push(Look::Target);
        }
        looks
    }

    /// Who has the e-mail address.
    pub(crate) fn looks_by_address(&self) -> Vec<Look> {
        match (&self.email, &self.found) {
            (None, _) => Vec::new(),
            (Some(_), Some(found)) => vec![Look::Told(found.clone())],
            (Some(email), None) => vec![Look::Email(email.address.clone())],
        }
    }

    /// How the record is found after Vitally said that it exists: under the external id, since the address found none.
    pub(crate) fn looks_again(&self) -> Vec<Look> {
        let mut looks = vec![Look::Target];
        looks.extend(self.email.as_ref().map(|email| Look::Email(email.address.clone())));
        looks
    }

    /// How a record is found that is to be deleted: where an e-mail address matches, never by its external id.
    pub(crate) fn looks_removed(&self) -> Vec<Look> {
        match &self.email {
            None => vec![Look::Target, Look::TargetUnlessShown],
            Some(_) => self.looks_by_address(),
        }
    }

    /// How it is found out what became of a write or a removal. The clocks tell whose the record is, and only an answer has
    /// Vitally's: what the caller found is asked again.
    pub(crate) fn looks_probed(&self, verb: Verb) -> Vec<Look> {
        let asked = self.unfound();
        match (&asked.email, asked.id.clone(), verb) {
            (None, Some(id), Verb::Remove) => vec![Look::Remembered(id)],
            (None, Some(id), Verb::Write) => vec![Look::Remembered(id), Look::TargetUnlessShown],
            (None, None, _) => vec![Look::Target, Look::TargetUnlessShown],
            (Some(_), id, Verb::Write) => {
                id.map(Look::Id).into_iter().chain(asked.looks()).chain([Look::TargetUnlessShown]).collect()
            }
            (Some(_), Some(id), Verb::Remove) => vec![Look::Id(id)],
            (Some(_), None, Verb::Remove) => asked.looks_by_address(),
        }
    }

    /// The same as if the caller had not searched.
    pub(crate) fn unfound(&self) -> Self {
        Self { found: None, ..self.clone() }
    }
}
