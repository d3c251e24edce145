//! Changed files: the project is read anew when its files are others than before, and stays as it was where the new ones are
//! wrong.

use crate::print;
use crate::project::{self, Loaded};
use crate::serve::house::House;

/// Looks whether the files changed, and takes them if they are right.
pub(crate) fn look(house: &House) {
    let files = match project::files_of(&house.loaded()) {
        Ok(files) => files,
        Err(error) => return tell(house, Err(format!("{error:#}"))),
    };
    if !house.are_new(&files) {
        return;
    }
    let loaded = project::open(&house.global).and_then(|loaded| project::has_syncs(&loaded).map(|()| loaded));
    tell(house, loaded.map_err(|error| crate::failure::told(&error)));
}

/// The project is the new one, or stays, before anybody hears of it.
fn tell(house: &House, loaded: Result<Loaded, String>) {
    let told = match &loaded {
        Ok(loaded) => {
            let syncs = print::counted(loaded.project.syncs.len() as u64, "sync");
            Some(format!("the project changed: {syncs}"))
        }
        Err(fault) if house.fault().as_ref() != Some(fault) => {
            Some(format!("{fault}\nthe project's new files are wrong: the server goes on with the old ones"))
        }
        Err(_) => None,
    };
    house.reloaded(loaded);
    if let Some(told) = told {
        print::talk(&told);
    }
}
