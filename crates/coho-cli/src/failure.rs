//! The one printer of errors: what happened, why, and what helps.

use coho_core::code::{Code, Family};
use coho_engine::context::EngineError;

use crate::exit::Known;
use crate::print;

/// Prints an error with its causes and gives the exit code.
pub(crate) fn report(error: &anyhow::Error) -> u8 {
    let colours = print::colours_talk();
    let red = |text: &str| if colours { format!("\u{1b}[1;31m{text}\u{1b}[0m") } else { text.to_owned() };
    let mut text = format!("{}: {error}{}", red("error"), known(error));
    let mut last = error.to_string();
    for cause in error.chain().skip(1) {
        let cause = cause.to_string();
        // A transparent error says the same as what it holds, and so do some libraries' at each level.
        if !cause.ends_with(&last) {
            text.extend(["\n  because: ", &cause]);
            last = cause;
        }
    }
    if let Some(help) = help(error) {
        text.extend(["\n  help: ", &help]);
    }
    print::talk(&text);
    code(error)
}

/// The stable code, in brackets: what the reference of error codes is searched for.
fn known(error: &anyhow::Error) -> String {
    error.downcast_ref::<EngineError>().map_or_else(String::new, |error| format!(" [{}]", error.code()))
}

fn help(error: &anyhow::Error) -> Option<String> {
    let known = error.downcast_ref::<Known>().and_then(|known| known.help.clone());
    known.or_else(|| error.downcast_ref::<EngineError>().and_then(EngineError::help))
}

fn code(error: &anyhow::Error) -> u8 {
    if let Some(known) = error.downcast_ref::<Known>() {
        return known.code;
    }
    let Some(error) = error.downcast_ref::<EngineError>() else { return 1 };
    match error.code() {
        Code::LEASE_HELD => 7,
        Code::INTERRUPTED => 130,
        Code::UNKNOWN_NAME => 2,
        code => match code.entry().map(|entry| entry.family) {
            Some(Family::Halt) => 6,
            Some(Family::Project | Family::Mapping | Family::Row) => 3,
            Some(Family::Guard) => 4,
            Some(Family::Record | Family::Unclear) => 5,
            None => 1,
        },
    }
}
