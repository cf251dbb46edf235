//! The 256-byte alphabet: one printable character for every byte, as GPT-2 writes them in `tokenizer.json`.
//!
//! Printable bytes stand for themselves; the other 68 take the characters from U+0100 on, in byte order.

/// The character that stands for `byte`.
pub(crate) fn char_of(byte: u8) -> char {
    let shifted = match byte {
        0x21..=0x7e | 0xa1..=0xac | 0xae..=0xff => return char::from(byte),
        0x00..=0x20 => byte,
        0x7f..=0xa0 => byte - 0x7f + 0x21,
        0xad => 67,
    };
    char::from_u32(0x100 + u32::from(shifted)).unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// The byte that `character` stands for, if it is one of the 256.
pub(crate) fn byte_of(character: char) -> Option<u8> {
    match u32::from(character) {
        code @ (0x21..=0x7e | 0xa1..=0xac | 0xae..=0xff) => u8::try_from(code).ok(),
        code @ 0x100..=0x120 => u8::try_from(code - 0x100).ok(),
        code @ 0x121..=0x142 => u8::try_from(code - 0x121 + 0x7f).ok(),
        0x143 => Some(0xad),
        _ => None,
    }
}

/// `bytes` as `tokenizer.json` spells them.
pub(crate) fn spell(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char_of).collect()
}

/// The bytes that `spelling` stands for, or `None` if one of its characters is not of the alphabet.
pub(crate) fn unspell(spelling: &str) -> Option<Vec<u8>> {
    spelling.chars().map(byte_of).collect()
}

/// All 256 bytes in the order of their characters: the order of their ids.
pub(crate) fn bytes_in_id_order() -> Vec<u8> {
    let mut bytes: Vec<u8> = (0..=u8::MAX).collect();
    bytes.sort_unstable_by_key(|&byte| char_of(byte));
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_has_one_character_and_comes_back() {
        let characters: std::collections::BTreeSet<char> = (0..=u8::MAX).map(char_of).collect();
        assert_eq!(characters.len(), 256);
        for byte in 0..=u8::MAX {
            assert_eq!(byte_of(char_of(byte)), Some(byte));
        }
    }

    #[test]
    fn the_well_known_ones_are_as_gpt2_has_them() {
        assert_eq!(
            spell(b" \n\ta\xff\xad\x7f\xa0"),
            "\u{120}\u{10a}\u{109}a\u{ff}\u{143}\u{121}\u{142}"
        );
        assert_eq!(unspell("\u{120}the"), Some(b" the".to_vec()));
    }

    #[test]
    fn characters_outside_the_alphabet_stand_for_nothing() {
        for character in [' ', '\n', '\u{ad}', '\u{144}', '\u{4e00}', '\u{7f}'] {
            assert_eq!(byte_of(character), None, "{character:?}");
        }
    }
}
