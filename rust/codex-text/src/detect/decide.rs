//! The answer, from what one pass over the bytes has gathered.

use super::candidates::{self, Family};
use super::evidence::Evidence;
use super::model::NAT;
use super::passage::Passage;
use super::single::Reading;
use super::watch::Errors;
use super::{Alternative, Detection, Detector, binary, east_asian, escape, single, wide};
use crate::scan::Scan;
use crate::scan::count::is_control;
use crate::scan::utf8::PLACES;

/// Good sequences for each error that make UTF-8 with errors of what is not all UTF-8.
const GOOD_FOR_AN_ERROR: u64 = 2;
/// What a control or zero byte costs in encodings whose bytes are characters.
const CONTROL: u32 = 14 * NAT;
/// What a hint is worth: as much as the bytes of a word or two.
const HINT: u32 = 10 * NAT;
/// What the likeliest reading of bytes that are mostly not ASCII may cost for each of them, if it is one, and what besides: texts cost
/// up to 4.9 nats a byte if they are long, noise 5.8 and more.
const MOST_FOR_A_BYTE: usize = 5 * NAT as usize + 3 * NAT as usize / 4;
const MOST_BESIDES: usize = 22 * NAT as usize;
/// The same where noise is not the likeliest: in Korean, whose rare syllables cost as much as it does (it reads as Chinese), and among a
/// few encodings that were asked for, of which none may be the right one.
const MOST_FOR_A_RARE_BYTE: usize = 8 * NAT as usize + NAT as usize / 2;
/// The same for each unit of UTF-16 where most bytes are controls in any other encoding, so that nothing else is compared.
const MOST_FOR_A_LONE_UNIT: usize = 7 * NAT as usize;

pub(super) fn decide(of: &Detector) -> Detection {
    let is_allowed = |found: &Detection| found.encoding.is_none_or(|name| of.limits.allows(name));
    let found = marked(of)
        .filter(is_allowed)
        .or_else(|| structured(of).filter(is_allowed))
        .unwrap_or_else(|| likeliest(of));
    if found.encoding.is_some() || binary::magic(&of.head).is_some() {
        return found;
    }
    match wide_text(&of.head) {
        Some(reading) if of.limits.allows(reading.name) => Detection {
            language: Some(reading.language),
            ..wide_text_of(of, reading.name, "UTF-16 by its characters")
        },
        _ => found,
    }
}

fn answer(scan: &Scan, encoding: Option<&'static str>, why: &'static str) -> Detection {
    Detection {
        encoding,
        language: None,
        confidence: 1.0,
        byte_order_mark: false,
        errors: 0,
        places: Vec::new(),
        newlines: scan.newlines,
        alternatives: Vec::new(),
        why,
    }
}

fn utf8(scan: &Scan, encoding: &'static str, why: &'static str) -> Detection {
    Detection {
        errors: scan.utf8.errors,
        places: scan.utf8.places.clone(),
        ..answer(scan, Some(encoding), why)
    }
}

/// Wide text; bytes that are no whole unit are one error, and so is each surrogate that stands alone in the head.
fn wide_text_of(of: &Detector, encoding: &'static str, why: &'static str) -> Detection {
    let unit = if encoding.starts_with("utf-32") { 4 } else { 2 };
    let cut = of.scan.bytes % unit;
    let is_big = encoding.ends_with("be") || (!encoding.ends_with("le") && of.head[0] != 0xff);
    let is_whole = of.head.len() as u64 == of.scan.bytes;
    let alone = if unit == 4 {
        Vec::new()
    } else {
        wide::alone(&of.head, is_big, is_whole)
    };
    let end = (cut > 0).then_some(of.scan.bytes - cut);
    Detection {
        errors: alone.len() as u64 + u64::from(cut > 0),
        places: alone.into_iter().chain(end).take(PLACES).collect(),
        ..answer(&of.scan, Some(encoding), why)
    }
}

/// What a byte-order mark says.
fn marked(of: &Detector) -> Option<Detection> {
    let why = "byte-order mark";
    let found = match *of.head {
        [0xef, 0xbb, 0xbf, ..] => utf8(&of.scan, "utf-8-sig", why),
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => wide_text_of(of, "utf-32", why),
        [mark @ 0xff, 0xfe, ..] | [mark @ 0xfe, 0xff, ..] if !wide::is_noise(&of.head[2..], mark == 0xfe) => {
            wide_text_of(of, "utf-16", why)
        }
        _ => return None,
    };
    Some(Detection {
        byte_order_mark: true,
        ..found
    })
}

/// What the bytes say without any model: known formats, zero bytes, escapes, ASCII, UTF-8.
fn structured(of: &Detector) -> Option<Detection> {
    let (scan, head) = (&of.scan, &of.head[..]);
    if binary::magic(head).is_some() {
        return Some(answer(scan, None, "binary: a known format"));
    }
    if let Some(name) = wide::by_nuls(head, scan.nuls, scan.bytes) {
        return Some(wide_text_of(
            of,
            name,
            "zero bytes where wide characters have them",
        ));
    }
    if scan.is_ascii
        && let Some(name) = escape::find(&head[..head.len().min(escape::LOOKED_AT)], &of.limits)
    {
        return Some(answer(scan, Some(name), "escape sequences"));
    }
    let is_text = !is_dense(scan, 20);
    if scan.utf8.errors == 0 {
        return Some(match (is_text, scan.is_ascii) {
            (false, _) => answer(scan, None, "binary: many controls"),
            (true, true) if of.limits.allows("ascii") => answer(scan, Some("ascii"), "all bytes are ASCII"),
            (true, true) if of.limits.allows("utf-8") => utf8(scan, "utf-8", "all bytes are UTF-8"),
            (true, true) => return None,
            (true, false) => utf8(scan, "utf-8", "all bytes are UTF-8"),
        });
    }
    let is_cut = scan.utf8.is_cut && scan.utf8.errors == 1 && scan.utf8.sequences > 0;
    let is_almost = scan.utf8.sequences >= GOOD_FOR_AN_ERROR * scan.utf8.errors || is_cut;
    (is_text && is_almost).then(|| utf8(scan, "utf-8", "almost all sequences are UTF-8"))
}

/// The encoding in which the bytes read like a language.
fn likeliest(of: &Detector) -> Detection {
    let Some(mut readings) = plausible(of) else {
        return answer(&of.scan, None, "binary: no encoding fits");
    };
    // Spans that begin or end within a character may have hidden that the better known encoding reads all of them.
    if let Some(name) = east_asian::narrower(readings[0].name)
        && of.limits.allows(name)
        && errors(of, name).0 == 0
    {
        readings[0].name = name;
        let mut is_first = true;
        readings.retain(|reading| reading.name != name || std::mem::take(&mut is_first));
    }
    let best = &readings[0];
    let behind = |reading: &Reading| f64::from(reading.cost - best.cost) / f64::from(NAT);
    let margin = readings.get(1).map_or(f64::INFINITY, behind);
    let (errors, places) = errors(of, best.name);
    let alternatives = readings[1..].iter().take(4).map(|reading| Alternative {
        encoding: reading.name,
        language: reading.language,
        nats_behind: behind(reading),
    });
    Detection {
        language: Some(best.language),
        confidence: 1.0 - 0.5 * (-margin / 3.0).exp(),
        errors,
        places,
        alternatives: alternatives.collect(),
        ..answer(&of.scan, Some(best.name), "the likeliest reading")
    }
}

/// All readings, the likeliest first; none if even that is noise.
pub(super) fn plausible(of: &Detector) -> Option<Vec<Reading>> {
    if of.is_noise {
        return None;
    }
    let readings = readings(of);
    let best = readings.first()?;
    let is_wide = best.name.starts_with("utf-16");
    let is_binary = is_dense(&of.scan, 50) && !is_like_ebcdic(&of.scan);
    (is_wide || !(is_binary || reads_like_nothing(of, best))).then_some(readings)
}

/// Whether more than one byte in `one_in` is a control or zero.
fn is_dense(scan: &Scan, one_in: u64) -> bool {
    (scan.controls + scan.nuls.iter().sum::<u64>()) * one_in > scan.bytes
}

/// Whether bytes that are mostly not ASCII read like nothing even in the likeliest encoding.
fn reads_like_nothing(of: &Detector, best: &Reading) -> bool {
    let evidence = &of.evidence.bytes;
    let most_for_a_byte = if best.language == "ko" || !of.limits.include.is_empty() {
        MOST_FOR_A_RARE_BYTE
    } else {
        MOST_FOR_A_BYTE
    };
    let read = east_asian::listed(best.name).map_or_else(
        || of.evidence.high_bytes(),
        |listed| east_asian::bytes_of_characters(listed, evidence),
    );
    read * 3 > evidence.len() && best.cost as usize > most_for_a_byte * read + MOST_BESIDES
}

/// UTF-16, if the head reads as text in it.
fn wide_text(head: &[u8]) -> Option<Reading> {
    let units = head.len().min(wide::SAMPLE) / 2;
    let best = wide::rank(head).into_iter().min_by_key(|reading| reading.cost)?;
    (units >= 2 && (best.cost as usize) < MOST_FOR_A_LONE_UNIT * units).then_some(best)
}

/// What the controls among so many bytes cost.
fn control_cost(controls: u64) -> u32 {
    u32::try_from(controls).unwrap_or(u32::MAX).min(1000) * CONTROL
}

/// All readings, the likeliest first.
fn readings(of: &Detector) -> Vec<Reading> {
    let scan = &of.scan;
    let sample = &of.head[..of.head.len().min(wide::SAMPLE)];
    let wide: Vec<Reading> = wide::rank(&of.head)
        .into_iter()
        .filter(|reading| (reading.cost as usize) < wide::MOST_FOR_A_UNIT * (sample.len() / 2))
        .filter(|reading| of.limits.allows(reading.name))
        .collect();
    let is_like_ebcdic = is_like_ebcdic(scan);
    if is_dense(scan, 50) && !is_like_ebcdic && wide.is_empty() {
        return Vec::new(); // no other reading would be taken for text
    }
    let narrow = |bytes: &[u8], controls: u64| {
        let passage = Passage::of(bytes);
        let probed = east_asian::Probed::of(&passage);
        // What is found first spares the others most of their reading.
        let least = |readings: &[Reading]| readings.iter().map(|reading| reading.cost).min();
        let single = |known| single::rank(&passage, &scan.histogram, Family::Ascii, &of.limits, known);
        let mut readings;
        if probed.is_likely() {
            let asian = probed.rank(&of.limits, u32::MAX, single::TOLD);
            readings = single(least(&asian));
            readings.extend(asian);
        } else {
            readings = single(None);
            let most = least(&readings).map_or(u32::MAX, |cost| cost + single::TOLD);
            readings.extend(probed.rank(&of.limits, most, single::TOLD));
        }
        for reading in &mut readings {
            reading.cost += control_cost(controls);
        }
        readings
    };
    let mut readings = narrow(
        &of.evidence.but_utf_8(),
        scan.controls + scan.nuls.iter().sum::<u64>(),
    );
    let mut ebcdic = Vec::new();
    if is_like_ebcdic {
        // Beside the same bytes in UTF-16 the beginning is compared, else all that tells the encodings apart.
        let whole = if wide.is_empty() { &of.head[..] } else { sample };
        let evidence = Evidence::of_ebcdic(whole, wide::SAMPLE);
        ebcdic = single::rank(
            &Passage::of(&evidence.bytes),
            &scan.histogram,
            Family::Ebcdic,
            &of.limits,
            None,
        );
        readings.extend(&ebcdic);
    }
    let least = |readings: &[Reading]| {
        readings
            .iter()
            .map(|reading| reading.cost)
            .min()
            .unwrap_or(u32::MAX / 2)
    };
    if !wide.is_empty() {
        // Both sides of the comparison must have read the same bytes.
        let mut spans = Evidence::default();
        spans.collect(sample, wide::SAMPLE);
        let controls = sample
            .iter()
            .filter(|byte| **byte == 0 || is_control(**byte))
            .count() as u64;
        let other = least(&narrow(&spans.bytes, controls)).min(least(&ebcdic));
        let best = least(&readings);
        let ahead = wide.into_iter().filter(|reading| reading.cost < other);
        readings.extend(ahead.map(|reading| Reading {
            cost: best.saturating_sub(other - reading.cost),
            ..reading
        }));
    }
    for reading in &mut readings {
        if of.limits.hint.as_deref() == Some(reading.name) {
            reading.cost = reading.cost.saturating_sub(HINT);
        }
    }
    readings.sort_by_key(|reading| reading.cost);
    readings
}

/// Fewer bytes than this for a space of EBCDIC, and it is none of any script; ASCII has few of its own there.
const BYTES_FOR_A_SPACE: u64 = 12;

/// Whether most bytes are Latin letters and spaces of EBCDIC, or its spaces are where words have them.
fn is_like_ebcdic(scan: &Scan) -> bool {
    let bytes: u64 = scan.histogram.iter().sum();
    let (spaces, of_ascii) = (scan.histogram[0x40], scan.histogram[usize::from(b' ')]);
    let has_nuls = scan.nuls.iter().any(|count| *count > 0);
    if spaces > 8 * of_ascii && spaces * BYTES_FOR_A_SPACE >= bytes && !has_nuls {
        return true;
    }
    let letters = [
        0x40..=0x40,
        0x81..=0x89,
        0x91..=0x99,
        0xa2..=0xa9,
        0xc1..=0xc9,
        0xd1..=0xd9,
        0xe2..=0xe9,
    ];
    let sum: u64 = letters
        .into_iter()
        .flatten()
        .map(|byte: usize| scan.histogram[byte])
        .sum();
    sum * 5 >= bytes * 3
}

/// How many places do not decode in the encoding chosen, and where.
fn errors(of: &Detector, name: &'static str) -> (u64, Vec<u64>) {
    if name.starts_with("utf-16") {
        let cut = wide_text_of(of, name, "");
        return (cut.errors, cut.places);
    }
    if let Some(found) = of.watched.iter().find(|errors| errors.listed.name() == name) {
        return (found.count, found.first.into_iter().collect());
    }
    if let Some(listed) = east_asian::listed(name) {
        // All the bytes are in the head: of longer files this encoding is watched.
        let mut found = Errors::new(listed, 0);
        found.add(&of.head, false, true);
        return (found.count, found.first.into_iter().collect());
    }
    let holes = candidates::holes(name)
        .map(|byte| of.scan.histogram[usize::from(byte)])
        .sum();
    (holes, Vec::new())
}
