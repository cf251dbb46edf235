//! Characters whose bytes come together before anything beside them can touch one: a word may begin with them as symbols.
//!
//! A character of two or three bytes is made by a tree of merges. At its left edge stand, one after the other, the parts on the
//! left side of that tree. Were each of them first joined to something on its left by a later merge than the one that joins it
//! inside the tree, nothing could come between; the same on the right, where of equal merges the inner one is first, being
//! further left. Nor may the character itself be part of an earlier merge than the one that makes it. What stands beside it is an ASCII byte or a byte of another character; the two are told apart, for merges with
//! the space before a character are early and frequent.

use super::Pair;

/// No character that comes together.
const NONE: u32 = u32::MAX;
/// Set if the character comes together even behind an ASCII byte.
const BEHIND_ASCII: u32 = 1 << 31;
/// Set if it does before one.
const BEFORE_ASCII: u32 = 1 << 30;

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

/// A token is made in more ways than one.
#[derive(Clone, Copy)]
struct Several;

/// A way to make a token: the tokens it joins, and its place in the order of learning.
#[derive(Clone, Copy)]
struct Way {
    left: u32,
    right: u32,
    rank: u32,
}

impl Scalars {
    /// The characters that come together by `merges` of numbers, in the order of learning; the bytes have the numbers 0 to 255,
    /// and `count` is how many there are. Of a token that `is_whole` the bytes alone come to it.
    pub(super) fn of(merges: &[(Pair, u32)], count: usize, is_whole: impl Fn(u32) -> bool) -> Self {
        let mut tokens: Vec<Option<Token>> = (0..=u8::MAX).map(|byte| Some(Token::of_byte(byte))).collect();
        tokens.resize(count, None);
        // The one way to make a token, if it is made in one.
        let mut ways: Vec<Result<Option<Way>, Several>> = vec![Ok(None); count];
        // The first merge that has a token on its right, by whether an ASCII byte is then on the left of it; and the other way.
        let mut on_right = vec![[NONE; 2]; count];
        let mut on_left = on_right.clone();
        for (rank, &((left, right), made)) in (0..).zip(merges) {
            let [left_token, right_token] = [left, right].map(|number| tokens[number as usize]);
            for ascii in [false, true] {
                if left_token.is_none_or(|token| token.last.is_ascii() == ascii) {
                    let first = &mut on_right[right as usize][usize::from(ascii)];
                    *first = rank.min(*first);
                }
                if right_token.is_none_or(|token| token.first.is_ascii() == ascii) {
                    let first = &mut on_left[left as usize][usize::from(ascii)];
                    *first = rank.min(*first);
                }
            }
            let way = &mut ways[made as usize];
            *way = match way {
                Ok(None) => Ok(Some(Way { left, right, rank })),
                _ => Err(Several),
            };
            tokens[made as usize] = left_token
                .zip(right_token)
                .map(|(left, right)| left.joined(right));
        }
        // Follows one side of the tree down, and asks at each part whether it is safe from what stands beside it.
        let is_closed = |token: u32, part: fn(Way) -> u32, is_safe: &dyn Fn(u32, u32) -> bool| {
            let mut joined = token;
            loop {
                match ways[joined as usize] {
                    Err(Several) => return false,
                    Ok(None) => return true,
                    Ok(Some(way)) if !is_safe(part(way), way.rank) => return false,
                    Ok(Some(way)) => joined = part(way),
                }
            }
        };
        let is_closed_left = |token, ascii: bool| {
            is_closed(token, |way| way.left, &|part, rank| {
                on_right[part as usize][usize::from(ascii)] > rank
            })
        };
        let is_closed_right = |token, ascii: bool| {
            is_closed(token, |way| way.right, &|part, rank| {
                on_left[part as usize][usize::from(ascii)] >= rank
            })
        };
        // What is joined beforehand must have nothing to be joined to until the time when it would have been made.
        let is_patient = |number: u32| match ways[number as usize] {
            Ok(Some(way)) => [on_left[number as usize], on_right[number as usize]]
                .iter()
                .flatten()
                .all(|&rank| rank > way.rank),
            _ => false,
        };
        let mut scalars = vec![NONE; SCALARS];
        for (number, token) in (0..).zip(&tokens) {
            if let Some(scalar) = token.and_then(Token::scalar)
                && is_whole(number)
                && is_patient(number)
                && is_closed_left(number, false)
                && is_closed_right(number, false)
            {
                let behind = if is_closed_left(number, true) {
                    BEHIND_ASCII
                } else {
                    0
                };
                let before = if is_closed_right(number, true) {
                    BEFORE_ASCII
                } else {
                    0
                };
                scalars[scalar] = number | behind | before;
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
