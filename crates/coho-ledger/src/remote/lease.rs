//! The lease's object: who writes. It keeps runs from disturbing each other, and gives each its epoch. That nothing is lost does not
//! depend on it.

use std::time::Duration;

use coho_core::time::Time;
use coho_storage::{Condition, Put, Version};
use serde::{Deserialize, Serialize};

use super::machine;
use super::store::{Presence, RemotePlace};
use crate::holder::Holder;
use crate::moment::{micros, time};
use crate::remote_failure::RemoteError;

/// The object's name.
const NAME: &str = "lease";
/// How often somebody else may be faster.
const TRIES: u32 = 5;
/// How long it lasts without a renewal.
pub(crate) const LASTS: Duration = Duration::from_secs(300);

/// What the object says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LeaseObject {
    version: u32,
    pub(crate) epoch: u64,
    id: String,
    pid: u32,
    host: String,
    machine: Option<String>,
    since: i64,
    expires: i64,
    released: bool,
    /// Whether its holder is the one that the store has marked: then it is gone when nobody is marked.
    #[serde(default)]
    marked: bool,
}

impl LeaseObject {
    fn new(epoch: u64, holder: &Holder, now: Time, presence: Presence) -> Self {
        let Holder { id, pid, host } = holder.clone();
        let (since, expires, machine) = (micros(now), until(now, LASTS), machine::machine());
        let marked = presence == Presence::Alone;
        Self { version: 1, epoch, id, pid, host, machine, since, expires, released: false, marked }
    }

    /// Whether its holder may be at work.
    fn is_held(&self, now: Time, presence: Presence) -> bool {
        let is_here = self.machine.is_some() && self.machine == machine::machine();
        let is_gone = self.marked && presence == Presence::Alone;
        !(self.released
            || self.expires <= micros(now)
            || is_gone
            || (is_here && machine::has_ended(self.pid)))
    }

    /// Whose it is.
    pub(crate) fn holder(&self) -> Holder {
        Holder { id: self.id.clone(), pid: self.pid, host: self.host.clone() }
    }

    /// Since when.
    pub(crate) fn since(&self) -> Time {
        time(self.since).unwrap_or_default()
    }

    pub(crate) fn held(&self) -> RemoteError {
        let expires = time(self.expires).unwrap_or_default();
        RemoteError::Held { holder: self.holder(), since: self.since(), expires }
    }
}

/// A lease that is held.
#[derive(Clone, Debug)]
pub(crate) struct HeldLease {
    pub(crate) object: LeaseObject,
    version: Version,
}

/// The lease of whoever may be at work.
pub(crate) fn held(place: &RemotePlace, now: Time) -> Result<Option<LeaseObject>, RemoteError> {
    let Some((lease, _)) = look(place)?.filter(|(lease, _)| !lease.released) else { return Ok(None) };
    let (now, presence) = (place.now(now)?, place.presence()?);
    Ok(Some(lease).filter(|lease| lease.is_held(now, presence)))
}

/// The lease as it is; `None` where nobody ever had one.
fn look(place: &RemotePlace) -> Result<Option<(LeaseObject, Version)>, RemoteError> {
    let Some((bytes, version)) = place.get("reading the lease of", NAME)? else { return Ok(None) };
    let object = serde_json::from_slice(&bytes).map_err(|_| place.damaged("its lease cannot be read"))?;
    Ok(Some((object, version)))
}

/// Takes the lease with at least this epoch.
pub(crate) fn take_lease(
    place: &RemotePlace,
    holder: &Holder,
    epoch: u64,
    now: Time,
) -> Result<HeldLease, RemoteError> {
    let presence = place.mark()?;
    for _ in 0..TRIES {
        let now = place.now(now)?;
        let found = look(place)?;
        let (epoch, condition) = match &found {
            Some((lease, _)) if lease.is_held(now, presence) => return Err(lease.held()),
            Some((lease, version)) => (epoch.max(lease.epoch + 1), Condition::Unchanged(version.clone())),
            None => (epoch, Condition::Absent),
        };
        let object = LeaseObject::new(epoch, holder, now, presence);
        if let Some(version) = put(place, &object, &condition)? {
            proves_conditions(place, &object, &condition)?;
            return Ok(HeldLease { object, version });
        }
    }
    Err(RemoteError::Restless { place: place.name().to_owned() })
}

/// A bucket that writes whatever the condition is would let two runs go on. Only what is already there is written.
fn proves_conditions(place: &RemotePlace, object: &LeaseObject, used: &Condition) -> Result<(), RemoteError> {
    let bytes = write(place, object)?;
    for condition in [&Condition::Absent, used] {
        let again =
            place.patiently("proving the conditions of", || place.objects.put(NAME, &bytes, condition))?;
        if again != Put::Refused {
            return Err(RemoteError::NoConditions { place: place.name().to_owned() });
        }
    }
    Ok(())
}

impl HeldLease {
    /// Extends it; gives whether it is still held.
    pub(crate) fn renew(
        &mut self,
        place: &RemotePlace,
        now: Time,
        ttl: Duration,
    ) -> Result<bool, RemoteError> {
        // The mark that another process had when this one began may be free now.
        let marked = place.mark()? == Presence::Alone;
        let expires = until(place.now(now)?, ttl);
        self.change(place, LeaseObject { expires, marked, ..self.object.clone() })
    }

    /// Gives it back.
    pub(crate) fn release(&mut self, place: &RemotePlace) -> Result<bool, RemoteError> {
        self.change(place, LeaseObject { released: true, ..self.object.clone() })
    }

    /// Goes on with another epoch: the log has one that is as great.
    pub(crate) fn go_on(&mut self, place: &RemotePlace, epoch: u64) -> Result<bool, RemoteError> {
        self.change(place, LeaseObject { epoch, ..self.object.clone() })
    }

    fn change(&mut self, place: &RemotePlace, object: LeaseObject) -> Result<bool, RemoteError> {
        let Some(version) = put(place, &object, &Condition::Unchanged(self.version.clone()))? else {
            return Ok(false);
        };
        (self.object, self.version) = (object, version);
        Ok(true)
    }
}

fn put(
    place: &RemotePlace,
    object: &LeaseObject,
    condition: &Condition,
) -> Result<Option<Version>, RemoteError> {
    place.put("writing the lease of", NAME, &write(place, object)?, condition)
}

fn write(place: &RemotePlace, object: &LeaseObject) -> Result<Vec<u8>, RemoteError> {
    serde_json::to_vec(object).map_err(|error| place.disk(error.into()))
}

fn until(now: Time, ttl: Duration) -> i64 {
    micros(now).saturating_add(i64::try_from(ttl.as_micros()).unwrap_or(i64::MAX))
}
