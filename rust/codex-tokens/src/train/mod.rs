//! Text to a vocabulary: words are counted, then byte-pair encoding is learnt from the counts.
//!
//! The most frequent pair of neighbours becomes a token, again and again. Pairs of equal count go by the smaller left id,
//! then the smaller right id, as in Hugging Face's trainer, so that merges and ids are the same as its. Only the counts of
//! words matter: neither the order of the texts nor the number of threads can change a byte of what comes out.

mod count;
mod learn;
mod options;
mod spill;
mod symbols;
mod training;
mod words;

pub use count::{Counted, Unit, WordCounts};
pub use options::TrainOptions;
pub use training::Training;

#[cfg(test)]
mod tests;
