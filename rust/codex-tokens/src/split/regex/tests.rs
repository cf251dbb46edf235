use super::parse::parse;
use super::*;

fn found(pattern: &str, dialect: Dialect, text: &str) -> Vec<Range<usize>> {
    let mut matches = Vec::new();
    Regex::new(pattern, dialect)
        .expect(pattern)
        .find_all(text, |range| matches.push(range));
    matches
}

/// Patterns with the pieces they have to do with.
const PATTERNS: &[&str] = &[
    r"'s|'t|'re| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
    r"(?i:'s|'re)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|\s*[\r\n]+|\s+",
    r"[ab]?a*?b|(?:ab|a)(?:b|ba)|.",
    r"(?=b)|a+",
    r"a*",
    r"(?<=a)b|(?<![ab])\w|^.|.$",
    r"\bs|\Bs|\A.|.\z|.\Z",
    r"a{2,3}+|b{,2}a|b{2,}|a{2}b",
    r"[ab]++b|a?+a|[^a]*+s",
    r"(?>a+)b|(?>s)",
    r"[a-z&&[^b]]+|[^\Wa]|\h",
    r"(?=a.*s)a|(?!a.*s)a",
    r"(?:a|b|'s)*?(?= )",
    r"",
];

/// Every text of up to seven of these.
#[test]
fn matches_are_those_of_the_definition() {
    let parts = ["a", "b", " ", "'s", "1\n", "\u{e9}"];
    for &pattern in PATTERNS {
        let node = parse(pattern, Dialect::Oniguruma).expect(pattern);
        let regex = Regex::new(pattern, Dialect::Oniguruma).expect(pattern);
        for length in 0..6 {
            for mut number in 0..parts.len().pow(length) {
                let mut text = String::new();
                for _ in 0..length {
                    text.push_str(parts[number % parts.len()]);
                    number /= parts.len();
                }
                let mut matches = Vec::new();
                regex.find_all(&text, |range| matches.push(range));
                assert_eq!(matches, naive::find_all(&node, &text), "{pattern} in {text:?}");
            }
        }
    }
}

#[test]
fn a_long_text_is_matched_as_a_short_one() {
    let unit = "it's  a\n1234 \u{4e2d}\u{6587} b!! \r\n\t x";
    for &pattern in &PATTERNS[..2] {
        let node = parse(pattern, Dialect::Oniguruma).expect(pattern);
        for times in [100, 163, 3000] {
            let text = unit.repeat(times);
            assert_eq!(
                found(pattern, Dialect::Oniguruma, &text),
                naive::find_all(&node, &text)
            );
        }
    }
}

/// Letters as a coin falls.
fn coins(count: usize) -> String {
    let mut state = 1_u32;
    let mut coin = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        if state >> 31 == 0 { 'a' } else { 'b' }
    };
    (0..count).map(|_| coin()).collect()
}

/// Each place of this text has answers of its own, so that it is read in many stretches.
#[test]
fn a_text_of_many_answers_is_matched_as_any_other() {
    let (pattern, text) = (r"a(?=[ab]{14}b)|b(?=[ab]{11}a)|(?<=a)[ab]{2}", coins(20_000));
    let node = parse(pattern, Dialect::Oniguruma).expect(pattern);
    assert_eq!(
        found(pattern, Dialect::Oniguruma, &text),
        naive::find_all(&node, &text)
    );
}

/// A matcher that comes back from failed choices needs a time of n * n or 2^n for these.
#[test]
fn no_pattern_is_slow() {
    let run = "a".repeat(1 << 20);
    for (pattern, matches) in [
        (r"(?:a|a)+b|a", 1 << 20),
        (r"a*b|a", 1 << 20),
        (r"(?:a*){3}c|aa", 1 << 19),
        (r"(?=a*b)a|(?!a*c)a", 1 << 20),
        (r"a(?!a)", 1),
        (r"[ab]*a[ab]{12}c|a+", 1),
    ] {
        assert_eq!(
            found(pattern, Dialect::Oniguruma, &run).len(),
            matches,
            "{pattern}"
        );
    }
    let pattern = r"(?=(?:a|b){18}a(?:a|b)*c)a|(?<=a)b|[ab](?=(?:a|b){17}b)";
    assert!(found(pattern, Dialect::Oniguruma, &coins(100_000)).len() > 1000);
}

#[test]
fn what_cannot_be_run_is_refused_by_name() {
    let deep = "(".repeat(100_000);
    for (pattern, what) in [
        (r"(a)\1", "has a back-reference"),
        (r"(?<n>a)\k<n>", "has a back-reference"),
        (
            r"(?>ab)c",
            "has an atomic group of more than a repeated character",
        ),
        (r"(?:ab)++", "has a possessive repeat of more than a character"),
        (r"(?<=ab)c", "looks behind itself further than one character"),
        (r"(?:a*)*", "repeats without end what can be empty"),
        (r"a**", "has a repeat of a repeat"),
        (r"(?=a)*", "repeats a look at what stands around"),
        (r"a{1001}", "repeats more than 1000 times"),
        (r"(?:[ab]{1000}){3}", "has a pattern of more than 2000 states"),
        (r"(?x) a", "needs the flag `x`"),
        (r"(?i:\p{L})", "ignores the case of a property"),
        (
            r"(?i:stra\x{df}e)",
            "ignores the case of letters that one character stands for",
        ),
        ("(?i:\u{e9})", "ignores the case of characters outside of ASCII"),
        (r"[[:alpha:]]", "has a POSIX bracket"),
        (r"\p{Klingon}", "needs the property `Klingon`"),
        (r"\X", "needs `\\X`"),
        (r"[z-a]", "has a range that is none"),
        (r"[a", "has a `[` without its `]`"),
        (r"(a", "has a `(` without its `)`"),
        (r"a)", "has a `)` too many"),
        (r"+a", "repeats nothing"),
        (r"a\", "ends in a backslash"),
        (&deep, "has groups nested deeper than 100"),
    ] {
        let error = Regex::new(pattern, Dialect::Oniguruma)
            .expect_err(what)
            .to_string();
        assert!(error.contains(what), "{error}");
    }
}

/// Where tiktoken's engine differs from that of `tokenizers`.
#[test]
fn dialects_differ_where_their_engines_do() {
    let cases = [
        (r"\p{N}{1,3}+", "12345", "0..5", "0..3 3..5"),
        (r"a$", "a\na", "0..1 2..3", "2..3"),
        (r"^a", "a\na", "0..1 2..3", "0..1"),
    ];
    let listed = |pattern, dialect, text| {
        let ranges: Vec<String> = found(pattern, dialect, text)
            .iter()
            .map(|range| format!("{range:?}"))
            .collect();
        ranges.join(" ")
    };
    for (pattern, text, oniguruma, tiktoken) in cases {
        assert_eq!(listed(pattern, Dialect::Oniguruma, text), oniguruma, "{pattern}");
        assert_eq!(listed(pattern, Dialect::Tiktoken, text), tiktoken, "{pattern}");
    }
}
