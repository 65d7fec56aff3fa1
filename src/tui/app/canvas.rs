//! Moving the cursor and the view, and using the tool in hand from the keyboard.

use rival10_drawing::Point;

use super::{
    super::{action::Effect, chord::Chord, command::Command},
    App, Cells,
    tools::{Gesture, Tool},
};

/// Dots that a far step goes.
const FAR: i64 = 8;

impl App {
    pub(super) fn run_on_canvas(&mut self, command: Command, count: Option<u32>) -> bool {
        use Command as C;
        let times = i64::from(count.unwrap_or(1));
        let dot = self.viewport.dot();
        let here = self.cursor;
        match command {
            C::Left => self.step(-times * dot, 0),
            C::Right => self.step(times * dot, 0),
            C::Up => self.step(0, -times * dot),
            C::Down => self.step(0, times * dot),
            C::FarLeft => self.step(-times * dot * FAR, 0),
            C::FarRight => self.step(times * dot * FAR, 0),
            C::FarUp => self.step(0, -times * dot * FAR),
            C::FarDown => self.step(0, times * dot * FAR),
            C::PixelLeft => self.step(-times, 0),
            C::PixelRight => self.step(times, 0),
            C::PixelUp => self.step(0, -times),
            C::PixelDown => self.step(0, times),
            C::ZoomIn => self.viewport.zoom(times as i32, here),
            C::ZoomOut => self.viewport.zoom(-times as i32, here),
            C::Fit => self.fit(),
            C::OneToOne => self.viewport.rescale(1.0, here),
            C::PanLeft => self.viewport.pan(-0.25, 0.0),
            C::PanRight => self.viewport.pan(0.25, 0.0),
            C::PanUp => self.viewport.pan(0.0, -0.25),
            C::PanDown => self.viewport.pan(0.0, 0.25),
            C::Centre => self.viewport.centre(here),
            C::Brighter => self.light.brightness = (self.light.brightness + 1).min(10),
            C::Darker => self.light.brightness = (self.light.brightness - 1).max(-10),
            C::MoreContrast => self.light.contrast = (self.light.contrast + 1).min(10),
            C::LessContrast => self.light.contrast = (self.light.contrast - 1).max(-10),
            C::PlainLight => self.light = super::Light::default(),
            C::Minimap => self.minimap = !self.minimap,
            C::Monochrome => {
                self.monochrome = !self.monochrome;
                self.effects.push(Effect::Redraw);
            }
            C::Pictures => self.next_cells(),
            C::Brush => self.choose_tool(Tool::Brush),
            C::Polygon => self.choose_tool(Tool::Polygon),
            C::Lasso => self.choose_tool(Tool::Lasso),
            C::Rectangle => self.choose_tool(Tool::Rectangle),
            C::Ellipse => self.choose_tool(Tool::Ellipse),
            C::Bucket => self.choose_tool(Tool::Bucket),
            C::Wand => self.choose_tool(Tool::Wand),
            C::Superpixel => self.choose_tool(Tool::Superpixel),
            C::Erase => {
                self.finish_stroke();
                self.gesture = None;
                self.tools.erase = !self.tools.erase;
            }
            C::Smaller => self.resize_tool(-1, count),
            C::Larger => self.resize_tool(1, count),
            C::Tip => {
                use rival10_drawing::Tip;
                let brush = self.tools.brush_mut();
                brush.tip = if brush.tip == Tip::Circle { Tip::Square } else { Tip::Circle };
            }
            C::Apply => self.apply_tool(here, !self.tools.erase),
            C::Pen => self.pen(),
            C::Finish => self.finish(),
            C::Cancel => self.cancel(),
            C::DropCorner => {
                if let Some(Gesture::Ring { corners, .. }) = &mut self.gesture {
                    corners.pop();
                    if corners.is_empty() {
                        self.gesture = None;
                    }
                }
            }
            _ => return false,
        }
        true
    }

    /// Shows the whole image, with the cursor where it is.
    pub(super) fn fit(&mut self) {
        if let Some(open) = &self.open {
            self.viewport.fit(open.item.size);
        }
    }

    fn next_cells(&mut self) {
        self.cells = match self.cells {
            Cells::Pixels => Cells::Half,
            Cells::Half => Cells::Quadrant,
            Cells::Quadrant => Cells::Sextant,
            Cells::Sextant if self.graphics.is_some() => Cells::Pixels,
            Cells::Sextant => Cells::Half,
        };
        self.quality = super::Quality::default();
        self.say(match (self.cells, self.graphics) {
            (Cells::Pixels, Some(graphics)) => format!("pictures by {}", graphics.protocol.name()),
            (Cells::Pixels | Cells::Half, _) => "half blocks: two dots a cell, of any colour".to_owned(),
            (Cells::Quadrant, _) => "quadrants: four dots a cell, of two colours".to_owned(),
            (Cells::Sextant, _) => "sextants: six dots a cell, of two colours".to_owned(),
        });
        self.effects.push(Effect::Redraw);
    }

    fn choose_tool(&mut self, tool: Tool) {
        self.finish_stroke();
        self.gesture = None;
        self.tools.tool = tool;
        self.proposals.prompts.clear();
    }

    fn resize_tool(&mut self, sign: i64, count: Option<u32>) {
        if self.tools.tool == Tool::Wand {
            let step = i64::from(count.unwrap_or(4)) * sign;
            self.tools.tolerance = (i64::from(self.tools.tolerance) + step).clamp(0, 255) as u8;
            return;
        }
        let brush = self.tools.brush_mut();
        // A tenth of its size where no number says otherwise, so that large brushes don't take long to change.
        let step = count.map_or_else(|| (i64::from(brush.diameter) / 10).max(1), i64::from);
        let diameter = i64::from(brush.diameter) + sign * step;
        brush.diameter = diameter.clamp(1, i64::from(super::tools::LARGEST_BRUSH)) as u32;
    }

    /// Moves the cursor, within the image, and draws on the way if the pen is down.
    fn step(&mut self, dx: i64, dy: i64) {
        self.move_cursor((self.cursor.0 + dx, self.cursor.1 + dy));
        self.viewport.follow(self.cursor);
    }

    /// Puts the cursor on the pixel of the image nearest to `to`, and draws on the way if the pen is down.
    pub(super) fn move_cursor(&mut self, to: Point) {
        let Some(open) = &self.open else { return };
        let size = open.item.size;
        let within = |at: i64, side: u32| at.clamp(0, i64::from(side.max(1)) - 1);
        self.cursor = (within(to.0, size.width), within(to.1, size.height));
        self.draw_to(self.cursor);
    }

    pub(super) fn run_with_key(&mut self, command: Command, chord: Chord, count: Option<u32>) {
        self.confirm = None;
        let Some(character) = chord.character() else { return };
        match command {
            Command::SetMark => {
                self.marks.insert(character, self.cursor);
                self.say(format!("{character} is {}, {}", self.cursor.0, self.cursor.1));
            }
            Command::GoToMark => match self.marks.get(&character) {
                Some(&place) => {
                    self.move_cursor(place);
                    self.viewport.follow(self.cursor);
                }
                None => self.say(format!("nothing is marked {character}")),
            },
            _ => self.run_with_layer(command, character, count),
        }
    }
}
