//! Characters as all languages together know them, so that what a byte may stand for is looked up once and not in every language.

use std::sync::LazyLock;

use super::forms::unjoined;
use super::lanes::LANES;
use super::model::{FOREIGN, LANGUAGES, NAT, shared_class};

/// One of the classes that all languages share, a character that some language has, or a kind of stranger.
pub(crate) type Symbol = u16;

/// Symbols below this are the shared classes.
const FIRST_OWN: usize = FOREIGN as usize + 1;
/// What the kinds of stranger cost besides: no character, a control or one of private use, a Latin letter, another letter, any other.
const STRANGERS: [u16; 5] = [15 * UNIT, 10 * UNIT, 5 * UNIT, 8 * UNIT, 6 * UNIT];
const UNIT: u16 = 16;
const _: () = assert!(UNIT as u32 == NAT);

/// The symbols, and what each language makes of them.
#[derive(Debug)]
pub(crate) struct Alphabet {
    /// Characters that some language has, in lower case and in order; their symbols follow `FIRST_OWN`.
    points: Vec<u16>,
    /// By language, what it takes a symbol for.
    taken_for: Vec<Box<[Taken]>>,
    /// By symbol, what it costs at least in each language, whatever it follows.
    least: Vec<[u16; LANES]>,
}

/// What a language takes a symbol for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Taken {
    pub(crate) class: u8,
    /// What it costs besides.
    pub(crate) extra: u8,
}

pub(crate) static ALPHABET: LazyLock<Alphabet> = LazyLock::new(Alphabet::new);

impl Alphabet {
    fn new() -> Self {
        let mut points: Vec<u16> = LANGUAGES
            .iter()
            .flat_map(|language| language.own().map(|(point, _)| point))
            .collect();
        points.sort_unstable();
        points.dedup();
        let kinds = points
            .iter()
            .map(|point| STRANGERS[kind(char::from_u32((*point).into()).unwrap_or_default())]);
        // What each symbol costs where it is strange.
        let extras: Vec<u16> = [0; FIRST_OWN].into_iter().chain(kinds).chain(STRANGERS).collect();
        let mut taken_for = Vec::with_capacity(LANGUAGES.len());
        let mut least = vec![[0; LANES]; extras.len()];
        for (number, language) in LANGUAGES.iter().enumerate() {
            let mut classes: Vec<u8> = (0..FOREIGN).collect();
            classes.resize(extras.len(), FOREIGN);
            for (point, class) in language.own() {
                if let Ok(place) = points.binary_search(&point) {
                    classes[FIRST_OWN + place] = class;
                }
            }
            let taken = classes
                .into_iter()
                .zip(&extras)
                .enumerate()
                .map(|(symbol, (class, extra))| {
                    let extra = if class == FOREIGN { *extra } else { 0 };
                    least[symbol][number] = u16::try_from(language.least(class)).unwrap_or(u16::MAX) + extra;
                    Taken {
                        class,
                        extra: u8::try_from(extra).unwrap_or(u8::MAX),
                    }
                });
            taken_for.push(taken.collect());
        }
        Self {
            points,
            taken_for,
            least,
        }
    }

    /// The symbol of a character; `\0` is no character.
    pub(crate) fn symbol(&self, character: char) -> Symbol {
        if character.is_ascii() && character != '\0' {
            return shared_class(character as u8).into();
        }
        let found = u16::try_from(u32::from(fold(character)))
            .ok()
            .and_then(|point| self.points.binary_search(&point).ok());
        let place = found.unwrap_or_else(|| self.points.len() + kind(character));
        Symbol::try_from(FIRST_OWN + place).unwrap_or_default()
    }

    /// The symbol of a character that no language has.
    pub(crate) fn stranger(&self, character: char) -> Symbol {
        Symbol::try_from(FIRST_OWN + self.points.len() + kind(character)).unwrap_or_default()
    }

    /// What the language of that number takes each symbol for.
    pub(crate) fn taken_for(&self, language: usize) -> &[Taken] {
        &self.taken_for[language]
    }

    /// What a symbol costs at least, by language.
    pub(crate) fn least(&self, symbol: Symbol) -> &[u16; LANES] {
        &self.least[usize::from(symbol)]
    }
}

/// The place in `STRANGERS`.
fn kind(character: char) -> usize {
    match character {
        '\0' => 0,
        '\u{80}'..='\u{9f}' | '\u{e000}'..='\u{f8ff}' => 1,
        ..'\u{250}' if character.is_alphabetic() => 2,
        _ if character.is_alphabetic() => 3,
        _ => 4,
    }
}

/// Lower case, where that is one character; the letter of a form.
fn fold(character: char) -> char {
    let mut lower = character.to_lowercase();
    match (lower.next(), lower.next()) {
        (Some(one), None) => unjoined(one),
        _ => character,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(language: &str, character: char) -> Taken {
        let number = LANGUAGES
            .iter()
            .position(|known| known.name == language)
            .expect("a known language");
        ALPHABET.taken_for(number)[usize::from(ALPHABET.symbol(character))]
    }

    #[test]
    fn a_language_knows_its_own_characters_in_either_case() {
        assert_eq!(taken("de", 'a').class, 0);
        assert_eq!(taken("de", 'Z').class, 25);
        assert_eq!(taken("de", 'Ü').class, taken("de", 'ü').class);
        assert_ne!(taken("de", 'ü').class, FOREIGN);
        assert_eq!(taken("de", 'ü').extra, 0);
        assert_eq!(taken("ru", 'Ж').class, taken("ru", 'ж').class);
    }

    #[test]
    fn a_stranger_costs_by_its_kind() {
        for (character, nats) in [
            ('þ', 5),
            ('ж', 8),
            ('\0', 15),
            ('\u{81}', 10),
            ('▓', 6),
            ('\u{f8ff}', 10),
        ] {
            let found = taken("de", character);
            assert_eq!(
                (found.class, u32::from(found.extra)),
                (FOREIGN, nats * NAT),
                "{character:?}"
            );
        }
    }

    #[test]
    fn nothing_costs_less_than_the_least() {
        for character in ['ж', 'é', 'a', '▓', '\0', '\u{5d0}'] {
            let symbol = ALPHABET.symbol(character);
            for (number, (language, least)) in LANGUAGES.iter().zip(ALPHABET.least(symbol)).enumerate() {
                let taken = ALPHABET.taken_for(number)[usize::from(symbol)];
                let costs =
                    (0..=FOREIGN).map(|this| language.cost(this, taken.class) + u32::from(taken.extra));
                assert!(
                    costs.min().is_some_and(|cost| cost >= u32::from(*least)),
                    "{character:?}"
                );
            }
        }
    }
}
