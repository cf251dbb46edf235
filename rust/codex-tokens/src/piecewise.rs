//! A word of characters merged piece by piece: it is cut where no merge can join, and what is cut off is merged before the rest
//! is known, so that a megabyte without a space takes no more memory than a page of it.

use crate::merge::{LONGEST_SHORT_WORD, Short};
use crate::model::Model;

/// Symbols that are collected before it is looked for places to cut at.
const SYMBOLS: usize = 4096;

/// The end of a word in the making, whose symbols are [pushed](Self::push) one after the other.
pub(crate) struct Pieces<'m, E> {
    model: &'m Model,
    symbols: Vec<u32>,
    /// The place in the word of the first of them.
    start: usize,
    /// How many there are when it is looked again.
    limit: usize,
    /// A piece while it is merged.
    short: Short,
    emit: E,
}

impl<'m, E: FnMut(u32, usize)> Pieces<'m, E> {
    /// `emit` is given the number of each id, and the place of the first symbol in it; `symbols` is about how many come.
    pub(crate) fn new(model: &'m Model, symbols: usize, emit: E) -> Self {
        Self {
            model,
            symbols: Vec::with_capacity(symbols.min(SYMBOLS)),
            start: 0,
            limit: SYMBOLS,
            short: Short::default(),
            emit,
        }
    }

    /// The next symbol of the word, which is an id.
    #[inline]
    pub(crate) fn push(&mut self, symbol: u32) {
        if self.symbols.len() == self.limit {
            self.merge(false);
            // A piece that is longer than that is not looked through again and again.
            if self.symbols.len() > self.limit / 2 {
                self.limit *= 2;
            }
        }
        self.symbols.push(symbol);
    }

    /// There are no more.
    pub(crate) fn finish(mut self) {
        self.merge(true);
    }

    /// Merges all pieces, but the last only if the word `is_whole`.
    fn merge(&mut self, is_whole: bool) {
        let is_long = self.start > 0 || self.symbols.len() > LONGEST_SHORT_WORD;
        let junctions = is_long.then(|| self.model.junctions()).flatten();
        let may_join = |&left: &u32, &right: &u32| junctions.is_none_or(|all| all.may_join(left, right));
        let mut done = 0;
        for piece in self.symbols.chunk_by(may_join) {
            let end = done + piece.len();
            if end == self.symbols.len() && !is_whole {
                break;
            }
            let start = self.start + done;
            if let &[symbol] = piece {
                (self.emit)(self.model.number(symbol), start);
            } else {
                let emit = |number, place| (self.emit)(number, start + place);
                self.model.merge_piece(piece, &mut self.short, emit);
            }
            done = end;
        }
        self.symbols.drain(..done);
        self.start += done;
    }
}
