//! Patches of like colour: simple linear iterative clustering (Achanta and others, 2012).

use rival10_sdk::{Rgb, Size};

use crate::{Bits, Point, Region};

/// The most pixels that are clustered: larger pictures are clustered at half their size, and so on.
const MOST: usize = 300_000;
/// Rounds of clustering.
const ROUNDS: usize = 6;
/// How much a patch's shape counts against its colour: grey levels a patch's side.
const COMPACTNESS: f32 = 18.0;

/// A picture in patches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Superpixels {
    size: Size,
    /// How often the picture was halved before it was clustered.
    level: u32,
    clustered: Size,
    /// The patch of each pixel; connected.
    labels: Vec<u32>,
    /// The region around each patch, in pixels of the level that was clustered.
    bounds: Vec<Region>,
}

#[derive(Clone, Copy, Default)]
struct Centre {
    x: f32,
    y: f32,
    colour: [f32; 3],
}

impl Superpixels {
    /// Divides the picture into about `count` patches. `levels` is the picture and its halves.
    #[must_use]
    pub fn new(levels: &[Rgb], count: usize) -> Self {
        let size = levels[0].size;
        let level = levels.iter().position(|level| level.size.pixels() <= MOST).unwrap_or(levels.len() - 1);
        let picture = &levels[level];
        let labels = cluster(picture, count.max(1));
        let labels = connected(&labels, picture.size, picture.size.pixels() / count.max(1) / 4);
        let mut bounds = vec![Region::EMPTY; labels.iter().max().map_or(0, |&last| last as usize + 1)];
        for (at, &label) in labels.iter().enumerate() {
            let (x, y) = (at as u32 % picture.size.width, at as u32 / picture.size.width);
            let bounds = &mut bounds[label as usize];
            *bounds = bounds.around(Region { left: x, top: y, right: x + 1, bottom: y + 1 });
        }
        Self { size, level: level as u32, clustered: picture.size, labels, bounds }
    }

    /// Sets, or clears, the patch that holds a pixel, and gives the region around it; empty beside the picture.
    pub fn draw(&self, bits: &mut Bits, at: Point, value: bool) -> Region {
        let (Ok(x), Ok(y)) = (u32::try_from(at.0), u32::try_from(at.1)) else { return Region::EMPTY };
        if x >= self.size.width || y >= self.size.height {
            return Region::EMPTY;
        }
        let wanted = self.row(y)[self.column(x)];
        let region = self.whole(self.bounds[wanted as usize]);
        for y in region.top..region.bottom {
            let row = self.row(y);
            let mut from = None;
            for x in region.left..=region.right {
                let inside = x < region.right && row[self.column(x)] == wanted;
                match (inside, from) {
                    (true, None) => from = Some(x),
                    (false, Some(left)) => {
                        bits.fill_row(y.into(), i64::from(left), x.into(), value);
                        from = None;
                    }
                    _ => {}
                }
            }
        }
        region
    }

    /// A region of the level that was clustered as one of the picture. The last row and column stand for all that was lost
    /// by halving odd sides.
    fn whole(&self, region: Region) -> Region {
        let end = |at: u32, last: u32, side: u32| if at == last { side } else { at << self.level };
        Region {
            left: region.left << self.level,
            top: region.top << self.level,
            right: end(region.right, self.clustered.width, self.size.width),
            bottom: end(region.bottom, self.clustered.height, self.size.height),
        }
    }

    fn column(&self, x: u32) -> usize {
        (x >> self.level).min(self.clustered.width - 1) as usize
    }

    fn row(&self, y: u32) -> &[u32] {
        let row = (y >> self.level).min(self.clustered.height - 1) as usize;
        &self.labels[row * self.clustered.width as usize..(row + 1) * self.clustered.width as usize]
    }
}

/// The nearest of a grid of centres for every pixel, by colour and place, after the centres have moved to the means.
fn cluster(picture: &Rgb, count: usize) -> Vec<u32> {
    let (width, height) = (picture.size.width as usize, picture.size.height as usize);
    let step = ((width * height) as f32 / count as f32).sqrt().max(1.0);
    let colour = |x: usize, y: usize| {
        let at = 3 * (y * width + x);
        [0, 1, 2].map(|channel| f32::from(picture.pixels[at + channel]))
    };
    let along = |side: usize| {
        let parts = ((side as f32 / step).round() as usize).max(1);
        (0..parts).map(move |i| (i as f32 + 0.5) * side as f32 / parts as f32)
    };
    let mut centres: Vec<Centre> = along(height)
        .flat_map(|y| along(width).map(move |x| (x, y)))
        .map(|(x, y)| Centre { x, y, colour: colour(x as usize, y as usize) })
        .collect();
    let weight = (COMPACTNESS / step).powi(2);
    let mut labels = vec![0_u32; width * height];
    let mut nearest = vec![f32::INFINITY; width * height];
    for _ in 0..ROUNDS {
        nearest.fill(f32::INFINITY);
        for (label, centre) in centres.iter().enumerate() {
            let range = |at: f32, side: usize| {
                let from = (at - 2.0 * step).max(0.0) as usize;
                from..((at + 2.0 * step) as usize + 1).min(side)
            };
            for y in range(centre.y, height) {
                for x in range(centre.x, width) {
                    let away = (x as f32 - centre.x).powi(2) + (y as f32 - centre.y).powi(2);
                    let differs: f32 = colour(x, y).iter().zip(centre.colour).map(|(a, b)| (a - b).powi(2)).sum();
                    let distance = differs + weight * away;
                    if distance < nearest[y * width + x] {
                        nearest[y * width + x] = distance;
                        labels[y * width + x] = label as u32;
                    }
                }
            }
        }
        let mut sums = vec![(Centre::default(), 0.0_f32); centres.len()];
        for y in 0..height {
            for x in 0..width {
                let (sum, count) = &mut sums[labels[y * width + x] as usize];
                sum.x += x as f32;
                sum.y += y as f32;
                sum.colour.iter_mut().zip(colour(x, y)).for_each(|(sum, channel)| *sum += channel);
                *count += 1.0;
            }
        }
        for (centre, (sum, count)) in centres.iter_mut().zip(sums) {
            if count > 0.0 {
                *centre = Centre { x: sum.x / count, y: sum.y / count, colour: sum.colour.map(|c| c / count) };
            }
        }
    }
    labels
}

/// Numbers the connected parts of `labels`; parts of fewer than `smallest` pixels join the part before them.
fn connected(labels: &[u32], size: Size, smallest: usize) -> Vec<u32> {
    const NONE: u32 = u32::MAX;
    let (width, height) = (size.width as usize, size.height as usize);
    let mut parts = vec![NONE; labels.len()];
    let mut next = 0;
    for start in 0..labels.len() {
        if parts[start] != NONE {
            continue;
        }
        let beside = if start % width > 0 { parts[start - 1] } else { NONE };
        let above = if start >= width { parts[start - width] } else { NONE };
        let before = if beside == NONE { above } else { beside };
        let mut members = vec![start];
        parts[start] = next;
        let mut at = 0;
        while at < members.len() {
            let pixel = members[at];
            at += 1;
            let (x, y) = (pixel % width, pixel / width);
            let around = [
                (x > 0).then(|| pixel - 1),
                (x + 1 < width).then(|| pixel + 1),
                (y > 0).then(|| pixel - width),
                (y + 1 < height).then(|| pixel + width),
            ];
            for other in around.into_iter().flatten() {
                if parts[other] == NONE && labels[other] == labels[start] {
                    parts[other] = next;
                    members.push(other);
                }
            }
        }
        if members.len() < smallest && before != NONE {
            members.iter().for_each(|&pixel| parts[pixel] = before);
        } else {
            next += 1;
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Components;

    /// Four fields of one colour each.
    fn picture(size: Size) -> Rgb {
        let pixel = |at: usize| {
            let (x, y) = (at % size.width as usize, at / size.width as usize);
            let (right, low) = (x >= size.width as usize / 2, y >= size.height as usize / 2);
            [if right { 220 } else { 30 }, if low { 200 } else { 40 }, 90]
        };
        Rgb { size, pixels: (0..size.pixels()).flat_map(pixel).collect() }
    }

    #[test]
    fn patches_tile_the_picture_hang_together_and_keep_to_its_edges() {
        let size = Size::new(80, 60);
        let patches = Superpixels::new(&[picture(size)], 40);
        let mut seen = Bits::new(size);
        let patch_at = |at| {
            let mut patch = Bits::new(size);
            let region = patches.draw(&mut patch, at, true);
            assert_eq!(patch.bounds(), region);
            patch
        };
        let mut count = 0;
        for y in 0..60 {
            for x in 0..80 {
                if seen.get(x, y) {
                    continue;
                }
                let patch = patch_at((x, y));
                assert!(patch.get(x, y));
                assert_eq!(Components::of(&patch, true, false).parts().len(), 1);
                let bounds = patch.bounds();
                assert!(bounds.right <= 40 || bounds.left >= 40, "{bounds:?} crosses the edge");
                assert!(bounds.bottom <= 30 || bounds.top >= 30, "{bounds:?} crosses the edge");
                let before = seen.area();
                seen.add(&patch);
                assert_eq!(seen.area(), before + patch.area(), "patches do not overlap");
                count += 1;
            }
        }
        assert_eq!(seen.area(), 4800);
        assert!((20..80).contains(&count), "{count} patches");
    }

    #[test]
    fn beside_the_picture_there_is_no_patch() {
        let area = |side: u32, count: usize, at: Point| {
            let mut bits = Bits::new(Size::new(side, side));
            Superpixels::new(&[picture(bits.size())], count).draw(&mut bits, at, true);
            bits.area()
        };
        assert_eq!((area(8, 4, (-1, 3)), area(8, 4, (8, 3)), area(1, 900, (0, 0))), (0, 0, 1));
    }

    #[test]
    fn a_large_picture_is_clustered_at_half_its_size_and_covered_whole() {
        let size = Size::new(1001, 701);
        let half = picture(Size::new(500, 350));
        let patches = Superpixels::new(&[picture(size), half], 30);
        let mut bits = Bits::new(size);
        for y in (0..701).step_by(5) {
            for x in (0..1001).step_by(5) {
                patches.draw(&mut bits, (x, y), true);
            }
        }
        assert_eq!(bits.area(), 1001 * 701);
    }
}
