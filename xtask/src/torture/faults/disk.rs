//! A small disk that can be full: a file system of its own, which only root may mount.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// What only root may do.
#[derive(Debug)]
pub(crate) struct NeedsRoot;

impl std::fmt::Display for NeedsRoot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("needs root")
    }
}

impl std::error::Error for NeedsRoot {}

/// A disk of eight megabytes that can be full.
pub(crate) struct FullDisk(PathBuf);

impl FullDisk {
    pub(crate) fn mount(folder: PathBuf) -> Result<Self> {
        fs::create_dir_all(&folder)?;
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=8m,mode=777", "tmpfs"]).arg(&folder).stderr(Stdio::null());
        if mount.status().is_ok_and(|status| status.success()) {
            Ok(Self(folder))
        } else {
            Err(NeedsRoot.into())
        }
    }

    pub(crate) fn fill(&self) -> Result<()> {
        if fs::write(self.0.join("filler"), vec![0; 16 << 20]).is_ok() {
            bail!("the disk is not full");
        }
        Ok(())
    }

    pub(crate) fn free(&self) -> Result<()> {
        fs::remove_file(self.0.join("filler")).context("freeing the disk")
    }

    /// The folder without the disk, with the disk's files.
    pub(crate) fn replace(self) -> Result<()> {
        let (folder, beside) = (self.0.clone(), self.0.with_extension("kept"));
        copy(&folder, &beside)?;
        drop(self);
        copy(&beside, &folder)?;
        fs::remove_dir_all(&beside).context("removing a copy")
    }
}

impl Drop for FullDisk {
    fn drop(&mut self) {
        drop(Command::new("umount").arg("-l").arg(&self.0).status());
    }
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name();
        fs::copy(entry.path(), to.join(&name)).with_context(|| format!("copying {}", name.display()))?;
    }
    Ok(())
}
