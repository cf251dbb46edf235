//! A text as runs of words, each run a number.
//!
//! Words are letters, digits and underscores, capitals of ASCII made small; of scripts without spaces between words, every
//! character is one. What stands between words does not count, so a text laid out anew has the shingles it had.

/// Odd, without a pattern: the golden ratio.
const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
/// What the words of a run are weighed with.
const BASE: u64 = 0xd134_2543_de82_ef95;

/// Makes shingles of one text after the other.
pub(crate) struct Shingles {
    words: usize,
    /// `BASE` to the power of `words`: the weight of the word that leaves a run.
    leaving: u64,
    hashes: Vec<u64>,
    runs: Vec<u32>,
}

impl Shingles {
    pub(crate) fn new(words: usize) -> Self {
        Self {
            words,
            leaving: (0..words).fold(1, |weight: u64, _| weight.wrapping_mul(BASE)),
            hashes: Vec::new(),
            runs: Vec::new(),
        }
    }

    /// The runs of words of `text`; all words as one run if they are fewer, none if there is no word.
    pub(super) fn of(&mut self, text: &str) -> &[u32] {
        let mut runs = std::mem::take(&mut self.runs);
        runs.clear();
        self.each(text, |run| runs.push((run >> 32) as u32));
        self.runs = runs;
        &self.runs
    }

    /// Hands over the runs of words of `text`, each a number of 64 bits.
    pub(crate) fn each(&mut self, text: &str, mut each: impl FnMut(u64)) {
        self.hashes.clear();
        hash_words(text.as_bytes(), &mut self.hashes);
        let mut run = 0_u64;
        for (place, &word) in self.hashes.iter().enumerate() {
            run = run.wrapping_mul(BASE).wrapping_add(word);
            if place >= self.words {
                let left = self.hashes[place - self.words];
                run = run.wrapping_sub(left.wrapping_mul(self.leaving));
            }
            if place + 1 >= self.words {
                each(mixed(run));
            }
        }
        if (1..self.words).contains(&self.hashes.len()) {
            each(mixed(run));
        }
    }
}

/// Adds the numbers of shingles that someone else has made.
pub(super) fn hash_all(shingles: &[&str], numbers: &mut Vec<u32>) {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: it has just been seen that the processor has AVX2.
        #[expect(unsafe_code, reason = "the processor's own instructions")]
        return unsafe { hash_all_by_avx2(shingles, numbers) };
    }
    hash_one_by_one(shingles, numbers);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn hash_all_by_avx2(shingles: &[&str], numbers: &mut Vec<u32>) {
    hash_one_by_one(shingles, numbers);
}

#[allow(clippy::inline_always)] // else it is compiled once, without AVX2
#[inline(always)]
fn hash_one_by_one(shingles: &[&str], numbers: &mut Vec<u32>) {
    let start = numbers.len();
    numbers.resize(start + shingles.len(), 0);
    for (number, shingle) in numbers[start..].iter_mut().zip(shingles) {
        *number = hash_of(shingle);
    }
}

/// The number of one of them.
///
/// Four pieces of the last 64 bytes, over one another where there are fewer: a guess about the length would be wrong as often as
/// right. What stands before is taken 64 bytes at a time.
#[allow(clippy::inline_always)] // else it is compiled once, without AVX2
#[inline(always)]
fn hash_of(shingle: &str) -> u32 {
    let bytes = shingle.as_bytes();
    let mut hash = bytes.len() as u64;
    for [first, second, third, fourth] in bytes.as_chunks::<PIECE_BYTES>().0.as_chunks().0 {
        hash = hash.wrapping_mul(FACTOR) ^ products([first, second, third, fourth]);
    }
    let last = &bytes[bytes.len().saturating_sub(4 * PIECE_BYTES)..];
    let from = |start: usize| last[start..].first_chunk();
    let sum = if let (Some(first), Some(fourth)) = (from(0), last.last_chunk()) {
        let second = from(PIECE_BYTES.min(last.len() - PIECE_BYTES));
        let third = from(last.len().saturating_sub(2 * PIECE_BYTES));
        products([first, second.unwrap_or(first), third.unwrap_or(first), fourth])
    } else {
        let mut padded = [0; PIECE_BYTES];
        padded[..last.len()].copy_from_slice(last);
        products([&padded; 4])
    };
    (mixed(hash.wrapping_mul(FACTOR) ^ sum) >> 32) as u32
}

const PIECE_BYTES: usize = 16;

/// What is added to the numbers of pieces: the golden ratio, its bits shifted through.
static WEIGHTS: [[u32; 4]; 4] = {
    let mut weights = [[0; 4]; 4];
    let mut number = 0;
    while number < 16 {
        #[allow(clippy::cast_possible_truncation)] // its lower half
        let weight = FACTOR.rotate_left(11 * number) as u32;
        weights[number as usize / 4][number as usize % 4] = weight;
        number += 1;
    }
    weights
};

/// The sum of products of neighbours, numbers of 32 bits with their weights. (Black and others 1999, "UMAC", section 4.)
#[inline]
fn products(pieces: [&[u8; PIECE_BYTES]; 4]) -> u64 {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: every x86-64 has SSE2.
    #[expect(unsafe_code, reason = "the processor's own instructions")]
    return unsafe { products_by_sse2(pieces) };
    #[cfg(not(target_arch = "x86_64"))]
    return products_one_by_one(pieces);
}

#[cfg(any(test, not(target_arch = "x86_64")))]
fn products_one_by_one(pieces: [&[u8; PIECE_BYTES]; 4]) -> u64 {
    let of = |piece: &[u8; PIECE_BYTES], weights: &[u32; 4]| {
        let (words, _) = piece.as_chunks::<4>();
        let number = |at: usize| u64::from(u32::from_le_bytes(words[at]).wrapping_add(weights[at]));
        (number(0) * number(1)).wrapping_add(number(2) * number(3))
    };
    let sums = pieces
        .iter()
        .zip(&WEIGHTS)
        .map(|(piece, weights)| of(piece, weights));
    sums.fold(0, u64::wrapping_add)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "sse2")]
#[inline]
fn products_by_sse2(pieces: [&[u8; PIECE_BYTES]; 4]) -> u64 {
    use std::arch::x86_64::{
        _mm_add_epi32, _mm_add_epi64, _mm_cvtsi128_si64, _mm_loadu_si128, _mm_mul_epu32, _mm_setzero_si128,
        _mm_srli_epi64, _mm_unpackhi_epi64,
    };

    let mut sum = _mm_setzero_si128();
    for (piece, weights) in pieces.into_iter().zip(&WEIGHTS) {
        // SAFETY: both have the 16 bytes that are loaded, wherever they lie.
        #[expect(unsafe_code, reason = "the processor's own instructions")]
        let (piece, weights) = unsafe {
            (
                _mm_loadu_si128(piece.as_ptr().cast()),
                _mm_loadu_si128(weights.as_ptr().cast()),
            )
        };
        let numbers = _mm_add_epi32(piece, weights);
        sum = _mm_add_epi64(sum, _mm_mul_epu32(numbers, _mm_srli_epi64::<32>(numbers)));
    }
    let both = _mm_add_epi64(sum, _mm_unpackhi_epi64(sum, sum));
    _mm_cvtsi128_si64(both).cast_unsigned()
}

/// A number whose every bit of the upper half depends on all of `value`.
#[inline]
fn mixed(value: u64) -> u64 {
    let value = (value ^ (value >> 32)).wrapping_mul(FACTOR);
    (value ^ (value >> 29)).wrapping_mul(BASE)
}

/// What a byte is to a word.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Kind {
    Between,
    Letter,
    /// The first byte of a character that is a word of its own, and how many follow.
    Alone(u8),
}

static KINDS: [Kind; 256] = {
    let mut kinds = [Kind::Between; 256];
    let mut byte = 0;
    while byte < 256 {
        #[allow(clippy::cast_possible_truncation)] // below 256
        let kind = match byte as u8 {
            // From 0x80 on, bytes within characters and the first ones of alphabets.
            b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'_' | 0x80..=0xc1 | 0xc3..=0xe1 => Kind::Letter,
            0xe3..=0xef => Kind::Alone(2),
            0xf0..=0xff => Kind::Alone(3),
            // Also 0xc2, which begins the signs of Latin-1, and 0xe2: dashes, quotes, arrows.
            _ => Kind::Between,
        };
        kinds[byte] = kind;
        byte += 1;
    }
    kinds
};

/// Adds the number of every word.
fn hash_words(text: &[u8], hashes: &mut Vec<u64>) {
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        match KINDS[usize::from(byte)] {
            Kind::Between => {
                at += if byte == 0xc2 {
                    2
                } else if byte == 0xe2 {
                    3
                } else {
                    1
                }
            }
            Kind::Alone(following) => {
                let end = at + 1 + usize::from(following);
                hashes.push(text[at..end].iter().fold(0, |hash, byte| added(hash, *byte)));
                at = end;
            }
            Kind::Letter => {
                let mut hash = 0;
                while let Some(&byte) = text.get(at)
                    && KINDS[usize::from(byte)] == Kind::Letter
                {
                    hash = added(hash, byte.to_ascii_lowercase());
                    at += 1;
                }
                hashes.push(hash ^ (hash >> 32));
            }
        }
    }
}

fn added(hash: u64, byte: u8) -> u64 {
    (hash.rotate_left(5) ^ u64::from(byte)).wrapping_mul(FACTOR)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<u64> {
        let mut hashes = Vec::new();
        hash_words(text.as_bytes(), &mut hashes);
        hashes
    }

    #[test]
    fn words_are_the_same_however_they_are_laid_out() {
        for (one, other) in [
            ("Hello, world_1!", "hello\n\t world_1"),
            ("“dash” – and…", "dash and"),
            ("Привет, мир", "Привет мир"),
            ("a\u{a0}b", "a b"),
        ] {
            assert_eq!(words(one), words(other), "{one}");
        }
        assert_eq!(words("a b c").len(), 3);
        assert_eq!(words("中文字 한글").len(), 5);
        assert_eq!(words("สวัสดี").len(), 1);
        assert_eq!(words("😀😀").len(), 2);
        assert_eq!(words(" ...\n").len(), 0);
        assert_ne!(words("ab"), words("ba"));
    }

    #[test]
    fn a_run_is_the_number_of_its_words_wherever_it_stands() {
        let mut shingles = Shingles::new(3);
        let alone = shingles.of("two three four").to_vec();
        assert_eq!(alone.len(), 1);
        let all = shingles.of("one two three four five").to_vec();
        assert_eq!(all.len(), 3);
        assert_eq!(all[1], alone[0]);
        assert_eq!(shingles.of("one two").len(), 1);
        assert_ne!(shingles.of("one two").to_vec(), shingles.of("two one").to_vec());
        assert!(shingles.of("...").is_empty());
    }

    #[test]
    fn other_shingles_are_other_numbers() {
        // The same letters in another order and number too; what differs stands anywhere.
        let of = |number: usize| {
            let (before, behind) = ("x".repeat(number % 97), "x".repeat(number % 53));
            [before.as_str(), &number.to_string(), &behind].concat()
        };
        let mut numbers: Vec<u32> = (0..100_000).map(|number| hash_of(&of(number))).collect();
        numbers.extend((0..200).map(|length| hash_of(&"x".repeat(length))));
        numbers.sort_unstable();
        let all = numbers.len();
        numbers.dedup();
        // Of as many numbers of 32 bits, one pair is the same by chance.
        assert!(numbers.len() > all - 8, "{}", all - numbers.len());
    }

    #[cfg(target_arch = "x86_64")]
    #[test]
    fn products_are_the_same_by_any_instructions() {
        let bytes: Vec<u8> = (0..250_u8)
            .flat_map(|at| [at, at.wrapping_mul(at), !at, 7])
            .collect();
        for start in 0..bytes.len() - 64 {
            let piece = |number: usize| bytes[start + 16 * number..].first_chunk().expect("there are 64");
            let pieces = [piece(0), piece(1), piece(2), piece(3)];
            assert_eq!(products(pieces), products_one_by_one(pieces));
        }
    }
}
