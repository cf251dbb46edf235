//! From counted words to a tokenizer, some merges at a time.

use rustc_hash::FxHashSet;
use serde_json::{Map, Value, json};

use super::learn::{Cell, Cells, Disk, Learner, Limits, push_ids};
use super::options::TrainOptions;
use super::spill::Spill;
use super::symbols::Symbols;
use super::words::Words;
use crate::alphabet;
use crate::error::{Error, Result};
use crate::merge::Pair;
use crate::tokenizer::Tokenizer;

/// Bytes of memory that a cell in a row takes beside itself, for places of pairs.
const BYTES_OF_PLACES: usize = 8;

/// A vocabulary on its way. [`Training::advance`] makes merges, [`Training::finish`] a tokenizer of those made so far.
#[derive(Debug)]
pub struct Training {
    learner: Row,
    options: TrainOptions,
    pre_tokenizer: Value,
    /// Each token as `tokenizer.json` spells it, by id.
    tokens: Vec<String>,
    /// The same, to be looked up.
    names: FxHashSet<String>,
    merges: Vec<Pair>,
    distinct_words: u64,
    spill: Option<Spill>,
    done: bool,
}

/// Rows of narrow cells for vocabularies that have few ids, of wide cells for others.
#[derive(Debug)]
enum Row {
    Narrow(Learner<u16>),
    Wide(Learner<u32>),
}

impl Row {
    fn merge_next(&mut self) -> Result<Option<Pair>> {
        match self {
            Self::Narrow(learner) => learner.merge_next(),
            Self::Wide(learner) => learner.merge_next(),
        }
    }
}

impl Training {
    /// Starts to learn from `words`; with `spill`, in at most so many bytes of memory.
    pub(super) fn new(
        words: &Words,
        spill: Option<(Spill, u64)>,
        options: TrainOptions,
        pre_tokenizer: Value,
    ) -> Result<Self> {
        options.check()?;
        let first_byte_id = u32::try_from(options.special_tokens.len()).unwrap_or(u32::MAX);
        let symbols = Symbols::of(words, &options, first_byte_id)?;
        let mut tokens = options.special_tokens.clone();
        let suffix = options.end_of_word_suffix.as_deref().unwrap_or_default();
        for &(byte, is_last) in &symbols.listed {
            let mut token = alphabet::char_of(byte).to_string();
            if is_last {
                token.push_str(suffix);
            }
            tokens.push(token);
        }
        let names: FxHashSet<String> = tokens.iter().cloned().collect();
        if let Some(twice) = tokens[first_byte_id as usize..]
            .iter()
            .find(|&token| options.special_tokens.contains(token))
        {
            return Err(Error::spelt_special(twice.clone()));
        }
        if tokens.len() > options.vocab_size {
            return Err(Error::vocabulary_size(options.vocab_size, tokens.len()));
        }
        let limits = Limits {
            min_frequency: options.min_frequency.max(1),
            max_token_length: options
                .max_token_length
                .map_or(u32::MAX, |length| u32::try_from(length).unwrap_or(u32::MAX)),
        };
        let (first_ids, ids) = (tokens.len(), options.vocab_size);
        let disk = spill.as_ref().map(|(spill, _)| spill.clone());
        let learner = if ids <= u16::IDS {
            Row::Narrow(learner(words, spill, &symbols, (first_ids, ids), limits)?)
        } else {
            Row::Wide(learner(words, spill, &symbols, (first_ids, ids), limits)?)
        };
        Ok(Self {
            learner,
            options,
            pre_tokenizer,
            tokens,
            names,
            merges: Vec::new(),
            distinct_words: words.distinct(),
            spill: disk,
            done: false,
        })
    }

    /// Makes up to `merges` merges; false when the vocabulary is full or no pair is left.
    ///
    /// # Errors
    /// If a merge spells a special token, or the disk refuses.
    pub fn advance(&mut self, merges: usize) -> Result<bool> {
        for _ in 0..merges {
            if self.done || self.tokens.len() >= self.options.vocab_size {
                return Ok(false);
            }
            let Some(pair) = self.learner.merge_next()? else {
                self.done = true;
                return Ok(false);
            };
            let name = [&*self.tokens[pair.0 as usize], &self.tokens[pair.1 as usize]].concat();
            if !self.names.insert(name.clone()) {
                return Err(if self.options.special_tokens.contains(&name) {
                    Error::spelt_special(name)
                } else {
                    Error::usage(format!(
                        "token `{name}` is spelt in two ways: the text holds the suffix itself, choose another"
                    ))
                });
            }
            self.tokens.push(name);
            self.merges.push(pair);
        }
        Ok(true)
    }

    /// Ids so far.
    #[must_use]
    pub fn vocabulary_size(&self) -> usize {
        self.tokens.len()
    }

    /// Distinct words of the texts.
    #[must_use]
    pub fn distinct_words(&self) -> u64 {
        self.distinct_words
    }

    /// Bytes that went to disk so far.
    #[must_use]
    pub fn spilled_bytes(&self) -> u64 {
        self.spill.as_ref().map_or(0, Spill::bytes)
    }

    /// The tokenizer, after all merges that are left.
    ///
    /// # Errors
    /// As [`Training::advance`].
    pub fn finish(self) -> Result<Tokenizer> {
        Tokenizer::from_json(&self.into_json()?)
    }

    /// The `tokenizer.json`, after all merges that are left.
    ///
    /// # Errors
    /// As [`Training::advance`].
    pub fn into_json(mut self) -> Result<Vec<u8>> {
        while self.advance(usize::MAX)? {}
        let mut json = serde_json::to_vec_pretty(&self.value())
            .map_err(|error| Error::usage(format!("cannot be written as JSON: {error}")))?;
        json.push(b'\n');
        Ok(json)
    }

    fn value(&self) -> Value {
        let added: Vec<Value> = self
            .options
            .special_tokens
            .iter()
            .enumerate()
            .map(|(id, content)| {
                json!({
                    "id": id, "content": content, "single_word": false, "lstrip": false, "rstrip": false,
                    "normalized": false, "special": true,
                })
            })
            .collect();
        let spelt = |id: u32| self.tokens[id as usize].as_str();
        let merges: Vec<Value> = self
            .merges
            .iter()
            .map(|&(left, right)| json!([spelt(left), spelt(right)]))
            .collect();
        let vocabulary: Map<String, Value> = self
            .tokens
            .iter()
            .cloned()
            .zip((0_u32..).map(Value::from))
            .collect();
        let bytes =
            json!({"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true});
        let decoder = match &self.options.end_of_word_suffix {
            None => bytes,
            Some(suffix) => {
                let marks = json!({"type": "Replace", "pattern": {"String": suffix}, "content": ""});
                json!({"type": "Sequence", "decoders": [marks, bytes]})
            }
        };
        json!({
            "version": "1.0",
            "truncation": null,
            "padding": null,
            "added_tokens": added,
            "normalizer": null,
            "pre_tokenizer": self.pre_tokenizer,
            "post_processor": null,
            "decoder": decoder,
            "model": {
                "type": "BPE",
                "dropout": null,
                "unk_token": null,
                "continuing_subword_prefix": null,
                "end_of_word_suffix": self.options.end_of_word_suffix,
                "fuse_unk": false,
                "byte_fallback": false,
                "ignore_merges": false,
                "vocab": vocabulary,
                "merges": merges,
            },
        })
    }
}

/// The row of `words`, in memory if it fits.
fn learner<C: Cell>(
    words: &Words,
    spill: Option<(Spill, u64)>,
    symbols: &Symbols,
    (first_ids, ids): (usize, usize),
    limits: Limits,
) -> Result<Learner<C>> {
    let mut scratch = Vec::new();
    let mut room = 1;
    words.for_each(|word, _| {
        symbols.write(word, &mut scratch, |symbols| room += stretch(symbols));
        Ok(())
    })?;
    if let Some((spill, memory_bytes)) = spill
        && (room * (size_of::<C>() + BYTES_OF_PLACES)) as u64 > memory_bytes
    {
        let mut writer = spill.run()?;
        let mut record = Vec::new();
        words.for_each(|word, count| {
            let mut written = Ok(());
            symbols.write(word, &mut scratch, |symbols| {
                if stretch(symbols) > 0 && written.is_ok() {
                    record.clear();
                    push_ids(&mut record, symbols);
                    written = writer.push(count, &record);
                }
            });
            written
        })?;
        let disk = Disk::new(writer.finish()?, spill, memory_bytes);
        return Ok(Learner::new(
            Cells::with_capacity(1),
            Some(disk),
            first_ids,
            ids,
            limits,
        ));
    }
    if u32::try_from(room).is_err() {
        return Err(Error::usage(format!(
            "the distinct words are {room} symbols together, expected below 2^32: set a `memory_limit`"
        )));
    }
    let mut cells = Cells::with_capacity(room);
    words.for_each(|word, count| {
        symbols.write(word, &mut scratch, |symbols| {
            if stretch(symbols) > 0 {
                cells.push_word(symbols.iter().copied(), count);
            }
        });
        Ok(())
    })?;
    cells.close();
    Ok(Learner::new(cells, None, first_ids, ids, limits))
}

/// Cells that a stretch of symbols takes with its edge; none if there is nothing to merge in it.
fn stretch(symbols: &[u32]) -> usize {
    if symbols.len() < 2 { 0 } else { symbols.len() + 1 }
}
