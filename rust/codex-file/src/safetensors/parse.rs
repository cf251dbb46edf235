//! A header to tensors, strictly.

use std::fs;
use std::io::Read;
use std::path::Path;

use super::header_text::{Entry, read};
use super::{File, MAX_HEADER_BYTES, TensorInfo};
use crate::error::{Error, Result};

/// Reads the header of a whole file and checks that its tensors cover the rest of it exactly.
///
/// # Errors
/// [`Class::Damage`](crate::Class::Damage) with what is wrong; the caller adds the path with [`Error::in_file`].
pub fn parse(bytes: &[u8]) -> Result<File> {
    parse_header(bytes, bytes.len() as u64)
}

/// The same from the first bytes of a file of `file_bytes`: at least its eight bytes of length and its header.
///
/// # Errors
/// As [`parse`].
pub fn parse_header(prefix: &[u8], file_bytes: u64) -> Result<File> {
    let damaged = |reason: String| Error::damage(format!("not a valid safetensors file: {reason}"));
    let (json, data_start) = header_text(prefix, file_bytes).map_err(damaged)?;
    let header = read(json).map_err(damaged)?;
    let mut tensors = Vec::with_capacity(header.entries.len());
    for (name, entry) in header.entries {
        check_size(&entry).map_err(|reason| damaged(format!("tensor `{}` {reason}", name.escape_debug())))?;
        let Entry {
            dtype,
            shape,
            start,
            end,
        } = entry;
        tensors.push(TensorInfo {
            name,
            dtype,
            shape,
            start,
            end,
        });
    }
    tensors.sort_by(|left, right| {
        (left.start, left.end, &left.name).cmp(&(right.start, right.end, &right.name))
    });
    check_cover(&tensors, file_bytes - data_start as u64).map_err(damaged)?;
    Ok(File {
        tensors,
        metadata: header.metadata,
        data_start,
    })
}

/// The same of the file at `path`, of which only the header is read.
///
/// # Errors
/// As [`parse`], naming the file, or if it cannot be read.
pub fn read_header(path: &Path) -> Result<File> {
    let failed = |error| Error::io("read", path, error);
    let mut file = fs::File::open(path).map_err(failed)?;
    let file_bytes = file.metadata().map_err(failed)?.len();
    let mut prefix = Vec::new();
    file.by_ref().take(8).read_to_end(&mut prefix).map_err(failed)?;
    if let Some(length) = prefix.first_chunk() {
        let length = u64::from_le_bytes(*length).min(MAX_HEADER_BYTES);
        file.take(length).read_to_end(&mut prefix).map_err(failed)?;
    }
    parse_header(&prefix, file_bytes).map_err(|error| error.in_file(path))
}

/// The JSON of the header without its padding, and where it ends in the file.
fn header_text(prefix: &[u8], file_bytes: u64) -> std::result::Result<(&[u8], usize), String> {
    let Some((length, rest)) = prefix.split_first_chunk::<8>() else {
        return Err(format!("it has {} bytes, expected at least 8", prefix.len()));
    };
    let length = u64::from_le_bytes(*length);
    if length > MAX_HEADER_BYTES {
        return Err(format!(
            "its header claims {length} bytes, expected at most {MAX_HEADER_BYTES}"
        ));
    }
    if length > file_bytes.saturating_sub(8) {
        return Err(format!(
            "its header claims {length} bytes, the file has {file_bytes}"
        ));
    }
    let header = usize::try_from(length).ok().and_then(|length| rest.get(..length));
    let header =
        header.ok_or_else(|| format!("its header claims {length} bytes, {} were read", rest.len()))?;
    if header.first() != Some(&b'{') {
        return Err("its header does not begin with `{`".to_owned());
    }
    let padding = header.iter().rev().take_while(|&&byte| byte == b' ').count();
    if header[header.len() - padding - 1] != b'}' {
        return Err("its header does not end with `}` and spaces".to_owned());
    }
    Ok((&header[..header.len() - padding], 8 + header.len()))
}

/// The offsets of an entry agree with its dtype and shape.
fn check_size(entry: &Entry) -> std::result::Result<(), String> {
    let Entry {
        dtype,
        shape,
        start,
        end,
    } = entry;
    let wanted = dtype
        .bytes_of(shape)
        .ok_or_else(|| format!("of shape {shape:?} has no size in bytes as {dtype}"))?;
    match end.checked_sub(*start) {
        Some(bytes) if bytes == wanted => Ok(()),
        Some(bytes) => Err(format!(
            "has {bytes} bytes, expected {wanted} for {dtype} of shape {shape:?}"
        )),
        None => Err(format!("ends at byte {end} before it starts at {start}")),
    }
}

/// Each byte of the data belongs to exactly one tensor.
fn check_cover(tensors: &[TensorInfo], data_bytes: u64) -> std::result::Result<(), String> {
    let mut covered = 0;
    for TensorInfo { name, start, end, .. } in tensors {
        let name = name.escape_debug();
        if *start > covered {
            return Err(format!(
                "bytes {covered} to {start} belong to no tensor, `{name}` comes next"
            ));
        }
        if *start < covered {
            return Err(format!(
                "tensor `{name}` starts at byte {start}, inside another that ends at {covered}"
            ));
        }
        covered = *end;
    }
    match covered.cmp(&data_bytes) {
        std::cmp::Ordering::Equal => Ok(()),
        std::cmp::Ordering::Less => Err(format!("{} bytes follow the last tensor", data_bytes - covered)),
        std::cmp::Ordering::Greater => Err(format!(
            "it is cut short: it has {data_bytes} bytes of data, needs {covered}"
        )),
    }
}
