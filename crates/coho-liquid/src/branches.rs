//! The branches of a template, and which of them renderings took: what users' tests reach.
//!
//! A branch is what may or may not be rendered and has a tag of its own: `if`, `elsif`, `unless`, `when`, `for`, `tablerow`, and the
//! `else` of any of them. [`number`] counts them once the tree is made; `render` marks them in a [`Watch`] if there is one.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::Arc;

use coho_core::place::Place;

use super::ast::{Else, Mark, Node, Part};
use super::fault;

/// A branch of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Branch {
    /// Its tag on one line, such as `{% if row.seats > 10 %}`, shortened if it is long.
    pub label: String,
    /// Where its tag's name stands.
    pub place: Place,
}

/// Notes which branches renderings of one template took, by their places in [`Template::branches`](super::Template::branches).
#[derive(Debug, Default)]
pub struct Watch(RefCell<BTreeSet<usize>>);

impl Watch {
    /// The branches that were taken.
    pub fn taken(&self) -> BTreeSet<usize> {
        self.0.borrow().clone()
    }

    pub(crate) fn take(&self, mark: Mark) {
        self.0.borrow_mut().insert(mark.index);
    }
}

/// Numbers the branches in the order in which they stand, and gives their marks.
pub(crate) fn number(nodes: &mut [Node], parts: &mut [Part]) -> Vec<(Option<usize>, Mark)> {
    let mut marks = Vec::new();
    count(nodes, &mut marks);
    let mut all: Vec<_> = marks.iter().map(|mark| (None, *mark)).collect();
    for (at, part) in parts.iter_mut().enumerate() {
        let before = marks.len();
        count(&mut part.nodes, &mut marks);
        all.extend(marks.iter().skip(before).map(|mark| (Some(at), *mark)));
    }
    all
}

/// The branch of a mark, in the template or in the snippet where it stands.
pub(crate) fn branch(mark: Mark, source: &str, part: Option<&Part>) -> Branch {
    let source = part.map_or(source, |part| &part.source);
    let words: Vec<&str> = mark.tag.of(source).split_whitespace().collect();
    let label = format!("{{% {} %}}", coho_core::value::preview(&words.join(" ")));
    let place = fault::place(source, mark.tag);
    let file = part.map_or_else(|| Arc::clone(&place.file), |part| Arc::clone(&part.file));
    Branch { label, place: Place { file, ..place } }
}

fn count(nodes: &mut [Node], marks: &mut Vec<Mark>) {
    for node in nodes {
        match node {
            Node::If { branches, otherwise } => {
                for branch in branches {
                    one(&mut branch.mark, &mut branch.body, marks);
                }
                rest(otherwise, marks);
            }
            Node::Case { whens, otherwise, .. } => {
                for when in whens {
                    one(&mut when.mark, &mut when.body, marks);
                }
                rest(otherwise, marks);
            }
            Node::For(repeat) => {
                one(&mut repeat.mark, &mut repeat.body, marks);
                rest(&mut repeat.otherwise, marks);
            }
            Node::Capture { body, .. } | Node::IfChanged(body) => count(body, marks),
            Node::Text(_)
            | Node::Output(_)
            | Node::Assign { .. }
            | Node::Break
            | Node::Continue
            | Node::Cycle { .. }
            | Node::Increment(_)
            | Node::Render(_)
            | Node::Decrement(_) => {}
        }
    }
}

fn one(mark: &mut Mark, body: &mut [Node], marks: &mut Vec<Mark>) {
    mark.index = marks.len();
    marks.push(*mark);
    count(body, marks);
}

fn rest(otherwise: &mut Option<Else>, marks: &mut Vec<Mark>) {
    if let Some(Else { mark, body }) = otherwise {
        one(mark, body, marks);
    }
}

#[cfg(test)]
mod tests {
    use coho_core::json;

    use crate::{CompileScope, Context, Watch, compile};

    /// The labels of all branches, those that these rows take in capital letters.
    fn watched(source: &str, rows: &[&str]) -> Vec<String> {
        let template = compile(source, &CompileScope::free()).unwrap();
        let watch = Watch::default();
        for row in rows {
            let row = json::parse(row).unwrap();
            let context = Context::row_object(&row);
            let quiet = template.render(&context).map_err(|problem| problem.to_string());
            let seen = template.render(&context.watch(&watch)).map_err(|problem| problem.to_string());
            assert_eq!(seen, quiet);
        }
        let (branches, taken) = (template.branches(), watch.taken());
        let shown = branches.into_iter().enumerate();
        let case =
            |(at, label): (usize, String)| if taken.contains(&at) { label.to_uppercase() } else { label };
        shown.map(|(at, branch)| case((at, branch.label))).collect()
    }

    #[test]
    fn each_condition_and_its_else_are_branches() {
        let source = "{% if row.n > 9 %}a{% elsif row.n > 5 %}b{% else %}c{% endif %}";
        let labels = ["{% IF ROW.N > 9 %}", "{% elsif row.n > 5 %}", "{% ELSE %}"];
        assert_eq!(watched(source, &[r#"{"n":10}"#, r#"{"n":1}"#]), labels);
        assert_eq!(watched("{% unless row.n %}a{% endunless %}", &[r#"{"n":1}"#]), ["{% unless row.n %}"]);
    }

    #[test]
    fn each_when_of_a_case_is_a_branch() {
        let source = "{% case row.n %}x{% when 1, 2 %}a{% when 2 %}b{% when 3 %}c{% else %}d{% endcase %}";
        let labels = ["{% WHEN 1, 2 %}", "{% WHEN 2 %}", "{% when 3 %}", "{% else %}"];
        assert_eq!(watched(source, &[r#"{"n":2}"#]), labels);
        assert_eq!(watched(source, &[r#"{"n":4}"#])[3], "{% ELSE %}");
    }

    #[test]
    fn a_loop_and_its_else_are_branches() {
        let source = "{% for i in row.l %}{% if i %}a{% endif %}{% else %}b{% endfor %}";
        let labels = ["{% FOR I IN ROW.L %}", "{% if i %}", "{% else %}"];
        assert_eq!(watched(source, &[r#"{"l":[false]}"#]), labels);
        assert_eq!(watched(source, &[r#"{"l":[]}"#])[2], "{% ELSE %}");
        let table = "{% tablerow i in row.l %}a{% endtablerow %}";
        assert_eq!(watched(table, &[r#"{"l":[]}"#]), ["{% tablerow i in row.l %}"]);
        assert_eq!(watched(table, &[r#"{"l":[1]}"#]), ["{% TABLEROW I IN ROW.L %}"]);
    }

    #[test]
    fn a_branch_before_a_failure_was_taken() {
        let source = "{% if row.n %}{{ row.x }}{% endif %}{% if row.n %}{% endif %}";
        assert_eq!(watched(source, &[r#"{"n":1}"#]), ["{% IF ROW.N %}", "{% if row.n %}"]);
    }

    #[test]
    fn a_default_is_no_branch_and_what_is_never_rendered_has_none() {
        assert_eq!(watched("{{ row.x | default: 1 }}", &["{}"]), Vec::<String>::new());
        let source = "{% case 1 %}{% if 1 %}{% endif %}{% when 1 %}{% else %}{% else %}{% if 2 %}{% endif %}{% endcase %}";
        assert_eq!(watched(source, &["{}"]), ["{% WHEN 1 %}", "{% else %}"]);
    }

    #[test]
    fn labels_are_one_line_and_places_those_of_the_tag() {
        let template = compile("a\n {%- if\n  row.n\n -%}b{% endif %}", &CompileScope::free()).unwrap();
        let [branch] = <[_; 1]>::try_from(template.branches()).unwrap();
        assert_eq!((branch.label.as_str(), branch.place.line, branch.place.column), ("{% if row.n %}", 2, 6));
        let lines = compile("{% liquid\nif 1\nendif\n%}", &CompileScope::free()).unwrap();
        assert_eq!(lines.branches()[0].label, "{% if 1 %}");
    }
}
