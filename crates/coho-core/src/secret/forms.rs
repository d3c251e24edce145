//! The forms in which a secret turns up: as it is, and as headers, addresses, documents and pages encode it.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::Kind;

/// So much of a long form is looked for; what follows is compared, so that a form that was cut off is found too.
pub(super) const NEEDLE: usize = 12;

/// From this length on a secret is masked within words too.
const LONG: usize = 8;

/// The fewest characters of base64 that are told from other text.
const SHORTEST_RUN: usize = 5;

/// A form of a secret.
pub(super) struct Form {
    text: String,
    pub(super) reach: Reach,
}

/// How much of a text is masked where the form begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// As much as is the same.
    Anywhere,
    /// All of the form.
    Whole,
    /// The form, where it is a whole word.
    Word,
    /// The form without its first and last letter, `:` and `@`.
    Inside,
    /// The run of base64 around it.
    Run,
    /// The letters that follow.
    Token,
}

/// All forms of a secret. Of a word that is public too, only those which nobody writes by chance.
pub(super) fn of(secret: &str, kind: Kind) -> Vec<Form> {
    let as_text = |reach| texts(secret).into_iter().map(move |text| Form { text, reach });
    let in_base64 = || runs(secret).into_iter().map(|text| Form { text, reach: Reach::Run });
    match kind {
        Kind::Plain if secret.len() < LONG => in_base64().chain(as_text(Reach::Word)).collect(),
        Kind::Plain => in_base64().chain(as_text(Reach::Anywhere)).collect(),
        Kind::PublicWord => {
            in_base64().chain([Form { text: format!(":{secret}@"), reach: Reach::Inside }]).collect()
        }
        Kind::Whole => as_text(Reach::Whole).collect(),
    }
}

impl Form {
    pub(super) fn token(prefix: &str) -> Self {
        Self { text: prefix.to_owned(), reach: Reach::Token }
    }

    /// What is looked for.
    pub(super) fn needle(&self) -> &[u8] {
        let bytes = self.text.as_bytes();
        match self.reach {
            Reach::Anywhere => bytes.get(..NEEDLE).unwrap_or(bytes),
            Reach::Whole | Reach::Word | Reach::Inside | Reach::Run | Reach::Token => bytes,
        }
    }

    /// What is masked of a text in which the needle begins here.
    pub(super) fn extent(&self, text: &str, start: usize) -> Option<(usize, usize)> {
        let (before, behind) = (text.get(..start).unwrap_or_default(), text.get(start..).unwrap_or_default());
        let rest = behind.get(self.text.len()..).unwrap_or_default();
        match self.reach {
            Reach::Anywhere => {
                let same = boundary(behind, same_bytes(behind, &self.text));
                let rest = behind.get(same..).unwrap_or_default();
                // What begins as the secret and goes on otherwise is encoded in yet another way: all of it goes.
                let more = rest.len() - rest.trim_start_matches(is_encoded).len();
                Some((start, start + same + if same < self.text.len() { more } else { 0 }))
            }
            Reach::Whole => Some((start, start + self.text.len())),
            Reach::Word => {
                let is_word = |letter: Option<char>| letter.is_some_and(char::is_alphanumeric);
                let is_whole = !is_word(before.chars().next_back()) && !is_word(rest.chars().next());
                is_whole.then_some((start, start + self.text.len()))
            }
            Reach::Inside => Some((start + 1, start + self.text.len() - 1)),
            Reach::Run => {
                let run_before = before.len() - before.trim_end_matches(is_base64).len();
                let run_behind = rest.len() - rest.trim_start_matches(is_base64).len();
                Some((start - run_before, start + self.text.len() + run_behind))
            }
            Reach::Token => {
                let letters = rest.len() - rest.trim_start_matches(is_of_token).len();
                (letters > 0).then_some((start, start + self.text.len() + letters))
            }
        }
    }

    /// How many bytes at the end of a text are the form's beginning; `None` where fewer than `least`.
    pub(super) fn begun_at_end_of(&self, text: &str, least: usize) -> Option<usize> {
        let longest = self.text.len().min(NEEDLE).min(text.len());
        (least..longest)
            .rev()
            .find(|count| self.text.get(..*count).is_some_and(|begun| text.ends_with(begun)))
    }
}

fn same_bytes(left: &str, right: &str) -> usize {
    left.bytes().zip(right.bytes()).take_while(|(a, b)| a == b).count()
}

/// The next place at which a text may be cut.
fn boundary(text: &str, at: usize) -> usize {
    (at..text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len())
}

fn is_base64(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '+' | '/' | '-' | '_' | '=')
}

fn is_encoded(letter: char) -> bool {
    is_base64(letter) || matches!(letter, '%' | '\\' | '&' | ';' | '#' | '.' | '~')
}

fn is_of_token(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-')
}

/// The secret as it is, escaped, URL-encoded and in hexadecimal.
fn texts(secret: &str) -> BTreeSet<String> {
    let json = serde_json::Value::from(secret).to_string();
    let json = json.get(1..json.len() - 1).unwrap_or(secret).to_owned();
    let html = [("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("\"", "&quot;"), ("'", "&#39;")];
    let escaped = |text: &str, pairs: &[(&str, &str)]| {
        pairs.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
    };
    let unicode: Vec<(String, String)> =
        "<>&'+/=".chars().map(|c| (c.to_string(), format!("\\u{:04x}", u32::from(c)))).collect();
    let unicode: Vec<(&str, &str)> = unicode.iter().map(|(from, to)| (from.as_str(), to.as_str())).collect();
    let hex = secret.bytes().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap_or_default();
        hex
    });
    let url = url(secret, is_unreserved);
    let path = self::url(secret, |byte| is_unreserved(byte) || b"!$&'()*+,;=:@".contains(&byte));
    let component = self::url(secret, |byte| is_unreserved(byte) || b"!'()*".contains(&byte));
    let form = url.replace("%20", "+");
    let mut all = BTreeSet::from([
        secret.to_owned(),
        escaped(&json, &[("/", "\\/")]),
        escaped(&json, &unicode),
        escaped(secret, &html),
        hex.to_uppercase(),
        hex,
        json,
    ]);
    for encoded in [url, form, component, path] {
        all.extend([lower_hex(&encoded), encoded]);
    }
    all
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}

fn url(secret: &str, stays: impl Fn(u8) -> bool) -> String {
    secret.bytes().fold(String::new(), |mut url, byte| {
        if stays(byte) {
            url.push(char::from(byte));
        } else {
            write!(url, "%{byte:02X}").unwrap_or_default();
        }
        url
    })
}

fn lower_hex(url: &str) -> String {
    let mut parts = url.split('%');
    let mut lower = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (digits, rest) = part.split_at_checked(2).unwrap_or((part, ""));
        lower.extend(["%", &digits.to_ascii_lowercase(), rest]);
    }
    lower
}

/// What base64 makes of the secret wherever in a text it stands: without the characters that depend on what is around it.
fn runs(secret: &str) -> BTreeSet<String> {
    let mut runs = BTreeSet::new();
    for before in 0..3_usize {
        let bytes: Vec<u8> = std::iter::repeat_n(0, before).chain(secret.bytes()).collect();
        let encoded = base64(&bytes);
        let own = (before * 8).div_ceil(6)..(bytes.len() * 8 / 6);
        let run = encoded.get(own).unwrap_or_default();
        if run.len() < SHORTEST_RUN {
            continue;
        }
        let of_urls = run.replace('+', "-").replace('/', "_");
        let in_url = |upper: bool| {
            let (plus, slash) = if upper { ("%2B", "%2F") } else { ("%2b", "%2f") };
            run.replace('+', plus).replace('/', slash)
        };
        runs.extend([in_url(true), in_url(false), run.replace('/', "\\/"), of_urls, run.to_owned()]);
    }
    runs
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Base64 without padding.
fn base64(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let whole = chunk.iter().fold(0_u32, |whole, byte| whole << 8 | u32::from(*byte));
        let whole = whole << (8 * (3 - chunk.len()));
        for nth in 0..=chunk.len() {
            let six = whole >> (18 - 6 * nth) & 63;
            text.extend(ALPHABET.get(six as usize).map(|byte| char::from(*byte)));
        }
    }
    text
}

#[cfg(test)]
pub(super) mod tests {
    use super::base64;

    pub(in super::super) fn base64_of(text: &str) -> String {
        base64(text.as_bytes())
    }

    #[test]
    fn base64_is_what_headers_have() {
        assert_eq!(["f", "fo", "foo", "foob"].map(base64_of), ["Zg", "Zm8", "Zm9v", "Zm9vYg"]);
    }
}
