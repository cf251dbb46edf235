//! Ids in the order in which merges make them: the symbols first, so that what is frequent has a small number.

#![expect(clippy::cast_possible_truncation, reason = "ids are below two million")]

/// No number.
const UNKNOWN: u32 = u32::MAX;

/// Numbers for ids, from 0 without a hole.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    ids: Vec<u32>,
    by_id: Vec<u32>,
    /// From this number on every one is the id itself, as in most published vocabularies from that of the first merge.
    own_from: u32,
}

impl Numbers {
    /// The ids `symbols`, each once, in their order.
    pub(super) fn of(symbols: &[u32]) -> Self {
        let mut numbers = Self::default();
        for &symbol in symbols {
            numbers.number(symbol);
        }
        numbers
    }

    /// The ids by number, and the numbers by id.
    pub(super) fn parts(&self) -> (&[u32], &[u32]) {
        (&self.ids, &self.by_id)
    }

    /// What [`Self::parts`] gave.
    pub(super) fn of_parts(ids: Vec<u32>, by_id: Vec<u32>) -> Self {
        let own = (0..ids.len())
            .zip(&ids)
            .rev()
            .take_while(|&(number, &id)| number == id as usize);
        Self {
            own_from: (ids.len() - own.count()) as u32,
            ids,
            by_id,
        }
    }

    /// The number of `id`, a new one if it has none.
    pub(super) fn number(&mut self, id: u32) -> u32 {
        if let Some(number) = self.get(id) {
            return number;
        }
        let number = self.len();
        self.ids.push(id);
        if id != number {
            self.own_from = number + 1;
        }
        if self.by_id.len() <= id as usize {
            self.by_id.resize(id as usize + 1, UNKNOWN);
        }
        self.by_id[id as usize] = number;
        number
    }

    /// The number of `id`, if it has one.
    #[inline]
    pub(super) fn get(&self, id: u32) -> Option<u32> {
        self.by_id
            .get(id as usize)
            .copied()
            .filter(|&number| number != UNKNOWN)
    }

    /// The id that has `number`.
    #[inline]
    pub(super) fn id(&self, number: u32) -> u32 {
        if number >= self.own_from {
            number
        } else {
            self.ids[number as usize]
        }
    }

    pub(super) fn len(&self) -> u32 {
        self.ids.len() as u32
    }
}
