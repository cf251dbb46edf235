//! The fast way over a line of JSON: it says that there is a fault, never which. `check` is the slow way, which says.
//!
//! What it takes and refuses is what `check` takes and refuses; a test holds the two equal over mutated lines.

use std::collections::HashSet;

use super::keys::{Key, Keys};
use super::literal::{escape, number_end, unescape};
use super::{MAXIMUM_DIGITS, Rules};
use crate::json::MAXIMUM_DEPTH;
use crate::plain::plain_length;

/// Up to so many keys of one object are compared one by one.
const FEW_KEYS: usize = 16;

/// Walks over one line, which has to be UTF-8.
pub(super) struct Walker<'a> {
    line: &'a [u8],
    at: usize,
    depth: usize,
    rules: Rules,
    keys: &'a mut Keys,
}

/// A string as it stands between its quotes.
#[derive(Clone, Copy)]
pub(super) struct Span {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) has_escapes: bool,
}

/// A value that is no object and no array.
#[derive(Clone, Copy)]
pub(super) enum Scalar {
    Null,
    Boolean(bool),
    Integer(i64),
    /// An integer that 64 bits do not hold, or `-0`: where its digits stand.
    Digits(usize, usize),
    Float(f64),
    Text(Span),
}

impl<'a> Walker<'a> {
    pub(super) fn new(line: &'a [u8], rules: Rules, keys: &'a mut Keys) -> Self {
        keys.places.clear();
        keys.unescaped.clear();
        Self {
            line,
            at: 0,
            depth: 0,
            rules,
            keys,
        }
    }

    #[inline]
    fn byte(&self) -> Option<u8> {
        self.line.get(self.at).copied()
    }

    /// The next byte that is not white space.
    #[inline]
    pub(super) fn peek(&mut self) -> Option<u8> {
        while let Some(byte) = self.byte() {
            if !matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
                return Some(byte);
            }
            self.at += 1;
        }
        None
    }

    #[inline]
    fn take(&mut self, wanted: u8) -> bool {
        let is_there = self.peek() == Some(wanted);
        self.at += usize::from(is_there);
        is_there
    }

    /// Nothing but white space follows.
    pub(super) fn end(&mut self) -> Option<()> {
        self.peek().is_none().then_some(())
    }

    /// An object; `member` is called behind the colon of each key.
    pub(super) fn object(&mut self, mut member: impl FnMut(&mut Self, Key) -> Option<()>) -> Option<()> {
        if !self.take(b'{') || self.depth == MAXIMUM_DEPTH {
            return None;
        }
        self.depth += 1;
        let (first, unescaped) = (self.keys.places.len(), self.keys.unescaped.len());
        let mut many = None;
        if !self.take(b'}') {
            loop {
                let key = self.key()?;
                if self.rules.refuses_twins && self.is_twin(key, first, &mut many) {
                    return None;
                }
                if !self.take(b':') {
                    return None;
                }
                member(self, key)?;
                if self.take(b'}') {
                    break;
                }
                if !self.take(b',') {
                    return None;
                }
            }
        }
        self.keys.places.truncate(first);
        self.keys.unescaped.truncate(unescaped);
        self.depth -= 1;
        Some(())
    }

    /// The object that the line is; as [`Self::object`].
    ///
    /// As long as its keys are those of the line before, in their order, no two of them are compared.
    pub(super) fn whole(&mut self, mut member: impl FnMut(&mut Self, Key) -> Option<()>) -> Option<()> {
        if !self.take(b'{') {
            return None;
        }
        self.depth = 1;
        let mut number = 0;
        if !self.take(b'}') {
            let mut is_alike = true;
            let mut many = None;
            loop {
                self.peek();
                let rest = &self.line[self.at..];
                let known = self.keys.shape.length_of(number, rest).filter(|_| is_alike);
                let key = if let Some(length) = known {
                    let start = self.at + 1;
                    self.at += length;
                    Key {
                        start,
                        end: self.at - 2,
                        is_unescaped: false,
                    }
                } else {
                    if is_alike {
                        is_alike = false;
                        self.keys.recall(number);
                    }
                    let key = self.key()?;
                    if self.rules.refuses_twins && self.is_twin(key, 0, &mut many) || !self.take(b':') {
                        return None;
                    }
                    key
                };
                member(self, key)?;
                number += 1;
                if self.take(b'}') {
                    break;
                }
                if !self.take(b',') {
                    return None;
                }
            }
            if !is_alike && self.rules.refuses_twins && number <= FEW_KEYS && self.keys.shape.is_worn() {
                self.keys.learn(self.line);
            }
        }
        self.depth = 0;
        Some(())
    }

    /// An array; `item` is called in front of each value.
    pub(super) fn array(&mut self, mut item: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        if !self.take(b'[') || self.depth == MAXIMUM_DEPTH {
            return None;
        }
        self.depth += 1;
        if !self.take(b']') {
            loop {
                item(self)?;
                if self.take(b']') {
                    break;
                }
                if !self.take(b',') {
                    return None;
                }
            }
        }
        self.depth -= 1;
        Some(())
    }

    #[inline]
    fn key(&mut self) -> Option<Key> {
        if self.peek() != Some(b'"') {
            return None;
        }
        let span = self.string()?;
        if !span.has_escapes {
            return Some(Key {
                start: span.start,
                end: span.end,
                is_unescaped: false,
            });
        }
        let mut unescaped = std::mem::take(&mut self.keys.unescaped);
        let start = unescaped.len();
        self.unescape(span, &mut unescaped);
        let end = unescaped.len();
        self.keys.unescaped = unescaped;
        Some(Key {
            start,
            end,
            is_unescaped: true,
        })
    }

    /// The key, unescaped; until its object ends.
    #[inline]
    pub(super) fn key_bytes(&self, key: Key) -> &[u8] {
        let home = if key.is_unescaped {
            &self.keys.unescaped
        } else {
            self.line
        };
        &home[key.start..key.end]
    }

    /// Whether the object whose keys begin at `first` has this one already; else it has it now.
    #[inline]
    fn is_twin(&mut self, key: Key, first: usize, many: &mut Option<HashSet<Vec<u8>>>) -> bool {
        let bytes = self.key_bytes(key);
        let earlier = &self.keys.places[first..];
        let is_twin = if earlier.len() < FEW_KEYS {
            earlier.iter().any(|&other| self.key_bytes(other) == bytes)
        } else {
            let owned = |&key: &Key| self.key_bytes(key).to_vec();
            let all = many.get_or_insert_with(|| earlier.iter().map(owned).collect());
            !all.insert(bytes.to_vec())
        };
        if earlier.len() < FEW_KEYS {
            self.keys.places.push(key);
        }
        is_twin
    }

    /// A string, held to be one; its opening quote is the next byte.
    #[inline]
    fn string(&mut self) -> Option<Span> {
        let start = self.at + 1;
        let mut at = start;
        let mut has_escapes = false;
        loop {
            at += plain_length(self.line.get(at..)?);
            match *self.line.get(at)? {
                b'"' => break,
                b'\\' => {
                    has_escapes = true;
                    at += escape(&self.line[at..])?.0;
                }
                _ => return None,
            }
        }
        self.at = at + 1;
        Some(Span {
            start,
            end: at,
            has_escapes,
        })
    }

    /// Appends a string that [`Self::string`] has passed, unescaped.
    pub(super) fn unescape(&self, span: Span, out: &mut Vec<u8>) {
        let text = &self.line[span.start..span.end];
        if span.has_escapes {
            // It has been seen to be one.
            let _ = unescape(text, out);
        } else {
            out.extend_from_slice(text);
        }
    }

    /// Appends a string, unescaped, in one pass. Where there is none, `out` holds anything behind what it held.
    pub(super) fn string_into(&mut self, out: &mut Vec<u8>) -> Option<()> {
        if self.peek() != Some(b'"') {
            return None;
        }
        let rest = &self.line[self.at + 1..];
        let length = unescape(rest, out)?;
        if rest.get(length) != Some(&b'"') {
            return None;
        }
        self.at += length + 2;
        Some(())
    }

    /// Passes over any value.
    pub(super) fn skip(&mut self) -> Option<()> {
        match self.peek()? {
            b'"' => self.string().map(drop),
            b'{' => self.object(|walker, _| walker.skip()),
            b'[' => self.array(Self::skip),
            b'-' | b'0'..=b'9' => match number_end(self.line, self.at) {
                Some((end, _)) => {
                    self.at = end;
                    Some(())
                }
                None => self.word().map(drop),
            },
            _ => self.word().map(drop),
        }
    }

    /// A value that is no object and no array.
    pub(super) fn scalar(&mut self) -> Option<Scalar> {
        match self.peek()? {
            b'"' => self.string().map(Scalar::Text),
            b'-' | b'0'..=b'9' => {
                let start = self.at;
                let Some((end, is_integer)) = number_end(self.line, start) else {
                    return self.word();
                };
                self.at = end;
                self.number(start, end, is_integer)
            }
            _ => self.word(),
        }
    }

    fn number(&self, start: usize, end: usize, is_integer: bool) -> Option<Scalar> {
        let literal = &self.line[start..end];
        if !is_integer {
            // SAFETY: `number_end` passes over ASCII alone.
            #[expect(unsafe_code, reason = "a check costs a tenth of what the number does")]
            let text = unsafe { std::str::from_utf8_unchecked(literal) };
            let value: f64 = text.parse().ok()?;
            return value.is_finite().then_some(Scalar::Float(value));
        }
        let digits = literal.strip_prefix(b"-").unwrap_or(literal);
        // 18 digits are below 2^63.
        if digits.len() <= 18 && literal != b"-0" {
            let value = digits
                .iter()
                .fold(0_i64, |value, digit| value * 10 + i64::from(digit - b'0'));
            let sign = if literal.len() > digits.len() { -1 } else { 1 };
            return Some(Scalar::Integer(sign * value));
        }
        (digits.len() <= MAXIMUM_DIGITS).then_some(Scalar::Digits(start, end))
    }

    fn word(&mut self) -> Option<Scalar> {
        let words: [(&[u8], Scalar); 6] = [
            (b"null", Scalar::Null),
            (b"true", Scalar::Boolean(true)),
            (b"false", Scalar::Boolean(false)),
            (b"NaN", Scalar::Float(f64::NAN)),
            (b"Infinity", Scalar::Float(f64::INFINITY)),
            (b"-Infinity", Scalar::Float(f64::NEG_INFINITY)),
        ];
        let known = if self.rules.takes_nan { 6 } else { 3 };
        let rest = &self.line[self.at..];
        let (word, value) = words[..known].iter().find(|(word, _)| rest.starts_with(word))?;
        self.at += word.len();
        Some(*value)
    }

    /// Whether no object and no array is open.
    pub(super) fn is_outside(&self) -> bool {
        self.depth == 0
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn slice(&self, start: usize, end: usize) -> &[u8] {
        &self.line[start..end]
    }
}
