//! One run of a command: the message on its standard input, a time limit, and its exit code.

use std::process::{Output, Stdio};

use tokio::io::AsyncWriteExt as _;
use tokio::process;

use crate::channel::command::Command;
use crate::limit::cut;
use crate::message::Notification;
use crate::request::Posting;

pub(super) async fn run(command: &Command, message: &Notification) -> Posting {
    let Some((program, arguments)) = command.run.split_first() else {
        return Posting::Never { why: "the command is empty".to_owned() };
    };
    let child = process::Command::new(program)
        .args(arguments)
        .current_dir(&command.folder)
        .envs(Command::environment(message))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn();
    let child = match child {
        Ok(child) => child,
        Err(error) => return Posting::Never { why: format!("cannot start `{program}`: {error}") },
    };
    match tokio::time::timeout(command.limit, feed(child, Command::input(message))).await {
        Ok(Ok(output)) => interpret(program, &output),
        Ok(Err(error)) => Posting::Later { after: None, why: format!("cannot run `{program}`: {error}") },
        Err(_) => Posting::Later {
            after: None,
            why: format!("`{program}` took longer than {} s", command.limit.as_secs()),
        },
    }
}

/// A command need not read what it is given.
async fn feed(mut child: process::Child, input: String) -> std::io::Result<Output> {
    let stdin = child.stdin.take();
    let write = async {
        if let Some(mut stdin) = stdin {
            drop(stdin.write_all(input.as_bytes()).await);
        }
    };
    let ((), output) = tokio::join!(write, child.wait_with_output());
    output
}

fn interpret(program: &str, output: &Output) -> Posting {
    if output.status.success() {
        return Posting::Done { receipt: None };
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let last = said.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or_default();
    let last = cut(&coho_core::terminal::escape(last), 200);
    let ended = match output.status.code() {
        Some(code) => format!("`{program}` exited with {code}"),
        None => format!("`{program}` was killed"),
    };
    let why = if last.is_empty() { ended } else { format!("{ended}: {last}") };
    Posting::Later { after: None, why }
}
