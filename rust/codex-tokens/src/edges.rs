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

#[cfg(test)]
mod tests {
    use super::joins_nothing_before;

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
}
