//! Whether a holder on this machine still lives: a container of a killed run is not this machine, and its lease has to expire.

use std::path::Path;

/// This machine since it was started, and the processes that this one sees; `None` where the system does not say.
pub(crate) fn machine() -> Option<String> {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let processes = std::fs::read_link("/proc/self/ns/pid").ok()?;
    Some(format!("{} {}", boot.trim(), processes.display()))
}

/// Whether a process of this machine has ended. One that reuses its number makes it seem to live, and its lease expires.
pub(crate) fn has_ended(pid: u32) -> bool {
    !Path::new("/proc").join(pid.to_string()).exists()
}
