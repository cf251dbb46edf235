//! One tensor file, or several of a size that file systems and hubs take, with an index: the names are Hugging Face's.

use std::collections::BTreeMap;

use codex_file::{Error, Result};
use serde_json::json;

use crate::write::{Laid, Tensor, TensorFile};

const EXTENSION: &str = ".safetensors";

/// A tensor file as it goes onto the disk.
pub(crate) struct Shards<'a> {
    /// What the file is for, whatever its shards are called: `model`.
    pub(crate) stem: &'a str,
    pub(crate) files: Vec<Laid<'a>>,
    /// Name and bytes of the index, if there is more than one file.
    pub(crate) index: Option<(String, Vec<u8>)>,
}

impl<'a> Shards<'a> {
    /// Lays `file` out in one piece if its tensors have at most `shard_bytes`, in shards of at most that otherwise. A tensor
    /// is never cut: one above the limit is a shard of its own.
    pub(crate) fn new<D: AsRef<[u8]>>(file: &'a TensorFile<D>, shard_bytes: u64) -> Result<Self> {
        let stem = file.path.strip_suffix(EXTENSION).unwrap_or(&file.path);
        let groups = divide(&file.tensors, shard_bytes);
        let count = groups.len();
        let name = |number: usize| match count {
            1 => file.path.clone(),
            _ => format!("{stem}-{:05}-of-{count:05}{EXTENSION}", number + 1),
        };
        let shard_of: BTreeMap<&str, usize> = groups
            .iter()
            .enumerate()
            .flat_map(|(number, group)| group.iter().map(move |tensor| (tensor.name.as_str(), number)))
            .collect();
        if shard_of.len() != file.tensors.len() {
            return Err(Error::usage(format!(
                "two tensors of {} have one name",
                file.path
            )));
        }
        let mut tied = vec![BTreeMap::new(); count];
        for (alias, stored) in &file.tied {
            match shard_of.get(stored.as_str()) {
                Some(&number) if !shard_of.contains_key(alias.as_str()) => {
                    tied[number].insert(alias.clone(), stored.clone());
                }
                _ => {
                    return Err(Error::usage(format!(
                        "`{alias}` is tied to `{stored}`, expected an alias of a stored tensor ({})",
                        file.path
                    )));
                }
            }
        }
        let index = (count > 1).then(|| {
            let bytes: u64 = file.tensors.iter().map(Tensor::bytes).sum();
            let places: BTreeMap<&str, String> = shard_of
                .iter()
                .map(|(&tensor, &number)| (tensor, name(number)))
                .collect();
            let index = json!({"metadata": {"total_size": bytes}, "weight_map": places});
            (
                format!("{}.index.json", file.path),
                format!("{index:#}\n").into_bytes(),
            )
        });
        let files = groups
            .iter()
            .zip(tied)
            .enumerate()
            .map(|(number, (group, tied))| Laid::new(name(number), group, tied, &file.metadata))
            .collect::<Result<_>>()?;
        Ok(Self { stem, files, index })
    }
}

/// Fills one shard after the other, in the order given; there is always at least one.
fn divide<D: AsRef<[u8]>>(tensors: &[Tensor<D>], shard_bytes: u64) -> Vec<Vec<&Tensor<D>>> {
    let mut groups = vec![];
    let mut group = vec![];
    let mut filled = 0;
    for tensor in tensors {
        if filled > 0 && filled + tensor.bytes() > shard_bytes {
            groups.push(std::mem::take(&mut group));
            filled = 0;
        }
        filled += tensor.bytes();
        group.push(tensor);
    }
    groups.push(group);
    groups
}
