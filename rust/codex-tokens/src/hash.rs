//! A word as a number, and hashes of words: what tables of words go by.

#![expect(
    clippy::inline_always,
    reason = "what is inlined is compiled for the processor that its caller is compiled for"
)]

/// Words of so many bytes can be a number.
pub(crate) const LONGEST_NUMBER_BYTES: usize = 15;

/// So many lower bytes.
const LOWER: [u128; LONGEST_NUMBER_BYTES + 1] = {
    let mut lower = [0; LONGEST_NUMBER_BYTES + 1];
    let mut length = 1;
    while length <= LONGEST_NUMBER_BYTES {
        lower[length] = lower[length - 1] << 8 | 0xff;
        length += 1;
    }
    lower
};

/// The `length` bytes of `text` from `start` on, of which there are at most [`LONGEST_NUMBER_BYTES`], and on top their number.
#[inline(always)]
pub(crate) fn number_of(text: &[u8], start: usize, length: usize) -> u128 {
    let bytes = if let Some(bytes) = text.get(start..start + 16).and_then(|bytes| bytes.first_chunk()) {
        *bytes
    } else {
        let mut bytes = [0; 16];
        bytes[..length].copy_from_slice(&text[start..start + length]);
        bytes
    };
    u128::from_le_bytes(bytes) & LOWER[length] | (length as u128) << 120
}

/// A hash of a word that is a number.
#[inline(always)]
pub(crate) fn hash_of_number(number: u128) -> u64 {
    mix(0, number)
}

/// A hash of a word of any length.
pub(crate) fn hash_of(word: &[u8]) -> u64 {
    word.chunks(16).fold(word.len() as u64, |hash, chunk| {
        let mut bytes = [0; 16];
        bytes[..chunk.len()].copy_from_slice(chunk);
        mix(hash, u128::from_le_bytes(bytes))
    })
}

/// A hash of `state` and `word`: the two halves of one wide product folded together.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "halves are taken")]
fn mix(state: u64, word: u128) -> u64 {
    let low = word as u64 ^ state ^ 0x9e37_79b9_7f4a_7c15;
    let high = (word >> 64) as u64 ^ 0xd1b5_4a32_d192_ed03;
    let product = u128::from(low) * u128::from(high);
    product as u64 ^ (product >> 64) as u64
}
