//! The JSON of a script of faults.
//!
//! ```json
//! { "method": "POST", "path": "/resources/users", "skip": 3, "times": 2, "fault": { "status": 503, "body": "…" } }
//! ```
//!
//! `fault` is a word (`drop_before`, `drop_after_commit`, `hang`, `hang_after_commit`, `not_json`, `list_ends_early`,
//! `list_without_next`, `list_in_circle`), or an object with
//! `status` and, if wanted, `body` (text), `retry_after` (seconds), `after_commit` (true or false).

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::list::CutShort;
use super::{FaultAnswer, ScriptedFault, Trouble};

/// The JSON of one fault.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FaultForm {
    method: Option<String>,
    path: Option<String>,
    #[serde(default)]
    skip: u32,
    #[serde(default = "once")]
    times: u32,
    fault: Value,
}

const fn once() -> u32 {
    1
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AnswerForm {
    status: u16,
    body: Option<String>,
    retry_after: Option<u32>,
    #[serde(default)]
    after_commit: bool,
}

/// Why a fault does not read.
#[derive(Debug, thiserror::Error)]
pub enum FaultError {
    /// The word is none that is known.
    #[error(
        "unknown fault `{word}`; expected drop_before, drop_after_commit, hang, hang_after_commit, not_json, \
         list_ends_early, list_without_next or list_in_circle"
    )]
    Word {
        /// The word.
        word: String,
    },
    /// It is an object of another form.
    #[error("a fault is a word or an object with status, body, retry_after and after_commit")]
    Form(#[source] serde_json::Error),
    /// The status is none of HTTP's.
    #[error("a fault cannot answer with status {status}; allowed are 200 to 599")]
    Status {
        /// The status.
        status: u16,
    },
}

impl FaultForm {
    pub(crate) fn into_fault(self) -> Result<ScriptedFault, FaultError> {
        let trouble = trouble(self.fault)?;
        Ok(ScriptedFault {
            method: self.method,
            path: self.path,
            skip: self.skip,
            times: self.times,
            trouble,
        })
    }
}

impl From<&ScriptedFault> for FaultForm {
    fn from(fault: &ScriptedFault) -> Self {
        Self {
            method: fault.method.clone(),
            path: fault.path.clone(),
            skip: fault.skip,
            times: fault.times,
            fault: trouble_form(&fault.trouble),
        }
    }
}

fn trouble(form: Value) -> Result<Trouble, FaultError> {
    if let Value::String(word) = form {
        return match word.as_str() {
            "drop_before" => Ok(Trouble::DropBefore),
            "drop_after_commit" => Ok(Trouble::DropAfterCommit),
            "hang" => Ok(Trouble::Hang),
            "hang_after_commit" => Ok(Trouble::HangAfterCommit),
            "not_json" => Ok(Trouble::NotJson),
            "list_ends_early" => Ok(Trouble::CutList(CutShort::EndsEarly)),
            "list_without_next" => Ok(Trouble::CutList(CutShort::WithoutNext)),
            "list_in_circle" => Ok(Trouble::CutList(CutShort::InCircle)),
            _ => Err(FaultError::Word { word }),
        };
    }
    let form: AnswerForm = serde_json::from_value(form).map_err(FaultError::Form)?;
    if !(200..600).contains(&form.status) {
        return Err(FaultError::Status { status: form.status });
    }
    let answer = FaultAnswer { status: form.status, body: form.body, retry_after: form.retry_after };
    Ok(if form.after_commit { Trouble::AnswerAfterCommit(answer) } else { Trouble::Answer(answer) })
}

fn trouble_form(trouble: &Trouble) -> Value {
    match trouble {
        Trouble::Answer(answer) => answer_form(answer),
        Trouble::AnswerAfterCommit(answer) => {
            let mut form = answer_form(answer);
            form["after_commit"] = Value::Bool(true);
            form
        }
        Trouble::DropBefore => json!("drop_before"),
        Trouble::DropAfterCommit => json!("drop_after_commit"),
        Trouble::Hang => json!("hang"),
        Trouble::HangAfterCommit => json!("hang_after_commit"),
        Trouble::NotJson => json!("not_json"),
        Trouble::CutList(CutShort::EndsEarly) => json!("list_ends_early"),
        Trouble::CutList(CutShort::WithoutNext) => json!("list_without_next"),
        Trouble::CutList(CutShort::InCircle) => json!("list_in_circle"),
    }
}

fn answer_form(answer: &FaultAnswer) -> Value {
    json!({ "status": answer.status, "body": answer.body, "retry_after": answer.retry_after })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_trouble_reads_back_from_its_form() {
        let answer = FaultAnswer { status: 429, body: None, retry_after: Some(1) };
        for wanted in [
            Trouble::Answer(answer.clone()),
            Trouble::AnswerAfterCommit(answer),
            Trouble::DropBefore,
            Trouble::DropAfterCommit,
            Trouble::Hang,
            Trouble::HangAfterCommit,
            Trouble::NotJson,
            Trouble::CutList(CutShort::EndsEarly),
            Trouble::CutList(CutShort::WithoutNext),
            Trouble::CutList(CutShort::InCircle),
        ] {
            assert_eq!(trouble(trouble_form(&wanted)).unwrap(), wanted);
        }
    }

    #[test]
    fn an_unknown_word_is_answered_with_those_that_exist() {
        let error = trouble(json!("explode")).unwrap_err().to_string();
        assert!(error.starts_with("unknown fault `explode`"), "{error}");
    }
}
