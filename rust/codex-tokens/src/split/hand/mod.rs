//! The patterns everybody uses, cut by hand: 64 bytes at a time, without asking for each word what comes next.
//!
//! Where a word starts follows from the characters around, so it is worked out on bits, for a whole block at once: a change of
//! kind starts a word, a blank before a letter takes that start over, and so on. What reaches over the end of a block is kept
//! in [`Past`]; what needs to know more of the text (which newline of a run is the last?) looks at it, rarely and once.
//!
//! Each pattern is held to the pattern itself, run as any other.

mod ascii;
mod bits;
pub(super) mod cl100k;
mod deepseek;
mod gpt2;
pub(super) mod o200k;
mod spaces;

use bits::{BLOCK, Bits, Reader};

/// A pattern known by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    Gpt2,
    Cl100k(cl100k::Variant),
    O200k(o200k::Variant),
    DeepSeek,
}

/// What has to be known of the block before: its bits, as the pattern took them, and what it told the next one.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a bit carried over")]
struct Past {
    lead: u64,
    letter: u64,
    number: u64,
    space: u64,
    newline: u64,
    inline: u64,
    blank: u64,
    other: u64,
    absorbed: u64,
    symbol: u64,
    han: u64,
    lower: u64,
    caseless: u64,
    after_lower: u64,
    /// Starts that are none, and starts that are, in the block to come.
    cleared: u64,
    set: u64,
    /// A run goes on: of newlines behind a word, of a lone character, of capitals and so on.
    absorbs: bool,
    is_after_lone: bool,
    is_after_lower: bool,
    marks_are_other: bool,
    /// Characters of the number so far since its last cut.
    digits: u32,
    /// Where the last contraction ended.
    contraction_end: usize,
}

/// Bits moved to the next byte, with those of the block before coming in.
#[inline]
fn moved(word: u64, past: u64) -> u64 {
    word << 1 | past >> 63
}

/// The ones of `runs` from a bit of `seeds` on, to the end of each run; and whether the last of them goes on in the next block.
#[inline]
fn flooded(seeds: u64, runs: u64) -> (u64, bool) {
    // An addition carries from a seed through the ones behind it.
    let (sum, goes_on) = (seeds & runs).overflowing_add(runs);
    ((sum ^ runs | seeds) & runs, goes_on)
}

/// The first bits behind runs of `runs` that begin at a bit of `seeds`, which may be behind one already; and whether there is one
/// that is to come.
#[inline]
fn behind(seeds: u64, runs: u64) -> (u64, bool) {
    let (sum, goes_on) = seeds.overflowing_add(runs);
    (sum & !runs, goes_on)
}

/// The places of the ones, from the lowest.
fn places(mut word: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let place = word.trailing_zeros() as usize;
        let any = word != 0;
        word &= word.wrapping_sub(1);
        any.then_some(place)
    })
}

/// A block of the text, with the next.
#[derive(Clone, Copy, Debug)]
struct Block<'t> {
    text: &'t str,
    start: usize,
    now: &'t Bits,
    next: &'t Bits,
}

impl Block<'_> {
    /// Bits moved to the byte before, with those of the next block coming in.
    #[inline]
    fn moved_back(word: u64, next: u64) -> u64 {
        word >> 1 | next << 63
    }
}

/// A text on its way to words.
#[derive(Clone, Debug)]
pub(crate) struct Hand<'t> {
    known: Known,
    text: &'t str,
    reader: Reader,
    /// The block at hand and the next, in turn.
    bits: [Bits; 2],
    start: usize,
    past: Past,
    /// Starts of words in the block at hand that have not been told.
    starts: u64,
    is_done: bool,
}

impl<'t> Hand<'t> {
    pub(super) fn new(known: Known, text: &'t str) -> Self {
        let mut hand = Self {
            known,
            text,
            reader: Reader::new(),
            bits: [Bits::default(); 2],
            start: 0,
            past: Past::default(),
            starts: 0,
            is_done: text.is_empty(),
        };
        if !hand.is_done {
            hand.reader.read(text.as_bytes(), 0, &mut hand.bits[0]);
            // The first word starts where no other ends.
            hand.starts = hand.find_starts() & !1;
        }
        hand
    }

    /// As [`super::Cut::next_ends`].
    #[inline]
    pub(super) fn next_ends(&mut self, ends: &mut [usize]) -> usize {
        let mut count = 0;
        loop {
            while self.starts != 0 && count < ends.len() {
                count += self.tell(&mut ends[count..]);
            }
            if count == ends.len() || self.is_done {
                return count;
            }
            self.start += BLOCK;
            if self.start >= self.text.len() {
                self.is_done = true;
                ends[count] = self.text.len();
                return count + 1;
            }
            self.starts = self.find_starts();
        }
    }

    /// Some of the starts in the block at hand, at least one of which there is; and their number.
    #[inline]
    fn tell(&mut self, ends: &mut [usize]) -> usize {
        const TOGETHER: usize = 8;
        let mut starts = self.starts;
        // Without asking after each whether there is another: most blocks have about as many words.
        let told = if let Some(ends) = ends.first_chunk_mut::<TOGETHER>() {
            let count = starts.count_ones() as usize;
            for end in ends {
                *end = self.start + starts.trailing_zeros() as usize;
                starts &= starts.wrapping_sub(1);
            }
            count.min(TOGETHER)
        } else {
            ends[0] = self.start + starts.trailing_zeros() as usize;
            starts &= starts - 1;
            1
        };
        self.starts = starts;
        told
    }

    /// Reads the next block, and finds the starts in the one at hand.
    fn find_starts(&mut self) -> u64 {
        let [even, odd] = &mut self.bits;
        let (now, next) = if (self.start / BLOCK).is_multiple_of(2) {
            (even, odd)
        } else {
            (odd, even)
        };
        self.reader.read(self.text.as_bytes(), self.start + BLOCK, next);
        let block = Block {
            text: self.text,
            start: self.start,
            now,
            next,
        };
        let past = &mut self.past;
        let starts = match self.known {
            Known::Gpt2 => gpt2::starts(&block, past),
            Known::Cl100k(variant) => cl100k::starts(&block, past, variant),
            Known::O200k(variant) => o200k::starts(&block, past, variant),
            Known::DeepSeek => deepseek::starts(&block, past),
        };
        match self.text.len() - self.start {
            rest @ ..BLOCK => starts & ((1 << rest) - 1),
            _ => starts,
        }
    }
}

#[cfg(test)]
mod tests;
