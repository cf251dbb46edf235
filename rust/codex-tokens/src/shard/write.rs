//! Documents from memory to shards.

use super::series::{Series, Shard};
use crate::error::{Error, Result};
use crate::tokenizer::{Specials, Tokenizer};
use codex_records::Id;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;

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
    series: Series,
    tokenizer: Arc<Tokenizer>,
    shard: Shard,
    written: Written,
}

impl ShardWriter {
    /// Starts writing into `folder`; `shard_tokens` is what fills 32 MiB if it is `None`.
    ///
    /// # Errors
    /// If `split` cannot be part of a file name, `shard_tokens` is 0, or the tokenizer has no token to end documents.
    pub fn new(
        folder: PathBuf,
        split: &str,
        tokenizer: Arc<Tokenizer>,
        shard_tokens: Option<usize>,
    ) -> Result<Self> {
        Ok(Self {
            series: Series::new(folder, split, &tokenizer, None, shard_tokens)?,
            tokenizer,
            shard: Shard::default(),
            written: Written::default(),
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
            let document_id = parse_document_id(document_id.as_ref())?;
            let row = [&ids[bounds[0]..bounds[1]], &[self.series.end_of_document]].concat();
            if !self.series.takes(&self.shard, row.len()) {
                self.write_shard()?;
            }
            self.series.push(&mut self.shard, document_id, &row);
        }
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
        let (tokens, documents) = (self.shard.token_count as u64, self.shard.documents as u64);
        let number = self.written.names.len();
        let entry = self.series.write(number, &mut self.shard)?;
        self.written.names.push(entry.path);
        self.written.tokens += tokens;
        self.written.documents += documents;
        Ok(())
    }
}

/// The 16 bytes that 32 lower-case hex digits spell.
fn parse_document_id(hex: &str) -> Result<[u8; 16]> {
    let id = Id::from_hex(hex.as_bytes()).ok_or_else(|| {
        Error::document(format!(
            "document id `{}` is not 32 lower-case hex digits",
            hex.escape_debug()
        ))
    })?;
    Ok(*id.as_bytes())
}
