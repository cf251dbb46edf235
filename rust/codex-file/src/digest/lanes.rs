//! SHA-256 of many byte strings, two at a time: a round waits for the one before it, and the processor does one of another meanwhile.

use std::arch::x86_64::{
    __m128i, _mm_add_epi32, _mm_alignr_epi8, _mm_extract_epi32, _mm_set_epi32, _mm_set_epi64x,
    _mm_sha256msg1_epu32, _mm_sha256msg2_epu32, _mm_sha256rnds2_epu32, _mm_shuffle_epi8, _mm_shuffle_epi32,
};

const LANES: usize = 2;
const BLOCK_BYTES: usize = 64;

type Block = [u8; BLOCK_BYTES];
/// The words f, e, b, a and h, g, d, c, as the instructions want them.
type State = [__m128i; 2];

/// Whether the processor has what [`digest_each`] needs.
pub(super) fn are_there() -> bool {
    use std::arch::is_x86_feature_detected as has;
    has!("sha") && has!("ssse3") && has!("sse4.1")
}

/// One of the strings on its way.
struct Lane<'a> {
    number: usize,
    /// Whole blocks that were not taken yet, and those of the end: its last bytes, the padding, its length.
    blocks: &'a [Block],
    end: [Block; 2],
    end_taken: usize,
    end_blocks: usize,
    state: State,
}

impl<'a> Lane<'a> {
    #[target_feature(enable = "sse2")]
    fn new(number: usize, text: &'a [u8]) -> Self {
        let (blocks, rest) = text.as_chunks();
        let end_blocks = if rest.len() + 9 > BLOCK_BYTES { 2 } else { 1 };
        let mut end = [[0; BLOCK_BYTES]; 2];
        let bytes = end.as_flattened_mut();
        bytes[..rest.len()].copy_from_slice(rest);
        bytes[rest.len()] = 0x80;
        let length = (text.len() as u64 * 8).to_be_bytes();
        bytes[end_blocks * BLOCK_BYTES - 8..end_blocks * BLOCK_BYTES].copy_from_slice(&length);
        Self {
            number,
            blocks,
            end,
            end_taken: 0,
            end_blocks,
            state: initial(),
        }
    }

    /// Blocks that lie one behind the other.
    fn ready(&self) -> &[Block] {
        if self.blocks.is_empty() {
            &self.end[self.end_taken..self.end_blocks]
        } else {
            self.blocks
        }
    }

    fn take(&mut self, count: usize) {
        if self.blocks.is_empty() {
            self.end_taken += count;
        } else {
            self.blocks = &self.blocks[count..];
        }
    }
}

/// The SHA-256 of each of `texts`.
#[target_feature(enable = "sha,sse2,ssse3,sse4.1")]
pub(super) fn digest_each(texts: &[&[u8]]) -> Vec<[u8; 32]> {
    let mut digests = vec![[0; 32]; texts.len()];
    let mut waiting = texts.iter().enumerate();
    let mut lanes: [Option<Lane<'_>>; LANES] = [None, None];
    loop {
        for lane in &mut lanes {
            if lane.is_none() {
                *lane = waiting.next().map(|(number, text)| Lane::new(number, text));
            }
        }
        match &mut lanes {
            [Some(one), Some(other)] => {
                let count = one.ready().len().min(other.ready().len());
                let mut states = [one.state, other.state];
                compress(&mut states, [&one.ready()[..count], &other.ready()[..count]]);
                [one.state, other.state] = states;
                one.take(count);
                other.take(count);
            }
            [Some(last), _] | [_, Some(last)] => {
                let count = last.ready().len();
                let mut states = [last.state];
                compress(&mut states, [last.ready()]);
                [last.state] = states;
                last.take(count);
            }
            [None, None] => return digests,
        }
        for lane in &mut lanes {
            if let Some(done) = lane.take_if(|lane| lane.ready().is_empty()) {
                digests[done.number] = bytes_of(done.state);
            }
        }
    }
}

/// FIPS 180-4, section 5.3.3, in the order of [`State`].
#[target_feature(enable = "sse2")]
fn initial() -> State {
    [
        [0x9b05_688c, 0x510e_527f, 0xbb67_ae85, 0x6a09_e667],
        [0x5be0_cd19, 0x1f83_d9ab, 0xa54f_f53a, 0x3c6e_f372],
    ]
    .map(|words| vector_of_words(words))
}

#[target_feature(enable = "sse2,sse4.1")]
fn bytes_of([abef, cdgh]: State) -> [u8; 32] {
    let words = [
        _mm_extract_epi32::<3>(abef),
        _mm_extract_epi32::<2>(abef),
        _mm_extract_epi32::<3>(cdgh),
        _mm_extract_epi32::<2>(cdgh),
        _mm_extract_epi32::<1>(abef),
        _mm_extract_epi32::<0>(abef),
        _mm_extract_epi32::<1>(cdgh),
        _mm_extract_epi32::<0>(cdgh),
    ];
    let mut bytes = [0; 32];
    for (place, word) in bytes.as_chunks_mut().0.iter_mut().zip(words) {
        *place = word.to_be_bytes();
    }
    bytes
}

/// Takes as many blocks of each of `N` strings as the first of them has.
#[target_feature(enable = "sha,sse2,ssse3,sse4.1")]
fn compress<const N: usize>(states: &mut [State; N], blocks: [&[Block]; N]) {
    for at in 0..blocks[0].len() {
        let before = *states;
        let mut words = blocks.map(|blocks| words_of(&blocks[at]));
        // Four rounds, and the four words that are wanted sixteen rounds later.
        macro_rules! four_rounds {
            ($($step:literal)*) => {$(
                let constants = vector_of_words(CONSTANTS[$step]);
                for lane in 0..N {
                    let [abef, cdgh] = &mut states[lane];
                    let words = &mut words[lane];
                    let [first, second, third, last] =
                        [0, 1, 2, 3].map(|offset| words[($step + offset) % 4]);
                    let wanted = _mm_add_epi32(first, constants);
                    *cdgh = _mm_sha256rnds2_epu32(*cdgh, *abef, wanted);
                    *abef = _mm_sha256rnds2_epu32(*abef, *cdgh, _mm_shuffle_epi32::<0x0e>(wanted));
                    if $step < 12 {
                        let sum = _mm_add_epi32(
                            _mm_sha256msg1_epu32(first, second),
                            _mm_alignr_epi8::<4>(last, third),
                        );
                        words[$step % 4] = _mm_sha256msg2_epu32(sum, last);
                    }
                }
            )*};
        }
        four_rounds!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
        for (state, before) in states.iter_mut().zip(before) {
            for (half, before) in state.iter_mut().zip(before) {
                *half = _mm_add_epi32(*half, before);
            }
        }
    }
}

/// The sixteen words of a block, four at a time.
#[target_feature(enable = "sse2,ssse3")]
fn words_of(block: &Block) -> [__m128i; 4] {
    let in_order = _mm_set_epi64x(0x0c0d_0e0f_0809_0a0b, 0x0405_0607_0001_0203);
    std::array::from_fn(|at| _mm_shuffle_epi8(vector_of(&block.as_chunks().0[at]), in_order))
}

#[target_feature(enable = "sse2")]
fn vector_of_words(words: [u32; 4]) -> __m128i {
    let [first, second, third, last] = words.map(u32::cast_signed);
    _mm_set_epi32(last, third, second, first)
}

/// One load, as the compiler sees it.
#[target_feature(enable = "sse2")]
fn vector_of(bytes: &[u8; 16]) -> __m128i {
    let both = u128::from_le_bytes(*bytes);
    #[allow(clippy::cast_possible_truncation)]
    _mm_set_epi64x((both >> 64) as i64, both as i64)
}

/// FIPS 180-4, section 4.2.2.
#[rustfmt::skip]
const CONSTANTS: [[u32; 4]; 16] = [
    [0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5], [0x3956_c25b, 0x59f1_11f1, 0x923f_82a4, 0xab1c_5ed5],
    [0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3], [0x72be_5d74, 0x80de_b1fe, 0x9bdc_06a7, 0xc19b_f174],
    [0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc], [0x2de9_2c6f, 0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da],
    [0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7], [0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967],
    [0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc, 0x5338_0d13], [0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85],
    [0xa2bf_e8a1, 0xa81a_664b, 0xc24b_8b70, 0xc76c_51a3], [0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070],
    [0x19a4_c116, 0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5], [0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3],
    [0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208], [0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7, 0xc671_78f2],
];
