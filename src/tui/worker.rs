//! The worker: it runs effects and reports what came of them. The screen never waits for it.
//!
//! It has four lanes. Changes go one after the other, in the order in which they were made, on the thread that owns the
//! session; reading an image's annotations is in that lane too, so that what was changed is what is read. Pictures and
//! searches for pixels have a thread of their own, for they take longer and change nothing; so have pages of findings and runs,
//! which read the whole project, and networks that are asked what they propose: of their questions only the last counts.
//!
//! A change that fails for a reason which may pass (a full disk, a lock) is kept and tried again, in its place: nothing
//! that was made later overtakes it. The screen is told each time, and says so.

use std::{
    collections::VecDeque,
    path::{Path, PathBuf},
    sync::{
        Arc,
        mpsc::{self, Receiver, RecvTimeoutError, Sender},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use rival10_drawing::{Superpixels, grabcut, grow, shrink, wand};

use super::{
    action::{Action, Ask, Asked, Effect, Search, Turn},
    app::{
        proposals::Proposal,
        sheet::{Spread, drawn},
    },
};
use crate::{
    domain::ImageId,
    ops::{
        OpsError, StoreError,
        annotate::{Networks, Restored, Session, Turned, load_picture, load_thumbnail, pages},
    },
};

/// How long the worker waits before it tries a change again.
const PATIENCE: Duration = Duration::from_secs(2);

/// The threads that run effects.
pub(super) struct Worker {
    changes: Sender<Effect>,
    pictures: Sender<Effect>,
    pages: Sender<Effect>,
    questions: Sender<Ask>,
    changing: JoinHandle<Option<String>>,
}

impl Worker {
    /// Starts the threads; `report` is called from either.
    pub(super) fn start(session: Session, report: impl Fn(Action) + Clone + Send + 'static) -> Self {
        let (changes, to_change) = mpsc::channel();
        let (pictures, to_show) = mpsc::channel();
        let (pages, to_read) = mpsc::channel();
        let (questions, to_ask) = mpsc::channel();
        let project = session.project_dir();
        let lane = Changes { session, effects: to_change, kept: VecDeque::new(), closing: false, lost: None };
        let changing = {
            let report = report.clone();
            thread::spawn(move || lane.run(&report))
        };
        // Nobody waits for these three: they change nothing.
        let (reader, asker, networks) = (report.clone(), report.clone(), Networks::new(&project));
        thread::spawn(move || read_pages(&project, &to_read, &reader));
        thread::spawn(move || ask(networks, &to_ask, &asker));
        thread::spawn(move || show(&to_show, &report));
        Self { changes, pictures, pages, questions, changing }
    }

    /// Takes an effect; gives back one that concerns the terminal.
    pub(super) fn take(&self, effect: Effect) -> Option<Effect> {
        // A lane that is gone has panicked, and `finish` tells of it.
        match effect {
            Effect::Suspend | Effect::Redraw => return Some(effect),
            Effect::LoadPicture { .. } | Effect::LoadThumbnails(_) | Effect::Find(_) => {
                _ = self.pictures.send(effect);
            }
            Effect::Ask(question) => _ = self.questions.send(question),
            Effect::LoadFindings | Effect::LoadRuns | Effect::LoadRun(_) => _ = self.pages.send(effect),
            _ => _ = self.changes.send(effect),
        }
        None
    }

    /// Waits until every change is on the disk; gives the reason if some could not be put there.
    pub(super) fn finish(self) -> Option<String> {
        drop(self.changes);
        drop(self.pictures);
        self.changing.join().unwrap_or_else(|_| Some("the part that saves has failed".to_owned()))
    }
}

/// The lane of changes.
struct Changes {
    session: Session,
    effects: Receiver<Effect>,
    /// Effects that came while an earlier one was being tried again.
    kept: VecDeque<Effect>,
    /// Nothing will come any more.
    closing: bool,
    /// Why the last change could not be made.
    lost: Option<String>,
}

impl Changes {
    /// Runs effects until nobody sends any; gives the reason if a change was lost.
    fn run(mut self, report: &impl Fn(Action)) -> Option<String> {
        while let Some(effect) = self.kept.pop_front().or_else(|| self.effects.recv().ok()) {
            if let Some(action) = self.effect(effect, report) {
                report(action);
            }
        }
        self.lost
    }

    fn effect(&mut self, effect: Effect, report: &impl Fn(Action)) -> Option<Action> {
        Some(match effect {
            Effect::LoadQueue => match self.session.queue() {
                Ok(items) => Action::Queue(items),
                Err(error) => Action::Failed(error.to_string()),
            },
            Effect::Open { image, author } => match self.session.desk(image, &author) {
                Ok(desk) => Action::Opened { image, spread: Spread::from(desk) },
                Err(error) => Action::Failed(error.to_string()),
            },
            Effect::Compare { image, author } => match self.session.desk(image, &author) {
                Ok(desk) => Action::Compared { image, spread: Spread::from(desk) },
                Err(error) => Action::Failed(error.to_string()),
            },
            Effect::Count { image, instance, layer } => match self.session.votes(image, instance, layer) {
                Ok(votes) => Action::Counted { image, votes },
                Err(error) => Action::Failed(error.to_string()),
            },
            Effect::Apply { target, change } => {
                let applied = self.persist(report, |session| session.apply(&target, &change));
                self.said(applied.map(|instance| Action::Saved { image: target.image, instance }))
            }
            Effect::Stroke(stroke) => {
                let change = crate::ops::annotate::Change::Paint {
                    layer: stroke.layer,
                    added: stroke.after.without(&stroke.before, stroke.region),
                    removed: stroke.before.without(&stroke.after, stroke.region),
                    source: stroke.source,
                };
                let applied = self.persist(report, |session| session.apply(&stroke.target, &change));
                self.said(applied.map(|instance| Action::Saved { image: stroke.target.image, instance }))
            }
            Effect::Turn { target, scope, forth } => {
                let turned = self.persist(report, |session| {
                    if forth { session.redo(&target, scope) } else { session.undo(&target, scope) }
                });
                let read = turned.and_then(|turned| {
                    let Some(Turned { what, restored }) = turned else { return Ok(Turn::Nothing) };
                    Ok(match restored {
                        Restored::Layer(layer) => {
                            let drawn = self.session.mask(&target, layer)?.as_ref().map(drawn);
                            Turn::Layer { what, layer, drawn }
                        }
                        Restored::Image => {
                            let desk = self.session.desk(target.image, &target.author)?;
                            Turn::Image { what, spread: Spread::from(desk) }
                        }
                    })
                });
                Action::Turned(read.unwrap_or_else(|error| Turn::Refused(error.to_string())))
            }
            Effect::AddInstance { image, class } => {
                let added = self.persist(report, |session| session.add_instance(image, class));
                Action::InstanceAdded(added.map_err(|error| error.to_string()))
            }
            Effect::RemoveInstance(instance) => {
                let removed = self.persist(report, |session| session.remove_instance(instance));
                Action::InstanceRemoved(removed.map_err(|error| error.to_string()))
            }
            Effect::Retry
            | Effect::Suspend
            | Effect::Redraw
            | Effect::LoadPicture { .. }
            | Effect::LoadThumbnails(_)
            | Effect::LoadFindings
            | Effect::LoadRuns
            | Effect::LoadRun(_)
            | Effect::Find(_)
            | Effect::Ask(_) => return None,
        })
    }

    /// Makes a change, again and again while the reason why it fails may pass.
    fn persist<T>(
        &mut self,
        report: &impl Fn(Action),
        mut attempt: impl FnMut(&mut Session) -> Result<T, OpsError>,
    ) -> Result<T, OpsError> {
        loop {
            match attempt(&mut self.session) {
                Err(error) if may_pass(&error) && !self.closing => {
                    report(Action::Unsaved(error.to_string()));
                    self.wait();
                }
                outcome => return outcome,
            }
        }
    }

    /// Waits a while, or until somebody asks to try again now; what else comes is kept for later.
    fn wait(&mut self) {
        let until = std::time::Instant::now() + PATIENCE;
        loop {
            match self.effects.recv_timeout(until.saturating_duration_since(std::time::Instant::now())) {
                Ok(Effect::Retry) | Err(RecvTimeoutError::Timeout) => return,
                Ok(other) => self.kept.push_back(other),
                Err(RecvTimeoutError::Disconnected) => {
                    self.closing = true;
                    return;
                }
            }
        }
    }

    fn said(&mut self, outcome: Result<Action, OpsError>) -> Action {
        outcome.unwrap_or_else(|error| {
            let reason = error.to_string();
            self.lost = Some(reason.clone());
            Action::Refused(reason)
        })
    }
}

/// Whether the same change may be made later, with nothing changed but the world. Whatever the file system or SQLite said
/// counts: it is better to try in vain than to lose a stroke.
fn may_pass(error: &OpsError) -> bool {
    error.is_retryable()
        || matches!(error, OpsError::Store(StoreError::NotWritable { .. } | StoreError::Database { .. }))
}

/// The lane of pages.
fn read_pages(project: &Path, effects: &Receiver<Effect>, report: &impl Fn(Action)) {
    let told = |error: OpsError| error.to_string();
    for effect in effects {
        match effect {
            Effect::LoadFindings => report(Action::Findings(pages::findings(project).map_err(told))),
            Effect::LoadRuns => report(Action::Runs(pages::runs(project).map_err(told))),
            Effect::LoadRun(id) => report(Action::Run(pages::run(project, &id).map(Box::new).map_err(told))),
            _ => {}
        }
    }
}

/// The lane of networks. What was asked before the last question is not asked any more.
fn ask(mut networks: Networks, questions: &Receiver<Ask>, report: &impl Fn(Action)) {
    while let Ok(mut question) = questions.recv() {
        while let Ok(later) = questions.try_recv() {
            question = later;
        }
        let Ask { number, network, image, picture, instance, asked } = question;
        let proposed = match asked {
            Asked::Segment { class } => networks.segment(&network, &picture, class),
            Asked::Prompt { layer, prompts } => networks.prompt(&network, image, &picture, layer, &prompts),
        };
        let shown = |(layer, mask)| (layer, drawn(&mask));
        let answer = proposed
            .map(|proposed| Proposal {
                source: proposed.source,
                layers: proposed.layers.into_iter().map(shown).collect(),
            })
            .map_err(|error| error.to_string());
        report(Action::Answered { number, image, instance, answer });
    }
}

/// The lane of pictures and searches. Of pictures that are asked for faster than they are read only the latest two count:
/// the open image's and the next one's. Small pictures are made when nothing else waits; only the last list of them counts.
fn show(effects: &Receiver<Effect>, report: &impl Fn(Action)) {
    let mut waiting: VecDeque<Effect> = VecDeque::new();
    let mut thumbnails: VecDeque<(ImageId, PathBuf)> = VecDeque::new();
    loop {
        if waiting.is_empty() && thumbnails.is_empty() {
            match effects.recv() {
                Ok(effect) => waiting.push_back(effect),
                Err(_) => return,
            }
        }
        for effect in effects.try_iter() {
            waiting.push_back(effect);
        }
        waiting.retain_mut(|effect| match effect {
            Effect::LoadThumbnails(list) => {
                thumbnails = std::mem::take(list).into();
                false
            }
            _ => true,
        });
        let pictures = waiting.iter().filter(|effect| matches!(effect, Effect::LoadPicture { .. })).count();
        let mut stale = pictures.saturating_sub(2);
        waiting.retain(|effect| {
            let drop = matches!(effect, Effect::LoadPicture { .. }) && stale > 0;
            stale -= usize::from(drop);
            !drop
        });
        match waiting.pop_front() {
            Some(Effect::LoadPicture { image, file, size }) => {
                let picture = load_picture(&file, size).map(Arc::new).map_err(|error| error.to_string());
                report(Action::Picture { image, picture });
            }
            Some(Effect::Find(search)) => report(found(search)),
            Some(_) => {}
            None => {
                if let Some((image, file)) = thumbnails.pop_front() {
                    report(Action::Thumbnail { image, picture: load_thumbnail(&file).ok() });
                }
            }
        }
    }
}

/// Pictures are divided into about so many patches.
const PATCHES: usize = 900;

fn found(search: Search) -> Action {
    Action::Found(match search {
        Search::Wand { picture, seed, tolerance } => wand(&picture.levels[0], seed, tolerance),
        Search::Refine { picture, rough } => grabcut(&picture.levels, &rough),
        Search::Patches(picture) => return Action::Patches(Superpixels::new(&picture.levels, PATCHES)),
        Search::Grow(bits, distance) => grow(&bits, distance),
        Search::Shrink(bits, distance) => shrink(&bits, distance),
    })
}
