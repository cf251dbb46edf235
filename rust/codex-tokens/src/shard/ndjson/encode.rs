//! A block of NDJSON to tokens: each text is unescaped into one buffer and encoded while it is warm.

use crate::encode::Worker;
use crate::error::Result;
use crate::tokenizer::{Specials, Tokenizer};
use codex_records::{Block, Fault, Id};

/// A buffer that one long document has made larger than this is given back.
const KEPT_BYTES: usize = 4 << 20;
const KEPT_IDS: usize = 2 << 20;

/// The room for ids is a multiple of these.
const ROOM_IDS: usize = 1 << 20;

/// A block and what came out of it. It is made once and used again and again.
#[derive(Default)]
pub(super) struct Encoded {
    pub(super) block: Block,
    /// The number of the file it is from.
    pub(super) source: usize,
    /// Its lines.
    pub(super) lines: u64,
    /// The ids of all documents, their ends among them.
    pub(super) ids: Vec<u32>,
    pub(super) documents: Vec<Document>,
    pub(super) bad: Vec<Bad>,
}

/// A document of a block.
pub(super) struct Document {
    /// The number of its line in the block, from 0, and where that begins in the plain file.
    pub(super) line: u64,
    pub(super) start: u64,
    /// Zeros until it is made.
    pub(super) id: [u8; 16],
    /// Whether the line had no id.
    pub(super) is_id_made: bool,
    pub(super) text_bytes: u64,
    /// The end of the document counted.
    pub(super) tokens: usize,
}

/// A line of a block that is no document.
pub(super) struct Bad {
    /// Its number in the block, from 0.
    pub(super) line: u64,
    pub(super) bytes: u64,
    /// The byte that is wrong, in the plain file.
    pub(super) byte: u64,
    pub(super) reason: String,
}

/// Texts whose ids are made together.
const TOGETHER: usize = 4;

/// What encodes blocks on one thread.
pub(super) struct Encoder {
    worker: Worker,
    /// The text at hand, behind those that have no id yet.
    texts: [String; TOGETHER],
    /// The documents that these are.
    nameless: Vec<usize>,
}

impl Encoder {
    pub(super) fn new(worker: Worker) -> Self {
        Self {
            worker,
            texts: Default::default(),
            nameless: Vec::with_capacity(TOGETHER),
        }
    }

    /// Encodes every line of `encoded.block`.
    pub(super) fn encode(
        &mut self,
        tokenizer: &Tokenizer,
        end_of_document: u32,
        text_key: &str,
        encoded: &mut Encoded,
    ) -> Result<()> {
        let Encoded {
            block,
            lines,
            ids,
            documents,
            bad,
            ..
        } = encoded;
        *lines = 0;
        if ids.capacity() > KEPT_IDS {
            *ids = Vec::new();
        }
        ids.clear();
        // An id for each byte at most but for the ends. What never grows is never copied, so there is room for longer blocks, too.
        ids.reserve_exact(block.bytes().len().next_multiple_of(ROOM_IDS));
        documents.clear();
        bad.clear();
        self.nameless.clear();
        for line in block.lines() {
            let number = *lines;
            *lines += 1;
            if line.is_blank() {
                continue;
            }
            let text = &mut self.texts[self.nameless.len()];
            let id = match line.read_document(text_key, text) {
                Ok(id) => id,
                Err(Fault { at, reason }) => {
                    bad.push(Bad {
                        line: number,
                        bytes: line.end - line.start,
                        byte: line.start + at as u64,
                        reason,
                    });
                    continue;
                }
            };
            let start = ids.len();
            tokenizer.encode_with(&mut self.worker, text, Specials::Text, ids)?;
            ids.push(end_of_document);
            if id.is_none() {
                self.nameless.push(documents.len());
            }
            documents.push(Document {
                line: number,
                start: line.start,
                id: id.map_or([0; 16], |id| *id.as_bytes()),
                is_id_made: id.is_none(),
                text_bytes: text.len() as u64,
                tokens: ids.len() - start,
            });
            if self.nameless.len() == TOGETHER {
                self.name(documents);
            }
        }
        self.name(documents);
        Ok(())
    }

    /// Makes the ids that are missing.
    fn name(&mut self, documents: &mut [Document]) {
        let texts: Vec<&str> = self.texts.iter().map(String::as_str).collect();
        let ids = Id::of_each(&texts[..self.nameless.len()]);
        for (document, id) in self.nameless.drain(..).zip(ids) {
            documents[document].id = *id.as_bytes();
        }
        for text in &mut self.texts {
            if text.capacity() > KEPT_BYTES {
                *text = String::new();
            }
        }
    }
}
