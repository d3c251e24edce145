//! The tour as text: which commands a README shows, and what it says that they print.

/// The line before a block that is a part of the tour.
pub(crate) const MARK: &str = "<!-- tour -->";

/// One command of the tour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Command {
    /// Its line in the file, from 0.
    pub(crate) line: usize,
    /// What is typed, without a final `&`.
    pub(crate) text: String,
    /// Whether it goes on while the next ones run; its output is not compared.
    pub(crate) background: bool,
    /// What the file says that it prints.
    pub(crate) output: Vec<String>,
    /// The line where that output begins, from 0.
    output_line: usize,
}

/// The commands of all marked blocks, in order.
pub(crate) fn parse(text: &str) -> Vec<Command> {
    let mut commands: Vec<Command> = Vec::new();
    let mut lines = text.lines().enumerate().peekable();
    let mut marked = false;
    let mut inside = false;
    while let Some((number, line)) = lines.next() {
        if line.starts_with("```") {
            inside = !inside && marked && line == "```console";
            marked = false;
        } else if !inside {
            marked = line.trim() == MARK || (marked && line.trim().is_empty());
        } else if let Some(typed) = line.strip_prefix("$ ") {
            let mut typed = typed.to_owned();
            let mut last = number;
            while typed.ends_with('\\') {
                let Some((next, more)) = lines.next_if(|(_, line)| !line.starts_with("```")) else { break };
                typed = format!("{typed}\n{more}");
                last = next;
            }
            commands.push(command(number, last + 1, &typed));
        } else if let Some(command) = commands.last_mut() {
            command.output.push(line.to_owned());
        }
    }
    commands
}

fn command(line: usize, output_line: usize, typed: &str) -> Command {
    let foreground = typed.trim_end().strip_suffix('&').filter(|rest| !rest.ends_with('&'));
    Command {
        line,
        text: foreground.unwrap_or(typed).trim_end().to_owned(),
        background: foreground.is_some(),
        output: Vec::new(),
        output_line,
    }
}

/// The file with new output under these commands.
pub(crate) fn rewritten(text: &str, stale: &[(Command, Vec<String>)]) -> String {
    let mut lines: Vec<&str> = text.lines().collect();
    for (command, printed) in stale.iter().rev() {
        let end = command.output_line + command.output.len();
        lines.splice(command.output_line..end, printed.iter().map(String::as_str));
    }
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    const README: &str = "\
# Title

```console
$ not part of it
```

<!-- tour -->
```console
$ coho simulator &
listening
$ coho init acme && \\
  cd acme
wrote a
wrote b
$ coho check
```

The end.
";

    #[test]
    fn only_marked_blocks_are_the_tour() {
        let typed: Vec<_> =
            parse(README).into_iter().map(|command| (command.text, command.background)).collect();
        let expected =
            [("coho simulator", true), ("coho init acme && \\\n  cd acme", false), ("coho check", false)];
        assert_eq!(typed, expected.map(|(text, background)| (text.to_owned(), background)));
    }

    #[test]
    fn new_output_replaces_the_old_and_nothing_else() {
        let commands = parse(README);
        let stale = [
            (commands[1].clone(), vec!["wrote c".to_owned()]),
            (commands[2].clone(), vec!["fine".to_owned()]),
        ];
        let expected =
            README.replace("wrote a\nwrote b\n", "wrote c\n").replace("coho check\n", "coho check\nfine\n");
        assert_eq!(rewritten(README, &stale), expected);
    }

    #[test]
    fn an_unchanged_tour_is_rewritten_to_itself() {
        assert_eq!(rewritten(README, &[]), README);
    }
}
