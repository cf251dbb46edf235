//! One line of JSON, read strictly and by hand, so that every fault has its byte.
//!
//! RFC 8259 without its latitude: a key stands once, a surrogate has its partner, a number is one a double holds, nothing
//! is deeper than `MAXIMUM_DEPTH`.

use crate::lines::unescape;
use crate::number::{self, MAXIMUM_INTEGER};
use crate::plain::plain_length;
use serde_json::{Map, Number, Value};
use std::borrow::Cow;
use std::collections::HashSet;

/// How deep a value may be nested; common readers go as deep.
pub(crate) const MAXIMUM_DEPTH: usize = 127;

/// What is wrong with a line, and at which of its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The byte, counted from the start of the line.
    pub at: usize,
    /// What is wrong with it.
    pub reason: String,
}

pub(crate) type Scanned<T> = Result<T, Fault>;

/// Walks over one line.
pub(crate) struct Scanner<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    /// Whether this is a line as it was stored, or a value about to be.
    is_line: bool,
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self {
            text,
            at: 0,
            depth: 0,
            is_line: true,
        }
    }

    /// For a value that will stand inside the object of a line.
    pub(crate) fn nested(text: &'a str) -> Self {
        Self {
            depth: 1,
            is_line: false,
            ..Self::new(text)
        }
    }

    pub(crate) fn at(&self) -> usize {
        self.at
    }

    pub(crate) fn fault<T>(&self, reason: impl Into<String>) -> Scanned<T> {
        Err(Fault {
            at: self.at,
            reason: reason.into(),
        })
    }

    fn rest(&self) -> &'a [u8] {
        &self.text.as_bytes()[self.at..]
    }

    /// The next byte that is not white space.
    pub(crate) fn peek(&mut self) -> Option<u8> {
        self.at += self
            .rest()
            .iter()
            .take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'))
            .count();
        self.rest().first().copied()
    }

    pub(crate) fn unexpected<T>(&mut self, wanted: &str) -> Scanned<T> {
        self.peek();
        let found = self.text[self.at..].chars().next();
        let found = found.map_or("the end of the line".to_owned(), |found| {
            format!("`{}`", found.escape_debug())
        });
        self.fault(format!("expected {wanted}, found {found}"))
    }

    fn take(&mut self, wanted: u8) -> bool {
        let is_there = self.peek() == Some(wanted);
        self.at += usize::from(is_there);
        is_there
    }

    /// Nothing but white space follows.
    pub(crate) fn end(&mut self) -> Scanned<()> {
        if self.peek().is_some() {
            self.unexpected("the end of the line")
        } else {
            Ok(())
        }
    }

    /// An object; `member` is called behind the colon of each key, with the byte its key begins at.
    pub(crate) fn object(
        &mut self,
        mut member: impl FnMut(&mut Self, String, usize) -> Scanned<()>,
    ) -> Scanned<()> {
        let mut keys = HashSet::new();
        self.members(|scanner, key, at| {
            if !keys.insert(key.to_string()) {
                return twice(&key, at);
            }
            member(scanner, key.into_owned(), at)
        })
    }

    /// As [`Scanner::object`], but a key may stand twice, and nothing is allocated.
    pub(crate) fn members(
        &mut self,
        mut member: impl FnMut(&mut Self, Cow<'a, str>, usize) -> Scanned<()>,
    ) -> Scanned<()> {
        if !self.take(b'{') {
            return self.unexpected("an object");
        }
        self.items(b'}', |scanner| {
            if scanner.peek() != Some(b'"') {
                return scanner.unexpected("a key");
            }
            let at = scanner.at;
            let key = scanner.borrowed_string()?;
            if !scanner.take(b':') {
                return scanner.unexpected("`:`");
            }
            member(scanner, key, at)
        })
    }

    /// Items between commas, up to `close`; the opening byte is behind us.
    fn items(&mut self, close: u8, mut item: impl FnMut(&mut Self) -> Scanned<()>) -> Scanned<()> {
        if self.depth == MAXIMUM_DEPTH {
            self.at -= 1;
            return self.fault(format!("nested deeper than {MAXIMUM_DEPTH} levels"));
        }
        self.depth += 1;
        if !self.take(close) {
            loop {
                item(self)?;
                if self.take(close) {
                    break;
                }
                if !self.take(b',') {
                    return self.unexpected(&format!("`,` or `{}`", char::from(close)));
                }
            }
        }
        self.depth -= 1;
        Ok(())
    }

    /// A string, unescaped.
    pub(crate) fn string(&mut self) -> Scanned<String> {
        self.borrowed_string().map(Cow::into_owned)
    }

    /// A string, unescaped, and copied only if it has an escape.
    pub(crate) fn borrowed_string(&mut self) -> Scanned<Cow<'a, str>> {
        let text = self.text;
        if self.peek() == Some(b'"') {
            let start = self.at + 1;
            let end = start + plain_length(&text.as_bytes()[start..]);
            if text.as_bytes().get(end) == Some(&b'"') {
                self.at = end + 1;
                return Ok(Cow::Borrowed(&text[start..end]));
            }
        }
        let mut string = String::new();
        self.string_into(&mut string)?;
        Ok(Cow::Owned(string))
    }

    /// Appends a string, unescaped, to `out`.
    pub(crate) fn string_into(&mut self, out: &mut String) -> Scanned<()> {
        if !self.take(b'"') {
            return self.unexpected("a string");
        }
        let known = out.len();
        // SAFETY: of a text whole characters are appended, those between signs of ASCII and those that escapes stand for.
        #[expect(
            unsafe_code,
            reason = "to look at all of it once more would take half as long again"
        )]
        let length = unescape(self.rest(), unsafe { out.as_mut_vec() });
        match length {
            Some(length) if self.rest().get(length) == Some(&b'"') => {
                self.at += length + 1;
                Ok(())
            }
            _ => {
                out.truncate(known);
                self.faulty_string()
            }
        }
    }

    /// Goes to where a string is wrong.
    fn faulty_string(&mut self) -> Scanned<()> {
        loop {
            self.at += plain_length(self.rest());
            match self.rest().first() {
                Some(b'\\') => self.escape()?,
                Some(control) => return self.fault(format!("control character {control:#04x} in a string")),
                None => return self.fault("a string without its closing quote"),
            }
        }
    }

    /// Passes over any value: that it is one matters, what it is does not.
    pub(crate) fn skip(&mut self) -> Scanned<()> {
        match self.peek() {
            Some(b'"') => self.borrowed_string().map(drop),
            Some(b'{') => self.members(|scanner, _, _| scanner.skip()),
            Some(b'[') => {
                self.at += 1;
                self.items(b']', Self::skip)
            }
            Some(b'-' | b'0'..=b'9') => {
                let length = number::length(self.rest());
                if length == 0 {
                    return self.unexpected("a number");
                }
                self.at += length;
                Ok(())
            }
            _ => self.word().map(drop),
        }
    }

    fn escape(&mut self) -> Scanned<()> {
        match self.rest().get(1) {
            Some(b'u') => self.unicode_escape(),
            Some(b'n' | b't' | b'r' | b'b' | b'f' | b'"' | b'\\' | b'/') => {
                self.at += 2;
                Ok(())
            }
            _ => self.fault("an escape JSON does not have"),
        }
    }

    fn unicode_escape(&mut self) -> Scanned<()> {
        let Some(first) = hexadecimal(self.rest()) else {
            return self.fault("`\\u` without four hex digits");
        };
        let pair = match (first, hexadecimal(&self.rest()[6..])) {
            (0xd800..0xdc00, Some(second @ 0xdc00..0xe000)) => {
                0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00)
            }
            _ => first,
        };
        let Some(character) = char::from_u32(pair) else {
            return self.fault(format!("lone surrogate `\\u{first:04x}`"));
        };
        self.at += 6 * character.len_utf16();
        Ok(())
    }

    /// An integer from 0 to 2^53 - 1.
    pub(crate) fn unsigned(&mut self) -> Scanned<u64> {
        self.peek();
        let start = self.at;
        match self.number()?.as_u64() {
            Some(number) if number <= MAXIMUM_INTEGER => Ok(number),
            _ => {
                self.at = start;
                self.fault("expected an integer from 0 to 2^53 - 1")
            }
        }
    }

    /// An array; `item` is called in front of each of its values.
    pub(crate) fn array(&mut self, item: impl FnMut(&mut Self) -> Scanned<()>) -> Scanned<()> {
        if !self.take(b'[') {
            return self.unexpected("an array");
        }
        self.items(b']', item)
    }

    /// Passes over `word` if it comes next.
    pub(crate) fn take_word(&mut self, word: &str) -> bool {
        self.peek();
        let is_there = self.rest().starts_with(word.as_bytes());
        self.at += if is_there { word.len() } else { 0 };
        is_there
    }

    /// A number as it is written, passed over.
    pub(crate) fn literal(&mut self) -> Scanned<&'a str> {
        self.peek();
        let length = number::length(self.rest());
        if length == 0 {
            return self.unexpected("a number");
        }
        let start = self.at;
        self.at += length;
        Ok(&self.text[start..self.at])
    }

    fn number(&mut self) -> Scanned<Number> {
        let length = number::length(self.rest());
        let literal = &self.text[self.at..self.at + length];
        if literal.is_empty() {
            return self.unexpected("a number");
        }
        match number::value(literal, self.is_line) {
            Ok(number) => {
                self.at += length;
                Ok(number)
            }
            Err(reason) => self.fault(reason),
        }
    }

    /// Any value.
    pub(crate) fn value(&mut self) -> Scanned<Value> {
        match self.peek() {
            Some(b'"') => self.string().map(Value::String),
            Some(b'{') => {
                let mut map = Map::new();
                self.object(|scanner, key, _| {
                    map.insert(key, scanner.value()?);
                    Ok(())
                })?;
                Ok(Value::Object(map))
            }
            Some(b'[') => {
                self.at += 1;
                let mut array = Vec::new();
                self.items(b']', |scanner| {
                    array.push(scanner.value()?);
                    Ok(())
                })?;
                Ok(Value::Array(array))
            }
            Some(b'-' | b'0'..=b'9') => self.number().map(Value::Number),
            _ => self.word(),
        }
    }

    fn word(&mut self) -> Scanned<Value> {
        for (word, value) in [
            ("null", Value::Null),
            ("true", Value::Bool(true)),
            ("false", Value::Bool(false)),
        ] {
            if self.rest().starts_with(word.as_bytes()) {
                self.at += word.len();
                return Ok(value);
            }
        }
        self.unexpected("a value")
    }
}

pub(crate) fn twice<T>(key: &str, at: usize) -> Scanned<T> {
    let reason = format!("the key `{}` stands twice", key.escape_debug());
    Err(Fault { at, reason })
}

/// The four digits of `\uXXXX`.
pub(crate) fn hexadecimal(escape: &[u8]) -> Option<u32> {
    let digits = escape.strip_prefix(b"\\u")?.get(..4)?;
    digits.iter().try_fold(0, |value, digit| {
        Some(value * 16 + char::from(*digit).to_digit(16)?)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mutate::Mutations;

    fn scan(text: &str) -> Scanned<Value> {
        let mut scanner = Scanner::new(text);
        let value = scanner.value()?;
        scanner.end()?;
        Ok(value)
    }

    #[test]
    fn what_serde_json_reads_is_read_the_same() {
        let deep = "[".repeat(127) + &"]".repeat(127);
        for text in [
            "null",
            " [true , false,{ }, [ ] ,\t-1\r\n]",
            r#"{"a": {"b": "\u20ac \uD83D\ude00 \b\f\n\r\t\/\\\"", "": "é漢😀"}}"#,
            "[0, -1, 9007199254740991, 0.1, 1e-7, 1E+2, -0.0, 5e-324, 1.7976931348623157e308, 2e-400]",
            "\"\u{7f}\u{80}\u{2028}\"",
            &deep,
        ] {
            assert_eq!(
                scan(text).expect(text),
                serde_json::from_str::<Value>(text).expect(text),
                "{text}"
            );
        }
    }

    #[test]
    fn every_fault_has_its_byte_and_its_reason() {
        let deep = "[".repeat(128);
        for (text, at, reason) in [
            ("", 0, "expected a value, found the end of the line"),
            ("nul", 0, "expected a value, found `n`"),
            ("NaN", 0, "expected a value, found `N`"),
            ("[1, Infinity]", 4, "expected a value, found `I`"),
            ("-Infinity", 0, "expected a number, found `-`"),
            ("01", 1, "expected the end of the line, found `1`"),
            ("1.", 1, "expected the end of the line, found `.`"),
            ("+1", 0, "expected a value, found `+`"),
            ("1e400", 0, "the number 1e400 is out of range"),
            (
                "9007199254740993",
                0,
                "the integer 9007199254740993 is beyond 2^53 - 1",
            ),
            ("{} {}", 3, "expected the end of the line, found `{`"),
            ("[1 2]", 3, "expected `,` or `]`, found `2`"),
            ("[1,]", 3, "expected a value, found `]`"),
            ("{\"a\":1,}", 7, "expected a key, found `}`"),
            ("{a:1}", 1, "expected a key, found `a`"),
            ("{\"a\" 1}", 5, "expected `:`, found `1`"),
            ("{\"a\":1, \"a\":2}", 8, "the key `a` stands twice"),
            ("[{\"\\u0061\":1,\"a\":2}]", 13, "the key `a` stands twice"),
            ("\"abc", 4, "a string without its closing quote"),
            ("\"a\nb\"", 2, "control character 0x0a in a string"),
            ("\"\\x41\"", 1, "an escape JSON does not have"),
            ("\"\\", 1, "an escape JSON does not have"),
            ("\"\\u12\"", 1, "`\\u` without four hex digits"),
            ("\"\\u+123\"", 1, "`\\u` without four hex digits"),
            ("\"a\\ud800\"", 2, "lone surrogate `\\ud800`"),
            ("\"\\ud800\\ud800\"", 1, "lone surrogate `\\ud800`"),
            ("\"\\udc00\\ud800\"", 1, "lone surrogate `\\udc00`"),
            ("\u{feff}1", 0, "expected a value, found `\\u{feff}`"),
            ("'a'", 0, "expected a value, found `\\'`"),
            ("[1] // no", 4, "expected the end of the line, found `/`"),
            (&deep, 127, "nested deeper than 127 levels"),
        ] {
            assert_eq!(
                scan(text),
                Err(Fault {
                    at,
                    reason: reason.to_owned()
                }),
                "{text}"
            );
        }
    }

    #[test]
    fn a_mutated_line_is_read_as_serde_json_reads_it_or_refused() {
        let line = br#"{"id":"e3b0","text":"a\n\u00e9\ud83d\ude00\"","n":[-1.5e3,0,true,null],"m":{"k":{}}}"#;
        let mut mutations = Mutations(20_261_121);
        let mut accepted = 0;
        for _ in 0..40_000 {
            let Some(text) = mutations.next(line, 1) else {
                continue;
            };
            let text = text.as_str();
            match (scan(text), serde_json::from_str::<Value>(text)) {
                (Ok(ours), Ok(theirs)) => {
                    accepted += 1;
                    assert_eq!(ours, theirs, "{text}");
                }
                (Ok(_), Err(error)) => panic!("{text}: {error}"),
                // They keep the last of two keys, and round large integers.
                (Err(fault), Ok(_)) => assert!(
                    fault.reason.contains("stands twice") || fault.reason.contains("beyond"),
                    "{text}"
                ),
                (Err(fault), Err(_)) => assert!(fault.at <= text.len()),
            }
        }
        assert!(accepted > 1000, "{accepted}");
    }
}
