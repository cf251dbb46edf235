//! Random numbers for the tests of this crate: the same seed, the same input.

/// Tells the next number below `below`, of a generator of Knuth's.
pub(crate) fn dice(seed: u64) -> impl FnMut(usize) -> usize {
    let mut state = seed;
    move |below| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below.max(1)
    }
}
