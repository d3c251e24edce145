//! Reads: records by their e-mail address or Vitally's id, all records of an object, a workspace's custom fields. None of
//! them writes anything; their look-ups and lists are those of [`crate::lookup`], [`crate::list`], [`crate::custom_field`].

use coho_core::object::Object;
use coho_core::target::VitallyId;
use coho_core::verdict::{Call, Verdict};

use super::ask::Log;
use super::{Client, Health, Looked};
use crate::custom_field::{self, CustomField};
use crate::list::{ListEnd, Listing, Portion};
use crate::lookup;
use crate::wire::record::Record;

/// All records of an object, page by page.
#[derive(Debug)]
pub struct Pages {
    client: Client,
    listing: Listing,
}

/// What one call of a listing brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedPage {
    /// The records that no earlier call brought.
    pub records: Vec<Record>,
    /// Whether there are more.
    pub end: ListEnd,
    /// The calls that were made, in order; repeats are calls too.
    pub calls: Vec<Call>,
    /// How the server did.
    pub health: Health,
}

impl Pages {
    /// Reads the next page, a hundred records at most. After the last one it brings nothing, without a call.
    pub async fn next(&mut self) -> ListedPage {
        let mut log = Log::default();
        let portion = match (self.client.halted(), self.listing.request()) {
            (Some(verdict), _) => Portion { records: Vec::new(), end: ListEnd::Failed(verdict) },
            (None, None) => Portion { records: Vec::new(), end: ListEnd::End },
            (None, Some(request)) => {
                let answer = self.client.ask(&request, &mut log).await;
                self.listing.on(&answer)
            }
        };
        ListedPage { records: portion.records, end: portion.end, calls: log.calls, health: log.health }
    }
}

impl Client {
    /// Looks for the user with an e-mail address, in upper or lower case.
    pub async fn search_email(&self, address: &str) -> Looked {
        let Some(mut carrier) = self.carrier() else { return Looked::in_vain() };
        let finding = lookup::by_email(&mut carrier, address).await;
        carrier.looked(finding)
    }

    /// Reads the record with one of Vitally's own ids, whatever external id it has.
    pub async fn record(&self, object: Object, id: &VitallyId) -> Looked {
        let Some(mut carrier) = self.carrier() else { return Looked::in_vain() };
        let finding = lookup::by_id(&mut carrier, object, id).await;
        carrier.looked(finding)
    }

    /// All records of an object, accounts that churned among them. No call is made yet.
    pub fn list(&self, object: Object) -> Pages {
        Pages { client: self.clone(), listing: Listing::start(object) }
    }

    /// The traits that the workspace has defined for an object, by label. Events have none.
    pub async fn custom_fields(&self, object: Object) -> Result<(Vec<CustomField>, Vec<Call>), Verdict> {
        let Some(request) = custom_field::request(object) else { return Ok((Vec::new(), Vec::new())) };
        if let Some(verdict) = self.halted() {
            return Err(verdict);
        }
        let mut log = Log::default();
        let answer = self.ask(&request, &mut log).await;
        Ok((custom_field::answered(&answer)?, log.calls))
    }
}
