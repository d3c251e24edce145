//! Changed files: the project is read anew when its files are others than before, and stays as it was where the new ones are
//! wrong.

use coho_project::{excerpt, no_syncs};
use coho_report::words::counted;

use super::house::House;
use crate::site::{OpenedProject, UnreadableProject};

/// Looks whether the files changed, and takes them if they are right.
pub(crate) fn look(house: &House) {
    let files = match house.host.files() {
        Ok(files) => files,
        Err(error) => return tell(house, Err(error)),
    };
    if !house.are_new(&files) {
        return;
    }
    let opened = house.host.open().and_then(with_syncs);
    tell(house, opened.map_err(|broken| said(&broken)));
}

/// A project without syncs would run nothing, and say that all is well.
fn with_syncs(opened: OpenedProject) -> Result<OpenedProject, UnreadableProject> {
    if opened.project.syncs.is_empty() {
        return Err(UnreadableProject { problems: vec![no_syncs(&opened.files)], files: opened.files });
    }
    Ok(opened)
}

/// All that is wrong, each with its line.
fn said(broken: &UnreadableProject) -> String {
    let problems: Vec<_> = broken.problems.iter().map(|problem| excerpt(problem, &broken.files)).collect();
    format!("{}\nerror: {}", problems.join("\n"), counted(problems.len() as u64, "problem"))
}

/// The project is the new one, or stays, before anybody hears of it.
fn tell(house: &House, opened: Result<OpenedProject, String>) {
    let told = match &opened {
        Ok(opened) => {
            let syncs = counted(opened.project.syncs.len() as u64, "sync");
            Some(format!("the project changed: {syncs}"))
        }
        Err(fault) if house.fault().as_ref() != Some(fault) => Some(format!(
            "{fault}\nthe project's new files have mistakes: the server keeps using the old ones"
        )),
        Err(_) => None,
    };
    house.reloaded(opened);
    if let Some(told) = told {
        house.host.tell(&told);
    }
}
