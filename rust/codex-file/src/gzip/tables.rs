//! Huffman codes as tables: the next bits of the stream are the place at which their symbol stands.
//!
//! An entry says what its symbol means and how many bits it takes. Codes longer than a table's first part go on in a second
//! part, which an entry of the first one points to.

/// Stands for a byte of its own.
pub(super) const LITERAL: u32 = 1 << 31;
/// Is no byte, length or distance.
pub(super) const EXCEPTIONAL: u32 = 1 << 15;
/// Goes on in the second part.
pub(super) const LONGER: u32 = 1 << 14;
/// Ends the block.
pub(super) const END: u32 = 1 << 13;
/// A byte, a base or a place: 15 bits from here on.
pub(super) const VALUE_SHIFT: u32 = 16;
/// The bits of the code without the extra ones behind it, or of the second part: 4 bits from here on.
pub(super) const CODE_SHIFT: u32 = 8;

const LONGEST_CODE: usize = 15;

/// `BITS` bits in the first part, `SIZE` entries in both, which no code needs all of.
#[derive(Debug)]
pub(super) struct Table<const BITS: u32, const SIZE: usize>(Box<[u32; SIZE]>);

/// Bytes and lengths; the parts of no code of 286 symbols take more than 2342 entries.
pub(super) type Symbols = Table<11, 4096>;
/// Distances; the parts of no code of 30 symbols take more than 402 entries.
pub(super) type Distances = Table<8, 512>;
/// Lengths of codes, none of which is longer than 7 bits.
pub(super) type Lengths = Table<7, 128>;

impl<const BITS: u32, const SIZE: usize> Table<BITS, SIZE> {
    pub(super) fn new() -> Self {
        Self(Box::new([EXCEPTIONAL; SIZE]))
    }

    /// The entry for the next bits.
    #[inline]
    pub(super) fn first(&self, bits: u64) -> u32 {
        self.0[low(bits, BITS)]
    }

    /// The entry that `entry` points to; its own bits have been taken.
    #[inline]
    pub(super) fn second(&self, entry: u32, bits: u64) -> u32 {
        let place = (entry >> VALUE_SHIFT) as usize + low(bits, entry >> CODE_SHIFT & 0xf);
        self.0[place % SIZE]
    }

    /// Makes the table of a canonical code: `lengths[symbol]` bits for what `meaning(symbol)` says; false if there is no such code.
    ///
    /// An incomplete code is one only if it has no symbol, or a single one of a single bit.
    pub(super) fn fill(&mut self, lengths: &[u8], meaning: impl Fn(usize) -> u32) -> bool {
        let mut counts = [0_u32; LONGEST_CODE + 1];
        for length in lengths {
            counts[usize::from(*length)] += 1;
        }
        counts[0] = 0;
        let room = counts[1..].iter().fold(1_i32, |room, count| {
            // Once there is too little it stays so.
            if room < 0 {
                room
            } else {
                2 * room - count.cast_signed()
            }
        });
        let longest = counts.iter().rposition(|count| *count > 0).unwrap_or(0);
        if room < 0 || (room > 0 && longest > 1) {
            return false;
        }
        self.0.fill(EXCEPTIONAL | 1);
        let mut second = 1 << BITS;
        let (mut code, mut prefix) = (0_u32, None);
        for length in 1..=longest {
            code <<= 1;
            for (symbol, _) in (0..)
                .zip(lengths)
                .filter(|(_, bits)| usize::from(**bits) == length)
            {
                let bits = u32::try_from(length).unwrap_or_default();
                let reversed = code.reverse_bits() >> (u32::BITS - bits);
                code += 1;
                if bits <= BITS {
                    let entry = with_bits(meaning(symbol), bits);
                    let places = (reversed as usize..1 << BITS).step_by(1 << bits);
                    places.for_each(|place| self.0[place] = entry);
                } else {
                    let own = low(u64::from(reversed), BITS);
                    if prefix != Some(own) {
                        prefix = Some(own);
                        let part = part_bits(&counts, length, bits - BITS);
                        self.0[own] = EXCEPTIONAL | LONGER | place_of(second) | part << CODE_SHIFT | BITS;
                        second += 1 << part;
                    }
                    let pointer = self.0[own];
                    let (start, part) = ((pointer >> VALUE_SHIFT) as usize, pointer >> CODE_SHIFT & 0xf);
                    let entry = with_bits(meaning(symbol), bits - BITS);
                    let places = ((reversed >> BITS) as usize..1 << part).step_by(1 << (bits - BITS));
                    places.for_each(|place| self.0[start + place] = entry);
                }
                counts[length] -= 1;
            }
        }
        true
    }
}

/// How many bits the second part takes whose first code has `bits` beyond the first part: as many as it takes to hold them all.
fn part_bits(left: &[u32; LONGEST_CODE + 1], length: usize, bits: u32) -> u32 {
    let (mut part, mut used, mut length) = (bits, left[length], length);
    while used < 1 << part && length < LONGEST_CODE {
        length += 1;
        part += 1;
        used = 2 * used + left[length];
    }
    part
}

fn place_of(second: usize) -> u32 {
    u32::try_from(second).unwrap_or_default() << VALUE_SHIFT
}

/// An entry whose code takes `bits`, beside the extra ones that `meaning` names.
fn with_bits(meaning: u32, bits: u32) -> u32 {
    if meaning & (LITERAL | EXCEPTIONAL) == 0 {
        meaning + bits + (bits << CODE_SHIFT)
    } else {
        meaning + bits
    }
}

/// The lowest bits.
#[inline]
#[allow(clippy::cast_possible_truncation)] // up to 15
pub(super) fn low(bits: u64, count: u32) -> usize {
    (bits & ((1 << count) - 1)) as usize
}

/// What a symbol of bytes and lengths stands for. (RFC 1951, section 3.2.5, as are the other two.)
pub(super) fn symbol(symbol: usize) -> u32 {
    const BASES: [u16; 29] = [
        3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163,
        195, 227, 258,
    ];
    const EXTRA: [u8; 29] = [
        0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0,
    ];
    match symbol {
        0..256 => LITERAL | place_of(symbol),
        256 => EXCEPTIONAL | END,
        _ => meaning(&BASES, &EXTRA, symbol - 257),
    }
}

/// What a symbol of distances stands for.
pub(super) fn distance(symbol: usize) -> u32 {
    const BASES: [u16; 30] = [
        1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049,
        3073, 4097, 6145, 8193, 12289, 16385, 24577,
    ];
    const EXTRA: [u8; 30] = [
        0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13,
    ];
    meaning(&BASES, &EXTRA, symbol)
}

/// What a symbol of lengths of codes stands for: itself.
pub(super) fn length(symbol: usize) -> u32 {
    LITERAL | place_of(symbol)
}

fn meaning(bases: &[u16], extra: &[u8], symbol: usize) -> u32 {
    match (bases.get(symbol), extra.get(symbol)) {
        (Some(base), Some(extra)) => u32::from(*base) << VALUE_SHIFT | u32::from(*extra),
        _ => EXCEPTIONAL,
    }
}
