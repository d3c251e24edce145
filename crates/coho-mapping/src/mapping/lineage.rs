//! Of which columns a mapping makes each field.

use std::collections::BTreeSet;

use coho_core::lineage::{FieldLineage, Lineage, Made};
use coho_core::object::Bag;
use coho_core::row::Columns;
use coho_liquid::Reads;

use super::{Mapping, Node, To};
use crate::target::Target;

impl Mapping {
    /// What is read and what becomes of it. `columns` are those that the mapping was compiled against.
    pub fn lineage(&self, columns: &Columns) -> Lineage {
        let id = match &self.target {
            Target::ExternalId(source) => Some(("externalId", source)),
            Target::MessageId(source) => Some(("messageId", source)),
            Target::OfKey(_) => None,
        };
        let email = self.email.as_ref().map(|source| ("email", source));
        let matched = id.into_iter().chain(email).map(|(field, source)| FieldLineage {
            field: field.to_owned(),
            columns: vec![source.name.clone()],
            made: Made::AsItIs,
        });
        let mapped = self.fields.iter().map(|field| self.of(&field.to, &field.from, columns));
        Lineage {
            columns: columns.iter().map(|column| (column.name.clone(), column.kind)).collect(),
            fields: matched.chain(mapped).collect(),
        }
    }

    fn of(&self, to: &To, from: &Node, columns: &Columns) -> FieldLineage {
        let mut places = BTreeSet::new();
        collect(from, &self.reads, &mut places);
        let field = match to {
            To::Path(path, _) => path.to_string(),
            To::All(bag @ (Bag::Traits | Bag::Properties)) => bag.name().to_owned(),
        };
        let made = if matches!(from, Node::Column(_, None)) { Made::AsItIs } else { Made::Changed };
        let named = columns.iter().enumerate().filter(|(at, _)| places.contains(at));
        FieldLineage { field, columns: named.map(|(_, column)| column.name.clone()).collect(), made }
    }
}

fn collect(node: &Node, all: &[usize], places: &mut BTreeSet<usize>) {
    match node {
        Node::Column(source, _) | Node::Lookup(source, _) => {
            places.insert(source.column);
        }
        Node::Template(filled, _) => match filled.template.columns() {
            Reads::Columns(read) => places.extend(read.iter().copied()),
            // Then the mapping reads all columns.
            Reads::All => places.extend(all.iter().copied()),
        },
        Node::Object(members) => members.iter().for_each(|(_, member)| collect(member, all, places)),
        Node::Array(items) => items.iter().for_each(|item| collect(item, all, places)),
        Node::Static(_) => {}
    }
}
