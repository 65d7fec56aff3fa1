//! The image with its layers, as cells.

use std::{num::NonZeroU16, sync::Arc};

use ratatui::{
    buffer::{Buffer, CellDiffOption},
    layout::Rect,
    style::Modifier,
};

use super::{
    super::{
        app::{
            App, Cells,
            looks::{PROPOSED, colour},
            sheet::{Drawn, Open, Shown},
        },
        graphics::{
            Graphics, Protocol, encode,
            shot::{Sheet, Shot},
            tiling::Tiling,
        },
        keymap::Context,
        layout,
        raster::{Grid, Painted, Scene, compose, covered},
    },
    cells::{self, Dots, HALF, QUADRANT, SEXTANT},
    clear, compare, faint,
    marks::Marks,
    plain, put,
};
use crate::domain::Layer;

/// Characters from dark to bright, for screens without colour.
const RAMP: &[u8] = b" .:-=+*#%@";

pub(super) fn draw(app: &App, area: Rect, buffer: &mut Buffer) {
    let Some(open) = &app.open else {
        put(buffer, area.x + 2, area.y + area.height / 2, area.width.saturating_sub(4), "opening …", faint());
        return;
    };
    if let Some(beside) = &open.beside {
        compare::draw(app, open, beside, area, buffer);
    } else if app.monochrome {
        draw_characters(app, open, area, buffer);
    } else {
        match app.graphics {
            Some(graphics) if app.is_pictured() => draw_tiles(graphics, area, buffer),
            _ => {
                let dots = match app.cells {
                    Cells::Half | Cells::Pixels => HALF,
                    Cells::Quadrant => QUADRANT,
                    Cells::Sextant => SEXTANT,
                };
                let grid = grid(app, area, dots);
                let mut colours = compose(&scene(app, open), &grid);
                Marks::of(app).draw(&grid, 1, &mut colours);
                cells::draw(buffer, area, dots, &colours);
            }
        }
        if app.minimap {
            draw_minimap(app, open, area, buffer);
        }
    }
    if let Shown::Missing(reason) = &open.shown {
        clear(buffer, Rect { height: 1, ..area }, plain());
        put(buffer, area.x + 1, area.y, area.width.saturating_sub(2), reason, super::bar());
    }
}

/// The cells under pictures: kitty's placeholders, or cells that nobody writes to.
fn draw_tiles(graphics: Graphics, area: Rect, buffer: &mut Buffer) {
    let tiling = Tiling::new(area, graphics.cell);
    for index in 0..tiling.count() {
        let place = tiling.rect(index);
        for position in place.positions() {
            let cell = &mut buffer[position];
            if graphics.protocol == Protocol::Kitty {
                let (symbol, colour) = encode::placeholder(index, position.x - place.x, position.y - place.y);
                cell.set_symbol(&symbol).set_fg(colour).set_diff_option(CellDiffOption::ForcedWidth(NonZeroU16::MIN));
            } else {
                cell.set_diff_option(CellDiffOption::Skip);
            }
        }
    }
}

/// What the canvas shall show by the terminal's own graphics; none where it is not shown, or shown by cells.
#[must_use]
pub fn shot(app: &App) -> Option<Shot> {
    let graphics =
        app.graphics.filter(|_| app.is_pictured() && matches!(app.focus, Context::Canvas | Context::Panel))?;
    let open = app.open.as_ref()?;
    let canvas = layout::areas(app.screen.0, app.screen.1).canvas;
    let sheet = |(drawn, painted): (&Drawn, Painted<'_>)| Sheet {
        bits: Arc::clone(&drawn.bits),
        bounds: painted.bounds,
        colour: painted.colour,
        opacity: painted.opacity,
        outline: painted.outline,
        border: painted.border,
    };
    Some(Shot {
        tiling: Tiling::new(canvas, graphics.cell),
        graphics,
        quality: app.quality,
        picture: open.picture().cloned(),
        size: open.item.size,
        layers: layers(app, open).into_iter().map(sheet).collect(),
        light: app.light,
        view: app.viewport,
        marks: Marks::of(app),
    })
}

/// The cell of the screen that the cursor is on, or the canvas's corner.
#[must_use]
pub fn cursor_cell(app: &App) -> (u16, u16) {
    let canvas = layout::areas(app.screen.0, app.screen.1).canvas;
    let (column, row) = app.viewport.cell(app.cursor).unwrap_or_default();
    (canvas.x + column, canvas.y + row)
}

/// The dots of the canvas.
pub(super) fn grid(app: &App, area: Rect, dots: Dots) -> Grid {
    let view = &app.viewport;
    Grid {
        columns: usize::from(area.width) * dots.across,
        rows: usize::from(area.height) * dots.down,
        left: view.left,
        top: view.top,
        dx: view.scale / dots.across as f64,
        dy: 2.0 * view.scale / dots.down as f64,
    }
}

/// The open image with the layers that are shown.
#[must_use]
pub fn scene<'a>(app: &'a App, open: &'a Open) -> Scene<'a> {
    let layers = layers(app, open).into_iter().map(|(_, painted)| painted).collect();
    Scene { picture: open.picture().map(AsRef::as_ref), size: open.item.size, layers, light: app.light }
}

/// The layers that are shown: those of the other instances faintly below, the edited one on top.
fn layers<'a>(app: &'a App, open: &'a Open) -> Vec<(&'a Drawn, Painted<'a>)> {
    let mut layers = Vec::new();
    if app.peek {
        return layers;
    }
    let mut add = |drawn: &'a Drawn, colour, opacity, outline, border| {
        let painted = Painted { bits: &drawn.bits, bounds: drawn.bounds, colour, opacity, outline, border };
        layers.push((drawn, painted));
    };
    for (index, instance) in open.instances.iter().enumerate() {
        if index != open.active
            && let Some(drawn) = instance.layers.get(&Layer::Object)
            && !app.looks.alone
        {
            add(drawn, [150, 150, 150], 25, false, true);
        }
    }
    let own = &open.instance().layers;
    let order = own.keys().filter(|layer| **layer != app.layer).chain(own.keys().filter(|layer| **layer == app.layer));
    for &layer in order {
        let (drawn, look) = (&own[&layer], app.looks.of(layer));
        let current = layer == app.layer;
        if look.hidden || (app.looks.alone && !current) || drawn.bounds.is_empty() {
            continue;
        }
        add(drawn, colour(layer), look.opacity, look.outline, current);
    }
    if let Some(drawn) = app.proposed(app.layer) {
        add(drawn, PROPOSED, 40, false, true);
    }
    layers
}

/// Characters by brightness; the edited layer reversed, other layers by a letter.
fn draw_characters(app: &App, open: &Open, area: Rect, buffer: &mut Buffer) {
    let grid = grid(app, area, Dots { across: 1, down: 1 });
    let mut scene = scene(app, open);
    let layers = std::mem::take(&mut scene.layers);
    let dots = compose(&scene, &grid);
    let mut symbols: Vec<(char, Modifier)> = dots
        .iter()
        .map(|dot| {
            let luma = (299 * u32::from(dot[0]) + 587 * u32::from(dot[1]) + 114 * u32::from(dot[2])) / 1000;
            (char::from(RAMP[luma as usize * (RAMP.len() - 1) / 255]), Modifier::empty())
        })
        .collect();
    let shown: Vec<&Layer> = open.instance().layers.keys().collect();
    let proposed = app.proposed(app.layer);
    for layer in &layers {
        let is_proposed = proposed.is_some_and(|drawn| std::ptr::eq(&*drawn.bits, layer.bits));
        let which = shown.iter().find(|which| std::ptr::eq(&*open.instance().layers[which].bits, layer.bits));
        let letter = match which {
            Some(Layer::Attribute(index)) => app.attribute_keys[*index].unwrap_or('+'),
            Some(Layer::Object) => 'O',
            None if is_proposed => '?',
            Some(Layer::Ignore) | None => '/',
        };
        for (symbol, inside) in symbols.iter_mut().zip(covered(layer.bits, layer.bounds, &grid)) {
            if inside && layer.border && !is_proposed {
                symbol.1 |= Modifier::REVERSED;
            } else if inside {
                *symbol = (letter, Modifier::UNDERLINED);
            }
        }
    }
    let cursor = grid.dot(app.cursor);
    for (at, (symbol, modifier)) in symbols.into_iter().enumerate() {
        let (column, row) = (at % grid.columns, at / grid.columns);
        let here = (column as i64, row as i64) == cursor;
        let cell = &mut buffer[(area.x + column as u16, area.y + row as u16)];
        cell.set_char(if here { 'X' } else { symbol });
        cell.set_style(ratatui::style::Style::new().add_modifier(modifier));
    }
}

/// The whole image in the upper right corner, with the part that is shown framed.
fn draw_minimap(app: &App, open: &Open, area: Rect, buffer: &mut Buffer) {
    let size = open.item.size;
    let width = (area.width / 4).min(24);
    let scale = f64::from(size.width.max(1)) / f64::from(width.max(1));
    let height = ((f64::from(size.height) / scale / 2.0).ceil() as u16).min(area.height / 2);
    if width < 4 || height < 2 {
        return;
    }
    let place = Rect::new(area.right() - width, area.y, width, height);
    clear(buffer, place, plain());
    let (columns, rows) = (usize::from(width), usize::from(height) * 2);
    let grid = Grid { columns, rows, left: 0.0, top: 0.0, dx: scale, dy: f64::from(size.height) / rows as f64 };
    let mut colours = compose(&scene(app, open), &grid);
    let view = &app.viewport;
    let corner = |x: f64, y: f64| {
        let at = |value: f64, step: f64, count: usize| ((value / step) as i64).clamp(0, count as i64 - 1) as usize;
        (at(x, grid.dx, columns), at(y, grid.dy, rows))
    };
    let (left, top) = corner(view.left, view.top);
    let (right, bottom) =
        corner(view.left + f64::from(view.columns) * view.scale, view.top + 2.0 * f64::from(view.rows) * view.scale);
    for row in top..=bottom {
        for column in left..=right {
            if row == top || row == bottom || column == left || column == right {
                colours[row * columns + column] = [255, 255, 255];
            }
        }
    }
    cells::draw(buffer, place, HALF, &colours);
}
