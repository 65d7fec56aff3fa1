//! What is drawn over the dots for the hand: the brush's ring in its true size, the cursor, corners that were set.

use rival10_drawing::{Brush, line};

use super::super::{
    app::{
        App,
        looks::Colour,
        tools::{Gesture, Tool},
    },
    raster::Grid,
};

/// Draws the marks over `dots`.
pub(super) fn draw(app: &App, grid: &Grid, dots: &mut [Colour]) {
    let mut mark = |column: i64, row: i64| {
        if 0 <= column && column < grid.columns as i64 && 0 <= row && row < grid.rows as i64 {
            let dot = &mut dots[row as usize * grid.columns + column as usize];
            *dot = contrasting(*dot);
        }
    };
    let cursor = grid.dot(app.cursor);
    match &app.gesture {
        Some(Gesture::Ring { corners, drawing, .. }) => {
            let mut last = None;
            let open_end = (!drawing).then_some(&app.cursor);
            for corner in corners.iter().chain(open_end) {
                let at = grid.dot(*corner);
                if let Some(last) = last {
                    line(last, at).skip(1).for_each(|(column, row)| mark(column, row));
                }
                last = Some(at);
            }
        }
        Some(Gesture::Span { anchor, .. }) => {
            let from = grid.dot(*anchor);
            if app.tools.tool == Tool::Ellipse {
                ellipse(from, cursor, &mut mark);
            } else {
                let corners = [from, (cursor.0, from.1), cursor, (from.0, cursor.1)];
                for i in 0..4 {
                    line(corners[i], corners[(i + 1) % 4]).skip(1).for_each(|(column, row)| mark(column, row));
                }
            }
        }
        _ => {}
    }
    let brush = app.tools.brush(!app.tools.erase);
    let ring = f64::from(brush.diameter) / grid.dx.max(grid.dy);
    if app.tools.tool == Tool::Brush && ring >= 3.0 {
        draw_ring(brush, app.cursor, grid, &mut mark);
    } else {
        for (dx, dy) in [(-1, 0), (1, 0), (0, -1), (0, 1)] {
            mark(cursor.0 + dx, cursor.1 + dy);
        }
    }
}

/// The dots of the brush that have a neighbour beside it.
fn draw_ring(brush: Brush, (x, y): (i64, i64), grid: &Grid, mark: &mut impl FnMut(i64, i64)) {
    let reach = i64::from(brush.diameter / 2 + 1);
    let (left, top) = grid.dot((x - reach, y - reach));
    let (right, bottom) = grid.dot((x + reach, y + reach));
    let covers = |column: i64, row: i64| {
        let pixel = grid.pixel(column, row);
        brush.covers(pixel.0 - x, pixel.1 - y)
    };
    for row in top.max(0)..=bottom.min(grid.rows as i64 - 1) {
        for column in left.max(0)..=right.min(grid.columns as i64 - 1) {
            let edge = covers(column, row)
                && [(-1, 0), (1, 0), (0, -1), (0, 1)].iter().any(|(dx, dy)| !covers(column + dx, row + dy));
            if edge {
                mark(column, row);
            }
        }
    }
}

fn ellipse(a: (i64, i64), b: (i64, i64), mark: &mut impl FnMut(i64, i64)) {
    let middle = |a: i64, b: i64| (a + b) as f64 / 2.0;
    let radius = |a: i64, b: i64| (a - b).abs() as f64 / 2.0;
    let steps = 64;
    let at = |step: i32| {
        let angle = f64::from(step) / f64::from(steps) * std::f64::consts::TAU;
        let x = middle(a.0, b.0) + radius(a.0, b.0) * angle.cos();
        let y = middle(a.1, b.1) + radius(a.1, b.1) * angle.sin();
        (x.round() as i64, y.round() as i64)
    };
    for step in 0..steps {
        line(at(step), at(step + 1)).skip(1).for_each(|(column, row)| mark(column, row));
    }
}

/// A colour that is seen on `colour`.
fn contrasting(colour: Colour) -> Colour {
    let luma = 299 * u32::from(colour[0]) + 587 * u32::from(colour[1]) + 114 * u32::from(colour[2]);
    if luma > 128_000 { [0, 0, 0] } else { [255, 255, 255] }
}
