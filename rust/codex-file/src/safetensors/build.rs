//! Tensors to a header.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Dtype, MAX_HEADER_BYTES, METADATA_KEY, TensorInfo};
use crate::error::{Error, Result};

/// The header for `tensors` (eight bytes of length, JSON, spaces up to a multiple of eight) and where each of them goes.
///
/// The order is the official library's: wide elements first, then by name, so that every tensor lies aligned. The caller
/// writes the header and then the tensors' bytes in the order of the returned list.
///
/// # Errors
/// [`Class::Usage`](crate::Class::Usage) for a name that stands twice or is reserved, a size that overflows or does not
/// end on a whole byte, or a header above 100 MB.
///
/// ```
/// use codex_file::safetensors::{Dtype, header, parse};
///
/// let tensors = [("b".to_owned(), Dtype::U8, vec![3]), ("a".to_owned(), Dtype::F32, vec![2])];
/// let (mut file, layout) = header(&tensors, &Default::default())?;
/// assert_eq!((layout[0].name.as_str(), layout[0].end), ("a", 8));
/// file.extend_from_slice(&[0; 8 + 3]);
/// assert_eq!(parse(&file)?.tensors, layout);
/// # Ok::<(), codex_file::Error>(())
/// ```
pub fn header(
    tensors: &[(String, Dtype, Vec<u64>)],
    metadata: &BTreeMap<String, String>,
) -> Result<(Vec<u8>, Vec<TensorInfo>)> {
    let mut order: Vec<_> = tensors.iter().collect();
    order.sort_by(|(left_name, left, _), (right_name, right, _)| {
        right.cmp(left).then_with(|| left_name.cmp(right_name))
    });

    let mut layout: Vec<TensorInfo> = Vec::with_capacity(order.len());
    let mut end = 0_u64;
    for (name, dtype, shape) in order {
        if name == METADATA_KEY {
            return Err(Error::usage(format!(
                "a tensor cannot be called `{METADATA_KEY}`"
            )));
        }
        let start = end;
        let bytes = dtype.bytes_of(shape).and_then(|bytes| start.checked_add(bytes));
        end = bytes.ok_or_else(|| {
            Error::usage(format!(
                "tensor `{name}` of shape {shape:?} cannot be stored as {dtype}"
            ))
        })?;
        layout.push(TensorInfo {
            name: name.clone(),
            dtype: *dtype,
            shape: shape.clone(),
            start,
            end,
        });
    }
    let mut names: Vec<_> = layout.iter().map(|tensor| &tensor.name).collect();
    names.sort_unstable();
    if let Some((name, _)) = names
        .iter()
        .zip(names.iter().skip(1))
        .find(|(left, right)| left == right)
    {
        return Err(Error::usage(format!("two tensors are called `{name}`")));
    }

    let json = json(&layout, metadata);
    let padded = json.len().next_multiple_of(8);
    if padded as u64 > MAX_HEADER_BYTES {
        return Err(Error::usage(format!(
            "the header would have {padded} bytes, expected at most {MAX_HEADER_BYTES}"
        )));
    }
    let mut bytes = Vec::with_capacity(8 + padded);
    bytes.extend_from_slice(&(padded as u64).to_le_bytes());
    bytes.extend_from_slice(json.as_bytes());
    bytes.resize(8 + padded, b' ');
    Ok((bytes, layout))
}

fn json(layout: &[TensorInfo], metadata: &BTreeMap<String, String>) -> String {
    let mut fields = Vec::with_capacity(layout.len() + 1);
    if !metadata.is_empty() {
        let notes: Vec<String> = metadata
            .iter()
            .map(|(key, note)| format!("{}:{}", quoted(key), quoted(note)))
            .collect();
        fields.push(format!("\"{METADATA_KEY}\":{{{}}}", notes.join(",")));
    }
    for TensorInfo {
        name,
        dtype,
        shape,
        start,
        end,
    } in layout
    {
        let shape: Vec<String> = shape.iter().map(u64::to_string).collect();
        fields.push(format!(
            "{}:{{\"dtype\":\"{dtype}\",\"shape\":[{}],\"data_offsets\":[{start},{end}]}}",
            quoted(name),
            shape.join(",")
        ));
    }
    format!("{{{}}}", fields.join(","))
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    fn tensor(name: &str, dtype: Dtype, shape: &[u64]) -> (String, Dtype, Vec<u64>) {
        (name.to_owned(), dtype, shape.to_vec())
    }

    #[test]
    fn what_is_built_parses_to_the_same_layout() {
        let tensors = [
            tensor("z", Dtype::I64, &[2]),
            tensor("flag", Dtype::Bool, &[7]),
            tensor("a", Dtype::I64, &[]),
            tensor("nothing", Dtype::F32, &[3, 0]),
            tensor("\"ü\"\n", Dtype::Bf16, &[1, 2, 3]),
            tensor("packed", Dtype::F4, &[4]),
        ];
        let notes = BTreeMap::from([
            ("format".to_owned(), "pt".to_owned()),
            ("é".to_owned(), "\\".to_owned()),
        ]);
        let (mut file, layout) = header(&tensors, &notes).unwrap();
        assert_eq!(file.len() % 8, 0);
        let names: Vec<&str> = layout.iter().map(|tensor| tensor.name.as_str()).collect();
        assert_eq!(names, ["a", "z", "nothing", "\"ü\"\n", "packed", "flag"]);
        let data_start = file.len();
        file.resize(
            data_start + usize::try_from(layout.last().unwrap().end).unwrap(),
            7,
        );
        let read = parse(&file).unwrap();
        assert_eq!(
            (read.tensors, read.metadata, read.data_start),
            (layout, notes, data_start)
        );
    }

    #[test]
    fn no_tensors_is_a_file_too() {
        let (file, layout) = header(&[], &BTreeMap::new()).unwrap();
        assert_eq!(file, b"\x08\0\0\0\0\0\0\0{}      ");
        assert!(layout.is_empty());
        assert!(parse(&file).unwrap().tensors.is_empty());
    }

    #[test]
    fn what_cannot_be_stored_is_refused() {
        for tensors in [
            vec![tensor("a", Dtype::U8, &[1]), tensor("a", Dtype::F32, &[1])],
            vec![tensor(METADATA_KEY, Dtype::U8, &[1])],
            vec![tensor("a", Dtype::F4, &[1])],
            vec![tensor("a", Dtype::F32, &[u64::MAX])],
            vec![tensor("a", Dtype::U8, &[u64::MAX / 8]); 1]
                .into_iter()
                .chain([tensor("b", Dtype::U8, &[u64::MAX])])
                .collect(),
        ] {
            assert!(header(&tensors, &BTreeMap::new()).is_err(), "{tensors:?}");
        }
        let long = BTreeMap::from([("note".to_owned(), "x".repeat(100_000_000))]);
        assert!(header(&[], &long).is_err());
    }
}
