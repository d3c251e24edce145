//! The lease's object: who writes. It keeps runs from disturbing each other, and gives each its epoch. That nothing is lost does not
//! depend on it.

use std::time::Duration;

use coho_core::time::Time;
use coho_storage::{Condition, Put, Version};
use serde::{Deserialize, Serialize};

use super::machine;
use super::store::BucketPlace;
use crate::bucket_failure::BucketError;
use crate::holder::Holder;
use crate::moment::{micros, time};

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
}

impl LeaseObject {
    fn new(epoch: u64, holder: &Holder, now: Time) -> Self {
        let Holder { id, pid, host } = holder.clone();
        let (since, expires, machine) = (micros(now), until(now, LASTS), machine::machine());
        Self { version: 1, epoch, id, pid, host, machine, since, expires, released: false }
    }

    /// Whether its holder may be at work.
    pub(crate) fn is_held(&self, now: Time) -> bool {
        let is_here = self.machine.is_some() && self.machine == machine::machine();
        !(self.released || self.expires <= micros(now) || (is_here && machine::has_ended(self.pid)))
    }

    /// Whose it is.
    pub(crate) fn holder(&self) -> Holder {
        Holder { id: self.id.clone(), pid: self.pid, host: self.host.clone() }
    }

    /// Since when.
    pub(crate) fn since(&self) -> Time {
        time(self.since).unwrap_or_default()
    }

    pub(crate) fn held(&self) -> BucketError {
        let expires = time(self.expires).unwrap_or_default();
        BucketError::Held { holder: self.holder(), since: self.since(), expires }
    }
}

/// A lease that is held.
#[derive(Clone, Debug)]
pub(crate) struct HeldLease {
    pub(crate) object: LeaseObject,
    version: Version,
}

/// The lease as it is; `None` where nobody ever had one.
pub(crate) fn look(place: &BucketPlace) -> Result<Option<(LeaseObject, Version)>, BucketError> {
    let Some((bytes, version)) = place.get("reading the lease of", NAME)? else { return Ok(None) };
    let object = serde_json::from_slice(&bytes).map_err(|_| place.damaged("its lease cannot be read"))?;
    Ok(Some((object, version)))
}

/// Takes the lease with at least this epoch.
pub(crate) fn take_lease(
    place: &BucketPlace,
    holder: &Holder,
    epoch: u64,
    now: Time,
) -> Result<HeldLease, BucketError> {
    for _ in 0..TRIES {
        let found = look(place)?;
        let (epoch, condition) = match &found {
            Some((lease, _)) if lease.is_held(now) => return Err(lease.held()),
            Some((lease, version)) => (epoch.max(lease.epoch + 1), Condition::Unchanged(version.clone())),
            None => (epoch, Condition::Absent),
        };
        let object = LeaseObject::new(epoch, holder, now);
        if let Some(version) = put(place, &object, &condition)? {
            proves_conditions(place, &object, &condition)?;
            return Ok(HeldLease { object, version });
        }
    }
    Err(BucketError::Restless { place: place.name().to_owned() })
}

/// A bucket that writes whatever the condition is would let two runs go on. Only what is already there is written.
fn proves_conditions(place: &BucketPlace, object: &LeaseObject, used: &Condition) -> Result<(), BucketError> {
    let bytes = write(place, object)?;
    for condition in [&Condition::Absent, used] {
        let again =
            place.patiently("proving the conditions of", || place.objects.put(NAME, &bytes, condition))?;
        if again != Put::Refused {
            return Err(BucketError::NoConditions { place: place.name().to_owned() });
        }
    }
    Ok(())
}

impl HeldLease {
    /// Extends it; gives whether it is still held.
    pub(crate) fn renew(
        &mut self,
        place: &BucketPlace,
        now: Time,
        ttl: Duration,
    ) -> Result<bool, BucketError> {
        self.change(place, LeaseObject { expires: until(now, ttl), ..self.object.clone() })
    }

    /// Gives it back.
    pub(crate) fn release(&mut self, place: &BucketPlace) -> Result<bool, BucketError> {
        self.change(place, LeaseObject { released: true, ..self.object.clone() })
    }

    /// Goes on with another epoch: the log has one that is as great.
    pub(crate) fn go_on(&mut self, place: &BucketPlace, epoch: u64) -> Result<bool, BucketError> {
        self.change(place, LeaseObject { epoch, ..self.object.clone() })
    }

    fn change(&mut self, place: &BucketPlace, object: LeaseObject) -> Result<bool, BucketError> {
        let Some(version) = put(place, &object, &Condition::Unchanged(self.version.clone()))? else {
            return Ok(false);
        };
        (self.object, self.version) = (object, version);
        Ok(true)
    }
}

fn put(
    place: &BucketPlace,
    object: &LeaseObject,
    condition: &Condition,
) -> Result<Option<Version>, BucketError> {
    place.put("writing the lease of", NAME, &write(place, object)?, condition)
}

fn write(place: &BucketPlace, object: &LeaseObject) -> Result<Vec<u8>, BucketError> {
    serde_json::to_vec(object).map_err(|error| place.disk(error.into()))
}

fn until(now: Time, ttl: Duration) -> i64 {
    micros(now).saturating_add(i64::try_from(ttl.as_micros()).unwrap_or(i64::MAX))
}
