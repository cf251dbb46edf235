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

/// The number of a shingle that someone else has made.
pub(super) fn hash_of(shingle: &str) -> u32 {
    let bytes = shingle.as_bytes();
    let mut hash = bytes.len() as u64;
    for chunk in bytes.as_chunks::<16>().0 {
        hash = folded(hash, *chunk);
    }
    // The end once more, or all of it.
    let last = bytes.last_chunk().copied().unwrap_or_else(|| {
        let mut padded = [0; 16];
        padded[..bytes.len()].copy_from_slice(bytes);
        padded
    });
    (mixed(folded(hash, last)) >> 32) as u32
}

fn folded(hash: u64, chunk: [u8; 16]) -> u64 {
    let both = u128::from_le_bytes(chunk);
    #[allow(clippy::cast_possible_truncation)] // each half by itself
    let (low, high) = (both as u64 ^ hash, (both >> 64) as u64 ^ FACTOR);
    let product = u128::from(low) * u128::from(high);
    #[allow(clippy::cast_possible_truncation)]
    let halves = (product as u64, (product >> 64) as u64);
    halves.0 ^ halves.1 ^ hash.rotate_left(17)
}

/// A number whose every bit of the upper half depends on all of `value`.
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
        let mut numbers: Vec<u32> = (0..10_000)
            .map(|number| hash_of(&format!("{number} {}", "x".repeat(number % 20))))
            .collect();
        numbers.sort_unstable();
        numbers.dedup();
        assert!(numbers.len() > 9_980, "{}", numbers.len());
    }
}
