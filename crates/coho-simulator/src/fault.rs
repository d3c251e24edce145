//! Scripted faults: what goes wrong, on which requests, after how many, and how often.
//!
//! A script is a list; the first fault that fits a request strikes. Its JSON form is in [`form`]; [`list`] cuts lists short.

pub(crate) mod form;
pub(crate) mod list;

/// One line of the script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptedFault {
    /// The method that it fits; `None` fits all.
    pub method: Option<String>,
    /// The path that it fits, as it is sent; a `*` at the end fits every ending, `None` fits all.
    pub path: Option<String>,
    /// How many fitting requests pass before it strikes.
    pub skip: u32,
    /// How often it strikes.
    pub times: u32,
    /// What happens then.
    pub trouble: Trouble,
}

/// What happens to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// It is answered with this, and nothing is written.
    Answer(FaultAnswer),
    /// What it asks for is done, then it is answered with this.
    AnswerAfterCommit(FaultAnswer),
    /// The connection is cut, and nothing is written.
    DropBefore,
    /// What it asks for is done, then the connection is cut without an answer.
    DropAfterCommit,
    /// Nothing is written, and no answer ever comes.
    Hang,
    /// What it asks for is done, and no answer ever comes.
    HangAfterCommit,
    /// What it asks for is done, and the answer is 200 with a body that is not JSON.
    NotJson,
    /// The answer is right, but for where the list that it shows goes on. What shows no list is answered as always.
    CutList(list::CutShort),
}

/// An answer in place of the right one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaultAnswer {
    /// The status.
    pub status: u16,
    /// The body; `None` is an error text in the usual shape.
    pub body: Option<String>,
    /// Seconds for a `Retry-After` header.
    pub retry_after: Option<u32>,
}

impl FaultAnswer {
    /// A bare status.
    pub const fn status(status: u16) -> Self {
        Self { status, body: None, retry_after: None }
    }
}

impl ScriptedFault {
    /// Strikes the next request, whatever it is, once.
    pub const fn once(trouble: Trouble) -> Self {
        Self { method: None, path: None, skip: 0, times: 1, trouble }
    }

    /// Strikes only requests with that method and path (`/resources/users`, `/resources/users/*`).
    #[must_use]
    pub fn on(mut self, method: &str, path: &str) -> Self {
        self.method = Some(method.to_owned());
        self.path = Some(path.to_owned());
        self
    }

    /// Lets so many fitting requests pass first.
    #[must_use]
    pub const fn after(mut self, skip: u32) -> Self {
        self.skip = skip;
        self
    }

    /// Strikes so many times.
    #[must_use]
    pub const fn times(mut self, times: u32) -> Self {
        self.times = times;
        self
    }

    fn fits(&self, method: &str, path: &str) -> bool {
        let method_fits = self.method.as_deref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(method));
        let path_fits = self.path.as_deref().is_none_or(|wanted| match wanted.strip_suffix('*') {
            Some(start) => path.starts_with(start),
            None => path == wanted,
        });
        method_fits && path_fits
    }
}

/// The faults that are still to come.
#[derive(Debug, Default)]
pub(crate) struct Script {
    faults: Vec<ScriptedFault>,
}

impl Script {
    pub(crate) fn add(&mut self, fault: ScriptedFault) {
        self.faults.push(fault);
    }

    pub(crate) fn replace(&mut self, faults: Vec<ScriptedFault>) {
        self.faults = faults;
    }

    /// What is left of the script.
    pub(crate) fn left(&self) -> &[ScriptedFault] {
        &self.faults
    }

    /// What happens to this request. Each fault that fits and still skips counts it.
    pub(crate) fn strike(&mut self, method: &str, path: &str) -> Option<Trouble> {
        let mut struck = None;
        for fault in &mut self.faults {
            if !fault.fits(method, path) {
                continue;
            }
            if fault.skip > 0 {
                fault.skip -= 1;
            } else if fault.times > 0 && struck.is_none() {
                fault.times -= 1;
                struck = Some(fault.trouble.clone());
            }
        }
        self.faults.retain(|fault| fault.times > 0);
        struck
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_skips_then_strikes_then_is_gone() {
        let mut script = Script::default();
        script.add(ScriptedFault::once(Trouble::Hang).on("POST", "/resources/users").after(1).times(2));
        let struck: Vec<bool> = (0..4).map(|_| script.strike("POST", "/resources/users").is_some()).collect();
        assert_eq!(struck, [false, true, true, false]);
        assert!(script.left().is_empty());
    }

    #[test]
    fn a_star_fits_every_ending_and_other_methods_pass() {
        let mut script = Script::default();
        script.add(ScriptedFault::once(Trouble::DropBefore).on("PUT", "/resources/users/*"));
        assert_eq!(script.strike("PUT", "/resources/accounts/a"), None);
        assert_eq!(script.strike("GET", "/resources/users/a"), None);
        assert_eq!(script.strike("PUT", "/resources/users/a"), Some(Trouble::DropBefore));
    }
}
