//! Token shards: the ids of many documents in one safetensors file.
//!
//! | tensor | dtype | shape | what |
//! | --- | --- | --- | --- |
//! | `document_offsets` | u64 | N + 1 | where each document starts in `tokens`; the last is where they end |
//! | `tokens` | u16, or u32 for a vocabulary above 65,536 | T | document after document, each closed by the end-of-document id |
//! | `document_ids` | u8 | N, 16 | the ids of the records the documents came from |
//!
//! [`Ndjson`] makes them of files, [`ShardWriter`] of documents in memory: the same bytes of the same documents.
//!
//! The metadata names the tokenizer by its fingerprint and carries an xxh3-128 digest of everything else in the file, so
//! that a shard can be checked without the manifest beside it.

mod bytes;
mod layout;
mod ndjson;
mod series;
mod write;

pub use layout::Layout;
pub use ndjson::{BadLines, Ndjson};
pub use write::{ShardWriter, Written};

use codex_file::digest::{Algorithm, Digest, Hasher};
use codex_file::safetensors::Dtype;
use std::collections::BTreeMap;

/// What `kind` says in the metadata.
const KIND: &str = "token-shard";

/// The newest layout that this code writes and reads.
const SCHEMA_VERSION: u64 = 1;

/// The key that holds the digest of everything else.
const DIGEST: &str = "digest";

type Metadata = BTreeMap<String, String>;

/// The narrowest type that holds every id of a vocabulary.
fn token_dtype(vocabulary_size: usize) -> Dtype {
    if vocabulary_size <= 1 << 16 {
        Dtype::U16
    } else {
        Dtype::U32
    }
}

/// The digest of a shard: of its metadata, the digest left aside, and of its tensors in the order of the file.
fn digest_of(metadata: &Metadata, tensors: &[&[u8]]) -> Digest {
    let mut hasher = Hasher::new(Algorithm::Xxh3);
    for (key, value) in metadata.iter().filter(|(key, _)| *key != DIGEST) {
        for part in [key, value] {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
    }
    for tensor in tensors {
        hasher.update(tensor);
    }
    hasher.finish()
}

#[cfg(test)]
mod tests;
