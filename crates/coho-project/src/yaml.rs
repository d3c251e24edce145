//! A YAML file as a tree in which every key and every value has its place.
//!
//! The tree keeps scalars as text, so that numbers keep their digits; [`Scalar::meaning`] reads a plain scalar by YAML
//! 1.2: `no` and `yes` are texts. [`parse`] makes the tree; [`crate::conform`] and [`crate::read`] walk it.

mod parse;
mod scalar;
mod begin;
mod extent;
mod write;

use coho_core::place::Place;

pub(crate) use begin::begin;
pub(crate) use extent::{Extent, FlowOrBlock, extent};
pub(crate) use parse::parse;
pub(crate) use scalar::{Meaning, Scalar, Style};
pub(crate) use write::{block, fits, flow};

/// A value and its place. It has no `Debug`: a resolved scalar may hold a secret.
#[derive(Clone)]
pub(crate) struct Node {
    pub(crate) content: Content,
    pub(crate) place: Place,
}

/// What a node is.
#[derive(Clone)]
pub(crate) enum Content {
    Scalar(Scalar),
    List(Vec<Node>),
    Map(Vec<Entry>),
    /// A scalar whose reference could not be resolved; the problem is told already.
    Unresolved,
}

/// A key with its value.
#[derive(Clone)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) at: Place,
    pub(crate) value: Node,
}

impl Node {
    /// What kind of node this is, for messages.
    pub(crate) fn kind(&self) -> &'static str {
        match &self.content {
            Content::Scalar(scalar) => scalar.kind(),
            Content::List(_) => "a list",
            Content::Map(_) => "a mapping",
            Content::Unresolved => "a reference",
        }
    }

    /// The entries, if this is a mapping; none otherwise.
    pub(crate) fn entries(&self) -> &[Entry] {
        if let Content::Map(entries) = &self.content { entries } else { &[] }
    }

    /// The items, if this is a list; none otherwise.
    pub(crate) fn items(&self) -> &[Node] {
        if let Content::List(items) = &self.content { items } else { &[] }
    }

    /// The entry of a key, if this is a mapping that has it.
    pub(crate) fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|entry| entry.key == key)
    }

    /// The value of a key, if this is a mapping that has it.
    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// The text of a scalar that is not null.
    pub(crate) fn text(&self) -> Option<&str> {
        let scalar = self.scalar()?;
        (scalar.meaning() != Meaning::Null).then_some(scalar.text.as_str())
    }

    /// The text of a key's value.
    pub(crate) fn text_of(&self, key: &str) -> Option<&str> {
        self.get(key)?.text()
    }

    /// The scalar, if this is one.
    pub(crate) fn scalar(&self) -> Option<&Scalar> {
        if let Content::Scalar(scalar) = &self.content { Some(scalar) } else { None }
    }

    /// The texts of a list, or of a single scalar in place of a list of one.
    pub(crate) fn texts(&self) -> Vec<String> {
        match &self.content {
            Content::Scalar(_) => self.text().map(str::to_owned).into_iter().collect(),
            Content::List(items) => items.iter().filter_map(Node::text).map(str::to_owned).collect(),
            Content::Map(_) | Content::Unresolved => Vec::new(),
        }
    }
}
