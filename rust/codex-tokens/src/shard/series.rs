//! One shard after another: what they have in common, and the one that is being filled.

use super::bytes::Bytes;
use super::{DIGEST, KIND, Metadata, SCHEMA_VERSION, digest_of, token_dtype};
use crate::error::{Error, Result};
use crate::tokenizer::{END_OF_DOCUMENT, Tokenizer};
use codex_file::digest::{Algorithm, Hasher};
use codex_file::durable::AtomicFile;
use codex_file::manifest::FileEntry;
use codex_file::safetensors::{Dtype, header};
use std::io::Write;
use std::path::PathBuf;

/// Bytes of tokens in a full shard unless asked otherwise.
const SHARD_BYTES: usize = 32 << 20;

/// Bytes digested and written at a time.
const WRITE_BYTES: usize = 256 << 10;

/// Documents of a full shard, so that a million empty ones do not grow it without bound.
const MAXIMUM_DOCUMENTS: usize = 1 << 20;

/// Where shards go, how large they are, and what their metadata says.
#[derive(Clone, Debug)]
pub(super) struct Series {
    folder: PathBuf,
    split: String,
    dtype: Dtype,
    pub(super) shard_tokens: usize,
    pub(super) end_of_document: u32,
    metadata: Metadata,
}

/// The shard being filled.
#[derive(Debug, Default)]
pub(super) struct Shard {
    /// As they will lie in the file.
    tokens: Bytes,
    pub(super) token_count: usize,
    offsets: Vec<u8>,
    document_ids: Vec<u8>,
    pub(super) documents: usize,
}

impl Series {
    /// `end_of_document` is the special token that ends documents, the tokenizer's own unless another is named;
    /// `shard_tokens` is what fills 32 MiB if it is `None`.
    pub(super) fn new(
        folder: PathBuf,
        split: &str,
        tokenizer: &Tokenizer,
        end_of_document: Option<&str>,
        shard_tokens: Option<usize>,
    ) -> Result<Self> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if split.is_empty() || !split.bytes().all(is_plain) {
            return Err(Error::usage(format!(
                "split `{}` is not a name of letters, digits and `_`",
                split.escape_debug()
            )));
        }
        if shard_tokens == Some(0) {
            return Err(Error::usage("`shard_tokens` is 0, expected at least 1"));
        }
        let dtype = token_dtype(tokenizer.vocabulary_size());
        let token_bytes = if dtype == Dtype::U16 { 2 } else { 4 };
        let end_of_document = end_id(tokenizer, end_of_document)?;
        let entries = [
            ("kind", KIND.to_owned()),
            ("schema_version", SCHEMA_VERSION.to_string()),
            ("split", split.to_owned()),
            ("tokenizer", tokenizer.fingerprint()?.to_owned()),
            ("vocabulary_size", tokenizer.vocabulary_size().to_string()),
            ("end_of_document_id", end_of_document.to_string()),
        ];
        let entry = |(key, value): (&str, String)| (key.to_owned(), value);
        Ok(Self {
            folder,
            split: split.to_owned(),
            dtype,
            shard_tokens: shard_tokens.unwrap_or(SHARD_BYTES / token_bytes),
            end_of_document,
            metadata: entries.into_iter().map(entry).collect(),
        })
    }

    /// Whether a shard could be called `name`.
    pub(super) fn is_name(&self, name: &str) -> bool {
        let number = name
            .strip_prefix(&self.split)
            .and_then(|rest| rest.strip_prefix('-'));
        let number = number.and_then(|rest| rest.strip_suffix(".safetensors"));
        number.is_some_and(|number| number.len() >= 5 && number.bytes().all(|byte| byte.is_ascii_digit()))
    }

    /// The fingerprint of the tokenizer.
    pub(super) fn tokenizer(&self) -> &str {
        &self.metadata["tokenizer"]
    }

    /// Whether a document of `tokens`, its end counted, belongs into `shard`. A document is never cut, so one that is longer
    /// than a shard has one of its own.
    pub(super) fn takes(&self, shard: &Shard, tokens: usize) -> bool {
        shard.documents == 0
            || (shard.token_count + tokens <= self.shard_tokens && shard.documents < MAXIMUM_DOCUMENTS)
    }

    /// Adds a document, whose end is the last of its ids, to `shard`.
    pub(super) fn push(&self, shard: &mut Shard, document_id: [u8; 16], ids: &[u32]) {
        let start = (shard.token_count as u64).to_le_bytes();
        shard.offsets.extend_from_slice(&start);
        shard.document_ids.extend_from_slice(&document_id);
        if self.dtype == Dtype::U16 {
            shard.tokens.push::<2>(ids);
        } else {
            shard.tokens.push::<4>(ids);
        }
        shard.token_count += ids.len();
        shard.documents += 1;
    }

    /// Writes `shard` as number `number` and empties it.
    pub(super) fn write(&self, number: usize, shard: &mut Shard) -> Result<FileEntry> {
        let count = (shard.token_count as u64).to_le_bytes();
        shard.offsets.extend_from_slice(&count);
        let (tokens, documents) = (shard.token_count as u64, shard.documents as u64);
        let data: Vec<&[u8]> = [shard.offsets.as_slice()]
            .into_iter()
            .chain(shard.tokens.pieces())
            .chain([shard.document_ids.as_slice()])
            .collect();
        let mut metadata = self.metadata.clone();
        metadata.insert(DIGEST.to_owned(), digest_of(&metadata, &data).to_string());
        let tensors = [
            ("document_offsets".to_owned(), Dtype::U64, vec![documents + 1]),
            ("tokens".to_owned(), self.dtype, vec![tokens]),
            ("document_ids".to_owned(), Dtype::U8, vec![documents, 16]),
        ];
        let (header, _) = header(&tensors, &metadata)?;

        let name = format!("{}-{number:05}.safetensors", self.split);
        let path = self.folder.join(&name);
        let mut file = AtomicFile::create(&path)?;
        let mut hasher = Hasher::new(Algorithm::Xxh3);
        let mut bytes = 0;
        let parts = [header.as_slice()].into_iter().chain(data);
        // What has just been digested is in the cache when it is written.
        for piece in parts.flat_map(|part| part.chunks(WRITE_BYTES)) {
            hasher.update(piece);
            file.write_all(piece)
                .map_err(|error| codex_file::Error::io("write", &path, error))?;
            bytes += piece.len() as u64;
        }
        file.commit()?;
        shard.clear();
        let digest = hasher.finish();
        Ok(FileEntry {
            path: name,
            bytes,
            digest,
        })
    }
}

impl Shard {
    /// Empty again, its memory kept.
    fn clear(&mut self) {
        self.tokens.clear();
        self.offsets.clear();
        self.document_ids.clear();
        (self.token_count, self.documents) = (0, 0);
    }
}

fn end_id(tokenizer: &Tokenizer, name: Option<&str>) -> Result<u32> {
    let Some(name) = name else {
        return tokenizer.end_of_document_id().ok_or_else(|| {
            Error::usage(format!(
                "the tokenizer has no special token `{END_OF_DOCUMENT}` to end documents"
            ))
        });
    };
    let mut specials = tokenizer.special_tokens();
    let found = specials.find_map(|(id, text)| (text == name).then_some(id));
    found.ok_or_else(|| {
        Error::usage(format!(
            "the tokenizer has no special token `{}` to end documents",
            name.escape_debug()
        ))
    })
}
