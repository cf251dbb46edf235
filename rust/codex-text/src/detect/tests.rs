//! Answers that need no Python to be checked; `tests/text` holds the rest against Python's codecs.

use super::*;
use crate::codec::single_byte_codecs;

/// The bytes of `text` in a single-byte encoding.
pub(super) fn encoded(text: &str, name: &str) -> Vec<u8> {
    let listed = single_byte_codecs()
        .find(|listed| listed.name() == name)
        .expect("a known name");
    let characters = listed.single_byte_characters();
    text.chars()
        .map(|wanted| {
            (0..=u8::MAX)
                .find(|byte| characters[usize::from(*byte)] == wanted)
                .expect("a character of the encoding")
        })
        .collect()
}

pub(super) const RUSSIAN: &str = "Вчера вечером мы ходили в кино и смотрели новый фильм.\n";
const CZECH: &str = "Příliš žluťoučký kůň úpěl ďábelské ódy, řekl král a šel domů.\n";

#[test]
fn a_text_is_told_from_the_same_text_in_other_encodings() {
    for (text, names) in [
        (
            RUSSIAN,
            &["cp1251", "koi8-r", "cp866", "iso8859-5", "mac-cyrillic", "cp855"][..],
        ),
        (CZECH, &["cp1250", "iso8859-2", "cp852", "mac-latin2"]),
    ] {
        for name in names {
            let data = encoded(text, name);
            let found = detect(&data);
            let same = found
                .encoding
                .is_some_and(|answer| answer == *name || encoded(text, answer) == data);
            assert!(same, "{name}: {found:?}");
        }
    }
}

#[test]
fn what_needs_no_model_is_settled_without_one() {
    let cases: &[(&[u8], Option<&str>, u64)] = &[
        (b"", Some("ascii"), 0),
        (b"plain", Some("ascii"), 0),
        ("é".as_bytes(), Some("utf-8"), 0),
        (b"\xef\xbb\xbfa", Some("utf-8-sig"), 0),
        (b"\xff\xfea\0", Some("utf-16"), 0),
        (b"\0\0\xfe\xff\0\0\0a", Some("utf-32"), 0),
        (b"w\0i\0d\0e\0", Some("utf-16-le"), 0),
        (b"\0w\0i\0d\0e\0", Some("utf-16-be"), 1),
        (b"w\0\0\0i\0\0\0", Some("utf-32-le"), 0),
        (b"\x1b$B$\"$$\x1b(B", Some("iso2022_jp"), 0),
        (b"\x1b$)C\x0e0!\x0f", Some("iso2022_kr"), 0),
        (b"~{VPND~}", Some("hz"), 0),
        (b"caf+AOk-", Some("utf-7"), 0),
        (b"1+1=2, a+b", Some("ascii"), 0),
        (b"\x7fELF", None, 0),
        (b"\x00\x01\x02\x03", None, 0),
        (b"\x01\x02\x03\x04\x05\x06\x07", None, 0),
    ];
    for (data, encoding, errors) in cases {
        let found = detect(data);
        assert_eq!(
            (found.encoding, found.errors),
            (*encoding, *errors),
            "{data:x?} {found:?}"
        );
    }
}

#[test]
fn the_models_are_the_file_that_was_trained() {
    assert!(model::LANGUAGES.len() >= 40);
    assert_eq!(model::CHARACTERS.len(), 4);
    assert_eq!(model::FILE_HASH, model::hash(model::FILE));
    assert!(model::FILE.len() <= 600_000);
}
