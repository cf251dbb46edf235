//! Which encoding bytes are in.
//!
//! `Detector` takes the bytes in pieces of any size; `detect` takes them at once. What needs no model is settled by the pass over all bytes
//! (`scan`); the rest by what the text would be in each encoding: the cost of a reading is -ln of its probability in the language that
//! suits it best, so that readings of different encodings can be compared.

mod alphabet;
mod binary;
mod candidates;
mod decide;
mod east_asian;
mod escape;
mod evidence;
mod forms;
#[cfg(test)]
mod fuzz;
mod lanes;
mod language;
mod limits;
mod model;
mod pairs;
mod passage;
mod priors;
mod single;
#[cfg(test)]
mod tests;
mod watch;
mod wide;

use crate::Newlines;
use crate::scan::sought::Sought;
use crate::scan::{BLOCK, Scan};
use east_asian::Probed;
use evidence::Evidence;
pub use language::{language_of, languages};
pub use limits::Limits;
use passage::Passage;
use watch::Errors;

/// What bytes are.
#[derive(Debug, Clone, PartialEq)]
pub struct Detection {
    /// A name that Python's `codecs.lookup` accepts and under which all bytes decode, but for `errors`; none if the bytes are no text.
    pub encoding: Option<&'static str>,
    /// The language whose model the answer rests on, such as `de`; none where none was needed.
    pub language: Option<&'static str>,
    /// From 0 to 1: how far the next best answer is behind.
    pub confidence: f64,
    /// Whether the bytes begin with a byte-order mark.
    pub byte_order_mark: bool,
    /// How many places do not decode.
    pub errors: u64,
    /// Offsets of the first of them.
    pub places: Vec<u64>,
    /// The newlines, as bytes.
    pub newlines: Newlines,
    /// The answers that were less likely, the best first.
    pub alternatives: Vec<Alternative>,
    /// The reason in a few words.
    pub why: &'static str,
}

/// An answer that was not given.
#[derive(Debug, Clone, PartialEq)]
pub struct Alternative {
    /// As in `Detection`.
    pub encoding: &'static str,
    /// As in `Detection`.
    pub language: &'static str,
    /// How much less likely it is than the answer: the difference of ln P.
    pub nats_behind: f64,
}

/// Finds the encoding of bytes that come in pieces; how they are cut changes nothing.
///
/// ```
/// let mut detector = codex_text::Detector::default();
/// for piece in ["Grüße aus ".as_bytes(), "Köln".as_bytes()] {
///     detector.feed(piece);
/// }
/// assert_eq!(detector.close().encoding, Some("utf-8"));
/// ```
#[derive(Debug, Default)]
pub struct Detector {
    /// Bytes that are no whole block yet.
    held: Vec<u8>,
    scan: Scan,
    head: Vec<u8>,
    evidence: Evidence,
    /// The East Asian encodings that the evidence so far is likely in, if there is more than one block.
    watched: Vec<Errors>,
    /// Bytes that stand for nothing in an encoding that the file may be in: counted wherever they are.
    holes: Vec<u8>,
    /// What makes a strange block worth a look at each of its bytes: `holes`, and bytes of which there is little evidence.
    sought: Sought,
    /// Whether the last strange block was looked at so.
    was_counted: bool,
    /// The first strange block reads like nothing.
    is_noise: bool,
    /// Blocks that are neither ASCII nor UTF-8, but for those that only say the same again.
    strange_blocks: u64,
    /// What the last of them repeats from its beginning to its end, if it does.
    period: Option<Box<[u8; PERIOD]>>,
    limits: Limits,
}

/// Evidence taken from the first block that is neither ASCII nor UTF-8, and from the second, fourth, eighth and so on.
const FIRST_EVIDENCE: usize = 4096;
const LATER_EVIDENCE: usize = 1024;

/// Bytes after which a block may repeat itself: up to eight bytes, again and again, are looked at once.
const PERIOD: usize = 840;
const _: () = assert!(
    BLOCK.is_multiple_of(PERIOD),
    "so that the next block begins like the last"
);

/// So far behind the likeliest, and no later evidence makes it the answer: its errors are no longer counted.
const FAR_BEHIND: u32 = 200 * model::NAT;

impl Detector {
    /// A detector that answers within limits.
    #[must_use]
    pub fn within(limits: Limits) -> Self {
        Self {
            limits,
            ..Self::default()
        }
    }

    /// Takes the next bytes.
    pub fn feed(&mut self, mut data: &[u8]) {
        if !self.held.is_empty() {
            let (now, later) = data.split_at(data.len().min(BLOCK - self.held.len()));
            self.held.extend_from_slice(now);
            data = later;
            if data.is_empty() {
                return;
            }
            let held = std::mem::take(&mut self.held);
            self.add(&held, false);
            self.held = held;
            self.held.clear();
        }
        while data.len() > BLOCK {
            let (block, rest) = data.split_at(BLOCK);
            self.add(block, false);
            data = rest;
        }
        self.held.extend_from_slice(data);
    }

    /// The answer for all bytes fed.
    #[must_use]
    pub fn close(mut self) -> Detection {
        let held = std::mem::take(&mut self.held);
        self.add(&held, true);
        decide::decide(&self)
    }

    fn add(&mut self, block: &[u8], is_last: bool) {
        if self.head.len() < BLOCK {
            self.head.extend_from_slice(block);
        }
        let start = self.scan.bytes;
        let period = period(block);
        let says_the_same = period.is_some() && period == self.period;
        let is_again = says_the_same && block.len() == BLOCK;
        let is_strange = self.scan.add(block, is_again, is_last);
        self.period = if is_strange { period } else { None };
        if is_strange {
            self.was_counted = if is_again {
                self.was_counted
            } else {
                self.strange_blocks == 0 || self.sought.is_in(block)
            };
            if self.was_counted {
                self.scan.count_bytes(block, is_again);
            }
            if !says_the_same {
                self.take_evidence(block);
                if self.strange_blocks == 1 && !(is_last && start == 0) {
                    self.narrow(start);
                }
            }
        }
        self.count_errors(block, is_again, is_last);
    }

    /// Counts the errors of a block in the encodings watched. Where one has its first, the one that has more characters is watched too.
    fn count_errors(&mut self, block: &[u8], is_again: bool, is_last: bool) {
        let mut wider = Vec::new();
        for errors in &mut self.watched {
            let had_none = errors.count == 0;
            errors.add(block, is_again, is_last);
            if had_none && errors.count > 0 {
                let listed = east_asian::wider(errors.listed.name());
                let allowed = listed.filter(|listed| self.limits.allows(listed.name()));
                wider.extend(allowed.map(|listed| errors.wider(listed, block, is_last)));
            }
        }
        self.watched.extend(wider);
    }

    fn take_evidence(&mut self, block: &[u8]) {
        self.strange_blocks += 1;
        let mut end = 0;
        if self.strange_blocks.is_power_of_two() {
            let limit = if self.strange_blocks == 1 {
                FIRST_EVIDENCE
            } else {
                LATER_EVIDENCE
            };
            end = self.evidence.collect(block, limit);
            if self.watched.len() > 1 {
                self.watch_the_likely();
            }
        }
        if self.was_counted {
            let counts = &self.scan.block;
            let present = (0x80..=u8::MAX).filter(|byte| counts[usize::from(*byte)] > 0);
            self.evidence.collect_rare(block, end, present);
            self.seek();
        }
    }

    fn seek(&mut self) {
        let rare = (0x80..=u8::MAX).filter(|byte| !self.evidence.has_enough_of(*byte));
        self.sought = Sought::of(rare.chain(self.holes.iter().copied()));
    }

    /// Drops what the evidence is not likely in from what is watched.
    fn watch_the_likely(&mut self) {
        let passage = Passage::of(&self.evidence.bytes);
        let likely = Probed::of(&passage).rank(&self.limits, u32::MAX, FAR_BEHIND);
        let is_likely = |name| likely.iter().any(|reading| reading.name == name);
        self.watched.retain(|errors| {
            let name = errors.listed.name();
            is_likely(name) || east_asian::narrower(name).is_some_and(is_likely)
        });
    }

    /// After the first strange block, what begins at `start`: which errors are counted in all that follows, since they are of encodings
    /// that the file may be in. Others are counted in part.
    fn narrow(&mut self, start: u64) {
        self.is_noise = binary::is_even(&self.scan.block) && wide::rank(&self.head).is_empty();
        let Some(readings) = decide::plausible(self) else {
            self.is_noise = true;
            return;
        };
        let most = readings[0].cost.saturating_add(FAR_BEHIND);
        let likely = readings.iter().take_while(|reading| reading.cost <= most);
        self.holes = likely
            .flat_map(|reading| candidates::holes(reading.name))
            .collect();
        self.seek();
        let passage = Passage::of(&self.evidence.bytes);
        let asian = Probed::of(&passage).rank(&self.limits, most, u32::MAX);
        let is_read = |name| asian.iter().any(|reading| reading.name == name);
        let listed = asian
            .iter()
            .filter(|reading| !east_asian::narrower(reading.name).is_some_and(is_read))
            .filter_map(|reading| east_asian::listed(reading.name));
        self.watched = listed.map(|listed| Errors::new(listed, start)).collect();
    }
}

/// What a block repeats from its beginning to its end.
fn period(block: &[u8]) -> Option<Box<[u8; PERIOD]>> {
    let first = block.first_chunk()?;
    (block[PERIOD..] == block[..block.len() - PERIOD]).then(|| Box::new(*first))
}

/// The encoding of bytes that are all there.
///
/// ```
/// let answer = codex_text::detect("Съешь же ещё этих мягких булок".as_bytes());
/// assert_eq!(answer.encoding, Some("utf-8"));
/// ```
#[must_use]
pub fn detect(data: &[u8]) -> Detection {
    detect_within(data, Limits::default())
}

/// The encoding of bytes that are all there, among those that `limits` leave.
#[must_use]
pub fn detect_within(data: &[u8], limits: Limits) -> Detection {
    let mut detector = Detector::within(limits);
    let mut rest = data;
    while rest.len() > BLOCK {
        let (block, later) = rest.split_at(BLOCK);
        detector.add(block, false);
        rest = later;
    }
    detector.add(rest, true);
    decide::decide(&detector)
}
