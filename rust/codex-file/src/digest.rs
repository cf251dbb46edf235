//! Digests: `xxh3-128` notices damage at the speed of memory, `sha256` gives bytes an identity.

#[cfg(target_arch = "x86_64")]
mod lanes;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use sha2::Digest as _;
use twox_hash::xxhash3_128;

use crate::error::{Error, Result};
use crate::map::read_blocks_in;

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

impl Digest {
    fn of_xxh3(number: u128) -> Self {
        let mut value = [0; 32];
        value[..16].copy_from_slice(&number.to_be_bytes());
        Self {
            algorithm: Algorithm::Xxh3,
            value,
        }
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
    // Takes AVX2 where the processor has it, whatever this was compiled for: 31 GB/s instead of 12.
    Xxh3(Box<xxhash3_128::Hasher>),
    Sha256(sha2::Sha256),
}

impl Hasher {
    /// Starts with no bytes.
    #[must_use]
    pub fn new(algorithm: Algorithm) -> Self {
        Self(match algorithm {
            Algorithm::Xxh3 => State::Xxh3(Box::new(xxhash3_128::Hasher::new())),
            Algorithm::Sha256 => State::Sha256(sha2::Sha256::new()),
        })
    }

    /// Adds a piece; how the bytes are cut makes no difference.
    pub fn update(&mut self, data: &[u8]) {
        match &mut self.0 {
            State::Xxh3(state) => state.write(data),
            State::Sha256(state) => state.update(data),
        }
    }

    /// The digest of all pieces.
    #[must_use]
    pub fn finish(self) -> Digest {
        match self.0 {
            State::Xxh3(state) => Digest::of_xxh3(state.finish_128()),
            State::Sha256(state) => Digest {
                algorithm: Algorithm::Sha256,
                value: state.finalize().into(),
            },
        }
    }
}

impl fmt::Debug for Hasher {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.clone().finish(), formatter)
    }
}

/// The digest of `data`.
#[must_use]
pub fn digest_bytes(algorithm: Algorithm, data: &[u8]) -> Digest {
    match algorithm {
        Algorithm::Xxh3 => Digest::of_xxh3(xxhash3_128::Hasher::oneshot(data)),
        Algorithm::Sha256 => {
            let mut hasher = Hasher::new(algorithm);
            hasher.update(data);
            hasher.finish()
        }
    }
}

/// The SHA-256 of each of `texts`, in three fifths of the time that they take one by one where the processor has instructions for it.
#[must_use]
pub fn sha256_each(texts: &[&[u8]]) -> Vec<[u8; 32]> {
    #[cfg(target_arch = "x86_64")]
    if lanes::are_there() {
        // SAFETY: the processor was just asked for all that it needs.
        #[expect(unsafe_code, reason = "the compiler cannot know the processor")]
        return unsafe { lanes::digest_each(texts) };
    }
    texts
        .iter()
        .map(|text| sha2::Sha256::digest(text).into())
        .collect()
}

/// The length and the digest of the file at `path`, read in blocks.
///
/// # Errors
/// If the file cannot be read.
pub fn digest_file(algorithm: Algorithm, path: &Path) -> Result<(u64, Digest)> {
    digest_file_in(algorithm, path, &mut vec![0; BLOCK_BYTES])
}

/// The same in blocks as large as `block`, which is what many small files want to share.
///
/// # Errors
/// If the file cannot be read.
pub fn digest_file_in(algorithm: Algorithm, path: &Path, block: &mut [u8]) -> Result<(u64, Digest)> {
    let (bytes, [digest]) = digest_file_by([algorithm], path, block)?;
    Ok((bytes, digest))
}

/// The same by several algorithms at once: the file is read one time.
///
/// # Errors
/// If the file cannot be read.
pub fn digest_file_by<const N: usize>(
    algorithms: [Algorithm; N],
    path: &Path,
    block: &mut [u8],
) -> Result<(u64, [Digest; N])> {
    let room = block.len();
    let mut bytes = 0;
    let mut hashers = None;
    let mut digests = None;
    read_blocks_in(path, block, |block| {
        if bytes == 0 && block.len() < room {
            digests = Some(algorithms.map(|algorithm| digest_bytes(algorithm, block)));
        } else {
            let hashers = hashers.get_or_insert_with(|| algorithms.map(Hasher::new));
            for hasher in hashers {
                hasher.update(block);
            }
        }
        bytes += block.len() as u64;
        Ok(())
    })?;
    let of_blocks = || {
        hashers
            .unwrap_or_else(|| algorithms.map(Hasher::new))
            .map(Hasher::finish)
    };
    Ok((bytes, digests.unwrap_or_else(of_blocks)))
}
