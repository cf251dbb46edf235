//! Bytes on disk that stay what they were: durable writes, digests, locks, manifests, streams and the safetensors layout.
//!
//! Everything in codex that writes, writes through here. [`durable`] is the place to start: a file or folder appears
//! under its name whole and synced, or not at all. [`manifest`] says what a folder holds and covers itself with a digest;
//! [`fail`] lets a test strike between any two system calls. The promises are told in `docs/file.md`.
//!
//! ```
//! use codex_file::durable::{PartialFolder, write_atomic};
//! use std::io::Write;
//!
//! let home = tempfile::tempdir()?;
//! write_atomic(&home.path().join("note.txt"), b"whole or not at all")?;
//!
//! let folder = PartialFolder::begin(&home.path().join("records"))?;
//! let mut file = folder.create_file("records.ndjson")?;
//! file.write_all(b"{}\n")?;
//! file.finish()?;
//! folder.commit()?;
//! assert!(home.path().join("records/records.ndjson").exists());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

// The model of a disk is shared with the tests of other crates, and names this one as they do.
#[cfg(test)]
extern crate self as codex_file;

pub mod digest;
pub mod durable;
mod error;
pub mod fail;
pub mod frames;
mod gzip;
pub mod json;
pub mod lock;
pub mod manifest;
pub mod map;
pub mod record;
pub mod safetensors;
pub mod space;
pub mod stream;
mod system;

pub use error::{Class, Error, Result, system_reason};
