//! The bytes decoded last, which matches repeat, and those not handed out yet.

/// So far back a match may reach.
const HISTORY_BYTES: usize = 32 << 10;
/// So much is decoded at a time.
const FRESH_BYTES: usize = 128 << 10;
/// A window that ends here is full: there may not be room for a symbol.
pub(super) const LIMIT: usize = HISTORY_BYTES + FRESH_BYTES;
const LONGEST_MATCH: usize = 258;
/// A match may begin two bytes behind the limit, and is written sixteen bytes at a time.
const SLACK_BYTES: usize = LONGEST_MATCH + 30;

#[derive(Debug)]
pub(super) struct Window {
    bytes: Box<[u8]>,
    /// Where the stream begins, or what is left of it.
    start: usize,
    /// Up to here it has been handed out.
    taken: usize,
    end: usize,
}

impl Window {
    pub(super) fn new() -> Self {
        Self {
            bytes: vec![0; LIMIT + SLACK_BYTES].into_boxed_slice(),
            start: 0,
            taken: 0,
            end: 0,
        }
    }

    /// Begins another stream: no match reaches back before it.
    pub(super) fn begin(&mut self) {
        self.start = self.end;
    }

    /// Hands out as much as there is and `buffer` takes.
    pub(super) fn take(&mut self, buffer: &mut [u8]) -> usize {
        let count = buffer.len().min(self.end - self.taken);
        buffer[..count].copy_from_slice(&self.bytes[self.taken..self.taken + count]);
        self.taken += count;
        count
    }

    /// Lets go of what has been handed out and no match can reach any more.
    pub(super) fn make_room(&mut self) {
        let kept = self.taken.min(self.end.saturating_sub(HISTORY_BYTES));
        self.bytes.copy_within(kept..self.end, 0);
        (self.start, self.taken, self.end) = (
            self.start.saturating_sub(kept),
            self.taken - kept,
            self.end - kept,
        );
    }

    pub(super) fn is_full(&self) -> bool {
        self.end >= LIMIT
    }

    pub(super) fn end(&self) -> usize {
        self.end
    }

    /// What has been decoded since it ended at `end`.
    pub(super) fn since(&self, end: usize) -> &[u8] {
        &self.bytes[end..self.end]
    }

    /// Where bytes can be put before it grows by as many.
    pub(super) fn room(&mut self) -> &mut [u8] {
        &mut self.bytes[self.end..LIMIT]
    }

    pub(super) fn grow(&mut self, count: usize) {
        self.end += count;
    }

    /// Ends it where symbols ended.
    pub(super) fn set_end(&mut self, end: usize) {
        self.end = end;
    }

    pub(super) fn output(&mut self) -> Output<'_> {
        Output {
            start: self.start,
            end: self.end,
            bytes: &mut self.bytes,
        }
    }
}

/// The end of a window while symbols are decoded.
pub(super) struct Output<'a> {
    bytes: &'a mut [u8],
    start: usize,
    end: usize,
}

impl Output<'_> {
    #[inline]
    pub(super) fn end(&self) -> usize {
        self.end
    }

    /// How far back a match may reach.
    #[inline]
    pub(super) fn behind(&self) -> usize {
        self.end - self.start
    }

    #[inline]
    pub(super) fn push(&mut self, byte: u8) {
        self.bytes[self.end] = byte;
        self.end += 1;
    }

    /// Adds `length` bytes that stand `distance` before the end; they may reach into themselves.
    #[inline]
    #[allow(unsafe_code)] // a copy of a length not known is a call, which takes longer than most matches
    pub(super) fn repeat(&mut self, distance: usize, length: usize) {
        assert!((1..=self.end).contains(&distance) && length <= LONGEST_MATCH);
        assert!(self.end + LONGEST_MATCH + 16 <= self.bytes.len());
        // SAFETY: what is read begins within the bytes before the end, and what is written ends less than 16 bytes behind
        // `length`, for which there is room. Pieces are as long as the distance at most, or the byte is the same throughout.
        unsafe {
            let mut to = self.bytes.as_mut_ptr().add(self.end);
            let mut from = to.cast_const().sub(distance);
            let end = to.add(length);
            if distance >= 16 {
                while to < end {
                    to.cast::<[u8; 16]>().write(from.cast::<[u8; 16]>().read());
                    (from, to) = (from.add(16), to.add(16));
                }
            } else if distance == 1 {
                to.write_bytes(*from, length);
            } else {
                // Of eight bytes the first `distance` are right, and those behind are written again.
                let step = distance.min(8);
                while to < end {
                    to.cast::<[u8; 8]>().write(from.cast::<[u8; 8]>().read());
                    (from, to) = (from.add(step), to.add(step));
                }
            }
        }
        self.end += length;
    }
}
