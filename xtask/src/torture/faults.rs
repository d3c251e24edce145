//! `cargo xtask torture --faults CLASS,…|all`: one class of faults after the other, mixed with kills.
//!
//! Each class has a life of its own: a project, a simulator, and between them a [`proxy`]. A run is struck by the faults, and
//! what it says is shown; then rows change, and runs are struck and killed as well; then all is well again, and Vitally must
//! hold what the rows say, once. [`network`] has the classes of the network and of Vitally, [`machine`] those of the machine,
//! [`points`] the named points at which a run is killed, [`table`] the page that all of it is shown on.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use anyhow::{Context, Result, bail};

mod table;
mod class;
mod proxy;
mod bench;
mod network;
mod disk;
mod machine;
mod points;

use bench::Bench;
use class::Class;
pub(crate) use class::Faults;
use network::Network;
use table::{ALL_ONCE, Came, Shown};

use super::random::Random;
use crate::arguments::Mode;
use crate::say;

/// Classes that are run at the same time.
const AT_ONCE: usize = 6;

/// What `cargo xtask test` takes: some of each family, none of which waits for long.
const BOUNDED: [&str; 16] = [
    "5xx-after",
    "reset-after",
    "malformed",
    "foreign",
    "ledger-full",
    "ledger-read-only",
    "ledger-lost",
    "source-half",
    "source-cut",
    "two-processes",
    "sighup",
    "killed-at-first-start",
    "killed-while-upgrading",
    "killed-at-intent",
    "killed-at-send",
    "killed-at-settle",
];

/// Which classes are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    All,
    /// All but those that wait for a time-out.
    Quick,
    /// Those of `cargo xtask test`.
    Bounded,
    Named(Vec<String>),
}

impl Wanted {
    /// `all`, `quick`, `bounded`, or names with commas between.
    pub(crate) fn parse(text: &str) -> Self {
        match text {
            "all" => Self::All,
            "quick" => Self::Quick,
            "bounded" => Self::Bounded,
            names => Self::Named(names.split(',').map(|name| name.trim().to_owned()).collect()),
        }
    }

    fn has(&self, name: &str, is_slow: bool) -> bool {
        match self {
            Self::All => true,
            Self::Quick => !is_slow,
            Self::Bounded => BOUNDED.contains(&name),
            Self::Named(names) => names.iter().any(|wanted| wanted == name),
        }
    }
}

/// All classes, in the order of the table.
fn classes() -> Vec<Class> {
    let of_network = network::classes().into_iter().map(|class| Class {
        name: class.name,
        is_slow: class.is_slow,
        run: Box::new(move |faults: &Faults| struck(faults, &class)),
    });
    of_network.chain(machine::classes()).chain(points::classes()).collect()
}

/// Runs the classes, prints a line of each, and writes the table or holds it against the page.
pub(crate) fn run(faults: &Faults, wanted: &Wanted, mode: Option<Mode>) -> Result<()> {
    let classes = classes();
    if let Wanted::Named(names) = wanted {
        let unknown = names.iter().find(|name| !classes.iter().any(|class| class.name == name.as_str()));
        if let Some(name) = unknown {
            let all: Vec<_> = classes.iter().map(|class| class.name).collect();
            bail!("unknown class `{name}`; the classes are {}", all.join(", "));
        }
    }
    let wanted = classes.into_iter().filter(|class| wanted.has(class.name, class.is_slow));
    let all = side_by_side(faults, wanted.collect())?;
    say::line(&table::total(&all, faults.seed));
    mode.map_or(Ok(()), |mode| table::apply(&all, faults.seed, mode))
}

/// Runs classes, some at the same time, as most of their time is waiting. Gives what they came to, in their order; all of them
/// are run, whatever fails.
fn side_by_side(faults: &Faults, classes: Vec<Class>) -> Result<Vec<Shown>> {
    let waiting = Mutex::new(classes.into_iter().enumerate());
    let ended = Mutex::new(BTreeMap::new());
    // The lock is held for as long as it takes to look.
    let next = || locked(&waiting).next();
    let work = || {
        while let Some((number, class)) = next() {
            let came = (class.run)(faults).with_context(|| format!("class `{}`", class.name));
            match &came {
                Ok(shown) => say::line(&shown.line()),
                Err(error) => say::talk(&format!("failed: {error:#}")),
            }
            locked(&ended).insert(number, came);
        }
    };
    thread::scope(|scope| (0..AT_ONCE).for_each(|_| drop(scope.spawn(work))));
    ended.into_inner().unwrap_or_else(PoisonError::into_inner).into_values().collect()
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A class of the network.
fn struck(faults: &Faults, class: &Network) -> Result<Shown> {
    let mut bench = Bench::start(faults, class.name)?;
    bench.proxy.strike(class.script.clone());
    let ended = bench.run()?;
    let mut random = Random::new(faults.seed);
    for _ in 0..faults.kills {
        bench.change(&mut random)?;
        bench.proxy.strike(class.script.clone());
        bench.kill_on_the_way(&mut random)?;
    }
    bench.proxy.calm();
    bench.settle()?;
    let (exit, message) = (ended.exit(), bench.plain(&ended.message()));
    let came = Came { exit, message, state: ALL_ONCE, tally: bench.tally() };
    bench.end()?;
    Ok(Shown::new(class.name, class.what, came))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn classes_have_names_of_their_own_and_stand_in_the_page() {
        let names: Vec<_> = classes().iter().map(|class| class.name).collect();
        let distinct: BTreeSet<_> = names.iter().collect();
        assert_eq!(distinct.len(), names.len());
        let page = std::fs::read_to_string(crate::workspace::root().join("docs/reliability.md")).unwrap();
        assert!(BOUNDED.iter().all(|name| distinct.contains(name)));
        for name in names {
            assert!(page.contains(&format!("| `{name}` |")), "{name} is not in docs/reliability.md");
        }
    }

    #[test]
    fn classes_are_chosen_by_name() {
        assert!(Wanted::parse("all").has("huge", true));
        assert!(!Wanted::parse("quick").has("time-out-after", true));
        assert!(Wanted::parse("huge, tls").has("tls", false));
        assert!(!Wanted::parse("huge").has("tls", false));
    }
}
