//! Which signatures are compared, and what they make of it: groups.

use super::kept::Kept;
use super::signature::{PLACES, Signature, equal_places};
use crate::Result;

/// How probably a pair at the threshold is compared, at least.
const COMPARED: f64 = 0.99;
/// How probably it is then found alike enough, at least.
const FOUND: f64 = 0.975;
/// Of texts that are equal in a band, each is compared with so many before it that are not in its group yet.
const WINDOW: usize = 256;
/// Keys that are sorted at once, of 16 bytes each.
const KEYS_AT_ONCE: usize = 1 << 22;

/// How signatures are cut, and from how many equal places on two are near duplicates.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    bands: usize,
    rows: usize,
    least_equal: usize,
}

impl Plan {
    #[allow(
        clippy::cast_precision_loss,
        clippy::cast_possible_wrap,
        clippy::cast_possible_truncation
    )] // up to 128
    pub(super) fn of(threshold: f64) -> Self {
        let is_compared = |rows: &usize| {
            let differs = 1.0 - threshold.powi(*rows as i32);
            1.0 - differs.powi((PLACES / rows) as i32) >= COMPARED
        };
        // The longer a band, the fewer pairs that are not alike are compared.
        let rows = (1..=16).rev().find(is_compared).unwrap_or(1);
        let mut fewer = 0.0;
        let least_equal = (0..PLACES).find(|places| {
            fewer += chance(*places, threshold);
            fewer > 1.0 - FOUND
        });
        Self {
            bands: PLACES / rows,
            rows,
            least_equal: least_equal.unwrap_or(PLACES),
        }
    }

    pub(super) fn bands(&self) -> usize {
        self.bands
    }

    /// What signatures that are equal in a band have in common.
    pub(super) fn key(&self, band: usize, signature: &Signature) -> u64 {
        let places = &signature[band * self.rows..(band + 1) * self.rows];
        places.iter().fold(0, |key, place| {
            (key ^ u64::from(*place))
                .wrapping_mul(0x9e37_79b9_7f4a_7c15)
                .rotate_left(29)
        })
    }
}

/// The chance of just so many equal places, where each is equal with the chance `each`.
#[allow(clippy::cast_precision_loss)] // up to 128
fn chance(places: usize, each: f64) -> f64 {
    let ways = (0..places).map(|place| (((PLACES - place) as f64) / ((place + 1) as f64)).ln());
    let differ = (PLACES - places) as f64;
    let rest = if each < 1.0 {
        differ * (1.0 - each).ln()
    } else {
        f64::NEG_INFINITY
    };
    (ways.sum::<f64>() + places as f64 * each.ln() + rest).exp()
}

/// For each text the first of its group. Memory holds 4 bytes a text, and the keys that are sorted at once.
pub(super) fn groups(kept: &dyn Kept, plan: &Plan) -> Result<Vec<u32>> {
    groups_by(kept, plan, KEYS_AT_ONCE)
}

fn groups_by(kept: &dyn Kept, plan: &Plan, keys_at_once: usize) -> Result<Vec<u32>> {
    let count = u32::try_from(kept.len()).unwrap_or(u32::MAX);
    let mut groups = Groups((0..count).collect());
    let mut keys: Vec<(u64, u32)> = Vec::new();
    // Keys are spread evenly, so each turn takes the same share of their range, the smallest first.
    let turns = kept.len().div_ceil(keys_at_once) as u128;
    for band in 0..plan.bands {
        for turn in 0..turns {
            keys.clear();
            kept.keys(band, &mut |key, text| {
                if (u128::from(key) * turns) >> 64 == turn {
                    keys.push((key, text));
                }
            })?;
            keys.sort_unstable();
            for alike in keys.chunk_by(|(one, _), (other, _)| one == other) {
                join_alike(alike, kept, plan.least_equal, &mut groups)?;
            }
        }
    }
    Ok((0..count).map(|text| groups.first_of(text)).collect())
}

/// Joins those of the texts with equal keys that are alike enough.
fn join_alike(alike: &[(u64, u32)], kept: &dyn Kept, least_equal: usize, groups: &mut Groups) -> Result<()> {
    for (place, &(_, text)) in alike.iter().enumerate() {
        let mut own = None;
        for &(_, before) in alike[place.saturating_sub(WINDOW)..place].iter().rev() {
            if groups.first_of(text) != groups.first_of(before) {
                let own = match &own {
                    Some(own) => own,
                    None => own.insert(kept.signature(text)?),
                };
                if equal_places(&kept.signature(before)?, own) >= least_equal {
                    groups.join(text, before);
                }
            }
        }
    }
    Ok(())
}

/// Disjoint sets; each text points towards the first of its own.
struct Groups(Vec<u32>);

impl Groups {
    fn first_of(&mut self, text: u32) -> u32 {
        let mut at = text;
        while self.0[at as usize] != at {
            let next = self.0[self.0[at as usize] as usize];
            self.0[at as usize] = next;
            at = next;
        }
        at
    }

    fn join(&mut self, one: u32, other: u32) {
        let (one, other) = (self.first_of(one), self.first_of(other));
        self.0[one.max(other) as usize] = one.min(other);
    }
}

#[cfg(test)]
mod tests {
    use super::super::kept::InMemory;
    use super::*;

    #[test]
    fn the_plan_keeps_what_it_promises_at_every_threshold() {
        for threshold in [0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0] {
            let plan = Plan::of(threshold);
            let found: f64 = (plan.least_equal..=PLACES)
                .map(|places| chance(places, threshold))
                .filter(|chance| chance.is_finite())
                .sum();
            assert!(plan.bands * plan.rows <= PLACES);
            if threshold < 1.0 {
                assert!(found >= FOUND, "{threshold}: {found}");
            }
        }
        let Plan {
            bands,
            rows,
            least_equal,
        } = Plan::of(0.8);
        assert_eq!((bands, rows, least_equal), (21, 6, 93));
        assert_eq!(Plan::of(1.0).least_equal, PLACES);
    }

    #[test]
    fn keys_sorted_in_turns_make_the_same_groups() {
        let mut kept = InMemory::new(Plan::of(0.8));
        for text in 0..400_u32 {
            let signature = |place: usize| {
                let place = u32::try_from(place).expect("up to 128");
                // Every tenth place tells texts of a family apart, and families share nothing.
                let family = (text / 4).wrapping_mul(0x9e37_79b9) ^ place.wrapping_mul(0x85eb_ca6b);
                if place % 10 == 3 { family ^ text } else { family }
            };
            kept.add(&[std::array::from_fn(signature)]).expect("memory");
        }
        let plan = Plan::of(0.8);
        let whole = groups_by(&kept, &plan, 1 << 20).expect("memory");
        assert_eq!(whole, (0..400).map(|text| text / 4 * 4).collect::<Vec<u32>>());
        for keys_at_once in [1, 7, 100] {
            assert_eq!(groups_by(&kept, &plan, keys_at_once).expect("memory"), whole);
        }
    }

    #[test]
    fn joined_texts_have_the_first_of_all_of_them() {
        let mut groups = Groups((0..6).collect());
        groups.join(5, 4);
        groups.join(1, 3);
        groups.join(4, 3);
        let firsts: Vec<u32> = (0..6).map(|text| groups.first_of(text)).collect();
        assert_eq!(firsts, [0, 1, 2, 1, 1, 1]);
    }
}
