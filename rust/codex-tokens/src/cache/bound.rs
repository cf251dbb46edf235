//! The folder of kept tokenizers within a bound: what was used longest ago goes first.

use codex_file::durable::sweep_partial;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Hexadecimal digits in the name of a kept file; nothing else is ever removed.
const NAME_DIGITS: usize = 32;

/// Notes that the file at `place` has just been used.
pub(super) fn mark_used(place: &Path) {
    // Where that is not allowed the file only goes sooner.
    drop(File::open(place).and_then(|file| file.set_modified(SystemTime::now())));
}

/// Removes kept files from `folder`, those used longest ago first, until the rest and `newest`, which stays whatever it takes, have
/// `maximum_bytes` at most, and what writers that were killed have left. What cannot be looked at or removed stays.
pub(super) fn prune(folder: &Path, newest: &Path, maximum_bytes: u64) {
    drop(sweep_partial(folder));
    let mut kept = kept_files(folder);
    kept.sort();
    let mut bytes: u64 = kept.iter().map(|file| file.bytes).sum();
    for file in kept.iter().filter(|file| file.path != newest) {
        if bytes <= maximum_bytes {
            return;
        }
        if fs::remove_file(&file.path).is_ok() {
            bytes -= file.bytes;
        }
    }
}

/// A kept file; in the order of their use, and of their names where that is one.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Kept {
    used: SystemTime,
    path: PathBuf,
    bytes: u64,
}

fn kept_files(folder: &Path) -> Vec<Kept> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let kept = entries.flatten().filter_map(|entry| {
        let name = entry.file_name();
        let is_ours = name.len() == NAME_DIGITS && name.as_encoded_bytes().iter().all(u8::is_ascii_hexdigit);
        // Of a link, what it is itself, not what it leads to.
        let metadata = entry.metadata().ok().filter(|found| is_ours && found.is_file())?;
        Some(Kept {
            used: metadata.modified().ok()?,
            path: entry.path(),
            bytes: metadata.len(),
        })
    });
    kept.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// A file of a hundred bytes, used so many hours ago.
    fn keep(folder: &Path, name: &str, hours: u64) -> PathBuf {
        let path = folder.join(name);
        fs::write(&path, [b'x'; 100]).expect("writes");
        let used = SystemTime::now() - Duration::from_secs(hours * 3600);
        let file = File::options().write(true).open(&path).expect("opens");
        file.set_modified(used).expect("sets");
        path
    }

    fn name(number: u32) -> String {
        format!("{number:032x}")
    }

    #[test]
    fn what_was_used_longest_ago_goes_first() {
        let folder = tempfile::tempdir().expect("a folder");
        let paths: Vec<PathBuf> = (1..6)
            .map(|number| keep(folder.path(), &name(number), u64::from(number)))
            .collect();
        let left = || paths.iter().map(|path| path.exists()).collect::<Vec<_>>();
        prune(folder.path(), &paths[0], 500);
        assert_eq!(left(), [true; 5]);
        mark_used(&paths[4]);
        prune(folder.path(), &paths[0], 399);
        assert_eq!(left(), [true, true, false, false, true]);
        prune(folder.path(), &paths[1], 0);
        assert_eq!(left(), [false, true, false, false, false], "the newest stays");
    }

    #[test]
    fn what_the_cache_has_not_written_stays() {
        let folder = tempfile::tempdir().expect("a folder");
        let names = ["notes.txt", "0123456789abcdef", &"g".repeat(32)];
        let others = names.map(|name| keep(folder.path(), name, 9));
        let inner = folder.path().join(name(7));
        fs::create_dir(&inner).expect("makes");
        let newest = keep(folder.path(), &name(1), 0);
        prune(folder.path(), &newest, 0);
        assert!(others.iter().chain([&inner, &newest]).all(|path| path.exists()));
    }
}
