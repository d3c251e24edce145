//! The layers: arrows between crates point strictly down, and crates of one layer never see each other.

use super::Finding;
use crate::workspace::{Dependency, Kind, Layer, Package};

/// The layer of what users run.
const TOP: u8 = 6;

/// Crates that turn any error into one, for the rim of a program only.
const ERASERS: [&str; 3] = ["anyhow", "eyre", "color-eyre"];

/// Checks every crate and every arrow.
pub(crate) fn check(packages: &[Package]) -> Vec<Finding> {
    packages
        .iter()
        .flat_map(|package| declarations(package).into_iter().chain(arrows(package, packages)))
        .collect()
}

fn manifest(package: &Package) -> String {
    format!("{}/Cargo.toml", package.folder)
}

/// Every crate says where it stands.
fn declarations(package: &Package) -> Vec<Finding> {
    let missing = [
        (
            package.layer.is_none(),
            "layer",
            "add `layer = \"L0\"` to \"L6\" or \"dev\" under [package.metadata.coho]",
        ),
        (
            package.pure.is_none(),
            "`pure`",
            "add `pure = true` or `pure = false` under [package.metadata.coho]",
        ),
        (package.description.is_none(), "description", "say in one line what it is"),
    ];
    let missing = missing.into_iter().filter(|(is_missing, _, _)| *is_missing);
    missing
        .map(|(_, what, remedy)| {
            Finding::of(&manifest(package), format!("{} has no {what}", package.name), remedy)
        })
        .collect()
}

fn arrows(package: &Package, packages: &[Package]) -> Vec<Finding> {
    package.dependencies.iter().filter_map(|dependency| arrow(package, dependency, packages)).collect()
}

fn arrow(package: &Package, dependency: &Dependency, packages: &[Package]) -> Option<Finding> {
    let finding = |why: String, remedy: &str| Some(Finding::of(&manifest(package), why, remedy));
    let Some(other) = packages.iter().find(|other| other.name == dependency.name) else {
        let at_the_rim = package.layer == Some(Layer::Level(TOP)) || package.layer == Some(Layer::Dev);
        if ERASERS.contains(&dependency.name.as_str()) && dependency.kind == Kind::Normal && !at_the_rim {
            return finding(
                format!("{} depends on {}", package.name, dependency.name),
                "errors of a library are enums next to its functions (thiserror)",
            );
        }
        return None;
    };
    let (Some(from), Some(to)) = (package.layer, other.layer) else { return None };
    if !is_allowed(from, to, dependency.kind) {
        return finding(
            format!("{} ({}) depends on {} ({})", package.name, shown(from), other.name, shown(to)),
            "arrows point strictly down; move what both need to a lower crate",
        );
    }
    if package.pure == Some(true) && other.pure == Some(false) && dependency.kind == Kind::Normal {
        return finding(
            format!("{} is pure and depends on {}, which is not", package.name, other.name),
            "a pure crate stands on pure crates only",
        );
    }
    None
}

/// Tests may look sideways and use the developers' crates; the program's top layer offers the simulator to users.
fn is_allowed(from: Layer, to: Layer, kind: Kind) -> bool {
    match (from, to, kind) {
        (Layer::Level(from), Layer::Level(to), Kind::Normal) => to < from,
        (Layer::Level(from), Layer::Level(to), Kind::Dev) => to <= from,
        (Layer::Level(from), Layer::Dev, Kind::Normal) => from == TOP,
        (Layer::Level(_), Layer::Dev, Kind::Dev) | (Layer::Dev, Layer::Level(_), _) => true,
        (Layer::Dev, Layer::Dev, kind) => kind == Kind::Dev,
    }
}

fn shown(layer: Layer) -> String {
    match layer {
        Layer::Level(level) => format!("L{level}"),
        Layer::Dev => "dev".to_owned(),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A package for tests: name, layer, purity, normal dependencies.
    pub(crate) fn package(name: &str, layer: Layer, pure: bool, dependencies: &[&str]) -> Package {
        let dependency = |name: &&str| Dependency { name: (*name).to_owned(), kind: Kind::Normal };
        Package {
            name: name.to_owned(),
            folder: format!("crates/{name}"),
            description: Some("Something".to_owned()),
            layer: Some(layer),
            pure: Some(pure),
            library: true,
            dependencies: dependencies.iter().map(dependency).collect(),
        }
    }

    fn messages(packages: &[Package]) -> Vec<String> {
        check(packages).into_iter().map(|finding| finding.message).collect()
    }

    #[test]
    fn an_arrow_that_points_up_or_sideways_is_found() {
        let packages = [
            package("core", Layer::Level(0), true, &["engine"]),
            package("mapping", Layer::Level(1), true, &["core", "project"]),
            package("project", Layer::Level(1), true, &["core"]),
            package("engine", Layer::Level(4), false, &["core", "mapping"]),
        ];
        let expected = ["core (L0) depends on engine (L4)", "mapping (L1) depends on project (L1)"];
        assert_eq!(messages(&packages), expected);
    }

    #[test]
    fn only_the_top_layer_stands_on_the_simulator() {
        let packages = [
            package("cli", Layer::Level(6), false, &["simulator", "anyhow"]),
            package("engine", Layer::Level(4), false, &["simulator"]),
            package("simulator", Layer::Dev, false, &[]),
        ];
        assert_eq!(messages(&packages), ["engine (L4) depends on simulator (dev)"]);
    }

    #[test]
    fn tests_may_look_sideways_but_not_up() {
        assert!(is_allowed(Layer::Level(1), Layer::Level(1), Kind::Dev));
        assert!(!is_allowed(Layer::Level(1), Layer::Level(2), Kind::Dev));
        assert!(is_allowed(Layer::Level(0), Layer::Dev, Kind::Dev));
    }

    #[test]
    fn a_pure_crate_on_an_impure_one_is_found() {
        let packages = [
            package("report", Layer::Level(1), true, &["clock"]),
            package("clock", Layer::Level(0), false, &["anyhow"]),
        ];
        let expected = ["report is pure and depends on clock, which is not", "clock depends on anyhow"];
        assert_eq!(messages(&packages), expected);
    }

    #[test]
    fn a_crate_that_says_nothing_of_itself_is_found() {
        let mut silent = package("silent", Layer::Dev, false, &[]);
        (silent.layer, silent.pure, silent.description) = (None, None, None);
        let expected = ["silent has no layer", "silent has no `pure`", "silent has no description"];
        assert_eq!(messages(&[silent]), expected);
    }
}
