//! Bytes that grow to megabytes without being moved: in pieces, each a large page.

use crate::pages::Table;

/// A large page.
const PIECE_BYTES: usize = 2 << 20;

/// Ids as bytes, one behind the other.
#[derive(Debug, Default)]
pub(super) struct Bytes {
    /// All but the last are full; those behind it are kept for the next shard.
    pieces: Vec<Table<u8>>,
    count: usize,
}

impl Bytes {
    /// Adds the lower `WIDTH` bytes of every id, 2 or 4, the lowest first.
    pub(super) fn push<const WIDTH: usize>(&mut self, mut ids: &[u32]) {
        const { assert!(PIECE_BYTES.is_multiple_of(WIDTH)) }
        while !ids.is_empty() {
            let (piece, used) = (self.count / PIECE_BYTES, self.count % PIECE_BYTES);
            if piece == self.pieces.len() {
                self.pieces.push(Table::spread_zeros(PIECE_BYTES));
            }
            let places = self.pieces[piece][used..].as_chunks_mut::<WIDTH>().0;
            let (now, rest) = ids.split_at(ids.len().min(places.len()));
            for (place, id) in places.iter_mut().zip(now) {
                place.copy_from_slice(&id.to_le_bytes()[..WIDTH]);
            }
            self.count += now.len() * WIDTH;
            ids = rest;
        }
    }

    /// All bytes, in order.
    pub(super) fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        let starts = (0..self.count).step_by(PIECE_BYTES);
        let length = |start| PIECE_BYTES.min(self.count - start);
        self.pieces
            .iter()
            .zip(starts)
            .map(move |(piece, start)| &piece[..length(start)])
    }

    /// Empty again, its memory kept.
    pub(super) fn clear(&mut self) {
        self.count = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_follow_each_other_over_pieces_and_after_a_clear() {
        let narrow: Vec<u16> = (0..=u16::MAX).cycle().take(PIECE_BYTES).collect();
        let ids: Vec<u32> = narrow.iter().copied().map(u32::from).collect();
        let mut bytes = Bytes::default();
        for (skip, length) in [(0, 1), (1, 300_000), (0, ids.len())] {
            bytes.clear();
            for ids in ids[skip..].chunks(length) {
                bytes.push::<2>(ids);
            }
            let expected = narrow[skip..].iter().flat_map(|id| id.to_le_bytes());
            assert!(bytes.pieces().flatten().copied().eq(expected));
        }
        bytes.clear();
        assert_eq!(bytes.pieces().count(), 0);
        bytes.push::<4>(&ids);
        let expected = ids.iter().flat_map(|id| id.to_le_bytes());
        assert!(bytes.pieces().flatten().copied().eq(expected));
    }
}
