//! JSON from front to back, without a tree: what is large is looked at in the file itself.

use crate::error::{Error, Result};
use serde_json::{Map, Number, Value};
use std::borrow::Cow;

/// Arrays and objects may lie so deep in one another.
const DEEPEST: usize = 128;

/// A place in a JSON text.
#[derive(Clone, Debug)]
pub(super) struct Scanner<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self {
            text,
            at: 0,
            depth: 0,
        }
    }

    /// The same text from a place that [`Scanner::skip`] gave.
    pub(super) fn moved_to(&self, at: usize) -> Self {
        Self { at, ..self.clone() }
    }

    /// The first byte of the next value or mark; 0 at the end.
    #[inline]
    pub(super) fn peek(&mut self) -> u8 {
        loop {
            match self.byte() {
                b' ' | b'\n' | b'\r' | b'\t' => self.at += 1,
                other => return other,
            }
        }
    }

    #[inline]
    fn byte(&self) -> u8 {
        self.text.as_bytes().get(self.at).copied().unwrap_or(0)
    }

    /// Whether `mark` comes next; then it is passed over.
    #[inline]
    fn takes(&mut self, mark: u8) -> bool {
        let found = self.peek() == mark;
        self.at += usize::from(found);
        found
    }

    fn needs(&mut self, mark: u8) -> Result<()> {
        if self.takes(mark) {
            return Ok(());
        }
        Err(self.fails(&format!("expected `{}`", char::from(mark))))
    }

    fn enter(&mut self) -> Result<()> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.fails(&format!("nested deeper than {DEEPEST}")));
        }
        Ok(())
    }

    /// Hands every entry of the object that comes next to `each`, which must take its value.
    pub(super) fn entries(
        &mut self,
        mut each: impl FnMut(&mut Self, Cow<'a, str>) -> Result<()>,
    ) -> Result<()> {
        self.needs(b'{')?;
        self.enter()?;
        if !self.takes(b'}') {
            loop {
                let key = self.string()?;
                self.needs(b':')?;
                each(self, key)?;
                if !self.takes(b',') {
                    break;
                }
            }
            self.needs(b'}')?;
        }
        self.depth -= 1;
        Ok(())
    }

    /// Hands the place of every item of the array that comes next to `each`, which must take it.
    pub(super) fn items(&mut self, mut each: impl FnMut(&mut Self, usize) -> Result<()>) -> Result<()> {
        self.needs(b'[')?;
        self.enter()?;
        if !self.takes(b']') {
            for place in 0.. {
                each(self, place)?;
                if !self.takes(b',') {
                    break;
                }
            }
            self.needs(b']')?;
        }
        self.depth -= 1;
        Ok(())
    }

    pub(super) fn string(&mut self) -> Result<Cow<'a, str>> {
        self.needs(b'"')?;
        let start = self.at;
        let bytes = self.text.as_bytes();
        while let Some(&byte) = bytes.get(self.at) {
            match byte {
                b'"' => {
                    self.at += 1;
                    return Ok(Cow::Borrowed(&self.text[start..self.at - 1]));
                }
                b'\\' => return self.escaped(start).map(Cow::Owned),
                0..0x20 => break,
                _ => self.at += 1,
            }
        }
        Err(self.fails("a string does not end"))
    }

    /// The string from `start` on, whose first escape is here.
    fn escaped(&mut self, start: usize) -> Result<String> {
        let mut string = self.text[start..self.at].to_owned();
        loop {
            let rest = &self.text[self.at..];
            let plain = rest.find(|character: char| matches!(character, '"' | '\\' | '\0'..' '));
            let plain = plain.unwrap_or(rest.len());
            string.push_str(&rest[..plain]);
            self.at += plain;
            match self.byte() {
                b'"' => {
                    self.at += 1;
                    return Ok(string);
                }
                b'\\' => {
                    self.at += 1;
                    string.push(self.escape()?);
                }
                _ => return Err(self.fails("a string does not end")),
            }
        }
    }

    /// The character of the escape whose backslash has been passed.
    fn escape(&mut self) -> Result<char> {
        let letter = self.byte();
        self.at += usize::from(letter != 0);
        Ok(match letter {
            b'"' | b'\\' | b'/' => char::from(letter),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let mut code = self.four_digits()?;
                if (0xd800..0xdc00).contains(&code) && self.text[self.at..].starts_with("\\u") {
                    self.at += 2;
                    let low = self.four_digits()?;
                    if (0xdc00..0xe000).contains(&low) {
                        code = 0x1_0000 + ((code - 0xd800) << 10) + (low - 0xdc00);
                    }
                }
                return char::from_u32(code).ok_or_else(|| self.fails("half a surrogate pair"));
            }
            _ => return Err(self.fails("no such escape")),
        })
    }

    fn four_digits(&mut self) -> Result<u32> {
        let digits = self.text.get(self.at..self.at + 4);
        let digits = digits.filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let code = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        let code = code.ok_or_else(|| self.fails("expected four hexadecimal digits"))?;
        self.at += 4;
        Ok(code)
    }

    /// The id that comes next, if the value is one; else it is left where it is.
    #[inline]
    pub(super) fn id(&mut self) -> Option<u32> {
        self.peek();
        let digits = &self.text.as_bytes()[self.at..];
        let count = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let is_number = !matches!(digits.get(count), Some(b'.' | b'e' | b'E'));
        let is_plain = count == 1 || (1..=10).contains(&count) && digits[0] != b'0';
        let id = self.text[self.at..self.at + count].parse().ok();
        let id = id.filter(|_| is_number && is_plain)?;
        self.at += count;
        Some(id)
    }

    /// The value that comes next, as a tree.
    pub(super) fn value(&mut self) -> Result<Value> {
        match self.peek() {
            b'{' => {
                let mut map = Map::new();
                self.entries(|scanner, key| {
                    if map.contains_key(key.as_ref()) {
                        return Err(scanner.fails(&format!("the key `{key}` stands twice")));
                    }
                    map.insert(key.into_owned(), scanner.value()?);
                    Ok(())
                })?;
                Ok(Value::Object(map))
            }
            b'[' => {
                let mut items = Vec::new();
                self.items(|scanner, _| {
                    items.push(scanner.value()?);
                    Ok(())
                })?;
                Ok(Value::Array(items))
            }
            b'"' => Ok(Value::String(self.string()?.into_owned())),
            _ => self.scalar(),
        }
    }

    fn scalar(&mut self) -> Result<Value> {
        let rest = &self.text[self.at..];
        let end = rest.find(
            |character: char| !matches!(character, '+' | '-' | '.' | '0'..='9' | 'A'..='Z' | 'a'..='z'),
        );
        let word = &rest[..end.unwrap_or(rest.len())];
        let value = match word {
            "null" => Value::Null,
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            _ => serde_json::from_str::<Number>(word)
                .map(Value::Number)
                .map_err(|_| self.fails("expected a value"))?,
        };
        self.at += word.len();
        Ok(value)
    }

    /// Passes over the value that comes next, whose insides are looked at later; where it begins.
    pub(super) fn skip(&mut self) -> Result<usize> {
        let first = self.peek();
        let start = self.at;
        if !matches!(first, b'{' | b'[') {
            return self.value().map(|_| start);
        }
        let outside = self.depth;
        let bytes = self.text.as_bytes();
        loop {
            match bytes.get(self.at) {
                Some(b'"') => {
                    self.skip_string()?;
                    continue;
                }
                Some(b'{' | b'[') => self.enter()?,
                Some(b'}' | b']') => self.depth -= 1,
                Some(_) => {}
                None => return Err(self.fails("it ends too early")),
            }
            self.at += 1;
            if self.depth == outside {
                return Ok(start);
            }
        }
    }

    fn skip_string(&mut self) -> Result<()> {
        let bytes = self.text.as_bytes();
        self.at += 1;
        loop {
            match bytes.get(self.at) {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(b'\\') => self.at += 2,
                Some(_) => self.at += 1,
                None => return Err(self.fails("a string does not end")),
            }
        }
    }

    /// Nothing may follow.
    pub(super) fn end(&mut self) -> Result<()> {
        match self.peek() {
            0 if self.at == self.text.len() => Ok(()),
            _ => Err(self.fails("text after the end")),
        }
    }

    /// The text is no JSON here.
    pub(super) fn fails(&self, what: &str) -> Error {
        let before = &self.text.as_bytes()[..self.at.min(self.text.len())];
        let line = 1 + memchr::memchr_iter(b'\n', before).count();
        let column = 1 + before.iter().rev().take_while(|&&byte| byte != b'\n').count();
        Error::tokenizer(
            "tokenizer.json",
            format!("is not valid JSON: {what} at line {line} column {column}"),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Value> {
        let mut scanner = Scanner::new(text);
        let value = scanner.value()?;
        scanner.end()?;
        Ok(value)
    }

    /// What `serde_json` reads is read alike, and what it refuses is refused.
    #[test]
    fn it_reads_what_serde_json_reads() {
        let cases = [
            "null",
            " true ",
            "[]",
            "{}",
            "[ ]",
            "{ }",
            "[1,2]",
            "[1,]",
            "[,1]",
            "{\"a\":1}",
            "{\"a\":1,}",
            "{\"a\" 1}",
            "{a:1}",
            "\"\\u00e9\\n\\\"\"",
            "\"\\ud83d\\ude00\"",
            "\"\\ud83d\"",
            "\"\\ude00\"",
            "\"\\ud83d\\n\"",
            "\"\\x\"",
            "\"\\u12\"",
            "\"\\u+123\"",
            "\"a",
            "\"\n\"",
            "\"\0\"",
            "1e3",
            "-0.5",
            "01",
            "-",
            "1.",
            ".5",
            "+1",
            "nul",
            "[1 2]",
            "[1]]",
            "",
            " ",
            "{\"a\":{\"b\":[1,{\"c\":null}]}}",
            "\"\u{e9}\u{1f600}\"",
            "[\"\\\\\",\"\\/\"]",
            "1 2",
            "[}",
            "{]",
            "\"\\\u{e9}\"",
        ];
        for text in cases {
            let expected = serde_json::from_str::<Value>(text).ok();
            assert_eq!(parsed(text).ok(), expected, "{text:?}");
            let mut scanner = Scanner::new(text);
            if expected.is_some() {
                scanner.skip().expect("skips");
                scanner.end().expect("the end");
            }
        }
    }

    #[test]
    fn an_id_is_a_whole_number_that_fits() {
        let cases = [
            ("0", Some(0)),
            ("7,", Some(7)),
            (" 4294967295", Some(u32::MAX)),
            ("4294967296", None),
            ("-1", None),
            ("1.0", None),
            ("1e3", None),
            ("01", None),
            ("\"1\"", None),
            ("", None),
            ("99999999999", None),
        ];
        for (text, id) in cases {
            assert_eq!(Scanner::new(text).id(), id, "{text:?}");
        }
    }

    #[test]
    fn faults_say_where_and_depth_is_no_trouble() {
        let message = |text: &str| parsed(text).expect_err("bad").to_string();
        assert_eq!(
            message("{\n \"a\": 1,\n \"a\": 2}"),
            "`tokenizer.json` is not valid JSON: the key `a` stands twice at line 3 column 6"
        );
        let deep = "[".repeat(100_000);
        assert!(
            message(&deep).contains("nested deeper than 128 at line 1 column 130"),
            "{}",
            message(&deep)
        );
        assert!(Scanner::new(&deep).skip().is_err());
        assert!(Scanner::new("[\"\\").skip().is_err());
    }
}
