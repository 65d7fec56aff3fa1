//! The annotation screen.
//!
//! ```text
//! keys, mouse, signals ─┐                       ┌─ effects ─> worker ─> project, pictures
//!                       ├─> Action ─> App::update
//! worker's reports ─────┘          │
//!                                  └─> view::draw ─> differences ─> outlet ─> terminal
//! ```
//!
//! - [`action`]: what happens, and what is asked for in return.
//! - [`app`]: the state and the one way to change it; knows no store, no clock, no file, no terminal.
//! - [`command`], [`chord`], [`keymap`]: what can be asked, and by which keys, as data.
//! - [`layout`], [`raster`], [`view`]: pure functions from the state to cells.
//! - [`graphics`]: pictures by the terminal's own graphics, in tiles, where it has any.
//! - `worker`: runs effects, in order; what it has reported as saved is on the disk.
//! - [`frames`], `outlet`, `answers`, `terminal`: frames as differences, as many on their way as the line carries; the
//!   terminal taken over and given back.

pub mod action;
mod answers;
pub mod app;
pub mod chord;
pub mod command;
pub mod frames;
pub mod graphics;
pub mod keymap;
pub mod layout;
mod outlet;
pub mod raster;
mod terminal;
mod text;
pub mod view;
mod worker;

use std::{
    sync::mpsc::{self, Receiver, RecvTimeoutError, Sender},
    thread,
    time::{Duration, Instant},
};

use crossterm::event::{self, Event as Input};
use ratatui::{buffer::Buffer, layout::Rect};
use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP},
    iterator::Signals,
};

use crate::ops::annotate::Session;
use action::{Action, Effect};
use answers::{Answers, Sorted};
use app::{App, Cells, Settings};
use frames::{Frames, Palette};
use graphics::{
    detect::{self, Wish},
    encode,
    encoder::{Batch, Encoder},
};
use outlet::Outlet;
use terminal::Terminal;
use worker::Worker;

/// Why the screen ended otherwise than by the user's wish.
#[derive(Debug, thiserror::Error)]
pub enum ScreenError {
    /// There is no terminal, or it does not do as it is told.
    #[error("the terminal: {0}")]
    Terminal(#[from] std::io::Error),
    /// Changes could not be put on the disk.
    #[error("the last changes were NOT saved: {0}")]
    Lost(String),
}

/// What the loop waits for.
enum Event {
    Action(Action),
    /// A frame has been written, or could not be.
    Written(bool),
    /// The terminal has shown a frame.
    Answered,
    /// Tiles of the canvas were encoded.
    Tiles(Batch),
    /// Somebody asks the program to stop for a while.
    Stop,
}

/// Shows the screen until the user leaves it, the terminal goes away or somebody ends the program. Every change that was
/// made is then on the disk.
///
/// # Errors
/// [`ScreenError`]: no terminal, or changes that could not be saved.
pub fn run(session: Session, mut settings: Settings, palette: Palette, wish: Wish) -> Result<(), ScreenError> {
    let (events, waiting) = mpsc::channel();
    let terminal = Terminal::take()?;
    let heard = detect::ask(wish)?;
    settings.graphics = heard.graphics;
    if heard.graphics.is_some() {
        settings.cells = Cells::Pixels;
    }
    for key in heard.typed {
        let _ = events.send(Event::Action(Action::Key(key)));
    }
    read_input(events.clone());
    catch_signals(events.clone())?;
    let report = events.clone();
    let worker = Worker::start(session, move |action| _ = report.send(Event::Action(action)));
    let report = events.clone();
    let encoder = Encoder::start(move |batch| _ = report.send(Event::Tiles(batch)));
    let outlet = Outlet::start(heard.answers, move |written| _ = events.send(Event::Written(written)));
    let (columns, rows) = Terminal::size();
    let (mut app, effects) = App::new(settings, columns, rows);
    let mut screen = Screen { terminal: &terminal, frames: Frames::new(palette), outlet, encoder };
    let outcome = run_loop(&mut app, effects, &waiting, &worker, &mut screen);
    let lost = worker.finish();
    screen.forget_pictures(&app);
    drop(terminal);
    match (outcome, lost) {
        (_, Some(reason)) if app.trouble.is_some() => Err(ScreenError::Lost(reason)),
        (outcome, _) => outcome,
    }
}

/// The way from the state to the terminal.
struct Screen<'a> {
    terminal: &'a Terminal,
    frames: Frames,
    outlet: Outlet,
    encoder: Encoder,
}

impl Screen<'_> {
    /// Sends what the terminal does not show yet, as far as the line takes it now; gives how many bytes.
    fn show(&mut self, app: &App) -> usize {
        let mut buffer = Buffer::empty(Rect::new(0, 0, app.screen.0, app.screen.1));
        view::draw(app, &mut buffer);
        if let Some(shot) = view::canvas::shot(app) {
            self.encoder.ask(shot);
        }
        let frame = self.frames.frame(buffer, view::canvas::cursor_cell(app), self.outlet.budget());
        if !frame.is_empty() {
            self.outlet.send(&frame);
        }
        frame.len()
    }

    /// Gives the terminal back until the program is continued.
    fn suspend(&mut self, app: &App) -> std::io::Result<()> {
        self.forget_pictures(app);
        self.terminal.leave();
        signal_hook::low_level::emulate_default_handler(SIGTSTP)?;
        self.terminal.enter()?;
        self.outlet.resumed();
        self.frames.forget();
        Ok(())
    }

    /// Frees what the terminal keeps of our pictures.
    fn forget_pictures(&self, app: &App) {
        if let Some(graphics) = app.graphics {
            terminal::write(&encode::forget(graphics, self.frames.tiles()));
        }
    }
}

fn run_loop(
    app: &mut App,
    effects: Vec<Effect>,
    waiting: &Receiver<Event>,
    worker: &Worker,
    screen: &mut Screen<'_>,
) -> Result<(), ScreenError> {
    let start = Instant::now();
    let mut effects = effects;
    let mut stop = false;
    let mut size = Terminal::size();
    loop {
        // crossterm loses a resize that comes in the same moment as a key or an answer: ask, rather than wait to be told.
        if size != Terminal::size() {
            size = Terminal::size();
            let (columns, rows) = size;
            effects.extend(app.update(Action::Resize { columns, rows }));
        }
        for effect in effects.drain(..) {
            match worker.take(effect) {
                Some(Effect::Suspend) => stop = true,
                Some(_) => screen.frames.forget(),
                None => {}
            }
        }
        if app.over {
            return Ok(());
        }
        if stop && screen.outlet.is_idle() {
            stop = false;
            screen.suspend(app)?;
            let (columns, rows) = Terminal::size();
            effects = app.update(Action::Resize { columns, rows });
            continue;
        }
        if screen.outlet.is_free() {
            let bytes = screen.show(app);
            if app.is_pictured() {
                let waiting = screen.frames.waits();
                effects.extend(app.update(Action::Tiles { waiting, bytes }));
            }
        }
        // Wait for something to happen, then take everything that has, and only then draw.
        let first = match screen.outlet.patience() {
            Some(patience) => waiting.recv_timeout(patience).or_else(|error| match error {
                RecvTimeoutError::Timeout => Ok(Event::Action(Action::Clock(start.elapsed()))),
                RecvTimeoutError::Disconnected => Err(error),
            }),
            None => waiting.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        let Ok(first) = first else { return Ok(()) };
        effects.extend(app.update(Action::Clock(start.elapsed())));
        for event in std::iter::once(first).chain(waiting.try_iter()) {
            match event {
                Event::Action(action) => effects.extend(app.update(action)),
                Event::Written(true) => screen.outlet.written(),
                Event::Written(false) => effects.extend(app.update(Action::Hangup)),
                Event::Answered => screen.outlet.answered(),
                Event::Tiles(batch) => {
                    screen.encoder.done();
                    screen.frames.take(batch);
                }
                Event::Stop => {
                    stop = true;
                    effects.extend(app.update(Action::Clock(start.elapsed())));
                }
            }
        }
    }
}

/// The rest of an answer comes at once; a key that only looks like the beginning of one is let go after so long.
const HELD: Duration = Duration::from_millis(500);

/// Reads keys and the mouse until the terminal is gone.
fn read_input(events: Sender<Event>) {
    thread::spawn(move || {
        let mut answers = Answers::default();
        loop {
            let sorted = if answers.doubts() && !event::poll(HELD).unwrap_or(true) {
                answers.release(None)
            } else {
                match event::read() {
                    Ok(Input::Key(key)) => answers.take(key),
                    Ok(other) => {
                        let action = match other {
                            Input::Mouse(mouse) => Action::Mouse(mouse),
                            Input::Paste(text) => Action::Paste(text),
                            Input::Resize(columns, rows) => Action::Resize { columns, rows },
                            Input::Key(_) | Input::FocusGained | Input::FocusLost => continue,
                        };
                        if events.send(Event::Action(action)).is_err() {
                            return;
                        }
                        continue;
                    }
                    Err(_) => {
                        let _ = events.send(Event::Action(Action::Hangup));
                        return;
                    }
                }
            };
            let heard = match sorted {
                Sorted::Keys(keys) => keys.into_iter().all(|key| events.send(Event::Action(Action::Key(key))).is_ok()),
                Sorted::Answered => events.send(Event::Answered).is_ok(),
                Sorted::Part | Sorted::Other => true,
            };
            if !heard {
                return;
            }
        }
    });
}

/// Turns signals into events: a lost terminal and a request to end finish the stroke and save it; a stop gives the terminal
/// back first.
fn catch_signals(events: Sender<Event>) -> std::io::Result<()> {
    let mut signals = Signals::new([SIGHUP, SIGINT, SIGTERM, SIGQUIT, SIGTSTP])?;
    thread::spawn(move || {
        for signal in signals.forever() {
            let event = if signal == SIGTSTP { Event::Stop } else { Event::Action(Action::Hangup) };
            if events.send(event).is_err() {
                return;
            }
        }
    });
    Ok(())
}
