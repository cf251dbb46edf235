//! How much of the bytes is UTF-8, and where it is not.

mod damaged;
mod valid;

/// Offsets of errors that are kept.
pub(crate) const PLACES: usize = 64;
/// Past so many errors, and fewer sequences than errors, nothing more is counted: this is no UTF-8.
const ENOUGH: u64 = 4096;

/// Counts over bytes that come block by block.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally {
    /// Characters of two bytes and more.
    pub(crate) sequences: u64,
    /// Bytes or beginnings of sequences that decode to nothing, counted as `bytes.decode` replaces them.
    pub(crate) errors: u64,
    /// Where the first of them are.
    pub(crate) places: Vec<u64>,
    /// The last error is a sequence cut short by the end.
    pub(crate) is_cut: bool,
    /// A sequence that the next block may finish.
    open: Vec<u8>,
    /// What was open before the last block.
    opened: Vec<u8>,
    /// The sequences and the errors of the last block.
    last: (u64, u64),
    /// The offset of the next byte.
    at: u64,
}

impl Tally {
    /// Whether counting stopped: the counts are lower bounds.
    pub(crate) fn has_given_up(&self) -> bool {
        self.errors > ENOUGH && self.sequences < self.errors
    }

    /// Counts a block; tells whether it was all UTF-8. `leads` are its bytes of c0 and more, if it is not all ASCII; `is_again` tells
    /// that it equals the one before.
    pub(crate) fn add(&mut self, data: &[u8], leads: Option<u64>, is_again: bool) -> bool {
        if self.has_given_up() {
            self.at += data.len() as u64;
            return false;
        }
        let before = (self.sequences, self.errors);
        if is_again && self.open == self.opened && self.places.len() == PLACES {
            self.sequences += self.last.0;
            self.errors += self.last.1;
            self.at += data.len() as u64;
        } else {
            self.opened.clone_from(&self.open);
            self.count(data, leads);
            self.last = (self.sequences - before.0, self.errors - before.1);
        }
        self.errors == before.1
    }

    fn count(&mut self, data: &[u8], leads: Option<u64>) {
        let mut rest = data;
        while !self.open.is_empty() && !rest.is_empty() {
            self.open.push(rest[0]);
            rest = &rest[1..];
            self.at += 1;
            self.close();
        }
        let Some(leads) = leads else {
            self.at += rest.len() as u64;
            return;
        };
        let (whole, begun) = rest.split_at(rest.len() - begun(rest));
        if valid::is_valid(whole) {
            let taken = &data[..data.len() - rest.len()];
            self.sequences += leads - count_leads(taken) - u64::from(!begun.is_empty());
            self.at += rest.len() as u64;
            self.open.extend_from_slice(begun);
        } else {
            self.walk(rest);
        }
    }

    /// The end of the data; tells whether no sequence was left open.
    pub(crate) fn finish(&mut self) -> bool {
        let is_whole = self.open.is_empty();
        if !is_whole {
            self.is_cut = true;
            self.error(self.at - self.open.len() as u64);
            self.open.clear();
        }
        is_whole
    }

    /// Settles an open sequence that has one byte more.
    fn close(&mut self) {
        let open = std::mem::take(&mut self.open);
        self.at -= open.len() as u64;
        self.walk(&open);
    }

    fn walk(&mut self, data: &[u8]) {
        let mut rest = data;
        let mut calm = CALM;
        while !rest.is_empty() {
            if self.places.len() == PLACES {
                let (whole, begun) = rest.split_at(rest.len() - begun(rest));
                let counts = damaged::count(whole);
                self.sequences += counts.sequences;
                self.errors += counts.errors;
                self.at += rest.len() as u64;
                self.open.extend_from_slice(begun);
                return;
            }
            if calm >= CALM {
                // Errors are rare here: pass over what is whole at once.
                let valid =
                    simdutf8::compat::from_utf8(rest).map_or_else(|error| error.valid_up_to(), str::len);
                self.sequences += count_leads(&rest[..valid]);
                self.at += valid as u64;
                rest = &rest[valid..];
                calm = 0;
                continue;
            }
            let length = match first(rest) {
                First::Whole(length) => {
                    self.sequences += u64::from(length > 1);
                    calm += length;
                    length
                }
                First::Bad(length) => {
                    self.error(self.at);
                    calm = 0;
                    length
                }
                First::Open => {
                    self.open.extend_from_slice(rest);
                    rest.len()
                }
            };
            self.at += length as u64;
            rest = &rest[length..];
        }
    }

    fn error(&mut self, at: u64) {
        self.errors += 1;
        if self.places.len() < PLACES {
            self.places.push(at);
        }
    }
}

/// So many bytes without an error, and those that follow are looked at many at a time.
const CALM: usize = 256;

/// What bytes begin with.
#[derive(Debug, PartialEq, Eq)]
enum First {
    /// A character of so many bytes.
    Whole(usize),
    /// So many bytes for which Python puts one U+FFFD.
    Bad(usize),
    /// A character that the data's end cuts short.
    Open,
}

/// The first character of `data`, which has a byte at least.
fn first(data: &[u8]) -> First {
    let (seconds, length) = match data[0] {
        ..0x80 => return First::Whole(1),
        0xc2..=0xdf => (0x80..=0xbf, 2),
        0xe0 => (0xa0..=0xbf, 3),
        0xed => (0x80..=0x9f, 3),
        0xe1..=0xef => (0x80..=0xbf, 3),
        0xf0 => (0x90..=0xbf, 4),
        0xf1..=0xf3 => (0x80..=0xbf, 4),
        0xf4 => (0x80..=0x8f, 4),
        _ => return First::Bad(1),
    };
    for (place, byte) in data.iter().enumerate().take(length).skip(1) {
        let is_next = if place == 1 {
            seconds.contains(byte)
        } else {
            matches!(byte, 0x80..=0xbf)
        };
        if !is_next {
            return First::Bad(place);
        }
    }
    if data.len() < length {
        First::Open
    } else {
        First::Whole(length)
    }
}

/// How many sequences of two bytes and more valid UTF-8 has.
fn count_leads(data: &[u8]) -> u64 {
    data.chunks(255)
        .map(|run| u64::from(run.iter().map(|byte| u8::from(*byte >= 0xc0)).sum::<u8>()))
        .sum()
}

/// How many bytes at the end begin a sequence that may go on.
fn begun(data: &[u8]) -> usize {
    let last = &data[data.len().saturating_sub(3)..];
    let lead = last.iter().rposition(|byte| *byte >= 0xc0).unwrap_or(last.len());
    match last.get(lead..) {
        Some(begun @ [_, ..]) if first(begun) == First::Open => begun.len(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(blocks: &[&[u8]]) -> Tally {
        let mut tally = Tally::default();
        for block in blocks {
            tally.add(block, (!block.is_ascii()).then(|| count_leads(block)), false);
        }
        tally.finish();
        tally
    }

    #[test]
    fn errors_are_counted_where_python_replaces() {
        let cases: &[(&[u8], u64, &[u64], bool)] = &[
            (b"", 0, &[], false),
            ("é漢😀".as_bytes(), 3, &[], false),
            (b"a\xe9b\xc3\xa9", 1, &[1], false),
            (b"\xe6\xbc", 0, &[0], true),
            (b"\xe6\xbca", 0, &[0], false),
            (b"\xed\xa0\x80", 0, &[0, 1, 2], false),
            (b"\xc3\xa9\xf0\x9f\x98", 1, &[2], true),
            (b"\x80\xff\xc3", 0, &[0, 1, 2], true),
        ];
        for (data, sequences, places, is_cut) in cases {
            let whole = tally(&[data]);
            assert_eq!(
                (whole.sequences, &*whole.places, whole.is_cut),
                (*sequences, *places, *is_cut),
                "{data:x?}"
            );
            let replaced = String::from_utf8_lossy(data)
                .chars()
                .filter(|c| *c == '\u{fffd}')
                .count();
            assert_eq!(whole.errors, replaced as u64, "{data:x?}");
        }
    }

    #[test]
    fn every_beginning_is_what_the_standard_library_takes_it_for() {
        let bytes = [
            0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed,
            0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff,
        ];
        let mut data = Vec::new();
        for number in 0..bytes.len().pow(4) {
            data.clear();
            data.extend((0..4).map(|place| bytes[number / bytes.len().pow(place) % bytes.len()]));
            for length in 1..=4 {
                let data = &data[..length];
                let plain = match std::str::from_utf8(data) {
                    Ok(text) => First::Whole(text.chars().next().map_or(0, char::len_utf8)),
                    Err(error) if error.valid_up_to() > 0 => {
                        let valid = std::str::from_utf8(&data[..error.valid_up_to()]).unwrap();
                        First::Whole(valid.chars().next().map_or(0, char::len_utf8))
                    }
                    Err(error) => error.error_len().map_or(First::Open, First::Bad),
                };
                assert_eq!(first(data), plain, "{data:x?}");
            }
        }
    }

    #[test]
    fn errors_far_apart_and_close_together_are_counted_alike() {
        for apart in [0, 1, CALM - 1, CALM, CALM + 1, 3 * CALM] {
            let mut data = Vec::new();
            for _ in 0..20 {
                data.extend_from_slice("é".repeat(apart).as_bytes());
                data.extend_from_slice(b"\xe9 ");
            }
            let found = tally(&[&data]);
            assert_eq!(
                (found.sequences, found.errors),
                (20 * apart as u64, 20),
                "{apart}"
            );
            assert_eq!(found.places[1], 4 * apart as u64 + 2, "{apart}");
        }
    }

    #[test]
    fn any_cut_into_blocks_gives_the_same_counts() {
        let data = b"a\xc3\xa9\xe6\xbc\xa2\xf0\x9f\x98\x80\xe9z\xe6\xbc-\xed\xa0\x80\xf0\x9f\x98";
        let found = |tally: Tally| (tally.sequences, tally.errors, tally.places, tally.is_cut);
        let whole = found(tally(&[data]));
        for first in 0..data.len() {
            for second in first..data.len() {
                let cut = tally(&[&data[..first], &data[first..second], &data[second..]]);
                assert_eq!(found(cut), whole, "{first} {second}");
            }
        }
    }
}
