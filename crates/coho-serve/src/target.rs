//! The addresses of pages: what a path means, and how a page is linked to.
//!
//! An address has ids, numbers, statuses and codes, never a key or a value of a row: a row is named by the number of one of its
//! statuses, and a searched text by a number of its own ([`crate::searches`]).

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

/// What a path leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Home,
    Runs,
    Run {
        run: String,
    },
    Rows {
        run: String,
    },
    /// The project's files as they are now.
    Project,
    /// What a run would send.
    Plan,
    /// Templates and mappings on sample rows.
    Playground,
    /// Rows of all runs, found by what is in them.
    Search,
    Calls {
        run: String,
    },
    Row {
        number: i64,
    },
    Call {
        number: i64,
    },
    /// Whether something is meant that changes what is remembered or sent.
    Act {
        action: PageAction,
    },
    /// What came of something that was done, by its number.
    Done {
        number: i64,
    },
}

/// What can be done from pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum PageAction {
    Run,
    Retry,
    Forget,
}

impl PageAction {
    /// All of them.
    pub(crate) const ALL: [Self; 3] = [Self::Run, Self::Retry, Self::Forget];

    /// As an address has it.
    fn name(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Retry => "retry",
            Self::Forget => "forget",
        }
    }

    /// As a heading has it.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Run => "Run now",
            Self::Retry => "Retry waiting rows",
            Self::Forget => "Forget rows",
        }
    }

    /// As a button has it.
    pub(crate) fn button(self) -> &'static str {
        match self {
            Self::Run => "Run now",
            Self::Retry => "Retry",
            Self::Forget => "Forget",
        }
    }
}

/// How a page is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Html,
    Json,
    /// All rows that the filters choose, as CSV.
    Csv,
    /// The same as JSON, a line each.
    Ndjson,
}

/// What a path means. `None` where page not found.
pub(crate) fn parse(path: &str) -> Option<(Target, Form)> {
    let forms = [(".json", Form::Json), (".csv", Form::Csv), (".ndjson", Form::Ndjson)];
    let found = forms.into_iter().find_map(|(suffix, form)| Some((path.strip_suffix(suffix)?, form)));
    let (path, form) = found.unwrap_or((path, Form::Html));
    let parts: Vec<_> = path.strip_prefix('/')?.split('/').map(decoded).collect::<Option<_>>()?;
    let parts: Vec<_> = parts.iter().map(String::as_str).collect();
    let target = match parts.as_slice() {
        ["" | "home"] => Target::Home,
        ["runs"] => Target::Runs,
        ["runs", run] => Target::Run { run: (*run).to_owned() },
        ["runs", run, "rows"] => Target::Rows { run: (*run).to_owned() },
        ["runs", run, "calls"] => Target::Calls { run: (*run).to_owned() },
        ["project"] => Target::Project,
        ["plan"] => Target::Plan,
        ["playground"] => Target::Playground,
        ["rows"] => Target::Search,
        ["rows", number] => Target::Row { number: number.parse().ok()? },
        ["calls", number] => Target::Call { number: number.parse().ok()? },
        ["done", number] => Target::Done { number: number.parse().ok()? },
        ["do", name] => {
            Target::Act { action: PageAction::ALL.into_iter().find(|action| action.name() == *name)? }
        }
        _ => return None,
    };
    let is_list = matches!(target, Target::Rows { .. } | Target::Search);
    (is_list || matches!(form, Form::Html | Form::Json)).then_some((target, form))
}

impl Target {
    /// The path.
    pub(crate) fn path(&self) -> String {
        match self {
            Self::Home => "/".to_owned(),
            Self::Runs => "/runs".to_owned(),
            Self::Run { run } => format!("/runs/{}", encoded(run)),
            Self::Rows { run } => format!("/runs/{}/rows", encoded(run)),
            Self::Project => "/project".to_owned(),
            Self::Plan => "/plan".to_owned(),
            Self::Playground => "/playground".to_owned(),
            Self::Search => "/rows".to_owned(),
            Self::Calls { run } => format!("/runs/{}/calls", encoded(run)),
            Self::Row { number } => format!("/rows/{number}"),
            Self::Call { number } => format!("/calls/{number}"),
            Self::Act { action } => format!("/do/{}", action.name()),
            Self::Done { number } => format!("/done/{number}"),
        }
    }

    /// The path of the JSON twin.
    pub(crate) fn twin(&self) -> String {
        match self {
            Self::Home => "/home.json".to_owned(),
            Self::Runs
            | Self::Run { .. }
            | Self::Rows { .. }
            | Self::Project
            | Self::Plan
            | Self::Playground
            | Self::Search
            | Self::Calls { .. }
            | Self::Row { .. }
            | Self::Call { .. }
            | Self::Act { .. }
            | Self::Done { .. } => self.path() + ".json",
        }
    }

    /// The run that it is a page of.
    pub(crate) fn run(&self) -> Option<&str> {
        match self {
            Self::Run { run } | Self::Rows { run } | Self::Calls { run } => Some(run),
            Self::Home
            | Self::Runs
            | Self::Project
            | Self::Plan
            | Self::Playground
            | Self::Search
            | Self::Row { .. }
            | Self::Call { .. }
            | Self::Act { .. }
            | Self::Done { .. } => None,
        }
    }

    /// Whether what it shows may change while somebody looks at it.
    pub(crate) fn moves(&self) -> bool {
        match self {
            Self::Home
            | Self::Runs
            | Self::Run { .. }
            | Self::Row { .. }
            | Self::Calls { .. }
            | Self::Plan => true,
            Self::Rows { .. }
            | Self::Search
            | Self::Project
            | Self::Playground
            | Self::Call { .. }
            | Self::Act { .. }
            | Self::Done { .. } => false,
        }
    }

    /// The path with filters, of which those without a value are left out.
    pub(crate) fn with(&self, filters: &[(&str, Option<&str>)]) -> String {
        with(self.path(), filters)
    }
}

/// An address of a run.
pub(crate) fn run(run: &str) -> Target {
    Target::Run { run: run.to_owned() }
}

/// The path with filters, of which those without a value are left out.
pub(crate) fn with(path: String, filters: &[(&str, Option<&str>)]) -> String {
    let filters = filters.iter().filter_map(|(name, value)| value.map(|value| (name, value)));
    let mut address = path;
    for (at, (name, value)) in filters.enumerate() {
        let sign = if at == 0 { '?' } else { '&' };
        // Writing into a text does not fail.
        write!(address, "{sign}{name}={}", encoded(value)).unwrap_or_default();
    }
    address
}

/// The text as a part of an address.
pub(crate) fn encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            write!(encoded, "%{byte:02X}").unwrap_or_default();
        }
    }
    encoded
}

/// The text that a part of an address stands for. `None` where it is none.
pub(crate) fn decoded(part: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = part.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
        let number = digit(rest.next())? * 16 + digit(rest.next())?;
        bytes.push(u8::try_from(number).ok()?);
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_is_found_at_its_own_address() {
        let strange = "a/b ?&%é".to_owned();
        let pages = [
            Target::Home,
            Target::Runs,
            Target::Run { run: strange.clone() },
            Target::Rows { run: strange.clone() },
            Target::Project,
            Target::Plan,
            Target::Playground,
            Target::Search,
            Target::Calls { run: strange },
            Target::Row { number: 7 },
            Target::Call { number: 9 },
            Target::Act { action: PageAction::Retry },
            Target::Done { number: 3 },
        ];
        for page in pages {
            assert_eq!(parse(&page.path()), Some((page.clone(), Form::Html)));
            assert_eq!(parse(&page.twin()), Some((page, Form::Json)));
        }
    }

    #[test]
    fn what_is_no_page_leads_nowhere() {
        for path in [
            "/../etc/passwd",
            "/runs/a/../../b",
            "//evil.example",
            "/rows/x",
            "/runs/%zz",
            "/runs/%ff",
            "x",
            "/runs.csv",
        ] {
            assert_eq!(parse(path), None, "{path}");
        }
    }
}
