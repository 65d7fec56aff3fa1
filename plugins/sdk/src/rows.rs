//! What an analysis measures: a table with named, typed columns.
//!
//! Rows are the only thing that a run stores; every estimate is derived from them. They are kept in the order of their
//! key columns, so that shards, resumed runs and any number of threads give the same table.

use std::{cmp::Ordering, ops::Deref};

use serde::{Deserialize, Serialize};

use crate::AnalysisError;

/// The type of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// 64-bit signed integer.
    Int,
    /// Double-precision number.
    Float,
    /// Text.
    Text,
}

/// A column's declaration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// Its type.
    pub kind: Kind,
    /// Unit, range and meaning in one sentence.
    pub help: &'static str,
    /// Whether rows are ordered by it and identified by it, together with the other key columns.
    pub key: bool,
}

impl Column {
    /// A key column.
    #[must_use]
    pub const fn key(name: &'static str, kind: Kind, help: &'static str) -> Self {
        Self { name, kind, help, key: true }
    }

    /// A column that holds a measurement.
    #[must_use]
    pub const fn value(name: &'static str, kind: Kind, help: &'static str) -> Self {
        Self { name, kind, help, key: false }
    }
}

/// One cell.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Undefined, never a stand-in for 0.
    Null,
    /// An integer.
    Int(i64),
    /// A number; never NaN: what is undefined is [`Value::Null`].
    Float(f64),
    /// Text.
    Text(String),
}

impl Value {
    /// The number, if it is one.
    #[must_use]
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Float(x) => Some(*x),
            #[expect(clippy::cast_precision_loss, reason = "counts and ids are far below 2^53")]
            Self::Int(i) => Some(*i as f64),
            _ => None,
        }
    }

    /// The integer, if it is one.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Int(i) => Some(*i),
            _ => None,
        }
    }

    /// The text, if it is one.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A total order within a column: null first, numbers by `total_cmp`.
    #[must_use]
    pub fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Int(a), Self::Int(b)) => a.cmp(b),
            (Self::Float(a), Self::Float(b)) => a.total_cmp(b),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            _ => self.rank().cmp(&other.rank()),
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Null => 0,
            Self::Int(_) => 1,
            Self::Float(_) => 2,
            Self::Text(_) => 3,
        }
    }

    fn fits(&self, kind: Kind) -> bool {
        match self {
            Self::Null => true,
            Self::Int(_) => kind == Kind::Int,
            Self::Float(x) => kind == Kind::Float && !x.is_nan(),
            Self::Text(_) => kind == Kind::Text,
        }
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}
impl From<f64> for Value {
    /// NaN becomes [`Value::Null`].
    fn from(value: f64) -> Self {
        if value.is_nan() { Self::Null } else { Self::Float(value) }
    }
}
impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}
impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// A table with the columns that a phase declares.
#[derive(Clone, Debug, PartialEq)]
pub struct Rows {
    columns: Vec<Column>,
    cells: Vec<Vec<Value>>,
}

/// A row that does not fit its table.
#[derive(Debug, thiserror::Error, PartialEq)]
#[error("column {column:?} does not take {value:?}")]
pub struct RowError {
    /// The column.
    pub column: String,
    /// The cell.
    pub value: Value,
}

impl Rows {
    /// A table without rows.
    #[must_use]
    pub fn new(columns: &[Column]) -> Self {
        Self { columns: columns.to_vec(), cells: Vec::new() }
    }

    /// Adds a row.
    ///
    /// # Errors
    /// [`RowError`] if a cell has another type than its column, is NaN, or there are too few or too many.
    pub fn push(&mut self, row: Vec<Value>) -> Result<(), RowError> {
        if row.len() != self.columns.len() {
            let column = format!("all {}", self.columns.len());
            return Err(RowError { column, value: Value::Text(format!("{} cells", row.len())) });
        }
        if let Some((column, value)) = self.columns.iter().zip(&row).find(|(column, value)| !value.fits(column.kind)) {
            return Err(RowError { column: column.name.to_owned(), value: value.clone() });
        }
        self.cells.push(row);
        Ok(())
    }

    /// Moves all rows of `other`, which has the same columns, behind these.
    ///
    /// # Panics
    /// If the columns differ.
    pub fn append(&mut self, other: Self) {
        assert_eq!(self.columns, other.columns, "rows of two different tables");
        self.cells.extend(other.cells);
    }

    /// Orders the rows by their key columns, in declaration order.
    pub fn sort(&mut self) {
        let keys: Vec<usize> = (0..self.columns.len()).filter(|&i| self.columns[i].key).collect();
        self.cells.sort_by(|a, b| {
            keys.iter().map(|&i| a[i].compare(&b[i])).find(|o| *o != Ordering::Equal).unwrap_or(Ordering::Equal)
        });
    }

    /// The columns.
    #[must_use]
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The index of the column called `name`.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }

    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.cells.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// Every row, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[Value]> {
        self.cells.iter().map(Vec::as_slice)
    }

    /// Every row, in order, as it is read back.
    pub fn records(&self) -> impl ExactSizeIterator<Item = Record<'_>> {
        self.cells.iter().map(|cells| Record { columns: &self.columns, cells })
    }
}

/// A row that is read back: each cell as what its reader expects there, or an error that names image and column.
///
/// `at` is a column's place; a place that the table has not is an error too.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    columns: &'a [Column],
    cells: &'a [Value],
}

impl Deref for Record<'_> {
    type Target = [Value];

    /// The cells.
    fn deref(&self) -> &[Value] {
        self.cells
    }
}

impl<'a> Record<'a> {
    /// The integer at `at`.
    ///
    /// # Errors
    /// [`AnalysisError::Unfit`] if there is none.
    pub fn integer(self, at: usize) -> Result<i64, AnalysisError> {
        self.cells.get(at).and_then(Value::as_i64).ok_or_else(|| self.unfit(at))
    }

    /// The index at `at`: an integer of 0 and more.
    ///
    /// # Errors
    /// [`AnalysisError::Unfit`] if there is none.
    pub fn index(self, at: usize) -> Result<usize, AnalysisError> {
        usize::try_from(self.integer(at)?).map_err(|_| self.unfit(at))
    }

    /// The number at `at`.
    ///
    /// # Errors
    /// [`AnalysisError::Unfit`] if there is none.
    pub fn number(self, at: usize) -> Result<f64, AnalysisError> {
        self.cells.get(at).and_then(Value::as_f64).ok_or_else(|| self.unfit(at))
    }

    /// The text at `at`.
    ///
    /// # Errors
    /// [`AnalysisError::Unfit`] if there is none.
    pub fn text(self, at: usize) -> Result<&'a str, AnalysisError> {
        self.cells.get(at).and_then(Value::as_str).ok_or_else(|| self.unfit(at))
    }

    /// The error for a cell that is not what stands there.
    #[must_use]
    pub fn unfit(self, at: usize) -> AnalysisError {
        let null = Value::Null;
        let image = self.cells.first().unwrap_or(&null);
        AnalysisError::Unfit(match self.columns.get(at) {
            Some(column) => format!("a row of image {image:?} has {:?} in column {:?}", self.cells[at], column.name),
            None => format!("a row of image {image:?} has {} columns and none at {at}", self.columns.len()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: &[Column] = &[
        Column::key("image", Kind::Int, ""),
        Column::key("model", Kind::Text, ""),
        Column::value("score", Kind::Float, ""),
    ];

    #[test]
    fn rows_come_out_in_key_order_whatever_the_order_they_went_in() {
        let rows = [(2, "a"), (1, "b"), (10, "a"), (1, "a")];
        let mut table = Rows::new(COLUMNS);
        for (image, model) in rows {
            table.push(vec![i64::from(image).into(), model.into(), 0.5.into()]).unwrap();
        }
        table.sort();
        let order: Vec<_> = table.iter().map(|row| (row[0].as_i64().unwrap(), row[1].as_str().unwrap())).collect();
        assert_eq!(order, [(1, "a"), (1, "b"), (2, "a"), (10, "a")]);
    }

    #[test]
    fn a_cell_of_another_type_is_refused_by_column() {
        let mut table = Rows::new(COLUMNS);
        let error = table.push(vec![1.into(), "a".into(), "high".into()]).unwrap_err();
        assert_eq!(error.column, "score");
        assert!(table.push(vec![1.into()]).is_err());
        assert_eq!(Value::from(f64::NAN), Value::Null);
        assert!(table.push(vec![1.into(), "a".into(), Value::Float(f64::NAN)]).is_err());
    }

    #[test]
    fn a_cell_that_is_not_what_its_reader_expects_is_named_by_image_and_column() {
        let mut table = Rows::new(COLUMNS);
        table.push(vec![(-7).into(), "a".into(), Value::Null]).unwrap();
        let record = table.records().next().unwrap();
        assert_eq!((record.integer(0).unwrap(), record.text(1).unwrap()), (-7, "a"));
        assert_eq!(record.number(0).unwrap(), -7.0);
        for error in [record.number(2).unwrap_err(), record.index(0).unwrap_err(), record.integer(1).unwrap_err()] {
            assert!(error.to_string().contains("image Int(-7)"), "{error}");
        }
        assert!(record.number(2).unwrap_err().to_string().contains("\"score\""));
        assert!(record.text(3).unwrap_err().to_string().contains("none at 3"));
    }
}
