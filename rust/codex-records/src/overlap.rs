//! How much of one file of records stands in another: runs of words that both have.
//!
//! Of the runs of the one, those with the smallest numbers are kept, which is a fair sample whatever the size of the file; of
//! each it is asked whether the other has it too. So memory is bounded, and a share of nothing is exact.

use std::path::Path;

use crate::Result;
use crate::near::Shingles;
use crate::split::{each_block, read};

/// Runs in a sample.
const SAMPLE: usize = 1 << 16;
/// Words in a run: so many that two texts have one in common by copying, hardly by chance (Brown et al. 2020, appendix C).
pub const OVERLAP_WORDS: usize = 13;

/// Runs of a file: how many were looked at, and how many of them stand in the other file.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Overlap {
    /// Different runs of the one file, or a sample of them.
    pub looked_at: usize,
    /// Those that stand in the other.
    pub shared: usize,
}

/// How many of the runs of [`OVERLAP_WORDS`] words in the file of records `one` stand in `other`, too.
///
/// # Errors
/// If a file cannot be read, or a line is no record.
pub fn overlap(one: &Path, other: &Path) -> Result<Overlap> {
    overlap_of(one, other, SAMPLE)
}

fn overlap_of(one: &Path, other: &Path, sample: usize) -> Result<Overlap> {
    let mut smallest = Vec::with_capacity(2 * sample);
    let mut bound = u64::MAX;
    each_run(one, |run| {
        if run <= bound {
            smallest.push(run);
            if smallest.len() == 2 * sample {
                bound = cut(&mut smallest, sample).unwrap_or(bound);
            }
        }
    })?;
    cut(&mut smallest, sample);
    let mut is_shared = vec![false; smallest.len()];
    let bound = smallest.last().copied().unwrap_or(0);
    each_run(other, |run| {
        if run <= bound
            && let Ok(place) = smallest.binary_search(&run)
        {
            is_shared[place] = true;
        }
    })?;
    Ok(Overlap {
        looked_at: smallest.len(),
        shared: is_shared.iter().filter(|shared| **shared).count(),
    })
}

/// Leaves the smallest numbers, each once, in order; says the largest of them if others were cut off.
fn cut(numbers: &mut Vec<u64>, length: usize) -> Option<u64> {
    numbers.sort_unstable();
    numbers.dedup();
    let is_cut = numbers.len() > length;
    numbers.truncate(length);
    numbers.last().copied().filter(|_| is_cut)
}

fn each_run(path: &Path, mut each: impl FnMut(u64)) -> Result<()> {
    let mut shingles = Shingles::new(OVERLAP_WORDS);
    let mut text = String::new();
    each_block(path, |block| {
        for line in block.lines().filter(|line| !line.is_blank()) {
            read(path, &line, &mut text)?;
            shingles.each(&text, &mut each);
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Id;
    use std::path::PathBuf;

    fn file(folder: &Path, name: &str, texts: &[String]) -> PathBuf {
        let path = folder.join(name);
        let line = |text: &String| format!("{{\"id\":\"{}\",\"text\":\"{text}\"}}\n", Id::of(text));
        let lines: Vec<String> = texts.iter().map(line).collect();
        std::fs::write(&path, lines.concat()).expect("the folder is writable");
        path
    }

    fn words(range: std::ops::Range<usize>) -> String {
        let words: Vec<String> = range.map(|number| format!("word{number} ")).collect();
        words.concat()
    }

    #[test]
    fn runs_that_both_have_are_counted_once() {
        let folder = tempfile::TempDir::new().expect("a folder");
        let one = file(
            folder.path(),
            "one",
            &[words(0..100), words(0..100), words(500..600)],
        );
        let other = file(folder.path(), "other", &[words(50..512), words(700..800)]);
        // 88 runs in each text; 38 begin at 50 to 87; the first of the third text ends at 512.
        let found = overlap(&one, &other).expect("records");
        assert_eq!(
            found,
            Overlap {
                looked_at: 176,
                shared: 38
            }
        );
        assert_eq!(
            overlap(&one, &one).expect("records"),
            Overlap {
                looked_at: 176,
                shared: 176
            }
        );
        let nothing = file(folder.path(), "nothing", &[]);
        assert_eq!(overlap(&nothing, &one).expect("records"), Overlap::default());
        assert_eq!(overlap(&one, &nothing).expect("records").shared, 0);
    }

    #[test]
    fn a_sample_tells_about_the_same_share() {
        let folder = tempfile::TempDir::new().expect("a folder");
        let texts: Vec<String> = (0..100).map(|text| words(text * 300..text * 300 + 200)).collect();
        let one = file(folder.path(), "one", &texts);
        let other = file(folder.path(), "other", &texts[..40]);
        let whole = overlap(&one, &other).expect("records");
        assert_eq!(
            whole,
            Overlap {
                looked_at: 18_800,
                shared: 7520
            }
        );
        let some = overlap_of(&one, &other, 1000).expect("records");
        assert_eq!(some.looked_at, 1000);
        assert!(some.shared.abs_diff(400) < 60, "{some:?}");
    }
}
