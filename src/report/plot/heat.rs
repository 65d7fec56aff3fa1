//! Numbers in a grid of rows and columns, each in its cell with a colour as strong as it is large.

use super::{
    Axis, Plot, PlotError,
    canvas::{Anchor, Lettering, cut, plot, width},
};
use crate::report::ink::{BACKGROUND, FOREGROUND, MUTED, RULE, TEXT};

const LABEL: f64 = 12.0;
const HIGH: f64 = 22.0;
const WIDE: f64 = 40.0;
/// The most that a cell is coloured: words on it must still stand out.
const STRONGEST: f64 = 0.5;

/// A grid of numbers.
#[derive(Clone, Debug)]
pub(in crate::report) struct Grid {
    pub(in crate::report) rows: Vec<String>,
    pub(in crate::report) columns: Vec<String>,
    /// By row, then column; none where nothing is known.
    pub(in crate::report) cells: Vec<Vec<Option<f64>>>,
}

/// The plot of `grid`; none without a number. Numbers above 0 are coloured as foreground is, those below as background.
pub(in crate::report) fn draw(title: &str, axis: &Axis, grid: &Grid) -> Result<Option<Plot>, PlotError> {
    let known = || grid.cells.iter().flatten().flatten().copied();
    let Some(largest) = known().map(f64::abs).reduce(f64::max) else { return Ok(None) };
    let largest = axis.range.map_or(largest, |(low, high)| low.abs().max(high.abs())).max(f64::MIN_POSITIVE);
    let longest = grid.rows.iter().map(|name| width(name, LABEL)).fold(30.0, f64::max).min(150.0);
    let tallest = grid.columns.iter().map(|name| width(name, LABEL)).fold(20.0, f64::max).min(110.0);
    let (left, top) = (longest + 14.0, 34.0 + tallest + 8.0);
    let at = |column: usize, row: usize| {
        #[expect(clippy::cast_precision_loss, reason = "a few dozen cells")]
        (left + WIDE * column as f64, top + HIGH * row as f64)
    };
    let (right, bottom) = at(grid.columns.len(), grid.rows.len());
    let total = (right + 6.0, bottom + 8.0);
    plot(title, total, alt(title, axis, grid), |canvas| {
        for (column, name) in grid.columns.iter().enumerate() {
            let (x, _) = at(column, 0);
            let name = cut(name, LABEL, tallest + 4.0);
            canvas.text(&name, (x + WIDE / 2.0, top - 6.0), Anchor::Left, Lettering::new(LABEL, TEXT).upright());
        }
        for (row, (name, cells)) in grid.rows.iter().zip(&grid.cells).enumerate() {
            let (_, y) = at(0, row);
            let name = cut(name, LABEL, longest + 4.0);
            canvas.text(&name, (left - 8.0, y + HIGH / 2.0), Anchor::Right, Lettering::new(LABEL, TEXT));
            for (column, cell) in cells.iter().enumerate() {
                let (x, y) = at(column, row);
                let middle = (x + WIDE / 2.0, y + HIGH / 2.0);
                let Some(value) = cell else {
                    canvas.text("·", middle, Anchor::Middle, Lettering::new(11.0, MUTED));
                    continue;
                };
                let ink = if *value < 0.0 { BACKGROUND } else { FOREGROUND };
                let strength = STRONGEST * (value.abs() / largest).min(1.0);
                canvas.block((x + 0.75, y + 0.75), (x + WIDE - 0.75, y + HIGH - 0.75), ink, strength);
                let number = if axis.percent { format!("{:.0}", 100.0 * value) } else { format!("{value:.2}") };
                let number = if number == "-0" { "0".to_owned() } else { number.replace('-', "\u{2212}") };
                canvas.text(&number, middle, Anchor::Middle, Lettering::new(11.0, TEXT));
            }
        }
        canvas.line(&[(left, top), (right, top)], RULE, 0.8);
        canvas.line(&[(left, bottom), (right, bottom)], RULE, 0.8);
    })
    .map(Some)
}

fn alt(title: &str, axis: &Axis, grid: &Grid) -> String {
    let mut known: Vec<(f64, &str, &str)> = Vec::new();
    for (row, cells) in grid.rows.iter().zip(&grid.cells) {
        known.extend(
            grid.columns.iter().zip(cells).filter_map(|(column, cell)| Some(((*cell)?, row.as_str(), column.as_str()))),
        );
    }
    known.sort_by(|a, b| b.0.total_cmp(&a.0));
    let told = |(value, row, column): &(f64, &str, &str)| format!("{row} in {column} {}", axis.told(*value));
    let largest: Vec<String> = known.iter().take(5).map(told).collect();
    let smallest: Vec<String> = known.iter().rev().take(3).map(told).collect();
    format!(
        "{title}: {} in {} rows and {} columns. Largest: {}. Smallest: {}.",
        axis.label,
        grid.rows.len(),
        grid.columns.len(),
        largest.join("; "),
        smallest.join("; ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_coloured_by_sign_and_size_and_unknown_ones_stay_empty() {
        let axis = Axis { label: "drop".to_owned(), range: None, percent: true };
        let grid = Grid {
            rows: vec!["wings".to_owned(), "beak".to_owned()],
            columns: vec!["bird".to_owned(), "plane".to_owned()],
            cells: vec![vec![Some(0.5), Some(-0.25)], vec![None, Some(0.0)]],
        };
        let plot = draw("Drop", &axis, &grid).unwrap().unwrap();
        assert_eq!(plot.svg.matches("<rect").count(), 2, "nothing is drawn of no colour");
        assert!(plot.svg.contains("opacity=\"0.5\"") && plot.svg.contains("opacity=\"0.25\""), "{}", plot.svg);
        assert!(plot.svg.contains(">50</text>") && plot.svg.contains(">−25</text>") && plot.svg.contains(">·</text>"));
        assert!(
            plot.alt.contains("Largest: wings in bird 50.0%") && plot.alt.contains("Smallest: wings in plane −25.0%")
        );
        let nothing = Grid { cells: vec![vec![None; 2]; 2], ..grid };
        assert_eq!(draw("Drop", &axis, &nothing).unwrap(), None);
    }
}
