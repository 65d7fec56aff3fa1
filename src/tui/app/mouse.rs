//! The mouse: it draws with the tool in hand, drags the picture, and chooses rows.

use crossterm::event::{KeyModifiers, MouseButton, MouseEvent, MouseEventKind};

use super::{
    super::{keymap::Context, layout},
    App,
    panel::Row,
    tools::{Gesture, Tool},
};

impl App {
    pub(super) fn mouse(&mut self, event: MouseEvent) {
        if self.overlay.is_some() || matches!(self.focus, Context::Gallery | Context::Page) {
            return;
        }
        let areas = layout::areas(self.screen.0, self.screen.1);
        let (column, row) = (event.column, event.row);
        let over = |area: ratatui::layout::Rect| area.contains((column, row).into());
        if over(areas.panel) && self.gesture.is_none() {
            self.mouse_on_panel(event, row - areas.panel.y, self.panel_height(areas.panel.height));
        } else if over(areas.canvas) || self.gesture.is_some() {
            // Both halves of a comparison show the same place.
            let own = self.own_canvas();
            let beside = self.gesture.is_none() && column > own.right() && own.width < areas.canvas.width;
            let column = if beside { column - own.width - 1 } else { column };
            let areas = layout::Areas { canvas: own, ..areas };
            // A gesture that leaves the canvas goes on along its border.
            let clamp = |at: u16, from: u16, length: u16| at.saturating_sub(from).min(length.saturating_sub(1));
            let cell =
                (clamp(column, areas.canvas.x, areas.canvas.width), clamp(row, areas.canvas.y, areas.canvas.height));
            self.mouse_on_canvas(event, cell);
        }
    }

    fn mouse_on_canvas(&mut self, event: MouseEvent, cell: (u16, u16)) {
        let at = self.viewport.pixel(cell.0, cell.1);
        match event.kind {
            MouseEventKind::Down(MouseButton::Middle) => {
                self.finish_stroke();
                self.gesture = Some(Gesture::Pan { from: cell });
            }
            MouseEventKind::Down(button) => {
                self.message = None;
                self.peek = false;
                self.focus = Context::Canvas;
                self.press(at, (button == MouseButton::Left) != self.tools.erase);
            }
            MouseEventKind::Drag(_) => match self.gesture {
                Some(Gesture::Pan { from }) => {
                    let share = |a: u16, b: u16, of: u16| (f64::from(a) - f64::from(b)) / f64::from(of.max(1));
                    self.viewport
                        .pan(share(from.0, cell.0, self.viewport.columns), share(from.1, cell.1, self.viewport.rows));
                    self.gesture = Some(Gesture::Pan { from: cell });
                }
                _ => self.move_cursor(at),
            },
            MouseEventKind::Up(_) => self.release(at),
            MouseEventKind::Moved => {
                // The pointer carries the cursor, but does not draw with a pen that the keyboard has put down.
                if self.gesture.as_ref().is_none_or(|g| !matches!(g, Gesture::Stroke { .. })) {
                    self.move_cursor(at);
                }
            }
            MouseEventKind::ScrollUp | MouseEventKind::ScrollDown => {
                let up = event.kind == MouseEventKind::ScrollUp;
                if event.modifiers.contains(KeyModifiers::CONTROL) {
                    let command = if up { super::Command::Larger } else { super::Command::Smaller };
                    self.run(command, None);
                } else {
                    self.viewport.zoom(if up { 1 } else { -1 }, at);
                }
            }
            MouseEventKind::ScrollLeft => self.viewport.pan(-0.1, 0.0),
            MouseEventKind::ScrollRight => self.viewport.pan(0.1, 0.0),
        }
    }

    /// A button goes down on a pixel.
    fn press(&mut self, at: (i64, i64), value: bool) {
        self.confirm = None;
        self.finish_stroke();
        match self.tools.tool {
            Tool::Brush | Tool::Superpixel => {
                self.move_cursor(at);
                if self.may_draw() {
                    self.begin_stroke(self.cursor, value);
                }
            }
            Tool::Polygon => {
                self.move_cursor(at);
                match &self.gesture {
                    // A click beside the first corner closes, and so does the other button.
                    Some(Gesture::Ring { corners, value: begun, .. }) if corners.len() > 2 => {
                        let near = self.viewport.dot() * 2;
                        let closes =
                            corners.first().is_some_and(|c| (c.0 - at.0).abs() <= near && (c.1 - at.1).abs() <= near);
                        if closes || *begun != value { self.finish() } else { self.apply_tool(self.cursor, value) }
                    }
                    _ => self.apply_tool(self.cursor, value),
                }
            }
            Tool::Prompt => {
                self.move_cursor(at);
                if self.may_draw() {
                    self.gesture = Some(Gesture::Span { value, anchor: self.cursor });
                }
            }
            Tool::Lasso | Tool::Rectangle | Tool::Ellipse => {
                self.gesture = None;
                self.move_cursor(at);
                self.apply_tool(self.cursor, value);
            }
            Tool::Bucket | Tool::Wand => {
                self.move_cursor(at);
                self.apply_tool(self.cursor, value);
            }
        }
    }

    /// A button goes up.
    fn release(&mut self, at: (i64, i64)) {
        match (&self.gesture, self.tools.tool) {
            (Some(Gesture::Pan { .. }), _) => self.gesture = None,
            (Some(_), Tool::Polygon) | (None, _) => {}
            (Some(_), _) => {
                self.move_cursor(at);
                self.finish();
            }
        }
    }

    fn mouse_on_panel(&mut self, event: MouseEvent, line: u16, height: u16) {
        let MouseEventKind::Down(button) = event.kind else { return };
        let Some(&row) = self.panel_lines(height).get(usize::from(line)) else { return };
        self.message = None;
        match (button, self.panel_rows()[row]) {
            (MouseButton::Right, Row::Attribute(attribute)) => self.cycle_presence(attribute),
            (_, row) => {
                if let Some(layer) = row.layer() {
                    self.choose_layer(layer);
                }
            }
        }
    }
}
