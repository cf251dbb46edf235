//! Near duplicates: texts that share most of their shingles, found without comparing all with all.
//!
//! A text is the set of its shingles, runs of a few words (`shingle`). Of the set 128 are kept, one for each place of a signature
//! (`signature`): two texts have the same one at a place as probably as a shingle of either is one of both, which is the similarity
//! of Jaccard. Signatures that are equal in one of several bands are compared whole (`bands`).

mod bands;
mod kept;
mod shingle;
mod signature;

use std::num::NonZero;
use std::path::Path;

use crate::{Error, Result};
use bands::{Plan, groups};
use kept::{InFolder, InMemory, Kept};
pub(crate) use shingle::Shingles;
use signature::{PLACES, Signature, sign};

/// Texts by number, in the order in which they are added, and which of them are near duplicates.
///
/// Half a kibibyte is kept of each text, whatever its length. The answer depends on the texts alone, not on threads or machine.
#[derive(Debug)]
pub struct NearDuplicates {
    plan: Plan,
    shingle_words: usize,
    kept: Box<dyn Kept>,
}

impl NearDuplicates {
    /// Texts are near duplicates from the similarity `threshold` on, of shingles of `shingle_words` words.
    ///
    /// A pair right at the threshold is found in more than 95 of 100 cases, one above it in more. Estimates are uncertain by 0.04:
    /// a pair 0.1 below is found in about 3 of 100.
    ///
    /// # Errors
    /// If the threshold is not from 0.5 to 1, or shingles have no word.
    pub fn new(threshold: f64, shingle_words: usize) -> Result<Self> {
        Self::with(threshold, shingle_words, |plan| Ok(Box::new(InMemory::new(plan))))
    }

    /// The same, with what is kept in two files of `folder`, 700 bytes a text: memory grows by 4 bytes a text, when they are compared.
    ///
    /// # Errors
    /// As [`NearDuplicates::new`], and if the folder cannot be written to.
    pub fn in_folder(threshold: f64, shingle_words: usize, folder: &Path) -> Result<Self> {
        Self::with(threshold, shingle_words, |plan| {
            Ok(Box::new(InFolder::create(plan, folder)?))
        })
    }

    fn with(
        threshold: f64,
        shingle_words: usize,
        keep: impl FnOnce(Plan) -> Result<Box<dyn Kept>>,
    ) -> Result<Self> {
        if !(0.5..=1.0).contains(&threshold) {
            return Err(Error::setting("threshold", threshold, "0.5 to 1"));
        }
        if !(1..=100).contains(&shingle_words) {
            return Err(Error::setting("shingle_words", shingle_words, "1 to 100"));
        }
        let plan = Plan::of(threshold);
        Ok(Self {
            kept: keep(plan.clone())?,
            plan,
            shingle_words,
        })
    }

    /// How many texts have been added.
    #[must_use]
    pub fn len(&self) -> usize {
        self.kept.len()
    }

    /// Whether none has been.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.kept.len() == 0
    }

    /// Adds texts, on as many threads.
    ///
    /// # Errors
    /// If what is kept of them cannot be written.
    pub fn extend<T: AsRef<str> + Sync>(&mut self, texts: &[T], threads: NonZero<usize>) -> Result<()> {
        let words = self.shingle_words;
        let mut added = vec![[0; PLACES]; texts.len()];
        let share = texts.len().div_ceil(threads.get()).max(1);
        std::thread::scope(|scope| {
            let mut shares = added.chunks_mut(share).zip(texts.chunks(share));
            let own = shares.next();
            for (signatures, texts) in shares {
                scope.spawn(move || sign_all(signatures, texts, words));
            }
            if let Some((signatures, texts)) = own {
                sign_all(signatures, texts, words);
            }
        });
        self.kept.add(&added)
    }

    /// Adds a text by the numbers of shingles that someone else has made, see [`number_shingles`].
    ///
    /// # Errors
    /// If what is kept of it cannot be written.
    pub fn add_numbers(&mut self, shingles: &[u32]) -> Result<()> {
        self.kept.add(&[sign(shingles)])
    }

    /// The share of shingles that two of the texts have in common, as their signatures tell it; `None` if there is no such text.
    ///
    /// # Errors
    /// If what is kept of them cannot be read.
    #[allow(clippy::cast_precision_loss)] // there are 128 places
    pub fn similarity(&self, one: usize, other: usize) -> Result<Option<f64>> {
        let number = |text: usize| u32::try_from(text).ok().filter(|_| text < self.len());
        let (Some(one), Some(other)) = (number(one), number(other)) else {
            return Ok(None);
        };
        let equal = signature::equal_places(&self.kept.signature(one)?, &self.kept.signature(other)?);
        Ok(Some(equal as f64 / PLACES as f64))
    }

    /// For each text the first one that it is a near duplicate of, by however many steps between near duplicates: itself if none is.
    ///
    /// # Errors
    /// If what is kept of them cannot be read.
    pub fn firsts(&self) -> Result<Vec<u32>> {
        groups(self.kept.as_ref(), &self.plan)
    }
}

/// Adds the numbers that stand for shingles that someone else has made.
#[inline]
pub fn number_shingles(shingles: &[&str], numbers: &mut Vec<u32>) {
    shingle::hash_all(shingles, numbers);
}

fn sign_all<T: AsRef<str>>(signatures: &mut [Signature], texts: &[T], shingle_words: usize) {
    let mut shingles = Shingles::new(shingle_words);
    for (signature, text) in signatures.iter_mut().zip(texts) {
        *signature = sign(shingles.of(text.as_ref()));
    }
}

#[cfg(test)]
mod tests;
