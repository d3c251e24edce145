//! The workspace as cargo sees it: its packages, their layers and what they depend on.
//!
//! Read with `cargo metadata --no-deps`, which needs neither network nor lock file.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::child;

/// The workspace's root folder.
pub(crate) fn root() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here)
}

/// What `cargo metadata` says.
pub(crate) struct Workspace {
    /// Where cargo builds.
    pub(crate) target: PathBuf,
    /// Every crate of the workspace, by name.
    pub(crate) packages: Vec<Package>,
}

/// One crate.
#[derive(Debug)]
pub(crate) struct Package {
    pub(crate) name: String,
    /// Its folder, relative to the root, such as `crates/coho-core`.
    pub(crate) folder: String,
    pub(crate) description: Option<String>,
    /// `metadata.coho.layer`, if it is one of the known ones.
    pub(crate) layer: Option<Layer>,
    /// `metadata.coho.pure`.
    pub(crate) pure: Option<bool>,
    /// Whether it has a library.
    pub(crate) library: bool,
    pub(crate) dependencies: Vec<Dependency>,
}

/// Where a crate stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layer {
    /// `L0` to `L6`.
    Level(u8),
    /// Built for developers: simulators, benchmarks, this program.
    Dev,
}

/// One line of a crate's dependencies.
#[derive(Debug)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    pub(crate) kind: Kind,
}

/// Under which heading a dependency stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `dependencies` or `build-dependencies`.
    Normal,
    /// `dev-dependencies`.
    Dev,
}

impl Workspace {
    /// Asks cargo.
    pub(crate) fn load() -> Result<Self> {
        let text = child::output(child::cargo().args(["metadata", "--no-deps", "--format-version", "1"]))?;
        Self::parse(&text).context("reading the answer of `cargo metadata`")
    }

    /// Reads the JSON that `cargo metadata` prints.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let value: Value = serde_json::from_str(text)?;
        let root = text_at(&value, "workspace_root")?;
        let target = PathBuf::from(text_at(&value, "target_directory")?);
        let packages = value.get("packages").and_then(Value::as_array).context("no packages")?;
        let mut packages =
            packages.iter().map(|package| Package::parse(package, root)).collect::<Result<Vec<_>>>()?;
        packages.sort_by(|left, right| left.name.cmp(&right.name));
        Ok(Self { target, packages })
    }
}

impl Package {
    fn parse(value: &Value, root: &str) -> Result<Self> {
        let manifest = text_at(value, "manifest_path")?;
        let Some(folder) = manifest.strip_prefix(root).and_then(|path| path.strip_suffix("/Cargo.toml"))
        else {
            bail!("{manifest} is not under {root}");
        };
        let dependencies = value.get("dependencies").and_then(Value::as_array).context("no dependencies")?;
        Ok(Self {
            name: text_at(value, "name")?.to_owned(),
            folder: folder.trim_start_matches('/').to_owned(),
            description: value.get("description").and_then(Value::as_str).map(str::to_owned),
            layer: value.pointer("/metadata/coho/layer").and_then(Value::as_str).and_then(Layer::parse),
            pure: value.pointer("/metadata/coho/pure").and_then(Value::as_bool),
            library: has_library(value),
            dependencies: dependencies.iter().map(Dependency::parse).collect::<Result<_>>()?,
        })
    }
}

impl Layer {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "dev" => Some(Self::Dev),
            "L0" => Some(Self::Level(0)),
            "L1" => Some(Self::Level(1)),
            "L2" => Some(Self::Level(2)),
            "L3" => Some(Self::Level(3)),
            "L4" => Some(Self::Level(4)),
            "L5" => Some(Self::Level(5)),
            "L6" => Some(Self::Level(6)),
            _ => None,
        }
    }
}

impl Dependency {
    fn parse(value: &Value) -> Result<Self> {
        let kind = match value.get("kind").and_then(Value::as_str) {
            Some("dev") => Kind::Dev,
            Some(_) | None => Kind::Normal,
        };
        Ok(Self { name: text_at(value, "name")?.to_owned(), kind })
    }
}

fn has_library(package: &Value) -> bool {
    let targets = package.get("targets").and_then(Value::as_array);
    targets
        .into_iter()
        .flatten()
        .filter_map(|target| target.get("kind")?.as_array())
        .flatten()
        .any(|kind| kind == "lib")
}

fn text_at<'a>(value: &'a Value, key: &str) -> Result<&'a str> {
    value.get(key).and_then(Value::as_str).with_context(|| format!("no text at `{key}`"))
}
