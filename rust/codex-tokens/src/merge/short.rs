//! A word of up to 64 symbols: its ranks fit a few registers, so the smallest is found by looking at all of them.

#![expect(clippy::cast_possible_truncation, reason = "a place is below 64")]

use super::Merges;
use super::pairs::NO_RANK;

/// One bit for each symbol.
pub(crate) const LONGEST_SHORT_WORD: usize = u64::BITS as usize;

/// Bits of a place in a word.
const PLACE_BITS: u32 = 6;

/// A rank in the upper bits and the place of its left symbol in the lower, so that the smallest is the lowest rank, the
/// leftmost of equals.
type Candidate = u32;

/// No merge here.
const NONE: Candidate = Candidate::MAX;

/// Candidates are compared so many at a time.
const LANES: usize = 8;

/// A short word in the making. A symbol stays at the place of its first part; `alive` has a bit for each place that still
/// begins one.
pub(crate) struct Short {
    numbers: [u32; LONGEST_SHORT_WORD],
    candidates: [Candidate; LONGEST_SHORT_WORD],
    length: usize,
}

impl Short {
    /// A word of at most [`LONGEST_SHORT_WORD`] bytes.
    #[inline]
    pub(crate) fn of_bytes(word: &[u8], merges: &Merges) -> Self {
        let mut short = Self::of_length(word.len());
        for (number, &byte) in short.numbers.iter_mut().zip(word) {
            *number = merges.byte_number(byte);
        }
        for (place, pair) in word.windows(2).enumerate() {
            short.candidates[place] = candidate(merges.byte_rank(pair[0], pair[1]), place);
        }
        short
    }

    /// A word of at most [`LONGEST_SHORT_WORD`] symbols.
    #[inline]
    pub(crate) fn of_numbers(numbers: impl Iterator<Item = u32>, merges: &Merges) -> Self {
        let mut short = Self::of_length(0);
        let mut last = 0;
        for (place, number) in numbers.take(LONGEST_SHORT_WORD).enumerate() {
            short.numbers[place] = number;
            if let Some(before) = place.checked_sub(1) {
                short.candidates[before] = candidate(merges.rank(last, number), before);
            }
            last = number;
            short.length = place + 1;
        }
        short
    }

    fn of_length(length: usize) -> Self {
        Self {
            numbers: [0; LONGEST_SHORT_WORD],
            candidates: [NONE; LONGEST_SHORT_WORD],
            length,
        }
    }

    /// Gives the number of each id that the word is merged to, and the place of its first symbol.
    #[inline]
    pub(crate) fn merge(mut self, merges: &Merges, emit: impl FnMut(u32, usize)) {
        #[cfg(target_arch = "x86_64")]
        {
            use std::arch::is_x86_feature_detected as has;
            if has!("avx2") && has!("bmi1") && has!("bmi2") && has!("lzcnt") {
                // SAFETY: the processor has what the function is compiled for.
                #[expect(unsafe_code, reason = "the compiler cannot know the processor")]
                return unsafe { self.merge_by_wide_vectors(merges, emit) };
            }
        }
        self.merge_by_any_means(merges, emit);
    }

    /// The same, compiled for processors whose vectors compare eight candidates at once.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt")]
    fn merge_by_wide_vectors(&mut self, merges: &Merges, emit: impl FnMut(u32, usize)) {
        self.merge_by_any_means(merges, emit);
    }

    #[expect(
        clippy::inline_always,
        reason = "what is inlined is compiled for the processor that its caller is compiled for"
    )]
    #[inline(always)]
    fn merge_by_any_means(&mut self, merges: &Merges, mut emit: impl FnMut(u32, usize)) {
        let Self {
            numbers,
            candidates,
            length,
        } = self;
        let mut alive = u64::MAX.checked_shr(u64::BITS - *length as u32).unwrap_or(0);
        let used = length.next_multiple_of(LANES).min(LONGEST_SHORT_WORD);
        loop {
            let lowest = lowest(&candidates[..used]);
            if lowest == NONE {
                break;
            }
            let (rank, left) = (lowest >> PLACE_BITS, (lowest % 64) as usize);
            let right = after(alive, left);
            alive &= !(1 << right);
            candidates[right] = NONE;
            numbers[left] = merges.made(rank);
            let next = after(alive, left);
            candidates[left] = if next < LONGEST_SHORT_WORD {
                candidate(merges.rank(numbers[left], numbers[next]), left)
            } else {
                NONE
            };
            if let Some(before) = before(alive, left) {
                candidates[before] = candidate(merges.rank(numbers[before], numbers[left]), before);
            }
        }
        while alive != 0 {
            let place = alive.trailing_zeros() as usize;
            emit(numbers[place], place);
            alive &= alive - 1;
        }
    }
}

fn candidate(rank: u32, place: usize) -> Candidate {
    if rank == NO_RANK {
        NONE
    } else {
        rank << PLACE_BITS | place as u32
    }
}

/// The smallest of `candidates`, whose number is a multiple of [`LANES`].
fn lowest(candidates: &[Candidate]) -> Candidate {
    let mut lowest = [NONE; LANES];
    for lanes in candidates.chunks_exact(LANES) {
        for (low, &candidate) in lowest.iter_mut().zip(lanes) {
            *low = candidate.min(*low);
        }
    }
    lowest.into_iter().min().unwrap_or(NONE)
}

/// The next place alive after `place`, 64 if there is none.
fn after(alive: u64, place: usize) -> usize {
    (alive & (u64::MAX << place << 1)).trailing_zeros() as usize
}

/// The last place alive before `place`.
fn before(alive: u64, place: usize) -> Option<usize> {
    (alive & ((1 << place) - 1))
        .checked_ilog2()
        .map(|found| found as usize)
}
