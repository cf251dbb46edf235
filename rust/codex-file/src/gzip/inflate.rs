//! The blocks of a deflate stream (RFC 1951), as many bytes at a time as there is room for.

use std::io::{self, ErrorKind, Read};

use super::source::Source;
use super::tables::{
    self, CODE_SHIFT, Distances, END, EXCEPTIONAL, LITERAL, LONGER, Lengths, Symbols, VALUE_SHIFT, low,
};
use super::window::{LIMIT, Window};

/// Decodes one stream after the other.
#[derive(Debug)]
pub(super) struct Inflate {
    symbols: Symbols,
    distances: Distances,
    lengths: Lengths,
    block: Block,
    is_last: bool,
}

#[derive(Debug)]
enum Block {
    /// Its header comes next.
    Header,
    /// So many bytes follow as they are.
    Stored(usize),
    /// Symbols follow.
    Coded,
}

impl Inflate {
    pub(super) fn new() -> Self {
        Self {
            symbols: Symbols::new(),
            distances: Distances::new(),
            lengths: Lengths::new(),
            block: Block::Header,
            is_last: false,
        }
    }

    /// Decodes until the window is full or the stream ends, which is true then; the next call begins the next stream.
    ///
    /// What is in the window is right also if this fails.
    ///
    /// # Errors
    /// If the source cannot be read, ends early, or holds no such stream.
    pub(super) fn fill(&mut self, source: &mut Source<impl Read>, window: &mut Window) -> io::Result<bool> {
        while !window.is_full() {
            match self.block {
                Block::Header => self.read_header(source)?,
                Block::Stored(left) => {
                    let taken = source.copy_to(window.room(), left)?;
                    window.grow(taken);
                    self.block = Block::Stored(left - taken);
                    if taken == left && self.end_block(source) {
                        return Ok(true);
                    }
                }
                Block::Coded => {
                    if self.decode_some(source, window)? && self.end_block(source) {
                        return Ok(true);
                    }
                }
            }
        }
        Ok(false)
    }

    /// True if that was the last one.
    fn end_block(&mut self, source: &mut Source<impl Read>) -> bool {
        self.block = Block::Header;
        if self.is_last {
            self.is_last = false;
            source.align();
            return true;
        }
        false
    }

    fn read_header(&mut self, source: &mut Source<impl Read>) -> io::Result<()> {
        self.is_last = source.take(1)? == 1;
        self.block = match source.take(2)? {
            0 => {
                source.align();
                let (length, complement) = (source.take(16)?, source.take(16)?);
                if length != !complement & 0xffff {
                    return Err(damaged("the length of a stored block"));
                }
                Block::Stored(length as usize)
            }
            1 => {
                let mut lengths = [8; 288];
                lengths[144..256].fill(9);
                lengths[256..280].fill(7);
                self.make_tables(&lengths, &[5; 32])?;
                Block::Coded
            }
            2 => {
                self.read_codes(source)?;
                Block::Coded
            }
            _ => return Err(damaged("the kind of a block")),
        };
        Ok(())
    }

    /// The codes of a block, their lengths coded too.
    fn read_codes(&mut self, source: &mut Source<impl Read>) -> io::Result<()> {
        const ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
        let symbols = source.take(5)? as usize + 257;
        let distances = source.take(5)? as usize + 1;
        let given = source.take(4)? as usize + 4;
        if symbols > 286 || distances > 30 {
            return Err(damaged("the number of codes"));
        }
        let mut lengths = [0; 19];
        for place in &ORDER[..given] {
            lengths[*place] = small(source.take(3)?);
        }
        if lengths == [0; 19] || !self.lengths.fill(&lengths, tables::length) {
            return Err(damaged("the code of code lengths"));
        }
        let mut all = [0_u8; 286 + 30];
        let mut known = 0;
        while known < symbols + distances {
            let entry = self.lengths.first(source.peek()?);
            source.take(entry & 0xff)?;
            if entry & EXCEPTIONAL != 0 {
                return Err(damaged("a code length"));
            }
            let (length, times) = match entry >> VALUE_SHIFT & 0xff {
                16 if known == 0 => return Err(damaged("a code length")),
                16 => (all[known - 1], source.take(2)? as usize + 3),
                17 => (0, source.take(3)? as usize + 3),
                18 => (0, source.take(7)? as usize + 11),
                length => (small(length), 1),
            };
            let Some(same) = all[..symbols + distances].get_mut(known..known + times) else {
                return Err(damaged("a code length"));
            };
            same.fill(length);
            known += times;
        }
        if all[256] == 0 {
            return Err(damaged("the code of a block, which has no end,"));
        }
        self.make_tables(&all[..symbols], &all[symbols..symbols + distances])
    }

    fn make_tables(&mut self, symbols: &[u8], distances: &[u8]) -> io::Result<()> {
        if !self.symbols.fill(symbols, tables::symbol) {
            return Err(damaged("the code of symbols"));
        }
        if !self.distances.fill(distances, tables::distance) {
            return Err(damaged("the code of distances"));
        }
        Ok(())
    }

    /// Decodes symbols until the window is full or the block ends, which is true then.
    fn decode_some(&self, source: &mut Source<impl Read>, window: &mut Window) -> io::Result<bool> {
        loop {
            if source.has_ahead()? {
                if self.decode(source, window, usize::MAX)? {
                    return Ok(true);
                }
            } else {
                // Near its end: what is read behind it are zeros, and a symbol made of them is none.
                let before = window.end();
                let has_ended = self.decode(source, window, before + 1);
                if source.is_overrun() {
                    window.set_end(before);
                    return Err(ErrorKind::UnexpectedEof.into());
                }
                if has_ended? {
                    return Ok(true);
                }
            }
            if window.is_full() {
                return Ok(false);
            }
        }
    }

    /// Decodes symbols while there is something ahead and the window ends before `limit` and is not full; true at the end of
    /// the block.
    fn decode(&self, source: &mut Source<impl Read>, window: &mut Window, limit: usize) -> io::Result<bool> {
        let mut bits = source.bits();
        let mut output = window.output();
        let limit = limit.min(LIMIT);
        let answer = loop {
            if !bits.is_ahead() || output.end() >= limit {
                break Ok(false);
            }
            bits.refill();
            let mut entry = self.symbols.first(bits.next());
            // Three bytes take at most 33 of 56 bits.
            if entry & LITERAL != 0 {
                bits.pass(entry);
                output.push(byte(entry));
                entry = self.symbols.first(bits.next());
                if entry & LITERAL != 0 {
                    bits.pass(entry);
                    output.push(byte(entry));
                    entry = self.symbols.first(bits.next());
                    if entry & LITERAL != 0 {
                        bits.pass(entry);
                        output.push(byte(entry));
                        continue;
                    }
                }
                bits.refill();
            }
            if entry & EXCEPTIONAL != 0 {
                bits.pass(entry);
                if entry & LONGER != 0 {
                    entry = self.symbols.second(entry, bits.next());
                    if entry & LITERAL != 0 {
                        bits.pass(entry);
                        output.push(byte(entry));
                        continue;
                    }
                    if entry & END != 0 {
                        bits.pass(entry);
                    }
                }
                if entry & EXCEPTIONAL != 0 {
                    break if entry & END != 0 {
                        Ok(true)
                    } else {
                        Err(damaged("a symbol"))
                    };
                }
            }
            let length = value(entry, bits.next());
            bits.pass(entry);
            // A length took at most 20 bits, a distance takes at most 28.
            let mut entry = self.distances.first(bits.next());
            if entry & LONGER != 0 {
                bits.pass(entry);
                entry = self.distances.second(entry, bits.next());
            }
            if entry & EXCEPTIONAL != 0 {
                break Err(damaged("a distance"));
            }
            let distance = value(entry, bits.next());
            bits.pass(entry);
            if distance > output.behind() {
                break Err(damaged("a distance beyond the start"));
            }
            output.repeat(distance, length);
        };
        let (end, left) = (output.end(), bits.left());
        window.set_end(end);
        source.set_bits(left);
        answer
    }
}

/// What a literal stands for.
#[inline]
fn byte(entry: u32) -> u8 {
    small(entry >> VALUE_SHIFT)
}

/// The lowest 8 bits, where that is all there is or counts.
#[inline]
#[allow(clippy::cast_possible_truncation)]
fn small(number: u32) -> u8 {
    number as u8
}

/// A length or a distance: what its symbol says, and the extra bits behind the code.
#[inline]
fn value(entry: u32, bits: u64) -> usize {
    let extra = low(bits, entry & 0x3f) >> (entry >> CODE_SHIFT & 0xf);
    (entry >> VALUE_SHIFT) as usize + extra
}

pub(super) fn damaged(what: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, format!("{what} is wrong"))
}
