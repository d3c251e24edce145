//! Whose ledger it is. A ledger belongs to one project: another one would take its records for records whose rows left.
//!
//! A project is known by its name in `coho.yaml` and by an id that was drawn once, which stands in the ledger and in the
//! project's mark `.coho-ledger`. A project that moves, or is checked out elsewhere, takes the mark along. Where there is no
//! mark, as in a container that is made anew, the name has to do, unless the folder of the ledger's project is still there
//! beside this one.

use std::path::Path;

use coho_core::time::Time;
use coho_ledger::Ledger;
use coho_ledger::lease::Lease;
use coho_ledger::project::Owner;

use crate::context::{Engine, EngineError};

/// What is done with a ledger that belongs to another project.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum OnForeign {
    /// It is left alone.
    #[default]
    Refuse,
    /// It becomes this project's, from now on: the project was renamed, or the ledger is handed over.
    TakeOver,
}

/// This project, as it is now.
struct Ours {
    name: String,
    /// Absent where there is no mark yet.
    id: Option<String>,
    host: String,
    folder: String,
}

impl Engine<'_> {
    /// Refuses a ledger of another project.
    pub(crate) fn look_for_owner(&self, ledger: &Ledger, on_foreign: OnForeign) -> Result<(), EngineError> {
        match (ledger.owner()?, on_foreign) {
            (None, _) | (Some(_), OnForeign::TakeOver) => Ok(()),
            (Some(owner), OnForeign::Refuse) if is_same(&self.ours(), &owner) => Ok(()),
            (Some(owner), OnForeign::Refuse) => Err(EngineError::OtherProject {
                path: self.ledger_path(),
                ours: self.setup.project.name.clone(),
                owner: Box::new(owner),
            }),
        }
    }

    /// Makes the ledger this project's, where it may be.
    pub(crate) fn take_ownership(
        &self,
        ledger: &Ledger,
        lease: &Lease,
        on_foreign: OnForeign,
        now: Time,
    ) -> Result<(), EngineError> {
        self.look_for_owner(ledger, on_foreign)?;
        let (ours, before) = (self.ours(), ledger.owner()?);
        let same = before.as_ref().filter(|owner| is_same(&ours, owner));
        let id = ours.id.clone().or_else(|| same.map(|owner| owner.id.clone()));
        let id = id.unwrap_or_else(|| (self.setup.run_id)());
        let owner = Owner { name: ours.name, id: id.clone(), host: ours.host, folder: ours.folder };
        if before.as_ref() != Some(&owner) {
            ledger.give_to(lease, &owner, now)?;
        }
        if ours.id.is_none() {
            self.mark_project(&id);
        }
        Ok(())
    }

    fn ours(&self) -> Ours {
        let root = &self.setup.root;
        let folder = std::fs::canonicalize(root).unwrap_or_else(|_| root.clone());
        Ours {
            name: self.setup.project.name.clone(),
            id: self.marked_project(),
            host: self.setup.holder.host.clone(),
            folder: folder.display().to_string(),
        }
    }
}

/// Whether this project is the one that a ledger belongs to.
fn is_same(ours: &Ours, owner: &Owner) -> bool {
    let here = owner.host == ours.host;
    if ours.name != owner.name {
        return false;
    }
    if here && owner.folder == ours.folder {
        return true;
    }
    match &ours.id {
        Some(id) => *id == owner.id,
        // Two folders of one machine without a common mark are two projects, whatever they are called.
        None => !(here && Path::new(&owner.folder).join("coho.yaml").is_file()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ours(id: Option<&str>, host: &str, folder: &str) -> Ours {
        let id = id.map(str::to_owned);
        Ours { name: "acme".to_owned(), id, host: host.to_owned(), folder: folder.to_owned() }
    }

    fn owner(folder: &str) -> Owner {
        Owner { name: "acme".into(), id: "1".into(), host: "here".into(), folder: folder.into() }
    }

    #[test]
    fn a_project_is_the_same_wherever_its_mark_is() {
        assert!(is_same(&ours(Some("1"), "here", "/moved"), &owner("/acme")));
        assert!(is_same(&ours(Some("1"), "elsewhere", "/acme"), &owner("/acme")));
        assert!(!is_same(&ours(Some("2"), "here", "/moved"), &owner("/acme")));
        let renamed = Owner { name: "zenith".into(), ..owner("/acme") };
        assert!(!is_same(&ours(Some("1"), "here", "/acme"), &renamed));
    }

    #[test]
    fn a_project_without_a_mark_is_the_same_unless_the_other_one_is_still_there() {
        let other = tempfile::tempdir().unwrap();
        let path = other.path().display().to_string();
        assert!(is_same(&ours(None, "a-new-container", "/app"), &owner("/app")));
        assert!(is_same(&ours(None, "here", "/builds/2"), &owner("/builds/1")));
        assert!(is_same(&ours(None, "here", "/builds/2"), &owner(&path)));
        std::fs::write(other.path().join("coho.yaml"), "project: acme").unwrap();
        assert!(!is_same(&ours(None, "here", "/builds/2"), &owner(&path)));
        assert!(is_same(&ours(None, "here", &path), &owner(&path)));
    }
}
