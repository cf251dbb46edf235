//! The smallest shingle of a text in each of many orders.

/// In how many orders.
pub const PERMUTATIONS: usize = 128;

/// The smallest number in each order; the largest there is where a text has no shingle.
pub(super) type Signature = [u32; PERMUTATIONS];

/// Orders that are looked at together: what they need fits into the registers of a processor.
const LANES: usize = 32;

/// Each order sorts by `factor * number + shift`, modulo 2^32.
struct Order {
    factors: [u32; LANES],
    shifts: [u32; LANES],
}

static ORDERS: [Order; PERMUTATIONS / LANES] = {
    const NONE: Order = Order {
        factors: [0; LANES],
        shifts: [0; LANES],
    };
    let mut orders = [NONE; PERMUTATIONS / LANES];
    let mut state = 0;
    let mut place = 0;
    while place < PERMUTATIONS {
        let order = &mut orders[place / LANES];
        (state, order.factors[place % LANES]) = drawn(state);
        (state, order.shifts[place % LANES]) = drawn(state);
        // Odd, so that no two numbers become one.
        order.factors[place % LANES] |= 1;
        place += 1;
    }
    orders
};

/// The next number of `SplitMix64`, its upper half.
const fn drawn(state: u64) -> (u64, u32) {
    let state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut value = state;
    value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (state, ((value ^ (value >> 31)) >> 32) as u32)
}

/// The signature of a set of shingles.
pub(super) fn sign(shingles: &[u32]) -> Signature {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: it has just been seen that the processor has AVX2.
        #[expect(unsafe_code, reason = "the processor's own instructions")]
        return unsafe { sign_by_avx2(shingles) };
    }
    sign_by_lanes(shingles)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn sign_by_avx2(shingles: &[u32]) -> Signature {
    sign_by_lanes(shingles)
}

/// Written so that the compiler takes several orders at a time.
#[allow(clippy::inline_always)] // else it is compiled once, without AVX2
#[inline(always)]
fn sign_by_lanes(shingles: &[u32]) -> Signature {
    let mut signature = [u32::MAX; PERMUTATIONS];
    let (places, []) = signature.as_chunks_mut::<LANES>() else {
        return signature;
    };
    for (smallest, Order { factors, shifts }) in places.iter_mut().zip(&ORDERS) {
        let mut lanes = *smallest;
        for shingle in shingles {
            for lane in 0..LANES {
                let place = factors[lane].wrapping_mul(*shingle).wrapping_add(shifts[lane]);
                lanes[lane] = lanes[lane].min(place);
            }
        }
        *smallest = lanes;
    }
    signature
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

    /// As it is defined, an order and a shingle at a time.
    fn slow(shingles: &[u32]) -> Signature {
        std::array::from_fn(|place| {
            let Order { factors, shifts } = &ORDERS[place / LANES];
            let (factor, shift) = (factors[place % LANES], shifts[place % LANES]);
            let places = shingles
                .iter()
                .map(|shingle| factor.wrapping_mul(*shingle).wrapping_add(shift));
            places.min().unwrap_or(u32::MAX)
        })
    }

    #[test]
    fn signatures_are_the_same_by_any_instructions() {
        for count in [0_u32, 1, 2, 7, 31, 32, 33, 1000] {
            let shingles: Vec<u32> = (0..count)
                .map(|number| number.wrapping_mul(2_654_435_761))
                .collect();
            assert_eq!(sign(&shingles), slow(&shingles));
            assert_eq!(sign_by_lanes(&shingles), slow(&shingles));
        }
    }

    #[test]
    fn the_orders_are_of_their_own() {
        let mut factors: Vec<u32> = ORDERS.iter().flat_map(|order| order.factors).collect();
        assert!(factors.iter().all(|factor| factor % 2 == 1));
        factors.sort_unstable();
        factors.dedup();
        assert_eq!(factors.len(), PERMUTATIONS);
    }
}
