//! A command on this machine, which gets the message as JSON on its standard input: `apprise`, a script, anything.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::message::Notification;

/// A command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// The program and its arguments; no shell reads them.
    pub run: Vec<String>,
    /// Where it runs: the project's folder.
    pub folder: std::path::PathBuf,
    /// How long the program may take.
    pub limit: Duration,
}

impl Command {
    /// What it reads.
    pub fn input(message: &Notification) -> String {
        let mut text = message.to_json();
        text.push('\n');
        text
    }

    /// What its environment has besides ours, for commands that take texts as arguments.
    pub fn environment(message: &Notification) -> BTreeMap<&'static str, String> {
        let level = message.level().map_or("recovered", coho_core::alert::Level::as_str);
        [("COHO_ALERT_TITLE", message.title()), ("COHO_ALERT_LEVEL", level.to_owned())].into()
    }
}
