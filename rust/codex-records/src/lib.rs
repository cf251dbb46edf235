//! Text to records and back: NDJSON, identity, and what is held out.
//!
//! A [`Record`] is one text, where it came from, and an [`Id`] that is the text's own digest: equal texts have equal ids,
//! so the id is the key of exact deduplication and of the split. [`Reader`] takes a file line by line, plain or compressed,
//! and says of each bad line where it is and why; [`Writer`] gives equal records equal bytes. The format is told in
//! `docs/records.md`.
//!
//! [`Reader`] is the plain reader: a line at a time, checked whole. It is written to be read. [`Blocks`] is for the speed of
//! many threads, and takes anyone's lines: of each it wants a text, see [`read_document`]. [`Batches`] is built on it: it takes
//! texts, rows or columns from anyone's NDJSON, in order. [`Index`] finds a line in the middle. [`Appender`] adds lines to a
//! file, as durably as is asked. [`ingest`] makes records of raw files. [`NearDuplicates`] finds texts that are nearly the same, [`Split`] keeps them on one side.

mod append;
mod blocks;
mod document;
pub mod encode;
mod error;
mod id;
mod index;
pub mod ingest;
mod json;
mod lines;
#[cfg(test)]
mod mutate;
mod near;
mod number;
mod overlap;
mod parse;
mod plain;
mod quality;
mod read;
mod record;
mod split;
mod write;

pub use append::{Appender, Durability};
pub use blocks::{Block, Blocks, Line};
pub use document::read_document;
pub use error::{BadLine, Error, Result};
pub use id::{Id, is_held_out};
pub use index::{Index, count_lines};
pub use json::Fault;
pub use lines::{
    Bad, Batch, Batches, Column, ColumnType, Columns, Rows, Rules, Take, Texts, Token, Values, fault_of_row,
};
pub use near::{NearDuplicates, number_shingles};
pub use overlap::{OVERLAP_WORDS, Overlap, overlap};
pub use quality::Quality;
pub use read::Reader;
pub use record::{MAXIMUM_LINE_BYTES, Meta, Record, Source};
pub use split::{Part, Side, Split};
pub use write::Writer;
