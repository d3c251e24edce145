//! The syntax tree of a template: small, closed, and with a span wherever something can go wrong later.

use std::borrow::Cow;

use super::budget::Meter;
use super::fault::{Fault, Sourced, Span};
use super::filters::Filter;
use super::value::Val;

/// One node of a template's body.
#[derive(Debug)]
pub(crate) enum Node {
    /// Text as it stands, whitespace control applied.
    Text(Span),
    /// `{{ … }}` and `echo`.
    Output(Chain),
    Assign {
        slot: usize,
        chain: Chain,
    },
    Capture {
        slot: usize,
        body: Vec<Node>,
    },
    /// `if` and `unless`.
    If {
        branches: Vec<Branch>,
        otherwise: Option<Else>,
    },
    Case {
        subject: Chain,
        whens: Vec<When>,
        otherwise: Option<Else>,
    },
    For(Box<Loop>),
    Break,
    Continue,
    Cycle {
        group: Option<Expr>,
        key: String,
        items: Vec<Expr>,
    },
    Increment(String),
    Decrement(String),
    IfChanged(Vec<Node>),
    /// `render`.
    Render(Box<Render>),
}

/// A snippet that is rendered here.
#[derive(Debug)]
pub(crate) struct Render {
    /// Its place among the template's parts.
    pub(crate) part: usize,
    /// What it is given, with the slots that it reads it from; without one it does not read it.
    pub(crate) given: Vec<(Option<usize>, Expr)>,
    /// `for … as name`.
    pub(crate) each: Option<(Option<usize>, Expr)>,
    /// `name-collection`, as `forloop.name` shows it.
    pub(crate) name: String,
    pub(crate) span: Span,
}

/// A snippet as a part of the template that renders it: its names are its own.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) name: String,
    pub(crate) file: std::sync::Arc<str>,
    pub(crate) source: String,
    pub(crate) nodes: Vec<Node>,
    /// All names that it reads or assigns.
    pub(crate) slots: std::collections::HashMap<String, usize>,
    /// How deep its blocks are nested, with those of the snippets that it renders.
    pub(crate) depth: usize,
}

impl Sourced for Part {
    fn file(&self) -> &std::sync::Arc<str> {
        &self.file
    }

    fn source(&self) -> &str {
        &self.source
    }
}

/// A branch of `if`; `negated` for `unless`.
#[derive(Debug)]
pub(crate) struct Branch {
    pub(crate) condition: Chain,
    pub(crate) negated: bool,
    pub(crate) mark: Mark,
    pub(crate) body: Vec<Node>,
}

/// A branch of `case`.
#[derive(Debug)]
pub(crate) struct When {
    pub(crate) values: Vec<Expr>,
    pub(crate) mark: Mark,
    pub(crate) body: Vec<Node>,
}

/// What is rendered where no other branch is.
#[derive(Debug)]
pub(crate) struct Else {
    pub(crate) mark: Mark,
    pub(crate) body: Vec<Node>,
}

/// Which branch of the template it is. [`super::branches`] numbers them when the tree is whole.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark {
    pub(crate) tag: Span,
    pub(crate) index: usize,
}

impl Mark {
    /// The branch that begins with this tag.
    pub(crate) fn at(tag: Span) -> Self {
        Self { tag, index: 0 }
    }
}

/// `for` and `tablerow`.
#[derive(Debug)]
pub(crate) struct Loop {
    pub(crate) slot: usize,
    /// `item-row.items`, as `forloop.name` shows it and `offset: continue` remembers it.
    pub(crate) name: String,
    pub(crate) items: Expr,
    pub(crate) limit: Option<Expr>,
    pub(crate) offset: Option<Offset>,
    pub(crate) order: Order,
    pub(crate) mark: Mark,
    pub(crate) body: Vec<Node>,
    pub(crate) otherwise: Option<Else>,
    pub(crate) table: Option<Table>,
    pub(crate) span: Span,
}

#[derive(Debug)]
pub(crate) enum Offset {
    At(Expr),
    Continue,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    Forward,
    Reversed,
}

/// What makes a loop a `tablerow`.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) columns: Option<Expr>,
}

/// A value with filters. Without a head: `{{ | json_construct: … }}`.
#[derive(Debug)]
pub(crate) struct Chain {
    pub(crate) head: Option<Expr>,
    pub(crate) filters: Vec<Call>,
}

/// One filter in a chain.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) filter: Called,
    pub(crate) args: Vec<Expr>,
    pub(crate) named: Vec<(&'static str, Expr)>,
    /// The condition of `where_exp` and its kin, with the slot of its variable.
    pub(crate) each: Option<(usize, Box<Chain>)>,
    pub(crate) span: Span,
}

/// One call of a filter that was added.
pub(crate) trait Run: std::fmt::Debug + Send + Sync {
    /// Gives the filter's value. The expressions are those that were parsed, in the same order.
    fn run<'a>(
        &self,
        input: Val<'a>,
        arguments: &'a [Expr],
        caller: &mut dyn Evaluates<'a>,
    ) -> Result<Val<'a>, Fault>;
}

/// What evaluates the arguments of a filter that was added.
#[cfg_attr(not(feature = "liquid"), expect(dead_code, reason = "filters come through the interface"))]
pub(crate) trait Evaluates<'a> {
    /// An argument's value; nil where it is not there.
    fn argument(&mut self, expr: &'a Expr) -> Result<Val<'a>, Fault>;
    fn meter(&self) -> &Meter;
}

/// Which filter it is.
#[derive(Debug)]
pub(crate) enum Called {
    /// One of the table.
    BuiltIn(&'static Filter),
    /// One that a program added. Its arguments by name stand behind those by place.
    Added { name: String, run: Box<dyn Run> },
}

impl Called {
    /// The filter of the table, if it is one.
    pub(crate) fn built_in(&self) -> Option<&'static Filter> {
        match self {
            Self::BuiltIn(filter) => Some(filter),
            Self::Added { .. } => None,
        }
    }

    pub(crate) fn is_default(&self) -> bool {
        self.built_in().is_some_and(|filter| filter.name == "default")
    }
}

/// An expression.
#[derive(Debug)]
pub(crate) enum Expr {
    Literal(Literal),
    Path(Path),
    Range(Box<(Expr, Expr)>, Span),
    Compare(Box<(Expr, Comparison, Expr)>, Span),
    Not(Box<Expr>),
    /// `a and b or c`: read from the right, without precedence.
    Logic(Box<Expr>, Vec<(Junction, Expr)>),
}

/// A literal; unlike a [`Val`] it may be shared between threads.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Literal {
    Nil,
    Bool(bool),
    Int(i64),
    Digits(String),
    Text(String),
    Blank,
    Empty,
}

impl Literal {
    pub(crate) fn val(&self) -> Val<'_> {
        match self {
            Self::Nil => Val::Nil,
            Self::Bool(flag) => Val::Bool(*flag),
            Self::Int(number) => Val::Int(*number),
            Self::Digits(digits) => Val::Digits(Cow::Borrowed(digits)),
            Self::Text(text) => Val::Text(Cow::Borrowed(text)),
            Self::Blank => Val::Blank,
            Self::Empty => Val::Empty,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Contains,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Junction {
    And,
    Or,
}

/// `row.items[0].sku`.
#[derive(Debug)]
pub(crate) struct Path {
    pub(crate) root: Root,
    pub(crate) segments: Vec<Segment>,
    pub(crate) span: Span,
}

/// Where a path begins.
#[derive(Debug)]
pub(crate) struct Root {
    /// The slot, if the template assigns this name somewhere.
    pub(crate) slot: Option<usize>,
    pub(crate) global: Global,
}

/// What a name means where the template does not assign it.
#[derive(Debug)]
pub(crate) enum Global {
    /// The row as a whole.
    Row,
    /// A column of the row.
    Column(usize),
    Sync,
    Run,
    ForLoop,
    TableRowLoop,
    /// A member of free values.
    Named(String),
    /// `['name']` or `[expression]`.
    Dynamic(Box<Expr>),
}

#[derive(Debug)]
pub(crate) enum Segment {
    Name(String),
    Index(Expr),
}

impl Expr {
    /// The literal that it is, if it is one.
    pub(crate) fn literal(&self) -> Option<&Literal> {
        match self {
            Self::Literal(literal) => Some(literal),
            Self::Path(_) | Self::Range(..) | Self::Compare(..) | Self::Not(_) | Self::Logic(..) => None,
        }
    }

    /// Whether its value can be nil.
    pub(crate) fn may_be_nil(&self) -> bool {
        match self {
            Self::Literal(literal) => *literal == Literal::Nil,
            Self::Path(_) => true,
            Self::Range(..) | Self::Compare(..) | Self::Not(_) | Self::Logic(..) => false,
        }
    }

    pub(crate) fn is_constant(&self) -> bool {
        match self {
            Self::Literal(_) => true,
            Self::Path(_) => false,
            Self::Range(both, _) => both.0.is_constant() && both.1.is_constant(),
            Self::Compare(both, _) => both.0.is_constant() && both.2.is_constant(),
            Self::Not(inner) => inner.is_constant(),
            Self::Logic(first, rest) => {
                first.is_constant() && rest.iter().all(|(_, next)| next.is_constant())
            }
        }
    }
}
