//! Pages of a ledger that real runs filled, asked for over real sockets.

#[path = "pages/stage.rs"]
mod stage;
#[path = "pages/wire.rs"]
mod wire;
#[path = "pages/pictures.rs"]
mod pictures;
#[path = "pages/found.rs"]
mod found;
#[path = "pages/strangers.rs"]
mod strangers;
#[path = "pages/plans.rs"]
mod plans;
#[path = "pages/acts.rs"]
mod acts;
#[path = "pages/playgrounds.rs"]
mod playgrounds;
#[path = "pages/limits.rs"]
mod limits;
#[path = "pages/hostile.rs"]
mod hostile;
#[path = "pages/browser.rs"]
mod browser;
