//! The way to the terminal: a thread that writes, so that a slow line never holds up the hand.
//!
//! One frame is on its way at a time. While it is, input is read and drawn with as ever, and the next frame shows where all
//! that has led: on a slow line there are fewer frames, and no fewer strokes.

use std::{
    io::{self, Write},
    sync::mpsc::{self, Sender},
    thread,
};

/// Begins an update that the terminal shows at once, and ends it. Terminals that don't know them ignore them.
const BEGIN: &[u8] = b"\x1b[?2026h";
const END: &[u8] = b"\x1b[?2026l";

/// The thread that writes frames.
pub(super) struct Outlet {
    frames: Sender<Vec<u8>>,
    on_its_way: bool,
}

impl Outlet {
    /// Starts the thread, which calls `written` after each frame with whether it was written.
    pub(super) fn start(written: impl Fn(bool) + Send + 'static) -> Self {
        let (frames, waiting) = mpsc::channel::<Vec<u8>>();
        thread::spawn(move || {
            for frame in waiting {
                let mut out = io::stdout().lock();
                let outcome = out.write_all(&frame).and_then(|()| out.flush());
                drop(out);
                written(outcome.is_ok());
            }
        });
        Self { frames, on_its_way: false }
    }

    /// Whether a frame may be sent now.
    pub(super) fn is_free(&self) -> bool {
        !self.on_its_way
    }

    /// Sends a frame, wrapped as one update, in one write.
    pub(super) fn send(&mut self, cells: &[u8]) {
        let frame = [BEGIN, cells, END].concat();
        self.on_its_way = self.frames.send(frame).is_ok();
    }

    /// The frame has been written.
    pub(super) fn written(&mut self) {
        self.on_its_way = false;
    }
}
