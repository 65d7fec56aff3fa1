//! Tables read by the names of their columns.

use rival10_sdk::Table;
use serde_json::Value;

use crate::report::{
    Order,
    plot::{Bounded, heat},
};

/// A table that is read by the names of its columns.
pub(super) struct Read<'a> {
    pub(super) table: &'a Table,
}

impl<'a> Read<'a> {
    /// The place of column `name`; a table of groups names these where another names its models.
    pub(super) fn at(&self, name: &str) -> Option<usize> {
        let place = |name: &str| self.table.columns.iter().position(|column| column == name);
        place(name).or_else(|| if name == "model" { place("group") } else { None })
    }

    pub(super) fn all(&self) -> Vec<&'a [Value]> {
        self.table.rows.iter().map(Vec::as_slice).collect()
    }

    pub(super) fn number(&self, row: &[Value], name: &str) -> Option<f64> {
        row.get(self.at(name)?)?.as_f64()
    }

    pub(super) fn text<'r>(&self, row: &'r [Value], name: &str) -> Option<&'r str> {
        row.get(self.at(name)?)?.as_str()
    }

    /// The number in column `name` with the bounds behind it, if there are any.
    pub(super) fn bounded(&self, row: &[Value], name: &str) -> Option<Bounded> {
        let at = self.at(name)?;
        let bounds = self.table.shown_columns().contains(&(at, true));
        let bound = |at: usize| row.get(at).and_then(Value::as_f64).filter(|_| bounds);
        Some(Bounded { value: row.get(at)?.as_f64()?, interval: bound(at + 1).zip(bound(at + 2)) })
    }

    pub(super) fn points(&self, rows: &[&[Value]], x: &str, estimate: &str) -> Vec<(f64, Bounded)> {
        rows.iter().filter_map(|row| Some((self.number(row, x)?, self.bounded(row, estimate)?))).collect()
    }

    /// Whether column `name` differs between `rows`.
    pub(super) fn varies(&self, rows: &[&[Value]], name: &str) -> bool {
        let at = self.at(name);
        rows.windows(2).any(|pair| at.is_some_and(|at| pair[0].get(at) != pair[1].get(at)))
    }

    /// The rows by what they have in the columns `keys`, in the order of their appearance. What is the same in every part
    /// is no part of the name, but for the first key's.
    pub(super) fn parts(&self, keys: &[&str]) -> Vec<(String, Vec<&'a [Value]>)> {
        let all = self.all();
        let naming: Vec<&str> =
            keys.iter().enumerate().filter(|(i, key)| *i == 0 || self.varies(&all, key)).map(|(_, key)| *key).collect();
        let mut parts: Vec<(String, Vec<&'a [Value]>)> = Vec::new();
        for row in all {
            let words: Vec<&str> = naming.iter().filter_map(|key| self.text(row, key)).collect();
            let name = words.join(", ");
            match parts.iter_mut().find(|(known, _)| *known == name) {
                Some((_, rows)) => rows.push(row),
                None => parts.push((name, vec![row])),
            }
        }
        parts
    }

    /// The numbers in column `value` by what stands in columns `row` and `column`: classes and attributes in `order`, anything
    /// else behind them as it appears.
    pub(super) fn grid(
        &self,
        rows: &[&[Value]],
        (row, column, value): (&str, &str, &str),
        order: &Order,
    ) -> heat::Grid {
        let names = |key: &str| {
            let mut names: Vec<String> = Vec::new();
            for text in rows.iter().filter_map(|row| self.text(row, key)) {
                if !names.iter().any(|name| name == text) {
                    names.push(text.to_owned());
                }
            }
            let known = match key {
                "class" => &order.classes[..],
                "attribute" => &order.attributes,
                _ => &[],
            };
            names.sort_by_key(|name| known.iter().position(|known| known == name).unwrap_or(known.len()));
            names
        };
        let (down, across) = (names(row), names(column));
        let find = |down: &String, across: &String| {
            let is =
                |cells: &&&[Value]| self.text(cells, row) == Some(down) && self.text(cells, column) == Some(across);
            rows.iter().find(is).and_then(|cells| self.number(cells, value))
        };
        let cells = down.iter().map(|down| across.iter().map(|across| find(down, across)).collect()).collect();
        heat::Grid { rows: down, columns: across, cells }
    }

    /// The table with the columns `names` and their bounds alone.
    pub(super) fn only(&self, names: &[&str]) -> Table {
        let shown = self.table.shown_columns();
        let mut kept: Vec<usize> = Vec::new();
        for at in names.iter().filter_map(|name| self.at(name)) {
            let width = if shown.contains(&(at, true)) { 3 } else { 1 };
            kept.extend(at..at + width);
        }
        let cells = |row: &Vec<Value>| kept.iter().map(|&at| row.get(at).cloned().unwrap_or(Value::Null)).collect();
        Table {
            columns: kept.iter().map(|&at| self.table.columns[at].clone()).collect(),
            rows: self.table.rows.iter().map(cells).collect(),
            name: self.table.name.clone(),
            caption: self.table.caption.clone(),
        }
    }
}
