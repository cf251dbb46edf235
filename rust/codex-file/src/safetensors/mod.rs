//! The safetensors layout: eight bytes of header length, a JSON header, then the tensors one after another.
//!
//! [`header`] lays tensors out as the official library does, byte for byte; [`parse`] and [`parse_header`] read strictly:
//! a duplicate name, a hole, an overlap, a byte too many or a header above 100 MB is refused by name. The format carries no
//! digest, so a changed byte inside a tensor is found only by the manifest beside it.

mod build;
mod dtype;
#[cfg(test)]
mod fuzz;
mod header_text;
#[cfg(test)]
mod malformed;
mod parse;

pub use build::header;
pub use dtype::Dtype;
pub use parse::{parse, parse_header, read_header};

use std::collections::BTreeMap;

/// A longer header is refused: the limit of the official library.
pub const MAX_HEADER_BYTES: u64 = 100_000_000;

/// The key of the header that holds notes instead of a tensor.
const METADATA_KEY: &str = "__metadata__";

/// One tensor: what it is and where its bytes lie.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TensorInfo {
    /// Unique in its file.
    pub name: String,
    /// The type of one element.
    pub dtype: Dtype,
    /// The sizes of its axes; empty for a single number.
    pub shape: Vec<u64>,
    /// The first byte, counted from the end of the header.
    pub start: u64,
    /// The byte after the last.
    pub end: u64,
}

/// A header, understood and checked.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct File {
    /// In the order of their bytes.
    pub tensors: Vec<TensorInfo>,
    /// The notes.
    pub metadata: BTreeMap<String, String>,
    /// Where the tensors begin in the file.
    pub data_start: usize,
}
