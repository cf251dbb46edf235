//! The identity of a text, and the split that follows from it.

use codex_file::digest::{Algorithm, digest_bytes, sha256_each};
use std::fmt;
use std::str::FromStr;

use crate::{Error, Result};

/// The first 16 bytes of the SHA-256 of a text's UTF-8; written as 32 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id([u8; 16]);

impl Id {
    /// The id of `text`.
    #[must_use]
    pub fn of(text: &str) -> Self {
        Self(head(text.as_bytes()))
    }

    /// The id of each of `texts`, sooner than one after the other.
    #[must_use]
    pub fn of_each(texts: &[&str]) -> Vec<Self> {
        let texts: Vec<&[u8]> = texts.iter().map(|text| text.as_bytes()).collect();
        sha256_each(&texts).iter().map(Self::of_digest).collect()
    }

    /// The id of the text whose SHA-256 is `digest`.
    pub(crate) fn of_digest(digest: &[u8; 32]) -> Self {
        Self(std::array::from_fn(|at| digest[at]))
    }

    /// The id that 32 lower-case hex digits spell, or `None` for any other text.
    #[must_use]
    pub fn from_hex(text: &[u8]) -> Option<Self> {
        let digit = |byte: u8| match byte {
            b'0'..=b'9' => Some(byte - b'0'),
            b'a'..=b'f' => Some(byte - b'a' + 10),
            _ => None,
        };
        let (pairs, []) = text.as_chunks::<2>() else {
            return None;
        };
        let pairs: &[[u8; 2]; 16] = pairs.try_into().ok()?;
        let mut id = [0; 16];
        for (byte, [high, low]) in id.iter_mut().zip(pairs) {
            *byte = digit(*high)? << 4 | digit(*low)?;
        }
        Some(Self(id))
    }

    /// The sixteen bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

/// The first bytes of the SHA-256 of `data`.
fn head<const N: usize>(data: &[u8]) -> [u8; N] {
    let digest = digest_bytes(Algorithm::Sha256, data);
    std::array::from_fn(|index| digest.as_bytes()[index])
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Id {
    type Err = Error;

    /// Takes only what `Display` writes: one spelling for one id.
    fn from_str(text: &str) -> Result<Self> {
        Self::from_hex(text.as_bytes()).ok_or_else(|| Error::id(text))
    }
}

/// Whether the text with this id is held out from training.
///
/// A pure function: the first 8 bytes of the SHA-256 of the id's 16 bytes, read big-endian, are below `fraction` * 2^64.
/// It knows no seed, no position and no other record, so a text is on the same side in every corpus and on every machine,
/// and what is held out at one fraction is held out at every larger one. The digest is taken once more so that the side
/// does not follow from the order of ids, in which records are stored.
///
/// # Errors
/// If `fraction` is not from 0 to 1.
///
/// ```
/// use codex_records::{Id, is_held_out};
///
/// let id = Id::of("one text");
/// assert!(is_held_out(&id, 1.0)? && !is_held_out(&id, 0.0)?);
/// # Ok::<(), codex_records::Error>(())
/// ```
pub fn is_held_out(id: &Id, fraction: f64) -> Result<bool> {
    if !(0.0..=1.0).contains(&fraction) {
        return Err(Error::fraction(fraction));
    }
    // Exact: a power of two only moves the exponent. What lies behind the point cannot change the answer.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let bound = (fraction * 2_f64.powi(64)) as u128;
    Ok(u128::from(u64::from_be_bytes(head(&id.0))) < bound)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_the_head_of_the_digest_and_has_one_spelling() {
        // From FIPS 180-2: SHA-256 of "abc" and of nothing.
        for (text, hex) in [
            ("abc", "ba7816bf8f01cfea414140de5dae2223"),
            ("", "e3b0c44298fc1c149afbf4c8996fb924"),
        ] {
            let id = Id::of(text);
            assert_eq!(id.to_string(), hex);
            assert_eq!(hex.parse::<Id>().expect(hex), id);
            assert_eq!(Id::of_each(&[text, "a", text])[2], id);
            assert!(hex.to_uppercase().parse::<Id>().is_err());
        }
        for bad in [
            "",
            "+a7816bf8f01cfea414140de5dae2223",
            "ba7816bf8f01cfea414140de5dae222",
            "é",
        ] {
            assert!(bad.parse::<Id>().is_err(), "{bad}");
        }
    }

    #[test]
    fn the_split_is_fair_nested_and_fixed_for_good() {
        let ids: Vec<Id> = (0..20_000).map(|number| Id::of(&number.to_string())).collect();
        let held = |fraction| -> Vec<bool> {
            ids.iter()
                .map(|id| is_held_out(id, fraction).expect("a fraction"))
                .collect()
        };
        let count = |side: &[bool]| side.iter().filter(|held| **held).count();
        let (tenth, fifth) = (held(0.1), held(0.2));
        // Counted with Python's hashlib.
        assert_eq!((count(&tenth), count(&fifth)), (2005, 4061));
        assert!(tenth.iter().zip(&fifth).all(|(small, large)| large >= small));
        assert_eq!((count(&held(0.0)), count(&held(1.0))), (0, 20_000));
    }

    #[test]
    fn a_fraction_is_from_nothing_to_all() {
        for bad in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
            let error = is_held_out(&Id::of(""), bad).expect_err("no fraction");
            assert_eq!(error.class(), codex_file::Class::Usage);
        }
    }
}
