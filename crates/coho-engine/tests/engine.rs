//! The main job end to end: whole runs of projects against a simulator over real HTTP.
//!
//! Each module is a topic; `stage` sets the scene. `laws` has the property tests, `crash` kills the process itself.

#[path = "stage/stage.rs"]
#[allow(dead_code, reason = "each test binary uses a part of the stage")]
mod stage;

#[path = "engine/deliveries.rs"]
mod deliveries;
