//! Characters whose bytes come together before anything beside them can touch one: a word may begin with them as symbols.
//!
//! A character of two or three bytes is made by a tree of merges. At its left edge stand, one after the other, the parts on the
//! left side of that tree. Were each of them first joined to something on its left by a later merge than the one that joins it
//! inside the tree, nothing could come between; the same on the right, where of equal merges the inner one is first, being
//! further left. What stands beside it is an ASCII byte or a byte of another character; the two are told apart, for merges with
//! the space before a character are early and frequent.

#![expect(clippy::cast_possible_truncation, reason = "numbers are below two million")]

use super::Pair;

/// No character that comes together.
const NONE: u32 = u32::MAX;
/// Set if the character comes together even behind an ASCII byte.
const BEHIND_ASCII: u32 = 1 << 31;
/// Set if it does before one.
const BEFORE_ASCII: u32 = 1 << 30;

/// Bytes have the first numbers.
const BYTES: usize = 256;

/// Scalars of at most three bytes.
const SCALARS: usize = 1 << 16;

/// The numbers of the characters that come together, by scalar; empty if there are none.
#[derive(Debug, Default)]
pub(super) struct Scalars(pub(super) Vec<u32>);

/// What a number stands for, as far as it matters here.
#[derive(Clone, Copy)]
struct Token {
    first: u8,
    last: u8,
    /// Its bytes, if they are four or fewer, and how many.
    bytes: [u8; 4],
    length: usize,
}

impl Token {
    fn of_byte(byte: u8) -> Self {
        Self {
            first: byte,
            last: byte,
            bytes: [byte, 0, 0, 0],
            length: 1,
        }
    }

    fn joined(self, right: Self) -> Self {
        let length = self.length + right.length;
        let mut bytes = self.bytes;
        if length <= bytes.len() {
            bytes[self.length..length].copy_from_slice(&right.bytes[..right.length]);
        }
        Self {
            first: self.first,
            last: right.last,
            bytes,
            length,
        }
    }

    /// The scalar that it is, if it is one of two or three bytes.
    fn scalar(self) -> Option<usize> {
        if !(2..=3).contains(&self.length) {
            return None;
        }
        let mut scalars = std::str::from_utf8(&self.bytes[..self.length]).ok()?.chars();
        let scalar = scalars.next()? as usize;
        scalars.next().is_none().then_some(scalar)
    }
}

impl Scalars {
    /// The characters that come together by living merges of these `parts`, in the order of learning. The bytes have the
    /// numbers 0 to 255, and what the merge of rank `n` makes has `256 + n`.
    pub(super) fn of(parts: &[Pair]) -> Self {
        let mut tokens: Vec<Token> = (0..=u8::MAX).map(Token::of_byte).collect();
        // The first merge that has a token on its right, by whether an ASCII byte is then on the left of it; and the other way.
        let mut on_right = vec![[NONE; 2]; BYTES + parts.len()];
        let mut on_left = on_right.clone();
        for (made, &(left, right)) in (BYTES as u32..).zip(parts) {
            let (left, right) = (left as usize, right as usize);
            let before = &mut on_right[right][usize::from(tokens[left].last.is_ascii())];
            *before = made.min(*before);
            let behind = &mut on_left[left][usize::from(tokens[right].first.is_ascii())];
            *behind = made.min(*behind);
            tokens.push(tokens[left].joined(tokens[right]));
        }
        let parts_of = |token: usize| token.checked_sub(BYTES).map(|rank| parts[rank]);
        let is_closed_left = |token: usize, ascii: bool| {
            let mut joined = token;
            while let Some((left, _)) = parts_of(joined) {
                if on_right[left as usize][usize::from(ascii)] as usize <= joined {
                    return false;
                }
                joined = left as usize;
            }
            true
        };
        let is_closed_right = |token: usize, ascii: bool| {
            let mut joined = token;
            while let Some((_, right)) = parts_of(joined) {
                if (on_left[right as usize][usize::from(ascii)] as usize) < joined {
                    return false;
                }
                joined = right as usize;
            }
            true
        };
        let mut scalars = vec![NONE; SCALARS];
        for (token, scalar) in tokens
            .iter()
            .enumerate()
            .filter_map(|(at, token)| Some((at, token.scalar()?)))
        {
            if is_closed_left(token, false) && is_closed_right(token, false) {
                let behind = if is_closed_left(token, true) {
                    BEHIND_ASCII
                } else {
                    0
                };
                let before = if is_closed_right(token, true) {
                    BEFORE_ASCII
                } else {
                    0
                };
                scalars[scalar] = token as u32 | behind | before;
            }
        }
        if scalars.iter().all(|&scalar| scalar == NONE) {
            scalars.clear();
        }
        Self(scalars)
    }

    /// Whether any character comes together.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The number of the character that begins at `at`, and its bytes, if they come together there.
    #[inline]
    pub(super) fn number_at(&self, word: &[u8], at: usize) -> Option<(u32, usize)> {
        let (scalar, length) = match word[at..] {
            [first @ 0xc2..0xe0, second @ 0x80..0xc0, ..] => {
                ((u32::from(first) & 0x1f) << 6 | u32::from(second) & 0x3f, 2)
            }
            [first @ 0xe0..0xf0, second @ 0x80..0xc0, third @ 0x80..0xc0, ..] => {
                let upper = (u32::from(first) & 0x0f) << 12 | (u32::from(second) & 0x3f) << 6;
                (upper | u32::from(third) & 0x3f, 3)
            }
            _ => return None,
        };
        let number = *self
            .0
            .get(scalar as usize)
            .filter(|_| length == 2 || scalar >= 0x800)?;
        let is_behind_ascii = at > 0 && word[at - 1].is_ascii();
        let is_before_ascii = word.get(at + length).is_some_and(u8::is_ascii);
        if number == NONE
            || is_behind_ascii && number & BEHIND_ASCII == 0
            || is_before_ascii && number & BEFORE_ASCII == 0
        {
            return None;
        }
        Some((number & !(BEHIND_ASCII | BEFORE_ASCII), length))
    }
}
