//! A lost ledger: a project marks which of its syncs have sent something, in a file beside `coho.yaml`. So the loss of a ledger
//! is noticed even where the whole `.coho` folder went with it, as it does with a container's disk. The project's id stands
//! there too: see [`crate::owner`].

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use coho_core::sync::{Sync, SyncId};
use coho_ledger::Ledger;

use crate::context::{Engine, EngineError};

/// The mark's name. It belongs into the project's repository.
const MARK: &str = ".coho-ledger";

/// How the line of a mark begins that has the project's id.
const PROJECT: &str = "project ";

/// What stands at the beginning of a mark.
const HEAD: &str = "\
# The workspaces and syncs that Coho has sent to. Keep this file with the project: it lets Coho notice when the ledger
# that remembers what was delivered is gone, before it sends everything again, and which project a ledger belongs to.
";

/// What a run does where the project has sent before, and the ledger does not know of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum OnLost {
    /// It does not begin.
    #[default]
    Refuse,
    /// It begins a new memory, and sends everything again.
    BeginAnew,
}

impl Engine<'_> {
    /// The syncs that have sent before, as the project's mark says, and that the ledger does not know: it is gone, or another
    /// one.
    pub fn lost(&self, syncs: &[&Sync]) -> Result<Vec<SyncId>, EngineError> {
        let marked = self.marked();
        if marked.is_empty() {
            return Ok(Vec::new());
        }
        self.lost_from(self.ledger_to_read()?.as_ref(), &marked, syncs)
    }

    /// Refuses to go on without a memory that there was.
    pub(crate) fn look_for_memory(
        &self,
        ledger: Option<&Ledger>,
        syncs: &[&Sync],
        on_lost: OnLost,
    ) -> Result<(), EngineError> {
        self.look_at_mark();
        let lost = match on_lost {
            OnLost::BeginAnew => Vec::new(),
            OnLost::Refuse => self.lost_from(ledger, &self.marked(), syncs)?,
        };
        if lost.is_empty() {
            return Ok(());
        }
        Err(EngineError::LedgerLost { path: self.ledger_path(), syncs: lost })
    }

    fn lost_from(
        &self,
        ledger: Option<&Ledger>,
        marked: &BTreeSet<String>,
        syncs: &[&Sync],
    ) -> Result<Vec<SyncId>, EngineError> {
        let mut lost = Vec::new();
        for sync in syncs {
            let ids = std::iter::once(&sync.id).chain(&sync.renamed_from);
            let is_marked = ids.map(|id| self.line(sync, id)).any(|line| marked.contains(&line));
            let known = match ledger {
                Some(ledger) if is_marked => self.remembers(ledger, sync)?,
                Some(_) | None => false,
            };
            if is_marked && !known {
                lost.push(sync.id.clone());
            }
        }
        Ok(lost)
    }

    /// Whether a ledger knows what a sync sent: a run of it was planned to its end, or something is remembered. A run that
    /// broke off before leaves a namespace with nothing in it.
    fn remembers(&self, ledger: &Ledger, sync: &Sync) -> Result<bool, EngineError> {
        let Some(scope) = self.scope(ledger, sync)? else { return Ok(false) };
        let remembered = ledger.remembered(scope.workspace())?;
        let begun = ledger.first_run(&scope)?.is_some();
        Ok(begun || remembered.iter().any(|one| one.sync == *scope.sync()))
    }

    /// Marks that a sync sends. A project that cannot be written to has no mark, and that is all.
    pub(crate) fn mark(&self, sync: &Sync) {
        let mut marked = self.marked();
        if marked.insert(self.line(sync, &sync.id)) {
            self.keep(&marked);
        }
    }

    /// The project's id, as the mark has it.
    pub(crate) fn marked_project(&self) -> Option<String> {
        self.marked().iter().find_map(|line| line.strip_prefix(PROJECT)).map(str::to_owned)
    }

    /// Marks the project with its id.
    pub(crate) fn mark_project(&self, id: &str) {
        let mut marked = self.marked();
        if marked.insert(format!("{PROJECT}{id}")) {
            self.keep(&marked);
        }
    }

    /// Takes the mark of a sync away: a person forgot on purpose what it sent.
    pub(crate) fn unmark(&self, sync: &Sync) {
        let mut marked = self.marked();
        if marked.remove(&self.line(sync, &sync.id)) {
            self.keep(&marked);
        }
    }

    fn keep(&self, marked: &BTreeSet<String>) {
        let mut text = HEAD.to_owned();
        for line in marked {
            text.extend([line, "\n"]);
        }
        if let Err(error) = self.write_mark(&text) {
            tracing::debug!(%error, "cannot write the list of workspaces that Coho has sent to");
        }
    }

    fn marked(&self) -> BTreeSet<String> {
        let text = fs::read_to_string(self.mark_path()).unwrap_or_default();
        text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
    }

    /// Says so where there is a mark that cannot be read.
    fn look_at_mark(&self) {
        match fs::read_to_string(self.mark_path()) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                tracing::warn!(%error, "cannot read `{MARK}`: a lost ledger would go unnoticed");
            }
            Ok(_) | Err(_) => {}
        }
    }

    /// The mark is whole before it has its name: a run that is killed leaves the old one.
    fn write_mark(&self, text: &str) -> std::io::Result<()> {
        let mut file = tempfile::NamedTempFile::new_in(&self.setup.root)?;
        file.write_all(text.as_bytes())?;
        file.as_file().set_permissions(fs::Permissions::from_mode(0o644))?;
        file.persist(self.mark_path()).map(drop).map_err(|error| error.error)
    }

    fn mark_path(&self) -> PathBuf {
        self.setup.root.join(MARK)
    }

    fn line(&self, sync: &Sync, id: &SyncId) -> String {
        format!("{} {id}", self.workspace(&sync.destination))
    }
}
