//! Ids in the order in which merges make them: the symbols first, so that what is frequent has a small number.

/// No number.
const UNKNOWN: u32 = u32::MAX;

/// Numbers for ids, from 0 without a hole.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    ids: Vec<u32>,
    numbers: Vec<u32>,
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
        (&self.ids, &self.numbers)
    }

    /// What [`Self::parts`] gave.
    pub(super) fn of_parts(ids: Vec<u32>, numbers: Vec<u32>) -> Self {
        Self { ids, numbers }
    }

    /// The number of `id`, a new one if it has none.
    pub(super) fn number(&mut self, id: u32) -> u32 {
        if let Some(number) = self.get(id) {
            return number;
        }
        let number = self.len();
        self.ids.push(id);
        if self.numbers.len() <= id as usize {
            self.numbers.resize(id as usize + 1, UNKNOWN);
        }
        self.numbers[id as usize] = number;
        number
    }

    /// The number of `id`, if it has one.
    #[inline]
    pub(super) fn get(&self, id: u32) -> Option<u32> {
        self.numbers
            .get(id as usize)
            .copied()
            .filter(|&number| number != UNKNOWN)
    }

    /// The id that has `number`.
    #[inline]
    pub(super) fn id(&self, number: u32) -> u32 {
        self.ids[number as usize]
    }

    #[expect(clippy::cast_possible_truncation, reason = "ids are below two million")]
    pub(super) fn len(&self) -> u32 {
        self.ids.len() as u32
    }
}
