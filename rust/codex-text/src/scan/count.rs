//! Newlines, controls and first bytes of a block, counted thirty-two bytes at a time where the processor can.

#[cfg(target_arch = "x86_64")]
mod wide;

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
    /// Bytes that begin a character of two bytes and more in UTF-8: c0 to ff.
    pub(crate) leads: u64,
}

/// Counts `data`, which begins at a multiple of four. A `\r` at the end is one by itself.
pub(crate) fn count(data: &[u8]) -> Counts {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the processor was just asked for AVX2.
        #[expect(unsafe_code, reason = "the compiler cannot know the processor")]
        return unsafe { wide::count(data) };
    }
    count_one_by_one(data)
}

/// `count`, written to be read.
fn count_one_by_one(data: &[u8]) -> Counts {
    let mut counts = Counts {
        is_ascii: true,
        ..Counts::default()
    };
    let mut before = 0;
    for (at, byte) in data.iter().copied().enumerate() {
        match byte {
            0 => counts.nuls[at % 4] += 1,
            b'\n' if before == b'\r' => {
                counts.newlines.cr -= 1;
                counts.newlines.crlf += 1;
            }
            b'\n' => counts.newlines.lf += 1,
            b'\r' => counts.newlines.cr += 1,
            0x80.. => {
                counts.is_ascii = false;
                counts.leads += u64::from(byte >= 0xc0);
            }
            _ => counts.controls += u64::from(is_control(byte)),
        }
        before = byte;
    }
    counts
}

/// Whether no text needs the byte; NUL is counted apart.
pub(crate) fn is_control(byte: u8) -> bool {
    byte == 0x7f || (byte != 0 && byte < b' ' && !matches!(byte, 0x08 | b'\t' | b'\n' | 0x0c | b'\r' | 0x1b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dice::dice;

    #[test]
    fn every_byte_at_every_place_is_counted_as_one_by_one() {
        for length in [1, 31, 32, 33, 64, 100] {
            for place in 0..length {
                for byte in 0..=u8::MAX {
                    let mut data = vec![b'a'; length];
                    data[place] = byte;
                    assert_eq!(
                        count(&data),
                        count_one_by_one(&data),
                        "{byte:x} at {place} of {length}"
                    );
                }
            }
        }
    }

    #[test]
    fn every_length_and_mixture_is_counted_as_one_by_one() {
        let alphabets: [&[u8]; 7] = [
            b"ab \n",
            b"a\r\n\t",
            b"\r\n",
            b"\0\x01\x7fa\n",
            b"a\xe9\n\r\xbf",
            b"\x1b\x0c\x08a",
            b"\0",
        ];
        let mut random = dice(1);
        let longest = 255 * 32;
        for length in (0..200).chain([longest - 1, longest, longest + 1, 3 * longest + 7]) {
            for alphabet in alphabets {
                let data: Vec<u8> = (0..length).map(|_| alphabet[random(alphabet.len())]).collect();
                assert_eq!(count(&data), count_one_by_one(&data), "{length} {alphabet:?}");
            }
        }
    }
}
