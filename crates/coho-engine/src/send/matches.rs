//! Matches: which user an e-mail address belongs to. It is asked once; from then on Vitally's id is remembered.
//!
//! Many are found at once in a [`Directory`]: all users are listed, a hundred a call, unless that takes more than a tenth of the
//! calls that the searches would take. Only a list that was read to its end is believed, and only where one user has the
//! address: whoever is not in it may be hidden from lists, and is searched.
//!
//! A user that another row of the sync holds already is nobody else's: two rows would overwrite each other.

use std::collections::{HashMap, HashSet};

use coho_core::code::Code;
use coho_core::object::Object;
use coho_core::operation::{Action, Operation};
use coho_core::path::FieldPath;
use coho_core::row_state::{DeliveryState, Pending};
use coho_core::target::VitallyId;
use coho_core::value::preview;
use coho_core::verdict::{Call, Verdict};
use coho_plan::lists::{WORTH_LISTING, budget};
use coho_vitally::Record;
use coho_vitally::client::Client;
use coho_vitally::list::ListEnd;
use coho_vitally::lookup::LookupResult;
use coho_vitally::resolved::Match;

use super::Sender;
use super::references::Resolution;
use crate::failure::EngineError;

/// The users that were found by listing, by their e-mail address in lower case.
#[derive(Debug, Default)]
pub(crate) struct Directory {
    /// Who has an address, as far as the list was read.
    users: HashMap<String, Match>,
}

impl Directory {
    /// Lists users until all are known, or the calls are used up. Gives the calls that it took.
    pub(crate) async fn list(
        client: &Client,
        wanted: HashSet<String>,
        goes_on: &(dyn Fn() -> bool + Sync),
    ) -> (Self, Vec<Call>) {
        let (unknown, mut calls) = (wanted.len(), Vec::new());
        if unknown < WORTH_LISTING {
            return (Self::default(), calls);
        }
        let mut users: HashMap<String, Match> =
            wanted.into_iter().map(|address| (address, Match::None)).collect();
        let mut pages = client.list(Object::User);
        for _ in 0..budget(unknown) {
            let listed = pages.next().await;
            calls.extend(listed.calls);
            for record in listed.records {
                let address = record.email.as_deref().map(str::to_lowercase);
                if let Some(seen) = address.and_then(|address| users.get_mut(&address)) {
                    *seen = match seen {
                        Match::None => Match::One(Box::new(record.bare())),
                        Match::One(_) | Match::Several => Match::Several,
                    };
                }
            }
            match listed.end {
                ListEnd::More if goes_on() => {}
                ListEnd::End => return (Self { users }, calls),
                ListEnd::More | ListEnd::Failed(_) => break,
            }
        }
        (Self::default(), calls)
    }

    /// The one user who has an address.
    fn get(&self, address: &str) -> Option<&Record> {
        match self.users.get(&address.to_lowercase()) {
            Some(Match::One(record)) => Some(record),
            Some(Match::None | Match::Several) | None => None,
        }
    }
}

impl Sender<'_> {
    /// Finds the record of an operation that is matched by e-mail, unless its id is known: by the address, and where that is
    /// a new one that nobody has, by the one before.
    pub(super) async fn match_email(
        &self,
        operation: &Operation,
        mut resolution: Resolution,
    ) -> Result<Resolution, EngineError> {
        let (Some(email), None) = (&operation.email, operation.known.id()) else { return Ok(resolution) };
        let mut found = Match::None;
        for address in [Some(email.clone()), address_before(operation)].into_iter().flatten() {
            match self.find(&address, &mut resolution.calls).await {
                LookupResult::Found(record) => {
                    if let Some(taken) = self.taken(operation, &address, record.id.as_ref())? {
                        resolution.resolved = Err(taken);
                        return Ok(resolution);
                    }
                    found = Match::One(record);
                }
                LookupResult::Missing | LookupResult::Wrong { .. } => continue,
                LookupResult::Several => found = Match::Several,
                LookupResult::Failed(verdict) => {
                    resolution.resolved = Err(verdict);
                    return Ok(resolution);
                }
            }
            break;
        }
        resolution.resolved = resolution.resolved.map(|resolved| resolved.with_match(found));
        Ok(resolution)
    }

    async fn find(&self, address: &str, calls: &mut Vec<Call>) -> LookupResult {
        if let Some(record) = self.directory.get(address) {
            return LookupResult::Found(Box::new(record.clone()));
        }
        let looked = self.client.search_email(address).await;
        calls.extend(looked.calls);
        self.watch(looked.health);
        looked.finding
    }

    /// The verdict where another row holds the record that was found. A row that is gone holds nothing any more.
    fn taken(
        &self,
        operation: &Operation,
        email: &str,
        id: Option<&VitallyId>,
    ) -> Result<Option<Verdict>, EngineError> {
        let Some(id) = id else { return Ok(None) };
        for key in self.ledger.holder_of_id(self.scope, id)? {
            let row_state = self.ledger.row_state(self.scope, &key)?;
            let let_go = row_state.is_none_or(|row_state| {
                let left = matches!(
                    row_state.delivery,
                    DeliveryState::Released { .. } | DeliveryState::Removed { .. }
                );
                left && row_state.pending == Pending::None
            });
            if key == operation.key || let_go || self.table.is_absent(&key)? {
                continue;
            }
            let message = format!(
                "the user with the e-mail address `{}` already belongs to the row with key `{}`",
                preview(email),
                preview(key.as_str())
            );
            return Ok(Some(Verdict::Rejected { code: Code::DUPLICATE_TARGET, message }));
        }
        Ok(None)
    }
}

/// The address that a record had, where its row has another one now.
fn address_before(operation: &Operation) -> Option<String> {
    let Action::Write { changed, .. } = &operation.action else { return None };
    let path = FieldPath::new("email");
    let change = changed.iter().find(|change| change.path == path)?;
    let before = change.before.as_ref()?.as_text()?;
    (Some(before) != change.after.as_text()).then(|| before.to_owned())
}
