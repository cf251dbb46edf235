//! Writing so that a kill, a power cut or a full disk at any instant leaves the old content or the new, whole.
//!
//! - [`write_atomic`] and [`AtomicFile`]: one file;
//! - [`PartialFolder`]: a folder of files that appears all at once;
//! - [`AppendLog`]: lines added to the end, none of them ever torn in the middle;
//! - [`sweep_partial`]: removes what the dead have left behind.
//!
//! What is not finished lies beside its place under the name `<name>.partial-<pid>-<n>`. Its owner holds a lock (`flock`)
//! on it, which the kernel takes back when the owner dies, however it dies: an id that is used again cannot deceive.

mod atomic;
mod folder;
mod log;
mod name;
mod owner;
mod remove;
mod rotation;
mod sink;
mod sweep;
mod sync;
#[cfg(test)]
mod tests;

pub use atomic::{AtomicFile, write_atomic, write_atomic_unsynced};
pub use folder::{DurableFile, PartialFolder};
pub use log::AppendLog;
pub(crate) use owner::take;
pub use remove::{remove_file, remove_folder};
pub use sweep::sweep_partial;
pub use sync::create_folder;
