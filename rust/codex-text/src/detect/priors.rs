//! What an encoding costs before any byte is read, and where its language is written in others.

use std::sync::LazyLock;

use super::lanes::{LANES, Lanes};
use super::model::{LANGUAGES, NAT};

/// What an encoding costs before any byte is read, in nats; those not named cost `RARE`.
const PRIORS: &[(&str, u32)] = &[
    ("cp1252", 0),
    ("cp1250", 1),
    ("cp1251", 1),
    ("cp1253", 1),
    ("cp1254", 1),
    ("cp1255", 1),
    ("cp1256", 1),
    ("cp1257", 1),
    ("cp1258", 1),
    ("cp874", 1),
    ("cp866", 1),
    ("koi8-r", 1),
    ("koi8-u", 1),
    ("iso8859-1", 1),
    ("iso8859-15", 1),
    ("iso8859-2", 1),
    ("iso8859-4", 1),
    ("iso8859-5", 1),
    ("iso8859-6", 1),
    ("iso8859-7", 1),
    ("iso8859-8", 1),
    ("iso8859-9", 1),
    ("iso8859-13", 1),
    ("cp437", 2),
    ("cp720", 2),
    ("cp737", 2),
    ("cp775", 2),
    ("cp850", 2),
    ("cp852", 2),
    ("cp855", 2),
    ("cp857", 2),
    ("cp862", 2),
    ("mac-roman", 2),
    ("mac-latin2", 2),
    ("mac-cyrillic", 2),
    ("mac-greek", 2),
    ("mac-turkish", 2),
    ("iso8859-16", 2),
    ("cp037", 2),
    ("cp500", 2),
    // Arabic of iso8859-6 reads in it as the same letters, in forms that do not join.
    ("cp864", 30),
];
const RARE: u32 = 9;
/// Languages of Latin letters that have encodings of their own, with these; what they cost in any other.
const REGIONS: [(&[&str], &[&str]); 3] = [
    (
        &["cs", "hr", "hu", "pl", "ro", "sk", "sl"],
        &[
            "cp1250",
            "cp852",
            "iso8859-16",
            "iso8859-2",
            "mac-croatian",
            "mac-latin2",
            "mac-romanian",
        ],
    ),
    (
        &["et", "lt", "lv"],
        &["cp1257", "cp775", "iso8859-13", "iso8859-4"],
    ),
    (
        &["tr"],
        &["cp1254", "cp857", "iso8859-3", "iso8859-9", "mac-turkish"],
    ),
];
const STRANGE_PLACE: u32 = 2 * NAT;

/// What the encoding of that name costs.
pub(super) fn of(name: &str) -> u32 {
    let known = PRIORS.iter().find(|(known, _)| *known == name);
    known.map_or(RARE, |(_, nats)| *nats) * NAT
}

/// The regions of the encoding of that name, as bits.
pub(super) fn regions(name: &str) -> u8 {
    bits(REGIONS.map(|(_, encodings)| encodings.contains(&name)))
}

/// What each language costs in an encoding of these regions besides.
pub(super) fn out_of_place(regions: u8) -> &'static Lanes {
    &OUT_OF_PLACE[usize::from(regions)]
}

/// By the regions of an encoding.
static OUT_OF_PLACE: LazyLock<Vec<Lanes>> = LazyLock::new(|| {
    let of_regions = |regions| {
        let mut costs = [0; LANES];
        for (cost, language) in costs.iter_mut().zip(LANGUAGES.iter()) {
            let home = bits(REGIONS.map(|(languages, _)| languages.contains(&language.name)));
            *cost = if home != 0 && regions & home == 0 {
                STRANGE_PLACE
            } else {
                0
            };
        }
        costs
    };
    (0..1 << REGIONS.len()).map(of_regions).collect()
});

fn bits(regions: [bool; REGIONS.len()]) -> u8 {
    (0..)
        .zip(regions)
        .map(|(bit, is_in)| u8::from(is_in) << bit)
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_with_encodings_of_its_own_costs_more_in_others() {
        let number = |name: &str| LANGUAGES.iter().position(|language| language.name == name);
        for (language, encoding, is_home) in [
            ("et", "cp1257", true),
            ("et", "cp1252", false),
            ("tr", "iso8859-9", true),
            ("tr", "cp1250", false),
            ("fr", "cp1252", true),
            ("fr", "cp1257", true),
        ] {
            let number = number(language).expect("a known language");
            let cost = out_of_place(regions(encoding))[number];
            assert_eq!(cost == 0, is_home, "{language} in {encoding}");
        }
    }

    #[test]
    fn the_better_known_cost_less() {
        assert!(of("cp1252") < of("cp1250") && of("cp1250") < of("cp437") && of("cp437") < of("palmos"));
    }
}
