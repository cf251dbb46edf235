//! Numbers of chance for tests, the same in every run.

use std::fmt::Debug;

/// Draws numbers below the one it is given; which they are follows from `seed`.
pub(crate) fn random<T>(seed: u64) -> impl FnMut(T) -> T
where
    T: TryInto<u64, Error: Debug> + TryFrom<u64, Error: Debug>,
{
    let mut state = seed;
    move |below| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let below = below.try_into().expect("not negative");
        T::try_from((state >> 33) % below).expect("below a number of its kind")
    }
}
