use super::*;

fn token(id: u32, content: &str, flags: &str) -> AddedToken {
    AddedToken {
        id,
        content: content.to_owned(),
        single_word: flags.contains('w'),
        lstrip: flags.contains('l'),
        rstrip: flags.contains('r'),
        normalized: flags.contains('n'),
        special: flags.contains('s'),
    }
}

/// A stretch of a text, and the id found there.
type Cut<'t> = (&'t str, Option<u32>);

/// The stretches of `text` with the ids found.
fn cut<'t>(tokens: &[AddedToken], text: &'t str, finds_specials: bool) -> Vec<(&'t str, Option<u32>)> {
    let round = Round::new(
        tokens
            .iter()
            .map(|token| (token, token.content.clone()))
            .collect(),
    );
    let mut stretches = Vec::new();
    round.cut(text, finds_specials, |Stretch { range, token }| {
        stretches.push((&text[range], token.map(|mark| mark.id)));
    });
    stretches
}

#[test]
fn flags_decide_where_a_token_is_and_what_it_takes_in() {
    let tokens = [
        token(1, "<a>", ""),
        token(2, "<w>", "w"),
        token(3, "<l>", "l"),
        token(4, "<r>", "r"),
        token(5, "<both>", "lr"),
    ];
    let cases: [(&str, &[Cut<'_>]); 11] = [
        ("", &[]),
        ("x", &[("x", None)]),
        ("x<a>y", &[("x", None), ("<a>", Some(1)), ("y", None)]),
        (" <a> ", &[(" ", None), ("<a>", Some(1)), (" ", None)]),
        ("x<w>", &[("x<w>", None)]),
        // A mark is part of a word.
        ("<w>\u{301}<w>-", &[("<w>\u{301}<w>-", None)]),
        ("<w>-<w>", &[("<w>", Some(2)), ("-", None), ("<w>", Some(2))]),
        (" x \n<l> ", &[(" x", None), (" \n<l>", Some(3)), (" ", None)]),
        ("<r>\u{3000} x", &[("<r>\u{3000} ", Some(4)), ("x", None)]),
        ("<r>  <l>", &[("<r>  ", Some(4)), ("<l>", Some(3))]),
        (" <both> <both> ", &[(" <both> ", Some(5)), ("<both> ", Some(5))]),
    ];
    for (text, expected) in cases {
        assert_eq!(cut(&tokens, text, true), expected, "{text:?}");
    }
}

#[test]
fn special_tokens_can_be_left_in_the_text_and_others_cannot() {
    let tokens = [token(1, "<s>", "s"), token(2, "<o>", "")];
    assert_eq!(cut(&tokens, "<s><o>", false), [("<s>", None), ("<o>", Some(2))],);
}

#[test]
fn white_space_taken_in_may_be_the_beginning_of_the_next() {
    let tokens = [token(1, "<r>", "r"), token(2, " <x>", "")];
    assert_eq!(
        cut(&tokens, "<r> <x>y", true),
        [("<r> ", Some(1)), ("<x>", Some(2)), ("y", None)]
    );
}

#[test]
fn a_token_of_white_space_that_is_taken_in_already_is_none() {
    let tokens = [token(1, "  ", "lr")];
    assert_eq!(cut(&tokens, "    ", true), [("    ", Some(1))]);
    let tokens = [token(1, "<s>", "r"), token(2, "  ", "l")];
    assert_eq!(cut(&tokens, "<s>  ", true), [("<s>  ", Some(1))]);
    let tokens = [token(1, "<s>", "r"), token(2, "  ", "")];
    assert_eq!(cut(&tokens, "<s>  ", true), [("<s>  ", Some(1)), ("", Some(2))]);
}

#[test]
fn of_two_spelt_alike_the_special_one_is_found_then_the_first() {
    let tokens = [
        token(1, "a", ""),
        token(2, "a", ""),
        token(3, "b", ""),
        token(4, "b", "s"),
    ];
    assert_eq!(cut(&tokens, "ab", true), [("a", Some(1)), ("b", Some(4))]);
}
