//! How many bytes of text each id stands for, from the merges that make it.

use crate::merge::Pair;

/// What is known of an id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Length {
    /// Nothing makes it, as far as has been seen.
    #[default]
    None,
    Bytes(u32),
    /// It stands for more than one number of bytes.
    Many,
}

/// Passes over the merges. Where a merge comes after those of its parts, as in every learnt vocabulary, one changes something
/// and the next nothing.
const MAXIMUM_PASSES: usize = 8;

/// The number of bytes of each id by `merges`, which say what each makes, and of those in `known`; 0 where it is not certain.
pub(crate) fn lengths_of(known: Vec<(u32, Length)>, merges: &[(Pair, u32)]) -> Vec<u32> {
    let ids = merges
        .iter()
        .flat_map(|&((left, right), made)| [left, right, made]);
    let largest = ids.chain(known.iter().map(|&(id, _)| id)).max().unwrap_or(0);
    let mut lengths = vec![Length::None; largest as usize + 1];
    for (id, length) in known {
        learn(&mut lengths[id as usize], length);
    }
    for _ in 0..MAXIMUM_PASSES {
        let mut has_changed = false;
        for &((left, right), made) in merges {
            let length = match (lengths[left as usize], lengths[right as usize]) {
                (Length::None, _) | (_, Length::None) => continue,
                (Length::Bytes(left), Length::Bytes(right)) => {
                    left.checked_add(right).map_or(Length::Many, Length::Bytes)
                }
                _ => Length::Many,
            };
            has_changed |= learn(&mut lengths[made as usize], length);
        }
        if !has_changed {
            let certain = lengths.into_iter().map(|length| match length {
                Length::Bytes(bytes) => bytes,
                Length::None | Length::Many => 0,
            });
            return certain.collect();
        }
    }
    Vec::new()
}

/// Adds `length` to what is known; true if it is new.
fn learn(known: &mut Length, length: Length) -> bool {
    let before = *known;
    *known = if before == Length::None || before == length {
        length
    } else {
        Length::Many
    };
    *known != before
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_as_long_as_its_parts_whatever_their_order() {
        let known = vec![(0, Length::Bytes(1)), (1, Length::Bytes(3))];
        let merges = [((2, 0), 3), ((0, 1), 2), ((5, 0), 4)];
        assert_eq!(lengths_of(known, &merges), [1, 3, 4, 5, 0, 0]);
    }

    #[test]
    fn an_id_of_two_lengths_has_none_nor_has_what_it_is_part_of() {
        let known = vec![(0, Length::Bytes(1)), (1, Length::Many)];
        let merges = [((0, 0), 2), ((2, 0), 2), ((2, 0), 3), ((1, 0), 4)];
        assert_eq!(lengths_of(known, &merges), [1, 0, 0, 0, 0]);
    }

    #[test]
    fn merges_in_an_order_that_takes_long_are_given_up() {
        let merges: Vec<(Pair, u32)> = (0..20).rev().map(|id| ((id, 0), id + 1)).collect();
        assert!(lengths_of(vec![(0, Length::Bytes(1))], &merges).is_empty());
    }
}
