//! Lines added to the end of a file, none of them ever torn in the middle.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::owner::{holder, take};
use super::{name, rotation};
use crate::error::{Error, Result, quoted};
use crate::system;

/// How much of the end is looked at first.
const TAIL_BYTES: u64 = 64 << 10;

/// A file of lines that one process appends to.
///
/// Each batch is one write(2): a kill loses no line that was appended, a power cut none that was synced. What such an
/// accident leaves behind the last whole line is moved to `<name>.torn` when the log is opened again.
#[derive(Debug)]
pub struct AppendLog {
    path: PathBuf,
    file: File,
    bytes: u64,
    torn_bytes: u64,
    broken: bool,
}

impl AppendLog {
    /// Opens or creates the log and mends its end.
    ///
    /// # Errors
    /// [`Class::Locked`](crate::Class::Locked) if another process writes it, naming that; otherwise what the disk refused.
    pub fn open(path: &Path) -> Result<Self> {
        let failed = |error| Error::io("open", path, error);
        let is_new = !path.exists();
        let file = system::open_appending(path).map_err(failed)?;
        if !take(&file, path).map_err(failed)? {
            let writer = holder(&file).unwrap_or_else(|| "another process".to_owned());
            let message = format!("{} is being written by {writer}", quoted(path));
            return Err(Error::locked(message).with_hint("wait until it ends, or write to another file"));
        }
        if is_new {
            system::sync_folder(name::parent(path)).map_err(failed)?;
        }
        let mut log = Self {
            path: path.to_owned(),
            file,
            bytes: 0,
            torn_bytes: 0,
            broken: false,
        };
        log.mend()?;
        Ok(log)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How many bytes of whole lines it holds.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// How many bytes were moved to `<name>.torn` on opening.
    #[must_use]
    pub fn torn_bytes(&self) -> u64 {
        self.torn_bytes
    }

    /// Where torn bytes are moved to: `<name>.torn`, beside it.
    #[must_use]
    pub fn torn_path(&self) -> PathBuf {
        let mut torn_name = self.path.file_name().unwrap_or_default().to_owned();
        torn_name.push(".torn");
        self.path.with_file_name(torn_name)
    }

    /// Adds `lines`, each ending in a newline, with one write(2). If that fails the log ends as it did before.
    ///
    /// # Errors
    /// [`Class::Usage`](crate::Class::Usage) if the last line does not end; [`Class::DiskFull`](crate::Class::DiskFull) or
    /// what else the disk refused. If not even the torn part could be taken back, all further calls fail and opening the
    /// log again mends it.
    pub fn append(&mut self, lines: &[u8]) -> Result<()> {
        self.check()?;
        if lines.is_empty() {
            return Ok(());
        }
        if lines.last() != Some(&b'\n') {
            return Err(Error::usage(format!(
                "lines appended to {} must end in a newline",
                quoted(&self.path)
            )));
        }
        let mut written = 0;
        while written < lines.len() {
            match system::write(&self.file, &lines[written..]) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Ok(count) if count > 0 => written += count,
                answer => {
                    let error = answer.err().unwrap_or_else(|| ErrorKind::WriteZero.into());
                    self.take_back(written as u64);
                    return Err(Error::io("append to", &self.path, error));
                }
            }
        }
        self.bytes += written as u64;
        Ok(())
    }

    /// Waits until all lines are on the disk. Once this has failed it never succeeds again: which lines were lost is not
    /// known any more.
    ///
    /// # Errors
    /// If the disk refuses, now or before.
    pub fn sync(&mut self) -> Result<()> {
        self.check()?;
        let answer = system::sync_data(&self.file).map_err(|error| Error::io("sync", &self.path, error));
        self.broken = answer.is_err();
        answer
    }

    /// Gives what the log holds a name of its own, `<stem>.000001.<extension>` and so on, and goes on with an empty file.
    ///
    /// All lines are synced before. At every instant the log's name is that of a file whose lock is held, and a kill leaves
    /// at most an empty file under the new name, which the next turn fills.
    ///
    /// # Errors
    /// If the disk refuses; the log is then as it was.
    pub fn rotate(&mut self) -> Result<PathBuf> {
        self.sync()?;
        let (older, file) = rotation::turn(&self.path)?;
        (self.file, self.bytes) = (file, 0);
        Ok(older)
    }

    fn check(&self) -> Result<()> {
        if self.broken {
            let message = format!(
                "{} cannot be written any more: an earlier write failed",
                quoted(&self.path)
            );
            return Err(Error::machine(message).with_hint("open it again, which mends its end"));
        }
        Ok(())
    }

    /// Cuts off the part of a batch that went through before the rest failed.
    fn take_back(&mut self, written: u64) {
        if written > 0 {
            let cut = self
                .file
                .metadata()
                .and_then(|now| system::truncate(&self.file, now.len() - written));
            self.broken = cut.is_err();
        }
    }

    /// Moves what stands behind the last whole line to `<name>.torn`. Killed in between, it is moved once more.
    fn mend(&mut self) -> Result<()> {
        let failed = |error| Error::io("mend", &self.path, error);
        let (sound, length) = sound_end(&self.file).map_err(failed)?;
        self.bytes = sound;
        if sound == length {
            return Ok(());
        }
        let torn_path = self.torn_path();
        let save = || {
            let torn_file = system::open_appending(&torn_path)?;
            let mut torn = read_from(&self.file, sound, length)?;
            torn.push(b'\n');
            system::write_all(&torn_file, &torn)?;
            system::sync(&torn_file)?;
            system::sync_folder(name::parent(&self.path))?;
            system::truncate(&self.file, sound)?;
            system::sync(&self.file)
        };
        save().map_err(failed)?;
        self.torn_bytes = length - sound;
        Ok(())
    }
}

/// Where the last whole line ends, and how long the file is. A last line with a NUL in it is not whole: a power cut can
/// leave blocks that were never written as zeros.
fn sound_end(file: &File) -> io::Result<(u64, u64)> {
    let length = file.metadata()?.len();
    let mut tail_bytes = TAIL_BYTES.min(length);
    loop {
        let start = length - tail_bytes;
        match sound_end_of(&read_from(file, start, length)?) {
            Some(end) => return Ok((start + end as u64, length)),
            None if start == 0 => return Ok((0, length)),
            None => tail_bytes = (tail_bytes * 2).min(length),
        }
    }
}

fn read_from(file: &File, start: u64, end: u64) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; usize::try_from(end - start).map_err(|_| ErrorKind::FileTooLarge)?];
    file.read_exact_at(&mut bytes, start)?;
    Ok(bytes)
}

/// Where the last line ends that lies wholly in `tail`, without a NUL; the line may begin before `tail` only if that is
/// the beginning of the file, which the caller knows: then `None` means there is no such line.
fn sound_end_of(tail: &[u8]) -> Option<usize> {
    let mut end = tail.iter().rposition(|&byte| byte == b'\n')? + 1;
    loop {
        let start = tail[..end - 1]
            .iter()
            .rposition(|&byte| byte == b'\n')
            .map_or(0, |newline| newline + 1);
        if !tail[start..end].contains(&0) {
            return Some(end);
        }
        if start == 0 {
            return None;
        }
        end = start;
    }
}
