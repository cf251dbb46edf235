//! Lines changed at random, the same in every run: what reads them fast is held to what reads them by definition.

/// Draws changed lines from a seed.
pub(crate) struct Mutations(pub(crate) u64);

impl Mutations {
    /// `line` with `fewest` to three bytes removed, doubled elsewhere, replaced or made a mark of JSON; `None` if what comes out is
    /// not UTF-8.
    pub(crate) fn next(&mut self, line: &[u8], fewest: usize) -> Option<String> {
        let mut mutated = line.to_vec();
        for _ in 0..fewest + self.random(4 - fewest) {
            let (place, other) = (self.random(mutated.len()), line[self.random(line.len())]);
            match self.random(4) {
                0 => drop(mutated.remove(place)),
                1 => mutated.insert(place, other),
                2 => mutated[place] = other,
                _ => mutated[place] = b" \"\\{}[],:0e.u\n"[self.random(14)],
            }
        }
        String::from_utf8(mutated).ok()
    }

    /// A number below `below`.
    pub(crate) fn random(&mut self, below: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % below
    }
}
