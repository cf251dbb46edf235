//! Where no merge can cross: there a text may be cut, and what is on both sides encoded on its own.

use crate::merge::Pair;

/// Passes over the merges, of which a learnt vocabulary needs two.
const MAXIMUM_PASSES: usize = 8;

/// Whether no merge of these `symbols` joins what begins with the symbol `mark` to something before it that ends in another symbol.
///
/// A merge across such a place would have a right part that begins with the mark and a left part that ends otherwise. What an
/// id may begin with and end in is followed from the symbols up; too much is assumed rather than too little.
pub(crate) fn joins_nothing_before(mark: u32, symbols: &[u32], merges: &[(Pair, u32)]) -> bool {
    let ids = merges
        .iter()
        .flat_map(|&((left, right), made)| [left, right, made]);
    let length = ids
        .chain(symbols.iter().copied())
        .max()
        .map_or(0, |id| id as usize + 1);
    let mut begins_with_mark = vec![false; length];
    let mut ends_otherwise = vec![false; length];
    for &symbol in symbols {
        begins_with_mark[symbol as usize] = symbol == mark;
        ends_otherwise[symbol as usize] = symbol != mark;
    }
    for _ in 0..MAXIMUM_PASSES {
        let mut has_changed = false;
        for &((left, right), made) in merges {
            let [left, right, made] = [left, right, made].map(|id| id as usize);
            if begins_with_mark[right] && ends_otherwise[left] {
                return false;
            }
            has_changed |= begins_with_mark[left] && !std::mem::replace(&mut begins_with_mark[made], true);
            has_changed |= ends_otherwise[right] && !std::mem::replace(&mut ends_otherwise[made], true);
        }
        if !has_changed {
            return true;
        }
    }
    false
}

/// Bits of the set for each merge.
const BITS_A_MERGE: usize = 16;

/// The pairs of symbols between which some merge joins: what its left part ends in and its right part begins with. Between all
/// others a word may be cut and its pieces merged each for itself.
///
/// It is a set of hashes, so it may hold a pair that is no junction, which costs time and changes nothing.
#[derive(Debug)]
pub(crate) struct Junctions {
    bits: Vec<u64>,
    shift: u32,
}

impl Junctions {
    /// The junctions of `merges`, which are of these `symbols`; `None` if an id has two ways to begin or to end.
    pub(crate) fn of(symbols: &[u32], merges: &[(Pair, u32)]) -> Option<Self> {
        let ids = merges
            .iter()
            .flat_map(|&((left, right), made)| [left, right, made]);
        let length = ids.chain(symbols.iter().copied()).max()? as usize + 1;
        // The symbols that each id begins with and ends in, once something makes it.
        let mut edges: Vec<Option<Pair>> = vec![None; length];
        for &symbol in symbols {
            edges[symbol as usize] = Some((symbol, symbol));
        }
        for _ in 0..MAXIMUM_PASSES {
            let mut has_changed = false;
            for &((left, right), made) in merges {
                let (Some((first, _)), Some((_, last))) = (edges[left as usize], edges[right as usize])
                else {
                    continue;
                };
                match edges[made as usize].replace((first, last)) {
                    None => has_changed = true,
                    Some(known) if known != (first, last) => return None,
                    Some(_) => {}
                }
            }
            if !has_changed {
                return Some(Self::of_edges(&edges, merges));
            }
        }
        None
    }

    fn of_edges(edges: &[Option<Pair>], merges: &[(Pair, u32)]) -> Self {
        let bits = (merges.len() * BITS_A_MERGE).next_power_of_two().max(1 << 12);
        let mut junctions = Self {
            bits: vec![0; bits / 64],
            shift: u64::BITS - bits.trailing_zeros(),
        };
        for &((left, right), _) in merges {
            // What nothing makes is not joined either.
            if let (Some((_, left)), Some((right, _))) = (edges[left as usize], edges[right as usize]) {
                let (word, bit) = junctions.place_of(left, right);
                junctions.bits[word] |= bit;
            }
        }
        junctions
    }

    /// Whether a merge may join what ends in the symbol `left` to what begins with `right`.
    #[inline]
    pub(crate) fn may_join(&self, left: u32, right: u32) -> bool {
        let (word, bit) = self.place_of(left, right);
        self.bits[word] & bit != 0
    }

    fn place_of(&self, left: u32, right: u32) -> (usize, u64) {
        let pair = u64::from(left) << 32 | u64::from(right);
        let bit = pair.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> self.shift;
        ((bit / 64) as usize, 1 << (bit % 64))
    }
}

#[cfg(test)]
mod tests {
    use super::{Junctions, joins_nothing_before};

    /// 0 is the mark, 1 and 2 are letters.
    const SYMBOLS: [u32; 3] = [0, 1, 2];

    #[test]
    fn marks_join_each_other_and_what_follows() {
        let merges = [((0, 0), 3), ((3, 0), 4), ((0, 1), 5), ((5, 2), 6), ((3, 6), 7)];
        assert!(joins_nothing_before(0, &SYMBOLS, &merges));
    }

    #[test]
    fn a_mark_behind_a_letter_is_found_in_any_order_of_merges() {
        for merges in [
            [((1, 0), 3), ((0, 1), 4)],
            [((1, 2), 3), ((3, 0), 4)],
            [((1, 4), 3), ((0, 2), 4)],
            [((5, 6), 3), ((0, 1), 4)],
        ] {
            let symbols = [SYMBOLS.as_slice(), &[5, 6]].concat();
            let is_found = merges[0].0 != (5, 6);
            assert_eq!(
                !joins_nothing_before(0, &symbols, &merges),
                is_found,
                "{merges:?}"
            );
        }
    }

    #[test]
    fn a_junction_lies_where_some_merge_joins() {
        let merges = [((0, 1), 3), ((3, 2), 4), ((4, 4), 5)];
        let junctions = Junctions::of(&SYMBOLS, &merges).expect("one way each");
        let all = (0..3).flat_map(|left| (0..3).map(move |right| (left, right)));
        let found: Vec<_> = all
            .filter(|&(left, right)| junctions.may_join(left, right))
            .collect();
        assert_eq!(found, [(0, 1), (1, 2), (2, 0)]);
    }

    #[test]
    fn merges_in_any_order_have_the_same_junctions() {
        let junctions = Junctions::of(&SYMBOLS, &[((3, 3), 4), ((0, 1), 3)]).expect("one way each");
        assert!(junctions.may_join(1, 0) && !junctions.may_join(0, 0));
    }

    #[test]
    fn an_id_that_begins_in_two_ways_has_no_junctions() {
        assert!(Junctions::of(&SYMBOLS, &[((0, 1), 3), ((2, 1), 3)]).is_none());
        assert!(Junctions::of(&SYMBOLS, &[((0, 1), 2)]).is_none());
    }
}
