//! The bytes worth a look: those around the non-ASCII ones, from anywhere in the file.

use std::borrow::Cow;

/// Bytes kept either side of a non-ASCII one.
const AROUND: usize = 48;

/// How often a byte that is rare in the file is looked at, and what around it.
const RARE: u32 = 4;
const AROUND_RARE: usize = 12;

/// Spans of the data around non-ASCII bytes.
#[derive(Debug, Clone)]
pub(crate) struct Evidence {
    pub(crate) bytes: Vec<u8>,
    /// How often each byte is among them.
    seen: [u32; 256],
}

impl Default for Evidence {
    fn default() -> Self {
        Self {
            bytes: Vec::new(),
            seen: [0; 256],
        }
    }
}

impl Evidence {
    /// How many of the bytes are not ASCII.
    pub(crate) fn high_bytes(&self) -> usize {
        count_high(&self.bytes)
    }

    /// The bytes without the lines that are UTF-8, which may stand in a file of any encoding, unless these are half of it or more.
    pub(crate) fn but_utf_8(&self) -> Cow<'_, [u8]> {
        let lines = || lines(&self.bytes);
        let strange = |lines: &mut dyn Iterator<Item = &[u8]>| lines.map(count_high).sum::<usize>();
        let utf_8 = strange(&mut lines().filter(|line| is_utf_8(line)));
        if utf_8 == 0 || utf_8 * 2 >= self.high_bytes() {
            return Cow::Borrowed(&self.bytes);
        }
        let others: Vec<&[u8]> = lines().filter(|line| !is_utf_8(line)).collect();
        Cow::Owned(others.concat())
    }

    /// Evidence for encodings in which no byte is ASCII: the beginning of `data`, and spans around what is rare there.
    pub(crate) fn of_ebcdic(data: &[u8], beginning: usize) -> Self {
        let mut evidence = Self::default();
        let beginning = beginning.min(data.len());
        evidence.push(&data[..beginning]);
        evidence.collect_rare(data, beginning, 0x40..=u8::MAX);
        evidence
    }

    /// Whether no more of what is around this byte is looked for.
    pub(crate) fn has_enough_of(&self, byte: u8) -> bool {
        self.seen[usize::from(byte)] >= RARE
    }

    /// Spans of `data` around each of these bytes that few spans hold so far, from `after` on.
    pub(crate) fn collect_rare(&mut self, data: &[u8], after: usize, bytes: impl Iterator<Item = u8>) {
        for byte in bytes {
            if self.has_enough_of(byte) {
                continue;
            }
            for at in memchr::memchr_iter(byte, &data[after..]) {
                let at = after + at;
                self.push(&data[at.saturating_sub(AROUND_RARE)..data.len().min(at + AROUND_RARE)]);
                if self.has_enough_of(byte) {
                    break;
                }
            }
        }
    }

    fn push(&mut self, span: &[u8]) {
        if !self.bytes.is_empty() {
            self.bytes.push(b'\n');
        }
        self.bytes.extend_from_slice(span);
        for byte in span {
            self.seen[usize::from(*byte)] += 1;
        }
    }

    /// Spans of `data` until `limit` bytes are kept; spans are parted by a newline. Tells how far it came.
    pub(crate) fn collect(&mut self, data: &[u8], limit: usize) -> usize {
        let full = self.bytes.len() + limit;
        let mut at = 0;
        while let Some(found) = first_high(&data[at..]).map(|offset| at + offset) {
            let start = found.saturating_sub(AROUND).max(at);
            let mut end = found + 1;
            let mut last = found;
            while end < data.len() && end - last <= AROUND && self.bytes.len() + (end - start) < full {
                if data[end] >= 0x80 {
                    last = end;
                }
                end += 1;
            }
            self.push(&data[start..end]);
            at = end;
            if self.bytes.len() >= full {
                return at;
            }
        }
        data.len()
    }
}

/// The lines, each with its newline.
fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut begin = 0;
    let ends = memchr::memchr_iter(b'\n', bytes)
        .map(|at| at + 1)
        .chain([bytes.len()]);
    ends.map(move |end| &bytes[std::mem::replace(&mut begin, end)..end])
}

fn count_high(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte >= 0x80).count()
}

/// Whether a line is UTF-8 outside ASCII, apart from a character cut at either end.
fn is_utf_8(line: &[u8]) -> bool {
    let begin = line
        .iter()
        .take(3)
        .take_while(|byte| (0x80..0xc0).contains(*byte))
        .count();
    let line = &line[begin..];
    let whole = match std::str::from_utf8(line) {
        Ok(_) => line,
        Err(error) if error.error_len().is_none() => &line[..error.valid_up_to()],
        Err(_) => return false,
    };
    !whole.is_ascii()
}

fn first_high(data: &[u8]) -> Option<usize> {
    let (chunks, _) = data.as_chunks::<8>();
    let skipped = chunks
        .iter()
        .take_while(|chunk| u64::from_le_bytes(**chunk) & 0x8080_8080_8080_8080 == 0)
        .count()
        * 8;
    data[skipped..]
        .iter()
        .position(|byte| *byte >= 0x80)
        .map(|offset| skipped + offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_utf_8_are_left_out_unless_they_are_most() {
        let of = |text: &[u8]| {
            let mut evidence = Evidence::default();
            evidence.push(text);
            evidence.but_utf_8().into_owned()
        };
        let (latin, utf_8) = (&b"\xe9t\xe9 d\xe9j\xe0\n"[..], "où\n".as_bytes());
        assert_eq!(of(&[latin, utf_8, latin].concat()), [latin, latin].concat());
        assert_eq!(of(&[latin, &utf_8[2..]].concat()), [latin, &utf_8[2..]].concat());
        for kept in [latin, utf_8, b"plain", b""] {
            assert_eq!(of(kept), kept);
        }
    }
}
