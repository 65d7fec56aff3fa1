//! Tools and the gestures that draw with them.

use std::sync::Arc;

use rival10_drawing::{Bits, Brush, Point, Region, Tip};

/// What the pointer does to a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tool {
    /// Paints where it goes.
    Brush,
    /// Fills between corners.
    Polygon,
    /// Fills what it goes around.
    Lasso,
    /// Fills between two corners.
    Rectangle,
    /// Fills the ellipse between two corners.
    Ellipse,
    /// Fills a field of the layer.
    Bucket,
    /// Finds like colours.
    Wand,
    /// Paints patches of like colour.
    Superpixel,
    /// Points at what a network shall mark.
    Prompt,
}

impl Tool {
    /// Its name on the status line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Brush => "brush",
            Self::Polygon => "polygon",
            Self::Lasso => "lasso",
            Self::Rectangle => "rectangle",
            Self::Ellipse => "ellipse",
            Self::Bucket => "fill",
            Self::Wand => "wand",
            Self::Superpixel => "superpixels",
            Self::Prompt => "points",
        }
    }
}

/// The tool in hand and the settings of all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tools {
    /// The tool in hand.
    pub tool: Tool,
    /// Whether it takes pixels away.
    pub erase: bool,
    /// The brush with which pixels are added.
    pub paint: Brush,
    /// The brush with which they are taken away; its size is remembered on its own.
    pub eraser: Brush,
    /// The wand's tolerance: the largest difference of a channel.
    pub tolerance: u8,
}

/// The largest brush, in pixels.
pub const LARGEST_BRUSH: u32 = 999;

impl Default for Tools {
    fn default() -> Self {
        let brush = |diameter| Brush { diameter, tip: Tip::Circle };
        Self { tool: Tool::Brush, erase: false, paint: brush(9), eraser: brush(9), tolerance: 24 }
    }
}

impl Tools {
    /// The brush that draws pixels of this value.
    #[must_use]
    pub fn brush(&self, value: bool) -> Brush {
        if value { self.paint } else { self.eraser }
    }

    /// The brush in hand, to be changed.
    pub fn brush_mut(&mut self) -> &mut Brush {
        if self.erase { &mut self.eraser } else { &mut self.paint }
    }
}

/// Something that was begun on the canvas and is not done.
#[derive(Clone, Debug)]
pub enum Gesture {
    /// A brush that is down.
    Stroke {
        /// Whether it adds.
        value: bool,
        /// The layer before.
        before: Arc<Bits>,
        /// Where the brush was last.
        last: Point,
        /// Where it has been.
        region: Region,
    },
    /// Corners of a polygon, or the way of a lasso.
    Ring {
        /// Whether it adds.
        value: bool,
        /// The corners so far.
        corners: Vec<Point>,
        /// Whether moving adds corners.
        drawing: bool,
    },
    /// The first corner of a rectangle or ellipse.
    Span {
        /// Whether it adds.
        value: bool,
        /// The corner.
        anchor: Point,
    },
    /// The picture is dragged along.
    Pan {
        /// The cell where it was taken hold of last.
        from: (u16, u16),
    },
}
