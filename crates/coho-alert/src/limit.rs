//! The limits of each channel, and how a text is cut to one. Channels refuse what is longer, or cut it where it hurts.

/// Example keys that a message names of one alert.
pub const EXAMPLES: usize = 3;

/// Alerts that a message tells in full; of the others it says how many there are.
pub const SHOWN: usize = 10;

/// Slack: blocks of a message (<https://docs.slack.dev/reference/block-kit/blocks>, read 2026-11-27).
pub const SLACK_BLOCKS: usize = 50;
/// Slack: characters of a header.
pub const SLACK_HEADER: usize = 150;
/// Slack: characters of a section's text.
pub const SLACK_SECTION: usize = 3_000;
/// Slack: characters of a button's text.
pub const SLACK_BUTTON: usize = 75;
/// Slack: characters of a button's address.
pub const SLACK_URL: usize = 3_000;
/// Slack: characters of all blocks. It stands in no document; somewhat more gives `msg_blocks_too_long`.
pub const SLACK_TOTAL: usize = 12_000;

/// PagerDuty: characters of a summary (<https://developer.pagerduty.com/docs/send-alert-event>, read 2026-11-27).
pub const PAGERDUTY_SUMMARY: usize = 1_024;
/// PagerDuty: characters of a deduplication key.
pub const PAGERDUTY_DEDUP: usize = 255;
/// PagerDuty: bytes of an event.
pub const PAGERDUTY_EVENT: usize = 512 * 1_024;

/// SMS: characters of GSM-7, of which extended ones count twice: two segments. Twilio takes 1,600.
pub const SMS_TEXT: usize = 300;

/// Teams: bytes of a message (<https://learn.microsoft.com/en-us/microsoftteams/limits-specifications-teams>, read 2026-11-27).
pub const TEAMS_MESSAGE: usize = 28 * 1_024;

/// E-mail: characters of a subject, so that programs show all of it.
pub const MAIL_SUBJECT: usize = 150;
/// E-mail: bytes of a line, its end not counted (RFC 5322, 2.1.1).
pub const MAIL_LINE: usize = 998;

/// Pings: bytes of a body; Healthchecks keeps 10 KB.
pub const PING_BODY: usize = 10_000;

/// The text with at most so many UTF-16 units, of which every character is one or two: whatever a service counts, it fits.
pub fn cut(text: &str, most: usize) -> String {
    if text.encode_utf16().count() <= most {
        return text.to_owned();
    }
    let mut cut = String::new();
    let mut left = most.saturating_sub(1);
    for letter in text.chars() {
        match left.checked_sub(letter.len_utf16()) {
            Some(rest) => left = rest,
            None => break,
        }
        cut.push(letter);
    }
    if most > 0 {
        cut.push('…');
    }
    cut
}

/// The text with at most so many bytes.
pub(crate) fn cut_bytes(text: &str, most: usize) -> &str {
    let end = (0..=most.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
    text.get(..end.unwrap_or_default()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_between_characters() {
        assert_eq!(cut("abc", 3), "abc");
        assert_eq!(cut("abcd", 3), "ab…");
        assert_eq!(cut("a😀b", 3), "a…");
        assert_eq!(cut("abc", 0), "");
        assert_eq!(cut_bytes("aé", 2), "a");
    }
}
