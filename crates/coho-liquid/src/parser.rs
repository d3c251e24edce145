//! The third pass: pieces become a tree, names are resolved, and every fault is collected.
//!
//! [`expr`] reads expressions, [`chain`] filters, [`names`] resolves, [`block`] and [`tag`] read tags.

mod expr;
mod chain;
mod names;
mod block;
mod tag;
mod snippet;

use std::collections::{BTreeSet, HashMap};

use coho_core::code::Code;
use coho_core::problem::nearest;

use super::ast::{Node, Part};
use super::budget::DEEPEST_TEMPLATE;
use super::fault::{Fault, Span};
use super::pieces;
use super::scope::{CompileScope, Reads};

/// More faults than this help nobody.
const MOST_FAULTS: usize = 50;
/// What suggestions may cost.
const MOST_SUGGESTIONS: usize = 20;
const MOST_CANDIDATES: usize = 1_000;
const LONGEST_NAME: usize = 64;

/// What parsing gives. The tree counts only if there are no faults.
pub(crate) struct Parsed {
    pub(crate) nodes: Vec<Node>,
    pub(crate) faults: Vec<Fault>,
    pub(crate) slots: usize,
    pub(crate) reads: Reads,
    pub(crate) volatile: bool,
    /// Whether it calls a filter that was added.
    pub(crate) adds: bool,
    /// The snippets that it renders.
    pub(crate) parts: Vec<Part>,
}

pub(crate) fn parse(source: &str, scope: &CompileScope) -> Parsed {
    let (pieces, faults) = pieces::cut(source);
    let mut parser = Parser::new(source, scope, names::assigned(source, &pieces), faults);
    let nodes = parser.document(&pieces);
    parser.faults.sort_by_key(Fault::order);
    parser.faults.truncate(MOST_FAULTS);
    let reads = if parser.all_columns { Reads::All } else { Reads::Columns(parser.columns) };
    Parsed {
        nodes,
        faults: parser.faults,
        slots: parser.slots.len(),
        reads,
        volatile: parser.volatile.is_so(),
        adds: parser.adds,
        parts: parser.parts,
    }
}

struct Parser<'s> {
    source: &'s str,
    scope: &'s CompileScope,
    /// The names that the template assigns somewhere.
    slots: HashMap<String, usize>,
    columns: BTreeSet<usize>,
    all_columns: bool,
    volatile: Volatile,
    adds: bool,
    depth: usize,
    /// The deepest nesting so far, with that of the snippets that are rendered.
    deepest: usize,
    /// Whose names these are.
    names: Names,
    /// The snippets that were read.
    parts: Vec<Part>,
    /// The snippets that are being read, the outermost first.
    rendering: Vec<String>,
    /// The tags whose bodies are being read, the outermost first.
    opened: Vec<&'s str>,
    /// Whether it was nested too deep to be read to its end.
    stopped: bool,
    /// How many chains of literals were tried.
    probes: usize,
    faults: Vec<Fault>,
}

/// What may make the same row give another value next time.
#[derive(Default)]
struct Volatile {
    /// It reads `run`.
    run: bool,
    /// A literal `'now'` or `'today'` occurs,
    clock: bool,
    /// and a filter of dates.
    dated: bool,
}

impl Volatile {
    fn is_so(&self) -> bool {
        self.run || (self.clock && self.dated)
    }
}

/// What a name that nothing assigns means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Names {
    /// A column, or a member of free values.
    Global,
    /// Something that the snippet is given.
    Given,
}

impl<'s> Parser<'s> {
    fn new(
        source: &'s str,
        scope: &'s CompileScope,
        slots: HashMap<String, usize>,
        faults: Vec<Fault>,
    ) -> Self {
        Self {
            source,
            scope,
            slots,
            columns: BTreeSet::new(),
            all_columns: false,
            volatile: Volatile::default(),
            adds: false,
            depth: 0,
            deepest: 0,
            names: Names::Global,
            parts: Vec::new(),
            rendering: Vec::new(),
            opened: Vec::new(),
            stopped: false,
            probes: 0,
            faults,
        }
    }
}

impl Parser<'_> {
    /// The name that was probably meant. Looked for with the first faults only, and among names of a common length.
    fn nearest<'n>(&self, name: &str, known: impl Iterator<Item = &'n str>) -> Option<&'n str> {
        if self.faults.len() > MOST_SUGGESTIONS || name.len() > LONGEST_NAME {
            return None;
        }
        let alike = |known: &&str| known.len().abs_diff(name.len()) <= 2 + name.len() / 4;
        nearest(name, known.filter(alike).take(MOST_CANDIDATES))
    }

    fn fault(&mut self, fault: Fault) {
        if self.faults.len() < MOST_FAULTS {
            self.faults.push(fault);
        }
    }

    /// Goes one level deeper for what `inner` reads.
    fn deeper<T>(
        &mut self,
        span: Span,
        inner: impl FnOnce(&mut Self) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let most = self.scope.settings.budget.nesting.min(DEEPEST_TEMPLATE);
        if self.depth >= most {
            let message = format!("the template is nested more than {most} levels deep");
            return Err(Fault::new(Code::TEMPLATE_LIMIT, message).at(span));
        }
        self.depth += 1;
        self.deepest = self.deepest.max(self.depth);
        let result = inner(self);
        self.depth -= 1;
        result
    }
}
