//! What reading back found: masks counted and compared, and the receipt made of it.

use std::collections::BTreeMap;

use super::Receipt;
use crate::domain::{Layer, Mask};

/// One item, written and read again.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct ReadBack {
    /// Masks read.
    pub(super) masks: u64,
    /// Masks that read otherwise: label and number of pixels that differ.
    pub(super) differing: Vec<(String, u64)>,
}

impl ReadBack {
    /// Compares the masks that were `written` of the item called `name` with those `found`.
    pub(super) fn compare<'a>(
        name: &str,
        written: impl IntoIterator<Item = (Layer, &'a Mask)>,
        found: &BTreeMap<Layer, Mask>,
    ) -> Self {
        let mut read = Self { masks: found.len() as u64, differing: Vec::new() };
        for (layer, mask) in written {
            // A mask that is gone differs in all its pixels, and even where it has none.
            let pixels = match found.get(&layer).map(|found| mask.symmetric_difference(found)) {
                Some(Ok(difference)) => difference.area(),
                Some(Err(_)) | None => mask.area().max(1),
            };
            read.note(format!("{name} {layer}"), pixels);
        }
        read
    }

    /// Adds a mask that differs in `pixels`, if it does.
    pub(super) fn note(&mut self, label: String, pixels: u64) {
        if pixels > 0 {
            self.differing.push((label, pixels));
        }
    }

    /// The receipt for items of one instance each, without what was lost and which files there are.
    pub(super) fn receipt(items: Vec<Self>) -> Receipt {
        Receipt {
            images: items.len() as u64,
            instances: items.len() as u64,
            masks: items.iter().map(|item| item.masks).sum(),
            differing_masks: items.into_iter().flat_map(|item| item.differing).collect(),
            ..Receipt::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Size;

    #[test]
    fn masks_that_differ_or_are_gone_are_counted_in_pixels() {
        let size = Size::new(3, 1);
        let mask = |bits: &[u8]| Mask::from_bitmap(size, bits);
        let written = BTreeMap::from([
            (Layer::Object, mask(&[1, 1, 0])),
            (Layer::Attribute(0), mask(&[1, 0, 0])),
            (Layer::Attribute(1), mask(&[1, 1, 0])),
            (Layer::Attribute(2), mask(&[0, 0, 0])),
        ]);
        let found = BTreeMap::from([(Layer::Object, mask(&[0, 1, 1])), (Layer::Attribute(0), mask(&[1, 0, 0]))]);
        let read = ReadBack::compare("a", written.iter().map(|(&layer, mask)| (layer, mask)), &found);
        assert_eq!(read.masks, 2);
        let expected = [("a object", 2), ("a attribute:1", 2), ("a attribute:2", 1)];
        assert_eq!(read.differing, expected.map(|(label, pixels)| (label.to_owned(), pixels)));
        let receipt = ReadBack::receipt(vec![read, ReadBack::default()]);
        assert_eq!((receipt.images, receipt.masks, receipt.differing_masks.len()), (2, 2, 3));
    }
}
