//! Text to tokens: byte-pair encoding, and the training of it.
//!
//! [`Tokenizer`] is the type to start from: it encodes, decodes, and reads and writes `tokenizer.json`. [`WordCounts`]
//! learns one. [`ShardWriter`] and [`shard::Layout`] put the ids of documents on disk and find them again.
//!
//! Ids and merges are those of Hugging Face `tokenizers` 0.23.3, tie for tie. The code here is written to be read and has no
//! quadratic case; a faster one has to agree with it.

mod alphabet;
mod cache;
mod error;
mod json;
mod learner;
mod merge;
pub mod shard;
mod split;
mod tokenizer;
mod train;
mod unicode;

pub use error::{Error, Result};
pub use shard::ShardWriter;
pub use split::{Words, words};
pub use tokenizer::{END_OF_DOCUMENT, Specials, Tokenizer};
pub use train::WordCounts;
