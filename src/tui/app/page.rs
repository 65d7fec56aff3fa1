//! Pages over the whole screen: what should be looked at, and what analyses concluded.

use std::sync::Arc;

use super::{
    super::{action::Effect, command::Command, keymap::Context},
    App,
};
use crate::{
    domain::ImageId,
    ops::{
        ListedRun,
        annotate::pages::{FindingLine, RunView},
    },
};

/// A page.
#[derive(Clone, Debug)]
pub enum Page {
    /// It is being read.
    Loading(&'static str),
    /// Why it can't be read.
    Failed(String),
    /// What the rules and the audit found.
    Findings(Arc<Vec<FindingLine>>),
    /// The runs.
    Runs(Arc<Vec<ListedRun>>),
    /// What a run concluded: its headline and its tables, or one of its maps.
    Run(Arc<RunView>),
}

impl Page {
    /// How many rows one can choose among.
    fn rows(&self) -> usize {
        match self {
            Self::Loading(_) | Self::Failed(_) => 0,
            Self::Findings(lines) => lines.len(),
            Self::Runs(runs) => runs.len(),
            // The report's lines are scrolled; maps are gone through with left and right.
            Self::Run(view) => super::super::view::page::report_lines(&view.report).len(),
        }
    }
}

impl App {
    pub(super) fn run_on_pages(&mut self, command: Command) -> bool {
        match (command, self.focus) {
            (Command::Findings, _) => self.open_page("held to the rules, and compared …", Effect::LoadFindings),
            (Command::Runs, _) => self.open_page("reading the runs …", Effect::LoadRuns),
            (Command::Cancel, Context::Page) => match self.page {
                Some(Page::Run(_)) => self.open_page("reading the runs …", Effect::LoadRuns),
                _ => self.close_page(),
            },
            (Command::PaintRow, Context::Page) => self.open_page_row(),
            (Command::RowDown, Context::Page) => self.move_on_page(1),
            (Command::RowUp, Context::Page) => self.move_on_page(-1),
            (Command::RowRight, Context::Page) => self.next_map(1),
            (Command::RowLeft, Context::Page) => self.next_map(-1),
            _ => return false,
        }
        true
    }

    fn open_page(&mut self, what: &'static str, effect: Effect) {
        self.finish_stroke();
        self.gesture = None;
        self.focus = Context::Page;
        self.page = Some(Page::Loading(what));
        (self.page_row, self.page_map) = (0, None);
        self.effects.push(effect);
    }

    fn close_page(&mut self) {
        self.focus = Context::Canvas;
        self.page = None;
    }

    pub(super) fn page_read(&mut self, page: Result<Page, String>) {
        // Somebody who has left the page does not want it any more.
        if matches!(self.page, Some(Page::Loading(_))) {
            self.page = Some(page.unwrap_or_else(|reason| Page::Failed(super::super::text::harmless(&reason))));
        }
    }

    fn move_on_page(&mut self, step: isize) {
        let last = self.page.as_ref().map_or(0, Page::rows).saturating_sub(1);
        self.page_row = self.page_row.saturating_add_signed(step).min(last);
    }

    /// Goes through the maps of a run; before the first one is its report.
    fn next_map(&mut self, step: isize) {
        let Some(Page::Run(view)) = &self.page else { return };
        let next = self.page_map.map_or(-1, |at| at as isize) + step;
        self.page_map =
            usize::try_from(next).ok().filter(|_| !view.maps.is_empty()).map(|at| at.min(view.maps.len() - 1));
        if let Some(map) = self.page_map.and_then(|at| view.maps.get(at)) {
            let image = map.image;
            self.ask_thumbnails(&[image]);
        }
    }

    fn open_page_row(&mut self) {
        match self.page.clone() {
            Some(Page::Findings(lines)) => {
                let Some(line) = lines.get(self.page_row) else { return };
                match line.image {
                    Some(image) => {
                        let layer = line.layer;
                        self.close_page();
                        self.go_to_image(image);
                        self.layer_after_opening = layer;
                    }
                    None => self.say("this is about no image"),
                }
            }
            Some(Page::Runs(runs)) => {
                if let Some(run) = runs.get(self.page_row) {
                    self.open_page("reading the run …", Effect::LoadRun(run.id.clone()));
                }
            }
            Some(Page::Run(view)) => {
                if let Some(map) = self.page_map.and_then(|at| view.maps.get(at)) {
                    let image = map.image;
                    self.close_page();
                    self.go_to_image(image);
                }
            }
            _ => {}
        }
    }

    /// Opens an image, also one that the filter does not let through: then the filter is taken away.
    pub(super) fn go_to_image(&mut self, image: ImageId) {
        let place =
            |app: &Self| (0..app.queue.shown.len()).find(|&at| app.queue.item(at).is_some_and(|i| i.image == image));
        if place(self).is_none() {
            self.queue.set_filter(super::queue::Filter::default());
        }
        match place(self) {
            Some(at) => self.go_to(at),
            None => self.say(format!("image {image} is not there any more")),
        }
    }
}
