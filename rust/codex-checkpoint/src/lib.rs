//! Tensors to disk and back: a folder that is either whole and proved, or not there.
//!
//! [`save`] writes one checkpoint from borrowed buffers; [`Checkpoint`] opens one and checks every byte it hands out.
//! [`find_latest`] picks the newest that verifies, [`rotate`] removes what is no longer wanted, and [`Background`] saves and
//! rotates on a thread of its own, from what [`copy_all`] has copied. The format is `docs/checkpoint.md`; why a save is made of
//! these steps in this order is `docs/design/006-checkpoint-protocol.md`.
//!
//! ```
//! use codex_checkpoint::{Checkpoint, Contents, Dtype, Format, Tensor, TensorFile, find_latest, save};
//!
//! let folder = tempfile::tempdir()?;
//! let weights = 1.5f32.to_le_bytes();
//! let model = TensorFile::new("model.safetensors", vec![Tensor::new("scale", Dtype::F32, vec![], &weights)]);
//! let format = Format::default();
//! save(folder.path(), &Contents { step: 7, tensor_files: vec![model], files: vec![], parents: vec![], format })?;
//!
//! let found = find_latest(folder.path())?.expect("just saved").checkpoint;
//! let mut read = [0; 4];
//! found.tensors("model.safetensors")?.read_into(vec![("scale", &mut read)])?;
//! assert_eq!(f32::from_le_bytes(read), 1.5);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#[cfg(target_endian = "big")]
compile_error!("tensors are written as they lie in memory, and the format is little-endian");

mod background;
mod beside;
mod copy;
mod find;
mod index;
mod manifest;
mod open;
mod parts;
mod reader;
mod rotate;
mod save;
mod shards;
mod state;
mod write;

pub use background::{Background, Finished};
pub use codex_file::safetensors::Dtype;
// Every fault here is one of codex-file's classes, so a second error type would only wrap it.
pub use codex_file::{Class, Error, Result};
pub use copy::copy_all;
pub use find::{Latest, Listing, find_latest, list};
pub use open::Checkpoint;
pub use reader::TensorReader;
pub use rotate::{PIN_SUFFIX, Retention, Rotation, plan_rotation, rotate};
pub use save::{Contents, Format, save, save_folder};
pub use write::{Tensor, TensorFile};

/// The newest layout this build reads and the one it writes.
pub const SCHEMA_VERSION: u64 = 1;

/// What `kind` says in the manifest of a checkpoint.
pub const KIND: &str = "checkpoint";

/// The file in which the caller's state lies as JSON.
pub const STATE_FILE: &str = "state.json";

/// The metric by which [`rotate`] keeps the best unless told otherwise: bits per byte on held-out text, lower is better.
pub const HELD_OUT_METRIC: &str = "held_out_bits_per_byte";

/// The lock that makes savers and rotators of one folder take turns.
pub(crate) const LOCK_FILE: &str = "writer.lock";
