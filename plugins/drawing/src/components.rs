//! Which pixels hang together.

use crate::{Bits, Region};

/// The connected parts of a set of pixels, by the spans of its rows: time goes with the spans, not with the pixels.
pub struct Components {
    spans: Vec<Span>,
    /// The part of each span: an index into `parts`.
    labels: Vec<usize>,
    parts: Vec<Part>,
}

struct Span {
    y: u32,
    left: u32,
    right: u32,
}

/// What is known of one part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its pixels.
    pub area: u64,
    /// Whether one of them lies on the image's border.
    pub on_border: bool,
    /// The region around it.
    pub bounds: Region,
}

impl Components {
    /// The parts of the pixels of `bits` that are `value`. Pixels hang together by their sides, and by their corners too
    /// if `corners` says so.
    #[must_use]
    pub fn of(bits: &Bits, value: bool, corners: bool) -> Self {
        let size = bits.size();
        let mut spans: Vec<Span> = Vec::new();
        let mut parents: Vec<usize> = Vec::new();
        let reach = u32::from(corners);
        let mut above = 0..0;
        for y in 0..size.height {
            let start = spans.len();
            let mut candidate = above.start;
            for (left, right) in bits.spans(y, value) {
                let this = spans.len();
                parents.push(this);
                // Spans above that end before this one begins can't meet any later one either.
                while candidate < above.end && spans[candidate].right + reach <= left {
                    candidate += 1;
                }
                let mut other = candidate;
                while other < above.end && spans[other].left < right + reach {
                    let (a, b) = (root(&mut parents, this), root(&mut parents, other));
                    parents[a.max(b)] = a.min(b);
                    other += 1;
                }
                spans.push(Span { y, left, right });
            }
            above = start..spans.len();
        }
        let mut parts: Vec<Part> = Vec::new();
        let mut labels = vec![usize::MAX; spans.len()];
        for i in 0..spans.len() {
            let root = root(&mut parents, i);
            if labels[root] == usize::MAX {
                labels[root] = parts.len();
                parts.push(Part { area: 0, on_border: false, bounds: Region::EMPTY });
            }
            labels[i] = labels[root];
            let (span, part) = (&spans[i], &mut parts[labels[i]]);
            part.area += u64::from(span.right - span.left);
            part.on_border |= span.y == 0 || span.y + 1 == size.height || span.left == 0 || span.right == size.width;
            let own = Region { left: span.left, top: span.y, right: span.right, bottom: span.y + 1 };
            part.bounds = part.bounds.around(own);
        }
        Self { spans, labels, parts }
    }

    /// The parts, in the order of their first pixels, row by row.
    #[must_use]
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// Sets, or clears, in `bits` the pixels of the parts that `choose` names, and gives the region around them.
    pub fn fill(&self, bits: &mut Bits, value: bool, choose: impl Fn(&Part) -> bool) -> Region {
        let chosen: Vec<bool> = self.parts.iter().map(choose).collect();
        for (span, &label) in self.spans.iter().zip(&self.labels) {
            if chosen[label] {
                bits.fill_row(span.y.into(), span.left.into(), span.right.into(), value);
            }
        }
        let regions = self.parts.iter().zip(&chosen).filter(|(_, chosen)| **chosen).map(|(part, _)| part.bounds);
        regions.fold(Region::EMPTY, Region::around)
    }
}

/// The first span of the part that span `of` belongs to, with the way there halved for the next time.
fn root(parents: &mut [usize], mut of: usize) -> usize {
    while parents[of] != of {
        parents[of] = parents[parents[of]];
        of = parents[of];
    }
    of
}
