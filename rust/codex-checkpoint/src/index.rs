//! The shards of a tensor file too large for one, and the index that says which tensor lies in which, as Hugging Face has it.

use std::collections::BTreeMap;

use codex_file::{Error, Result, json};
use serde_json::{Value, json};

use crate::manifest::Manifest;

const SUFFIX: &str = ".safetensors";

/// The digits of a number in the name of a shard.
const DIGITS: usize = 5;

/// The index of the tensor file `name`.
pub(crate) fn file_of(name: &str) -> String {
    format!("{name}.index.json")
}

/// The name that `file` has when it is not in shards: `model.safetensors` for `model-00001-of-00003.safetensors`.
pub(crate) fn base_of(file: &str) -> String {
    match parts_of(file) {
        Some((stem, _, _)) => format!("{stem}{SUFFIX}"),
        None => file.to_owned(),
    }
}

/// Stem, number and count, if `file` has the name of a shard.
fn parts_of(file: &str) -> Option<(&str, usize, usize)> {
    let (left, count) = file.strip_suffix(SUFFIX)?.rsplit_once("-of-")?;
    let (stem, number) = left.rsplit_once('-')?;
    let read = |digits: &str| {
        let is_number = digits.len() == DIGITS && digits.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| digits.parse().ok()).flatten()
    };
    Some((stem, read(number)?, read(count)?))
}

/// The shards of the tensor file `name` in their order; none if it has none.
pub(crate) fn shards<'a>(manifest: &'a Manifest, name: &str) -> Result<Vec<&'a str>> {
    let of_name = manifest
        .tensors
        .keys()
        .map(String::as_str)
        .filter(|file| *file != name && base_of(file) == name);
    let shards: Vec<&str> = of_name.collect(); // sorted, as the manifest's map is
    for (index, shard) in shards.iter().enumerate() {
        let found = parts_of(shard).map(|(_, number, count)| (number, count));
        if found != Some((index + 1, shards.len())) {
            return Err(Error::damage(format!(
                "lists `{shard}` as number {} of {} shards",
                index + 1,
                shards.len()
            )));
        }
    }
    Ok(shards)
}

/// Holds the index `text` against what the manifest says of `shards`.
pub(crate) fn check(manifest: &Manifest, shards: &[&str], text: &[u8]) -> Result<()> {
    let index = json::parse(text).map_err(|error| Error::damage(error.to_string()))?;
    let found = index.get("weight_map").and_then(Value::as_object);
    let found = found.ok_or_else(|| Error::damage("`weight_map` is not an object"))?;
    let mut expected = BTreeMap::new();
    for &shard in shards {
        for name in manifest.tensors[shard].tensors.keys() {
            if let Some(other) = expected.insert(name.as_str(), shard) {
                return Err(Error::damage(format!(
                    "tensor `{name}` lies in `{other}` and in `{shard}`"
                )));
            }
            if found.get(name) != Some(&json!(shard)) {
                let says = found.get(name).unwrap_or(&Value::Null);
                return Err(Error::damage(format!(
                    "`weight_map.{name}` is {says}, expected \"{shard}\""
                )));
            }
        }
    }
    match found.keys().find(|name| !expected.contains_key(name.as_str())) {
        Some(name) => Err(Error::damage(format!(
            "`weight_map.{name}` is a tensor that no shard holds"
        ))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_name_of_a_shard_has_a_base_of_its_own() {
        for (file, base) in [
            ("model-00001-of-00003.safetensors", "model.safetensors"),
            ("a-b-00010-of-00010.safetensors", "a-b.safetensors"),
            ("model-1-of-3.safetensors", "model-1-of-3.safetensors"),
            (
                "model-00001-of-+0003.safetensors",
                "model-00001-of-+0003.safetensors",
            ),
            ("model-00001-of-00003.bin", "model-00001-of-00003.bin"),
            ("model.safetensors", "model.safetensors"),
        ] {
            assert_eq!(base_of(file), base);
        }
    }
}
