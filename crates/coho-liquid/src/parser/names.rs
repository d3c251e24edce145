//! What a name means: something that the template assigns, a column, or one of the few names that Coho gives.

use std::collections::HashMap;

use coho_core::code::Code;
use coho_core::row::Columns;

use super::{Names, Parser};
use crate::ast::{Expr, Global, Literal, Root, Segment};
use crate::budget::DEEPEST_TEMPLATE;
use crate::fault::{Fault, Span};
use crate::pieces::{self, Piece};
use crate::settings::Undefined;

/// The names that tags assign anywhere in the template; more than it really assigns does no harm.
pub(super) fn assigned(source: &str, pieces: &[Piece]) -> HashMap<String, usize> {
    let mut names = HashMap::new();
    collect(source, pieces, DEEPEST_TEMPLATE, &mut names);
    names
}

/// What is nested deeper than a template may be is refused anyway.
fn collect(source: &str, pieces: &[Piece], levels: usize, names: &mut HashMap<String, usize>) {
    for piece in pieces {
        let Piece::Tag(tag) = piece else { continue };
        match tag.name.of(source) {
            "assign" | "capture" | "for" | "tablerow" | "increment" | "decrement" => {
                let args = tag.args.of(source).trim_start().trim_start_matches(['\'', '"']);
                let inside = |c: char| c.is_alphanumeric() || c == '_' || c == '-' || c == '?';
                let name: String = args.chars().take_while(|c| inside(*c)).collect();
                let next = names.len();
                names.entry(name).or_insert(next);
            }
            "liquid" if levels > 0 => {
                collect(source, &pieces::lines(source, tag.args).0, levels - 1, names);
            }
            _ => {}
        }
    }
}

impl Parser<'_> {
    pub(super) fn slot(&mut self, name: &str) -> usize {
        let next = self.slots.len();
        *self.slots.entry(name.to_owned()).or_insert(next)
    }

    /// The root of a path; `row.column` takes its first segment with it.
    pub(super) fn root(&mut self, name: &str, span: Span, segments: &mut Vec<(Segment, Span)>) -> Root {
        let slot = match self.names {
            Names::Global => self.slots.get(name).copied(),
            // Nothing but what it is given: a slot for every name, which stays empty where it is not given.
            Names::Given if matches!(name, "forloop" | "tablerowloop") => self.slots.get(name).copied(),
            Names::Given => Some(self.slot(name)),
        };
        let global = self.global(name, span, slot.is_some(), segments);
        Root { slot, global }
    }

    fn global(
        &mut self,
        name: &str,
        span: Span,
        assigned: bool,
        segments: &mut Vec<(Segment, Span)>,
    ) -> Global {
        match name {
            "forloop" => return Global::ForLoop,
            "tablerowloop" => return Global::TableRowLoop,
            _ => {}
        }
        let Some(columns) = self.scope.columns.clone() else {
            self.volatile.run |= name == "run" || name == "context";
            return Global::Named(name.to_owned());
        };
        // Segments belong to the assigned value if there is one, so that the column must be found at rendering.
        if assigned {
            self.all_columns |= name == "row" || name == "record";
            self.columns.extend(columns.index(name));
            self.volatile.run |= name == "run";
            return Global::Named(name.to_owned());
        }
        match name {
            "row" | "record" => self.column(segments),
            "context" if columns.index(name).is_none() => self.context(span, segments),
            "sync" => Global::Sync,
            "run" => {
                self.volatile.run = true;
                Global::Run
            }
            _ => {
                if let Some(column) = columns.index(name) {
                    self.columns.insert(column);
                    return Global::Column(column);
                }
                self.unknown(name, span, Code::UNKNOWN_VARIABLE);
                Global::Named(name.to_owned())
            }
        }
    }

    /// Hightouch's `context['sync_id']` and `context['sync_run_id']`, which are `sync.id` and `run.id`.
    fn context(&mut self, span: Span, segments: &mut [(Segment, Span)]) -> Global {
        let Some((segment, place)) = segments.first_mut() else {
            self.volatile.run = true;
            return Global::Named("context".to_owned());
        };
        let global = match segment {
            Segment::Name(name) | Segment::Index(Expr::Literal(Literal::Text(name))) => match name.as_str() {
                "sync_id" => Global::Sync,
                "sync_run_id" => Global::Run,
                other => {
                    let message = format!("`context` has no `{}`", coho_core::value::preview(other));
                    let fault = Fault::new(Code::UNKNOWN_VARIABLE, message).at(*place);
                    self.fault(fault.help("it has `sync_id` and `sync_run_id`; see also `sync` and `run`"));
                    return Global::Sync;
                }
            },
            Segment::Index(_) => {
                let message = "a member of `context` is named in the template";
                self.fault(
                    Fault::new(Code::UNKNOWN_VARIABLE, message).at(span).help("write `context['sync_id']`"),
                );
                return Global::Sync;
            }
        };
        self.volatile.run |= matches!(global, Global::Run);
        *segment = Segment::Name("id".to_owned());
        global
    }

    /// `row.column` and `row['column']`.
    fn column(&mut self, segments: &mut Vec<(Segment, Span)>) -> Global {
        let named = match segments.first() {
            Some((Segment::Name(name) | Segment::Index(Expr::Literal(Literal::Text(name))), span)) => {
                Some((name.clone(), *span))
            }
            _ => None,
        };
        let (Some((name, span)), Some(columns)) = (named, &self.scope.columns) else {
            self.all_columns = true;
            return Global::Row;
        };
        if let Some(column) = columns.index(&name) {
            self.columns.insert(column);
            segments.remove(0);
            return Global::Column(column);
        }
        self.unknown(&name, span, Code::UNKNOWN_COLUMN);
        Global::Row
    }

    fn unknown(&mut self, name: &str, span: Span, code: Code) {
        if self.scope.settings.undefined == Undefined::Empty || self.faults.len() >= super::MOST_FAULTS {
            return;
        }
        let shown = coho_core::value::preview(name);
        let message = if code == Code::UNKNOWN_COLUMN {
            format!("the model has no column `{shown}`")
        } else {
            format!("`{shown}` is not a column, and nothing in the template assigns it")
        };
        let mut known: Vec<&str> = self.scope.columns.iter().flat_map(Columns::names).collect();
        if code != Code::UNKNOWN_COLUMN {
            let mut assigned: Vec<&str> = self.slots.keys().map(String::as_str).collect();
            assigned.sort_unstable();
            known.extend(assigned);
            known.extend(["row", "sync", "run"]);
        }
        let fault = Fault::new(code, message).at(span);
        let fault = match self.nearest(name, known.iter().copied()) {
            Some(near) => fault.help(format!("did you mean `{near}`?")),
            None if known.len() <= 12 => fault.help(format!("there are: {}", known.join(", "))),
            None => fault,
        };
        self.fault(fault);
    }
}
