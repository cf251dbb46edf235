//! Digests: `xxh3-128` notices damage at the speed of memory, `sha256` gives bytes an identity.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use sha2::Digest as _;
use xxhash_rust::xxh3::Xxh3Default;

use crate::error::{Error, Result};
use crate::map::read_blocks;

/// How many bytes of a file are read and digested at a time.
const BLOCK_BYTES: usize = 1 << 20;

/// Which digest.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Algorithm {
    /// XXH3 with 128 bits: against damage, not against malice.
    Xxh3,
    /// SHA-256: identity and lineage.
    Sha256,
}

impl Algorithm {
    /// The word before the colon.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Xxh3 => "xxh3-128",
            Self::Sha256 => "sha256",
        }
    }

    fn bytes(self) -> usize {
        match self {
            Self::Xxh3 => 16,
            Self::Sha256 => 32,
        }
    }
}

impl FromStr for Algorithm {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        [Self::Xxh3, Self::Sha256]
            .into_iter()
            .find(|algorithm| algorithm.name() == text)
            .ok_or_else(|| {
                Error::usage(format!(
                    "no digest is called `{text}`, expected `xxh3-128` or `sha256`"
                ))
            })
    }
}

/// The digest of some bytes, written `sha256:<64 hex>` or `xxh3-128:<32 hex>`.
#[derive(Clone, Eq, Hash, PartialEq)]
pub struct Digest {
    algorithm: Algorithm,
    /// The first [`Algorithm::bytes`] hold it, the rest are zero.
    value: [u8; 32],
}

impl Digest {
    /// Which digest it is.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The digest itself: 16 or 32 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.value[..self.algorithm.bytes()]
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:", self.algorithm.name())?;
        self.as_bytes()
            .iter()
            .try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl FromStr for Digest {
    type Err = Error;

    /// Takes only what [`fmt::Display`] writes: one spelling for one digest.
    fn from_str(text: &str) -> Result<Self> {
        let bad = || {
            Error::data(format!(
                "`{text}` is not a digest, expected `sha256:<64 hex>` or `xxh3-128:<32 hex>`"
            ))
        };
        let (name, hex) = text.split_once(':').ok_or_else(bad)?;
        let algorithm = Algorithm::from_str(name).map_err(|_| bad())?;
        if hex.len() != 2 * algorithm.bytes() {
            return Err(bad());
        }
        let mut value = [0; 32];
        for (byte, pair) in value.iter_mut().zip(hex.as_bytes().chunks_exact(2)) {
            let (high, low) = (nibble(pair[0]).ok_or_else(bad)?, nibble(pair[1]).ok_or_else(bad)?);
            *byte = high << 4 | low;
        }
        Ok(Self { algorithm, value })
    }
}

fn nibble(character: u8) -> Option<u8> {
    match character {
        b'0'..=b'9' => Some(character - b'0'),
        b'a'..=b'f' => Some(character - b'a' + 10),
        _ => None,
    }
}

/// Digests bytes that come in pieces.
#[derive(Clone)]
pub struct Hasher(State);

#[derive(Clone)]
enum State {
    Xxh3(Box<Xxh3Default>),
    Sha256(sha2::Sha256),
}

impl Hasher {
    /// Starts with no bytes.
    #[must_use]
    pub fn new(algorithm: Algorithm) -> Self {
        Self(match algorithm {
            Algorithm::Xxh3 => State::Xxh3(Box::new(Xxh3Default::new())),
            Algorithm::Sha256 => State::Sha256(sha2::Sha256::new()),
        })
    }

    /// Adds a piece; how the bytes are cut makes no difference.
    pub fn update(&mut self, data: &[u8]) {
        match &mut self.0 {
            State::Xxh3(state) => state.update(data),
            State::Sha256(state) => state.update(data),
        }
    }

    /// The digest of all pieces.
    #[must_use]
    pub fn finish(self) -> Digest {
        let mut value = [0; 32];
        let algorithm = match self.0 {
            State::Xxh3(state) => {
                value[..16].copy_from_slice(&state.digest128().to_be_bytes());
                Algorithm::Xxh3
            }
            State::Sha256(state) => {
                value.copy_from_slice(&state.finalize());
                Algorithm::Sha256
            }
        };
        Digest { algorithm, value }
    }
}

/// The digest of `data`.
#[must_use]
pub fn digest_bytes(algorithm: Algorithm, data: &[u8]) -> Digest {
    let mut hasher = Hasher::new(algorithm);
    hasher.update(data);
    hasher.finish()
}

/// The length and the digest of the file at `path`, read in blocks.
///
/// # Errors
/// If the file cannot be read.
pub fn digest_file(algorithm: Algorithm, path: &Path) -> Result<(u64, Digest)> {
    let mut hasher = Hasher::new(algorithm);
    let mut bytes = 0;
    read_blocks(path, BLOCK_BYTES, |block| {
        bytes += block.len() as u64;
        hasher.update(block);
        Ok(())
    })?;
    Ok((bytes, hasher.finish()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From FIPS 180-2 and the reference implementation of xxHash (`xxhsum -H128`).
    const KNOWN: [(Algorithm, &[u8], &str); 4] = [
        (
            Algorithm::Sha256,
            b"",
            "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        ),
        (
            Algorithm::Sha256,
            b"abc",
            "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        ),
        (Algorithm::Xxh3, b"", "xxh3-128:99aa06d3014798d86001c324468d497f"),
        (
            Algorithm::Xxh3,
            b"abc",
            "xxh3-128:06b05ab6733a618578af5f94892f3950",
        ),
    ];

    #[test]
    fn known_answers() {
        for (algorithm, data, expected) in KNOWN {
            assert_eq!(digest_bytes(algorithm, data).to_string(), expected);
        }
    }

    #[test]
    fn pieces_make_no_difference_and_a_file_is_its_bytes() {
        let data: Vec<u8> = (0..3 * BLOCK_BYTES + 7)
            .map(|i| u8::try_from(i * 7 % 251).unwrap())
            .collect();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data");
        std::fs::write(&path, &data).unwrap();
        for algorithm in [Algorithm::Xxh3, Algorithm::Sha256] {
            let whole = digest_bytes(algorithm, &data);
            for piece_bytes in [1000, 4096, 65537] {
                let mut hasher = Hasher::new(algorithm);
                data.chunks(piece_bytes).for_each(|piece| hasher.update(piece));
                assert_eq!(hasher.finish(), whole);
            }
            assert_eq!(digest_file(algorithm, &path).unwrap(), (data.len() as u64, whole));
        }
    }

    #[test]
    fn text_has_one_spelling() {
        for (_, _, text) in KNOWN {
            assert_eq!(text.parse::<Digest>().unwrap().to_string(), text);
            for bad in [
                text.to_uppercase(),
                text[..text.len() - 1].to_owned(),
                format!("{text}0"),
                text.replace(':', " "),
            ] {
                assert!(bad.parse::<Digest>().is_err(), "{bad}");
            }
        }
        assert!("md5:d41d8cd98f00b204e9800998ecf8427e".parse::<Digest>().is_err());
    }
}
