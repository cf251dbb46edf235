//! Sets of scalars: what `[...]`, `\p{...}` and a letter stand for.

use super::super::kinds::{KIND_RUNS, KindSet};
use crate::unicode::SCRIPTS;

const LAST: u32 = 0x10_ffff;

/// Inclusive ranges, ascending, none touching the next.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Set(Vec<(u32, u32)>);

impl Set {
    pub(super) fn of(ranges: impl IntoIterator<Item = (u32, u32)>) -> Self {
        let mut ranges: Vec<(u32, u32)> = ranges.into_iter().collect();
        ranges.sort_unstable();
        let mut set = Self::default();
        for (first, last) in ranges {
            match set.0.last_mut() {
                Some(before) if first <= before.1.saturating_add(1) => before.1 = before.1.max(last),
                _ => set.0.push((first, last)),
            }
        }
        set
    }

    pub(super) fn of_scalar(scalar: char) -> Self {
        Self(vec![(scalar.into(), scalar.into())])
    }

    pub(super) fn of_kinds(kinds: KindSet) -> Self {
        let ranges = KIND_RUNS.iter().filter(|&&(.., kind)| kinds >> kind & 1 == 1);
        Self::of(ranges.map(|&(first, last, _)| (first, last)))
    }

    /// The scalars of a script, if it is one of those that are known.
    pub(super) fn of_script(name: &str) -> Option<Self> {
        SCRIPTS
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, ranges)| Self::of(ranges.iter().copied()))
    }

    pub(super) fn negated(&self) -> Self {
        let mut next = 0;
        let mut set = Self::default();
        for &(first, last) in &self.0 {
            if next < first {
                set.0.push((next, first - 1));
            }
            next = last + 1;
        }
        if next <= LAST {
            set.0.push((next, LAST));
        }
        set
    }

    pub(super) fn union(&self, other: &Self) -> Self {
        Self::of(self.0.iter().chain(&other.0).copied())
    }

    pub(super) fn intersection(&self, other: &Self) -> Self {
        self.negated().union(&other.negated()).negated()
    }

    pub(super) fn ranges(&self) -> &[(u32, u32)] {
        &self.0
    }

    #[cfg(test)]
    pub(super) fn contains(&self, scalar: char) -> bool {
        let scalar = u32::from(scalar);
        self.0
            .iter()
            .any(|&(first, last)| (first..=last).contains(&scalar))
    }

    /// The set with the other case of its letters, or `None` if it holds a letter outside of ASCII that has one.
    pub(super) fn without_case(&self) -> Option<Self> {
        let mut folded = self.clone();
        for scalar in self
            .0
            .iter()
            .flat_map(|&(first, last)| first..=last)
            .filter_map(char::from_u32)
        {
            if scalar.is_ascii() {
                let others = [scalar.to_ascii_lowercase(), scalar.to_ascii_uppercase()];
                let beyond = match scalar.to_ascii_lowercase() {
                    's' => Some('\u{17f}'),
                    'k' => Some('\u{212a}'),
                    _ => None,
                };
                for other in others.into_iter().chain(beyond) {
                    folded = folded.union(&Self::of_scalar(other));
                }
            } else if !scalar.to_lowercase().eq([scalar]) || !scalar.to_uppercase().eq([scalar]) {
                return None;
            }
        }
        Some(folded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_what_their_names_say() {
        let set = Set::of([(5, 9), (1, 3), (4, 4), (20, LAST)]);
        assert_eq!(set.ranges(), [(1, 9), (20, LAST)]);
        assert_eq!(set.negated().ranges(), [(0, 0), (10, 19)]);
        assert_eq!(
            set.intersection(&Set::of([(0, 2), (8, 30)])).ranges(),
            [(1, 2), (8, 9), (20, 30)]
        );
        assert_eq!(set.negated().negated(), set);
        assert_eq!(Set::default().negated().ranges(), [(0, LAST)]);
    }

    #[test]
    fn case_is_that_of_ascii_and_of_the_two_letters_that_fold_into_it() {
        let folded =
            Set::of([(u32::from('s'), u32::from('s')), (u32::from('!'), u32::from('!'))]).without_case();
        assert!(folded.is_some_and(|set| {
            ['s', 'S', '\u{17f}', '!']
                .iter()
                .all(|&scalar| set.contains(scalar))
        }));
        assert!(
            Set::of_scalar('K')
                .without_case()
                .is_some_and(|set| set.contains('\u{212a}'))
        );
        assert_eq!(Set::of_scalar('\u{e9}').without_case(), None);
    }
}
