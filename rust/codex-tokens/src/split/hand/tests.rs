use super::super::known::{ALL, recognized};
use super::super::steps::{Behavior, Pattern, Step};
use super::super::{Dialect, Splitter};
use super::*;
use crate::random::random;

/// The known patterns as steps.
fn patterns() -> impl Iterator<Item = (Vec<Step>, Known)> {
    ALL.iter().map(|&(patterns, dialect)| {
        let step = |pattern: &&str| Step::Split {
            pattern: Pattern::Regex((*pattern).to_owned(), dialect),
            behavior: Behavior::Isolated,
            invert: false,
        };
        let steps: Vec<Step> = patterns.iter().map(step).collect();
        let known = recognized(&steps).expect("a known pattern");
        (steps, known)
    })
}

fn ends_of(splitter: &Splitter, text: &str) -> Vec<usize> {
    let mut cut = splitter.cut(text);
    let (mut all, mut some) = (vec![], [0; 7]);
    loop {
        match cut.next_ends(&mut some) {
            0 => return all,
            count => all.extend_from_slice(&some[..count]),
        }
    }
}

/// Holds the way by hand to the pattern itself, for every known pattern.
fn assert_same(texts: impl Fn() -> Box<dyn Iterator<Item = String>>) {
    for (steps, known) in patterns() {
        let by_pattern = Splitter::by_steps(&steps).expect("a pattern that runs");
        let by_hand = Splitter::of(&steps).expect("a known pattern");
        assert!(matches!(by_hand, Splitter::Known(_)));
        for text in texts() {
            let (hand, pattern) = (ends_of(&by_hand, &text), ends_of(&by_pattern, &text));
            if let Some(word) =
                (0..hand.len().max(pattern.len())).find(|&word| hand.get(word) != pattern.get(word))
            {
                let (hand, pattern) = (hand.get(word), pattern.get(word));
                let at = hand.min(pattern).copied().unwrap_or(0);
                let near = text
                    .char_indices()
                    .filter(|&(place, _)| place.abs_diff(at) < 20)
                    .map(|(_, scalar)| scalar);
                panic!(
                    "{known:?}: {hand:?} by hand, {pattern:?} by the pattern, near {:?}",
                    near.collect::<String>()
                );
            }
        }
    }
}

/// Every scalar between letters and spaces; and those of the first scripts, and some of all others, between all else and itself.
#[test]
fn every_scalar_is_cut_as_the_pattern_cuts_it() {
    assert_same(|| {
        let scalars: Vec<char> = (0..=0x10_ffff).filter_map(char::from_u32).collect();
        let around = |x: &char| match u32::from(*x) {
            0x3400.. if u32::from(*x) % 97 > 0 => format!("a{x} {x}B"),
            _ => format!("a{x}1{x}!{x} {x}{x}\n{x}'{x}'s{x}B{x}\u{4e2d}{x}A-{x}b {x}"),
        };
        let texts: Vec<String> = scalars
            .chunks(4096)
            .map(|chunk| chunk.iter().map(around).collect())
            .collect();
        Box::new(texts.into_iter())
    });
}

/// Every way to put some of these side by side, alone and across the end of a block.
#[test]
fn every_short_text_is_cut_as_the_pattern_cuts_it() {
    let parts = [
        "a",
        "B",
        "s",
        "ll",
        "1",
        " ",
        "\t",
        "\n",
        "'",
        "!",
        "/",
        "\u{e9}",
        "\u{3000}",
        "\u{2460}",
        "\u{1f600}",
        "\u{301}",
        "\u{4e2d}",
        "\u{30fb}",
        "\0",
        "\u{200d}",
        "\u{1c5}",
        "\u{17f}",
    ];
    assert_same(move || {
        let texts = (0..parts.len().pow(3)).map(move |mut number| {
            let mut text = if number % 3 == 0 {
                "x".repeat(61 + number % 5)
            } else {
                String::new()
            };
            for _ in 0..3 {
                text.push_str(parts[number % parts.len()]);
                number /= parts.len();
            }
            text
        });
        Box::new(texts)
    });
}

/// Long texts of the same parts, so that everything happens at every place of a block, and runs of one kind.
#[test]
fn long_texts_are_cut_as_the_pattern_cuts_them() {
    let parts = [
        "a",
        "the",
        "B",
        "ABC",
        "'s",
        "'LL",
        "'\u{17f}",
        "12",
        "1",
        " ",
        "  ",
        "\t",
        "\n",
        "\r\n",
        "'",
        "!",
        "//",
        "/\n",
        "\u{e9}",
        "\u{c9}",
        "\u{3000}",
        "\u{a0}",
        "\u{2460}",
        "\u{661}",
        "\u{1f600}",
        "\u{301}",
        "\u{fe0f}",
        "\u{4e2d}\u{6587}",
        "\u{9fa6}",
        "\u{30ab}",
        "\u{30fb}",
        "\0",
        "\u{200d}",
        "\u{1c5}",
        "\u{2b0}",
        "\u{e34}",
        "\u{201c}",
        "-",
        "\u{ff0c}",
    ];
    assert_same(move || {
        let mut random = random::<usize>(11);
        let texts = (0..400).map(move |number| {
            let (few, from) = (1 + random(6), random(parts.len()));
            let mut text = String::new();
            while text.len() < 600 {
                // Some texts of few parts and long runs, some of all.
                let part = if number % 2 == 0 {
                    random(parts.len())
                } else {
                    (from + random(few) * 7) % parts.len()
                };
                let times = if random(9) == 0 { random(90) } else { 1 };
                text.push_str(&parts[part].repeat(times));
            }
            text
        });
        Box::new(texts)
    });
}

/// Runs that go on over a thousand blocks.
#[test]
fn long_runs_are_cut_as_the_pattern_cuts_them() {
    assert_same(|| {
        let units = [
            "a",
            " ",
            "\t",
            "\n",
            "1",
            "\u{663}",
            "\u{4e2d}",
            "\u{1f600}",
            "\u{301}",
            "!",
            "\u{3000}",
            "A\u{4e2d}",
            "\n  ",
            "\0",
            "'s",
        ];
        Box::new(units.into_iter().flat_map(|unit| {
            let run = unit.repeat((1 << 16) / unit.len());
            [format!("!\n{run}A")]
        }))
    });
}

#[test]
fn a_pattern_is_known_by_its_whole_spelling_and_its_rules() {
    assert!(patterns().count() >= 7);
    let split = |pattern: &str, dialect, behavior, invert| Step::Split {
        pattern: Pattern::Regex(pattern.to_owned(), dialect),
        behavior,
        invert,
    };
    let (tiktoken, _) = ALL
        .iter()
        .find(|(_, dialect)| *dialect == Dialect::Tiktoken)
        .expect("one of tiktoken's");
    for step in [
        split(tiktoken[0], Dialect::Oniguruma, Behavior::Isolated, false),
        split(ALL[0].0[0], ALL[0].1, Behavior::Removed, false),
        split(ALL[0].0[0], ALL[0].1, Behavior::Isolated, true),
        split(r"\s+", Dialect::Oniguruma, Behavior::Isolated, false),
    ] {
        assert_eq!(recognized(std::slice::from_ref(&step)), None, "{step:?}");
    }
}
