//! The way to the terminal: a thread that writes, so that a slow line never holds up the hand.
//!
//! One frame is written at a time, and where the terminal answers for frames, few are on their way: what has been written may
//! still lie in the buffers of a slow line, and every byte there delays what the hand does next. While the line is taken, input
//! is read and drawn with as ever, and the next frame shows where all that has led: on a slow line there are fewer frames, and
//! no fewer strokes.

use std::{
    collections::VecDeque,
    io::{self, Write},
    sync::mpsc::{self, Sender},
    thread,
    time::{Duration, Instant},
};

use super::answers::QUESTION;

/// Begins an update that the terminal shows at once, and ends it. Terminals that don't know them ignore them.
const BEGIN: &[u8] = b"\x1b[?2026h";
const END: &[u8] = b"\x1b[?2026l";

/// So many frames may be on their way, of so many bytes together: a round trip's worth on a slow line.
const FRAMES: usize = 4;
const BYTES: usize = 12_000;

/// A terminal that has not answered for so long won't.
const PATIENCE: Duration = Duration::from_secs(5);

/// Tiles that are sent at once on a line of unknown speed, in bytes.
const AT_FIRST: usize = 24_000;

/// The thread that writes frames.
pub(super) struct Outlet {
    frames: Sender<Vec<u8>>,
    on_its_way: bool,
    /// Frames that the terminal has not answered for: when they were sent, and their bytes. None if it never does.
    unanswered: Option<VecDeque<(Instant, usize)>>,
    /// Bytes a second that the line carries, as far as is known.
    rate: Option<f64>,
    /// The quickest answer: about the round trip.
    quickest: Duration,
}

impl Outlet {
    /// Starts the thread, which calls `written` after each frame with whether it was written. With `answers` the terminal is
    /// asked to answer for each.
    pub(super) fn start(answers: bool, written: impl Fn(bool) + Send + 'static) -> Self {
        let (frames, waiting) = mpsc::channel::<Vec<u8>>();
        thread::spawn(move || {
            for frame in waiting {
                let mut out = io::stdout().lock();
                let outcome = out.write_all(&frame).and_then(|()| out.flush());
                drop(out);
                written(outcome.is_ok());
            }
        });
        let unanswered = answers.then(VecDeque::new);
        Self { frames, on_its_way: false, unanswered, rate: None, quickest: Duration::MAX }
    }

    /// Whether a frame may be sent now.
    pub(super) fn is_free(&mut self) -> bool {
        if let Some(unanswered) = &self.unanswered {
            if unanswered.front().is_some_and(|(sent, _)| sent.elapsed() > PATIENCE) {
                self.unanswered = None;
            } else if unanswered.len() >= FRAMES || unanswered.iter().map(|(_, bytes)| bytes).sum::<usize>() > BYTES {
                return false;
            }
        }
        !self.on_its_way
    }

    /// Whether nothing is being written.
    pub(super) fn is_idle(&self) -> bool {
        !self.on_its_way
    }

    /// How long to wait at most before asking again whether a frame may be sent: none if something will happen anyway.
    pub(super) fn patience(&self) -> Option<Duration> {
        self.unanswered.as_ref().filter(|unanswered| !unanswered.is_empty()).map(|_| PATIENCE)
    }

    /// How many bytes of tiles the line takes in about a tenth of a second.
    pub(super) fn budget(&self) -> usize {
        match (&self.unanswered, self.rate) {
            (None, _) => 1_000_000,
            (Some(_), None) => AT_FIRST,
            (Some(_), Some(rate)) => ((rate * 0.1) as usize).clamp(4_000, 1_000_000),
        }
    }

    /// Sends a frame, wrapped as one update, in one write.
    pub(super) fn send(&mut self, cells: &[u8]) {
        let mut frame = [BEGIN, cells, END].concat();
        if let Some(unanswered) = &mut self.unanswered {
            frame.extend_from_slice(QUESTION);
            unanswered.push_back((Instant::now(), frame.len()));
        }
        self.on_its_way = self.frames.send(frame).is_ok();
    }

    /// The terminal was somebody else's for a while: answers that have not come won't.
    pub(super) fn resumed(&mut self) {
        self.unanswered.iter_mut().for_each(VecDeque::clear);
    }

    /// The frame has been written.
    pub(super) fn written(&mut self) {
        self.on_its_way = false;
    }

    /// The terminal has answered for the oldest frame.
    pub(super) fn answered(&mut self) {
        let Some((sent, bytes)) = self.unanswered.as_mut().and_then(VecDeque::pop_front) else { return };
        let took = sent.elapsed();
        self.quickest = self.quickest.min(took);
        if bytes > 4_000 {
            let delay = took.saturating_sub(self.quickest);
            let now = bytes as f64 / delay.as_secs_f64().max(0.001);
            self.rate = Some(self.rate.map_or(now, |rate| 0.7 * rate + 0.3 * now));
        }
    }
}
