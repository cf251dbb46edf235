//! Values of each line as a row of tokens, from which any language builds its own.

use super::check::{self, Wanted};
use super::keys::{Key, Keys, is_same};
use super::walk::{Scalar, Span, Walker};
use super::{Rules, Take};
use crate::Fault;

/// The objects of the lines, or some of their keys, as [`Token`]s one behind the other.
#[derive(Debug, Default)]
pub struct Rows {
    tokens: Vec<Token>,
    bytes: Vec<u8>,
    count: usize,
    keys: Keys,
}

/// One step of a walk over a value. Places are in [`Rows::text`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Token {
    /// `null`
    Null,
    /// `true`, `false`
    Boolean(bool),
    /// An integer of up to 18 digits.
    Integer(i64),
    /// Another integer: its digits.
    Digits(u32, u32),
    /// Any other number; finite, unless the rules say so.
    Float(f64),
    /// A string.
    Text(u32, u32),
    /// An array; so many values follow.
    Array(u32),
    /// An object; so many times a key and its value follow.
    Object(u32),
    /// A key.
    Key(u32, u32),
    /// A key that was asked for: its number.
    Wanted(u32),
}

impl Rows {
    /// Row after row, each an object.
    #[must_use]
    pub fn tokens(&self) -> &[Token] {
        &self.tokens
    }

    /// The bytes of a text, a key or digits; UTF-8.
    #[must_use]
    pub fn text(&self, start: u32, end: u32) -> &[u8] {
        &self.bytes[start as usize..end as usize]
    }

    fn take(&mut self, line: &[u8], wanted: Option<&[String]>, rules: Rules) -> Option<()> {
        let mut keys = std::mem::take(&mut self.keys);
        let mut walker = Walker::new(line, rules, &mut keys);
        let taken = self.object(&mut walker, wanted).and_then(|()| walker.end());
        self.keys = keys;
        taken
    }

    fn object(&mut self, walker: &mut Walker<'_>, wanted: Option<&[String]>) -> Option<()> {
        let place = self.tokens.len();
        self.tokens.push(Token::Object(0));
        let mut count = 0;
        let member = |walker: &mut Walker<'_>, key| {
            match wanted {
                None => self.key(walker, key)?,
                Some(wanted) => {
                    let name = walker.key_bytes(key);
                    let Some(number) = wanted.iter().position(|wanted| is_same(wanted, name)) else {
                        return walker.skip();
                    };
                    self.tokens.push(Token::Wanted(u32::try_from(number).ok()?));
                }
            }
            count += 1;
            self.value(walker)
        };
        if walker.is_outside() {
            walker.whole(member)?;
        } else {
            walker.object(member)?;
        }
        self.tokens[place] = Token::Object(count);
        Some(())
    }

    fn value(&mut self, walker: &mut Walker<'_>) -> Option<()> {
        match walker.peek()? {
            b'{' => self.object(walker, None),
            b'[' => {
                let place = self.tokens.len();
                self.tokens.push(Token::Array(0));
                let mut count = 0;
                walker.array(|walker| {
                    count += 1;
                    self.value(walker)
                })?;
                self.tokens[place] = Token::Array(count);
                Some(())
            }
            _ => {
                let scalar = walker.scalar()?;
                let token = match scalar {
                    Scalar::Null => Token::Null,
                    Scalar::Boolean(value) => Token::Boolean(value),
                    Scalar::Integer(value) => Token::Integer(value),
                    Scalar::Float(value) => Token::Float(value),
                    Scalar::Digits(start, end) => {
                        let (start, end) = self.keep(|bytes| bytes.extend(walker.slice(start, end)))?;
                        Token::Digits(start, end)
                    }
                    Scalar::Text(span) => {
                        let (start, end) = self.string(walker, span)?;
                        Token::Text(start, end)
                    }
                };
                self.tokens.push(token);
                Some(())
            }
        }
    }

    fn key(&mut self, walker: &Walker<'_>, key: Key) -> Option<()> {
        let (start, end) = self.keep(|bytes| bytes.extend(walker.key_bytes(key)))?;
        self.tokens.push(Token::Key(start, end));
        Some(())
    }

    fn string(&mut self, walker: &Walker<'_>, span: Span) -> Option<(u32, u32)> {
        self.keep(|bytes| walker.unescape(span, bytes))
    }

    fn keep(&mut self, add: impl FnOnce(&mut Vec<u8>)) -> Option<(u32, u32)> {
        let start = u32::try_from(self.bytes.len()).ok()?;
        add(&mut self.bytes);
        Some((start, u32::try_from(self.bytes.len()).ok()?))
    }
}

impl Take for Rows {
    /// The keys that are wanted; all if there is no list.
    type Plan = Option<Vec<String>>;

    fn clear(&mut self) {
        self.tokens.clear();
        self.bytes.clear();
        self.count = 0;
    }

    fn rows(&self) -> usize {
        self.count
    }

    fn take_line(&mut self, line: &[u8], wanted: &Self::Plan, rules: Rules) -> bool {
        let (tokens, bytes) = (self.tokens.len(), self.bytes.len());
        let is_taken = self.take(line, wanted.as_deref(), rules).is_some();
        if is_taken {
            self.count += 1;
        } else {
            self.tokens.truncate(tokens);
            self.bytes.truncate(bytes);
        }
        is_taken
    }

    fn fault(line: &str, wanted: &Self::Plan, rules: Rules) -> Option<Fault> {
        check::fault_of(line, &Wanted::Values(wanted.as_deref()), rules)
    }
}
