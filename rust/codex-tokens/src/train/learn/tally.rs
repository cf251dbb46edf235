//! The pairs that one merge forms, counted by their other half: no hashing, and only those that matter get a list.

/// What a merge has formed with one neighbour.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Formed {
    pub(crate) count: u64,
    pub(crate) places: u32,
    /// One more than the number of its list, or 0 if it has none.
    pub(crate) list: u32,
}

/// One [`Formed`] for each possible neighbour.
#[derive(Debug)]
pub(crate) struct Tally {
    formed: Vec<Formed>,
    touched: Vec<u32>,
}

impl Tally {
    pub(crate) fn new(ids: usize) -> Self {
        Self {
            formed: vec![Formed::default(); ids],
            touched: Vec::new(),
        }
    }

    #[inline]
    pub(crate) fn add(&mut self, neighbour: u32, count: u64) {
        let formed = &mut self.formed[neighbour as usize];
        if formed.places == 0 {
            self.touched.push(neighbour);
        }
        formed.count += count;
        formed.places += 1;
    }

    /// Takes one `add` back.
    #[inline]
    pub(crate) fn take_back(&mut self, neighbour: u32, count: u64) {
        let formed = &mut self.formed[neighbour as usize];
        formed.count -= count;
        formed.places -= 1;
    }

    /// The list of `neighbour`, if it has one.
    #[inline]
    pub(crate) fn list(&self, neighbour: u32) -> Option<usize> {
        (self.formed[neighbour as usize].list as usize).checked_sub(1)
    }

    /// Hands every neighbour to `choose`, which says by one more than its number which list it gets.
    pub(crate) fn give_lists(&mut self, mut choose: impl FnMut(u32, Formed) -> u32) {
        for &neighbour in &self.touched {
            let formed = &mut self.formed[neighbour as usize];
            if formed.places > 0 && formed.list == 0 {
                formed.list = choose(neighbour, *formed);
            }
        }
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        for neighbour in self.touched.drain(..) {
            self.formed[neighbour as usize] = Formed::default();
        }
    }
}
