//! Plain or compressed bytes as one stream: the format is told by the magic number, never by the name.
//!
//! gz, bz2, xz and zst, each with any number of members one after another. A stream that ends early or has been changed is
//! an error that names the file and the place; it never just ends.

#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::{self, BufReader, Cursor, ErrorKind, Read};
use std::path::{Path, PathBuf};

use crate::digest::{Algorithm, Digest, digest_bytes};
use crate::error::{Error, Result, quoted};
use crate::gzip;

/// How much memory one xz stream may ask for; `xz -9` asks for 65 MiB.
const XZ_MEMORY_BYTES: u64 = 256 << 20;

/// The longest magic number.
const MAGIC_BYTES: usize = 6;

/// How many compressed bytes are read from the file at a time.
const BLOCK_BYTES: usize = 128 << 10;

/// What the first bytes say.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Format {
    /// No compression known here.
    Plain,
    /// RFC 1952.
    Gzip,
    /// bzip2.
    Bzip2,
    /// xz.
    Xz,
    /// RFC 8878, also when it begins with a skippable frame.
    Zstd,
}

impl Format {
    /// `gzip`, `bzip2`, `xz`, `zstd` or `plain`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Gzip => "gzip",
            Self::Bzip2 => "bzip2",
            Self::Xz => "xz",
            Self::Zstd => "zstd",
        }
    }
}

/// The format of a stream that begins with `start`.
#[must_use]
pub fn sniff(start: &[u8]) -> Format {
    match start {
        [0x1f, 0x8b, 0x08, ..] => Format::Gzip,
        [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, ..] | [b'B', b'Z', b'h', b'1'..=b'9', 0x17, 0x72, ..] => {
            Format::Bzip2
        }
        [0xfd, b'7', b'z', b'X', b'Z', 0x00, ..] => Format::Xz,
        [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Format::Zstd,
        _ => Format::Plain,
    }
}

/// A reader of the plain bytes behind `source`, whatever its format.
///
/// # Errors
/// If the first bytes cannot be read.
pub fn reader(mut source: impl Read + Send + 'static) -> io::Result<Box<dyn Read + Send>> {
    let mut start = Vec::with_capacity(MAGIC_BYTES);
    source.by_ref().take(MAGIC_BYTES as u64).read_to_end(&mut start)?;
    let format = sniff(&start);
    decoder(format, Cursor::new(start).chain(source))
}

fn decoder(format: Format, source: impl Read + Send + 'static) -> io::Result<Box<dyn Read + Send>> {
    let buffered = |source| BufReader::with_capacity(BLOCK_BYTES, source);
    Ok(match format {
        Format::Plain => Box::new(buffered(source)),
        Format::Gzip => Box::new(gzip::Decoder::new(source)),
        Format::Bzip2 => Box::new(bzip2::bufread::MultiBzDecoder::new(buffered(source))),
        Format::Xz => {
            let stream =
                liblzma::stream::Stream::new_stream_decoder(XZ_MEMORY_BYTES, liblzma::stream::CONCATENATED)?;
            Box::new(liblzma::bufread::XzDecoder::new_stream(buffered(source), stream))
        }
        Format::Zstd => Box::new(zstd::stream::read::Decoder::with_buffer(buffered(source))?),
    })
}

/// Opens `path` for reading its plain bytes.
///
/// # Errors
/// If it cannot be opened. A truncated or damaged stream shows itself while reading: the [`io::Error`] carries an
/// [`Error`] of [`Class::Data`](crate::Class::Data), which [`Error::io`] takes out again.
pub fn open(path: &Path) -> Result<Box<dyn Read + Send>> {
    let file = File::open(path).map_err(|error| Error::io("read", path, error))?;
    named(path, file)
}

/// The same of the stored bytes that `source` gives: those of the file at `path`, seen on their way.
///
/// # Errors
/// As [`open`].
pub fn named(path: &Path, mut source: impl Read + Send + 'static) -> Result<Box<dyn Read + Send>> {
    let failed = |error| Error::io("read", path, error);
    let mut start = Vec::with_capacity(MAGIC_BYTES);
    source
        .by_ref()
        .take(MAGIC_BYTES as u64)
        .read_to_end(&mut start)
        .map_err(failed)?;
    let format = sniff(&start);
    let source = decoder(format, Cursor::new(start).chain(source)).map_err(failed)?;
    Ok(Box::new(Named {
        source,
        path: path.to_owned(),
        format,
        bytes: 0,
    }))
}

/// The plain bytes of `path`, at most `limit_bytes` of them.
///
/// # Errors
/// [`Class::Data`](crate::Class::Data) if there are more, or if the stream is truncated or damaged.
pub fn read_all(path: &Path, limit_bytes: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    collect(open(path)?, path, limit_bytes, &mut bytes)?;
    Ok(bytes)
}

/// The same, with the SHA-256 of the bytes as they are stored, which may not be more either.
///
/// # Errors
/// As [`read_all`].
pub fn read_all_digested(path: &Path, limit_bytes: u64) -> Result<(Vec<u8>, Digest)> {
    let mut stored = Vec::new();
    let (unpacked, digest) = read_digested_in(Algorithm::Sha256, path, limit_bytes, &mut stored)?;
    Ok((unpacked.unwrap_or(stored), digest))
}

/// The same, by any algorithm, through `stored`, which many files share: it then holds the bytes of a plain file; those that a
/// compressed one unpacks to are returned.
///
/// # Errors
/// As [`read_all`].
pub fn read_digested_in(
    algorithm: Algorithm,
    path: &Path,
    limit_bytes: u64,
    stored: &mut Vec<u8>,
) -> Result<(Option<Vec<u8>>, Digest)> {
    stored.clear();
    let file = File::open(path).map_err(|error| Error::io("read", path, error))?;
    collect(file, path, limit_bytes, stored)?;
    let digest = digest_bytes(algorithm, stored);
    Ok((unpack(path, limit_bytes, stored)?, digest))
}

/// What the bytes of the file at `path` unpack to, if they are compressed.
///
/// # Errors
/// As [`read_all`].
pub fn unpack(path: &Path, limit_bytes: u64, stored: &[u8]) -> Result<Option<Vec<u8>>> {
    if sniff(stored) == Format::Plain {
        return Ok(None);
    }
    let mut unpacked = Vec::new();
    let packed = named(path, Cursor::new(stored.to_vec()))?;
    collect(packed, path, limit_bytes, &mut unpacked)?;
    Ok(Some(unpacked))
}

/// The bytes of `path` as they are, at most `limit_bytes` of them.
pub(crate) fn read_plain(path: &Path, limit_bytes: u64) -> Result<Vec<u8>> {
    let file = File::open(path).map_err(|error| Error::io("read", path, error))?;
    let mut bytes = Vec::new();
    collect(file, path, limit_bytes, &mut bytes)?;
    Ok(bytes)
}

/// Adds all of `source` to `bytes`.
fn collect(source: impl Read, path: &Path, limit_bytes: u64, bytes: &mut Vec<u8>) -> Result<()> {
    let wanted = limit_bytes.saturating_add(1);
    let added = source
        .take(wanted)
        .read_to_end(bytes)
        .map_err(|error| Error::io("read", path, error))?;
    if added as u64 > limit_bytes {
        return Err(Error::data(format!(
            "{} holds more than the limit of {limit_bytes} bytes",
            quoted(path)
        )));
    }
    Ok(())
}

/// A stream whose errors say which file they are of.
struct Named {
    source: Box<dyn Read + Send>,
    path: PathBuf,
    format: Format,
    /// Plain bytes handed out so far.
    bytes: u64,
}

impl Read for Named {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.source.read(buffer) {
            Ok(count) => {
                self.bytes += count as u64;
                Ok(count)
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => Err(error),
            Err(error) if error.raw_os_error().is_some() => Err(Error::io("read", &self.path, error).into()),
            Err(error) => Err(self.damage(&error).into()),
        }
    }
}

impl Named {
    fn damage(&self, error: &io::Error) -> Error {
        let format = self.format.name();
        let reason = if error.kind() == ErrorKind::UnexpectedEof {
            format!("the {format} stream is cut short")
        } else {
            format!("the {format} stream is damaged ({error})")
        };
        Error::data(format!(
            "{}: {reason} after {} plain bytes",
            quoted(&self.path),
            self.bytes
        ))
    }
}
