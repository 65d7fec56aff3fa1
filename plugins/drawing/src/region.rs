//! A rectangle of pixels: where something changed or is looked for.

use rival10_sdk::Size;

/// The pixels with `left <= x < right` and `top <= y < bottom`. It is empty where one side is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region {
    /// The first column.
    pub left: u32,
    /// The first row.
    pub top: u32,
    /// One past the last column.
    pub right: u32,
    /// One past the last row.
    pub bottom: u32,
}

impl Region {
    /// No pixel at all.
    pub const EMPTY: Self = Self { left: 0, top: 0, right: 0, bottom: 0 };

    /// Every pixel of `size`.
    #[must_use]
    pub const fn whole(size: Size) -> Self {
        Self { left: 0, top: 0, right: size.width, bottom: size.height }
    }

    /// Whether it holds no pixel.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.left >= self.right || self.top >= self.bottom
    }

    /// The smallest region around both.
    #[must_use]
    pub fn around(self, other: Self) -> Self {
        match (self.is_empty(), other.is_empty()) {
            (true, _) => other,
            (_, true) => self,
            _ => Self {
                left: self.left.min(other.left),
                top: self.top.min(other.top),
                right: self.right.max(other.right),
                bottom: self.bottom.max(other.bottom),
            },
        }
    }

    /// The region grown by `margin` on every side, within `size`.
    #[must_use]
    pub fn padded(self, margin: u32, size: Size) -> Self {
        if self.is_empty() {
            return Self::EMPTY;
        }
        Self {
            left: self.left.saturating_sub(margin),
            top: self.top.saturating_sub(margin),
            right: self.right.saturating_add(margin).min(size.width),
            bottom: self.bottom.saturating_add(margin).min(size.height),
        }
    }

    /// The part of the half-open rectangle that lies within `size`.
    #[must_use]
    pub fn clipped(left: i64, top: i64, right: i64, bottom: i64, size: Size) -> Self {
        let clip = |value: i64, side: u32| u32::try_from(value.clamp(0, i64::from(side))).unwrap_or(side);
        Self {
            left: clip(left, size.width),
            top: clip(top, size.height),
            right: clip(right, size.width),
            bottom: clip(bottom, size.height),
        }
    }

    /// Its width and height; none of either if it is empty.
    #[must_use]
    pub const fn size(self) -> Size {
        if self.is_empty() {
            return Size::new(0, 0);
        }
        Size::new(self.right - self.left, self.bottom - self.top)
    }
}
