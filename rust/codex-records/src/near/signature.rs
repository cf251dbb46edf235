//! One shingle of a text for each of many places: two texts have the same one as probably as a shingle of either is one of both.
//!
//! Dahlgaard, Knudsen and Thorup 2017, "Fast Similarity Sketching": in each round every shingle falls to one place, and of those
//! that fall to a place which has none yet the smallest stays. A text of many shingles is done after one or two rounds, where 128
//! orders of them (Broder 1997) cost 128; estimates are as certain.

/// How many places there are.
pub(super) const PLACES: usize = 128;

/// After so many rounds each place that is left has one of its own.
const ROUNDS: u32 = 128;

/// What has fallen to each place; the largest number there is where a text has no shingle.
pub(super) type Signature = [u32; PLACES];

const EMPTY: u32 = u32::MAX;
/// The upper bits of a number are the place it falls to.
const PLACE_SHIFT: u32 = u32::BITS - PLACES.ilog2();

/// Numbers that are drawn at once, before each falls to its place.
const DRAWN_AT_ONCE: usize = 64;

/// The signature of a set of shingles.
pub(super) fn sign(shingles: &[u32]) -> Signature {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: it has just been seen that the processor has AVX2.
        #[expect(unsafe_code, reason = "the processor's own instructions")]
        return unsafe { sign_by_avx2(shingles) };
    }
    sign_by_rounds(shingles)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn sign_by_avx2(shingles: &[u32]) -> Signature {
    sign_by_rounds(shingles)
}

#[allow(clippy::inline_always)] // else it is compiled once, without AVX2
#[inline(always)]
fn sign_by_rounds(shingles: &[u32]) -> Signature {
    let mut signature = [EMPTY; PLACES];
    if shingles.is_empty() {
        return signature;
    }
    for round in 0..ROUNDS {
        let mut fallen = [EMPTY; PLACES];
        let mut fall = |number: u32| {
            let smallest = &mut fallen[(number >> PLACE_SHIFT) as usize];
            *smallest = number.min(*smallest);
        };
        let (many, rest) = shingles.as_chunks::<DRAWN_AT_ONCE>();
        for shingles in many {
            shingles
                .map(|shingle| drawn(shingle, round))
                .into_iter()
                .for_each(&mut fall);
        }
        for shingle in rest {
            fall(drawn(*shingle, round));
        }
        let mut is_full = true;
        for (kept, fallen) in signature.iter_mut().zip(fallen) {
            *kept = if *kept == EMPTY { fallen } else { *kept };
            is_full &= *kept != EMPTY;
        }
        if is_full {
            return signature;
        }
    }
    for (place, kept) in (0..).zip(&mut signature) {
        if *kept == EMPTY {
            *kept = last_resort(shingles, place);
        }
    }
    signature
}

/// What stays at a place to which nothing has fallen: all shingles fall there.
fn last_resort(shingles: &[u32], place: u32) -> u32 {
    let numbers = shingles.iter().map(|shingle| drawn(*shingle, ROUNDS + place));
    let smallest = numbers.min();
    smallest.map_or(EMPTY, |number| place << PLACE_SHIFT | number >> PLACES.ilog2())
}

/// The number of a shingle in a round; no two shingles have the same one. (The finalizer of `MurmurHash3`.)
#[allow(clippy::inline_always)] // as what calls it
#[inline(always)]
fn drawn(shingle: u32, round: u32) -> u32 {
    let number = shingle.wrapping_add(round.wrapping_mul(0x9e37_79b9));
    let number = (number ^ (number >> 16)).wrapping_mul(0x85eb_ca6b);
    let number = (number ^ (number >> 13)).wrapping_mul(0xc2b2_ae35);
    number ^ (number >> 16)
}

/// At how many places two signatures are equal.
pub(super) fn equal_places(one: &Signature, other: &Signature) -> usize {
    one.iter()
        .zip(other)
        .map(|(one, other)| usize::from(one == other))
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As it is defined, place by place.
    fn slow(shingles: &[u32]) -> Signature {
        std::array::from_fn(|place| {
            let in_round = |round| {
                let numbers = shingles.iter().map(|shingle| drawn(*shingle, round));
                numbers
                    .filter(|number| (number >> PLACE_SHIFT) as usize == place)
                    .min()
            };
            let place = u32::try_from(place).expect("of 128");
            (0..128)
                .find_map(in_round)
                .unwrap_or_else(|| last_resort(shingles, place))
        })
    }

    #[test]
    fn signatures_are_what_they_are_defined_to_be() {
        for count in [0_u32, 1, 2, 3, 7, 31, 128, 300, 1000, 5000] {
            let mut shingles: Vec<u32> = (0..count)
                .map(|number| number.wrapping_mul(2_654_435_761))
                .collect();
            let signature = sign(&shingles);
            assert_eq!(signature, slow(&shingles), "{count}");
            assert_eq!(signature, sign_by_rounds(&shingles), "{count}");
            // A set has no order and nothing twice.
            shingles.reverse();
            shingles.extend_from_within(..);
            assert_eq!(signature, sign(&shingles));
            assert!(count == 0 || signature.iter().all(|number| *number != EMPTY));
        }
    }

    /// What the plan of bands counts on: equal places are as many as similarity says, and vary no more than by chance.
    #[test]
    fn equal_places_vary_no_more_than_those_of_independent_orders() {
        for (own, shared) in [(1, 8), (10, 80), (60, 480), (400, 3200), (200, 400)] {
            let similarity = f64::from(shared) / f64::from(shared + 2 * own);
            let rounds = 400;
            let (mut sum, mut squares) = (0.0, 0.0);
            for round in 0..rounds {
                let number = |at: u32| (at + round * 10_000).wrapping_mul(2_654_435_761);
                let one: Vec<u32> = (0..shared + own).map(number).collect();
                let other: Vec<u32> = (0..shared)
                    .chain(shared + own..shared + 2 * own)
                    .map(number)
                    .collect();
                let equal = equal_places(&sign(&one), &sign(&other));
                let share = f64::from(u32::try_from(equal).expect("of 128")) / 128.0;
                sum += share;
                squares += (share - similarity).powi(2);
            }
            let (mean, variance) = (sum / f64::from(rounds), squares / f64::from(rounds));
            let by_chance = similarity * (1.0 - similarity) / 128.0;
            assert!(
                (mean - similarity).abs() < 4.0 * (by_chance / f64::from(rounds)).sqrt(),
                "{mean} for {similarity}"
            );
            assert!(variance < 1.3 * by_chance, "{variance} for {by_chance}");
        }
    }
}
