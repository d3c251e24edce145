//! Where the tools speak: results to stdout, talk to stderr. Nothing else in this crate prints.

/// Prints one line of a result.
#[expect(clippy::print_stdout, reason = "the one place of this program that prints results")]
pub(crate) fn line(text: &str) {
    println!("{text}");
}

/// Prints one line about what is going on.
#[expect(clippy::print_stderr, reason = "the one place of this program that talks")]
pub(crate) fn talk(text: &str) {
    eprintln!("{text}");
}
