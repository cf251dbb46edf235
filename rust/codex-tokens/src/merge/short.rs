//! A word of up to 64 bytes: its ranks fit a few registers, so the smallest is found by looking at all of them.

#![expect(clippy::cast_possible_truncation, reason = "a place is below 64")]

use super::Merges;
use super::table::NO_RANK;

/// One bit for each symbol.
pub(crate) const LONGEST_SHORT_WORD_BYTES: usize = u64::BITS as usize;

/// Bits of a place in a word.
const PLACE_BITS: u32 = 6;

/// A rank in the upper bits and the place of its left symbol in the lower, so that the smallest is the lowest rank, the
/// leftmost of equals.
type Candidate = u32;

/// No merge here.
const NONE: Candidate = Candidate::MAX;

/// Candidates are compared so many at a time.
const LANES: usize = 8;

/// Appends the ids of a word of at most [`LONGEST_SHORT_WORD_BYTES`] to `out`.
///
/// A symbol stays at the place of its first byte; `alive` has a bit for each place that still begins one.
pub(crate) fn merge_short_word(word: &[u8], merges: &Merges, out: &mut Vec<u32>) {
    let mut ids = [0; LONGEST_SHORT_WORD_BYTES];
    let mut candidates = [NONE; LONGEST_SHORT_WORD_BYTES];
    for (id, &byte) in ids.iter_mut().zip(word) {
        *id = merges.byte_id(byte);
    }
    for (place, pair) in word.windows(2).enumerate() {
        candidates[place] = candidate(merges.byte_rank(pair[0], pair[1]), place);
    }
    let mut alive = u64::MAX.checked_shr(u64::BITS - word.len() as u32).unwrap_or(0);
    let used = word.len().next_multiple_of(LANES).min(LONGEST_SHORT_WORD_BYTES);
    loop {
        let lowest = lowest(&candidates[..used]);
        if lowest == NONE {
            break;
        }
        let (rank, left) = (lowest >> PLACE_BITS, (lowest % 64) as usize);
        let right = after(alive, left);
        alive &= !(1 << right);
        candidates[right] = NONE;
        ids[left] = merges.made(rank);
        let next = after(alive, left);
        candidates[left] = if next < LONGEST_SHORT_WORD_BYTES {
            candidate(merges.rank(ids[left], ids[next]), left)
        } else {
            NONE
        };
        if let Some(before) = before(alive, left) {
            candidates[before] = candidate(merges.rank(ids[before], ids[left]), before);
        }
    }
    while alive != 0 {
        out.push(ids[alive.trailing_zeros() as usize]);
        alive &= alive - 1;
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
