//! One pass over all bytes: what needs no model to be known.

pub(crate) mod count;
pub(crate) mod sought;
pub(crate) mod utf8;
#[cfg(target_arch = "x86_64")]
mod vector;

use crate::Newlines;
use count::count;
use utf8::Tally;

/// Bytes looked at together; a multiple of four, and of every length up to eight. Every answer is the same for any cut of the input.
pub(crate) const BLOCK: usize = 80 * 840;

/// What a file of bytes holds.
#[derive(Debug, Clone)]
pub(crate) struct Scan {
    pub(crate) bytes: u64,
    /// Of bytes; `\r` and `\n` of wide encodings are no bytes of their own, but count as if.
    pub(crate) newlines: Newlines,
    pub(crate) controls: u64,
    pub(crate) nuls: [u64; 4],
    pub(crate) utf8: Tally,
    /// How often each byte occurs in the blocks that `count_bytes` was given.
    pub(crate) histogram: [u64; 256],
    /// How often each byte occurs in the last of them.
    pub(crate) block: [u32; 256],
    pub(crate) is_ascii: bool,
    ends_in_cr: bool,
}

impl Default for Scan {
    fn default() -> Self {
        Self {
            bytes: 0,
            newlines: Newlines::default(),
            controls: 0,
            nuls: [0; 4],
            utf8: Tally::default(),
            histogram: [0; 256],
            block: [0; 256],
            is_ascii: true,
            ends_in_cr: false,
        }
    }
}

impl Scan {
    /// Takes the next block; all but the last are `BLOCK` long. `is_again` tells that it equals the one before. Tells whether it is
    /// neither ASCII nor UTF-8.
    pub(crate) fn add(&mut self, block: &[u8], is_again: bool, is_last: bool) -> bool {
        let Some(first) = block.first() else {
            return false;
        };
        if self.ends_in_cr && *first == b'\n' {
            // The `\r` was counted alone, and the `\n` is about to be.
            self.newlines.cr -= 1;
            self.newlines.crlf += 1;
            self.newlines.lf = self.newlines.lf.wrapping_sub(1);
        }
        self.ends_in_cr = block.last() == Some(&b'\r');
        let counts = count(block);
        self.bytes += block.len() as u64;
        self.newlines.lf = self.newlines.lf.wrapping_add(counts.newlines.lf);
        self.newlines.crlf += counts.newlines.crlf;
        self.newlines.cr += counts.newlines.cr;
        self.controls += counts.controls;
        for (sum, lane) in self.nuls.iter_mut().zip(counts.nuls) {
            *sum += lane;
        }
        self.is_ascii &= counts.is_ascii;
        let mut is_utf8 = self
            .utf8
            .add(block, (!counts.is_ascii).then_some(counts.leads), is_again);
        if is_last {
            is_utf8 &= self.utf8.finish();
        }
        !counts.is_ascii && (!is_utf8 || self.utf8.has_given_up())
    }

    /// Counts how often each byte occurs in a block; `is_again` tells that the last one that was counted equals it.
    pub(crate) fn count_bytes(&mut self, block: &[u8], is_again: bool) {
        if !is_again {
            self.block = histogram(block);
        }
        for (sum, count) in self.histogram.iter_mut().zip(&self.block) {
            *sum += u64::from(*count);
        }
    }
}

/// How often each byte occurs; in eight tables, so that a byte need not wait for the same one before it.
fn histogram(block: &[u8]) -> [u32; 256] {
    let mut tables = [[0u32; 256]; 8];
    let (eights, rest) = block.as_chunks::<8>();
    for eight in eights {
        for (table, byte) in tables.iter_mut().zip(eight) {
            table[usize::from(*byte)] += 1;
        }
    }
    for byte in rest {
        tables[0][usize::from(*byte)] += 1;
    }
    std::array::from_fn(|byte| tables.iter().map(|table| table[byte]).sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_that_comes_again_counts_as_often() {
        for pattern in [&b"\xe9"[..], b"a\xe9\r\n", b"\xc3\xa9\xff\0"] {
            let block = pattern.repeat(BLOCK / pattern.len());
            let [mut short, mut long] = [Scan::default(), Scan::default()];
            for number in 0..4 {
                for (scan, is_again) in [(&mut short, number > 0), (&mut long, false)] {
                    scan.add(&block, is_again, number == 3);
                    scan.count_bytes(&block, is_again);
                }
            }
            assert_eq!((short.histogram, short.block), (long.histogram, long.block));
            assert_eq!(
                (short.utf8.errors, short.utf8.sequences),
                (long.utf8.errors, long.utf8.sequences)
            );
            let byte = usize::from(pattern[0]);
            let count = block.iter().filter(|other| usize::from(**other) == byte).count();
            assert_eq!(short.histogram[byte], 4 * count as u64);
        }
    }
}
