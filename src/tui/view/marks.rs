//! What is drawn over the dots for the hand: the brush's ring in its true size, the cursor, corners that were set.

use rival10_drawing::{Brush, Point, line};

use super::super::{
    app::{
        App,
        looks::Colour,
        tools::{Gesture, Tool},
    },
    raster::Grid,
};
use crate::ops::annotate::Prompt;

/// What there is to be marked.
#[derive(Clone, Debug, PartialEq)]
pub struct Marks {
    /// The pixel that the cursor is on.
    cursor: Point,
    /// The brush whose ring is drawn around the cursor; none for tools without a size.
    ring: Option<Brush>,
    /// What was begun.
    begun: Begun,
    /// What was pointed at.
    prompts: Vec<Prompt>,
}

/// Something that was begun.
#[derive(Clone, Debug, PartialEq)]
enum Begun {
    Nothing,
    /// A way from corner to corner.
    Way(Vec<Point>),
    Rectangle(Point),
    Ellipse(Point),
}

impl Marks {
    /// What there is to be marked now.
    #[must_use]
    pub fn of(app: &App) -> Self {
        let begun = match &app.gesture {
            Some(Gesture::Ring { corners, drawing, .. }) => {
                let open_end = (!drawing).then_some(app.cursor);
                Begun::Way(corners.iter().copied().chain(open_end).collect())
            }
            Some(Gesture::Span { anchor, .. }) if app.tools.tool == Tool::Ellipse => Begun::Ellipse(*anchor),
            Some(Gesture::Span { anchor, .. }) => Begun::Rectangle(*anchor),
            Some(Gesture::Stroke { .. } | Gesture::Pan { .. }) | None => Begun::Nothing,
        };
        let ring = (app.tools.tool == Tool::Brush).then(|| app.tools.brush(!app.tools.erase));
        Self { cursor: app.cursor, ring, begun, prompts: app.proposals.prompts.clone() }
    }

    /// Calls `mark` for every dot that is marked, some twice; some lie beside the grid. Without a ring that can be seen the
    /// cursor has arms of `reach` dots.
    pub fn each(&self, grid: &Grid, reach: i64, mark: &mut impl FnMut(i64, i64)) {
        let cursor = grid.dot(self.cursor);
        match &self.begun {
            Begun::Nothing => {}
            Begun::Way(corners) => {
                let dots: Vec<_> = corners.iter().map(|&corner| grid.dot(corner)).collect();
                for ends in dots.windows(2) {
                    line(ends[0], ends[1]).skip(1).for_each(|(column, row)| mark(column, row));
                }
            }
            Begun::Rectangle(anchor) => frame(grid.dot(*anchor), cursor, mark),
            Begun::Ellipse(anchor) => ellipse(grid.dot(*anchor), cursor, mark),
        }
        for prompt in &self.prompts {
            draw_prompt(prompt, grid, reach, mark);
        }
        match self.ring {
            Some(brush) if f64::from(brush.diameter) / grid.dx.max(grid.dy) >= 3.0 => {
                draw_ring(brush, self.cursor, grid, mark);
            }
            _ => {
                for arm in 1..=reach {
                    for (dx, dy) in [(-arm, 0), (arm, 0), (0, -arm), (0, arm)] {
                        mark(cursor.0 + dx, cursor.1 + dy);
                    }
                }
            }
        }
    }

    /// Draws the marks over `dots`.
    pub fn draw(&self, grid: &Grid, reach: i64, dots: &mut [Colour]) {
        self.each(grid, reach, &mut |column, row| {
            if 0 <= column && column < grid.columns as i64 && 0 <= row && row < grid.rows as i64 {
                let dot = &mut dots[row as usize * grid.columns + column as usize];
                *dot = contrasting(*dot);
            }
        });
    }
}

/// The border between two corners.
fn frame(from: (i64, i64), to: (i64, i64), mark: &mut impl FnMut(i64, i64)) {
    let corners = [from, (to.0, from.1), to, (from.0, to.1)];
    for i in 0..4 {
        line(corners[i], corners[(i + 1) % 4]).skip(1).for_each(|(column, row)| mark(column, row));
    }
}

/// A plus where something is meant, a minus where it is not, a frame for a box.
fn draw_prompt(prompt: &Prompt, grid: &Grid, reach: i64, mark: &mut impl FnMut(i64, i64)) {
    let dot = |(x, y): (u32, u32)| grid.dot((x.into(), y.into()));
    match *prompt {
        Prompt::Box { from, to } => frame(dot(from), dot(to), mark),
        Prompt::Point { at, inside } => {
            let (column, row) = dot(at);
            for step in -2 * reach..=2 * reach {
                mark(column + step, row);
                if inside && step != 0 {
                    mark(column, row + step);
                }
            }
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
