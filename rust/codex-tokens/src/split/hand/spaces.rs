//! What the patterns have in common: white space, newlines behind a word, numbers, contractions.

use super::bits::is_space;
use super::{Block, Past, flooded, moved, places};

impl Block<'_> {
    /// `\s+(?!\S)`: the first byte of every character of `inline` white space that is the last of its run, unless what ends the
    /// run ends the text, too. `stops` are the bits, here and in the next block, of what does so.
    #[inline]
    pub(super) fn last_spaces(&self, inline: u64, (stops, next_stops): (u64, u64)) -> u64 {
        let mut last = inline & !self.now.high & !Self::moved_back(stops, next_stops);
        let wide = inline & self.now.high & self.now.lead;
        for place in places(wide) {
            let mut end = place + 1;
            while end < 64 && self.now.lead >> end & 1 == 0 {
                end += 1;
            }
            let is_stopped = if end < 64 {
                stops >> end & 1 == 1
            } else {
                // The character may go on in the next block.
                next_stops >> self.next.lead.trailing_zeros() & 1 == 1
            };
            last |= u64::from(!is_stopped) << place;
        }
        last
    }

    /// `\s*[\r\n]+`: the starts behind the last newline of each run of white space, which consists of `inline` and `newline`.
    /// If `ends_whole`, white space that ends the text is not cut.
    #[inline]
    pub(super) fn after_last_newlines(
        &self,
        inline: u64,
        newline: u64,
        past: &Past,
        ends_whole: bool,
    ) -> u64 {
        let mut after = inline & moved(newline, past.newline);
        let before_newline = inline & Self::moved_back(newline, 0);
        if after != 0 && (before_newline != 0 || inline >> 63 != 0) {
            for place in places(after) {
                let end = place + (inline >> place).trailing_ones() as usize;
                let is_last = if end < 64 {
                    newline >> end & 1 == 0
                } else {
                    self.is_behind_last_newline(ends_whole)
                };
                after &= !(u64::from(!is_last) << place);
            }
        }
        after
    }

    /// Whether the white space that goes on into the next block has no newline there, nor the end of the text if `ends_whole`.
    /// Asked once for a run, however long.
    #[cold]
    fn is_behind_last_newline(&self, ends_whole: bool) -> bool {
        let mut rest = (self.start + 64).min(self.text.len());
        while !self.text.is_char_boundary(rest) {
            rest += 1;
        }
        let is_inline = |scalar: char| is_space(scalar) && scalar != '\r' && scalar != '\n';
        match self.text[rest..].chars().find(|&scalar| !is_inline(scalar)) {
            Some(scalar) => scalar != '\r' && scalar != '\n',
            None => !ends_whole,
        }
    }

    /// `[\r\n]*` behind `words`: the newlines that go on there, and what of `also` follows those.
    #[inline]
    pub(super) fn absorbed(&self, words: u64, past_words: u64, also: u64, past: &Past) -> (u64, bool) {
        let runs = self.now.newline | also;
        let seeds = self.now.newline & moved(words, past_words) | runs & u64::from(past.absorbs);
        flooded(seeds, runs)
    }

    /// `\p{N}{1,3}`: the starts inside of numbers, each behind three characters.
    #[inline]
    pub(super) fn thirds(&self, past: &mut Past) -> u64 {
        let number = self.now.number;
        let goes_on = past.number >> 63 & number & 1 == 1;
        let four = number & number << 1 & number << 2 & number << 3;
        if four == 0 && !goes_on && number & self.now.high == 0 {
            past.digits = number.leading_ones();
            return 0;
        }
        let mut starts = 0;
        let mut digits = past.digits;
        let begins = number & !moved(number, past.number);
        for place in places(number & self.now.lead) {
            if begins >> place & 1 == 1 || digits == 3 {
                starts |= 1 << place;
                digits = 0;
            }
            digits += 1;
        }
        past.digits = digits;
        starts
    }

    /// The contractions that begin with these quotes: starts that are none, and starts that are; those of the next block go
    /// into `past`. If `is_suffix`, a contraction goes with the word before it, and two do not follow each other.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "the halves are taken apart")]
    pub(super) fn contractions(
        &self,
        quotes: u64,
        is_suffix: bool,
        past: &mut Past,
        length: impl Fn(&[u8]) -> Option<usize>,
    ) -> (u64, u64) {
        let (mut cleared, mut set) = (u128::from(past.cleared), u128::from(past.set));
        for place in places(quotes) {
            let at = self.start + place;
            if at < past.contraction_end {
                continue;
            }
            if let Some(length) = length(&self.text.as_bytes()[at..]) {
                cleared |= ((1 << length) - if is_suffix { 1 } else { 2 }) << place;
                set |= 1 << (place + length);
                past.contraction_end = at + length + usize::from(is_suffix);
            }
        }
        (past.cleared, past.set) = ((cleared >> 64) as u64, (set >> 64) as u64);
        (cleared as u64, set as u64)
    }
}
