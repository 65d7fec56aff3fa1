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
//! - `worker`: runs effects, in order; what it has reported as saved is on the disk.
//! - [`frames`], `outlet`, `terminal`: frames as differences, one on its way at a time; the terminal taken over and given
//!   back.

pub mod action;
pub mod app;
pub mod chord;
pub mod command;
pub mod frames;
pub mod keymap;
pub mod layout;
mod outlet;
pub mod raster;
mod terminal;
mod text;
pub mod view;
mod worker;

use std::{
    sync::mpsc::{self, Receiver, Sender},
    thread,
    time::Instant,
};

use crossterm::event::{self, Event as Input};
use ratatui::{buffer::Buffer, layout::Rect};
use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP},
    iterator::Signals,
};

use crate::ops::annotate::Session;
use action::{Action, Effect};
use app::{App, Settings};
use frames::{Frames, Palette};
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
    /// Somebody asks the program to stop for a while.
    Stop,
}

/// Shows the screen until the user leaves it, the terminal goes away or somebody ends the program. Every change that was
/// made is then on the disk.
///
/// # Errors
/// [`ScreenError`]: no terminal, or changes that could not be saved.
pub fn run(session: Session, settings: Settings, palette: Palette) -> Result<(), ScreenError> {
    let (events, waiting) = mpsc::channel();
    let terminal = Terminal::take()?;
    let mut frames = Frames::new(palette);
    read_input(events.clone());
    catch_signals(events.clone())?;
    let report = events.clone();
    let worker = Worker::start(session, move |action| _ = report.send(Event::Action(action)));
    let mut outlet = Outlet::start(move |written| _ = events.send(Event::Written(written)));
    let (columns, rows) = Terminal::size();
    let (mut app, effects) = App::new(settings, columns, rows);
    let outcome = run_loop(&mut app, effects, &waiting, &worker, &terminal, &mut frames, &mut outlet);
    let lost = worker.finish();
    drop(terminal);
    match (outcome, lost) {
        (_, Some(reason)) if app.trouble.is_some() => Err(ScreenError::Lost(reason)),
        (outcome, _) => outcome,
    }
}

fn run_loop(
    app: &mut App,
    effects: Vec<Effect>,
    waiting: &Receiver<Event>,
    worker: &Worker,
    terminal: &Terminal,
    frames: &mut Frames,
    outlet: &mut Outlet,
) -> Result<(), ScreenError> {
    let start = Instant::now();
    let mut effects = effects;
    let mut stop = false;
    loop {
        for effect in effects.drain(..) {
            match worker.take(effect) {
                Some(Effect::Suspend) => stop = true,
                Some(_) => frames.forget(),
                None => {}
            }
        }
        if app.over {
            return Ok(());
        }
        if stop && outlet.is_free() {
            stop = false;
            terminal.leave();
            signal_hook::low_level::emulate_default_handler(SIGTSTP)?;
            terminal.enter()?;
            frames.forget();
            let (columns, rows) = Terminal::size();
            effects = app.update(Action::Resize { columns, rows });
            continue;
        }
        if outlet.is_free() {
            let mut buffer = Buffer::empty(Rect::new(0, 0, app.screen.0, app.screen.1));
            view::draw(app, &mut buffer);
            let frame = frames.frame(buffer);
            if !frame.is_empty() {
                outlet.send(&frame);
            }
        }
        // Wait for something to happen, then take everything that has, and only then draw.
        let Ok(first) = waiting.recv() else { return Ok(()) };
        effects.extend(app.update(Action::Clock(start.elapsed())));
        for event in std::iter::once(first).chain(waiting.try_iter()) {
            match event {
                Event::Action(action) => effects.extend(app.update(action)),
                Event::Written(true) => outlet.written(),
                Event::Written(false) => effects.extend(app.update(Action::Hangup)),
                Event::Stop => {
                    stop = true;
                    effects.extend(app.update(Action::Clock(start.elapsed())));
                }
            }
        }
    }
}

/// Reads keys and the mouse until the terminal is gone.
fn read_input(events: Sender<Event>) {
    thread::spawn(move || {
        loop {
            let action = match event::read() {
                Ok(Input::Key(key)) => Action::Key(key),
                Ok(Input::Mouse(mouse)) => Action::Mouse(mouse),
                Ok(Input::Paste(text)) => Action::Paste(text),
                Ok(Input::Resize(columns, rows)) => Action::Resize { columns, rows },
                Ok(Input::FocusGained | Input::FocusLost) => continue,
                Err(_) => Action::Hangup,
            };
            let over = matches!(action, Action::Hangup);
            if events.send(Event::Action(action)).is_err() || over {
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
