//! `model.vocab`

use super::read::wrong;
use super::scan::Scanner;
use crate::added::AddedToken;
use crate::alphabet;
use crate::error::{Error, Result};
use crate::merge::Pair;
use crate::settings::{Settings, Symbols};
use crate::vocabulary::{Index, Kind, Strings, Vocabulary};

/// Ids end here: a table of merges holds no larger ones.
const MAXIMUM_IDS: u32 = 1 << 21;

/// The entries as they stand in the file.
pub(super) struct Entries {
    pub(super) spellings: Strings,
    pub(super) ids: Vec<u32>,
    index: Index,
    /// One above the largest id.
    end: u32,
}

impl Entries {
    /// The id of what is spelt so, which is probably that of the entry at `guess`, or the one after it. Where it is.
    #[inline]
    pub(super) fn find_near(&self, guess: usize, spelling: &str) -> Option<usize> {
        let is_at = |&place: &usize| self.spellings.get(place) == Some(spelling.as_bytes());
        let near = [guess, guess + 1].into_iter().find(is_at);
        near.or_else(|| self.index.get(&self.spellings, spelling.as_bytes()))
    }

    /// [`Self::id`] is called soon.
    #[inline]
    pub(super) fn prefetch(&self, spelling: &str) {
        self.index.prefetch(spelling.as_bytes());
    }

    /// The id of what is spelt so.
    #[inline]
    pub(super) fn id(&self, spelling: &str) -> Option<u32> {
        self.index
            .get(&self.spellings, spelling.as_bytes())
            .map(|place| self.ids[place])
    }
}

pub(super) fn read(scanner: &mut Scanner<'_>) -> Result<Entries> {
    let mut entries = Entries {
        spellings: Strings::default(),
        ids: Vec::new(),
        index: Index::default(),
        end: 0,
    };
    if scanner.peek() != b'{' {
        return Err(wrong(scanner, "model.vocab".to_owned(), "an object"));
    }
    scanner.entries(|scanner, spelling| {
        entries.spellings.push(spelling.as_bytes());
        if entries.index.insert_last(&entries.spellings).is_some() {
            return Err(scanner.fails(&format!("the key `{spelling}` stands twice")));
        }
        let path = || format!("model.vocab.{spelling}");
        let Some(id) = scanner.id() else {
            return Err(wrong(scanner, path(), "an id"));
        };
        if id >= MAXIMUM_IDS {
            return Err(Error::tokenizer(
                path(),
                format!("is {id}, expected below {MAXIMUM_IDS}"),
            ));
        }
        entries.end = entries.end.max(id + 1);
        entries.ids.push(id);
        Ok(())
    })?;
    Ok(entries)
}

/// What stands at an id.
#[derive(Clone, Copy)]
enum Place {
    Nothing,
    /// The place of an entry of the vocabulary.
    Entry(u32),
    /// The place of an added token that is no entry.
    Added(u32),
}

/// The tokens by id. Holes stand only above the ordinary tokens, where published vocabularies have them.
pub(super) fn by_id(
    entries: &Entries,
    added: &[AddedToken],
    merges: &[(Pair, u32)],
    settings: &Settings,
) -> Result<Vocabulary> {
    let mut places = vec![Place::Nothing; entries.end as usize];
    for (place, &id) in (0..).zip(&entries.ids) {
        if let Place::Entry(_) = places[id as usize] {
            let spelling = spelling_at(entries, place);
            return Err(Error::tokenizer(
                format!("model.vocab.{spelling}"),
                format!("is {id}, which another token has too"),
            ));
        }
        places[id as usize] = Place::Entry(place);
    }
    let is_added = add(&mut places, entries, added)?;

    let is_entry = |id: &usize| matches!(places[*id], Place::Entry(_)) && !is_added[*id];
    let ordinary = (0..places.len()).rev().find(is_entry).map_or(0, |last| last + 1);
    if let Some(hole) = places[..ordinary]
        .iter()
        .position(|place| matches!(place, Place::Nothing))
    {
        let message =
            format!("has no token with the id {hole}, but ordinary ones above it (a hole in the ids)");
        return Err(Error::tokenizer("model.vocab", message));
    }
    let mut is_made = vec![false; places.len()];
    for &(_, id) in merges {
        is_made[id as usize] = true;
    }

    let is_byte_level = settings.symbols == Symbols::Bytes;
    let mut vocabulary = Vocabulary::default();
    let mut spellings = Strings::default();
    for (id, &place) in places.iter().enumerate() {
        let spelling = match place {
            Place::Nothing => {
                vocabulary.push(b"", Kind::Unused);
                spellings.push(b"");
                continue;
            }
            Place::Entry(at) => spelling_at(entries, at),
            Place::Added(at) => &added[at as usize].content,
        };
        let is_entry = matches!(place, Place::Entry(_));
        if !is_byte_level {
            // Only what is of characters all through decodes an added token too.
            match &settings.symbols {
                Symbols::Characters(spelt) if spelt.is_of_bytes && !is_entry => {
                    vocabulary.push(spelling.as_bytes(), Kind::Added);
                }
                _ => {
                    let kind = if is_entry { Kind::Ordinary } else { Kind::Added };
                    vocabulary.push(&settings.decoded(spelling), kind);
                }
            }
            spellings.push(spelling.as_bytes());
            continue;
        }
        if !is_entry {
            vocabulary.push(spelling.as_bytes(), Kind::Added);
            continue;
        }
        if is_unused(spelling, id) {
            vocabulary.push(b"", Kind::Unused);
            continue;
        }
        // Ordinary text may spell an added token, if a merge makes it; otherwise it is the text it shows.
        let bytes = alphabet::unspell(spelling).filter(|bytes| !bytes.is_empty());
        match bytes.filter(|bytes| !is_added[id] || is_made[id] || bytes.len() == 1) {
            Some(bytes) => vocabulary.push(&bytes, Kind::Ordinary),
            None => vocabulary.push(spelling.as_bytes(), Kind::Text),
        }
    }
    if !is_byte_level {
        vocabulary.spellings = Some(spellings);
    }
    Ok(vocabulary)
}

/// Puts `added` to their places, where `tokenizers` puts them: the id of the entry that is spelt so, otherwise the next one. That
/// has to be the declared one. Whether each id is that of an added token.
fn add(places: &mut Vec<Place>, entries: &Entries, added: &[AddedToken]) -> Result<Vec<bool>> {
    let mut is_added = vec![false; places.len()];
    let count = u32::try_from(entries.ids.len()).unwrap_or(u32::MAX);
    let mut largest: Option<u32> = None;
    for (token, at) in added.iter().zip(0..) {
        let (content, declared) = (&token.content, token.id);
        let id = if let Some(id) = entries.id(content) {
            if id != declared {
                let message = format!("is {id}, but {declared} in `added_tokens`");
                return Err(Error::tokenizer(format!("model.vocab.{content}"), message));
            }
            id
        } else {
            let next = largest
                .filter(|&largest| largest >= count)
                .map_or(count, |largest| largest + 1);
            if next != declared {
                let message = format!("gives `{content}` the id {declared}, expected {next}, the next one");
                return Err(Error::tokenizer("added_tokens", message));
            }
            if (next as usize) < places.len() && !matches!(places[next as usize], Place::Nothing) {
                let message = format!("gives `{content}` the id {declared}, which another token has too");
                return Err(Error::tokenizer("added_tokens", message));
            }
            if next >= MAXIMUM_IDS {
                let message = format!("gives `{content}` the id {declared}, expected below {MAXIMUM_IDS}");
                return Err(Error::tokenizer("added_tokens", message));
            }
            let length = places.len().max(next as usize + 1);
            places.resize(length, Place::Nothing);
            is_added.resize(length, false);
            places[next as usize] = Place::Added(at);
            next
        };
        is_added[id as usize] = true;
        largest = largest.max(Some(id));
    }
    Ok(is_added)
}

fn spelling_at(entries: &Entries, place: u32) -> &str {
    let spelling = entries.spellings.get(place as usize).unwrap_or_default();
    std::str::from_utf8(spelling).unwrap_or_default()
}

/// How a hole is written, so that `tokenizers` counts it: no text of bytes has a space in its spelling.
pub(super) fn unused_spelling(id: usize) -> String {
    format!("<unused {id}>")
}

fn is_unused(spelling: &str, id: usize) -> bool {
    spelling.starts_with("<unused ") && spelling == unused_spelling(id)
}
