//! The files of a corpus: what they are called, where they are, what they were when they were listed, and their digests.
//!
//! A hundred bytes and the name for each, so that a corpus of a million files is held in memory.

use std::ffi::OsString;
use std::fs::Metadata;
use std::io::Write as _;
use std::ops::Range;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use codex_file::digest::{Algorithm, Digest, digest_bytes, digest_file_by, sha256_each};
use codex_file::map::read_sized;

use super::kept::{Kept, Piece};
use crate::encode;

/// How many bytes of a file are digested at a time.
const BLOCK_BYTES: usize = 256 << 10;
/// Files up to this size are read whole, and digested together once there are so many bytes of them.
const SMALL_BYTES: u64 = 1 << 20;

/// What tells one state of a file from the next without reading it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Stamp {
    /// The device it is on.
    pub device: u64,
    /// Its number there.
    pub inode: u64,
    /// How long it is.
    pub bytes: u64,
    /// When it was changed, in ns since 1970.
    pub modified_ns: i64,
}

impl Stamp {
    pub(super) fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            bytes: metadata.len(),
            modified_ns: metadata.mtime() * 1_000_000_000 + metadata.mtime_nsec(),
        }
    }

    /// Whether the file at `path` still has it.
    #[must_use]
    pub fn is_of(self, path: &Path) -> bool {
        std::fs::metadata(path).is_ok_and(|now| Self::of(&now) == self)
    }
}

/// What tells the bytes of a file, as it is stored, from all others. All zero until it was read.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Content {
    /// By this digest the file is named.
    pub sha256: [u8; 32],
    /// By this one, which takes a tenth of the time, a second reading is known to be the same; none if none was expected.
    xxh3: Option<[u8; 16]>,
}

impl Content {
    /// What a second reading is to be digested with.
    pub(super) fn again(&self) -> Algorithm {
        match self.xxh3 {
            Some(_) => Algorithm::Xxh3,
            None => Algorithm::Sha256,
        }
    }

    /// Whether bytes of this digest are the same.
    pub(super) fn is_of(&self, again: &Digest) -> bool {
        again.as_bytes() == self.xxh3.as_ref().map_or(&self.sha256[..], |xxh3| xxh3)
    }
}

#[derive(Clone, Debug)]
struct Entry {
    /// Where its name begins, and behind it the whole path if that does not end in the name.
    at: usize,
    name_bytes: u32,
    path_bytes: u32,
    /// What stands before the name in its path, by number.
    before: u32,
    stamp: Stamp,
    /// When anything about it was changed, its name and its rights too, in ns since 1970; none if that is not known.
    touched_ns: Option<i64>,
    content: Content,
    is_left_out: bool,
}

/// One of them.
#[derive(Clone, Copy, Debug)]
pub struct RawFile<'a> {
    /// Path relative to the corpus, with `/`.
    pub name: &'a str,
    /// What it was when it was listed.
    pub stamp: Stamp,
    /// What it holds.
    pub content: &'a Content,
    files: &'a RawFiles,
    entry: &'a Entry,
}

impl RawFile<'_> {
    /// Where it is on this machine.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        let entry = self.entry;
        let bytes = if entry.path_bytes > 0 {
            let start = entry.at + entry.name_bytes as usize;
            self.files.text[start..start + entry.path_bytes as usize].to_owned()
        } else {
            [&*self.files.befores[entry.before as usize], self.name.as_bytes()].concat()
        };
        OsString::from_vec(bytes).into()
    }

    /// Whether it is known that nothing about the file at `path`, which is its own, changed since it was listed.
    pub(super) fn is_untouched(&self, path: &Path) -> bool {
        let is_same =
            |now: Metadata| Stamp::of(&now) == self.stamp && Some(touched_ns(&now)) == self.entry.touched_ns;
        std::fs::metadata(path).is_ok_and(is_same)
    }
}

fn touched_ns(metadata: &Metadata) -> i64 {
    metadata.ctime() * 1_000_000_000 + metadata.ctime_nsec()
}

/// Files in an order that [`RawFiles::sort`] makes that of their names.
#[derive(Debug, Default)]
pub struct RawFiles {
    text: Vec<u8>,
    befores: Vec<Vec<u8>>,
    entries: Vec<Entry>,
    kept: Kept,
}

impl RawFiles {
    /// Adds a file that was just looked at.
    pub(super) fn push_seen(&mut self, name: &str, path: &Path, metadata: &Metadata) {
        self.push(name, path, Stamp::of(metadata));
        if let Some(entry) = self.entries.last_mut() {
            entry.touched_ns = Some(touched_ns(metadata));
        }
    }

    /// Adds a file.
    pub fn push(&mut self, name: &str, path: &Path, stamp: Stamp) {
        let at = self.text.len();
        let path = path.as_os_str().as_bytes();
        self.text.extend_from_slice(name.as_bytes());
        let (mut path_bytes, mut before) = (0, 0);
        if let Some(start) = path.strip_suffix(name.as_bytes()) {
            before = self
                .befores
                .iter()
                .rposition(|known| known == start)
                .unwrap_or_else(|| {
                    self.befores.push(start.to_owned());
                    self.befores.len() - 1
                });
        } else {
            self.text.extend_from_slice(path);
            path_bytes = path.len();
        }
        let small = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        self.entries.push(Entry {
            at,
            name_bytes: small(name.len()),
            path_bytes: small(path_bytes),
            before: small(before),
            stamp,
            touched_ns: None,
            content: Content::default(),
            is_left_out: false,
        });
    }

    /// Puts them in the order of their names.
    pub fn sort(&mut self) {
        let name = |entry: &Entry| &self.text[entry.at..entry.at + entry.name_bytes as usize];
        self.entries.sort_by(|one, other| name(one).cmp(name(other)));
    }

    /// The number of the file called `name`, if there is one; they are in the order of their names.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<usize> {
        let of = |entry: &Entry| &self.text[entry.at..entry.at + entry.name_bytes as usize];
        let found = self
            .entries
            .binary_search_by(|entry| of(entry).cmp(name.as_bytes()));
        found.ok()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The file of a number, if there is one.
    #[must_use]
    pub fn get(&self, number: usize) -> Option<RawFile<'_>> {
        let entry = self.entries.get(number)?;
        let name = &self.text[entry.at..entry.at + entry.name_bytes as usize];
        Some(RawFile {
            name: std::str::from_utf8(name).unwrap_or_default(),
            stamp: entry.stamp,
            content: &entry.content,
            files: self,
            entry,
        })
    }

    /// What some of them hold as they lie on the disk, or what was said where one could not be read.
    ///
    /// A file that is longer or shorter than it was listed is no longer that file: `None` stands for it. The bytes of small ones are
    /// kept for [`Unit`](super::Unit), as long as there is room.
    #[must_use]
    pub fn contents(&self, start: usize, stop: usize) -> Vec<Option<Result<Content, String>>> {
        let mut found = Vec::new();
        let files = || (start..stop).map_while(|number| Some((number, self.get(number)?)));
        let sizes = files().map(|(_, file)| file.stamp.bytes);
        let mut small_bytes = sizes.filter(|size| *size <= SMALL_BYTES).sum();
        let mut small = Small::with_room(small_bytes);
        for (number, file) in files() {
            let size = file.stamp.bytes;
            let said = |error: codex_file::Error| Some(Err(error.to_string()));
            if size > SMALL_BYTES {
                found.push(content_of_large(&file).map_or_else(said, |content| content.map(Ok)));
                continue;
            }
            if small.together.len() as u64 + size > SMALL_BYTES {
                let full = std::mem::replace(&mut small, Small::with_room(small_bytes));
                self.digest_small(start, &mut found, full);
            }
            small_bytes -= size;
            found.push(small.read(number, &file).map_or_else(said, |()| None));
        }
        self.digest_small(start, &mut found, small);
        found
    }

    /// What small files hold, the first in `found` being the one of number `start`.
    fn digest_small(&self, start: usize, found: &mut [Option<Result<Content, String>>], small: Small) {
        let Small { together, places } = small;
        let texts: Vec<_> = places.iter().map(|(_, place)| &together[place.clone()]).collect();
        let digests = sha256_each(&texts);
        let together = Arc::new(together);
        let seen = places
            .iter()
            .filter(|(number, _)| self.entries[*number].touched_ns.is_some());
        let is_kept = self.kept.put(&together, seen.cloned());
        for ((number, place), sha256) in places.into_iter().zip(digests) {
            let is_read_again = !is_kept || self.entries[number].touched_ns.is_none();
            let xxh3 = is_read_again.then(|| bytes_of(&digest_bytes(Algorithm::Xxh3, &together[place])));
            found[number - start] = Some(Ok(Content { sha256, xxh3 }));
        }
    }

    /// The bytes of a file, if they were kept when they were digested; they are given once.
    pub(super) fn take_kept(&self, number: usize) -> Option<Piece> {
        self.kept.take(number)
    }

    /// Keeps what a file holds.
    pub fn set_content(&mut self, number: usize, content: Content) {
        if let Some(entry) = self.entries.get_mut(number) {
            entry.content = content;
        }
    }

    /// Says that a file cannot be read: it keeps its number, and is in no line and no unit.
    pub fn leave_out(&mut self, number: usize) {
        if let Some(entry) = self.entries.get_mut(number) {
            entry.is_left_out = true;
        }
    }

    /// Those of some numbers that are not left out.
    pub fn readable(&self, start: usize, stop: usize) -> impl Iterator<Item = (usize, RawFile<'_>)> {
        (start..stop.min(self.len()))
            .filter_map(|number| Some((number, self.get(number)?)))
            .filter(|(_, file)| !file.entry.is_left_out)
    }

    /// What some of them are, a line of NDJSON for each: bytes, digest, path.
    #[must_use]
    pub fn lines(&self, start: usize, stop: usize) -> Vec<u8> {
        let mut lines = Vec::new();
        for file in self.readable(start, stop).map(|(_, file)| file) {
            // Writing to a vector cannot fail.
            let _ = write!(lines, "{{\"bytes\":{},\"digest\":\"sha256:", file.stamp.bytes);
            encode::hexadecimal(&mut lines, &file.content.sha256);
            lines.extend_from_slice(b"\",\"path\":");
            encode::string(&mut lines, file.name);
            lines.extend_from_slice(b"}\n");
        }
        lines
    }

    /// Where units end: behind a file whose name says so, so that a file that comes or goes changes one unit and not all that
    /// follow, and at the latest where one has so many bytes or files.
    #[must_use]
    pub fn cut(&self, most_bytes: u64, most_files: usize) -> Vec<usize> {
        let mut ends = Vec::new();
        let (mut start, mut bytes) = (0, 0);
        for (number, file) in (0..).map_while(|number| Some((number, self.get(number)?))) {
            bytes += file.stamp.bytes;
            let sum = digest_bytes(Algorithm::Xxh3, file.name.as_bytes());
            let is_end = u16::from_be_bytes([sum.as_bytes()[0], sum.as_bytes()[1]]).is_multiple_of(512);
            if is_end || bytes >= most_bytes || number + 1 - start >= most_files {
                ends.push(number + 1);
                (start, bytes) = (number + 1, 0);
            }
        }
        if start < self.len() {
            ends.push(self.len());
        }
        ends
    }
}

/// Small files on their way to a digest, one behind the other.
struct Small {
    together: Vec<u8>,
    /// Numbers of files, and where they lie.
    places: Vec<(usize, Range<usize>)>,
}

impl Small {
    /// Of files of so many bytes, as many as are digested together.
    fn with_room(bytes: u64) -> Self {
        let bytes = usize::try_from(bytes.min(SMALL_BYTES)).unwrap_or(0);
        Self {
            together: Vec::with_capacity(bytes + 1),
            places: Vec::new(),
        }
    }

    /// Adds a file if it is as long as it was listed.
    fn read(&mut self, number: usize, file: &RawFile<'_>) -> codex_file::Result<()> {
        let start = self.together.len();
        let size = usize::try_from(file.stamp.bytes).unwrap_or(0);
        match read_sized(&file.path(), size, &mut self.together) {
            Ok(true) => self.places.push((number, start..start + size)),
            Ok(false) => {}
            Err(error) => {
                self.together.truncate(start);
                return Err(error);
            }
        }
        Ok(())
    }
}

/// What a large file holds; none if it is longer or shorter than it was listed.
fn content_of_large(file: &RawFile<'_>) -> codex_file::Result<Option<Content>> {
    let by = [Algorithm::Sha256, Algorithm::Xxh3];
    let (bytes, [sha256, again]) = digest_file_by(by, &file.path(), &mut vec![0; BLOCK_BYTES])?;
    Ok((bytes == file.stamp.bytes).then(|| Content {
        sha256: bytes_of(&sha256),
        xxh3: Some(bytes_of(&again)),
    }))
}

/// The bytes of a digest that has so many.
fn bytes_of<const N: usize>(digest: &Digest) -> [u8; N] {
    std::array::from_fn(|at| digest.as_bytes()[at])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp(bytes: u64) -> Stamp {
        Stamp {
            device: 1,
            inode: 2,
            bytes,
            modified_ns: 3,
        }
    }

    fn names(files: &RawFiles) -> Vec<&str> {
        (0..).map_while(|number| Some(files.get(number)?.name)).collect()
    }

    #[test]
    fn names_and_paths_come_back_in_the_order_of_names() {
        let mut files = RawFiles::default();
        files.push("b/2.txt", Path::new("/corpus/b/2.txt"), stamp(1));
        files.push("b.txt", Path::new("/corpus/b.txt"), stamp(2));
        let odd = PathBuf::from(OsString::from_vec(b"/corpus/\xff".to_vec()));
        files.push("\\xff", &odd, stamp(3));
        files.push("c/a", Path::new("/other/c/a"), stamp(4));
        files.sort();
        assert_eq!(names(&files), ["\\xff", "b.txt", "b/2.txt", "c/a"]);
        let paths: Vec<_> = (0..4)
            .map(|number| files.get(number).expect("a file").path())
            .collect();
        assert_eq!(
            paths,
            [
                odd,
                "/corpus/b.txt".into(),
                "/corpus/b/2.txt".into(),
                "/other/c/a".into()
            ]
        );
        let found = ["\\xff", "b/2.txt", "c/a", "c", "z"].map(|name| files.find(name));
        assert_eq!(found, [Some(0), Some(2), Some(3), None, None]);
        files.leave_out(1);
        let left: Vec<_> = files
            .readable(0, 9)
            .map(|(number, file)| (number, file.name))
            .collect();
        assert_eq!(left, [(0, "\\xff"), (2, "b/2.txt"), (3, "c/a")]);
        assert!(files.get(4).is_none() && !files.is_empty());
        assert_eq!(files.lines(1, 4).split(|byte| *byte == b'\n').count(), 3);
    }

    #[test]
    fn a_digest_is_that_of_the_listed_file_or_there_is_none() {
        let home = tempfile::tempdir().expect("a folder");
        let mut files = RawFiles::default();
        for (name, listed) in [("a", 3), ("longer", 2), ("missing", 1)] {
            let path = home.path().join(name);
            if name != "missing" {
                std::fs::write(&path, "abc").expect("a file");
            }
            files.push(name, &path, stamp(listed));
        }
        let found = files.contents(0, 9);
        assert_eq!(found.len(), 3);
        let content = found[0].clone().expect("not changed").expect("read");
        assert_eq!(content.sha256, bytes_of(&digest_bytes(Algorithm::Sha256, b"abc")));
        assert!(content.is_of(&digest_bytes(content.again(), b"abc")));
        assert!(!content.is_of(&digest_bytes(content.again(), b"abd")));
        assert_eq!(found[1], None);
        let said = found[2].clone().expect("not changed").expect_err("missing");
        assert!(said.starts_with("cannot read `"), "{said}");
        files.set_content(0, content);
        assert_eq!(
            String::from_utf8_lossy(&files.lines(0, 1)),
            "{\"bytes\":3,\"digest\":\"sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\",\"path\":\"a\"}\n"
        );
    }

    #[test]
    fn a_file_more_moves_the_cut_of_one_unit_alone() {
        let mut files = RawFiles::default();
        for number in 0..20_000 {
            files.push(&format!("{number:05}"), Path::new("/x"), stamp(10));
        }
        let ends = files.cut(1 << 30, 4096);
        assert!(ends.len() > 20 && ends.last() == Some(&20_000), "{}", ends.len());
        files.push("00007x", Path::new("/x"), stamp(10));
        files.sort();
        let moved = files.cut(1 << 30, 4096);
        let back: Vec<_> = moved.iter().map(|end| end - 1).collect();
        assert!(ends.iter().filter(|end| back.contains(end)).count() >= ends.len() - 1);
        assert_eq!(files.cut(1 << 30, 7).len(), files.cut(70, 1 << 20).len());
        assert_eq!(RawFiles::default().cut(1, 1), Vec::<usize>::new());
    }
}
