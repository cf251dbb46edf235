//! Tokenizers that do not come as one `tokenizer.json`: ranks as `tiktoken` has them, and `SentencePiece`'s models.

mod base64;
pub(crate) mod dialect;
mod folder;
mod protobuf;
mod ranks;
mod sentencepiece;

pub use ranks::Ranks;

#[cfg(test)]
mod tests;
