//! How much of the bytes is UTF-8, and where it is not.

/// Offsets of errors that are kept.
pub(crate) const PLACES: usize = 64;
/// Past so many errors, and fewer sequences than errors, nothing more is counted: this is no UTF-8.
const ENOUGH: u64 = 4096;

/// Counts over bytes that come block by block.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
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
    /// The offset of the next byte.
    at: u64,
}

impl Tally {
    /// Whether counting stopped: the counts are lower bounds.
    pub(crate) fn has_given_up(&self) -> bool {
        self.errors > ENOUGH && self.sequences < self.errors
    }

    /// Counts a block; tells whether it was all UTF-8. `leads` are its bytes of c0 and more, if it is not all ASCII.
    pub(crate) fn add(&mut self, data: &[u8], leads: Option<u64>) -> bool {
        let errors = self.errors;
        if self.has_given_up() {
            self.at += data.len() as u64;
            return false;
        }
        let mut rest = data;
        while !self.open.is_empty() && !rest.is_empty() {
            self.open.push(rest[0]);
            rest = &rest[1..];
            self.at += 1;
            self.close();
        }
        let Some(leads) = leads else {
            self.at += rest.len() as u64;
            return self.errors == errors;
        };
        let (whole, begun) = rest.split_at(rest.len() - begun(rest));
        if simdutf8::basic::from_utf8(whole).is_ok() {
            let taken = &data[..data.len() - rest.len()];
            self.sequences += leads - count_leads(taken) - u64::from(!begun.is_empty());
            self.at += rest.len() as u64;
            self.open.extend_from_slice(begun);
        } else {
            self.walk(rest);
        }
        self.errors == errors
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
        while let Err(error) = simdutf8::compat::from_utf8(rest) {
            let (valid, bad) = rest.split_at(error.valid_up_to());
            self.sequences += count_leads(valid);
            self.at += valid.len() as u64;
            let Some(length) = error.error_len() else {
                self.open.extend_from_slice(bad);
                self.at += bad.len() as u64;
                return;
            };
            self.error(self.at);
            self.at += length as u64;
            rest = &bad[length..];
            if self.has_given_up() {
                break;
            }
        }
        self.sequences += if self.has_given_up() { 0 } else { count_leads(rest) };
        self.at += rest.len() as u64;
    }

    fn error(&mut self, at: u64) {
        self.errors += 1;
        if self.places.len() < PLACES {
            self.places.push(at);
        }
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
    let Some(lead) = last.iter().position(|byte| *byte >= 0xc0) else {
        return 0;
    };
    match std::str::from_utf8(&last[lead..]) {
        Err(error) if error.error_len().is_none() => last.len() - lead - error.valid_up_to(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(blocks: &[&[u8]]) -> Tally {
        let mut tally = Tally::default();
        for block in blocks {
            tally.add(block, (!block.is_ascii()).then(|| count_leads(block)));
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
    fn any_cut_into_blocks_gives_the_same_counts() {
        let data = b"a\xc3\xa9\xe6\xbc\xa2\xf0\x9f\x98\x80\xe9z\xe6\xbc-\xed\xa0\x80\xf0\x9f\x98";
        let whole = tally(&[data]);
        for first in 0..data.len() {
            for second in first..data.len() {
                let cut = tally(&[&data[..first], &data[first..second], &data[second..]]);
                assert_eq!(cut, whole, "{first} {second}");
            }
        }
    }
}
