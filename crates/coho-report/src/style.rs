//! How a text is dressed: colours and the width of a line.

/// How a text is dressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Whether there are colours. Whoever prints decides: a terminal, `NO_COLOR`.
    pub color: Color,
    /// The longest line in characters. Sentences wrap; tables may be longer.
    pub width: usize,
}

/// Whether there are colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Color {
    /// There are.
    Always,
    /// There are none.
    Never,
}

impl Default for Style {
    fn default() -> Self {
        Self { color: Color::Never, width: 100 }
    }
}

/// What a stretch of text says by its colour. It never says anything by its colour alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    Plain,
    Strong,
    Faint,
    Good,
    Change,
    Bad,
}

impl Tone {
    /// The number in the ANSI sequence that begins it.
    fn ansi(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Strong => Some("1"),
            Self::Faint => Some("2"),
            Self::Good => Some("32"),
            Self::Change => Some("33"),
            Self::Bad => Some("31"),
        }
    }
}

impl Style {
    /// The text in this tone.
    pub(crate) fn paint(&self, tone: Tone, text: &str) -> String {
        match (self.color, tone.ansi()) {
            (Color::Always, Some(code)) if !text.is_empty() => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
            _ => text.to_owned(),
        }
    }
}
