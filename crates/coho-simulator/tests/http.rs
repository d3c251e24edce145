//! What a started simulator does that a transcript does not show: headers, sockets, files, the inspection API.

#[path = "http/analytics.rs"]
mod analytics;
#[path = "http/answers.rs"]
mod answers;
#[path = "http/faults.rs"]
mod faults;
#[path = "http/inspection.rs"]
mod inspection;
#[path = "http/stage.rs"]
mod stage;
#[path = "http/state.rs"]
mod state;
