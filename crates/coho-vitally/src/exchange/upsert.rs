//! The exchange of upsert and update.
//!
//! | state | what happened | next |
//! |---|---|---|
//! | start | matched by e-mail, id not remembered | look-up: the address; where it changes, the old one; where an earlier write is unclear, the external id |
//! | | matched by e-mail, id remembered, the address changes | look-up: the new address |
//! | | upsert, believed new | POST |
//! | | known, assumed, unclear, or update | PUT; where the path will not do, look-up |
//! | POST | the answer shows the record | Applied |
//! | | refused, may exist | look-up, up to three times, then once more without the path; found: PUT all fields; missing: Rejected |
//! | PUT | the answer shows the record | Applied; where it may have made it from a part of its fields: PUT all fields |
//! | | missing under a remembered id | look-up: the record may have been deleted and made again |
//! | | missing under the external id, or after a look-up | upsert: POST; update: Missing, where the path is known to take external ids; else a look-up without it |
//! | | the path wants Vitally's id | look-up |
//! | | refused, may be missing | look-up: missing: as above; found: Rejected |
//! | look-up | of a new address: nobody else has it | PUT |
//! | | of a new address: another record has it | look-up: the remembered id; found: Rejected `ambiguous-match`; missing: PUT all fields |
//! | | several | Ambiguous |
//! | | found | PUT |
//! | | missing | upsert: POST; update: Missing |
//!
//! A write whose answer shows another record, or none, is Unsure. A POST happens at most once in an exchange. A record that an
//! address found may have another external id: it keeps it, and a note says so. After Applied, [`crate::exchange::exact`] takes
//! links away where the sync wants that.

use coho_core::code::Code;
use coho_core::fields::{Difference, FieldValue};
use coho_core::operation::{Action, Known, Operation};
use coho_core::path::FieldPath;
use coho_core::plan::Calls;
use coho_core::row_state::Origin;
use coho_core::sync::Associations;
use coho_core::time::Time;
use coho_core::value::preview;
use coho_core::verdict::Verdict;

use crate::address::{Address, RouteIds};
use crate::ask::Ask;
use crate::exchange::find::Look;
use crate::exchange::origin::Reached;
use crate::exchange::subject::{Bodies, Extent, Subject};
use crate::exchange::write::{Birth, Posted, Put, Written};
use crate::exchange::{Exchange, exact};
use crate::wire::record::Record;

/// What becomes of a record that is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnMissing {
    /// Upsert.
    Create,
    /// Update.
    Leave,
}

/// A write that was acknowledged, with what may matter of it.
#[derive(Debug)]
pub(crate) struct Applied {
    /// The record as the last answer shows it.
    pub(crate) record: Record,
    pub(crate) origin: Origin,
    pub(crate) notes: Vec<String>,
    /// Our clock when the write was sent.
    pub(crate) at: Time,
    /// Whether the links may be others than those that were sent, where the answer does not tell them.
    pub(crate) links: Links,
}

/// Whether a record's links are known without being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Links {
    /// They are those that were sent, or nobody asks.
    Known,
    /// There may be more.
    Unknown,
}

/// Where a record is, as far as it is known before it is written.
enum Place {
    /// Nowhere that is known.
    Nowhere,
    /// At an address, unseen.
    At(Address),
    /// It was just seen.
    Seen(Box<Record>),
}

/// An upsert or update under way: how it came to where it stands.
struct Upsert<'e, 'a, A> {
    exchange: &'e mut Exchange<'a, A>,
    bodies: &'e Bodies<'e>,
    on_missing: OnMissing,
    reached: Reached,
    extent: Extent,
    notes: Vec<String>,
}

/// Writes a record, whether it is there or not; in update mode only if it is.
pub(crate) async fn upsert<A: Ask>(
    exchange: &mut Exchange<'_, A>,
    bodies: &Bodies<'_>,
    on_missing: OnMissing,
) -> Result<Applied, Verdict> {
    let extent = if exchange.subject.is_unclear() { Extent::Complete } else { Extent::Change };
    let reached = match exchange.subject.known {
        Known::New => Reached::Anew,
        Known::Unclear { .. } | Known::There { .. } | Known::Assumed => Reached::Remembered,
    };
    let mut upsert = Upsert { exchange, bodies, on_missing, reached, extent, notes: Vec::new() };
    let applied = match upsert.place().await? {
        Place::Nowhere => None,
        Place::At(address) => upsert.update_at(address).await?,
        Place::Seen(record) => upsert.update(&record).await?,
    };
    match (applied, on_missing) {
        (Some(applied), _) => Ok(applied),
        (None, OnMissing::Leave) => Err(Verdict::Missing),
        (None, OnMissing::Create) => upsert.create().await,
    }
}

impl<A: Ask> Upsert<'_, '_, A> {
    /// Where the record is. What an e-mail address finds is looked up, unless its id is remembered and the address stays.
    async fn place(&mut self) -> Result<Place, Verdict> {
        let subject = &self.exchange.subject;
        match (&subject.email, &subject.id, self.on_missing, &subject.known) {
            (Some(_), None, _, _) => {
                let looks = subject.looks();
                let found = self.exchange.find(looks).await?;
                Ok(found.map_or(Place::Nowhere, |record| self.sought(record)))
            }
            (Some(email), Some(_), _, _) if email.before.is_some() => {
                let looks = subject.looks_by_address();
                match self.exchange.find(looks).await? {
                    Some(record) if is_other(&self.exchange.subject, &record) => self.another(record).await,
                    // The record is remembered, and so is whatever there is to tell of it.
                    Some(record) => Ok(Place::Seen(Box::new(record))),
                    None => self.known_place().await,
                }
            }
            (None, _, OnMissing::Create, Known::New) => Ok(Place::Nowhere),
            (Some(_) | None, _, OnMissing::Create | OnMissing::Leave, _) => self.known_place().await,
        }
    }

    /// Where another record has the new address. It is nobody's that this row has to respect once the one that is remembered is gone:
    /// then it is found as at first.
    async fn another(&mut self, record: Record) -> Result<Place, Verdict> {
        let looks = self.exchange.subject.id.clone().map(Look::Id);
        match self.exchange.find(looks.into_iter().collect()).await? {
            Some(_) => Err(taken(&self.exchange.subject, &record)),
            None => Ok(self.seen_anew(record)),
        }
    }

    /// By what is known of the record. The path will not do where it does not take external ids, or may take this one for an id
    /// of Vitally's.
    async fn known_place(&mut self) -> Result<Place, Verdict> {
        if let Some(address) = self.exchange.address() {
            return Ok(Place::At(address));
        }
        let looks = self.exchange.subject.looks();
        let found = self.exchange.find(looks).await?;
        Ok(found.map_or(Place::Nowhere, |record| self.seen(record)))
    }

    /// A record that was sought by its e-mail address.
    fn sought(&mut self, record: Record) -> Place {
        if self.reached == Reached::Remembered && self.exchange.subject.has_target(&record) {
            return self.seen(record);
        }
        self.seen_anew(record)
    }

    fn seen(&mut self, record: Record) -> Place {
        self.notes.extend(self.exchange.subject.keeps(&record));
        Place::Seen(Box::new(record))
    }

    /// Another record than the one that is remembered: it gets all fields.
    fn seen_anew(&mut self, record: Record) -> Place {
        (self.reached, self.extent) = (Reached::Anew, Extent::Complete);
        self.seen(record)
    }

    /// Updates the record at an address; `None` where there is none.
    async fn update_at(&mut self, address: Address) -> Result<Option<Applied>, Verdict> {
        let is_remembered = matches!(address, Address::Id(..));
        let object = self.exchange.subject.object;
        let place = match self.exchange.put_unseen(address, self.bodies, self.extent).await? {
            Put::Written(written) => return self.written(*written).await.map(Some),
            Put::Missing if is_remembered => self.look(Self::seen_anew).await?,
            // A POST teaches whether it is there after all; an update has no other way.
            Put::Missing if self.on_missing == OnMissing::Leave => {
                let found = self.exchange.find(vec![Look::TargetUnlessShown]).await?;
                found.map_or(Place::Nowhere, |record| self.seen(record))
            }
            Put::Missing => Place::Nowhere,
            Put::WantsVitallysId => {
                self.exchange.paths.learn(object, RouteIds::VitallysOnly);
                self.look(Self::seen).await?
            }
            Put::Doubtful(refusal) => self.look_in_doubt(refusal).await?,
        };
        match place {
            Place::Seen(record) => self.update(&record).await,
            Place::Nowhere | Place::At(_) => Ok(None),
        }
    }

    async fn look(&mut self, seen: fn(&mut Self, Record) -> Place) -> Result<Place, Verdict> {
        let looks = self.exchange.subject.looks();
        let found = self.exchange.find(looks).await?;
        Ok(found.map_or(Place::Nowhere, |record| seen(self, record)))
    }

    /// A refusal may have meant that the record is missing. If it is there, the refusal stands.
    async fn look_in_doubt(&mut self, refusal: Verdict) -> Result<Place, Verdict> {
        let looks = self.exchange.subject.looks();
        match self.exchange.find(looks).await? {
            Some(record) if is_other(&self.exchange.subject, &record) => Ok(self.seen_anew(record)),
            Some(_) => Err(refusal),
            None => Ok(Place::Nowhere),
        }
    }

    /// Updates a record that was just seen; `None` where it is gone all the same.
    async fn update(&mut self, record: &Record) -> Result<Option<Applied>, Verdict> {
        match self.exchange.put_seen(record, self.bodies, self.extent).await? {
            Put::Written(written) => self.written(*written).await.map(Some),
            Put::Missing | Put::WantsVitallysId => Ok(None),
            Put::Doubtful(refusal) => Err(refusal),
        }
    }

    async fn create(&mut self) -> Result<Applied, Verdict> {
        let (certainty, refusal) = match self.exchange.post(self.bodies).await? {
            Posted::Written(written) => {
                self.reached = Reached::Anew;
                return Ok(self.applied(*written));
            }
            Posted::Exists { certainty, refusal } => (certainty, refusal),
        };
        let record = self.exchange.find_refused(certainty).await?.ok_or(refusal)?;
        if let Place::Seen(record) = self.seen_anew(record)
            && let Some(applied) = self.update(&record).await?
        {
            return Ok(applied);
        }
        let why = "Vitally says both that the record exists and that it does not".to_owned();
        Err(Verdict::Unsent { why })
    }

    /// A PUT that may have made its record from a part of the fields left it incomplete.
    async fn written(&mut self, written: Written) -> Result<Applied, Verdict> {
        let is_part = self.extent == Extent::Change && self.bodies.change_is_partial();
        match written.birth {
            Birth::Proven | Birth::Possible if is_part => self.fill(written).await,
            Birth::Proven | Birth::Possible | Birth::Unlikely => Ok(self.applied(written)),
        }
    }

    /// Whatever the second PUT comes to, the first was carried out.
    async fn fill(&mut self, first: Written) -> Result<Applied, Verdict> {
        let filled = self.exchange.put_seen(&first.record, self.bodies, Extent::Complete).await;
        let mut applied = self.applied(first);
        match filled {
            Ok(Put::Written(second)) => {
                applied.notes.extend(second.notes);
                applied.notes.dedup();
                Ok(Applied { record: second.record, ..applied })
            }
            Ok(Put::Missing | Put::WantsVitallysId) => Err(Verdict::Unsure {
                why: "Vitally created the record, but then did not find it".to_owned(),
            }),
            Err(
                Verdict::Unsent { why }
                | Verdict::Halt { message: why, .. }
                | Verdict::Deferred { message: why },
            ) => Err(Verdict::Unsure { why }),
            Ok(Put::Doubtful(verdict)) | Err(verdict) => Err(verdict),
        }
    }

    fn applied(&mut self, written: Written) -> Applied {
        let subject = &self.exchange.subject;
        let mut notes = std::mem::take(&mut self.notes);
        notes.extend(written.notes);
        let origin = match (written.birth, self.on_missing) {
            (Birth::Proven, _) => Origin::Created,
            // An update makes no record: whenever this one was born, another made it.
            (Birth::Possible | Birth::Unlikely, OnMissing::Leave) => remembered(subject, self.reached),
            (Birth::Possible | Birth::Unlikely, OnMissing::Create) => {
                written.moment.origin(&subject.known, self.reached, &written.record)
            }
        };
        if self.on_missing == OnMissing::Leave && written.birth == Birth::Proven {
            notes.push("the record did not exist, and Vitally created it on an update".to_owned());
        }
        notes.dedup();
        let is_linked_anew =
            self.extent == Extent::Complete || subject.exact.as_ref().is_some_and(|exact| exact.is_changed);
        let links =
            if is_linked_anew && written.birth != Birth::Proven { Links::Unknown } else { Links::Known };
        Applied { record: written.record, origin, notes, at: written.moment.asked(), links }
    }
}

/// Whose a record is that this exchange did not create: ours if it is the one that was ours before.
fn remembered(subject: &Subject, reached: Reached) -> Origin {
    match (reached, subject.known.origin()) {
        (Reached::Remembered, Some(origin)) => origin,
        (Reached::Remembered, None) | (Reached::Anew, _) => Origin::Found,
    }
}

/// Whether a record has another id than the remembered one: that one was deleted, and this one made in its place.
fn is_other(subject: &Subject, record: &Record) -> bool {
    matches!((&subject.id, &record.id), (Some(remembered), Some(found)) if remembered != found)
}

/// The verdict where the new e-mail address of a record is that of another one.
fn taken(subject: &Subject, record: &Record) -> Verdict {
    let address = subject.email.as_ref().map(|email| preview(&email.address)).unwrap_or_default();
    let holder = match &record.external_id {
        Some(external_id) => format!("the {} {}", subject.object, preview(external_id)),
        None => format!("a {} without external id", subject.object),
    };
    let message = format!("{holder} already has the e-mail address `{address}` in Vitally");
    Verdict::Rejected { code: Code::AMBIGUOUS_MATCH, message }
}

/// The fewest and the most calls. The most are those of a record that is another one than is remembered, or gone: a look, and a
/// write more.
pub(crate) fn cost(operation: &Operation, on_missing: OnMissing) -> Calls {
    match on_missing {
        // Who is not found is created.
        OnMissing::Create if operation.searches() => Calls { least: 2, most: 4 },
        // Who is not found is left.
        OnMissing::Leave if operation.searches() => Calls { least: 1, most: 3 },
        OnMissing::Create if operation.known == Known::New => Calls { least: 1, most: 3 },
        OnMissing::Create | OnMissing::Leave => {
            let (links, address) = (u64::from(reads_links(operation)), u64::from(address_changes(operation)));
            // A search that finds the record itself shows its links too.
            Calls { least: 1 + links.max(address), most: 3 + links + address + exact::most_calls(operation) }
        }
    }
}

/// One read where an update adds links: it must not replace those that others made. Exact links are not read first.
fn reads_links(operation: &Operation) -> bool {
    let Action::Write { changed, complete, associations: Associations::Add, .. } = &operation.action else {
        return false;
    };
    let links = |path: &FieldPath| {
        matches!(complete.get(path), Some(FieldValue::References(..) | FieldValue::Ids(..)))
    };
    changed.iter().any(|difference| links(&difference.path))
}

/// Whether a record that was found by its e-mail address gets another one: somebody else may have that.
fn address_changes(operation: &Operation) -> bool {
    let Action::Write { changed, .. } = &operation.action else { return false };
    let address = FieldPath::new("email");
    // Where all fields are sent again, those that did not change are among them.
    let differs = |change: &Difference| change.before.as_ref().is_some_and(|before| *before != change.after);
    operation.email.is_some() && changed.iter().any(|change| change.path == address && differs(change))
}
