//! Matches: which user an e-mail address belongs to. It is asked once; from then on Vitally's id is remembered.
//!
//! A user that another row of the sync holds already is nobody else's: two rows would overwrite each other.

use coho_core::code::Code;
use coho_core::operation::Operation;
use coho_core::target::VitallyId;
use coho_core::value::preview;
use coho_core::verdict::Verdict;
use coho_ledger::LedgerError;
use coho_vitally::lookup::Finding;
use coho_vitally::resolved::Match;

use super::Sender;
use super::references::Resolution;

impl Sender<'_> {
    /// Finds the record of an operation that is matched by e-mail, unless its id is known.
    pub(super) async fn match_email(
        &self,
        operation: &Operation,
        mut resolution: Resolution,
    ) -> Result<Resolution, LedgerError> {
        let (Some(email), None) = (&operation.email, operation.known.id()) else { return Ok(resolution) };
        let looked = self.client.search_email(email).await;
        resolution.calls.extend(looked.calls);
        self.watch(looked.health);
        let found = match looked.finding {
            Finding::Found(record) => {
                if let Some(taken) = self.taken(operation, email, record.id.as_ref())? {
                    resolution.resolved = Err(taken);
                    return Ok(resolution);
                }
                Match::One(record)
            }
            Finding::Missing | Finding::Wrong { .. } => Match::None,
            Finding::Several => Match::Several,
            Finding::Failed(verdict) => {
                resolution.resolved = Err(verdict);
                return Ok(resolution);
            }
        };
        resolution.resolved = resolution.resolved.map(|resolved| resolved.with_match(found));
        Ok(resolution)
    }

    /// The verdict where another row holds the record that was found.
    fn taken(
        &self,
        operation: &Operation,
        email: &str,
        id: Option<&VitallyId>,
    ) -> Result<Option<Verdict>, LedgerError> {
        let Some(id) = id else { return Ok(None) };
        let holders = self.ledger.holder_of_id(self.scope, id)?;
        let other = holders.into_iter().find(|key| *key != operation.key);
        Ok(other.map(|key| Verdict::Rejected {
            code: Code::DUPLICATE_TARGET,
            message: format!(
                "the user with the e-mail address `{}` is held by the row with key `{}`",
                preview(email),
                preview(key.as_str())
            ),
        }))
    }
}
