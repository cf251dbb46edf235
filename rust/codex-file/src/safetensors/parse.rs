//! A header to tensors, strictly.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Dtype, File, MAX_HEADER_BYTES, METADATA_KEY, TensorInfo};
use crate::error::{Error, Result};
use crate::json;

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
    let header = json::parse(json).map_err(|error| damaged(format!("its header is {error}")))?;
    let Value::Object(header) = header else {
        return Err(damaged("its header is not an object".to_owned()));
    };
    let mut tensors = Vec::with_capacity(header.len());
    let mut metadata = BTreeMap::new();
    for (name, value) in header {
        if name == METADATA_KEY {
            metadata = notes(&value).map_err(damaged)?;
        } else {
            let (dtype, shape, start, end) = tensor(&value)
                .map_err(|reason| damaged(format!("tensor `{}` {reason}", name.escape_debug())))?;
            tensors.push(TensorInfo {
                name,
                dtype,
                shape,
                start,
                end,
            });
        }
    }
    tensors.sort_by(|left, right| {
        (left.start, left.end, &left.name).cmp(&(right.start, right.end, &right.name))
    });
    check_cover(&tensors, file_bytes - data_start as u64).map_err(damaged)?;
    Ok(File {
        tensors,
        metadata,
        data_start,
    })
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

fn notes(value: &Value) -> std::result::Result<BTreeMap<String, String>, String> {
    let object = value.as_object().ok_or("its metadata is not an object")?;
    let entries = object.iter().map(|(key, note)| {
        let note = note
            .as_str()
            .ok_or_else(|| format!("its metadata `{}` is not a string", key.escape_debug()))?;
        Ok((key.clone(), note.to_owned()))
    });
    entries.collect()
}

/// `dtype`, `shape` and the two offsets of one entry, which agree with each other.
fn tensor(value: &Value) -> std::result::Result<(Dtype, Vec<u64>, u64, u64), String> {
    let object = value.as_object().ok_or("is not an object")?;
    if let Some(unknown) = object
        .keys()
        .find(|key| !["dtype", "shape", "data_offsets"].contains(&key.as_str()))
    {
        return Err(format!("has the unknown key `{}`", unknown.escape_debug()));
    }
    let dtype = object
        .get("dtype")
        .and_then(Value::as_str)
        .ok_or("has no `dtype`")?;
    let dtype: Dtype = dtype
        .parse()
        .map_err(|error: Error| format!("has a bad dtype: {error}"))?;
    let numbers = |key: &str| {
        object
            .get(key)?
            .as_array()?
            .iter()
            .map(Value::as_u64)
            .collect::<Option<Vec<u64>>>()
    };
    let shape = numbers("shape").ok_or("has no `shape` of whole numbers")?;
    let offsets = numbers("data_offsets").ok_or("has no `data_offsets` of whole numbers")?;
    let &[start, end] = offsets.as_slice() else {
        return Err(format!("has {} offsets, expected 2", offsets.len()));
    };
    let wanted = dtype
        .bytes_of(&shape)
        .ok_or_else(|| format!("of shape {shape:?} has no size in bytes as {dtype}"))?;
    match end.checked_sub(start) {
        Some(bytes) if bytes == wanted => Ok((dtype, shape, start, end)),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Class;

    fn file(json: &str, data_bytes: usize) -> Vec<u8> {
        let mut bytes = (json.len() as u64).to_le_bytes().to_vec();
        bytes.extend_from_slice(json.as_bytes());
        bytes.resize(bytes.len() + data_bytes, 0);
        bytes
    }

    #[test]
    fn every_malformed_file_is_refused_by_name() {
        let one = r#"{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}"#;
        assert_eq!(parse(&file(one, 4)).unwrap().tensors.len(), 1);
        let table: [(&str, usize, &str); 26] = [
            (one, 3, "it is cut short: it has 3 bytes of data, needs 4"),
            (one, 5, "1 bytes follow the last tensor"),
            ("", 0, "its header does not begin with `{`"),
            (" {}", 0, "its header does not begin with `{`"),
            ("{}\n", 0, "its header does not end with `}` and spaces"),
            ("[]", 0, "its header does not begin with `{`"),
            ("{", 0, "its header does not end with `}` and spaces"),
            ("{}}", 0, "trailing characters"),
            ("{\"a\":1}", 0, "tensor `a` is not an object"),
            (
                r#"{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}"#,
                4,
                "the key `a` stands twice",
            ),
            (
                r#"{"a":{"dtype":"U8","dtype":"I8","shape":[4],"data_offsets":[0,4]}}"#,
                4,
                "the key `dtype` stands twice",
            ),
            (
                r#"{"a":{"dtype":"U8","shape":[4],"data_offsets":[2,6]}}"#,
                6,
                "bytes 0 to 2 belong to no tensor",
            ),
            (
                r#"{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[3,5]}}"#,
                5,
                "bytes 2 to 3 belong to no tensor, `b` comes next",
            ),
            (
                r#"{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[2,6]}}"#,
                6,
                "tensor `b` starts at byte 2, inside another that ends at 4",
            ),
            (
                r#"{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}"#,
                4,
                "tensor `b` starts at byte 0, inside another",
            ),
            (
                r#"{"a":{"dtype":"U8","shape":[4],"data_offsets":[4,0]}}"#,
                4,
                "tensor `a` ends at byte 0 before it starts at 4",
            ),
            (
                r#"{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,3]}}"#,
                3,
                "has 3 bytes, expected 4",
            ),
            (
                r#"{"a":{"dtype":"Q8","shape":[4],"data_offsets":[0,4]}}"#,
                4,
                "`Q8` is not a known dtype",
            ),
            (
                r#"{"a":{"dtype":"U8","shape":[-4],"data_offsets":[0,4]}}"#,
                4,
                "has no `shape` of whole numbers",
            ),
            (
                r#"{"a":{"dtype":"U8","shape":[4.0],"data_offsets":[0,4]}}"#,
                4,
                "has no `shape` of whole numbers",
            ),
            (
                r#"{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4,4]}}"#,
                4,
                "has 3 offsets, expected 2",
            ),
            (
                r#"{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4],"x":1}}"#,
                4,
                "has the unknown key `x`",
            ),
            (
                r#"{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}}"#,
                0,
                "has no size in bytes as F32",
            ),
            (
                r#"{"a":{"dtype":"F4","shape":[3],"data_offsets":[0,1]}}"#,
                1,
                "has no size in bytes as F4",
            ),
            (
                r#"{"__metadata__":{"a":1}}"#,
                0,
                "its metadata `a` is not a string",
            ),
            (r#"{"__metadata__":[]}"#, 0, "its metadata is not an object"),
        ];
        for (json, data_bytes, reason) in table {
            let error = parse(&file(json, data_bytes)).expect_err(json);
            assert!(error.to_string().contains(reason), "{json}: {error}");
            assert_eq!(error.class(), Class::Damage);
        }
    }

    #[test]
    fn a_length_that_lies_is_refused_before_anything_is_read() {
        for (bytes, reason) in [
            (&b""[..], "it has 0 bytes, expected at least 8"),
            (b"\x02\0\0\0\0\0\0", "it has 7 bytes, expected at least 8"),
            (
                b"\x03\0\0\0\0\0\0\0{}",
                "its header claims 3 bytes, the file has 10",
            ),
            (
                b"\x01\xe1\xf5\x05\0\0\0\0{}",
                "its header claims 100000001 bytes, expected at most 100000000",
            ),
            (
                b"\xff\xff\xff\xff\xff\xff\xff\xff{}",
                "expected at most 100000000",
            ),
        ] {
            assert!(parse(bytes).unwrap_err().to_string().contains(reason));
        }
        let huge = parse_header(b"\x09\0\0\0\0\0\0\0{}", 1 << 40).unwrap_err();
        assert!(huge.to_string().contains("claims 9 bytes, 2 were read"), "{huge}");
    }

    #[test]
    fn empty_tensors_may_lie_anywhere_between() {
        let json = r#"{"b":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"a":{"dtype":"F32","shape":[0],"data_offsets":[2,2]},"c":{"dtype":"U8","shape":[0,9],"data_offsets":[0,0]}}  "#;
        let names: Vec<String> = parse(&file(json, 2))
            .unwrap()
            .tensors
            .into_iter()
            .map(|tensor| tensor.name)
            .collect();
        assert_eq!(names, ["c", "b", "a"]);
    }

    #[test]
    fn the_header_alone_is_enough() {
        let whole = file(r#"{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}"#, 4);
        assert_eq!(
            parse_header(&whole[..whole.len() - 4], whole.len() as u64).unwrap(),
            parse(&whole).unwrap()
        );
    }
}
