//! Free space, asked before writing rather than found out half-way.

use std::path::Path;

use crate::error::{Error, Result, quoted};

/// How many bytes an ordinary user may still write where `path` is or would be.
///
/// A path that does not exist yet is answered for by its nearest ancestor that does.
///
/// # Errors
/// If the file system does not answer.
pub fn free_bytes(path: &Path) -> Result<u64> {
    let mut place = path;
    loop {
        let asked = if place.as_os_str().is_empty() {
            Path::new(".")
        } else {
            place
        };
        match (rustix::fs::statvfs(asked), place.parent()) {
            (Ok(answer), _) => return Ok(answer.f_bavail.saturating_mul(answer.f_frsize)),
            (Err(rustix::io::Errno::NOENT), Some(parent)) => place = parent,
            (Err(errno), _) => return Err(Error::io("ask for the free space at", asked, errno.into())),
        }
    }
}

/// Refuses to start what cannot be finished.
///
/// # Errors
/// [`Class::DiskFull`](crate::Class::DiskFull) if fewer than `bytes` are free where `path` is or would be.
pub fn require(path: &Path, bytes: u64) -> Result<()> {
    let free = free_bytes(path)?;
    if free >= bytes {
        return Ok(());
    }
    let message = format!(
        "{} has {} free, needs {}",
        quoted(path),
        readable(free),
        readable(bytes)
    );
    Err(Error::disk_full(message).with_hint("free some space, or choose a folder on another disk"))
}

/// A number of bytes as people say it: `1.4 GB`.
fn readable(bytes: u64) -> String {
    let mut unit = 1_000;
    for name in ["kB", "MB", "GB", "TB"] {
        if bytes < unit * 1_000 || name == "TB" {
            let tenths = (u128::from(bytes) * 10 / u128::from(unit)).to_string();
            return match bytes {
                0..1_000 => format!("{bytes} bytes"),
                _ => format!(
                    "{}.{} {name}",
                    &tenths[..tenths.len() - 1],
                    &tenths[tenths.len() - 1..]
                ),
            };
        }
        unit *= 1_000;
    }
    format!("{bytes} bytes")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Class;

    #[test]
    fn a_path_that_is_not_there_yet_has_the_space_of_its_ancestor() {
        let folder = tempfile::tempdir().unwrap();
        assert!(free_bytes(&folder.path().join("a/b/c")).unwrap() > 0);
        assert!(free_bytes(Path::new("not/here/yet")).unwrap() > 0);
    }

    #[test]
    fn too_much_is_refused_with_both_numbers() {
        let folder = tempfile::tempdir().unwrap();
        require(folder.path(), 1).unwrap();
        let error = require(folder.path(), u64::MAX).unwrap_err();
        assert_eq!(error.class(), Class::DiskFull);
        assert!(
            error.to_string().ends_with("free, needs 18446744.0 TB"),
            "{error}"
        );
    }

    #[test]
    fn sizes_read_as_people_say_them() {
        for (bytes, text) in [
            (0, "0 bytes"),
            (999, "999 bytes"),
            (1_000, "1.0 kB"),
            (1_440_000_000, "1.4 GB"),
        ] {
            assert_eq!(readable(bytes), text);
        }
    }
}
