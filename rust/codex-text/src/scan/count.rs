//! Newlines and controls of a block of bytes, counted many at a time.

use crate::Newlines;

/// What a block of bytes holds besides its characters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) is_ascii: bool,
    pub(crate) newlines: Newlines,
    /// Bytes that no text needs: below space and 7f, but for NUL and `\b \t \n \x0c \r \x1b`.
    pub(crate) controls: u64,
    /// Zero bytes, by their offset modulo four.
    pub(crate) nuls: [u64; 4],
}

/// Counts `data`, which begins at a multiple of four; `next` is the byte after it, if any.
pub(crate) fn count(data: &[u8], next: Option<u8>) -> Counts {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        #[allow(unsafe_code)]
        // SAFETY: the processor was just asked for AVX2.
        return unsafe { count_avx2(data, next) };
    }
    count_here(data, next)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
#[allow(unsafe_code)]
unsafe fn count_avx2(data: &[u8], next: Option<u8>) -> Counts {
    count_here(data, next)
}

/// Bytes looked at before the eight-bit sums are added up.
const RUN: usize = 32 * 255;

#[inline(always)]
#[allow(clippy::inline_always)] // so that it is compiled once for AVX2 and once without
fn count_here(data: &[u8], next: Option<u8>) -> Counts {
    let (mut all, mut low, mut lf, mut cr, mut tab) = (0u8, 0u64, 0u64, 0u64, 0u64);
    for run in data.chunks(RUN) {
        let mut sums = [[0u8; 32]; 4];
        let mut seen = [0u8; 32];
        let (vectors, rest) = run.as_chunks::<32>();
        for vector in vectors {
            for (lane, byte) in vector.iter().copied().enumerate() {
                seen[lane] |= byte;
                sums[0][lane] += u8::from(byte < b' ');
                sums[1][lane] += u8::from(byte == b'\n');
                sums[2][lane] += u8::from(byte == b'\r');
                sums[3][lane] += u8::from(byte == b'\t');
            }
        }
        let sum = |lanes: &[u8; 32]| lanes.iter().map(|lane| u64::from(*lane)).sum::<u64>();
        low += sum(&sums[0]);
        lf += sum(&sums[1]);
        cr += sum(&sums[2]);
        tab += sum(&sums[3]);
        all = seen.iter().fold(all, |all, lane| all | lane);
        for byte in rest.iter().copied() {
            all |= byte;
            low += u64::from(byte < b' ');
            lf += u64::from(byte == b'\n');
            cr += u64::from(byte == b'\r');
            tab += u64::from(byte == b'\t');
        }
    }
    let mut counts = Counts {
        is_ascii: all < 0x80,
        ..Counts::default()
    };
    if low > lf + cr + tab {
        for (at, byte) in data.iter().copied().enumerate() {
            if byte == 0 {
                counts.nuls[at % 4] += 1;
            }
            counts.controls += u64::from(is_control(byte));
        }
    } else {
        counts.controls = memchr::memchr_iter(0x7f, data).count() as u64;
    }
    let crlf = if cr == 0 {
        0
    } else {
        memchr::memchr_iter(b'\r', data)
            .filter(|at| data.get(at + 1).copied().or(next) == Some(b'\n'))
            .count() as u64
    };
    counts.newlines = Newlines {
        lf: lf - crlf.min(lf),
        crlf,
        cr: cr - crlf,
    };
    counts
}

/// Whether no text needs the byte; NUL is counted apart.
pub(crate) fn is_control(byte: u8) -> bool {
    byte == 0x7f || (byte != 0 && byte < b' ' && !matches!(byte, 0x08 | b'\t' | b'\n' | 0x0c | b'\r' | 0x1b))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `count`, written to be read.
    fn plain(data: &[u8], next: Option<u8>) -> Counts {
        let mut counts = Counts {
            is_ascii: data.is_ascii(),
            ..Counts::default()
        };
        let after = |at: usize| data.get(at + 1).copied().or(next);
        for (at, byte) in data.iter().copied().enumerate() {
            match byte {
                0 => counts.nuls[at % 4] += 1,
                b'\r' if after(at) == Some(b'\n') => counts.newlines.crlf += 1,
                b'\r' => counts.newlines.cr += 1,
                b'\n' if at == 0 || data[at - 1] != b'\r' => counts.newlines.lf += 1,
                _ => counts.controls += u64::from(is_control(byte)),
            }
        }
        counts
    }

    #[test]
    fn every_length_and_byte_is_counted_as_one_by_one() {
        let alphabets: [&[u8]; 5] = [
            b"ab \n",
            b"a\r\n\t",
            b"\0\x01\x7fa\n",
            b"a\xe9\n\r",
            b"\x1b\x0c\x08a",
        ];
        let mut state = 1u64;
        for length in (0..200).chain([RUN - 1, RUN, RUN + 1, 3 * RUN + 7]) {
            for alphabet in alphabets {
                let data: Vec<u8> = (0..length)
                    .map(|_| {
                        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                        alphabet[(state >> 33) as usize % alphabet.len()]
                    })
                    .collect();
                for next in [None, Some(b'a')] {
                    assert_eq!(count(&data, next), plain(&data, next), "{length} {alphabet:?}");
                    assert_eq!(
                        count_here(&data, next),
                        plain(&data, next),
                        "{length} {alphabet:?}"
                    );
                }
                if data.last() == Some(&b'\r') {
                    let (whole, split) = (count(&data, Some(b'\n')), count(&data, None));
                    assert_eq!(whole.newlines.crlf, split.newlines.crlf + 1);
                }
            }
        }
    }
}
