//! The bytes of the plan's file: numbers, texts and values one after the other. Nothing but this process ever reads them.

use coho_core::decimal::Decimal;
use coho_core::json;
use coho_core::path::FieldPath;
use coho_core::value::Value;

/// Writes them.
#[derive(Default)]
pub(super) struct Bytes(Vec<u8>);

impl Bytes {
    pub(super) fn finish(self) -> Vec<u8> {
        self.0
    }

    pub(super) fn byte(&mut self, byte: u8) {
        self.0.push(byte);
    }

    pub(super) fn flag(&mut self, flag: bool) {
        self.byte(u8::from(flag));
    }

    /// Small numbers are short: seven bits a byte, the low ones first, with a mark where more follow.
    pub(super) fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            let [low, ..] = number.to_le_bytes();
            self.byte(low | 0x80);
            number >>= 7;
        }
        let [last, ..] = number.to_le_bytes();
        self.byte(last);
    }

    pub(super) fn int(&mut self, number: i64) {
        self.0.extend(number.to_le_bytes());
    }

    pub(super) fn raw(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    pub(super) fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.raw(text.as_bytes());
    }

    pub(super) fn path(&mut self, path: &FieldPath) {
        let (kind, name) = path.parts();
        self.number((kind.len() + name.len()) as u64);
        self.raw(kind.as_bytes());
        self.raw(name.as_bytes());
    }

    /// Whether there is one, and then the thing itself.
    pub(super) fn option<T>(&mut self, thing: Option<T>, write: impl FnOnce(&mut Self, T)) {
        self.flag(thing.is_some());
        if let Some(thing) = thing {
            write(self, thing);
        }
    }

    /// A value as JSON would have it: times are texts, and numbers have no kinds.
    pub(super) fn value(&mut self, value: &Value) {
        match value {
            Value::Null => self.byte(0),
            Value::Bool(flag) => self.byte(1 + u8::from(*flag)),
            Value::Int(number) => {
                self.byte(3);
                self.int(*number);
            }
            Value::Decimal(number) => {
                self.byte(4);
                self.text(number.as_str());
            }
            Value::Float(_) => {
                self.byte(4);
                self.text(&json::write(value));
            }
            Value::Text(text) => {
                self.byte(5);
                self.text(text);
            }
            Value::Timestamp(_) | Value::LocalTimestamp(_) | Value::Date(_) => {
                self.byte(5);
                self.text(&value.scalar_text().unwrap_or_default());
            }
            Value::Array(items) => {
                self.byte(6);
                self.number(items.len() as u64);
                for item in items {
                    self.value(item);
                }
            }
            Value::Object(members) => {
                self.byte(7);
                self.number(members.len() as u64);
                for (name, value) in members {
                    self.text(name);
                    self.value(value);
                }
            }
        }
    }
}

/// Reads them; `None` is what was never written.
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn raw(&mut self, length: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }

    pub(super) fn byte(&mut self) -> Option<u8> {
        self.raw(1)?.first().copied()
    }

    pub(super) fn flag(&mut self) -> Option<bool> {
        Some(self.byte()? == 1)
    }

    pub(super) fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    pub(super) fn length(&mut self) -> Option<usize> {
        usize::try_from(self.number()?).ok()
    }

    pub(super) fn int(&mut self) -> Option<i64> {
        Some(i64::from_le_bytes(self.raw(8)?.try_into().ok()?))
    }

    pub(super) fn text(&mut self) -> Option<&'a str> {
        let length = self.length()?;
        std::str::from_utf8(self.raw(length)?).ok()
    }

    /// What [`Bytes::option`] wrote.
    #[expect(
        clippy::option_option,
        reason = "the outer one says whether the bytes can be read, the inner one is what they say"
    )]
    pub(super) fn option<T>(&mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<Option<T>> {
        if self.flag()? { read(self).map(Some) } else { Some(None) }
    }

    pub(super) fn value(&mut self) -> Option<Value> {
        Some(match self.byte()? {
            0 => Value::Null,
            1 => Value::Bool(false),
            2 => Value::Bool(true),
            3 => Value::Int(self.int()?),
            4 => number(self.text()?)?,
            5 => Value::Text(self.text()?.to_owned()),
            6 => {
                let length = self.length()?;
                Value::Array((0..length).map(|_| self.value()).collect::<Option<_>>()?)
            }
            7 => {
                let length = self.length()?;
                let mut member = || Some((self.text()?.to_owned(), self.value()?));
                Value::Object((0..length).map(|_| member()).collect::<Option<_>>()?)
            }
            _ => return None,
        })
    }
}

/// A number as JSON reads it.
fn number(digits: &str) -> Option<Value> {
    digits.parse().map(Value::Int).ok().or_else(|| Decimal::parse(digits).map(Value::Decimal))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_read_back_as_json_would_give_them() {
        let texts = [
            "null",
            "true",
            "-7",
            "1.50",
            "1e300",
            "\"a\"",
            r#"[1,{"b":[],"c":"d"}]"#,
            "12345678901234567890",
        ];
        for text in texts {
            let value = json::parse(text).unwrap();
            let mut bytes = Bytes::default();
            bytes.value(&value);
            assert_eq!(Reader(&bytes.finish()).value(), Some(value), "{text}");
        }
    }

    #[test]
    fn numbers_of_any_length_read_back_and_half_of_one_does_not() {
        for number in [0, 1, 127, 128, 300, u64::from(u32::MAX), u64::MAX] {
            let mut bytes = Bytes::default();
            bytes.number(number);
            let bytes = bytes.finish();
            assert_eq!(Reader(&bytes).number(), Some(number));
            assert_eq!(Reader(&bytes[..bytes.len() - 1]).number(), None);
        }
    }
}
