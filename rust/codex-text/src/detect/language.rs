//! Which language a text is in, where its encoding is no question.

use super::alphabet::{ALPHABET, Symbol};
use super::model::{CHARACTERS, LANGUAGES, NAT, SPACE};

/// Characters looked at.
const SAMPLE: usize = 4096;

/// The language of `text`, such as `de`, of those that have a model; none if it has no letter.
///
/// Its first characters decide, whatever they are: a text in a language without a model is taken for the one most like it.
///
/// ```
/// assert_eq!(codex_text::language_of("Wer hat das Haus auf dem Hügel gebaut?"), Some("de"));
/// assert_eq!(codex_text::language_of("1 + 1 = 2"), None);
/// ```
#[must_use]
pub fn language_of(text: &str) -> Option<&'static str> {
    let sample = || text.chars().take(SAMPLE);
    let (mut letters, mut kana, mut hangul, mut ideographs) = (0, 0, 0, 0);
    for character in sample() {
        match character {
            '\u{3041}'..='\u{30ff}' => kana += 1,
            '\u{1100}'..='\u{11ff}' | '\u{ac00}'..='\u{d7a3}' => hangul += 1,
            '\u{3400}'..='\u{9fff}' | '\u{20000}'..='\u{323af}' => ideographs += 1,
            _ if character.is_alphabetic() => letters += 1,
            _ => {}
        }
    }
    let east_asian = kana + hangul + ideographs;
    if letters + east_asian == 0 {
        None
    } else if east_asian * 4 < letters {
        // A word of Chinese says less than a word of letters takes to write.
        by_letters(sample())
    } else if hangul > kana + ideographs {
        Some("ko")
    } else if kana * 20 > ideographs {
        Some("ja")
    } else {
        chinese(sample())
    }
}

/// The languages that have a model, sorted.
#[must_use]
pub fn languages() -> Vec<&'static str> {
    let with_letters = LANGUAGES.iter().map(|language| language.name);
    let mut names: Vec<_> = with_letters
        .chain(CHARACTERS.iter().map(|model| model.name))
        .collect();
    names.sort_unstable();
    names
}

/// What a letter after another costs at most: a language of which little was read has pairs that it merely has not seen.
const MOST: u32 = 6 * NAT;

/// The language in which letters follow each other so most probably.
fn by_letters(characters: impl Iterator<Item = char>) -> Option<&'static str> {
    let symbols: Vec<Symbol> = characters.map(|character| ALPHABET.symbol(character)).collect();
    let costs = LANGUAGES.iter().enumerate().map(|(number, language)| {
        let taken_for = ALPHABET.taken_for(number);
        let mut before = SPACE;
        let cost: u32 = symbols
            .iter()
            .map(|symbol| {
                let taken = taken_for[usize::from(*symbol)];
                let this = std::mem::replace(&mut before, taken.class);
                language.cost(this, taken.class).min(MOST) + u32::from(taken.extra)
            })
            .sum();
        (cost, language.name)
    });
    costs.min_by_key(|(cost, _)| *cost).map(|(_, name)| name)
}

/// Simplified or traditional, by the characters that are in use in one of them.
fn chinese(characters: impl Iterator<Item = char>) -> Option<&'static str> {
    let models: Vec<_> = CHARACTERS
        .iter()
        .filter(|model| model.name.starts_with("zh"))
        .collect();
    let mut costs = vec![0; models.len()];
    for character in characters.filter(|character| !character.is_ascii()) {
        for (cost, model) in costs.iter_mut().zip(&models) {
            *cost += model.cost(character);
        }
    }
    let named = costs.into_iter().zip(models.iter().map(|model| model.name));
    named.min_by_key(|(cost, _)| *cost).map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_sentence_is_enough() {
        for (text, language) in [
            (
                "The house stood on a hill, and nobody knew who had built it.",
                "en",
            ),
            (
                "Das Haus stand auf einem Hügel, und niemand wusste, wer es gebaut hatte.",
                "de",
            ),
            (
                "La maison se trouvait sur une colline et personne ne savait qui l'avait construite.",
                "fr",
            ),
            (
                "Съешь ещё этих мягких французских булок, да выпей же чаю; дом стоял на холме, и никто не знал, кто его построил.",
                "ru",
            ),
            (
                "Будинок стояв на пагорбі, і ніхто не знав, хто його збудував.",
                "uk",
            ),
            (
                "Dom stál na kopci a nikto nevedel, kto ho postavil, hoci sa o ňom v dedine rozprávalo celé roky.",
                "sk",
            ),
            (
                "Къщата стоеше на хълма и никой не знаеше кой я беше построил.",
                "bg",
            ),
            ("Куќата стоеше на ридот и никој не знаеше кој ја изградил.", "mk"),
            ("كان البيت يقف على تلة ولم يعرف أحد من بناه هناك.", "ar"),
            ("家は丘の上に建っていたが、誰が建てたのか誰も知らなかった。", "ja"),
            ("房子建在山上，没有人知道是谁建的。", "zh-cn"),
            ("房子建在山上，沒有人知道是誰建的。", "zh-tw"),
            ("그 집은 언덕 위에 있었고 누가 지었는지 아무도 몰랐다.", "ko"),
        ] {
            assert_eq!(language_of(text), Some(language), "{text}");
            assert!(languages().contains(&language));
        }
        assert_eq!(language_of(""), None);
        assert_eq!(language_of("12 !"), None);
    }
}
