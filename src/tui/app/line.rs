//! How the line takes pictures: where they come too late they become coarser, and at last cells; where they come quickly
//! again, finer.

use std::time::Duration;

use super::{App, Cells};

/// A canvas that is not complete after so long is too fine for the line.
const LATE: Duration = Duration::from_millis(1200);

/// A canvas that would be complete within this with four times the pixels may have them.
const QUICK: Duration = Duration::from_millis(600);

/// A change of fewer bytes says nothing of the line.
const TELLING: usize = 30_000;

/// So many quick ones are no accident.
const OFTEN: u32 = 3;

/// What is known of the line.
#[derive(Clone, Debug, Default)]
pub(super) struct Line {
    /// When the canvas ceased to be complete, and the bytes sent since.
    begun: Option<(Duration, usize)>,
    /// How many large changes in a row were complete quickly.
    quick: u32,
}

impl App {
    /// Whether the canvas is shown by the terminal's own graphics now.
    #[must_use]
    pub fn is_pictured(&self) -> bool {
        // What lies beside an annotation is drawn by cells.
        let alone = self.open.as_ref().is_none_or(|open| open.beside.is_none());
        self.cells == Cells::Pixels && self.graphics.is_some() && !self.monochrome && alone
    }

    pub(super) fn tiles_sent(&mut self, waiting: bool, bytes: usize) {
        let (begun, sent) = self.line.begun.unwrap_or((self.clock, 0));
        let (took, sent) = (self.clock.saturating_sub(begun), sent + bytes);
        if waiting && took <= LATE {
            self.line.begun = Some((begun, sent));
            return;
        }
        self.line.begun = None;
        if took > LATE {
            self.line.quick = 0;
            match self.quality.coarser() {
                Some(coarser) => self.quality = coarser,
                None => {
                    self.cells = Cells::Half;
                    let keys = self.keymap.keys_of(super::Context::Canvas, super::Command::Pictures);
                    self.say(format!("the line is too slow for pictures: cells from now on; {keys} brings them back"));
                }
            }
        } else if sent > TELLING {
            self.line.quick = if 4 * took < QUICK { self.line.quick + 1 } else { 0 };
            if self.line.quick >= OFTEN
                && let Some(finer) = self.quality.finer()
            {
                (self.line.quick, self.quality) = (0, finer);
            }
        }
    }
}
