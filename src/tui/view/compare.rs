//! Two annotations side by side with their difference, or everybody's as a heat map.

use ratatui::{buffer::Buffer, layout::Rect};

use super::{
    super::{
        app::{
            App,
            compare::Beside,
            looks::{Colour, colour},
            sheet::{Drawn, Open},
        },
        raster::{Grid, Scene, compose, covered},
        text::harmless,
    },
    bar, canvas,
    cells::{self, HALF},
    marks::Marks,
    plain, put,
};
use crate::ops::annotate::Votes;

/// Pixels of the annotation on the left alone, and on the right alone: Okabe and Ito's orange and blue.
const HERE: Colour = [230, 120, 0];
const THERE: Colour = [0, 114, 200];

pub(super) fn draw(app: &App, open: &Open, beside: &Beside, area: Rect, buffer: &mut Buffer) {
    let bare = |area: Rect| {
        let grid = canvas::grid(app, area, HALF);
        let picture = open.picture().map(AsRef::as_ref);
        let scene = Scene { picture, size: open.item.size, layers: Vec::new(), light: app.light };
        let dots = compose(&scene, &grid);
        (grid, dots)
    };
    match beside {
        Beside::Votes(votes) => {
            let (grid, mut dots) = bare(area);
            heat(votes, &grid, &mut dots);
            Marks::of(app).draw(&grid, 1, &mut dots);
            cells::draw(buffer, area, HALF, &dots);
        }
        Beside::Other(other) => {
            let left = app.own_canvas();
            let right = Rect { x: left.right() + 1, width: area.right().saturating_sub(left.right() + 1), ..area };
            let mine = open.instance().layers.get(&app.layer);
            let theirs = open.instance().id.and_then(|id| other.layers.get(&id)?.get(&app.layer));
            for (half, ours, others, alone) in [(left, mine, theirs, HERE), (right, theirs, mine, THERE)] {
                let (grid, mut dots) = bare(half);
                let inside = |drawn: Option<&Drawn>| {
                    drawn.map_or_else(|| vec![false; dots.len()], |drawn| covered(&drawn.bits, drawn.bounds, &grid))
                };
                let (ours, others) = (inside(ours), inside(others));
                for (dot, (ours, others)) in dots.iter_mut().zip(ours.into_iter().zip(others)) {
                    match (ours, others) {
                        (true, true) => blend(dot, colour(app.layer), 35),
                        (true, false) => blend(dot, alone, 80),
                        _ => {}
                    }
                }
                Marks::of(app).draw(&grid, 1, &mut dots);
                cells::draw(buffer, half, HALF, &dots);
            }
            for y in area.top()..area.bottom() {
                put(buffer, left.right(), y, 1, "│", plain());
            }
            heading(app, open, &other.author, left, right, buffer);
        }
    }
}

/// Who is on which side, and how far they differ.
fn heading(app: &App, open: &Open, other: &str, left: Rect, right: Rect, buffer: &mut Buffer) {
    let Some(difference) = app.difference() else { return };
    let iou = difference.iou.map_or_else(|| "both empty".to_owned(), |iou| format!("IoU {iou:.3}"));
    let own = format!(" {}: {} alone ", harmless(&open.author), difference.here);
    let theirs = format!(" {}: {} alone, {iou} ", harmless(other), difference.there);
    for (half, text) in [(left, own), (right, theirs)] {
        put(buffer, half.x, half.y, half.width, &text, bar());
    }
}

fn blend(dot: &mut Colour, colour: Colour, share: u32) {
    for (dot, colour) in dot.iter_mut().zip(colour) {
        *dot = ((u32::from(*dot) * (100 - share) + u32::from(colour) * share + 50) / 100) as u8;
    }
}

/// Draws the share of annotators over the picture: from blue by yellow to red, and nothing where nobody is.
fn heat(votes: &Votes, grid: &Grid, dots: &mut [Colour]) {
    for (at, dot) in dots.iter_mut().enumerate() {
        let (x, y) = grid.pixel((at % grid.columns) as i64, (at / grid.columns) as i64);
        let (Ok(x), Ok(y)) = (u32::try_from(x), u32::try_from(y)) else { continue };
        if x >= votes.size.width || y >= votes.size.height {
            continue;
        }
        let share = votes.share(x, y);
        if share > 0.0 {
            blend(dot, warmth(share), 70);
        }
    }
}

/// The colour of a share in [0, 1].
pub(super) fn warmth(share: f64) -> Colour {
    const STOPS: [[f64; 3]; 3] = [[40.0, 90.0, 220.0], [240.0, 228.0, 66.0], [215.0, 40.0, 20.0]];
    let at = share.clamp(0.0, 1.0) * 2.0;
    let (first, part) = if at < 1.0 { (0, at) } else { (1, at - 1.0) };
    std::array::from_fn(|channel| {
        (STOPS[first][channel] * (1.0 - part) + STOPS[first + 1][channel] * part).round() as u8
    })
}
