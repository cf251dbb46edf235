//! Learning against its definition, in memory, on disk, and on any number of threads.

use super::*;
use crate::alphabet;
use crate::random::random;
use crate::tokenizer::Tokenizer;
use codex_file::{Class, fail};
use std::cmp::Reverse;
use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::path::Path;

const TEXTS: [&str; 7] = [
    "aaaa aaaaa aaaaaaa aaa aa a",
    "abab ababab bababa abba baab",
    "the cat sat on the mat, the rat sat on the cat; that's that",
    "a b c d e f g h i j k l m",
    "\u{e9}\u{e9}\u{e9} \u{4e2d}\u{6587}\u{4e2d}\u{6587} \u{1f600}\u{1f600}\u{1f600}",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa abcabcabcabcabcabcabcabc",
    "xyxyx yxyxy xyyx yxxy xxyy yyxx xyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyxyx",
];

fn counts(texts: &[&str]) -> WordCounts {
    let mut counts = WordCounts::default();
    for text in texts {
        counts.add_text(text);
    }
    counts
}

fn merged(tokenizer: &Tokenizer) -> Vec<Vec<u8>> {
    tokens(tokenizer, 257)
}

/// The tokens from id `first` on.
fn tokens(tokenizer: &Tokenizer, first: u32) -> Vec<Vec<u8>> {
    let ids = first..u32::try_from(tokenizer.vocabulary_size()).expect("small");
    ids.map(|id| tokenizer.token_bytes(id).expect("no hole").to_vec())
        .collect()
}

fn learnt(counts: WordCounts, vocabulary_size: usize) -> Vec<Vec<u8>> {
    merged(&counts.train(vocabulary_size, &["<|endoftext|>"]).expect("trains"))
}

/// The definition: count all pairs anew for every merge.
fn by_definition(texts: &[&str], merges: usize, min_frequency: u64, longest: usize) -> Vec<Vec<u8>> {
    let mut tokens: Vec<Vec<u8>> = vec![vec![]];
    tokens.extend(alphabet::bytes_in_id_order().into_iter().map(|byte| vec![byte]));
    let id = |byte: u8| tokens.iter().position(|token| *token == [byte]).expect("a byte");
    let mut words: Vec<Vec<usize>> = texts
        .iter()
        .flat_map(|text| crate::split::words(text))
        .map(|word| word.bytes().map(id).collect())
        .collect();
    for _ in 0..merges {
        let mut pairs: HashMap<(usize, usize), u64> = HashMap::new();
        for word in &words {
            for pair in word.windows(2) {
                let length = tokens[pair[0]].len() + tokens[pair[1]].len();
                if length == 2 || length < longest {
                    *pairs.entry((pair[0], pair[1])).or_default() += 1;
                }
            }
        }
        let highest = pairs.iter().max_by_key(|&(&pair, &count)| (count, Reverse(pair)));
        let Some((&(left, right), _)) = highest.filter(|&(_, &count)| count >= min_frequency) else {
            break;
        };
        let new = tokens.len();
        tokens.push([tokens[left].as_slice(), &tokens[right]].concat());
        for word in &mut words {
            let mut at = 0;
            while at + 1 < word.len() {
                if word[at] == left && word[at + 1] == right {
                    word.splice(at..at + 2, [new]);
                }
                at += 1;
            }
        }
    }
    tokens.split_off(257)
}

#[test]
fn what_is_learnt_is_what_counting_anew_learns() {
    for text in TEXTS {
        assert_eq!(
            learnt(counts(&[text]), 257 + 40),
            by_definition(&[text], 40, 1, 1000),
            "{text:?}"
        );
    }
    let all = learnt(counts(&TEXTS), 257 + 200);
    assert_eq!(all, by_definition(&TEXTS, 200, 1, 1000));
}

#[test]
fn wide_cells_learn_what_narrow_cells_learn() {
    assert_eq!(learnt(counts(&TEXTS), 80_000), learnt(counts(&TEXTS), 5000));
}

#[test]
fn rare_pairs_and_long_tokens_are_left_alone_where_asked() {
    for (min_frequency, longest) in [
        (2, 1000),
        (3, 1000),
        (9, 1000),
        (0, 0),
        (0, 2),
        (0, 3),
        (0, 4),
        (0, 5),
        (0, 9),
        (2, 7),
    ] {
        let options = TrainOptions {
            special_tokens: vec!["<|endoftext|>".to_owned()],
            min_frequency,
            max_token_length: Some(longest),
            ..TrainOptions::new(257 + 100)
        };
        let tokenizer = counts(&TEXTS)
            .learn(options)
            .and_then(Training::finish)
            .expect("trains");
        let expected = by_definition(&TEXTS, 100, min_frequency.max(1), longest);
        assert_eq!(merged(&tokenizer), expected, "{min_frequency} {longest}");
    }
}

/// Words of many lengths that share parts, the same in every run.
fn many_words(words: usize) -> String {
    let mut random = random::<usize>(7);
    let mut text = String::new();
    let parts: Vec<String> = ('a'..='z')
        .flat_map(|first| {
            "eaoiurnstlz0\u{e9}\u{4e2d}"
                .chars()
                .map(move |second| format!("{first}{second}"))
        })
        .collect();
    for _ in 0..words {
        text.push(' ');
        for _ in 0..=random(8) {
            text.push_str(&parts[random(parts.len())]);
        }
    }
    text
}

#[test]
fn threads_and_pieces_do_not_change_what_is_learnt() {
    let text = many_words(60_000);
    let expected = learnt(counts(&[&text]), 1200);
    assert_eq!(expected.len(), 1200 - 257);
    for (threads, pieces) in [(1, 1), (2, 7), (3, 100), (8, 1000)] {
        let length = text.len() / pieces;
        let mut texts = Vec::new();
        let mut rest = text.as_str();
        while !rest.is_empty() {
            // Before a space, a text may be cut.
            let from = rest.ceil_char_boundary(length.min(rest.len() - 1).max(1));
            let end = rest[from..].find(' ').map_or(rest.len(), |at| from + at);
            texts.push(&rest[..end]);
            rest = &rest[end..];
        }
        let mut counts = WordCounts::default();
        counts
            .add_texts(&texts, NonZeroUsize::new(threads))
            .expect("counts");
        assert_eq!(counts.counted().bytes, text.len() as u64);
        assert_eq!(
            learnt(counts, 1200),
            expected,
            "{threads} threads, {pieces} pieces"
        );
    }
}

fn limited(text: &str, bytes: u64, folder: &Path) -> WordCounts {
    let mut counts = WordCounts::default();
    counts.limit_memory(bytes, folder).expect("is enough");
    counts.add_texts(&[text], NonZeroUsize::new(2)).expect("counts");
    counts
}

#[test]
fn a_limit_of_memory_far_below_the_words_changes_nothing() {
    let text = many_words(300_000);
    let folder = tempfile::tempdir().expect("a folder");
    let limited = limited(&text, 8 << 20, folder.path());
    let counted = limited.counted().spilled_bytes;
    assert!(counted > 0, "the table was spilled while counting");
    assert_eq!(learnt(limited, 400), learnt(counts(&[&text]), 400));
    assert_eq!(
        folder.path().read_dir().expect("lists").count(),
        0,
        "nothing is left"
    );
}

#[test]
fn a_disk_that_refuses_is_an_error_that_says_so() {
    let text = many_words(300_000);
    let folder = tempfile::tempdir().expect("a folder");
    for (point, class) in [
        ("tokens.spill.create=enospc@1", Class::DiskFull),
        ("tokens.spill.write=enospc@3", Class::DiskFull),
        ("tokens.spill.write=eio@30", Class::Machine),
        ("tokens.spill.read=eio@2", Class::Machine),
    ] {
        let armed = fail::arm(point, fail::Scope::Thread).expect("a rule");
        let mut counts = WordCounts::default();
        counts.limit_memory(8 << 20, folder.path()).expect("is enough");
        let error = counts
            .add_texts(&[&text], NonZeroUsize::new(1))
            .and_then(|()| counts.train(700, &[]))
            .expect_err(point);
        assert_eq!((error.class(), armed.fired()), (class, 1), "{point}: {error}");
        assert!(
            error.hint().is_some_and(|hint| hint.contains("TMPDIR")),
            "{point}"
        );
    }
    assert_eq!(
        folder.path().read_dir().expect("lists").count(),
        0,
        "nothing is left"
    );
}

#[test]
fn a_limit_too_small_to_work_in_is_refused() {
    let error = WordCounts::default()
        .limit_memory(1 << 20, Path::new("."))
        .expect_err("too small");
    assert_eq!(
        error.to_string(),
        "`memory_limit` is 1048576 bytes, expected at least 8388608"
    );
}

#[test]
fn counts_pass_two_to_the_31_and_two_to_the_32() {
    let mut counts = WordCounts::default();
    counts.add_word("ab", (1 << 31) + 1);
    counts.add_word("cd", (1 << 32) + 7);
    counts.add_word("ef", 1 << 31);
    assert_eq!(learnt(counts, 260), [b"cd", b"ab", b"ef"]);
}

#[test]
fn a_vocabulary_larger_than_reachable_ends_early() {
    assert_eq!(learnt(counts(&["abc"]), 4096), [b"ab".to_vec(), b"abc".to_vec()]);
    assert_eq!(learnt(WordCounts::default(), 4096), Vec::<Vec<u8>>::new());
}

#[test]
fn rare_characters_are_left_in_bytes_where_asked() {
    let options = |character_coverage| TrainOptions {
        character_coverage,
        ..TrainOptions::new(400)
    };
    let text = "ab ab ab ab a\u{e9}b a\u{e9}b";
    let all = counts(&[text])
        .learn(options(1.0))
        .and_then(Training::finish)
        .expect("trains");
    let some = counts(&[text])
        .learn(options(0.85))
        .and_then(Training::finish)
        .expect("trains");
    let holds_it = |tokenizer: &Tokenizer| tokens(tokenizer, 256).iter().any(|token| token.contains(&0xc3));
    assert!(holds_it(&all) && !holds_it(&some));
    assert!(tokens(&some, 256).iter().any(|token| token == b" ab"));
}

/// The spellings that `tokenizer.json` has from its vocabulary, by id.
fn spellings(json: &[u8]) -> Vec<String> {
    let json = codex_file::json::parse(json).expect("JSON");
    json["model"]["vocab"]
        .as_object()
        .expect("an object")
        .keys()
        .cloned()
        .collect()
}

#[test]
fn a_limited_alphabet_keeps_what_is_frequent() {
    let options = TrainOptions {
        initial_alphabet: vec![b'z'],
        limit_alphabet: Some(3),
        ..TrainOptions::new(5)
    };
    let json = counts(&["aab aab aac"])
        .learn(options)
        .and_then(Training::into_json)
        .expect("trains");
    assert_eq!(spellings(&json), ["a", "b", "z", "aa", "aab"]);
}

#[test]
fn a_suffix_marks_the_last_byte_of_a_word() {
    let options = TrainOptions {
        initial_alphabet: Vec::new(),
        end_of_word_suffix: Some("</w>".to_owned()),
        ..TrainOptions::new(12)
    };
    let json = counts(&["low low", "slow lo"])
        .learn(options)
        .and_then(Training::into_json)
        .expect("trains");
    let expected = [
        "l",
        "o",
        "s",
        "w",
        "\u{120}",
        "o</w>",
        "w</w>",
        "lo",
        "low</w>",
        "lo</w>",
        "slow</w>",
        "\u{120}low</w>",
    ];
    assert_eq!(spellings(&json), expected);
}

#[test]
fn a_vocabulary_without_room_for_the_bytes_is_refused() {
    let error = WordCounts::default()
        .train(256, &["<|endoftext|>"])
        .expect_err("too small");
    assert_eq!(
        error.to_string(),
        "`vocabulary_size` is 256, expected at least 257: every byte and special token has an id"
    );
}

#[test]
fn a_special_token_that_a_merge_spells_is_refused() {
    let train = |special_tokens: &[&str]| counts(&["the the the"]).train(300, special_tokens);
    let error = train(&["the"]).expect_err("spelt by a merge");
    assert_eq!(
        error.to_string(),
        "special token `the` is also spelt by ordinary text"
    );
    assert!(train(&["a"]).is_err(), "a byte of the alphabet");
    assert!(train(&["<x>", "<x>"]).is_err(), "given twice");
    assert!(train(&[""]).is_err(), "empty");
}
