//! Raw files to sorted records, a unit of files at a time, and the units to one file.
//!
//! [`RawFiles`] is what a corpus holds, in little memory, found by [`walk`]. [`Unit`] reads some of them, each once: digest, text, filters, id, line. It
//! stops at a file that it leaves to its caller, who adds the documents of that one. [`Merge`] gives the lines of many units in the
//! order of their ids, each id once. What is left out is counted by the reason, see [`Reason`].
//!
//! The Python of `codex.data` is the same written to be read, and for the formats that are not met here; tests hold the two equal.

mod files;
mod filters;
mod globs;
mod kept;
mod merge;
mod reason;
mod run;
mod unit;
mod walk;

pub use files::{Content, RawFile, RawFiles, Stamp};
pub use filters::{Filters, QualityRule};
pub use globs::Globs;
pub use merge::{Merge, Twin};
pub use reason::{kind_of, reason_of};
pub use run::RunFile;
pub use unit::{Document, Made, Reading, Stopped, Unit};
pub use walk::{Rules, Walked, walk};
