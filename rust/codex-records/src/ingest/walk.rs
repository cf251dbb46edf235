//! What lies below a folder: files of the corpus, what is skipped, what a glob kept out. `codex.data.listing` tells the rules.

use std::fs::{DirEntry, FileType};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};

use codex_file::system_reason;

use super::files::{RawFiles, Stamp};
use super::globs::Globs;

/// What belongs to a corpus.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'a> {
    /// What its own globs take.
    pub of_corpus: &'a Globs,
    /// What those of the user take.
    pub wanted: &'a Globs,
    /// What either keeps out.
    pub unwanted: &'a Globs,
    /// What is larger is left to the caller.
    pub maximum_bytes: u64,
    /// Device and number of what is never part of a corpus.
    pub not_input: &'a [(u64, u64)],
}

/// What was found besides the files of the corpus.
#[derive(Debug, Default)]
pub struct Walked {
    /// Files and folders that a glob kept out; a folder counts as one.
    pub set_aside: u64,
    /// What belongs to the corpus and is not in it, and why.
    pub skipped: Vec<(String, String)>,
    /// Files above the size: name, path, stamp.
    pub large: Vec<(String, PathBuf, Stamp)>,
}

/// Adds the files below `folder` to `files`, their names beginning with `name`. No link is followed, and nothing opened but folders.
#[must_use]
pub fn walk(files: &mut RawFiles, name: &str, folder: &Path, rules: Rules<'_>) -> Walked {
    let mut walked = Walked::default();
    // A list instead of recursion: folders may lie deeper than the stack.
    let mut folders = vec![(name.to_owned(), folder.to_owned())];
    while let Some((name, folder)) = folders.pop() {
        let inner = |entry: &DirEntry| {
            let own = printable(entry.file_name().as_bytes());
            if name.is_empty() {
                own
            } else {
                format!("{name}/{own}")
            }
        };
        let listed = folder.read_dir().and_then(|entries| {
            for entry in entries {
                let entry = entry?;
                let inner = inner(&entry);
                if look(files, &inner, &entry, rules, &mut walked) {
                    folders.push((inner, entry.path()));
                }
            }
            Ok(())
        });
        if let Err(error) = listed {
            let why = format!("folder cannot be read: {}", system_reason(&error));
            walked.skipped.push((format!("{name}/"), why));
        }
    }
    walked
}

/// Takes a file, or tells why not; whether it is a folder to go into.
fn look(files: &mut RawFiles, name: &str, entry: &DirEntry, rules: Rules<'_>, walked: &mut Walked) -> bool {
    let mut skip = |why: String| walked.skipped.push((name.to_owned(), why));
    let metadata = match entry.metadata() {
        Ok(metadata) => metadata,
        Err(error) => {
            skip(format!("cannot be read: {}", system_reason(&error)));
            return false;
        }
    };
    let (kind, stamp) = (metadata.file_type(), Stamp::of(&metadata));
    let is_wanted = || rules.of_corpus.matches(name) && rules.wanted.matches(name);
    if rules.unwanted.matches(name) || rules.not_input.contains(&(stamp.device, stamp.inode)) {
        walked.set_aside += 1;
    } else if kind.is_dir() {
        return true;
    } else if kind.is_symlink() && entry.path().is_dir() {
        skip("a symbolic link to a folder: not followed".to_owned());
    } else if !is_wanted() {
        walked.set_aside += 1;
    } else if let Some(what) = special(kind) {
        skip(what.to_owned());
    } else if stamp.bytes > rules.maximum_bytes {
        walked.large.push((name.to_owned(), entry.path(), stamp));
    } else {
        files.push_seen(name, &entry.path(), &metadata);
    }
    false
}

/// Why what is no regular file is not read.
fn special(kind: FileType) -> Option<&'static str> {
    if kind.is_file() {
        None
    } else if kind.is_symlink() {
        Some("a symbolic link: not followed")
    } else if kind.is_fifo() {
        Some("a FIFO: not opened")
    } else if kind.is_socket() {
        Some("a socket: not opened")
    } else if kind.is_char_device() {
        Some("a character device: not opened")
    } else if kind.is_block_device() {
        Some("a block device: not opened")
    } else {
        Some("something else: not opened")
    }
}

/// The name of a file as text, bytes that are not UTF-8 written `\xe9`.
fn printable(name: &[u8]) -> String {
    let mut text = String::with_capacity(name.len());
    for chunk in name.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|byte| format!("\\x{byte:02x}")));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_below_a_folder_is_a_file_or_counted() {
        let home = tempfile::tempdir().expect("a folder");
        let at = |name: &str| home.path().join(name);
        for name in [
            "a/b/c.txt",
            "a/d.md",
            "e.txt",
            "old/f.txt",
            "large.txt",
            "cache/g.txt",
        ] {
            std::fs::create_dir_all(at(name).parent().expect("a folder")).expect("made");
            std::fs::write(at(name), "12345".repeat(if name == "large.txt" { 3 } else { 1 }))
                .expect("written");
        }
        std::os::unix::fs::symlink("a", at("link")).expect("a link");
        std::os::unix::fs::symlink("e.txt", at("link.txt")).expect("a link");
        let globs = |all: &[&str]| Globs::new(all).expect("globs");
        let cache = Stamp::of(&std::fs::metadata(at("cache")).expect("a folder"));
        let mut files = RawFiles::default();
        let rules = Rules {
            of_corpus: &globs(&["**"]),
            wanted: &globs(&["*.txt"]),
            unwanted: &globs(&["old"]),
            maximum_bytes: 10,
            not_input: &[(cache.device, cache.inode)],
        };
        let mut walked = walk(&mut files, "x", home.path(), rules);
        files.sort();
        let found: Vec<_> = (0..files.len())
            .map(|at| files.get(at).expect("a file"))
            .collect();
        let names: Vec<_> = found.iter().map(|file| (file.name, file.path())).collect();
        assert_eq!(
            names,
            [("x/a/b/c.txt", at("a/b/c.txt")), ("x/e.txt", at("e.txt"))]
        );
        assert!(found.iter().all(|file| file.stamp.is_of(&file.path())));
        assert_eq!(walked.set_aside, 3); // `a/d.md`, `old` and `cache`
        walked.skipped.sort();
        let skipped: Vec<_> = walked
            .skipped
            .iter()
            .map(|(name, why)| format!("{name}: {why}"))
            .collect();
        assert_eq!(
            skipped,
            [
                "x/link: a symbolic link to a folder: not followed",
                "x/link.txt: a symbolic link: not followed"
            ]
        );
        assert_eq!((walked.large.len(), &*walked.large[0].0), (1, "x/large.txt"));
    }

    #[test]
    fn bytes_that_are_no_text_are_written_out() {
        assert_eq!(printable(b"caf\xe9 \xff\xc3\xa9"), "caf\\xe9 \\xff\u{e9}");
    }
}
