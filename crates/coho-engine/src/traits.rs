//! Traits: what a workspace has defined for an object, fetched or remembered, for people to map and for `check` to compare.
//!
//! [`cache`] keeps what was fetched in the ledger, [`compare`] holds a sync's mapping against it. What Vitally says of a trait
//! stands in [`coho_vitally::custom_field`].

mod cache;
mod compare;

use coho_core::code::Code;
use coho_core::object::Object;
use coho_core::problem::{Problem, nearest};
use coho_core::time::Time;

pub use coho_vitally::custom_field::{Choice, CustomField};

pub(crate) use self::compare::misfits;

use crate::context::{Engine, EngineError};

/// Whether what was fetched before will do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CacheUse {
    /// It will, if it was fetched within the last 24 hours.
    Cached,
    /// Vitally is asked.
    Fresh,
}

/// The traits that a workspace has defined for an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Traits {
    /// The destination that leads to the workspace.
    pub destination: String,
    /// The object.
    pub object: Object,
    /// When Vitally was asked.
    pub fetched: Time,
    /// The traits, in Vitally's order, which is by label.
    pub fields: Vec<CustomField>,
}

impl Engine<'_> {
    /// The destination of this name; without a name the only one that syncs send to, or else the only one that there is.
    ///
    /// An error names those that there are.
    pub fn destination_named(&self, named: Option<&str>) -> Result<&str, EngineError> {
        let known = || self.setup.project.destinations.keys().map(String::as_str);
        let all = || known().collect::<Vec<_>>().join(", ");
        let wrong = |message: String, help: String| {
            EngineError::Selection(Problem::new(Code::UNKNOWN_NAME, message).help(help))
        };
        if known().next().is_none() {
            let message = "the project has no destination that can be used".to_owned();
            return Err(wrong(
                message,
                "define one under `destinations:`, with tokens that resolve".to_owned(),
            ));
        }
        match named {
            Some(name) => known().find(|one| *one == name).ok_or_else(|| {
                let help = match nearest(name, known()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("its destinations are {}", all()),
                };
                wrong(format!("the project has no destination `{name}` that can be used"), help)
            }),
            None => self.only_destination().ok_or_else(|| {
                wrong("the project has several destinations".to_owned(), format!("name one of {}", all()))
            }),
        }
    }

    /// The only destination that syncs send to, or else the only one that there is.
    fn only_destination(&self) -> Option<&str> {
        let used = self.setup.project.syncs.iter().map(|sync| sync.destination.as_str());
        let mut used: Vec<_> = used.collect();
        used.sort_unstable();
        used.dedup();
        if used.is_empty() {
            used.extend(self.setup.project.destinations.keys().map(String::as_str));
        }
        match used.as_slice() {
            [only] => Some(only),
            _ => None,
        }
    }

    /// The traits that a destination's workspace has defined for an object.
    ///
    /// What is fetched is kept in the ledger, where there is one and no run holds it. Events have no traits, and without a
    /// token for the REST API nobody can ask.
    pub async fn traits(
        &self,
        destination: &str,
        object: Object,
        freshness: CacheUse,
    ) -> Result<Traits, EngineError> {
        if object == Object::Event {
            return Err(EngineError::Selection(no_traits()));
        }
        let traits =
            |(fetched, fields)| Traits { destination: destination.to_owned(), object, fetched, fields };
        if freshness == CacheUse::Cached
            && let Some(kept) = self.kept_traits(destination, object)
        {
            return Ok(traits(kept));
        }
        self.rest_token_of(destination)?;
        let client = self.client_at(destination, None)?;
        let (fields, _) = client.custom_fields(object).await.map_err(|verdict| EngineError::Unanswered {
            destination: destination.to_owned(),
            verdict: Box::new(verdict),
        })?;
        let now = self.setup.clock.now();
        self.keep_traits(destination, object, &fields, now);
        Ok(traits((now, fields)))
    }

    /// Fails where a destination has no token for the REST API.
    pub(crate) fn rest_token_of(&self, destination: &str) -> Result<(), EngineError> {
        let spec = self.setup.project.destinations.get(destination);
        let spec = spec.ok_or_else(|| crate::context::missing("destination", destination))?;
        if spec.rest_token.is_some() {
            return Ok(());
        }
        let message = format!("destination `{destination}` has no token for the REST API");
        let help = "add `rest_token: ${NAME}` to it in coho.yaml";
        Err(EngineError::Selection(Problem::new(Code::MISSING_KEY, message).at(&spec.place).help(help)))
    }
}

fn no_traits() -> Problem {
    let message = "an event has no traits: Vitally lists no properties of events";
    Problem::new(Code::WRONG_VALUE, message).help("name organization, account or user")
}
