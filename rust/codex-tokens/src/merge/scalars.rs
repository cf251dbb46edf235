//! Characters whose bytes come together before anything beside them can touch one: a word may begin with them as symbols.
//!
//! A character of two or three bytes is made by a tree of merges. At its left edge stand, one after the other, the parts on the
//! left side of that tree. Were each of them first joined to something on its left by a later merge than the one that joins it
//! inside the tree, nothing could come between; the same on the right, where of equal merges the inner one is first, being
//! further left. Nor may the character itself be part of an earlier merge than the one that makes it.
//!
//! What stands beside it is an ASCII byte or a byte of another character; the two are told apart, for merges with the space before
//! a character are early and frequent. On its right characters are told apart by their first byte besides: in a large
//! vocabulary the last byte of most characters is early joined to the first byte of some.

use super::Pair;
use rustc_hash::FxHashMap;

/// No character that comes together.
const NONE: u64 = u64::MAX;
/// Set if the character comes together even behind an ASCII byte.
const BEHIND_ASCII: u64 = 1 << 31;
/// Set if it does before one.
const BEFORE_ASCII: u64 = 1 << 30;
/// Where the number stands.
const NUMBER: u64 = BEFORE_ASCII - 1;
/// Where a bit for each kind of first byte stands, set if the character does not come together before one of that kind.
const NOT_BEFORE_SHIFT: u32 = 32;

/// Scalars of at most three bytes.
const SCALARS: usize = 1 << 16;

/// No merge.
const NEVER: u32 = u32::MAX;

/// The kinds of first bytes told apart, and ASCII.
const FIRST_BYTES: usize = 32;
const ASCII: usize = FIRST_BYTES;

/// The numbers of the characters that come together, with the bits above, by scalar; empty if there are none.
#[derive(Debug, Default)]
pub(super) struct Scalars(pub(super) Vec<u64>);

/// The kind of a first byte that is not ASCII: its lower bits, so that two rare ones may be taken for one another.
fn kind_of(first: u8) -> usize {
    if first.is_ascii() {
        ASCII
    } else {
        usize::from(first) % FIRST_BYTES
    }
}

/// What a number stands for, as far as it matters here.
#[derive(Clone, Copy)]
struct Token {
    first: u8,
    last: u8,
    /// Its bytes, if they are four or fewer, and how many.
    bytes: [u8; 4],
    length: u32,
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
        if let Some(place) = bytes.get_mut(self.length as usize..length as usize) {
            place.copy_from_slice(&right.bytes[..right.length as usize]);
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
        let mut scalars = std::str::from_utf8(&self.bytes[..self.length as usize])
            .ok()?
            .chars();
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
        // The first merge that has a token on its right, by whether an ASCII byte is then on the left of it; and the first that
        // has it on its left, by the kind of the byte behind it, of tokens that may end a character.
        let mut on_right = vec![[NEVER; 2]; count];
        let mut on_left: FxHashMap<u32, [u32; FIRST_BYTES + 1]> = FxHashMap::default();
        let mut first_use = vec![NEVER; count];
        for (rank, &((left, right), made)) in (0..).zip(merges) {
            let [left_token, right_token] = [left, right].map(|number| tokens[number as usize]);
            for ascii in [false, true] {
                if left_token.is_none_or(|token| token.last.is_ascii() == ascii) {
                    let first = &mut on_right[right as usize][usize::from(ascii)];
                    *first = rank.min(*first);
                }
            }
            if left_token.is_none_or(|token| token.length <= 3 && !token.last.is_ascii()) {
                let firsts = on_left.entry(left).or_insert([NEVER; FIRST_BYTES + 1]);
                match right_token {
                    Some(token) => firsts[kind_of(token.first)] = rank.min(firsts[kind_of(token.first)]),
                    None => firsts.iter_mut().for_each(|first| *first = rank.min(*first)),
                }
            }
            for number in [left, right] {
                first_use[number as usize] = rank.min(first_use[number as usize]);
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
        // Whether nothing on the left comes between the parts at the left edge of a token.
        let is_closed_left = |token: u32, ascii: bool| {
            let mut joined = token;
            loop {
                match ways[joined as usize] {
                    Err(Several) => return false,
                    Ok(None) => return true,
                    Ok(Some(way)) if on_right[way.left as usize][usize::from(ascii)] <= way.rank => {
                        return false;
                    }
                    Ok(Some(way)) => joined = way.left,
                }
            }
        };
        // The kinds of first bytes that come between the parts at its right edge, a bit for each.
        let open_right = |token: u32| {
            let (mut joined, mut open) = (token, 0_u64);
            loop {
                match ways[joined as usize] {
                    Err(Several) => return u64::MAX,
                    Ok(None) => return open,
                    Ok(Some(way)) => {
                        for (kind, &first) in on_left.get(&way.right).into_iter().flatten().enumerate() {
                            open |= u64::from(first < way.rank) << kind;
                        }
                        joined = way.right;
                    }
                }
            }
        };
        // What is joined beforehand must have nothing to be joined to until the time when it would have been made.
        let is_patient = |number: u32| match ways[number as usize] {
            Ok(Some(way)) => first_use[number as usize] > way.rank,
            _ => false,
        };
        let all_characters = (1 << FIRST_BYTES) - 1;
        let mut scalars = vec![NONE; SCALARS];
        for (number, token) in (0..).zip(&tokens) {
            if let Some(scalar) = token.and_then(Token::scalar)
                && is_whole(number)
                && is_patient(number)
                && is_closed_left(number, false)
            {
                let open = open_right(number);
                if open & all_characters == all_characters {
                    continue;
                }
                let mut entry = u64::from(number) | (open & all_characters) << NOT_BEFORE_SHIFT;
                if is_closed_left(number, true) {
                    entry |= BEHIND_ASCII;
                }
                if open >> ASCII & 1 == 0 {
                    entry |= BEFORE_ASCII;
                }
                scalars[scalar] = entry;
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

    /// Gives `each` the numbers of characters that come together in `word`, and of the other bytes that of `byte`.
    ///
    /// How long a character is follows from its bytes alone, so none waits for what the table says of those before it.
    #[inline]
    pub(super) fn each_number(&self, word: &[u8], byte: impl Fn(u8) -> u32, mut each: impl FnMut(u32)) {
        let mut at = 0;
        while let Some(&first) = word.get(at) {
            let Some((scalar, length)) = scalar_at(word, at) else {
                each(byte(first));
                at += 1;
                continue;
            };
            match self.number_of(scalar, word, at, length) {
                Some(number) => each(number),
                None => word[at..at + length].iter().for_each(|&part| each(byte(part))),
            }
            at += length;
        }
    }

    /// The number of the character `scalar`, of `length` bytes at `at`, if they come together there.
    #[inline]
    fn number_of(&self, scalar: u32, word: &[u8], at: usize, length: usize) -> Option<u32> {
        let entry = *self.0.get(scalar as usize)?;
        if entry == NONE || at > 0 && word[at - 1].is_ascii() && entry & BEHIND_ASCII == 0 {
            return None;
        }
        match word.get(at + length) {
            None => {}
            Some(0..0x80) if entry & BEFORE_ASCII != 0 => {}
            Some(&next @ 0xc0..) if entry >> NOT_BEFORE_SHIFT >> kind_of(next) & 1 == 0 => {}
            Some(_) => return None,
        }
        Some((entry & NUMBER) as u32)
    }
}

/// The scalar of two or three bytes that begins at `at`, and its bytes, if one does.
#[inline]
fn scalar_at(word: &[u8], at: usize) -> Option<(u32, usize)> {
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
    (length == 2 || scalar >= 0x800).then_some((scalar, length))
}
