//! A shard's file to where its arrays lie, checked.

use super::{DIGEST, KIND, Metadata, SCHEMA_VERSION, digest_of, token_dtype};
use crate::error::{Error, Result};
use codex_file::map::Mapped;
use codex_file::safetensors::{Dtype, TensorInfo, parse};
use std::path::Path;

/// Where the arrays of a shard lie in its file, in bytes from its start, and how long they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Tokens, the ends of documents included.
    pub tokens: usize,
    /// Bytes of one token: 2 or 4.
    pub token_bytes: usize,
    /// Documents.
    pub documents: usize,
    /// Start of `tokens`.
    pub tokens_start: usize,
    /// Start of `document_offsets`.
    pub offsets_start: usize,
    /// Start of `document_ids`.
    pub ids_start: usize,
    /// `kind`, `schema_version`, `split`, `tokenizer`, `vocabulary_size`, `end_of_document_id`, `digest`.
    pub metadata: Metadata,
}

impl Layout {
    /// Checks the file at `path`: that it is a shard, that its arrays fit together, and that every document ends where the
    /// offsets say. With `verify` every byte is read and held against the digest, too.
    ///
    /// # Errors
    /// If the file is missing or damaged; the message names it and the part.
    pub fn open(path: &Path, verify: bool) -> Result<Self> {
        Self::of(&Mapped::open(path)?, verify).map_err(|error| error.in_file(path))
    }

    /// The same of the bytes of a file.
    pub(super) fn of(bytes: &[u8], verify: bool) -> Result<Self> {
        let file = parse(bytes)?;
        check_kind(&file.metadata)?;
        let vocabulary_size = number(&file.metadata, "vocabulary_size")?;
        let end_of_document = number(&file.metadata, "end_of_document_id")?;
        let dtype = token_dtype(vocabulary_size);

        let [offsets, tokens, ids] = &file.tensors[..] else {
            return Err(Error::shard(format!(
                "{} tensors, expected 3",
                file.tensors.len()
            )));
        };
        let offset_count = rows(offsets, "document_offsets", Dtype::U64, &[])?;
        let layout = Self {
            tokens: rows(tokens, "tokens", dtype, &[])?,
            token_bytes: if dtype == Dtype::U16 { 2 } else { 4 },
            documents: rows(ids, "document_ids", Dtype::U8, &[16])?,
            tokens_start: file.data_start + index(tokens.start)?,
            offsets_start: file.data_start + index(offsets.start)?,
            ids_start: file.data_start + index(ids.start)?,
            metadata: file.metadata,
        };
        if offset_count != layout.documents + 1 {
            let wanted = layout.documents + 1;
            return Err(Error::shard(format!(
                "`document_offsets` has {offset_count} entries, expected {wanted}"
            )));
        }
        layout.check_documents(bytes, end_of_document)?;
        if verify {
            let stated = layout.metadata.get(DIGEST).map_or("nothing", String::as_str);
            let found = digest_of(&layout.metadata, &[&bytes[file.data_start..]]).to_string();
            if stated != found {
                return Err(Error::shard(format!(
                    "`digest` is {stated}, but the content has {found}"
                )));
            }
        }
        Ok(layout)
    }

    /// The offsets rise from 0 to the number of tokens, and the last token before each is the end-of-document id.
    fn check_documents(&self, bytes: &[u8], end_of_document: usize) -> Result<()> {
        let mut previous = 0;
        for (place, entry) in bytes[self.offsets_start..]
            .chunks_exact(8)
            .take(self.documents + 1)
            .enumerate()
        {
            let offset = index(little_endian(entry))?;
            let is_in_order = if place == 0 {
                offset == 0
            } else {
                previous < offset && offset <= self.tokens
            };
            if !is_in_order || (place == self.documents && offset != self.tokens) {
                return Err(Error::shard(format!(
                    "`document_offsets[{place}]` is {offset} after {previous}, with {} tokens",
                    self.tokens
                )));
            }
            if place > 0 {
                let end = self.tokens_start + offset * self.token_bytes;
                let last = little_endian(&bytes[end - self.token_bytes..end]);
                if last != end_of_document as u64 {
                    let place = place - 1;
                    return Err(Error::shard(format!(
                        "document {place} ends with id {last}, expected {end_of_document}"
                    )));
                }
            }
            previous = offset;
        }
        Ok(())
    }
}

fn check_kind(metadata: &Metadata) -> Result<()> {
    let kind = metadata.get("kind").map_or("nothing", String::as_str);
    if kind != KIND {
        return Err(Error::shard(format!("`kind` is {kind}, expected {KIND}")));
    }
    let version = number(metadata, "schema_version")? as u64;
    if version != SCHEMA_VERSION {
        return Err(Error::shard(format!(
            "`schema_version` is {version}, this codex reads {SCHEMA_VERSION}"
        )));
    }
    Ok(())
}

fn number(metadata: &Metadata, key: &str) -> Result<usize> {
    let value = metadata.get(key).map_or("nothing", String::as_str);
    value
        .parse()
        .map_err(|_| Error::shard(format!("`{key}` is {value}, expected a number")))
}

/// The length of `tensor`, which must have this name, type and shape after its first axis.
fn rows(tensor: &TensorInfo, name: &str, dtype: Dtype, tail: &[u64]) -> Result<usize> {
    match tensor.shape.split_first() {
        Some((&rows, rest)) if tensor.name == name && tensor.dtype == dtype && rest == tail => index(rows),
        _ => Err(Error::shard(format!(
            "tensor `{}` is {} of shape {:?}, expected `{name}`, {dtype}, of {} axes",
            tensor.name,
            tensor.dtype,
            tensor.shape,
            tail.len() + 1
        ))),
    }
}

fn index(number: u64) -> Result<usize> {
    usize::try_from(number)
        .map_err(|_| Error::shard(format!("{number} is more than this machine can address")))
}

/// The number that up to eight bytes hold.
fn little_endian(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .rev()
        .fold(0, |number, &byte| number << 8 | u64::from(byte))
}
