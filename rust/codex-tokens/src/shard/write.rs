//! Documents to shards.

use super::{DIGEST, KIND, Metadata, SCHEMA_VERSION, digest_of, token_dtype};
use crate::error::{Error, Result};
use crate::tokenizer::{END_OF_DOCUMENT, Specials, Tokenizer};
use codex_file::durable::AtomicFile;
use codex_file::safetensors::{Dtype, header};
use std::io::Write;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;

/// Tokens of a full shard unless asked otherwise: 32 MiB as u16.
pub const DEFAULT_SHARD_TOKENS: usize = 1 << 24;

/// Documents of a full shard, so that a million empty ones do not grow it without bound.
const MAXIMUM_DOCUMENTS: usize = 1 << 20;

/// What has been written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// The files, in order.
    pub names: Vec<String>,
    /// Ids in all of them, the ends of documents included.
    pub tokens: u64,
    /// Documents in all of them.
    pub documents: u64,
}

/// Encodes documents into `<split>-<number>.safetensors`, one shard in memory at a time: 2 or 4 bytes a token.
///
/// A document is never cut. A shard ends before the document that would take it above its number of tokens, so only a
/// document that is longer by itself makes a longer shard, of its own. The files are a function of the documents, their
/// order, the tokenizer and the number.
#[derive(Debug)]
pub struct ShardWriter {
    folder: PathBuf,
    split: String,
    tokenizer: Arc<Tokenizer>,
    end_of_document: u32,
    shard_tokens: usize,
    shard: Shard,
    written: Written,
}

/// The shard being filled.
#[derive(Debug, Default)]
struct Shard {
    tokens: Vec<u8>,
    token_count: usize,
    offsets: Vec<u8>,
    document_ids: Vec<u8>,
    documents: usize,
}

impl ShardWriter {
    /// Starts writing into `folder`.
    ///
    /// # Errors
    /// If `split` cannot be part of a file name, `shard_tokens` is 0, or the tokenizer has no [`END_OF_DOCUMENT`].
    pub fn new(folder: PathBuf, split: &str, tokenizer: Arc<Tokenizer>, shard_tokens: usize) -> Result<Self> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if split.is_empty() || !split.bytes().all(is_plain) {
            return Err(Error::usage(format!(
                "split `{}` is not a name of letters, digits and `_`",
                split.escape_debug()
            )));
        }
        if shard_tokens == 0 {
            return Err(Error::usage("`shard_tokens` is 0, expected at least 1"));
        }
        let end_of_document = tokenizer.end_of_document_id();
        let end_of_document = end_of_document.ok_or_else(|| {
            Error::usage(format!(
                "the tokenizer has no special token `{END_OF_DOCUMENT}` to end documents"
            ))
        })?;
        let (split, shard) = (split.to_owned(), Shard::default());
        let written = Written::default();
        Ok(Self {
            folder,
            split,
            tokenizer,
            end_of_document,
            shard_tokens,
            shard,
            written,
        })
    }

    /// Adds documents, each as its id and its text, encoded by as many threads as [`Tokenizer::encode_batch`] is given.
    /// Where one spells a special token it is encoded as the text it is, so that the end-of-document id stands at the end
    /// of documents and nowhere else.
    ///
    /// # Errors
    /// If an id is not 32 hex digits, or a full shard cannot be written.
    pub fn add<T: AsRef<str> + Sync>(
        &mut self,
        documents: &[(T, T)],
        threads: Option<NonZeroUsize>,
    ) -> Result<()> {
        let texts: Vec<&str> = documents.iter().map(|(_, text)| text.as_ref()).collect();
        let (ids, offsets) = self.tokenizer.encode_batch(&texts, Specials::Text, threads)?;
        for ((document_id, _), bounds) in documents.iter().zip(offsets.windows(2)) {
            let row = &ids[bounds[0]..bounds[1]];
            self.push(parse_document_id(document_id.as_ref())?, row)?;
        }
        Ok(())
    }

    fn push(&mut self, document_id: [u8; 16], ids: &[u32]) -> Result<()> {
        let tokens = ids.len() + 1;
        let is_full =
            self.shard.token_count + tokens > self.shard_tokens || self.shard.documents == MAXIMUM_DOCUMENTS;
        if is_full && self.shard.documents > 0 {
            self.write_shard()?;
        }
        let narrow = token_dtype(self.tokenizer.vocabulary_size()) == Dtype::U16;
        self.shard.push(document_id, ids, self.end_of_document, narrow);
        Ok(())
    }

    /// Writes the last shard and says what there is now. Without documents there are no shards.
    ///
    /// # Errors
    /// If the shard cannot be written.
    pub fn finish(mut self) -> Result<Written> {
        if self.shard.documents > 0 {
            self.write_shard()?;
        }
        Ok(self.written)
    }

    fn write_shard(&mut self) -> Result<()> {
        let mut shard = std::mem::take(&mut self.shard);
        shard
            .offsets
            .extend_from_slice(&(shard.token_count as u64).to_le_bytes());
        let (tokens, documents) = (shard.token_count as u64, shard.documents as u64);

        let data = [shard.offsets.as_slice(), &shard.tokens, &shard.document_ids];
        let mut metadata = self.metadata()?;
        metadata.insert(DIGEST.to_owned(), digest_of(&metadata, &data).to_string());
        let tensors = [
            ("document_offsets".to_owned(), Dtype::U64, vec![documents + 1]),
            (
                "tokens".to_owned(),
                token_dtype(self.tokenizer.vocabulary_size()),
                vec![tokens],
            ),
            ("document_ids".to_owned(), Dtype::U8, vec![documents, 16]),
        ];
        let (header, _) = header(&tensors, &metadata)?;

        let name = format!("{}-{:05}.safetensors", self.split, self.written.names.len());
        let path = self.folder.join(&name);
        let mut file = AtomicFile::create(&path)?;
        for part in [&[header.as_slice()], &data[..]].concat() {
            file.write_all(part)
                .map_err(|error| codex_file::Error::io("write", &path, error))?;
        }
        file.commit()?;
        self.written.names.push(name);
        self.written.tokens += tokens;
        self.written.documents += documents;
        Ok(())
    }

    fn metadata(&self) -> Result<Metadata> {
        let entries = [
            ("kind", KIND.to_owned()),
            ("schema_version", SCHEMA_VERSION.to_string()),
            ("split", self.split.clone()),
            ("tokenizer", self.tokenizer.fingerprint()?.to_owned()),
            ("vocabulary_size", self.tokenizer.vocabulary_size().to_string()),
            ("end_of_document_id", self.end_of_document.to_string()),
        ];
        Ok(entries
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value))
            .collect())
    }
}

impl Shard {
    fn push(&mut self, document_id: [u8; 16], ids: &[u32], end: u32, narrow: bool) {
        self.offsets
            .extend_from_slice(&(self.token_count as u64).to_le_bytes());
        self.document_ids.extend_from_slice(&document_id);
        self.token_count += ids.len() + 1;
        let ids = ids.iter().chain([&end]).map(|id| id.to_le_bytes());
        if narrow {
            self.tokens.extend(ids.flat_map(|[low, high, ..]| [low, high]));
        } else {
            self.tokens.extend(ids.flatten());
        }
        self.documents += 1;
    }
}

/// The 16 bytes that 32 lower-case hex digits spell.
fn parse_document_id(hex: &str) -> Result<[u8; 16]> {
    let fault = || {
        Error::document(format!(
            "document id `{}` is not 32 lower-case hex digits",
            hex.escape_debug()
        ))
    };
    if hex.len() != 32
        || !hex
            .bytes()
            .all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
    {
        return Err(fault());
    }
    let number = u128::from_str_radix(hex, 16).map_err(|_| fault())?;
    Ok(number.to_be_bytes())
}
