//! A table as the page shows it: bounds beneath what they bound, numbers to the right, every digit in the CSV file.

use rival10_sdk::Table;
use serde_json::Value;

use super::{
    heading_of,
    saved::{csv, data_url, latex, style},
};

/// Rows that a page shows of one table; the CSV file has all.
const MOST: usize = 200;

/// A heading.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Heading {
    pub(super) text: String,
    pub(super) numeric: bool,
}

/// A cell.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Cell {
    pub(super) text: String,
    /// The bounds, as words.
    pub(super) interval: Option<String>,
    pub(super) numeric: bool,
}

/// A table, ready for its template.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Shown {
    /// Unique on the page.
    pub(super) id: String,
    pub(super) title: String,
    pub(super) caption: String,
    pub(super) headings: Vec<Heading>,
    pub(super) rows: Vec<Vec<Cell>>,
    /// Rows that only the CSV file has.
    pub(super) left_out: usize,
    /// The CSV file's name and address.
    pub(super) csv: (String, String),
    pub(super) latex: String,
}

impl Shown {
    /// `table` under the id `id`.
    pub(super) fn of(table: &Table, id: &str) -> Self {
        let columns = table.shown_columns();
        let numeric = |at: usize| {
            let mut cells = table.rows.iter().filter_map(|row| row.get(at)).filter(|cell| !cell.is_null()).peekable();
            cells.peek().is_some() && cells.all(Value::is_number)
        };
        let styles: Vec<_> = (0..table.columns.len()).map(|at| style(table, at)).collect();
        let text = |at: usize, value: Option<&Value>| match value {
            None | Some(Value::Null) => "–".to_owned(),
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.as_f64().map_or_else(|| other.to_string(), |x| styles[at].write(x)),
        };
        let row = |row: &Vec<Value>| -> Vec<Cell> {
            let defined = |at: usize| row.get(at).is_some_and(|value| !value.is_null());
            let cell = |&(at, bounded): &(usize, bool)| Cell {
                text: text(at, row.get(at)),
                interval: (bounded && defined(at + 1) && defined(at + 2))
                    .then(|| format!("{} to {}", text(at + 1, row.get(at + 1)), text(at + 2, row.get(at + 2)))),
                numeric: numeric(at),
            };
            columns.iter().map(cell).collect()
        };
        let heading = |&(at, _): &(usize, bool)| Heading { text: table.columns[at].clone(), numeric: numeric(at) };
        Self {
            id: id.to_owned(),
            title: heading_of(&table.name),
            caption: table.caption.clone(),
            headings: columns.iter().map(heading).collect(),
            rows: table.rows.iter().take(MOST).map(row).collect(),
            left_out: table.rows.len().saturating_sub(MOST),
            csv: (format!("{id}.csv"), data_url("text/csv", csv(table).as_bytes())),
            latex: latex(table, id, MOST),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_cell_holds_its_bounds_and_an_undefined_one_a_dash() {
        let table = Table {
            name: "by-model".to_owned(),
            caption: "All.".to_owned(),
            columns: ["model", "RFS", "RFS low", "RFS high"].map(str::to_owned).to_vec(),
            rows: vec![
                vec![json!("a"), json!(-0.5), json!(-0.6), json!(-0.4)],
                vec![json!("b"), Value::Null, Value::Null, Value::Null],
            ],
        };
        let shown = Shown::of(&table, "x");
        assert_eq!(
            shown.headings.iter().map(|h| (h.text.as_str(), h.numeric)).collect::<Vec<_>>(),
            [("model", false), ("RFS", true)]
        );
        assert_eq!(shown.rows[0][1].text, "−0.500");
        assert_eq!(shown.rows[0][1].interval.as_deref(), Some("−0.600 to −0.400"));
        assert_eq!((shown.rows[1][1].text.as_str(), &shown.rows[1][1].interval), ("–", &None));
        let long = Table { rows: vec![table.rows[0].clone(); MOST + 5], ..table };
        let shown = Shown::of(&long, "x");
        assert_eq!((shown.rows.len(), shown.left_out), (MOST, 5));
    }
}
