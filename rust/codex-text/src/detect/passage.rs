//! The bytes that readings are compared by, and where those outside ASCII are.

use super::model::NAT;

/// What it costs at most that a script other than Latin has few letters among many of ASCII.
const FEW_LIMIT: u32 = 6 * NAT;

/// Bytes that every encoding reads, with what it would otherwise find out again.
#[derive(Debug)]
pub(crate) struct Passage<'a> {
    pub(crate) bytes: &'a [u8],
    /// How many are outside ASCII.
    pub(crate) high: u32,
    /// What it costs by the bytes' numbers alone that those outside ASCII are letters of a script other than Latin.
    pub(crate) few: u32,
    /// A bit for each byte outside ASCII, and one behind the last byte.
    bits: Vec<u64>,
    /// How many are outside ASCII before each 64 bytes.
    before: Vec<u32>,
}

impl<'a> Passage<'a> {
    pub(crate) fn of(bytes: &'a [u8]) -> Self {
        let mut bits: Vec<u64> = bytes.chunks(64).map(high_bits).collect();
        let mut high = 0;
        let mut before = Vec::with_capacity(bits.len() + 1);
        for word in &bits {
            before.push(high);
            high += word.count_ones();
        }
        before.push(high);
        bits.resize(bytes.len() / 64 + 1, 0);
        bits[bytes.len() / 64] |= 1 << (bytes.len() % 64);
        Self {
            bytes,
            high,
            few: (count_letters(bytes) * NAT / (2 * high.max(1))).min(FEW_LIMIT),
            bits,
            before,
        }
    }

    /// Where the next byte outside ASCII is, from `at` on; the end if there is none.
    #[inline]
    pub(crate) fn next_high(&self, at: usize) -> usize {
        let mut place = at / 64;
        let mut word = self.bits[place] >> (at % 64) << (at % 64);
        while word == 0 {
            place += 1;
            word = self.bits[place];
        }
        64 * place + word.trailing_zeros() as usize
    }

    /// How many bytes outside ASCII there are from `at` on, which is before the end or at it.
    pub(crate) fn high_from(&self, at: usize) -> u32 {
        let passed = self.bits[at / 64] & ((1 << (at % 64)) - 1);
        self.high - self.before[at / 64] - passed.count_ones()
    }
}

/// A bit for each of at most 64 bytes that is outside ASCII, the first in the lowest.
fn high_bits(bytes: &[u8]) -> u64 {
    let (eights, rest) = bytes.as_chunks::<8>();
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    let of_eight = |eight: &[u8; 8]| {
        // The product moves the highest bit of each byte into the highest byte.
        let highest = u64::from_le_bytes(*eight) >> 7 & 0x0101_0101_0101_0101;
        highest.wrapping_mul(0x0102_0408_1020_4080) >> 56
    };
    let all = eights.iter().chain([&last]).take(8);
    (0..)
        .zip(all)
        .map(|(place, eight)| of_eight(eight) << (8 * place))
        .sum()
}

fn count_letters(bytes: &[u8]) -> u32 {
    let count = |run: &[u8]| {
        run.iter()
            .map(|byte| u8::from(byte.is_ascii_alphabetic()))
            .sum::<u8>()
    };
    bytes.chunks(255).map(|run| u32::from(count(run))).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dice::dice;

    #[test]
    fn every_byte_outside_ascii_is_found_from_every_place() {
        let mut random = dice(5);
        for length in (0..70).chain([127, 128, 129, 300]) {
            for one_in in [1, 2, 20, 1000] {
                let bytes: Vec<u8> = (0..length)
                    .map(|_| if random(one_in) == 0 { 0xe9 } else { b'a' })
                    .collect();
                let passage = Passage::of(&bytes);
                let high = |bytes: &[u8]| bytes.iter().map(|byte| u32::from(byte >> 7)).sum::<u32>();
                assert_eq!(passage.high, high(&bytes));
                for at in 0..=length {
                    assert_eq!(passage.high_from(at), high(&bytes[at..]));
                    let found = bytes[at..].iter().position(|byte| *byte == 0xe9);
                    assert_eq!(passage.next_high(at), found.map_or(length, |past| at + past));
                }
            }
        }
    }

    #[test]
    fn few_letters_of_another_script_cost_up_to_a_limit() {
        for (bytes, cost) in [
            (&b"\xe9\xe9"[..], 0),
            (b"ab\xe9 1", NAT),
            (b"", 0),
            (&[b'a'; 99], FEW_LIMIT),
        ] {
            assert_eq!(Passage::of(bytes).few, cost, "{bytes:x?}");
        }
    }
}
