//! Whether the quotes of a CSV record are closed. [`super::csv`] asks for the last record only.

use std::io::BufRead;

/// Where a reader of CSV stands in a record.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// A field begins.
    Start,
    /// In a field without quotes: a quote there is a letter.
    Plain,
    /// Between quotes.
    Quoted,
    /// Behind a quote that closes the field, unless another follows.
    Closing,
}

/// Whether text that begins with a record ends outside quotes.
pub(super) fn closed(text: impl BufRead, delimiter: u8) -> std::io::Result<bool> {
    let mut state = State::Start;
    for byte in text.bytes() {
        let byte = byte?;
        state = match state {
            State::Quoted if byte == b'"' => State::Closing,
            State::Quoted => State::Quoted,
            State::Start | State::Closing if byte == b'"' => State::Quoted,
            _ if byte == delimiter || matches!(byte, b'\n' | b'\r') => State::Start,
            State::Start | State::Plain | State::Closing => State::Plain,
        };
    }
    Ok(state != State::Quoted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_within_quotes_are_doubled() {
        let closed = |text: &str| closed(text.as_bytes(), b',').unwrap();
        assert!(closed("a,\"b\"\n") && closed("\"a\"\"b\"") && closed("5\" pipe,\"\"") && closed(""));
        assert!(!closed("a,\"b\n") && !closed("\"a\"\"") && !closed("\""));
    }
}
