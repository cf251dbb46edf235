//! `tokenizer.json`: written as `tokenizers` writes it, read strictly.
//!
//! The written form holds the whole tokenizer, so its canonical JSON is what the fingerprint is taken of.

mod added;
mod merges;
mod node;
mod order;
mod parts;
mod read;
mod scan;
mod vocabulary;
mod write;

use crate::added::AddedToken;
use crate::error::{Error, Result};
use crate::load::dialect;
use crate::settings::Settings;
use crate::split::{Pattern, Step};
use crate::tokenizer::Tokenizer;
use codex_file::{durable, stream};
use std::path::Path;

pub(crate) use write::spelling;

/// Far above any tokenizer in use (the largest known is 32 MB).
pub(crate) const MAXIMUM_FILE_BYTES: u64 = 256 << 20;

impl Tokenizer {
    /// Reads `tokenizer.json` from `path`.
    ///
    /// # Errors
    /// If the file is missing, damaged, or needs anything that this tokenizer does not do; the message names the part.
    pub fn from_file(path: &Path) -> Result<Self> {
        let data = stream::read_all(path, MAXIMUM_FILE_BYTES)?;
        Self::from_json_of(data).map_err(|error| error.in_file(path))
    }

    /// Reads the contents of a `tokenizer.json`.
    ///
    /// # Errors
    /// As [`Tokenizer::from_file`].
    pub fn from_json(data: &[u8]) -> Result<Self> {
        Self::from_parts(read::read(data)?)
    }

    /// The same, and the text is forgotten before the tables are made.
    pub(crate) fn from_json_of(data: Vec<u8>) -> Result<Self> {
        let parts = read::read(&data)?;
        drop(data);
        Self::from_parts(parts)
    }

    /// The contents of `tokenizer.json`: a function of the tokenizer, byte for byte.
    ///
    /// # Errors
    /// If words are cut by a pattern of `tiktoken`'s that `tokenizers` would read differently.
    pub fn to_json(&self) -> Result<Vec<u8>> {
        for step in &self.parts.settings.steps {
            if let Step::Split {
                pattern: Pattern::Regex(regex, engine),
                ..
            } = step
                && dialect::to_json(regex, *engine).is_none()
            {
                return Err(Error::usage(format!(
                    "the pattern `{regex}` means something else to tokenizers, so no tokenizer.json can hold it"
                )));
            }
        }
        Ok(write::pretty(self))
    }

    /// Writes `tokenizer.json` to `path`, whole or not at all.
    ///
    /// # Errors
    /// As [`Tokenizer::to_json`], and if the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<()> {
        Ok(durable::write_atomic(path, &self.to_json()?)?)
    }

    /// `sha256:` and the SHA-256 of the canonical JSON of [`Tokenizer::to_json`]: equal for equal tokenizers, however their
    /// files were written.
    ///
    /// # Errors
    /// None that a tokenizer can cause.
    pub fn fingerprint(&self) -> Result<&str> {
        let digest = || write::digest(self).to_string();
        Ok(self.fingerprint.get_or_init(digest))
    }
}

/// A document of everything but vocabulary and merges, for [`settings_of`].
pub(crate) fn settings_json(tokenizer: &Tokenizer) -> Vec<u8> {
    write::settings(tokenizer)
}

/// The settings and added tokens that a document holds, whose vocabulary and merges are not looked at.
pub(crate) fn settings_of(data: &[u8]) -> Result<(Settings, Vec<AddedToken>)> {
    read::read_settings(data)
}

#[cfg(test)]
mod tests;
