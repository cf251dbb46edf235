//! Planted pairs, and groups that follow from the texts alone.

use super::*;

const TWO: NonZero<usize> = NonZero::new(2).expect("two");

fn similarity(near: &NearDuplicates, one: usize, other: usize) -> Option<f64> {
    near.similarity(one, other).expect("memory")
}

/// Words that never stand twice.
fn words(from: usize, to: usize) -> String {
    let words: Vec<String> = (from..to).map(|number| format!("word{number} ")).collect();
    words.concat()
}

/// Two texts of `size` words, of which they share the first `shared`; no other text has any of them.
fn pair(seed: usize, size: usize, shared: usize) -> [String; 2] {
    let start = seed * 10 * size;
    let common = words(start, start + shared);
    let own = size - shared;
    let other = start + 5 * size;
    [
        common.clone() + &words(start + shared, start + shared + own),
        common + &words(other, other + own),
    ]
}

fn found(threshold: f64, size: usize, shared: usize) -> usize {
    let mut near = NearDuplicates::new(threshold, 1).expect("a threshold");
    let texts: Vec<String> = (0..300).flat_map(|seed| pair(seed, size, shared)).collect();
    near.extend(&texts, TWO).expect("memory");
    let firsts = near.firsts().expect("memory");
    firsts
        .chunks(2)
        .enumerate()
        .inspect(|(seed, pair)| assert!(pair.iter().all(|first| *first as usize / 2 == *seed)))
        .filter(|(_, pair)| pair[0] == pair[1])
        .count()
}

#[test]
fn planted_pairs_are_found_and_others_are_not() {
    for size in [90, 900] {
        // 80 of 100 words: 8 / 9 of the words shared are 0.8 of all.
        assert!(found(0.8, size, size * 8 / 9) >= 290);
        assert!(found(0.8, size, size * 17 / 18) >= 298);
        // 0.7 and 0.5 of all.
        assert!(found(0.8, size, size * 14 / 17) < 100);
        assert_eq!(found(0.8, size, size * 2 / 3), 0);
        assert!(found(0.5, size, size * 2 / 3) >= 285);
    }
}

#[test]
fn similarity_is_what_the_sets_have_in_common() {
    for (shared, wanted) in [
        (0, 0.0),
        (500, 1.0 / 3.0),
        (800, 2.0 / 3.0),
        (950, 0.905),
        (1000, 1.0),
    ] {
        let mut near = NearDuplicates::new(0.8, 1).expect("a threshold");
        let mut sum = 0.0;
        for seed in 0..50 {
            near.extend(&pair(seed, 1000, shared), TWO).expect("memory");
            sum += similarity(&near, 2 * seed, 2 * seed + 1).expect("both are there");
        }
        assert!((sum / 50.0 - wanted).abs() < 0.015, "{sum} for {wanted}");
        assert_eq!(similarity(&near, 0, 100), None);
    }
}

#[test]
fn groups_do_not_depend_on_threads_or_the_way_texts_came() {
    let texts: Vec<String> = (0..40).flat_map(|seed| pair(seed, 90, 85)).collect();
    let firsts = |threads: usize, pieces: usize| {
        let mut near = NearDuplicates::new(0.8, 5).expect("a threshold");
        let threads = NonZero::new(threads).expect("one");
        texts
            .chunks(pieces)
            .for_each(|piece| near.extend(piece, threads).expect("memory"));
        assert_eq!(near.len(), texts.len());
        near.firsts().expect("memory")
    };
    assert_eq!(firsts(1, 80), firsts(3, 7));
    assert_eq!(firsts(1, 80), firsts(100, 1));
}

#[test]
fn kept_in_a_folder_they_are_the_same_groups() {
    let folder = tempfile::TempDir::new().expect("a folder");
    let mut memory = NearDuplicates::new(0.8, 5).expect("a threshold");
    let mut files = NearDuplicates::in_folder(0.8, 5, folder.path()).expect("it can be written");
    let texts: Vec<String> = (0..200).flat_map(|seed| pair(seed, 90, 70 + seed % 20)).collect();
    for near in [&mut memory, &mut files] {
        near.extend(&texts, TWO).expect("there is room");
        near.extend(&[""], TWO).expect("there is room");
    }
    let firsts = files.firsts().expect("they are there");
    assert_eq!(firsts, memory.firsts().expect("memory"));
    assert!(
        firsts
            .iter()
            .zip(0..)
            .filter(|(first, text)| *first != text)
            .count()
            > 20
    );
    assert_eq!(similarity(&files, 2, 3), similarity(&memory, 2, 3));
}

#[test]
fn a_chain_is_one_group_and_texts_without_words_are_like_none() {
    let mut near = NearDuplicates::new(0.8, 1).expect("a threshold");
    // Each shares nine tenths with the one before; the ends share nothing.
    let chain: Vec<String> = (0..30).map(|step| words(step * 50, step * 50 + 1000)).collect();
    near.extend(&chain, TWO).expect("memory");
    near.extend(&["...", "", "..."], TWO).expect("memory");
    let firsts = near.firsts().expect("memory");
    assert!(firsts[..30].iter().all(|first| *first == 0), "{firsts:?}");
    assert_eq!(firsts[30..], [30, 31, 32]);
    assert!(similarity(&near, 0, 29).expect("both are there") < 0.05);
}

#[test]
fn many_equal_texts_are_one_group_in_little_time() {
    let mut near = NearDuplicates::new(0.8, 5).expect("a threshold");
    near.extend(&vec![words(0, 50); 20_000], TWO).expect("memory");
    assert!(near.firsts().expect("memory").iter().all(|first| *first == 0));
}

#[test]
fn shingles_of_others_are_taken_as_they_are() {
    let mut near = NearDuplicates::new(0.8, 5).expect("a threshold");
    let texts: [&[&str]; 4] = [&["a b", "b c"], &["b c", "a b", "a b"], &["a b c"], &[]];
    for text in texts {
        let mut numbers = Vec::new();
        number_shingles(text, &mut numbers);
        near.add_numbers(&numbers).expect("memory");
    }
    assert_eq!(near.firsts().expect("memory"), [0, 0, 2, 3]);
}

#[test]
fn settings_out_of_range_are_refused() {
    for (threshold, words) in [(0.4, 5), (1.1, 5), (f64::NAN, 5), (0.8, 0), (0.8, 101)] {
        let error = NearDuplicates::new(threshold, words).expect_err("out of range");
        assert_eq!(error.class(), codex_file::Class::Usage);
    }
}
