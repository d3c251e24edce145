//! `workspaces/DESTINATION.yaml`: what `coho check --live` found out of a workspace. A program writes it, so keys that are not
//! known here are passed over: they are for people, or of another version.

use std::sync::Arc;

use coho_core::code::Code;
use coho_core::object::Object;
use coho_core::problem::Problem;
use coho_core::value::preview;

use crate::conform::count;
use crate::project::Workspace;
use crate::yaml::{Node, parse};

/// The most units that a call may cost.
const DEAREST: u64 = 1_000;

/// Reads one.
pub(crate) fn read(path: &Arc<str>, text: &str, problems: &mut Vec<Problem>) -> Workspace {
    let mut workspace = Workspace::default();
    let Some(root) = parse(path, text, problems) else { return workspace };
    workspace.write_cost = cost(&root, "write_cost", problems);
    workspace.read_cost = cost(&root, "read_cost", problems);
    for object in Object::RECORDS {
        let node = root.get(&format!("{object}s")).and_then(|of_object| of_object.get("external_id_in_path"));
        match node.map(|node| (node, node.text())) {
            None | Some((_, Some("works"))) => {}
            Some((_, Some("fails"))) => {
                workspace.only_vitallys_ids.insert(object);
            }
            Some((node, _)) => problems.push(wrong(node, "external_id_in_path", "`works` or `fails`")),
        }
    }
    workspace
}

fn cost(root: &Node, key: &str, problems: &mut Vec<Problem>) -> Option<u32> {
    let node = root.get(key)?;
    let cost = node.scalar().and_then(count).filter(|cost| (1..=DEAREST).contains(cost));
    if cost.is_none() {
        problems.push(wrong(node, key, "a whole number from 1 to 1000"));
    }
    cost.and_then(|cost| u32::try_from(cost).ok())
}

fn wrong(node: &Node, key: &str, expected: &str) -> Problem {
    let message = match node.text() {
        Some(text) => format!("`{key}` cannot be `{}`", preview(text)),
        None => format!("`{key}` must be {expected}, not {}", node.kind()),
    };
    Problem::new(Code::WRONG_VALUE, message)
        .at(&node.place)
        .help(format!("write {expected}, or delete the file and run `coho check --live` again"))
}
