//! The state of the annotation screen and the one way to change it: [`App::update`], an action in, effects out.
//!
//! It knows no store, no clock, no file and no terminal: time, sizes and what was read come in as actions, and whatever has
//! to be done outside goes out as an effect. So a test can play any session, and the same session gives the same state.
//!
//! While the worker takes something back, opens an image or searches for pixels, what the user does meanwhile is kept and
//! played afterwards, so that a fast hand, or a script, meets what it expects.

mod canvas;
pub mod compare;
mod instances;
mod judge;
mod layers;
mod line;
pub mod looks;
mod masks;
mod mouse;
pub mod overlay;
mod overlays;
pub mod page;
pub use overlays::TOUR;
pub mod panel;
pub mod proposals;
pub mod queue;
mod queueing;
mod remarks;
mod settings;
pub mod sheet;
mod stroke;
#[cfg(test)]
pub(crate) mod tests;
pub mod thumbnails;
pub mod tools;
pub mod viewport;

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use crossterm::event::{KeyEvent, KeyEventKind};
use rival10_drawing::Point;

use super::{
    action::{Action, Effect},
    chord::Chord,
    command::Command,
    graphics::{Graphics, Quality},
    keymap::{Context, Keymap, Meaning},
    layout,
};
use crate::{
    domain::{Layer, Presence, Taxonomy},
    ops::annotate::{Change, Target},
};
use line::Line;
use looks::Looks;
use overlay::Overlay;
use page::Page;
use proposals::Proposals;
use queue::Queue;
pub use settings::{Cells, Light, Message, Settings};
use sheet::Open;
use thumbnails::Thumbnails;
use tools::{Gesture, Tools};
use viewport::Viewport;

/// The state.
pub struct App {
    /// What the project speaks of.
    pub taxonomy: Taxonomy,
    /// The project's name.
    pub project: String,
    /// Who annotates.
    pub annotator: String,
    /// The keys.
    pub keymap: Keymap,
    /// The key that answers each attribute.
    pub attribute_keys: Vec<Option<char>>,
    /// The screen's size in cells.
    pub screen: (u16, u16),
    /// The images.
    pub queue: Queue,
    /// The image that is open.
    pub open: Option<Open>,
    /// Where the canvas looks.
    pub viewport: Viewport,
    /// The pixel that the cursor is on.
    pub cursor: Point,
    /// How the layers look.
    pub looks: Looks,
    /// The layer that is edited.
    pub layer: Layer,
    /// The tools.
    pub tools: Tools,
    /// What was begun on the canvas.
    pub gesture: Option<Gesture>,
    /// What networks propose.
    pub proposals: Proposals,
    /// Where keys go.
    pub focus: Context,
    /// What lies over the screen.
    pub overlay: Option<Overlay>,
    /// The row of the panel.
    pub row: usize,
    /// The row of the gallery.
    pub gallery_row: usize,
    /// Whether the gallery shows small pictures.
    pub small_pictures: bool,
    /// The small pictures that are there.
    pub thumbnails: Thumbnails,
    /// The page that is open.
    pub page: Option<Page>,
    /// The row of the page.
    pub page_row: usize,
    /// Which of a run's maps is shown; None for its report.
    pub page_map: Option<usize>,
    /// The number typed so far.
    pub count: Option<u32>,
    /// The keys pressed so far.
    pub pressed: Vec<Chord>,
    /// The command that waits for the key which says what it is about.
    pub wants_key: Option<Command>,
    /// Changes that are on their way to the disk.
    pub saving: u32,
    /// Changes of this session that are on the disk.
    pub saved: u64,
    /// Why changes can't be saved at the moment.
    pub trouble: Option<String>,
    /// The message line.
    pub message: Option<Message>,
    /// Brightness and contrast.
    pub light: Light,
    /// Layers are not drawn for the moment.
    pub peek: bool,
    /// The whole image is shown in a corner.
    pub minimap: bool,
    /// Characters without colour.
    pub monochrome: bool,
    /// The way to draw.
    pub cells: Cells,
    /// What the terminal can show.
    pub graphics: Option<Graphics>,
    /// How fine pictures are.
    pub quality: Quality,
    /// Time since the start.
    pub clock: Duration,
    /// Images submitted, or reviewed, in this session.
    pub done: u32,
    /// Whether the program shall end.
    pub over: bool,
    /// What was asked for once and needs asking twice.
    confirm: Option<Command>,
    marks: HashMap<char, Point>,
    last_attributes: Option<Vec<Presence>>,
    first: Option<String>,
    filter: Option<queue::Filter>,
    /// What the worker is asked for and the hand waits for.
    waiting: Option<Waiting>,
    /// What the user did meanwhile.
    kept: VecDeque<Action>,
    effects: Vec<Effect>,
    /// The picture of the next image, read ahead.
    ahead: Option<(crate::domain::ImageId, sheet::Shown)>,
    /// How the line takes pictures.
    line: Line,
    /// The layer to be edited once the image is open.
    layer_after_opening: Option<Layer>,
}

/// What the hand waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Waiting {
    Queue,
    Open,
    Turn {
        forth: bool,
    },
    InstanceAdded {
        class: usize,
    },
    InstanceRemoved,
    /// Pixels: whether they are added, taken away, or are the layer from now on.
    Found(stroke::Use, Option<&'static str>),
    /// The picture's patches, for a stroke that begins here, and ends here if it is a dab.
    Patches {
        at: Point,
        value: bool,
        dab: bool,
    },
}

impl App {
    /// The screen as it is begun, and what it asks for first.
    #[must_use]
    pub fn new(settings: Settings, columns: u16, rows: u16) -> (Self, Vec<Effect>) {
        let attributes = settings.taxonomy.attributes.len();
        let canvas = layout::areas(columns, rows).canvas;
        let app = Self {
            attribute_keys: panel::keys(&settings.taxonomy),
            taxonomy: settings.taxonomy,
            project: settings.project,
            annotator: settings.annotator,
            keymap: settings.keymap,
            screen: (columns, rows),
            queue: Queue { review: settings.review, ..Queue::default() },
            open: None,
            viewport: Viewport::new(canvas.width, canvas.height),
            cursor: (0, 0),
            looks: Looks::new(attributes),
            layer: Layer::Object,
            tools: Tools::default(),
            gesture: None,
            proposals: Proposals::new(settings.networks, settings.network),
            focus: Context::Canvas,
            overlay: settings.tour.then_some(Overlay::Tour { page: 0 }),
            row: 0,
            gallery_row: 0,
            small_pictures: true,
            thumbnails: Thumbnails::default(),
            page: None,
            page_row: 0,
            page_map: None,
            layer_after_opening: settings.layer,
            count: None,
            pressed: Vec::new(),
            wants_key: None,
            saving: 0,
            saved: 0,
            trouble: None,
            message: None,
            light: Light::default(),
            peek: false,
            minimap: false,
            monochrome: settings.monochrome,
            cells: settings.cells,
            graphics: settings.graphics,
            quality: Quality::default(),
            line: Line::default(),
            clock: Duration::ZERO,
            done: 0,
            over: false,
            confirm: None,
            marks: HashMap::new(),
            last_attributes: None,
            first: settings.first,
            filter: Some(settings.filter),
            waiting: Some(Waiting::Queue),
            kept: VecDeque::new(),
            effects: Vec::new(),
            ahead: None,
        };
        (app, vec![Effect::LoadQueue])
    }

    /// Takes what happened, and says what has to be done.
    pub fn update(&mut self, action: Action) -> Vec<Effect> {
        let by_hand = matches!(action, Action::Key(_) | Action::Mouse(_) | Action::Paste(_));
        if by_hand && (self.waiting.is_some() || !self.kept.is_empty()) {
            self.kept.push_back(action);
        } else {
            self.take(action);
        }
        while self.waiting.is_none()
            && !self.over
            && let Some(kept) = self.kept.pop_front()
        {
            self.take(kept);
        }
        std::mem::take(&mut self.effects)
    }

    fn take(&mut self, action: Action) {
        match action {
            Action::Key(event) if event.kind != KeyEventKind::Release => self.key(event),
            Action::Key(_) => {}
            Action::Mouse(event) => self.mouse(event),
            Action::Paste(text) => self.paste(&text),
            Action::Resize { columns, rows } => {
                self.screen = (columns, rows);
                let canvas = self.own_canvas();
                self.viewport.resize(canvas.width, canvas.height);
                self.effects.push(Effect::Redraw);
            }
            Action::Clock(time) => self.clock = time,
            Action::Tiles { waiting, bytes } => self.tiles_sent(waiting, bytes),
            Action::Queue(items) => self.queue_read(items),
            Action::Opened { image, spread } => self.opened(image, spread),
            Action::Picture { image, picture } => self.picture_read(image, picture),
            Action::Saved { image, instance } => self.change_saved(image, instance),
            Action::Unsaved(reason) => self.trouble = Some(reason),
            Action::Refused(reason) => self.change_refused(&reason),
            Action::Turned(turn) => self.turned(turn),
            Action::InstanceAdded(added) => self.instance_added(added),
            Action::InstanceRemoved(removed) => self.instance_removed(removed),
            Action::Found(bits) => self.found(&bits),
            Action::Answered { number, image, instance, answer } => self.answered(number, image, instance, answer),
            Action::Patches(patches) => self.patches_made(patches),
            Action::Compared { image, spread } => self.compared(image, spread),
            Action::Counted { image, votes } => self.counted(image, votes),
            Action::Findings(findings) => self.page_read(findings.map(|lines| Page::Findings(Arc::new(lines)))),
            Action::Runs(runs) => self.page_read(runs.map(|runs| Page::Runs(Arc::new(runs)))),
            Action::Run(run) => self.page_read(run.map(|run| Page::Run(Arc::from(run)))),
            Action::Thumbnail { image, picture } => self.thumbnail_made(image, picture),
            Action::Failed(reason) => {
                self.waiting = None;
                self.complain(&reason);
            }
            Action::Hangup => {
                self.finish_stroke();
                self.over = true;
            }
        }
    }

    /// Says something on the message line.
    fn say(&mut self, text: impl AsRef<str>) {
        self.message = Some(Message { text: super::text::harmless(text.as_ref()), wrong: false });
    }

    /// Says what is wrong.
    fn complain(&mut self, text: &str) {
        self.message = Some(Message { text: super::text::harmless(text), wrong: true });
    }

    fn key(&mut self, event: KeyEvent) {
        let chord = Chord::from(event);
        self.message = None;
        if self.overlay.is_some() {
            self.overlay_key(chord);
            return;
        }
        if let Some(command) = self.wants_key.take() {
            let count = self.count.take();
            self.run_with_key(command, chord, count);
            return;
        }
        if self.focus == Context::Panel
            && self.pressed.is_empty()
            && let Some(character) = chord.character()
            && self.panel_key(character)
        {
            self.confirm = None;
            return;
        }
        if let Some(digit) = chord.character().and_then(|c| c.to_digit(10))
            && self.focus == Context::Canvas
            && self.pressed.is_empty()
            && (digit != 0 || self.count.is_some())
        {
            self.count = Some(self.count.unwrap_or(0).saturating_mul(10).saturating_add(digit).min(99_999));
            return;
        }
        self.pressed.push(chord);
        match self.keymap.meaning(self.focus, &self.pressed) {
            Meaning::Prefix => {}
            Meaning::Command(command) => {
                self.pressed.clear();
                if command.takes_key() {
                    self.wants_key = Some(command);
                } else {
                    let count = self.count.take();
                    self.run(command, count);
                }
            }
            Meaning::Nothing => {
                let keys: Vec<String> = self.pressed.drain(..).map(|chord| chord.to_string()).collect();
                self.count = None;
                if chord != Chord::key(crossterm::event::KeyCode::Esc) {
                    self.say(format!("{} does nothing here; ? shows the keys", keys.join(" ")));
                }
            }
        }
    }

    /// Does what a command says; `count` is the number typed before it.
    fn run(&mut self, command: Command, count: Option<u32>) {
        if self.confirm != Some(command) {
            self.confirm = None;
        }
        if command != Command::Peek {
            self.peek = false;
        }
        let taken = self.run_on_pages(command)
            || self.run_on_proposals(command)
            || self.run_on_canvas(command, count)
            || self.run_on_masks(command, count)
            || self.run_on_layers(command)
            || self.run_on_attributes(command)
            || self.run_on_instances(command)
            || self.run_on_queue(command, count)
            || self.run_on_remarks(command)
            || self.run_on_comparison(command);
        if !taken {
            self.run_on_screen(command);
        }
    }

    /// Whether `command` was asked for twice; the first time says `why`.
    fn sure(&mut self, command: Command, why: &str) -> bool {
        if self.confirm.take() == Some(command) {
            return true;
        }
        self.confirm = Some(command);
        let keys = self.keymap.keys_of(self.focus, command);
        let again = if keys.is_empty() { command.name().to_owned() } else { keys };
        self.complain(&format!("{why}; {again} again does it all the same"));
        false
    }

    fn run_on_screen(&mut self, command: Command) {
        match command {
            Command::Help => self.overlay = Some(Overlay::Help { scroll: 0 }),
            Command::Palette => self.show_palette(),
            Command::Redraw => self.effects.push(Effect::Redraw),
            Command::Retry => self.effects.push(Effect::Retry),
            Command::Suspend => {
                self.finish_stroke();
                self.effects.push(Effect::Suspend);
            }
            Command::Quit => {
                self.finish_stroke();
                let unsaved = self.trouble.is_some() && self.saving > 0;
                let why = format!("{} not saved", super::text::counted(self.saving.into(), "change is", "changes are"));
                if !unsaved || self.sure(Command::Quit, &why) {
                    self.over = true;
                }
            }
            _ => {}
        }
    }

    /// The annotation that changes go to.
    fn target(&self) -> Option<Target> {
        let open = self.open.as_ref()?;
        let instance = open.instance();
        Some(Target {
            image: open.item.image,
            instance: instance.id,
            class: instance.class?,
            author: open.author.clone(),
        })
    }

    /// Sends a change of the active instance to the disk. Without a class there is nothing to annotate: then the class is
    /// asked for, and false comes back.
    fn change(&mut self, change: Change) -> bool {
        let Some(target) = self.target() else {
            self.ask_class();
            return false;
        };
        self.saving += 1;
        self.effects.push(Effect::Apply { target, change });
        true
    }

    fn change_saved(&mut self, image: crate::domain::ImageId, instance: Option<crate::domain::InstanceId>) {
        self.saving = self.saving.saturating_sub(1);
        self.saved += 1;
        self.trouble = None;
        if let Some(open) = &mut self.open
            && open.item.image == image
            && let Some(instance) = instance
        {
            if let Some(blank) = open.instances.iter_mut().find(|i| i.id.is_none()) {
                blank.id = Some(instance);
            }
            let mine = open.author == self.annotator;
            if let Some(saved) = open.instances.iter_mut().find(|i| i.id == Some(instance))
                && saved.status.is_none()
                && mine
            {
                saved.status = Some(crate::domain::Status::Draft);
            }
        }
    }

    /// A change was refused: the image is read again, for the screen shows what is not so.
    fn change_refused(&mut self, reason: &str) {
        self.saving = self.saving.saturating_sub(1);
        self.trouble = None;
        self.complain(&format!("not done: {reason}"));
        if self.waiting.is_none() {
            self.reopen();
        }
    }
}
