//! A tokenizer as it lies in memory, kept beside the prepared data: read in milliseconds where its file takes a quarter of a second.
//!
//! The file's name is the digest of the `tokenizer.json` it was made of, so a changed source is another name. It carries a digest of
//! all it holds: one that is damaged, cut short, or of another format is as good as none, and is written anew.

mod bound;

use crate::error::Result;
use crate::json;
use crate::merge::{Merges, Pair};
use crate::parts::Parts;
use crate::settings::Symbols;
use crate::tokenizer::Tokenizer;
use crate::vocabulary::{Kind, Strings, Vocabulary};
use codex_file::digest::{Algorithm, Digest, digest_bytes, digest_file};
use codex_file::map::Mapped;
use codex_file::{durable, stream};
use std::path::{Path, PathBuf};

/// The first bytes of a file, and the format: it changes with anything that is written below.
const MAGIC: &[u8; 16] = b"codex tokens\0\0\0\x03";

/// Where the digest of all that follows it stands, and where that begins.
const DIGEST_AT: usize = MAGIC.len();
const PAYLOAD_AT: usize = DIGEST_AT + 16;

/// What the folder may hold: some forty vocabularies of 200,000 tokens.
const MAXIMUM_BYTES: u64 = 512 << 20;

impl Tokenizer {
    /// [`Tokenizer::from_file`] by way of the folder `cache`: what is read there is what `path` holds, or it is not read. The folder is
    /// kept below half a gigabyte: what was used longest ago goes first. A cache that cannot be written costs time and nothing else.
    ///
    /// # Errors
    /// As [`Tokenizer::from_file`].
    pub fn from_file_cached(path: &Path, cache: &Path) -> Result<Self> {
        let (_, source) = digest_file(Algorithm::Xxh3, path)?;
        let place = place_of(cache, &source);
        if let Some(tokenizer) = read(&place, &source) {
            bound::mark_used(&place);
            return Ok(tokenizer);
        }
        let data = stream::read_all(path, json::MAXIMUM_FILE_BYTES)?;
        // The file may have been replaced since it was digested.
        let source = digest_bytes(Algorithm::Xxh3, &data);
        let tokenizer = Self::from_json_of(data).map_err(|error| error.in_file(path))?;
        let place = place_of(cache, &source);
        if let (Some(folder), Ok(contents)) = (place.parent(), contents(&tokenizer, &source))
            && std::fs::create_dir_all(folder).is_ok()
            && durable::write_atomic(&place, &contents).is_ok()
        {
            bound::prune(folder, &place, MAXIMUM_BYTES);
        }
        Ok(tokenizer)
    }
}

fn place_of(cache: &Path, source: &Digest) -> PathBuf {
    let name = source.to_string();
    let (_, hexadecimal) = name.split_once(':').unwrap_or_default();
    cache.join("tokenizers").join(hexadecimal)
}

fn contents(tokenizer: &Tokenizer, source: &Digest) -> Result<Vec<u8>> {
    let Parts {
        vocabulary, merges, ..
    } = &tokenizer.parts;
    let mut out = Vec::new();
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(&[0; PAYLOAD_AT - DIGEST_AT]);
    put(&mut out, source.as_bytes());
    put(&mut out, tokenizer.fingerprint()?.as_bytes());
    put(&mut out, &json::settings_json(tokenizer));
    let kinds: Vec<u8> = vocabulary.kinds.iter().map(|&kind| kind as u8).collect();
    put(&mut out, &kinds);
    put_strings(&mut out, &vocabulary.bytes);
    put_strings(
        &mut out,
        vocabulary.spellings.as_ref().unwrap_or(&Strings::default()),
    );
    let merges = merges
        .iter()
        .flat_map(|&((left, right), made)| [left, right, made]);
    put_numbers(&mut out, merges);
    tokenizer.model.merges().write_to(&mut out);
    let digest = digest_bytes(Algorithm::Xxh3, &out[PAYLOAD_AT..]);
    out[DIGEST_AT..PAYLOAD_AT].copy_from_slice(digest.as_bytes());
    Ok(out)
}

/// What stands at `place`, if it is whole and was made of `source`.
fn read(place: &Path, source: &Digest) -> Option<Tokenizer> {
    let file = Mapped::open(place).ok()?;
    let payload = file.get(PAYLOAD_AT..)?;
    if !file.starts_with(MAGIC)
        || file[DIGEST_AT..PAYLOAD_AT] != *digest_bytes(Algorithm::Xxh3, payload).as_bytes()
    {
        return None;
    }
    let mut rest = payload;
    if take(&mut rest)? != source.as_bytes() {
        return None;
    }
    let fingerprint = std::str::from_utf8(take(&mut rest)?).ok()?.to_owned();
    let (mut settings, added) = json::settings_of(take(&mut rest)?).ok()?;
    let kinds = take(&mut rest)?
        .iter()
        .map(|&kind| Kind::of(kind))
        .collect::<Option<Vec<Kind>>>()?;
    let (bytes, spellings) = (take_strings(&mut rest)?, take_strings(&mut rest)?);
    // A vocabulary of bytes and nothing else is spelt as they say.
    let spellings = (spellings.len() > 0).then_some(spellings);
    if spellings.is_none() {
        settings.symbols = Symbols::Bytes;
    }
    let (triples, odd) = take(&mut rest)?.as_chunks::<12>();
    let merges = triples.iter().map(|triple| {
        let [left, right, made] = [0, 4, 8].map(|at| number(&triple[at..]));
        ((left, right), made)
    });
    let merges: Vec<(Pair, u32)> = merges.collect();
    let count = kinds.len();
    let fits = bytes.len() == count
        && spellings
            .as_ref()
            .is_none_or(|spellings| spellings.len() == count);
    let is_known = |id: u32| (id as usize) < count;
    let knows = |&((left, right), made): &(Pair, u32)| is_known(left) && is_known(right) && is_known(made);
    if !odd.is_empty() || !fits || !merges.iter().all(knows) || !added.iter().all(|token| is_known(token.id))
    {
        return None;
    }
    let vocabulary = Vocabulary {
        bytes,
        kinds,
        spellings,
    };
    let tables = Merges::read_from(&mut rest)?;
    let parts = Parts {
        vocabulary,
        merges,
        added,
        settings,
    };
    let tokenizer = Tokenizer::with_merges(parts, Some(tables)).ok()?;
    tokenizer.fingerprint.get_or_init(|| fingerprint);
    rest.is_empty().then_some(tokenizer)
}

/// Appends `part`, its length first.
pub(crate) fn put(out: &mut Vec<u8>, part: &[u8]) {
    out.extend_from_slice(&(part.len() as u64).to_le_bytes());
    out.extend_from_slice(part);
}

pub(crate) fn put_numbers(out: &mut Vec<u8>, numbers: impl Iterator<Item = u32>) {
    let start = out.len();
    out.extend_from_slice(&[0; 8]);
    out.extend(numbers.flat_map(u32::to_le_bytes));
    let length = (out.len() - start - 8) as u64;
    out[start..start + 8].copy_from_slice(&length.to_le_bytes());
}

fn put_strings(out: &mut Vec<u8>, strings: &Strings) {
    let (bytes, ends) = strings.parts();
    put(out, bytes);
    put_numbers(out, ends.iter().copied());
}

/// What [`put`] appended; `rest` begins behind it.
pub(crate) fn take<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, behind) = rest.split_first_chunk()?;
    let length = usize::try_from(u64::from_le_bytes(*length)).ok()?;
    let (part, behind) = behind.split_at_checked(length)?;
    *rest = behind;
    Some(part)
}

pub(crate) fn take_numbers(rest: &mut &[u8]) -> Option<Vec<u32>> {
    let (numbers, odd) = take(rest)?.as_chunks::<4>();
    odd.is_empty()
        .then(|| numbers.iter().map(|&bytes| u32::from_le_bytes(bytes)).collect())
}

fn take_strings(rest: &mut &[u8]) -> Option<Strings> {
    let bytes = take(rest)?.to_vec();
    Strings::from_parts(bytes, take_numbers(rest)?)
}

fn number(bytes: &[u8]) -> u32 {
    bytes.first_chunk().map_or(0, |&bytes| u32::from_le_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{END_OF_DOCUMENT, Specials, WordCounts};

    fn ids(tokenizer: &Tokenizer) -> Vec<u32> {
        let mut ids = Vec::new();
        let text = "lower newest<|endoftext|> \u{e9}";
        tokenizer.encode(text, Specials::Ids, &mut ids).expect("encodes");
        ids
    }

    fn write_source(path: &Path, vocabulary_size: usize) -> Tokenizer {
        let mut counts = WordCounts::default();
        counts.add_text("low lower lowest new newer newest");
        let tokenizer = counts.train(vocabulary_size, &[END_OF_DOCUMENT]).expect("trains");
        tokenizer.save(path).expect("saves");
        tokenizer
    }

    fn cached(cache: &Path) -> Vec<PathBuf> {
        let files = std::fs::read_dir(cache.join("tokenizers")).expect("a folder");
        files.map(|file| file.expect("a file").path()).collect()
    }

    #[test]
    fn the_cache_gives_what_the_file_gives() {
        let folder = tempfile::tempdir().expect("a folder");
        let (path, cache) = (folder.path().join("tokenizer.json"), folder.path().join("cache"));
        let tokenizer = write_source(&path, 264);
        for _ in 0..3 {
            let again = Tokenizer::from_file_cached(&path, &cache).expect("reads");
            assert_eq!(ids(&again), ids(&tokenizer));
            assert_eq!(
                again.to_json().expect("serialises"),
                tokenizer.to_json().expect("serialises")
            );
            assert_eq!(
                again.fingerprint().expect("digests"),
                tokenizer.fingerprint().expect("digests")
            );
        }
        let [place] = &cached(&cache)[..] else {
            panic!("one file")
        };
        let (_, source) = digest_file(Algorithm::Xxh3, &path).expect("digests");
        assert!(read(place, &source).is_some(), "it is the cache that is read");

        let other = write_source(&path, 262);
        assert_eq!(
            ids(&Tokenizer::from_file_cached(&path, &cache).expect("reads")),
            ids(&other)
        );
        assert_eq!(cached(&cache).len(), 2);
    }

    #[test]
    fn a_cache_that_is_damaged_or_of_another_source_is_not_believed() {
        let folder = tempfile::tempdir().expect("a folder");
        let (path, cache) = (folder.path().join("tokenizer.json"), folder.path().join("cache"));
        let tokenizer = write_source(&path, 262);
        Tokenizer::from_file_cached(&path, &cache).expect("reads");
        let place = cached(&cache).remove(0);
        let (_, source) = digest_file(Algorithm::Xxh3, &path).expect("digests");
        let good = std::fs::read(&place).expect("reads");
        for at in (0..good.len()).step_by(97) {
            let mut bad = good.clone();
            bad[at] ^= 1;
            std::fs::write(&place, &bad).expect("writes");
            assert!(read(&place, &source).is_none(), "byte {at} flipped");
            std::fs::write(&place, &good[..at]).expect("writes");
            assert!(read(&place, &source).is_none(), "cut at {at}");
        }
        assert_eq!(
            ids(&Tokenizer::from_file_cached(&path, &cache).expect("reads")),
            ids(&tokenizer)
        );
        assert_eq!(std::fs::read(&place).expect("reads"), good, "it is written anew");

        write_source(&path, 263);
        let other = place_of(&cache, &digest_file(Algorithm::Xxh3, &path).expect("digests").1);
        std::fs::copy(&place, &other).expect("copies");
        assert_eq!(
            Tokenizer::from_file_cached(&path, &cache)
                .expect("reads")
                .vocabulary_size(),
            263
        );
    }

    #[test]
    fn parts_that_lie_about_their_length_are_none() {
        let mut rest: &[u8] = &[200, 0, 0, 0, 0, 0, 0, 0, 1];
        assert_eq!(take(&mut rest), None);
        let mut rest: &[u8] = &[255; 20];
        assert_eq!(take(&mut rest), None);
        let mut rest: &[u8] = &[3, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3];
        assert_eq!(take_numbers(&mut rest), None);
    }

    #[test]
    fn a_cache_that_cannot_be_written_costs_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("tokenizer.json");
        let tokenizer = write_source(&path, 262);
        let again = Tokenizer::from_file_cached(&path, &path).expect("reads");
        assert_eq!(ids(&again), ids(&tokenizer));
        let missing = Tokenizer::from_file_cached(&folder.path().join("none"), folder.path());
        assert_eq!(missing.expect_err("missing").class(), codex_file::Class::Missing);
    }
}
