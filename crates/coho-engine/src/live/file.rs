//! What a project keeps of a live check: `workspaces/DESTINATION.yaml`, which `coho-project` reads.

use coho_core::object::Object;

use super::{Learned, LiveReport};

/// Where it is, relative to the project.
pub fn path(destination: &str) -> String {
    format!("workspaces/{destination}.yaml")
}

/// Its text: what holds for the whole workspace, then what holds for one object.
pub fn text(report: &LiveReport) -> String {
    let destination = &report.destination;
    let day = report.at.format("%Y-%m-%d");
    let mut text = format!(
        "# Written by `coho check --live {destination}`: how this workspace behaves where Vitally's documentation is silent.\n\
         # From it, Coho knows where external ids do not work in paths, and how much of the rate a call uses. To renew it, run\n\
         # the command again; to forget it, delete this file.\n\
         checked: {day}\nworkspace: {}\n",
        serde_json::Value::from(report.url.as_str())
    );
    let of = |object| report.learned.iter().filter(move |learned| learned.object == object);
    for learned in of(None) {
        line(&mut text, "", learned);
    }
    for object in Object::RECORDS {
        if of(Some(object)).next().is_none() {
            continue;
        }
        text.extend([object.name(), "s:\n"]);
        for learned in of(Some(object)) {
            line(&mut text, "  ", learned);
        }
    }
    text
}

fn line(text: &mut String, indent: &str, learned: &Learned) {
    // A null among words would be none, for YAML.
    let answer = if learned.answer == "null" { "\"null\"" } else { &learned.answer };
    text.extend([indent, learned.question.key(), ": ", answer, "\n"]);
}
