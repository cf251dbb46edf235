//! Values of each line in columns, each of one type, laid out as Arrow lays them out.

use super::check::{self, Wanted};
use super::keys::{Keys, is_same};
use super::walk::{Scalar, Walker};
use super::{Rules, Take};
use crate::Fault;

/// What a column holds; `null` and a missing key are a null in any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnType {
    /// Strings.
    Text,
    /// Integers of 64 bits, signed.
    Integer,
    /// Doubles; integers are taken if a double holds them exactly.
    Float,
    /// Booleans.
    Boolean,
    /// Any value, as the JSON that stands there.
    Json,
}

/// One column of a batch.
#[derive(Debug)]
pub struct Column {
    /// Its key.
    pub name: String,
    /// Its values; one that is null holds zero or nothing.
    pub values: Values,
    /// A bit for each row, the lowest first: whether it is not null.
    pub validity: Vec<u8>,
    /// How many rows are null.
    pub nulls: usize,
}

/// The values of a column.
#[derive(Debug)]
pub enum Values {
    /// UTF-8 one behind the other, and where each ends, behind a zero.
    Text {
        /// Whether they are pieces of JSON.
        is_json: bool,
        /// All bytes.
        bytes: Vec<u8>,
        /// One more than there are rows.
        ends: Vec<i64>,
    },
    /// Integers.
    Integer(Vec<i64>),
    /// Doubles.
    Float(Vec<f64>),
    /// A bit for each row, the lowest first.
    Boolean(Vec<u8>),
}

/// The columns of a batch, in the order they were asked for.
#[derive(Debug, Default)]
pub struct Columns {
    all: Vec<Column>,
    slots: Vec<Slot>,
    rows: usize,
    keys: Keys,
}

/// What a row has for a column; its bytes stand at the end of the column already.
#[derive(Clone, Copy, Debug)]
enum Slot {
    Null,
    Boolean(bool),
    Integer(i64),
    Float(f64),
    Bytes,
}

impl Column {
    fn new(name: &str, kind: ColumnType) -> Self {
        let text = |is_json| Values::Text {
            is_json,
            bytes: Vec::new(),
            ends: vec![0],
        };
        Self {
            name: name.to_owned(),
            values: match kind {
                ColumnType::Text => text(false),
                ColumnType::Json => text(true),
                ColumnType::Integer => Values::Integer(Vec::new()),
                ColumnType::Float => Values::Float(Vec::new()),
                ColumnType::Boolean => Values::Boolean(Vec::new()),
            },
            validity: Vec::new(),
            nulls: 0,
        }
    }

    fn clear(&mut self) {
        match &mut self.values {
            Values::Text { bytes, ends, .. } => {
                bytes.clear();
                ends.truncate(1);
            }
            Values::Integer(values) => values.clear(),
            Values::Float(values) => values.clear(),
            Values::Boolean(bits) => bits.clear(),
        }
        self.validity.clear();
        self.nulls = 0;
    }

    /// Reads the value of this column that comes next.
    fn read(&mut self, walker: &mut Walker<'_>) -> Option<Slot> {
        self.forget();
        let start = walker.peek().map(|_| walker.at())?;
        if let Values::Text { is_json, bytes, .. } = &mut self.values {
            if *is_json {
                walker.skip()?;
                let json = walker.slice(start, walker.at());
                if json == b"null" {
                    return Some(Slot::Null);
                }
                bytes.extend_from_slice(json);
                return Some(Slot::Bytes);
            }
            if walker.peek() == Some(b'"') {
                return walker.string_into(bytes).map(|()| Slot::Bytes);
            }
        }
        match (&self.values, walker.scalar()?) {
            (_, Scalar::Null) => Some(Slot::Null),
            (Values::Integer(_), Scalar::Integer(value)) => Some(Slot::Integer(value)),
            (Values::Integer(_), Scalar::Digits(start, end)) => {
                let digits = std::str::from_utf8(walker.slice(start, end)).ok()?;
                digits.parse().ok().filter(|_| digits != "-0").map(Slot::Integer)
            }
            (Values::Float(_), Scalar::Float(value)) => Some(Slot::Float(value)),
            (Values::Float(_), Scalar::Integer(value)) => exact(value).map(Slot::Float),
            (Values::Float(_), Scalar::Digits(start, end)) if walker.slice(start, end) == b"-0" => {
                Some(Slot::Float(-0.0))
            }
            (Values::Boolean(_), Scalar::Boolean(value)) => Some(Slot::Boolean(value)),
            _ => None,
        }
    }

    /// Drops bytes that belong to no row.
    fn forget(&mut self) {
        if let Values::Text { bytes, ends, .. } = &mut self.values {
            let end = ends.last().copied().unwrap_or(0);
            bytes.truncate(usize::try_from(end).unwrap_or(0));
        }
    }

    fn push(&mut self, row: usize, slot: Slot) {
        let bit = |bits: &mut Vec<u8>, is_set: bool| {
            if row.is_multiple_of(8) {
                bits.push(0);
            }
            if let Some(last) = bits.last_mut() {
                *last |= u8::from(is_set) << (row % 8);
            }
        };
        let is_null = matches!(slot, Slot::Null);
        bit(&mut self.validity, !is_null);
        self.nulls += usize::from(is_null);
        match &mut self.values {
            Values::Text { bytes, ends, .. } => ends.push(i64::try_from(bytes.len()).unwrap_or(i64::MAX)),
            Values::Integer(values) => values.push(if let Slot::Integer(value) = slot { value } else { 0 }),
            Values::Float(values) => values.push(if let Slot::Float(value) = slot { value } else { 0.0 }),
            Values::Boolean(values) => bit(values, matches!(slot, Slot::Boolean(true))),
        }
    }
}

/// An integer as a double, if that is the same number.
pub(super) fn exact(value: i64) -> Option<f64> {
    #[allow(clippy::cast_precision_loss)]
    (value.unsigned_abs() <= 1 << 53).then_some(value as f64)
}

impl Columns {
    /// The columns, each as long as there are rows.
    #[must_use]
    pub fn columns(&self) -> &[Column] {
        &self.all
    }

    fn take(&mut self, line: &[u8], rules: Rules) -> Option<()> {
        let Self {
            all: columns,
            slots,
            keys,
            ..
        } = self;
        slots.fill(Slot::Null);
        let mut walker = Walker::new(line, rules, keys);
        walker.whole(|walker, key| {
            let name = walker.key_bytes(key);
            let Some(number) = columns.iter().position(|column| is_same(&column.name, name)) else {
                return walker.skip();
            };
            slots[number] = columns[number].read(walker)?;
            Some(())
        })?;
        walker.end()
    }
}

impl Take for Columns {
    /// Names and types.
    type Plan = Vec<(String, ColumnType)>;

    fn clear(&mut self) {
        self.all.iter_mut().for_each(Column::clear);
        self.rows = 0;
    }

    fn rows(&self) -> usize {
        self.rows
    }

    fn take_line(&mut self, line: &[u8], plan: &Self::Plan, rules: Rules) -> bool {
        if self.all.is_empty() {
            self.all = plan.iter().map(|(name, kind)| Column::new(name, *kind)).collect();
            self.slots = vec![Slot::Null; plan.len()];
        }
        let is_taken = self.take(line, rules).is_some();
        for (column, slot) in self.all.iter_mut().zip(&self.slots) {
            if is_taken {
                column.push(self.rows, *slot);
            } else {
                column.forget();
            }
        }
        self.rows += usize::from(is_taken);
        is_taken
    }

    fn fault(line: &str, plan: &Self::Plan, rules: Rules) -> Option<Fault> {
        check::fault_of(line, &Wanted::Columns(plan), rules)
    }
}
