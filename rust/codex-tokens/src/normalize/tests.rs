use super::*;
use crate::random::random;

const FORMS: [Form; 4] = [Form::Nfc, Form::Nfd, Form::Nfkc, Form::Nfkd];

fn normalized<'t>(text: &'t str, normalizers: &[Normalizer], unicode: Unicode) -> Text<'t> {
    Text::plain(text, 0).aligned().normalized(normalizers, unicode)
}

/// Characters that compose, decompose, order themselves and stand alone, in every arrangement of chance.
#[test]
fn cluster_by_cluster_is_as_all_at_once() {
    let pool: Vec<char> = "ae\u{e9}\u{301}\u{300}\u{323}\u{327}\u{1100}\u{1161}\u{11a8}\u{ac00}\u{ac01}\u{212b}\u{fb01}\u{3099}\u{304b}\u{9c7}\u{9be}\
        \u{9d7}\u{1e9b}\u{f71}\u{f72}\u{344}\u{11938}\u{11935}\u{11930}\u{1d15e}\u{1d165}\u{2f800}\u{4e2d} \u{1f600}\u{ff21}\u{b2}"
        .chars()
        .collect();
    let mut random = random::<usize>(3);
    for round in 0..4000 {
        let text: String = (0..=round % 12).map(|_| pool[random(pool.len())]).collect();
        for unicode in [Unicode::Tokenizers0_23, Unicode::Newer] {
            for form in FORMS {
                let fast = normalized(&text, &[Normalizer::Form(form)], unicode);
                assert_eq!(
                    fast.text,
                    form.of(&text, unicode),
                    "{form:?} {unicode:?} {text:?}"
                );
            }
        }
    }
}

/// Every scalar alone, after a letter, and before a mark.
#[test]
fn every_scalar_is_normalized_as_by_the_whole_text() {
    for character in '\0'..=char::MAX {
        let text = format!("a{character}\u{301}{character}");
        for form in [Form::Nfc, Form::Nfkd] {
            let fast = normalized(&text, &[Normalizer::Form(form)], Unicode::default());
            assert_eq!(fast.text, form.of(&text, Unicode::default()), "{text:?}");
        }
    }
}

#[test]
fn the_editions_differ_where_unicode_has_grown() {
    let text = "\u{11935}\u{11930}";
    let form = [Normalizer::Form(Form::Nfc)];
    assert_eq!(normalized(text, &form, Unicode::Tokenizers0_23).text, text);
    assert_eq!(normalized(text, &form, Unicode::Newer).text, "\u{11938}");
}

#[test]
fn every_normalizer_does_what_its_name_says() {
    let replace = |pattern: &str, content: &str| Normalizer::Replace {
        wanted: Wanted::literal(pattern),
        content: content.to_owned(),
    };
    let squeeze = Pattern::Regex(" {2,}".to_owned(), crate::split::Dialect::Oniguruma);
    let squeeze = Normalizer::Replace {
        wanted: Wanted::of(squeeze).expect("runs"),
        content: "_".to_owned(),
    };
    let strip = |left, right| Normalizer::Strip { left, right };
    let cases = [
        (
            Normalizer::Lowercase,
            "\u{c4}bC\u{130}\u{3a3}",
            "\u{e4}bci\u{307}\u{3c3}",
        ),
        (Normalizer::StripAccents, "e\u{301}a\u{20dd}\u{903}", "ea"),
        (strip(true, true), " \u{3000}a b\n", "a b"),
        (strip(true, false), " a ", "a "),
        (strip(false, true), " a ", " a"),
        (strip(true, true), " \t ", ""),
        (strip(false, true), " \t ", ""),
        (replace(" ", "\u{2581}"), " a  b", "\u{2581}a\u{2581}\u{2581}b"),
        (squeeze, "a b   c  ", "a b_c_"),
        (replace("aa", "b"), "aaaaa", "bba"),
        (Normalizer::Prepend("x".to_owned()), "a", "xa"),
        (Normalizer::Prepend("x".to_owned()), "", ""),
    ];
    for (normalizer, text, expected) in cases {
        let new = normalized(text, std::slice::from_ref(&normalizer), Unicode::default());
        assert_eq!(new.text, expected, "{normalizer:?} {text:?}");
    }
}

#[test]
fn every_byte_knows_where_it_comes_from() {
    let steps = [
        Normalizer::Form(Form::Nfc),
        Normalizer::Lowercase,
        Normalizer::Prepend("\u{2581}".to_owned()),
        Normalizer::Replace {
            wanted: Wanted::literal(" "),
            content: "\u{2581}".to_owned(),
        },
    ];
    let text = normalized("E\u{301} b", &steps, Unicode::default());
    assert_eq!(text.text, "\u{2581}\u{e9}\u{2581}b");
    let origin = text.origin();
    assert_eq!(origin.of(0..3), 0..1, "what was put in front");
    assert_eq!(origin.of(3..5), 0..1, "a letter and its accent");
    assert_eq!(origin.of(5..8), 3..4);
    assert_eq!(origin.of(0..9), 0..5);
    assert_eq!(origin.of(9..9), 4..4);
}

#[test]
fn text_in_its_form_is_not_copied() {
    for text in ["plain", "\u{e9}\u{4e2d}\u{915}\u{94d}\u{937}\u{e01}\u{e34}"] {
        let same = normalized(text, &[Normalizer::Form(Form::Nfc)], Unicode::default());
        assert!(matches!(same.text, Cow::Borrowed(_)), "{text}");
    }
}

#[test]
fn metaspace_marks_the_pieces_it_is_told_to() {
    let marked = |prepend, text, is_first| {
        let metaspace = Metaspace {
            replacement: '\u{2581}',
            prepend,
            split: true,
        };
        metaspace.apply(Text::plain(text, 0), is_first).text.into_owned()
    };
    assert_eq!(marked(Prepend::Always, "a b", false), "\u{2581}a\u{2581}b");
    assert_eq!(marked(Prepend::Always, " a", true), "\u{2581}a");
    assert_eq!(marked(Prepend::First, "a", true), "\u{2581}a");
    assert_eq!(marked(Prepend::First, "a", false), "a");
    assert_eq!(marked(Prepend::Never, "a ", true), "a\u{2581}");
}
