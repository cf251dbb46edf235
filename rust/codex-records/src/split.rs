//! Records to train, validation and test, so that no near duplicate of a record is on another side.

use std::num::NonZero;
use std::path::{Path, PathBuf};

use crate::blocks::{Block, Blocks, Line};
use crate::{Error, Id, NearDuplicates, Result, is_held_out};

/// Where a record goes; each is held out more strictly than the one before.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Side {
    /// To learn from.
    Train,
    /// To measure on while learning.
    Validation,
    /// To measure on once.
    Test,
}

impl Side {
    /// All of them, in order.
    pub const ALL: [Self; 3] = [Self::Train, Self::Validation, Self::Test];

    /// The side of a text by its id alone: test is what is held out at the fraction `test`, validation what else is at both
    /// fractions together.
    ///
    /// # Errors
    /// If a fraction, or both together, are not from 0 to 1.
    pub fn of(id: &Id, validation: f64, test: f64) -> Result<Self> {
        Ok(
            match (is_held_out(id, test)?, is_held_out(id, validation + test)?) {
                (true, _) => Self::Test,
                (false, true) => Self::Validation,
                (false, false) => Self::Train,
            },
        )
    }
}

/// What of the records of a file goes to which side.
#[derive(Debug)]
pub struct Split {
    path: PathBuf,
    sides: Vec<Side>,
    /// How many groups of near duplicates there are, and how many records are in one.
    pub groups: (usize, usize),
}

impl Split {
    /// Decides for every record of the file at `path`.
    ///
    /// A group of near duplicates goes as one to the strictest side that one of them has by its id. So a record that is added can
    /// bring others from train to validation or test, but never back: what was held out once is never learned from.
    ///
    /// # Errors
    /// If the file cannot be read, a line is no record, a fraction is none, or near duplicates cannot be kept.
    pub fn plan(
        path: &Path,
        validation: f64,
        test: f64,
        near: Option<NearDuplicates>,
        threads: NonZero<usize>,
    ) -> Result<Self> {
        let mut near = near;
        let mut sides = Vec::new();
        read_all(path, near.as_mut(), threads, |id| {
            sides.push(Side::of(&id, validation, test)?);
            Ok(())
        })?;
        let groups = match near {
            Some(near) => bring_together(&mut sides, &near.firsts()?),
            None => (0, 0),
        };
        let path = path.to_owned();
        Ok(Self { path, sides, groups })
    }

    /// Instead, the first of every group of near duplicates to [`Side::Train`], the others to [`Side::Validation`].
    ///
    /// # Errors
    /// As [`Split::plan`].
    pub fn of_firsts(path: &Path, mut near: NearDuplicates, threads: NonZero<usize>) -> Result<Self> {
        read_all(path, Some(&mut near), threads, |_| Ok(()))?;
        let firsts = near.firsts()?;
        let mut sides = vec![Side::Train; firsts.len()];
        let groups = bring_together(&mut sides, &firsts);
        for ((side, text), first) in sides.iter_mut().zip(0..).zip(&firsts) {
            if text != *first {
                *side = Side::Validation;
            }
        }
        let path = path.to_owned();
        Ok(Self { path, sides, groups })
    }

    /// Hands over the lines of every side, a block at a time, with the number of records and bytes of text.
    ///
    /// # Errors
    /// If the file cannot be read, or is no longer the one it was; and what `each` says.
    pub fn divide(&self, mut each: impl FnMut(&[Part; 3]) -> Result<()>) -> Result<()> {
        let mut parts: [Part; 3] = Default::default();
        let mut sides = self.sides.iter();
        let mut text = String::new();
        each_block(&self.path, |block| {
            parts.iter_mut().for_each(Part::clear);
            for line in block.lines().filter(|line| !line.is_blank()) {
                read(&self.path, &line, &mut text)?;
                let Some(&side) = sides.next() else {
                    return Err(self.has_changed());
                };
                let part = &mut parts[side as usize];
                part.lines.extend_from_slice(line.bytes().unwrap_or_default());
                part.lines.push(b'\n');
                part.records += 1;
                part.text_bytes += text.len();
            }
            each(&parts)
        })?;
        sides.next().map_or(Ok(()), |_| Err(self.has_changed()))
    }

    fn has_changed(&self) -> Error {
        codex_file::Error::data("it changed while it was read")
            .in_file(&self.path)
            .into()
    }
}

/// Some lines of one side.
#[derive(Debug, Default)]
pub struct Part {
    /// Whole lines as they stand in the file.
    pub lines: Vec<u8>,
    /// How many records they are.
    pub records: usize,
    /// Bytes of their texts.
    pub text_bytes: usize,
}

impl Part {
    fn clear(&mut self) {
        self.lines.clear();
        (self.records, self.text_bytes) = (0, 0);
    }
}

/// Hands over the id of every record; its text goes to `near`.
fn read_all(
    path: &Path,
    mut near: Option<&mut NearDuplicates>,
    threads: NonZero<usize>,
    mut each: impl FnMut(Id) -> Result<()>,
) -> Result<()> {
    let mut texts = Vec::new();
    each_block(path, |block| {
        texts.clear();
        for line in block.lines().filter(|line| !line.is_blank()) {
            let mut text = String::new();
            each(read(path, &line, &mut text)?)?;
            if near.is_some() {
                texts.push(text);
            }
        }
        near.as_mut().map_or(Ok(()), |near| near.extend(&texts, threads))
    })
}

/// Gives every record the strictest side of its group; counts groups of two and more, and what is in them.
fn bring_together(sides: &mut [Side], firsts: &[u32]) -> (usize, usize) {
    let mut members = vec![0_u32; sides.len()];
    for (text, &first) in firsts.iter().enumerate() {
        let first = first as usize;
        sides[first] = sides[first].max(sides[text]);
        members[first] += 1;
    }
    for (text, &first) in firsts.iter().enumerate() {
        sides[text] = sides[first as usize];
    }
    let groups = members.iter().filter(|count| **count > 1);
    (groups.clone().count(), groups.map(|count| *count as usize).sum())
}

/// The blocks of a file, one after the other.
pub(crate) fn each_block(path: &Path, mut each: impl FnMut(&Block) -> Result<()>) -> Result<()> {
    let mut blocks = Blocks::open_undigested(path)?;
    let mut block = Block::default();
    while blocks.read(&mut block)? {
        each(&block)?;
    }
    Ok(())
}

/// The text of a line of a file of records, and its id.
pub(crate) fn read(path: &Path, line: &Line<'_>, text: &mut String) -> Result<Id> {
    let bad = |at: usize, reason: &str| {
        let message = format!("byte {}: {reason}", line.start + at as u64);
        Error::from(codex_file::Error::data(message).in_file(path))
    };
    let id = line
        .read_document("text", text)
        .map_err(|fault| bad(fault.at, &fault.reason))?;
    id.ok_or_else(|| bad(0, "the key `id` is missing, or no id"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write as _;

    const ONE: NonZero<usize> = NonZero::<usize>::MIN;

    fn file(texts: &[String]) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::TempDir::new().expect("a folder");
        let path = folder.path().join("records.ndjson");
        let lines = texts.iter().fold(String::new(), |mut lines, text| {
            let _ = writeln!(lines, r#"{{"id":"{}","text":"{text}"}}"#, Id::of(text));
            lines
        });
        std::fs::write(&path, lines).expect("the folder is writable");
        (folder, path)
    }

    /// The texts of each side.
    fn divided(texts: &[String], near: bool) -> [Vec<String>; 3] {
        let (_folder, path) = file(texts);
        let near = near.then(|| NearDuplicates::new(0.8, 5).expect("a threshold"));
        let split = Split::plan(&path, 0.2, 0.1, near, ONE).expect("records");
        let mut sides: [Vec<String>; 3] = Default::default();
        let mut counted = 0;
        let count = |parts: &[Part; 3]| {
            for (side, part) in sides.iter_mut().zip(parts) {
                let lines = std::str::from_utf8(&part.lines).expect("UTF-8").lines();
                side.extend(lines.map(|line| line[49..line.len() - 2].to_owned()));
                counted += part.records;
            }
            Ok(())
        };
        split.divide(count).expect("records");
        assert_eq!(counted, texts.len());
        sides
    }

    fn family(number: usize, member: usize) -> String {
        let words: Vec<String> = (0..60).map(|word| format!("w{}", number * 100 + word)).collect();
        format!("{} {member}", words.join(" "))
    }

    #[test]
    fn without_near_duplicates_the_id_decides() {
        let texts: Vec<String> = (0..3000).map(|number| format!("text {number}")).collect();
        let sides = divided(&texts, false);
        for (side, texts) in Side::ALL.iter().zip(&sides) {
            assert!(
                texts
                    .iter()
                    .all(|text| Side::of(&Id::of(text), 0.2, 0.1).expect("fractions") == *side)
            );
        }
        let shares = sides.map(|side| side.len());
        assert!(
            (2000..2200).contains(&shares[0]) && (540..660).contains(&shares[1]),
            "{shares:?}"
        );
    }

    #[test]
    fn a_family_goes_to_the_strictest_side_of_its_members_and_never_back() {
        let mut texts: Vec<String> = (0..200)
            .flat_map(|number| (0..3).map(move |member| family(number, member)))
            .collect();
        let before = divided(&texts, true);
        for (side, found) in Side::ALL.iter().zip(&before) {
            for text in found {
                let number: usize = text[1..]
                    .split(' ')
                    .next()
                    .and_then(|word| word.parse().ok())
                    .expect("a number");
                let sides = (0..3).map(|member| Side::of(&Id::of(&family(number / 100, member)), 0.2, 0.1));
                assert_eq!(sides.map(|side| side.expect("fractions")).max(), Some(*side));
            }
        }
        texts.extend((0..200).map(|number| family(number, 3)));
        let after = divided(&texts, true);
        assert!(before[2].iter().all(|text| after[2].contains(text)));
        assert!(before[1].iter().all(|text| !after[0].contains(text)));
        assert!(before[0].iter().filter(|text| !after[0].contains(text)).count() < 200);
    }

    #[test]
    fn of_a_family_the_first_is_told_from_the_others() {
        let texts: Vec<String> = (0..50)
            .flat_map(|number| (0..3).map(move |member| family(number, member)))
            .collect();
        let (_folder, path) = file(&texts);
        let near = NearDuplicates::new(0.8, 5).expect("a threshold");
        let split = Split::of_firsts(&path, near, ONE).expect("records");
        let mut counted = [0; 3];
        let count = |parts: &[Part; 3]| {
            counted
                .iter_mut()
                .zip(parts)
                .for_each(|(count, part)| *count += part.records);
            Ok(())
        };
        split.divide(count).expect("records");
        assert_eq!((counted, split.groups), ([50, 100, 0], (50, 150)));
    }

    #[test]
    fn a_line_that_is_no_record_is_named() {
        let (_folder, path) = file(&["a".to_owned()]);
        std::fs::write(&path, "{\"text\":\"a\"}\n").expect("the folder is writable");
        let error = Split::plan(&path, 0.1, 0.0, None, ONE).expect_err("no id");
        assert!(error.to_string().contains("`id` is missing"), "{error}");
    }
}
