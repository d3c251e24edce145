//! The pages. Each is a file with three parts: a value that serde writes, a function that fills it from the ledger or the
//! project, and one that shows it. [`home`] is the one to copy.

pub(crate) mod sum;
pub(crate) mod head;
pub(crate) mod told;
pub(crate) mod cause;
pub(crate) mod compare;
pub(crate) mod agenda;
pub(crate) mod home;
pub(crate) mod project;
pub(crate) mod runs;
pub(crate) mod now;
pub(crate) mod origin;
pub(crate) mod stages;
pub(crate) mod run;
pub(crate) mod rows;
pub(crate) mod call;
pub(crate) mod calls;
pub(crate) mod row;
pub(crate) mod plan;
pub(crate) mod act;
pub(crate) mod playground;
pub(crate) mod elsewhere;

use std::collections::BTreeMap;

use coho_core::time::Time;
use coho_ledger::Ledger;
use coho_ledger::look::Patience;

use crate::plans::Plans;
use crate::reader::ReadError;
use crate::running::house::House;
use crate::searches::Searches;
use crate::shown::{Formed, Shown, shown};
use crate::site::Site;
use crate::target::Target;

/// A page and its filters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) target: Target,
    pub(crate) filters: BTreeMap<String, String>,
}

impl Asked {
    /// A filter that has a value.
    pub(crate) fn filter(&self, name: &str) -> Option<&str> {
        self.filters.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

/// What was found at an address.
pub(crate) enum Found {
    Page(Shown),
    Nothing,
}

/// What all pages are made with.
pub(crate) struct Context<'a> {
    pub(crate) site: &'a Site,
    pub(crate) searches: &'a Searches,
    pub(crate) plans: &'a Plans,
    /// What runs syncs in this process, if something does.
    pub(crate) house: Option<&'a House>,
    pub(crate) now: Time,
    pub(crate) asked: &'a Asked,
    /// How long rows may be searched.
    pub(crate) patience: &'a Patience,
}

/// Makes a page. Without a ledger there are no runs, rows and calls; the overview then says what to do.
pub(crate) fn make(context: &Context<'_>, ledger: Option<&Ledger>) -> Result<Found, ReadError> {
    let Context { site, asked, .. } = context;
    let Some(ledger) = ledger else {
        return match asked.target {
            Target::Home => found(site, Some(home::empty(context))),
            Target::Runs => found(site, Some(runs::empty())),
            Target::Project => found(site, Some(project::make(context))),
            Target::Plan => found(site, Some(plan::make(context)?)),
            Target::Playground => found(site, Some(playground::make(context))),
            Target::Act { action } => found(site, act::make(context, None, action)?),
            Target::Run { .. }
            | Target::Rows { .. }
            | Target::Search
            | Target::Calls { .. }
            | Target::Row { .. }
            | Target::Call { .. } => Ok(Found::Nothing),
        };
    };
    match &asked.target {
        Target::Home => found(site, Some(home::make(context, ledger)?)),
        Target::Runs => found(site, Some(runs::make(context, ledger)?)),
        Target::Project => found(site, Some(project::make(context))),
        Target::Plan => found(site, Some(plan::make(context)?)),
        Target::Run { run } => found(site, run::make(context, ledger, run)?),
        Target::Rows { run } => found(site, rows::make(context, ledger, Some(run))?),
        Target::Search => found(site, rows::make(context, ledger, None)?),
        Target::Calls { run } => found(site, calls::make(context, ledger, run)?),
        Target::Row { number } => found(site, row::make(context, ledger, *number)?),
        Target::Call { number } => found(site, call::make(context, ledger, *number)?),
        Target::Playground => found(site, Some(playground::make(context))),
        Target::Act { action } => found(site, act::make(context, Some(ledger), *action)?),
    }
}

fn found<P: Formed>(site: &Site, page: Option<P>) -> Result<Found, ReadError> {
    Ok(match page {
        Some(page) => Found::Page(shown(&page, site)?),
        None => Found::Nothing,
    })
}

/// The fields of a form or a query, `a=b&c=d`. Of a name that is there twice the last one counts.
pub(crate) fn fields(text: &str) -> BTreeMap<String, String> {
    let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
    pairs
        .filter_map(|(name, value)| {
            let decoded = |text: &str| crate::target::decoded(&text.replace('+', " "));
            Some((decoded(name)?, decoded(value)?))
        })
        .collect()
}
