//! Encoded blocks, in order, to shards: the one place where order matters.

use super::encode::{Bad, Document, Encoded};
use super::progress::{Counts, Finished, Position, Progress};
use super::sources::name_of;
use super::{BadLines, MAXIMUM_SKIPPED};
use crate::error::{Error, Result};
use crate::shard::series::{Series, Shard};
use codex_file::digest::Hasher;
use codex_file::manifest::FileEntry;
use codex_records::BadLine;
use serde_json::{Value, json};
use std::path::Path;

/// Fills shards and notes each that is full.
pub(super) struct Collector<'a> {
    series: &'a Series,
    bad_lines: BadLines,
    progress: Progress,
    shard: Shard,
    /// The block that comes next.
    position: Position,
    /// Of all plain bytes before it.
    hasher: Hasher,
    counts: Counts,
    files: Vec<FileEntry>,
    skipped: Vec<Value>,
    /// How many of `skipped` have been noted.
    noted: usize,
}

impl<'a> Collector<'a> {
    /// Goes on behind `finished`, at the position of the last of it; `hasher` has all that comes before.
    pub(super) fn new(
        series: &'a Series,
        bad_lines: BadLines,
        progress: Progress,
        finished: Vec<Finished>,
        hasher: Hasher,
    ) -> Self {
        let (position, counts) = finished
            .last()
            .map(|last| (last.position, last.counts))
            .unwrap_or_default();
        let (mut files, mut skipped) = (Vec::new(), Vec::new());
        for entry in finished {
            files.push(entry.file);
            skipped.extend(entry.skipped);
        }
        Self {
            series,
            bad_lines,
            progress,
            shard: Shard::default(),
            position,
            hasher,
            counts,
            noted: skipped.len(),
            files,
            skipped,
        }
    }

    /// Takes the next block, which is of the file at `path`.
    pub(super) fn take(&mut self, encoded: &Encoded, path: &Path) -> Result<()> {
        if encoded.source != self.position.source {
            self.position = Position {
                source: encoded.source,
                ..Position::default()
            };
        }
        let mut ids = encoded.ids.as_slice();
        let mut bad = encoded.bad.iter().peekable();
        for document in &encoded.documents {
            while let Some(bad) = bad.next_if(|bad| bad.line < document.line) {
                self.pass_over(bad, path)?;
            }
            if !self.series.takes(&self.shard, document.tokens) {
                self.finish_shard(encoded, document)?;
            }
            let (own, rest) = ids.split_at(document.tokens);
            self.series.push(&mut self.shard, document.id, own);
            ids = rest;
            self.counts.documents += 1;
            self.counts.tokens += document.tokens as u64;
            self.counts.text_bytes += document.text_bytes;
            self.counts.ids_made += u64::from(document.is_id_made);
        }
        for bad in bad {
            self.pass_over(bad, path)?;
        }
        self.hasher.update(encoded.block.bytes());
        self.position.line += encoded.lines;
        self.position.byte = encoded.block.end();
        Ok(())
    }

    /// Writes the shard, into which `next` of this block does not go any more.
    fn finish_shard(&mut self, encoded: &Encoded, next: &Document) -> Result<()> {
        let passed = usize::try_from(next.start - encoded.block.start()).unwrap_or(usize::MAX);
        let mut hasher = self.hasher.clone();
        hasher.update(encoded.block.bytes().get(..passed).unwrap_or_default());
        let finished = Finished {
            file: self.series.write(self.files.len(), &mut self.shard)?,
            position: Position {
                source: encoded.source,
                byte: next.start,
                line: self.position.line + next.line,
            },
            prefix: hasher.finish().to_string(),
            counts: self.counts,
            skipped: self.skipped[self.noted..].to_vec(),
        };
        self.progress.add(&finished)?;
        self.noted = self.skipped.len();
        self.files.push(finished.file);
        Ok(())
    }

    fn pass_over(&mut self, bad: &Bad, path: &Path) -> Result<()> {
        let line = self.position.line + bad.line + 1;
        let found = || {
            codex_records::Error::from(BadLine {
                path: path.to_owned(),
                line,
                byte: bad.byte,
                reason: bad.reason.clone(),
            })
        };
        if self.bad_lines == BadLines::Raise {
            return Err(found().into());
        }
        if self.skipped.len() == MAXIMUM_SKIPPED {
            return Err(Error::document(format!(
                "more than {MAXIMUM_SKIPPED} lines are no documents; the last: {}",
                found()
            )));
        }
        self.counts.skipped_lines += 1;
        self.skipped.push(json!({
            "path": name_of(path),
            "line": line,
            "byte": bad.byte,
            "bytes": bad.bytes,
            "reason": bad.reason,
        }));
        Ok(())
    }

    /// Writes the last shard; then hands over what the manifest says, and what is to be removed behind it.
    pub(super) fn finish(mut self) -> Result<(Value, Progress)> {
        if self.shard.documents > 0 {
            let last = self.series.write(self.files.len(), &mut self.shard)?;
            self.files.push(last);
        }
        let files: Vec<Value> = self.files.iter().map(FileEntry::to_value).collect();
        let facts = json!({"files": files, "counts": self.counts.to_value(), "skipped": self.skipped});
        Ok((facts, self.progress))
    }
}
