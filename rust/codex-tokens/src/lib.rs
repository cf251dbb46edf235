//! Text to tokens: byte-pair encoding, and the training of it.
//!
//! [`Tokenizer`] is the type to start from: it encodes, decodes, and reads and writes `tokenizer.json`. [`WordCounts`]
//! learns one. [`ShardWriter`] and [`shard::Layout`] put the ids of documents on disk and find them again.
//!
//! Ids and merges are those of Hugging Face `tokenizers` 0.23.3, tie for tie, and nothing is quadratic. What is fast has a slow
//! twin that it has to agree with: [`mod@reference`] for encoding, [`words`] for the cutting of words.

mod added;
mod alphabet;
mod batch;
mod cache;
mod characters;
mod decode;
mod edges;
mod encode;
mod error;
mod hash;
mod in_order;
mod json;
mod known;
mod lengths;
mod load;
mod merge;
mod model;
mod normalize;
mod pages;
mod parts;
mod piecewise;
#[cfg(test)]
mod random;
pub mod reference;
mod settings;
pub mod shard;
mod spans;
mod split;
mod template;
mod tokenizer;
mod train;
mod trim;
mod unicode;
mod vocabulary;
mod whole;
mod word_table;

pub use error::{Error, Result};
pub use load::Ranks;
pub use normalize::Unicode;
pub use shard::ShardWriter;
pub use split::{Words, words};
pub use tokenizer::{END_OF_DOCUMENT, Specials, Tokenizer};
pub use train::{Counted, TrainOptions, Training, Unit, WordCounts};
