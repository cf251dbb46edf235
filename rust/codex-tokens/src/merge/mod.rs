//! One word to ids: join the neighbours whose merge was learnt first, until none can be joined.
//!
//! [`short`] scans the few ranks of a word of up to 64 symbols, [`long`] queues those of a longer one. Both look merges
//! up in [`Merges`]; tests hold them to the definition.

mod live;
mod long;
mod numbers;
mod pairs;
mod rows;
mod scalars;
mod short;
mod stored;
mod table;

pub(crate) use long::merge_long;
pub(crate) use short::{LONGEST_SHORT_WORD, Short, TOGETHER, merge_short};
pub(crate) use table::Merges;

/// Two neighbouring ids.
pub(crate) type Pair = (u32, u32);

/// A learnt merge: its place in the order of learning, and the number of what it makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Merge {
    pub(crate) rank: u32,
    pub(crate) made: u32,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::random;
    use rustc_hash::FxHashMap;

    /// The definition, word for word: find the lowest rank, leftmost first, join it, begin again.
    fn by_definition(mut ids: Vec<u32>, merges: &[(Pair, u32)]) -> Vec<u32> {
        let ranks: FxHashMap<Pair, (usize, u32)> = merges
            .iter()
            .enumerate()
            .map(|(rank, &(pair, id))| (pair, (rank, id)))
            .collect();
        while let Some(((_, at), id)) = ids
            .windows(2)
            .enumerate()
            .filter_map(|(at, pair)| ranks.get(&(pair[0], pair[1])).map(|&(rank, id)| ((rank, at), id)))
            .min()
        {
            ids.splice(at..at + 2, [id]);
        }
        ids
    }

    /// Vocabularies of a few symbols, whose merges may make what another makes, hold to the definition at every length.
    #[test]
    fn both_ways_find_what_the_definition_finds() {
        let mut random = random::<u32>(7);
        let byte_ids: [u32; 256] = std::array::from_fn(|byte| u32::try_from(byte).expect("small") % 3);
        for _ in 0..400 {
            let mut merges: Vec<(Pair, u32)> = Vec::new();
            for made in 0..random(40) {
                let pair = (random(3 + made), random(3 + made));
                if merges.iter().all(|&(other, _)| other != pair) {
                    merges.push((pair, if random(8) == 0 { random(3) } else { 3 + made }));
                }
            }
            let table = Merges::of_bytes(&merges, &byte_ids).expect("small");
            for length in [0, 1, 2, 3, 7, 8, 9, 15, 16, 40, 63, 64, 65, 200] {
                let word: Vec<u8> = (0..length)
                    .map(|_| u8::try_from(random(3)).expect("small"))
                    .collect();
                let ids: Vec<u32> = word.iter().map(|&byte| u32::from(byte)).collect();
                let expected = by_definition(ids.clone(), &merges);
                for found in all_ways(&word, &ids, &table) {
                    assert_eq!(found, expected, "{word:?} {merges:?}");
                }
            }
        }
    }

    /// What `merge` gives: ids, and the places where they begin.
    fn collected(table: &Merges, merge: impl FnOnce(&mut dyn FnMut(u32, usize))) -> (Vec<u32>, Vec<usize>) {
        let (mut ids, mut places) = (Vec::new(), Vec::new());
        merge(&mut |id, place| {
            ids.push(table.id(id));
            places.push(place);
        });
        (ids, places)
    }

    /// The ids of `word`, whose symbols are `ids`, found in every way there is; all agree on where they begin.
    fn all_ways(word: &[u8], ids: &[u32], table: &Merges) -> Vec<Vec<u32>> {
        let numbers = || ids.iter().map(|&id| table.number(id));
        let mut found = vec![collected(table, |emit| merge_long(numbers(), table, emit))];
        if word.len() <= LONGEST_SHORT_WORD {
            let mut words = [const { None }; 2].map(|_: Option<Short>| Short::default());
            words[0].begin_bytes(word, table);
            words[1].begin_numbers(numbers(), table);
            merge_short(&mut words, table);
            let emit_all = |word: &Short, emit: &mut dyn FnMut(u32, usize)| {
                word.numbers().for_each(|(number, place)| emit(number, place));
            };
            found.extend(
                words
                    .iter()
                    .map(|word| collected(table, |emit| emit_all(word, emit))),
            );
        }
        assert!(found.iter().all(|(_, places)| *places == found[0].1), "{word:?}");
        found.into_iter().map(|(ids, _)| ids).collect()
    }

    /// Vocabularies learnt from random text, some with other ways to make the same tokens, some out of order: whatever is left
    /// out, and whatever is joined beforehand, the ids are those of all merges one after the other.
    #[test]
    fn what_cannot_happen_and_what_comes_first_change_nothing() {
        let mut random = random::<usize>(3);
        let alphabet = [
            " ",
            "a",
            "b",
            "\u{e9}",
            "\u{ea}",
            "\u{4e2d}",
            "\u{4e2e}",
            "\u{4eae}",
            "\u{10348}",
        ];
        let byte_ids: [u32; 256] = std::array::from_fn(|byte| u32::try_from(byte).expect("small"));
        let (mut with_characters, mut with_late, mut with_some) = (0, 0, 0);
        for _ in 0..300 {
            let letters = 1 + random(alphabet.len());
            let mut text = |length: usize| -> String {
                (0..length)
                    .map(|_| alphabet[(letters + random(3) * random(4)) % alphabet.len()])
                    .collect()
            };
            let mut tokens: Vec<Vec<u8>> = (0..=u8::MAX).map(|byte| vec![byte]).collect();
            let mut merges: Vec<(Pair, u32)> = Vec::new();
            let learnt = text(60);
            let ids_of = |text: &str| text.bytes().map(u32::from).collect::<Vec<u32>>();
            let texts: Vec<String> = (0..40).map(&mut text).collect();
            for _ in 0..random(40) {
                let ids = by_definition(ids_of(&learnt), &merges);
                let at = random(ids.len().max(2) - 1);
                let Some(&[left, right]) = ids.get(at..at + 2) else {
                    break;
                };
                let spelling = [tokens[left as usize].clone(), tokens[right as usize].clone()].concat();
                let made = tokens
                    .iter()
                    .position(|token| *token == spelling)
                    .unwrap_or(tokens.len());
                if made == tokens.len() {
                    tokens.push(spelling);
                }
                merges.push(((left, right), u32::try_from(made).expect("small")));
                // Another way to make some token, anywhere.
                let spelling = &tokens[256 + random(tokens.len() - 256)];
                let split = 1 + random(spelling.len());
                let sides = spelling
                    .split_at_checked(split)
                    .filter(|(_, right)| !right.is_empty());
                let id = |side: &[u8]| tokens.iter().position(|token| token == side);
                if random(3) == 0
                    && let Some((left, right)) = sides
                    && let (Some(left), Some(right), Some(made)) = (id(left), id(right), id(spelling))
                {
                    let pair = [left, right].map(|id| u32::try_from(id).expect("small"));
                    if merges.iter().all(|&(other, _)| other != pair.into()) {
                        let place = random(merges.len() + 1);
                        merges.insert(place, (pair.into(), u32::try_from(made).expect("small")));
                    }
                }
            }
            if random(4) == 0 && !merges.is_empty() {
                let (one, other) = (random(merges.len()), random(merges.len()));
                merges.swap(one, other);
            }
            let table = Merges::of_bytes(&merges, &byte_ids).expect("small");
            let kept = table.by_rank().len();
            with_late += usize::from(!table.made.is_empty());
            with_some += usize::from(kept < merges.len());
            for text in &texts {
                let expected = by_definition(ids_of(text), &merges);
                for found in all_ways(text.as_bytes(), &ids_of(text), &table) {
                    assert_eq!(found, expected, "{text:?} {merges:?}");
                }
                if table.has_characters(text.as_bytes()) {
                    let mut numbers = Vec::new();
                    table.each_character(text.as_bytes(), |number| numbers.push(number));
                    with_characters += usize::from(numbers.len() < text.len());
                    let (found, _) = collected(&table, |emit| merge_long(numbers.into_iter(), &table, emit));
                    assert_eq!(found, expected, "{text:?} {merges:?}");
                }
            }
        }
        assert!(
            with_characters > 1000 && with_late > 5 && with_some > 10,
            "{with_characters} {with_late} {with_some}"
        );
    }

    #[test]
    fn a_run_is_joined_from_the_left() {
        let table = Merges::of_bytes(&[((0, 0), 1)], &[0; 256]).expect("small");
        for found in all_ways(b"aaaaa", &[0; 5], &table) {
            assert_eq!(found, [1, 1, 0]);
        }
    }
}
