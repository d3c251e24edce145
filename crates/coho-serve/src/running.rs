//! The part of the server that runs syncs: [`house`] is what its parts share, [`desk`] starts runs, [`queue`] takes what pages
//! ask for, [`reload`] looks for changed files.

pub(crate) mod house;
pub(crate) mod reload;
pub(crate) mod desk;
pub(crate) mod queue;
