//! How full the disk is that the ledger lies on.

use std::path::Path;

/// How much of the disk of a file is free to this user, in thousandths; nothing where the system does not say.
pub(super) fn free(file: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(file).ok()?;
    let free = u128::from(disk.f_bavail) * 1_000 / u128::from(disk.f_blocks).max(1);
    u64::try_from(free).ok()
}
