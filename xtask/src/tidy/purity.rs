//! The pure crates: no clock, environment, files, network or async, neither in what they depend on nor in their own source.
//!
//! Their tests are free to read fixtures.

use super::tree::{File, Tree};
use super::{Finding, rust};
use crate::workspace::{Kind, Package};

/// Crates that are doors to the world.
const DOORS: [&str; 18] = [
    "adbc_driver_manager",
    "async-std",
    "axum",
    "getrandom",
    "hyper",
    "mysql_async",
    "notify",
    "rand",
    "reqwest",
    "rusqlite",
    "rustls",
    "rustls-native-certs",
    "rustls-platform-verifier",
    "socket2",
    "tempfile",
    "tokio",
    "tokio-postgres",
    "ureq",
];

/// What the source of a pure crate does not name.
const WORLD: [&str; 12] = [
    "std::env",
    "std::fs",
    "std::net",
    "std::process",
    "std::thread",
    "SystemTime",
    "Instant::now",
    "Utc::now",
    "Local::now",
    "Uuid::new_v4",
    "Uuid::now_v7",
    "tokio",
];

/// Checks the crates that say `pure = true`.
pub(crate) fn check(tree: &Tree, packages: &[Package]) -> Vec<Finding> {
    packages
        .iter()
        .filter(|package| package.pure == Some(true))
        .flat_map(|package| doors(package).into_iter().chain(sources(tree, package)))
        .collect()
}

fn doors(package: &Package) -> Vec<Finding> {
    let normal = package.dependencies.iter().filter(|dependency| dependency.kind == Kind::Normal);
    let doors = normal.filter(|dependency| DOORS.contains(&dependency.name.as_str()));
    doors
        .map(|door| {
            let message = format!("{} is pure and depends on {}", package.name, door.name);
            Finding::of(
                &format!("{}/Cargo.toml", package.folder),
                message,
                "do this in a crate that is a door to the world",
            )
        })
        .collect()
}

fn sources(tree: &Tree, package: &Package) -> Vec<Finding> {
    let folder = format!("{}/src", package.folder);
    tree.under(&folder)
        .filter(|file| file.has_extension("rs"))
        .flat_map(|file| source(file, &package.name))
        .collect()
}

fn source(file: &File, package: &str) -> Vec<Finding> {
    let lines = rust::production(file);
    let named = lines.into_iter().flat_map(|(number, line)| {
        let code = rust::code(line);
        WORLD.into_iter().filter(move |word| rust::mentions(code, word)).map(move |word| (number, word))
    });
    named
        .map(|(number, word)| {
            let message = format!("{package} is pure and names {word}");
            Finding::at(&file.path, number, message, "take the time, text or id as an argument")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::layers::tests::package;
    use super::*;
    use crate::workspace::Layer;

    #[test]
    fn a_clock_in_a_pure_crate_is_found_but_not_in_its_tests() {
        let source = "//! A.\n// tokio is not used.\nlet now = Instant::now();\n#[cfg(test)]\nmod tests {\n    use std::fs;\n}\n";
        let tree = Tree::of(&[("crates/pure/src/a.rs", source), ("crates/impure/src/a.rs", source)]);
        let packages = [
            package("pure", Layer::Level(0), true, &["reqwest"]),
            package("impure", Layer::Level(1), false, &["reqwest"]),
        ];
        let found: Vec<_> = check(&tree, &packages).iter().map(ToString::to_string).collect();
        let expected = [
            "crates/pure/Cargo.toml:1: pure is pure and depends on reqwest; do this in a crate that is a door to the world",
            "crates/pure/src/a.rs:3: pure is pure and names Instant::now; take the time, text or id as an argument",
        ];
        assert_eq!(found, expected);
    }
}
