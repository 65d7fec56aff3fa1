//! The thread that makes bytes of shots: one at a time, and of each the tiles that differ from what the last one left.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
    sync::mpsc::{self, Sender},
    thread,
};

use rayon::prelude::*;

use super::{encode, shot::Shot, tiling::Tiling};

/// Tiles that were encoded.
#[derive(Debug)]
pub struct Batch {
    /// Where they lie.
    pub tiling: Tiling,
    /// Each tile's number and what shows it.
    pub tiles: Vec<(usize, Vec<u8>)>,
}

/// The thread, and what it was asked for last.
pub(crate) struct Encoder {
    shots: Sender<Shot>,
    last: Option<Shot>,
    busy: bool,
}

impl Encoder {
    /// Starts the thread; `report` is called with what came of each shot, which may be nothing.
    pub(crate) fn start(report: impl Fn(Batch) + Send + 'static) -> Self {
        let (shots, waiting) = mpsc::channel::<Shot>();
        thread::spawn(move || {
            let mut tiles = Tiles::default();
            for shot in waiting {
                report(tiles.encode(shot));
            }
        });
        Self { shots, last: None, busy: false }
    }

    /// Asks for what `shot` changes, unless the thread is at work: then it is to be asked again.
    pub(crate) fn ask(&mut self, shot: Shot) {
        if !self.busy && self.last.as_ref() != Some(&shot) {
            self.busy = self.shots.send(shot.clone()).is_ok();
            self.last = Some(shot);
        }
    }

    /// A batch has come.
    pub(crate) fn done(&mut self) {
        self.busy = false;
    }
}

/// What was made of the last shot.
#[derive(Default)]
pub struct Tiles {
    last: Option<Shot>,
    digests: HashMap<usize, u64>,
}

impl Tiles {
    /// The tiles that `shot` changes.
    pub fn encode(&mut self, shot: Shot) -> Batch {
        let frame = |shot: &Shot| (shot.tiling, shot.graphics, shot.quality);
        if self.last.as_ref().is_none_or(|last| frame(last) != frame(&shot)) {
            self.digests.clear();
        }
        let changed: Vec<usize> = shot.changed(self.last.as_ref()).into_iter().collect();
        let digests = &self.digests;
        let made: Vec<_> = changed
            .into_par_iter()
            .filter_map(|index| {
                let pixels = shot.pixels(index);
                let mut hasher = DefaultHasher::new();
                (pixels.size, &pixels.pixels).hash(&mut hasher);
                let digest = hasher.finish();
                let bytes = || encode::tile(shot.graphics, shot.quality, index, shot.tiling.rect(index), &pixels);
                (digests.get(&index) != Some(&digest)).then(|| (index, digest, bytes()))
            })
            .collect();
        self.digests.extend(made.iter().map(|(index, digest, _)| (*index, *digest)));
        let tiling = shot.tiling;
        self.last = Some(shot);
        Batch { tiling, tiles: made.into_iter().map(|(index, _, bytes)| (index, bytes)).collect() }
    }
}
