//! Places in a project's files, so that each message can show the line it speaks of.

use std::fmt;
use std::sync::Arc;

/// A stretch of a file.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Place {
    /// The file's path as the user knows it, relative to the project.
    pub file: Arc<str>,
    /// The line, from 1. 0 means the file as a whole.
    pub line: u32,
    /// The column in characters, from 1. 0 means the line as a whole.
    pub column: u32,
    /// How many characters the stretch has; at least 1 where `column` is known.
    pub length: u32,
}

impl Place {
    /// A file as a whole.
    pub fn file(file: impl Into<Arc<str>>) -> Self {
        Self { file: file.into(), ..Self::default() }
    }
}

/// `syncs/users.yaml:3:9`, without the parts that are not known.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
        }
        if self.column > 0 {
            write!(f, ":{}", self.column)?;
        }
        Ok(())
    }
}
