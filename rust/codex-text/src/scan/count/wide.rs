//! `count` by vectors of 32 bytes.
//!
//! A comparison gives -1 in each lane where it holds; subtracting it counts by lanes, and 255 vectors fit into a lane of eight bits.

use std::arch::x86_64::{
    __m256i, _mm256_adds_epu8, _mm256_and_si256, _mm256_cmpeq_epi8, _mm256_max_epu8, _mm256_movemask_epi8,
    _mm256_or_si256, _mm256_sad_epu8, _mm256_set1_epi8, _mm256_setr_epi8, _mm256_setzero_si256,
    _mm256_shuffle_epi8, _mm256_storeu_si256, _mm256_sub_epi8, _mm256_xor_si256,
};

use super::{Counts, count_one_by_one};
use crate::scan::vector::{load, prefetch_ahead};

const WIDTH: usize = 32;
/// Bytes looked at before the sums of eight bits are added up.
const RUN: usize = WIDTH * 255;

#[target_feature(enable = "avx2")]
pub(super) fn count(data: &[u8]) -> Counts {
    let mut counts = Counts {
        is_ascii: true,
        ..Counts::default()
    };
    let whole = data.len() - data.len() % WIDTH;
    let (vectors, rest) = data.split_at(whole);
    let (mut lf, mut cr, mut crlf) = (0, 0, 0);
    for (number, run) in vectors.chunks(RUN).enumerate() {
        let sums = Sums::of(run);
        counts.is_ascii &= sums.is_ascii;
        counts.leads += sums.leads;
        lf += sums.lf;
        cr += sums.cr;
        if sums.cr > 0 {
            crlf += pairs(run, data[number * RUN + run.len()..].first());
        }
        if sums.strange > 0 {
            let nuls = zeros(run);
            counts.controls += sums.strange - nuls.iter().sum::<u64>();
            for (sum, nuls) in counts.nuls.iter_mut().zip(nuls) {
                *sum += nuls;
            }
        }
    }
    // The vectors are a multiple of four bytes, so the rest begins at one too. Its first `\n` may end what they began.
    let last = count_one_by_one(rest);
    counts.is_ascii &= last.is_ascii;
    counts.leads += last.leads;
    counts.controls += last.controls;
    for (sum, nuls) in counts.nuls.iter_mut().zip(last.nuls) {
        *sum += nuls;
    }
    counts.newlines.lf = lf + last.newlines.lf - crlf;
    counts.newlines.cr = cr + last.newlines.cr - crlf;
    counts.newlines.crlf = crlf + last.newlines.crlf;
    counts
}

/// What one pass over a run counts.
struct Sums {
    is_ascii: bool,
    lf: u64,
    cr: u64,
    leads: u64,
    /// Controls that no text needs, and NUL.
    strange: u64,
}

impl Sums {
    #[target_feature(enable = "avx2")]
    fn of(run: &[u8]) -> Self {
        let zero = _mm256_setzero_si256();
        let (mut seen, mut lf, mut cr, mut leads, mut strange) = (zero, zero, zero, zero, zero);
        // Which of 00 to 0f are strange, then which of 10 to 1f.
        let first = both([-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, -1, 0, 0, -1, -1]);
        let second = both([-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 0, -1, -1, -1, -1]);
        let (to_table, flip) = (_mm256_set1_epi8(0x70), _mm256_set1_epi8(0x10));
        for chunk in run.as_chunks::<WIDTH>().0 {
            prefetch_ahead(chunk);
            let bytes = load(chunk);
            seen = _mm256_or_si256(seen, bytes);
            lf = _mm256_sub_epi8(lf, equal(bytes, b'\n'));
            cr = _mm256_sub_epi8(cr, equal(bytes, b'\r'));
            let lead = _mm256_set1_epi8(0xc0u8.cast_signed());
            leads = _mm256_sub_epi8(leads, _mm256_cmpeq_epi8(_mm256_max_epu8(bytes, lead), bytes));
            // A byte over 0f gets its highest bit set by the sum, and the shuffle gives 0 for it.
            let low = _mm256_shuffle_epi8(first, _mm256_adds_epu8(bytes, to_table));
            let flipped = _mm256_xor_si256(bytes, flip);
            let high = _mm256_shuffle_epi8(second, _mm256_adds_epu8(flipped, to_table));
            let found = _mm256_or_si256(_mm256_or_si256(low, high), equal(bytes, 0x7f));
            strange = _mm256_sub_epi8(strange, found);
        }
        Self {
            is_ascii: _mm256_movemask_epi8(seen) == 0,
            lf: sum(lf),
            cr: sum(cr),
            leads: sum(leads),
            strange: sum(strange),
        }
    }
}

/// How many `\r\n` begin in the run; `next` is the byte after it.
#[target_feature(enable = "avx2")]
fn pairs(run: &[u8], next: Option<&u8>) -> u64 {
    let mut found = _mm256_setzero_si256();
    let later = &run[1..];
    for (chunk, shifted) in run
        .as_chunks::<WIDTH>()
        .0
        .iter()
        .zip(later.as_chunks::<WIDTH>().0)
    {
        let ends = _mm256_and_si256(equal(load(chunk), b'\r'), equal(load(shifted), b'\n'));
        found = _mm256_sub_epi8(found, ends);
    }
    // The last vector has none that is shifted.
    let last = &run[run.len() - WIDTH..];
    let within = last.windows(2).filter(|pair| pair == b"\r\n").count() as u64;
    let across = last.last() == Some(&b'\r') && next == Some(&b'\n');
    sum(found) + within + u64::from(across)
}

/// The zero bytes of the run, by their offset modulo four.
#[target_feature(enable = "avx2")]
fn zeros(run: &[u8]) -> [u64; 4] {
    let mut found = _mm256_setzero_si256();
    for chunk in run.as_chunks::<WIDTH>().0 {
        found = _mm256_sub_epi8(found, equal(load(chunk), 0));
    }
    let mut lanes = [0u8; WIDTH];
    // SAFETY: the array is as long as a vector.
    #[expect(unsafe_code, reason = "a store is through a pointer")]
    unsafe {
        _mm256_storeu_si256(lanes.as_mut_ptr().cast(), found);
    }
    let mut nuls = [0; 4];
    for (lane, count) in lanes.into_iter().enumerate() {
        nuls[lane % 4] += u64::from(count);
    }
    nuls
}

#[target_feature(enable = "avx2")]
fn equal(bytes: __m256i, byte: u8) -> __m256i {
    _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(byte.cast_signed()))
}

/// The table for a shuffle, which looks into each half by itself.
#[target_feature(enable = "avx2")]
#[rustfmt::skip]
fn both(t: [i8; 16]) -> __m256i {
    _mm256_setr_epi8(
        t[0], t[1], t[2], t[3], t[4], t[5], t[6], t[7], t[8], t[9], t[10], t[11], t[12], t[13], t[14], t[15],
        t[0], t[1], t[2], t[3], t[4], t[5], t[6], t[7], t[8], t[9], t[10], t[11], t[12], t[13], t[14], t[15],
    )
}

/// All lanes of eight bits together.
#[target_feature(enable = "avx2")]
fn sum(lanes: __m256i) -> u64 {
    let words = _mm256_sad_epu8(lanes, _mm256_setzero_si256());
    let mut four = [0u64; 4];
    // SAFETY: the array is as long as a vector.
    #[expect(unsafe_code, reason = "a store is through a pointer")]
    unsafe {
        _mm256_storeu_si256(four.as_mut_ptr().cast(), words);
    }
    four.into_iter().sum()
}
