//! One pass over all bytes: what needs no model to be known.

pub(crate) mod count;
pub(crate) mod utf8;

use crate::Newlines;
use count::count;
use utf8::Tally;

/// Bytes looked at together; a multiple of four. Every answer is the same for any cut of the input.
pub(crate) const BLOCK: usize = 1 << 16;

/// What a file of bytes holds.
#[derive(Debug, Clone)]
pub(crate) struct Scan {
    pub(crate) bytes: u64,
    /// Of bytes; `\r` and `\n` of wide encodings are no bytes of their own, but count as if.
    pub(crate) newlines: Newlines,
    pub(crate) controls: u64,
    pub(crate) nuls: [u64; 4],
    pub(crate) utf8: Tally,
    /// How often each byte occurs in the blocks that are neither ASCII nor UTF-8.
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
    /// Takes the next block; all but the last are `BLOCK` long. Tells whether it is neither ASCII nor UTF-8.
    pub(crate) fn add(&mut self, block: &[u8], is_last: bool) -> bool {
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
        let mut is_utf8 = self.utf8.add(block, (!counts.is_ascii).then_some(counts.leads));
        if is_last {
            is_utf8 &= self.utf8.finish();
        }
        let is_strange = !counts.is_ascii && (!is_utf8 || self.utf8.has_given_up());
        if is_strange {
            self.tally_bytes(block);
        }
        is_strange
    }

    fn tally_bytes(&mut self, block: &[u8]) {
        let mut tables = [[0u32; 256]; 4];
        let (fours, rest) = block.as_chunks::<4>();
        for four in fours {
            for (table, byte) in tables.iter_mut().zip(four) {
                table[usize::from(*byte)] += 1;
            }
        }
        for byte in rest {
            tables[0][usize::from(*byte)] += 1;
        }
        for (byte, sum) in self.histogram.iter_mut().enumerate() {
            self.block[byte] = tables.iter().map(|table| table[byte]).sum();
            *sum += u64::from(self.block[byte]);
        }
    }
}
