//! Drawing: what gestures do to a layer, and how a finished one is sent to the disk.
//!
//! A stroke is drawn into a copy of the layer that the first dab makes; what is sent is the layer before and after, and the
//! worker finds the pixels that differ. A stroke that changes nothing is not sent.

use std::sync::Arc;

use rival10_drawing::{Bits, Point, Region, Superpixels, bucket, ellipse, polygon, rectangle};

use super::{
    super::action::{Effect, Search, Stroke},
    App, Waiting,
    sheet::Drawn,
    tools::{Gesture, Tool},
};
use crate::{
    domain::{Layer, Presence},
    ops::annotate::Change,
};

/// What becomes of pixels that were searched for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// They are added.
    Add,
    /// They are taken away.
    Remove,
    /// The layer is them from now on.
    Become,
}

impl App {
    /// Whether the layer may be drawn on now; says why not.
    pub(super) fn may_draw(&mut self) -> bool {
        let Some(open) = &self.open else { return false };
        if open.instance().class.is_none() {
            self.ask_class();
            return false;
        }
        if !self.may_change() {
            return false;
        }
        let Some(open) = &self.open else { return false };
        if self.looks.of(self.layer).locked {
            self.complain("the layer is locked");
            return false;
        }
        if open.author != self.annotator && !self.queue.review {
            self.complain("this is somebody else's annotation");
            return false;
        }
        true
    }

    /// Uses the tool in hand at `at`, to add pixels or take them away.
    pub(super) fn apply_tool(&mut self, at: Point, value: bool) {
        if !self.may_draw() {
            return;
        }
        match self.tools.tool {
            Tool::Brush | Tool::Superpixel => {
                if matches!(self.gesture, Some(Gesture::Stroke { .. })) {
                    self.draw_to(at);
                } else {
                    self.begin_stroke(at, value);
                    match &mut self.waiting {
                        Some(Waiting::Patches { dab, .. }) => *dab = true,
                        _ => self.finish_stroke(),
                    }
                }
            }
            Tool::Polygon | Tool::Lasso => match &mut self.gesture {
                Some(Gesture::Ring { corners, .. }) => {
                    if corners.len() > 2 && corners.first() == Some(&at) {
                        self.finish();
                    } else {
                        corners.push(at);
                    }
                }
                _ => {
                    let drawing = self.tools.tool == Tool::Lasso;
                    self.gesture = Some(Gesture::Ring { value, corners: vec![at], drawing });
                }
            },
            Tool::Prompt if self.gesture.is_some() => self.finish(),
            Tool::Prompt => self.point_at(at, value),
            Tool::Rectangle | Tool::Ellipse => match self.gesture {
                Some(Gesture::Span { .. }) => self.finish(),
                _ => self.gesture = Some(Gesture::Span { value, anchor: at }),
            },
            Tool::Bucket => {
                let Some(open) = &self.open else { return };
                let field = bucket(&open.bits(self.layer), at);
                self.combine(&field, if value { Use::Add } else { Use::Remove });
            }
            Tool::Wand => {
                let Some(picture) = self.open.as_ref().and_then(|open| open.picture()) else {
                    self.complain("the wand needs the picture, which is not there");
                    return;
                };
                let (picture, tolerance) = (Arc::clone(picture), self.tools.tolerance);
                let used = if value { Use::Add } else { Use::Remove };
                self.find(Search::Wand { picture, seed: at, tolerance }, used, None);
            }
        }
    }

    /// Asks the worker for pixels; `source` is what finds them, where that is worth keeping.
    pub(super) fn find(&mut self, search: Search, used: Use, source: Option<&'static str>) {
        self.waiting = Some(Waiting::Found(used, source));
        self.effects.push(Effect::Find(search));
    }

    pub(super) fn found(&mut self, bits: &Bits) {
        if let Some(Waiting::Found(used, source)) = self.waiting.take() {
            self.combine_from(bits, used, source.map(str::to_owned));
        }
    }

    /// Changes the layer by `bits`.
    pub(super) fn combine(&mut self, bits: &Bits, used: Use) {
        self.combine_from(bits, used, None);
    }

    /// Changes the layer by `bits` that `source` found.
    pub(super) fn combine_from(&mut self, bits: &Bits, used: Use, source: Option<String>) {
        self.redraw_from(source, |layer| {
            match used {
                Use::Add => layer.add(bits),
                Use::Remove => layer.subtract(bits),
                Use::Become => layer.clone_from(bits),
            }
            Region::whole(layer.size())
        });
    }

    /// Changes the layer by `draw`, which gives the region that it touched, and sends the change to the disk.
    pub(super) fn redraw(&mut self, draw: impl FnOnce(&mut Bits) -> Region) {
        self.redraw_from(None, draw);
    }

    fn redraw_from(&mut self, source: Option<String>, draw: impl FnOnce(&mut Bits) -> Region) {
        if !self.may_draw() {
            return;
        }
        let Some(open) = &self.open else { return };
        let before = open.bits(self.layer);
        let mut after = Bits::clone(&before);
        let region = draw(&mut after);
        self.keep(before, Drawn::new(after), region, source);
    }

    /// Puts the pen down at `at`. Superpixels have to be found first: then this waits, and so does what the hand does next.
    pub(super) fn begin_stroke(&mut self, at: Point, value: bool) {
        let Some(open) = &self.open else { return };
        if self.tools.tool == Tool::Superpixel && open.patches.is_none() {
            match open.picture() {
                Some(picture) => {
                    self.effects.push(Effect::Find(Search::Patches(Arc::clone(picture))));
                    self.waiting = Some(Waiting::Patches { at, value, dab: false });
                }
                None => self.complain("superpixels need the picture, which is not there"),
            }
            return;
        }
        let before = open.bits(self.layer);
        self.gesture = Some(Gesture::Stroke { value, before, last: at, region: Region::EMPTY });
        self.draw_to(at);
    }

    pub(super) fn patches_made(&mut self, patches: Superpixels) {
        let Some(Waiting::Patches { at, value, dab }) = self.waiting.take() else { return };
        if let Some(open) = &mut self.open {
            open.patches = Some(Arc::new(patches));
            self.begin_stroke(at, value);
            if dab {
                self.finish_stroke();
            }
        }
    }

    /// Draws on to `at`, if something is being drawn.
    pub(super) fn draw_to(&mut self, at: Point) {
        match &mut self.gesture {
            Some(Gesture::Stroke { value, before, last, region }) => {
                let brush = self.tools.brush(*value);
                let Some(open) = &mut self.open else { return };
                let patches = open.patches.clone().filter(|_| self.tools.tool == Tool::Superpixel);
                let layer = open.instance_mut().layers.entry(self.layer).or_insert_with(|| Drawn {
                    bits: Arc::clone(before),
                    area: 0,
                    bounds: Region::EMPTY,
                });
                let bits = Arc::make_mut(&mut layer.bits);
                let drawn = match patches {
                    Some(patches) => patches.draw(bits, at, *value),
                    None => brush.draw(bits, *last, at, *value),
                };
                *region = region.around(drawn);
                // Too large where the stroke takes away; exact again when it is done.
                layer.bounds = layer.bounds.around(drawn);
                *last = at;
            }
            Some(Gesture::Ring { corners, drawing: true, .. }) if corners.last() != Some(&at) => corners.push(at),
            _ => {}
        }
    }

    /// Pen down, or up.
    pub(super) fn pen(&mut self) {
        match &mut self.gesture {
            Some(Gesture::Ring { drawing, .. }) => *drawing = !*drawing,
            Some(_) => self.finish(),
            None if self.tools.tool == Tool::Prompt => {
                if self.may_draw() {
                    self.gesture = Some(Gesture::Span { value: !self.tools.erase, anchor: self.cursor });
                }
            }
            None if matches!(self.tools.tool, Tool::Brush | Tool::Superpixel) => {
                if self.may_draw() {
                    self.begin_stroke(self.cursor, !self.tools.erase);
                    self.say("the pen is down: moving draws; v lifts it");
                }
            }
            None => self.apply_tool(self.cursor, !self.tools.erase),
        }
    }

    /// Finishes whatever was begun.
    pub(super) fn finish(&mut self) {
        match self.gesture.take() {
            Some(stroke @ Gesture::Stroke { .. }) => {
                self.gesture = Some(stroke);
                self.finish_stroke();
            }
            Some(Gesture::Ring { value, corners, .. }) => self.redraw(|bits| polygon(bits, &corners, value)),
            Some(Gesture::Span { value, anchor }) if self.tools.tool == Tool::Prompt => {
                self.box_between(anchor, self.cursor, value);
            }
            Some(Gesture::Span { value, anchor }) => {
                let (to, round) = (self.cursor, self.tools.tool == Tool::Ellipse);
                self.redraw(
                    |bits| {
                        if round { ellipse(bits, anchor, to, value) } else { rectangle(bits, anchor, to, value) }
                    },
                );
            }
            Some(Gesture::Pan { .. }) | None => {}
        }
    }

    /// Lifts the pen, if it is down, and sends the stroke to the disk.
    pub(super) fn finish_stroke(&mut self) {
        let Some(Gesture::Stroke { before, region, .. }) = &self.gesture else { return };
        let (before, region) = (Arc::clone(before), *region);
        self.gesture = None;
        let Some(open) = &self.open else { return };
        let after = Drawn::new(Bits::clone(&open.bits(self.layer)));
        self.keep(before, after, region, None);
    }

    /// Gives up what was begun; a stroke's pixels go back to what they were.
    pub(super) fn cancel(&mut self) {
        if let Some(Gesture::Stroke { before, .. }) = self.gesture.take()
            && let Some(open) = &mut self.open
        {
            let layers = &mut open.instance_mut().layers;
            if before.is_empty() {
                layers.remove(&self.layer);
            } else {
                layers.insert(self.layer, Drawn::new(Bits::clone(&before)));
            }
        }
    }

    /// Shows `after` as the layer, and sends what differs from `before` to the disk. Pixels on an attribute's layer say yes
    /// to it where nothing was said.
    fn keep(&mut self, before: Arc<Bits>, after: Drawn, region: Region, source: Option<String>) {
        let layer = self.layer;
        if *before == *after.bits {
            self.set_drawn(layer, after);
            return;
        }
        if let Layer::Attribute(attribute) = layer
            && after.area > 0
            && self.open.as_ref().is_some_and(|o| o.instance().attributes[attribute] == Presence::NotJudged)
        {
            self.set_presence(attribute, Presence::Yes);
        }
        let Some(target) = self.target() else { return };
        let stroke = Stroke { target, layer, before, after: Arc::clone(&after.bits), region, source };
        self.set_drawn(layer, after);
        self.saving += 1;
        self.effects.push(Effect::Stroke(stroke));
    }

    /// Shows `drawn` as `layer`; an empty one that was never drawn stays undrawn.
    fn set_drawn(&mut self, layer: Layer, drawn: Drawn) {
        if let Some(open) = &mut self.open {
            open.instance_mut().layers.insert(layer, drawn);
        }
    }

    /// Takes the layer away.
    pub(super) fn remove_layer(&mut self) {
        if self.may_draw() && self.change(Change::RemoveLayer { layer: self.layer }) {
            let layer = self.layer;
            if let Some(open) = &mut self.open {
                open.instance_mut().layers.remove(&layer);
            }
        }
    }
}
