//! `cargo xtask torture --faults CLASS,…|all`: one class of faults after the other, mixed with kills.
//!
//! Each class has a life of its own: a project, a simulator, and between them a [`proxy`]. A run is struck by the faults, and
//! what it says is shown; then rows change, and runs are struck and killed as well; then all is well again, and Vitally must
//! hold what the rows say, once. [`network`] has the classes of the network and of Vitally, [`machine`] those of the machine,
//! [`points`] the named points at which a run is killed, [`table`] the page that all of it is shown on.

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};

mod table;
mod class;
mod proxy;
mod bench;
mod network;
mod machine;
mod points;

use bench::Bench;
use class::Class;
pub(crate) use class::Faults;
use network::Network;
use table::Shown;

use super::random::Random;
use crate::arguments::Mode;
use crate::say;

/// Which classes are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    All,
    /// All but those that wait for a time-out.
    Quick,
    Named(Vec<String>),
}

impl Wanted {
    /// `all`, `quick`, or names with commas between.
    pub(crate) fn parse(text: &str) -> Self {
        match text {
            "all" => Self::All,
            "quick" => Self::Quick,
            names => Self::Named(names.split(',').map(|name| name.trim().to_owned()).collect()),
        }
    }

    fn has(&self, name: &str, is_slow: bool) -> bool {
        match self {
            Self::All => true,
            Self::Quick => !is_slow,
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
    let mut all = Vec::new();
    for class in classes.into_iter().filter(|class| wanted.has(class.name, class.is_slow)) {
        let shown = (class.run)(faults).with_context(|| format!("class `{}`", class.name))?;
        say::line(&shown.line());
        all.push(shown);
    }
    let seen: Vec<Shown> = all.iter().filter(|shown| !shown.exit.starts_with("skipped")).cloned().collect();
    say::line(&format!("{} classes: 0 lost, 0 second records", seen.len()));
    mode.map_or(Ok(()), |mode| table::apply(if mode == Mode::Write { &all } else { &seen }, mode))
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
        kill_on_the_way(&bench, &mut random)?;
    }
    bench.proxy.calm();
    bench.settle()?;
    let shown = Shown {
        name: class.name.to_owned(),
        what: class.what.to_owned(),
        exit: ended.exit(),
        message: bench.plain(&ended.message()),
        state: "each row once".to_owned(),
    };
    bench.end()?;
    Ok(shown)
}

/// Starts a run and kills it once it made some calls.
fn kill_on_the_way(bench: &Bench, random: &mut Random) -> Result<()> {
    let calls = bench.proxy.calls() + random.below(12) as usize;
    let mut process = bench.command().stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    bench::until(Duration::from_secs(20), || {
        Ok(bench.proxy.calls() >= calls || process.try_wait()?.is_some())
    })?;
    process.kill()?;
    process.wait()?;
    Ok(())
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
