//! A word of up to 64 symbols: its ranks fit a few registers, so the smallest is found by looking at all of them.

#![expect(clippy::cast_possible_truncation, reason = "a place is below 64")]
#![expect(
    clippy::inline_always,
    reason = "what is inlined is compiled for the processor that its caller is compiled for"
)]

use super::Merges;
use super::pairs::{NO_RANK, Place};

/// One bit for each symbol.
pub(crate) const LONGEST_SHORT_WORD: usize = u64::BITS as usize;

/// Bits of a place in a word.
const PLACE_BITS: u32 = 6;

/// Bytes of a character that is a symbol.
const LONGEST_CHARACTER: usize = 3;

/// A rank in the upper bits and the place of its left symbol in the lower, so that the smallest is the lowest rank, the
/// leftmost of equals.
type Candidate = u32;

/// Candidates are compared so many at a time.
const LANES: usize = 8;
type Lanes = [Candidate; LANES];

/// Of words that are merged side by side so many candidates are compared even if they are fewer: few words have more, so how
/// often it goes on is foretold.
const FORETOLD: usize = 2 * LANES;

/// Candidates from this one on are none.
const NONE: Candidate = NO_RANK << PLACE_BITS;

/// Places of the arrays: those of the symbols come second, behind one that stands for what is before the first symbol, and before
/// one that stands for what is behind the last.
const PLACES: usize = LONGEST_SHORT_WORD + FORETOLD;

/// Words merged side by side: while the memory of one is on its way, the others go on.
pub(crate) const TOGETHER: usize = 32;

/// A short word in the making. A symbol stays at the place of its first part; `alive` has a bit for each place that still
/// begins one.
#[derive(Clone, Debug)]
pub(crate) struct Short {
    /// By place, counted from 1.
    numbers: [u32; PLACES],
    candidates: [Candidate; PLACES],
    length: usize,
    alive: u64,
    /// The memory that holds its first candidates has been asked for, no more.
    lacks_ranks: bool,
}

/// Two symbols have become one, and what can now become of it and its neighbours is being looked for.
#[derive(Clone, Copy, Default)]
struct Joined {
    /// The word, and where in it the candidates of the two pairs go.
    word: usize,
    at: [usize; 2],
    /// What is looked for.
    pairs: [Place; 2],
}

impl Default for Short {
    fn default() -> Self {
        Self {
            numbers: [0; PLACES],
            candidates: [NONE; PLACES],
            length: 0,
            alive: 0,
            lacks_ranks: false,
        }
    }
}

impl Short {
    /// Begins a word of at most [`LONGEST_SHORT_WORD`] symbols, or says that it has more.
    #[inline]
    pub(crate) fn begin_numbers(&mut self, numbers: impl Iterator<Item = u32>, merges: &Merges) -> bool {
        let mut length = 0;
        for number in numbers {
            if length == LONGEST_SHORT_WORD {
                return false;
            }
            length += 1;
            self.numbers[length] = number;
        }
        self.begin_unranked(length, merges);
        true
    }

    /// The same of a word of bytes that begins as its characters.
    #[inline]
    pub(crate) fn begin_characters(&mut self, word: &[u8], merges: &Merges) -> bool {
        if word.len() > LONGEST_CHARACTER * LONGEST_SHORT_WORD {
            return false;
        }
        let mut length = 0;
        merges.each_character(word, |number| {
            length += 1;
            if let Some(place) = self.numbers.get_mut(length) {
                *place = number;
            }
        });
        let is_short = length <= LONGEST_SHORT_WORD;
        if is_short {
            self.begin_unranked(length, merges);
        }
        is_short
    }

    /// All symbols are there. What their pairs are is asked when all words have been begun.
    fn begin_unranked(&mut self, length: usize, merges: &Merges) {
        self.begin(length);
        for pair in self.numbers[1..=length].windows(2) {
            merges.table.seek(pair[0], pair[1], true);
        }
        self.lacks_ranks = true;
    }

    /// Begins a word of bytes.
    #[inline]
    pub(crate) fn begin_bytes(&mut self, word: &[u8], merges: &Merges) -> bool {
        if word.len() > LONGEST_SHORT_WORD {
            return false;
        }
        for (number, &byte) in self.numbers[1..].iter_mut().zip(word) {
            *number = merges.byte_number(byte);
        }
        for (place, pair) in word.windows(2).enumerate() {
            self.candidates[place + 1] = candidate(merges.byte_rank(pair[0], pair[1]), place);
        }
        self.begin(word.len());
        true
    }

    /// All symbols are there, and what is behind them.
    fn begin(&mut self, length: usize) {
        self.candidates[length.max(1)..][..FORETOLD].fill(NONE);
        self.length = length;
        self.lacks_ranks = false;
        self.alive = u64::MAX.checked_shr(u64::BITS - length as u32).unwrap_or(0);
    }

    /// Looks at all pairs of symbols.
    #[inline(always)]
    fn rank(&mut self, merges: &Merges) {
        for place in 1..self.length {
            let pair = merges
                .table
                .seek(self.numbers[place], self.numbers[place + 1], true);
            self.candidates[place] = candidate(merges.table.rank_at(pair), place - 1);
        }
    }

    /// The number of each id that the word has been merged to, and the place of its first symbol.
    #[inline]
    pub(crate) fn numbers(&self) -> impl Iterator<Item = (u32, usize)> {
        let mut alive = self.alive;
        std::iter::from_fn(move || {
            let place = alive.trailing_zeros() as usize;
            alive &= alive.wrapping_sub(1);
            (place < LONGEST_SHORT_WORD).then(|| (self.numbers[place + 1], place))
        })
    }

    /// Joins the pair that was learnt first, if there is one; `least` candidates are compared, by `lowest`.
    #[inline(always)]
    fn join(
        &mut self,
        least: usize,
        merges: &Merges,
        lowest: impl Fn(&[Lanes]) -> Candidate,
    ) -> Option<Joined> {
        let used = self.length.max(least).div_ceil(LANES);
        let lowest = lowest(&self.candidates.as_chunks().0[..used]);
        if lowest >= NONE {
            return None;
        }
        let (rank, left) = (lowest >> PLACE_BITS, (lowest % 64) as usize);
        let behind = u64::MAX << left << 1;
        let right = (self.alive & behind).trailing_zeros() as usize % 64;
        self.alive &= !(1 << right);
        self.candidates[right + 1] = NONE;
        let next = (self.alive & behind).trailing_zeros() as usize + 1;
        let before = (u64::BITS - (self.alive & !behind & !(1 << left)).leading_zeros()) as usize;
        let made = merges.made(rank);
        self.numbers[left + 1] = made;
        Some(Joined {
            word: 0,
            at: [before, left + 1],
            pairs: [
                merges.table.seek(self.numbers[before], made, before > 0),
                merges
                    .table
                    .seek(made, self.numbers[next], next <= LONGEST_SHORT_WORD),
            ],
        })
    }

    /// Looks at the two pairs that have come about.
    #[inline(always)]
    fn look_at(&mut self, joined: &Joined, merges: &Merges) {
        for (at, pair) in joined.at.into_iter().zip(joined.pairs) {
            self.candidates[at] = candidate(merges.table.rank_at(pair), at.wrapping_sub(1) % 64);
        }
    }
}

/// Merges `words`, which have been begun.
#[inline]
pub(crate) fn merge_short(words: &mut [Short], merges: &Merges) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::is_x86_feature_detected as has;
        if has!("avx2") && has!("bmi1") && has!("bmi2") && has!("lzcnt") {
            // SAFETY: the processor has what the function is compiled for.
            #[expect(unsafe_code, reason = "the compiler cannot know the processor")]
            return unsafe { merge_by_wide_vectors(words, merges) };
        }
    }
    merge_by(words, merges, lowest);
}

/// The same, compiled for processors whose vectors compare eight candidates at once.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt")]
fn merge_by_wide_vectors(words: &mut [Short], merges: &Merges) {
    merge_by(words, merges, |candidates| lowest_by_wide_vectors(candidates));
}

/// Merges `words`, their candidates compared by `lowest`.
#[inline(always)]
fn merge_by(words: &mut [Short], merges: &Merges, lowest: impl Fn(&[Lanes]) -> Candidate) {
    for words in words.chunks_mut(TOGETHER) {
        // Those that are not done come first.
        let mut joined = [Joined::default(); TOGETHER];
        for (word, joined) in joined.iter_mut().enumerate() {
            joined.word = word;
        }
        for word in words.iter_mut().filter(|word| word.lacks_ranks) {
            word.rank(merges);
        }
        let mut open = words.len();
        let least = if open > 1 { FORETOLD } else { 0 };
        while open > 0 {
            let mut still_open = 0;
            for at in 0..open {
                let word = joined[at].word;
                if let Some(now) = words[word].join(least, merges, &lowest) {
                    joined[still_open] = Joined { word, ..now };
                    still_open += 1;
                }
            }
            open = still_open;
            for joined in &joined[..open] {
                words[joined.word].look_at(joined, merges);
            }
        }
    }
}

#[inline(always)]
fn candidate(rank: u32, place: usize) -> Candidate {
    rank << PLACE_BITS | place as u32
}

/// The smallest of `candidates`.
fn lowest(candidates: &[Lanes]) -> Candidate {
    candidates.as_flattened().iter().copied().min().unwrap_or(NONE)
}

/// The same, eight at once: written out, for whether the compiler does it depends on what it has compiled before.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn lowest_by_wide_vectors(candidates: &[Lanes]) -> Candidate {
    use std::arch::x86_64::{
        _mm_cvtsi128_si32, _mm_min_epu32, _mm_shuffle_epi32, _mm256_castsi256_si128,
        _mm256_extracti128_si256, _mm256_loadu_si256, _mm256_min_epu32, _mm256_set1_epi32,
    };
    let mut lowest = _mm256_set1_epi32(NONE.cast_signed());
    for lanes in candidates {
        // SAFETY: an array of eight numbers is as long as the vector, which may begin anywhere.
        #[expect(unsafe_code, reason = "arrays become vectors by their address")]
        let lanes = unsafe { _mm256_loadu_si256(lanes.as_ptr().cast()) };
        lowest = _mm256_min_epu32(lowest, lanes);
    }
    let lowest = _mm_min_epu32(
        _mm256_castsi256_si128(lowest),
        _mm256_extracti128_si256::<1>(lowest),
    );
    let lowest = _mm_min_epu32(lowest, _mm_shuffle_epi32::<0b01_00_11_10>(lowest));
    let lowest = _mm_min_epu32(lowest, _mm_shuffle_epi32::<0b10_11_00_01>(lowest));
    _mm_cvtsi128_si32(lowest).cast_unsigned()
}
