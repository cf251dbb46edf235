//! Compressed bytes as bits, the lowest of each byte first.

use std::io::{self, ErrorKind, Read};

use super::tables::low;

const BUFFER_BYTES: usize = 128 << 10;

/// What one symbol may look at beyond the byte it begins in: two times eight bytes, at most seven of which are passed.
const AHEAD_BYTES: usize = 24;

/// Bytes passed that can be given back, because only their bits were taken.
const KEPT_BYTES: usize = 8;

#[derive(Debug)]
pub(super) struct Source<R> {
    inner: R,
    /// Behind its end are at least as many zeros as are looked at ahead.
    buffer: Box<[u8]>,
    at: usize,
    end: usize,
    has_ended: bool,
    /// Bits of bytes that have been passed, and how many.
    held: u64,
    count: u32,
}

impl<R: Read> Source<R> {
    pub(super) fn new(inner: R) -> Self {
        Self {
            inner,
            buffer: vec![0; BUFFER_BYTES + AHEAD_BYTES].into_boxed_slice(),
            at: 0,
            end: 0,
            has_ended: false,
            held: 0,
            count: 0,
        }
    }

    /// Takes so many bits, up to 16.
    pub(super) fn take(&mut self, count: u32) -> io::Result<u32> {
        while self.count < count {
            if !self.hold_byte()? {
                return Err(ErrorKind::UnexpectedEof.into());
            }
        }
        let taken = low(self.held, count);
        self.held >>= count;
        self.count -= count;
        Ok(u32::try_from(taken).unwrap_or_default())
    }

    /// The next bits, at least 7 of them; zeros behind the end.
    pub(super) fn peek(&mut self) -> io::Result<u64> {
        while self.count < 7 && self.hold_byte()? {}
        Ok(self.held)
    }

    fn hold_byte(&mut self) -> io::Result<bool> {
        if self.is_at_end()? {
            return Ok(false);
        }
        self.held |= u64::from(self.buffer[self.at]) << self.count;
        self.at += 1;
        self.count += 8;
        Ok(true)
    }

    /// Passes the rest of a byte that has been begun, and gives back whole ones.
    pub(super) fn align(&mut self) {
        self.at -= self.count as usize / 8;
        (self.held, self.count) = (0, 0);
    }

    /// Copies what comes next, of `wanted` bytes as many as there are and `room` has room for; aligned before.
    pub(super) fn copy_to(&mut self, room: &mut [u8], wanted: usize) -> io::Result<usize> {
        if wanted > 0 && self.is_at_end()? {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        let count = wanted.min(room.len()).min(self.end - self.at);
        room[..count].copy_from_slice(&self.buffer[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }

    /// Whether every byte has been passed.
    pub(super) fn is_at_end(&mut self) -> io::Result<bool> {
        if self.at == self.end {
            self.read_more()?;
        }
        Ok(self.at == self.end)
    }

    /// Whether there is as much ahead as a symbol may look at; reads more if not. False near the end alone.
    pub(super) fn has_ahead(&mut self) -> io::Result<bool> {
        while self.at + AHEAD_BYTES >= self.end && !self.has_ended {
            self.read_more()?;
        }
        Ok(self.at + AHEAD_BYTES < self.end)
    }

    fn read_more(&mut self) -> io::Result<()> {
        let kept = self.at.saturating_sub(KEPT_BYTES);
        self.buffer.copy_within(kept..self.end, 0);
        (self.at, self.end) = (self.at - kept, self.end - kept);
        while !self.has_ended {
            match self.inner.read(&mut self.buffer[self.end..BUFFER_BYTES]) {
                Ok(0) => {
                    self.has_ended = true;
                    self.buffer[self.end..].fill(0);
                }
                Ok(count) => {
                    self.end += count;
                    break;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// What symbols are decoded from.
    pub(super) fn bits(&self) -> Bits<'_> {
        Bits {
            input: &self.buffer,
            at: self.at,
            // At the end the zeros behind it may be looked at: see `is_overrun`.
            limit: if self.at + AHEAD_BYTES < self.end {
                self.end - AHEAD_BYTES
            } else {
                self.end + KEPT_BYTES
            },
            held: self.held,
            count: self.count,
        }
    }

    /// Goes on where symbols ended.
    pub(super) fn set_bits(&mut self, (at, held, count): (usize, u64, u32)) {
        (self.at, self.held, self.count) = (at, held, count);
    }

    /// Whether bits behind the end were taken.
    pub(super) fn is_overrun(&self) -> bool {
        8 * self.at - self.count as usize > 8 * self.end
    }
}

/// The bits of a source, as many at a time as a symbol takes.
pub(super) struct Bits<'a> {
    input: &'a [u8],
    at: usize,
    limit: usize,
    held: u64,
    count: u32,
}

impl Bits<'_> {
    /// Whether there is something ahead.
    #[inline]
    pub(super) fn is_ahead(&self) -> bool {
        self.at < self.limit
    }

    /// Holds at least 56 bits.
    #[inline]
    pub(super) fn refill(&mut self) {
        let Some(word) = self.input.get(self.at..).and_then(<[u8]>::first_chunk) else {
            return;
        };
        // The byte of which not all bits fit is held again the next time.
        self.held |= u64::from_le_bytes(*word) << self.count;
        self.at += (63 - self.count as usize) / 8;
        self.count |= 0x38; // at least 56, up to 63
    }

    #[inline]
    pub(super) fn next(&self) -> u64 {
        self.held
    }

    /// Passes the bits of an entry.
    #[inline]
    pub(super) fn pass(&mut self, entry: u32) {
        self.held >>= entry & 0x3f;
        self.count = self.count.wrapping_sub(entry & 0x3f);
    }

    /// Where it ended, and the bits that have been passed but not taken.
    pub(super) fn left(&self) -> (usize, u64, u32) {
        (self.at, self.held & ((1 << self.count) - 1), self.count)
    }
}
