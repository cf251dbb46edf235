//! `tokenizer.json`: written as `tokenizers` writes it, read strictly.
//!
//! The written form holds the whole tokenizer, so its canonical JSON is what the fingerprint is taken of.

mod node;
mod read;

use crate::alphabet;
use crate::error::{Error, Result};
use crate::tokenizer::{Token, Tokenizer};
use codex_file::digest::{Algorithm, digest_bytes};
use codex_file::{durable, manifest, stream};
use serde_json::{Map, Value, json};
use std::path::Path;

/// Far above any tokenizer in use (the largest known is 32 MB).
const MAXIMUM_FILE_BYTES: u64 = 256 << 20;

impl Tokenizer {
    /// Reads `tokenizer.json` from `path`.
    ///
    /// # Errors
    /// If the file is missing, damaged, or needs anything that this tokenizer does not do; the message names the part.
    pub fn from_file(path: &Path) -> Result<Self> {
        let data = stream::read_all(path, MAXIMUM_FILE_BYTES)?;
        Self::from_json(&data).map_err(|error| error.in_file(path))
    }

    /// Reads the contents of a `tokenizer.json`.
    ///
    /// # Errors
    /// As [`Tokenizer::from_file`].
    pub fn from_json(data: &[u8]) -> Result<Self> {
        let (tokens, merges) = read::parts(data)?;
        Self::new(tokens, merges)
    }

    /// The contents of `tokenizer.json`: a function of the vocabulary and the merges, byte for byte.
    ///
    /// # Errors
    /// None that a tokenizer can cause; serialising returns one.
    pub fn to_json(&self) -> Result<Vec<u8>> {
        let text = serde_json::to_vec_pretty(&self.to_value());
        text.map_err(|error| Error::tokenizer("tokenizer.json", format!("cannot be written: {error}")))
    }

    /// Writes `tokenizer.json` to `path`, whole or not at all.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<()> {
        Ok(durable::write_atomic(path, &self.to_json()?)?)
    }

    /// `sha256:` and the SHA-256 of the canonical JSON of [`Tokenizer::to_json`]: equal for equal tokenizers, however their
    /// files were written.
    ///
    /// # Errors
    /// None that a tokenizer can cause; canonical JSON returns one.
    pub fn fingerprint(&self) -> Result<&str> {
        if let Some(known) = self.fingerprint.get() {
            return Ok(known);
        }
        let canonical = manifest::canonical(&self.to_value())?;
        Ok(self
            .fingerprint
            .get_or_init(|| digest_bytes(Algorithm::Sha256, &canonical).to_string()))
    }

    fn to_value(&self) -> Value {
        let spellings: Vec<String> = self.tokens().iter().map(spelling).collect();
        let added: Vec<Value> = self
            .special_tokens()
            .map(|(id, content)| {
                json!({
                    "id": id, "content": content, "single_word": false, "lstrip": false, "rstrip": false,
                    "normalized": false, "special": true,
                })
            })
            .collect();
        let merges: Vec<Value> = self
            .merges()
            .map(|(left, right, _)| json!([spellings[left as usize], spellings[right as usize]]))
            .collect();
        let vocabulary: Map<String, Value> = spellings.into_iter().zip((0_u32..).map(Value::from)).collect();
        json!({
            "version": "1.0",
            "truncation": null,
            "padding": null,
            "added_tokens": added,
            "normalizer": null,
            "pre_tokenizer": {
                "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true,
            },
            "post_processor": null,
            "decoder": {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true},
            "model": {
                "type": "BPE",
                "dropout": null,
                "unk_token": null,
                "continuing_subword_prefix": null,
                "end_of_word_suffix": null,
                "fuse_unk": false,
                "byte_fallback": false,
                "ignore_merges": false,
                "vocab": vocabulary,
                "merges": merges,
            },
        })
    }
}

fn spelling(token: &Token) -> String {
    match token {
        Token::Special(text) => text.clone(),
        Token::Bytes(bytes) => alphabet::spell(bytes),
    }
}

#[cfg(test)]
mod tests;
