//! What a tokenizer is made of, and what follows from that.

use crate::added::{AddedToken, Round};
use crate::characters::Characters;
use crate::error::{Error, Result};
use crate::merge::{Merges, Pair};
use crate::model::Model;
use crate::normalize::Text;
use crate::settings::{self, Settings, Spelt, Symbols};
use crate::split::{MARK, Splitter};
use crate::template::Around;
use crate::vocabulary::{Kind, Vocabulary};
use std::borrow::Cow;

/// All that a tokenizer is made of.
#[derive(Clone, Debug, Default)]
pub(crate) struct Parts {
    pub(crate) vocabulary: Vocabulary,
    /// In the order of learning, which is the order they are applied in.
    pub(crate) merges: Vec<(Pair, u32)>,
    pub(crate) added: Vec<AddedToken>,
    pub(crate) settings: Settings,
}

impl Parts {
    /// What cuts text into words. Where nothing is cut it may still be safe to cut at the marks.
    pub(crate) fn splitter(&self, model: &Model) -> Result<Splitter> {
        let settings = &self.settings;
        match (&settings.metaspace, &settings.steps[..]) {
            (Some(metaspace), []) if metaspace.split && metaspace.replacement == MARK => Ok(Splitter::Marks),
            (Some(metaspace), _) if metaspace.split => Splitter::of(&settings.cuts()),
            (_, []) if model.cuts_at_marks() => Ok(Splitter::RunsOfMarks),
            (_, steps) => Splitter::of(steps),
        }
    }

    /// What makes ids of words, with the tables of the merges if they are at hand.
    ///
    /// # Errors
    /// If the vocabulary lacks a byte, or there are too many merges.
    pub(crate) fn model(&self, ready: Option<Merges>) -> Result<Model> {
        let (tokens, ignore_merges) = (self.spelt(), self.settings.ignore_merges);
        let Some(characters) = self.characters() else {
            let byte_ids = self.byte_ids()?;
            return match ready {
                Some(ready) => Ok(Model::of_merges(ready, None, tokens, ignore_merges)),
                None => Model::byte_level(&self.merges, &byte_ids, tokens, ignore_merges),
            };
        };
        // Words are bytes, and tokens spell them.
        let unspelt: Vec<(Cow<'_, [u8]>, u32)> = tokens
            .filter(|_| ignore_merges)
            .filter_map(|(word, id)| Some((characters.unspelt(word)?, id)))
            .collect();
        let tokens = unspelt.iter().map(|(word, id)| (&**word, *id));
        match ready {
            Some(ready) => Ok(Model::of_merges(ready, Some(characters), tokens, ignore_merges)),
            None => Model::sentencepiece(&self.merges, characters, tokens, ignore_merges),
        }
    }

    /// The ordinary tokens as words spell them, and their ids.
    fn spelt(&self) -> impl Iterator<Item = (&[u8], u32)> + Clone {
        let Vocabulary {
            bytes,
            kinds,
            spellings,
        } = &self.vocabulary;
        let entries = (0..).zip(spellings.as_ref().unwrap_or(bytes).iter()).zip(kinds);
        entries.filter_map(|((id, spelling), &kind)| (kind == Kind::Ordinary).then_some((spelling, id)))
    }

    fn byte_ids(&self) -> Result<[u32; 256]> {
        let mut ids = [None; 256];
        for (bytes, id) in self.spelt() {
            if let [byte] = *bytes {
                ids[usize::from(byte)] = Some(id);
            }
        }
        match ids.iter().position(Option::is_none) {
            Some(missing) => Err(Error::missing_byte(missing)),
            None => Ok(ids.map(Option::unwrap_or_default)),
        }
    }

    /// The characters of a vocabulary that is not plainly of bytes.
    fn characters(&self) -> Option<Characters> {
        let Symbols::Characters(Spelt {
            unknown,
            fuses_unknown,
            falls_back_to_bytes,
            is_of_bytes,
            affixes,
        }) = &self.settings.symbols
        else {
            return None;
        };
        let mut characters = Characters {
            fuses_unknown: *fuses_unknown,
            bytes: falls_back_to_bytes.then(|| Box::new([None; 256])),
            spell_bytes: *is_of_bytes,
            affixes: affixes.clone(),
            ..Characters::default()
        };
        for (spelling, id) in self.spelt() {
            let Ok(spelling) = std::str::from_utf8(spelling) else {
                continue;
            };
            characters.insert(spelling, id);
            if unknown.as_deref() == Some(spelling) {
                characters.unknown = Some(id);
            }
            // `tokenizers` asks for a byte in capital digits.
            if let (Some(bytes), Some(byte)) = (&mut characters.bytes, settings::byte_of(spelling))
                && settings::byte_spelling(byte) == spelling
            {
                bytes[usize::from(byte)] = Some(id);
            }
        }
        Some(characters)
    }

    /// The added tokens that are looked for in the text as it stands, and those looked for in the normalized text.
    ///
    /// # Errors
    /// If the normalizer leaves nothing of one.
    pub(crate) fn rounds(&self) -> Result<[Round; 2]> {
        let (mut raw, mut normalized) = (Vec::new(), Vec::new());
        for token in &self.added {
            if !token.normalized {
                raw.push((token, token.content.clone()));
                continue;
            }
            let text = Text::plain(&token.content, 0);
            let text = text
                .normalized(&self.settings.normalizers, self.settings.unicode)
                .text;
            if text.is_empty() {
                let message = format!("has `{}`, of which the normalizer leaves nothing", token.content);
                return Err(Error::tokenizer("added_tokens", message));
            }
            normalized.push((token, text.into_owned()));
        }
        Ok([raw, normalized].map(Round::new))
    }

    /// What the post-processors put around a text.
    ///
    /// # Errors
    /// If an id of theirs is not of the vocabulary.
    pub(crate) fn around(&self) -> Result<Around> {
        let around = Around::of(&self.settings.processors);
        let end = self.vocabulary.len();
        let mut ids = around.before.iter().chain(&around.behind);
        match ids.find(|&&id| id as usize >= end) {
            None => Ok(around),
            Some(id) => {
                let message = format!("has the id {id}, expected below {end}");
                Err(Error::tokenizer("post_processor", message))
            }
        }
    }
}
