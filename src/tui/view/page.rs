//! Pages of findings and of runs.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::{Color, Modifier, Style},
};

use super::{
    super::app::{App, page::Page},
    clear,
    compare::warmth,
    faint,
    gallery::draw_picture,
    plain, put, strong,
};
use crate::ops::{
    ListedRun, Report,
    annotate::pages::{FindingLine, RunMap, RunView},
};

/// Cells of a bar that stands for the largest number of a table's column.
const BAR: usize = 20;

pub(super) fn draw(app: &App, page: &Page, area: Rect, buffer: &mut Buffer) {
    clear(buffer, area, plain());
    let inside = Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area };
    match page {
        Page::Loading(what) => _ = put(buffer, inside.x, inside.y + 1, inside.width, what, faint()),
        Page::Failed(reason) => _ = put(buffer, inside.x, inside.y + 1, inside.width, reason, strong()),
        Page::Findings(lines) if lines.is_empty() => {
            put(buffer, inside.x, inside.y + 1, inside.width, "nothing is found: every rule holds", plain());
        }
        Page::Findings(lines) => {
            rows(lines, app.page_row, inside, buffer, &mut |line, row, buffer| finding(line, row, app, buffer));
        }
        Page::Runs(runs) if runs.is_empty() => {
            put(
                buffer,
                inside.x,
                inside.y + 1,
                inside.width,
                "no run is recorded: `rival10 analyze` makes one",
                plain(),
            );
        }
        Page::Runs(runs) => rows(runs, app.page_row, inside, buffer, &mut run),
        Page::Run(view) => match app.page_map.and_then(|at| Some((at, view.maps.get(at)?))) {
            Some((at, map)) => draw_map(app, view, at, map, inside, buffer),
            None => report(app, view, inside, buffer),
        },
    }
}

/// Draws the items around the chosen one, a line each.
fn rows<T>(items: &[T], chosen: usize, area: Rect, buffer: &mut Buffer, draw: &mut dyn FnMut(&T, Rect, &mut Buffer)) {
    let height = usize::from(area.height);
    let first = chosen.saturating_sub(height / 2).min(items.len().saturating_sub(height));
    for (line, (at, item)) in items.iter().enumerate().skip(first).take(height).enumerate() {
        let row = Rect { y: area.y + line as u16, height: 1, ..area };
        draw(item, row, buffer);
        if at == chosen {
            buffer.set_style(row, Style::new().add_modifier(Modifier::REVERSED));
        }
    }
}

fn finding(line: &FindingLine, row: Rect, app: &App, buffer: &mut Buffer) {
    let colour = match line.severity.as_str() {
        "error" => Style::new().fg(Color::Red).add_modifier(Modifier::BOLD),
        "note" => faint(),
        _ => strong(),
    };
    let style = if app.monochrome { plain() } else { colour };
    put(buffer, row.x, row.y, 8, &line.severity, style);
    put(buffer, row.x + 9, row.y, 18, &line.rule, plain());
    let subject = (row.width / 3).max(12);
    put(buffer, row.x + 28, row.y, subject, &line.subject, plain());
    let at = row.x + 29 + subject;
    put(buffer, at, row.y, row.right().saturating_sub(at), &line.text, plain());
}

fn run(run: &ListedRun, row: Rect, buffer: &mut Buffer) {
    put(buffer, row.x, row.y, 10, &run.id, faint());
    put(buffer, row.x + 11, row.y, 20, &run.plugin, strong());
    let status = match run.done {
        Some(done) => format!("{} {done:.0}%", run.status),
        None => run.status.to_owned(),
    };
    put(buffer, row.x + 32, row.y, 15, &status, plain());
    let rest = format!("{} images  {}  {}", run.images, run.models.join(", "), run.profile);
    put(buffer, row.x + 48, row.y, row.right().saturating_sub(row.x + 48), &rest, plain());
}

/// A report as lines of text: the headline, then every table, with bars behind the numbers of their last column.
#[must_use]
pub fn report_lines(report: &Report) -> Vec<String> {
    let mut lines = vec![format!("{} {}", report.provenance.plugin, report.provenance.profile), String::new()];
    let headline: Vec<Vec<String>> = report
        .headline
        .iter()
        .map(|estimate| {
            vec![
                estimate.name.clone(),
                estimate.model.clone().unwrap_or_default(),
                estimate.value.map_or_else(|| "undefined".to_owned(), |value| format!("{value:.4}")),
                estimate.interval.map_or_else(String::new, |(low, high)| format!("{low:.4} to {high:.4}")),
                estimate.n.to_string(),
            ]
        })
        .collect();
    let heads = ["estimate", "model", "value", "interval", "images"].map(str::to_owned);
    lines.extend(table(&heads, &headline));
    for one in &report.tables {
        lines.extend([String::new(), format!("{}: {}", one.name, one.caption)]);
        let text = |cell: &serde_json::Value| match cell {
            serde_json::Value::Null => "-".to_owned(),
            serde_json::Value::String(text) => text.clone(),
            serde_json::Value::Number(number) if number.is_f64() => {
                format!("{:.4}", number.as_f64().unwrap_or_default())
            }
            other => other.to_string(),
        };
        let cells: Vec<Vec<String>> = one.rows.iter().map(|row| row.iter().map(text).collect()).collect();
        lines.extend(with_bars(table(&one.columns, &cells), &one.rows));
    }
    if !report.notes.is_empty() {
        lines.push(String::new());
        lines.extend(report.notes.iter().cloned());
    }
    lines
}

/// Cells in columns, under their headings.
fn table(heads: &[String], rows: &[Vec<String>]) -> Vec<String> {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).chain(heads.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0).min(40)
    };
    let widths: Vec<usize> = (0..heads.len()).map(width).collect();
    let line = |cells: &[String]| {
        let padded = cells.iter().zip(&widths).map(|(cell, &width)| format!("{cell:<width$}"));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    std::iter::once(line(heads)).chain(rows.iter().map(|row| line(row))).collect()
}

/// The lines of a table, those of its rows with a bar for the last number that is a share or a size.
fn with_bars(lines: Vec<String>, rows: &[Vec<serde_json::Value>]) -> Vec<String> {
    let number = |row: &[serde_json::Value]| row.iter().rev().find_map(|cell| cell.as_f64().filter(|_| cell.is_f64()));
    let numbers: Vec<Option<f64>> = rows.iter().map(|row| number(row)).collect();
    let largest = numbers.iter().flatten().map(|number| number.abs()).fold(0.0, f64::max);
    if largest == 0.0 {
        return lines;
    }
    let wide = lines.iter().map(|line| line.chars().count()).max().unwrap_or(0);
    lines
        .into_iter()
        .enumerate()
        .map(|(at, line)| match at.checked_sub(1).and_then(|row| numbers.get(row).copied().flatten()) {
            Some(number) => {
                let bar = "█".repeat((number.abs() / largest * BAR as f64).round() as usize);
                let sign = if number < 0.0 { "-" } else { " " };
                format!("{line:<wide$}  {sign}{bar}").trim_end().to_owned()
            }
            None => line,
        })
        .collect()
}

fn report(app: &App, view: &RunView, area: Rect, buffer: &mut Buffer) {
    let lines = report_lines(&view.report);
    let height = usize::from(area.height);
    let first = app.page_row.min(lines.len().saturating_sub(height));
    for (line, text) in lines.iter().skip(first).take(height).enumerate() {
        let style = if first + line == 0 { strong() } else { plain() };
        put(buffer, area.x, area.y + line as u16, area.width, text, style);
    }
    if !view.maps.is_empty() {
        let text = format!("→ {} maps over images", view.maps.len());
        put(buffer, area.right().saturating_sub(30), area.y, 30, &text, strong());
    }
}

/// A map beside its image.
fn draw_map(app: &App, view: &RunView, at: usize, map: &RunMap, area: Rect, buffer: &mut Buffer) {
    let text = format!("{} of {}: image {}  {}", at + 1, view.maps.len(), map.image, map.title);
    put(buffer, area.x, area.y, area.width, &text, strong());
    let half = area.width / 2;
    let place = Rect { y: area.y + 1, height: area.height.saturating_sub(1), width: half.saturating_sub(1), ..area };
    match app.thumbnails.get(map.image) {
        Some(Some(picture)) => draw_picture(picture, place, buffer),
        Some(None) => _ = put(buffer, place.x, place.y + 1, place.width, "no picture", faint()),
        None => _ = put(buffer, place.x, place.y + 1, place.width, "…", faint()),
    }
    let pixels = map.values.iter().flat_map(|value| warmth(f64::from(*value) / 255.0)).collect();
    let warm = rival10_sdk::Rgb { size: map.size, pixels };
    draw_picture(&warm, Rect { x: area.x + half, ..place }, buffer);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_stand_in_columns_with_bars_in_proportion() {
        let cells = |rows: &[[&str; 2]]| -> Vec<Vec<String>> {
            rows.iter().map(|row| row.map(str::to_owned).to_vec()).collect()
        };
        let lines = table(&["model".to_owned(), "p".to_owned()], &cells(&[["net", "0.5000"], ["other", "-0.2500"]]));
        assert_eq!(lines, ["model  p", "net    0.5000", "other  -0.2500"]);
        let rows = [0.5, -0.25].map(|p| vec![serde_json::json!("x"), serde_json::json!(p)]);
        let barred = with_bars(lines, &rows);
        let bars: Vec<usize> = barred.iter().map(|line| line.matches('█').count()).collect();
        assert_eq!(bars, [0, 20, 10]);
        assert!(barred[2].contains(" -█"), "{}", barred[2]);
    }
}
