//! The arguments that a filter takes.

/// An argument.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arg {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) needed: bool,
}

/// What an argument may be; literals are checked when the template is compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Any,
    Text,
    Number,
    /// A whole number, or a text that spells one.
    Whole,
    /// The same, where nil is 0.
    Length,
    /// A text; a literal number is refused, as it would be a mistake.
    Letters,
    Flag,
    Array,
    /// The name of a member, dotted perhaps.
    Property,
    /// An expression in a literal text.
    Expression,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::Text | Self::Letters => "text",
            Self::Number => "number",
            Self::Whole | Self::Length => "integer",
            Self::Flag => "boolean",
            Self::Array => "array",
            Self::Property => "property",
            Self::Expression => "expression",
        }
    }
}

/// One that is needed.
pub(super) const fn need(name: &'static str, kind: Kind) -> Arg {
    Arg { name, kind, needed: true }
}

/// One that may be left out.
pub(super) const fn may(name: &'static str, kind: Kind) -> Arg {
    Arg { name, kind, needed: false }
}
