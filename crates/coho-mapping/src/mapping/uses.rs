//! What a mapping makes of the types of its columns: another type of a column may be another value of every record.

use std::collections::BTreeMap;

use coho_core::object::FieldKind;
use coho_core::sync::Cast;

use super::{Mapping, Node, To};
use crate::fit::Slot;
use coho_liquid::Reads;

/// How a column's type shows in what is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Use {
    /// By the text of each value only.
    Text,
    /// The values are sent, or calculated with, as what they are.
    Value,
}

impl Mapping {
    /// The columns whose types show in what is sent, by their places. Ids are sent as their text, which no type changes, and
    /// casts to other types than text give the same whatever they read.
    pub fn uses(&self) -> BTreeMap<usize, Use> {
        let mut uses = BTreeMap::new();
        for field in &self.fields {
            let is_id = matches!(&field.to, To::Path(_, Slot::Field(FieldKind::ExternalId(_))));
            if !is_id {
                collect(&field.from, &self.reads, &mut uses);
            }
        }
        uses
    }
}

fn collect(node: &Node, all: &[usize], uses: &mut BTreeMap<usize, Use>) {
    let mut add = |column: usize, how: Use| {
        let known = uses.entry(column).or_insert(how);
        *known = how.max(*known);
    };
    match node {
        Node::Column(source, None) => add(source.column, Use::Value),
        Node::Column(source, Some(Cast::Text)) => add(source.column, Use::Text),
        Node::Template(filled, _) => match filled.template.columns() {
            Reads::Columns(places) => places.iter().for_each(|place| add(*place, Use::Value)),
            // Then the mapping reads all columns.
            Reads::All => all.iter().for_each(|place| add(*place, Use::Value)),
        },
        Node::Object(members) => members.iter().for_each(|(_, member)| collect(member, all, uses)),
        Node::Array(items) => items.iter().for_each(|item| collect(item, all, uses)),
        Node::Column(..) | Node::Static(_) | Node::Lookup(..) => {}
    }
}
