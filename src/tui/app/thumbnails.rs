//! Small pictures of the images: asked for when they are looked at, and kept as long as there is room.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::Arc,
};

use rival10_sdk::Rgb;

use super::{
    super::{action::Effect, layout},
    App,
};
use crate::domain::ImageId;

/// So many are kept: at 64 pixels a side at most 12 KiB each.
const KEPT: usize = 600;

/// A small picture's cell in the gallery: its width and height on the screen, two lines of text among them.
pub const CELL: (u16, u16) = (20, 8);

/// The small pictures that are there.
#[derive(Clone, Debug, Default)]
pub struct Thumbnails {
    pictures: HashMap<ImageId, Option<Arc<Rgb>>>,
    /// In the order in which they came.
    order: VecDeque<ImageId>,
    asked: HashSet<ImageId>,
}

impl Thumbnails {
    /// The picture of an image; None while it is made, Some(None) if there is none.
    #[must_use]
    pub fn get(&self, image: ImageId) -> Option<Option<&Arc<Rgb>>> {
        self.pictures.get(&image).map(Option::as_ref)
    }

    fn take(&mut self, image: ImageId, picture: Option<Rgb>) {
        self.asked.remove(&image);
        if self.pictures.insert(image, picture.map(Arc::new)).is_none() {
            self.order.push_back(image);
        }
        while self.order.len() > KEPT
            && let Some(oldest) = self.order.pop_front()
        {
            self.pictures.remove(&oldest);
        }
    }
}

impl App {
    /// Columns and rows of small pictures on this screen.
    #[must_use]
    pub fn gallery_grid(&self) -> (usize, usize) {
        let canvas = layout::areas(self.screen.0, self.screen.1).canvas;
        (usize::from(self.screen.0 / CELL.0).max(1), usize::from(canvas.height / CELL.1).max(1))
    }

    /// The places in the queue whose small pictures are shown.
    #[must_use]
    pub fn gallery_window(&self) -> std::ops::Range<usize> {
        let (columns, rows) = self.gallery_grid();
        let chosen = self.gallery_row / columns;
        let all = self.queue.shown.len().div_ceil(columns);
        let first = chosen.saturating_sub(rows / 2).min(all.saturating_sub(rows)) * columns;
        first..(first + columns * rows).min(self.queue.shown.len())
    }

    /// Asks for the small pictures that are shown and not there.
    pub(super) fn ask_gallery(&mut self) {
        if self.small_pictures {
            let images: Vec<ImageId> =
                self.gallery_window().filter_map(|at| self.queue.item(at)).map(|item| item.image).collect();
            self.ask_thumbnails(&images);
        }
    }

    pub(super) fn ask_thumbnails(&mut self, images: &[ImageId]) {
        let missing: HashSet<ImageId> =
            images.iter().copied().filter(|image| !self.thumbnails.pictures.contains_key(image)).collect();
        // What was asked for before and is not looked at any more is forgotten: the worker keeps the last list alone.
        if missing != self.thumbnails.asked {
            self.thumbnails.asked.clone_from(&missing);
            let of = |item: &&crate::ops::annotate::QueueItem| missing.contains(&item.image);
            let list = self.queue.items.iter().filter(of).map(|item| (item.image, item.file.clone())).collect();
            self.effects.push(Effect::LoadThumbnails(list));
        }
    }

    pub(super) fn thumbnail_made(&mut self, image: ImageId, picture: Option<Rgb>) {
        self.thumbnails.take(image, picture);
    }
}

#[cfg(test)]
mod tests {
    use rival10_sdk::Size;

    use super::*;

    #[test]
    fn no_more_pictures_are_kept_than_there_is_room_for() {
        let mut thumbnails = Thumbnails::default();
        for n in 0..2 * KEPT as i64 {
            let picture = (n % 2 == 0).then(|| Rgb { size: Size::new(1, 1), pixels: vec![0; 3] });
            thumbnails.take(ImageId(n), picture);
        }
        assert_eq!(thumbnails.pictures.len(), KEPT);
        assert!(thumbnails.get(ImageId(0)).is_none());
        assert!(matches!(thumbnails.get(ImageId(2 * KEPT as i64 - 1)), Some(None)));
        assert!(matches!(thumbnails.get(ImageId(2 * KEPT as i64 - 2)), Some(Some(_))));
    }
}
