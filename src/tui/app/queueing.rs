//! Going through the queue: opening images, submitting, reviewing.

use super::{
    super::{
        action::Effect,
        command::Command,
        keymap::Context,
        text::{counted, harmless},
    },
    App, Waiting,
    overlay::{Choice, Chooser, Entry, Line, Overlay, Purpose},
    queue::Filter,
    sheet::{Open, Shown, Spread},
};
use crate::{
    domain::{ImageId, Layer, Presence, Remarks, Status, Transition},
    ops::annotate::{Change, Picture, QueueItem, Target},
};
use std::sync::Arc;

impl App {
    pub(super) fn run_on_queue(&mut self, command: Command, count: Option<u32>) -> bool {
        use Command as C;
        let step = count.unwrap_or(1) as usize;
        match command {
            C::NextImage => {
                self.go_to(self.queue.at.saturating_add(step).min(self.queue.shown.len().saturating_sub(1)));
            }
            C::PreviousImage => self.go_to(self.queue.at.saturating_sub(step)),
            C::NextUndone => match self.queue.next_undone() {
                Some(at) => self.go_to(at),
                None => self.say("everything here is done"),
            },
            C::Submit => self.submit(),
            C::Accept => self.review(Transition::Accept),
            C::Reject => self.review(Transition::Reject),
            C::SendBack => self.review(Transition::SendBack),
            C::Reopen => self.reopen_work(),
            C::Jump => self.show_jump(),
            C::Filter => {
                let text = self.queue.filter.text.clone();
                let title = "show images with (class= split= status= name= flagged)";
                self.overlay = Some(Overlay::Line(Line { purpose: Purpose::Filter, title, text, complaint: None }));
            }
            C::Gallery => {
                self.finish_stroke();
                self.focus = if self.focus == Context::Gallery { Context::Canvas } else { Context::Gallery };
                self.gallery_row = self.queue.at;
                self.ask_gallery();
            }
            C::Thumbnails => {
                self.small_pictures = !self.small_pictures;
                self.ask_gallery();
            }
            _ => return false,
        }
        true
    }

    /// Opens the image at place `at` of the queue.
    pub(super) fn go_to(&mut self, at: usize) {
        self.finish_stroke();
        self.gesture = None;
        let Some(item) = self.queue.item(at) else { return };
        let image = item.image;
        let author = self.author_of(item);
        if self.ahead.as_ref().is_none_or(|(ahead, _)| *ahead != image) {
            self.effects.push(Effect::LoadPicture { image, file: item.file.clone(), size: item.size });
            self.ahead = Some((image, Shown::Loading));
        }
        self.queue.at = at;
        self.waiting = Some(Waiting::Open);
        self.effects.push(Effect::Open { image, author });
    }

    /// Whose annotation of an image is shown first.
    fn author_of(&self, item: &QueueItem) -> String {
        match &item.to_review {
            Some(author) if self.queue.review => author.clone(),
            _ => self.annotator.clone(),
        }
    }

    /// Reads the open image's annotations again.
    pub(super) fn reopen(&mut self) {
        let Some(open) = &self.open else { return };
        self.waiting = Some(Waiting::Open);
        self.effects.push(Effect::Open { image: open.item.image, author: open.author.clone() });
    }

    pub(super) fn queue_read(&mut self, items: Vec<QueueItem>) {
        self.waiting = None;
        self.queue.items = items;
        let filter = self.filter.take().unwrap_or_else(|| self.queue.filter.clone());
        self.queue.set_filter(filter);
        if self.open.is_some() {
            return;
        }
        let first = match self.first.take() {
            Some(wanted) => match self.find_image(&wanted) {
                Some(at) => Some(at),
                None => {
                    self.complain(&format!("no image {wanted:?} here"));
                    Some(0)
                }
            },
            None => {
                let waits = (0..self.queue.shown.len())
                    .find(|&at| self.queue.item(at).is_some_and(|item| self.queue.waits(item)));
                Some(waits.unwrap_or(0))
            }
        };
        match first {
            Some(at) if !self.queue.shown.is_empty() => self.go_to(at),
            _ if self.queue.items.is_empty() => {
                self.complain("the project has no images: `rival10 import` brings some");
            }
            _ => self.complain("no image is let through by the filter; / changes it"),
        }
    }

    /// The place of the image with this number or name.
    fn find_image(&self, wanted: &str) -> Option<usize> {
        let number = wanted.parse().ok().map(ImageId);
        let is = |item: &QueueItem| Some(item.image) == number || item.name == wanted;
        (0..self.queue.shown.len()).find(|&at| self.queue.item(at).is_some_and(is))
    }

    pub(super) fn opened(&mut self, image: ImageId, spread: Spread) {
        self.waiting = None;
        let attributes = self.taxonomy.attributes.len();
        if let Some(open) = &mut self.open
            && open.item.image == image
        {
            open.take(spread, attributes);
            self.refresh_item();
            if let Some(layer) = self.layer_after_opening.take() {
                self.choose_layer(layer);
            }
            return;
        }
        let Some(item) = self.queue.item(self.queue.at).filter(|item| item.image == image).cloned() else { return };
        self.remember_attributes();
        let shown = match self.ahead.take() {
            Some((ahead, shown)) if ahead == image => shown,
            _ => Shown::Loading,
        };
        let (author, authors, instances) = (String::new(), Vec::new(), Vec::new());
        let mut open = Open {
            item,
            shown,
            author,
            authors,
            instances,
            active: 0,
            remarks: Remarks::default(),
            beside: None,
            patches: None,
        };
        open.take(spread, attributes);
        let size = open.item.size;
        self.open = Some(open);
        self.proposals.forget();
        self.fit_canvas();
        self.cursor = (i64::from(size.width) / 2, i64::from(size.height) / 2);
        self.marks.clear();
        self.fit();
        let layer = self.layer_after_opening.take().unwrap_or(Layer::Object);
        if self.layer != layer {
            self.choose_layer(layer);
        }
        self.read_ahead();
    }

    /// Reads the picture that is most likely wanted next.
    fn read_ahead(&mut self) {
        let next = self.queue.next_undone().or_else(|| Some(self.queue.at + 1));
        let Some(item) = next.filter(|&next| next != self.queue.at).and_then(|next| self.queue.item(next)) else {
            return;
        };
        self.effects.push(Effect::LoadPicture { image: item.image, file: item.file.clone(), size: item.size });
        self.ahead = Some((item.image, Shown::Loading));
    }

    pub(super) fn picture_read(&mut self, image: ImageId, picture: Result<Arc<Picture>, String>) {
        let shown = match picture {
            Ok(picture) => Shown::Ready(picture),
            Err(reason) => Shown::Missing(harmless(&reason)),
        };
        if let Some(open) = &mut self.open
            && open.item.image == image
        {
            open.shown = shown;
        } else if let Some((ahead, waiting)) = &mut self.ahead
            && *ahead == image
        {
            *waiting = shown;
        }
    }

    /// Keeps the attributes of the image that is left, if something was said of it.
    fn remember_attributes(&mut self) {
        if let Some(open) = &self.open
            && open.author == self.annotator
            && open.instance().attributes.iter().any(|presence| *presence != Presence::NotJudged)
        {
            self.last_attributes = Some(open.instance().attributes.clone());
        }
    }

    /// Brings the queue's line of the open image up to date.
    pub(super) fn refresh_item(&mut self) {
        let Some(open) = &self.open else { return };
        let Some(item) = self.queue.items.iter_mut().find(|item| item.image == open.item.image) else { return };
        let statuses = || open.instances.iter().map(|instance| instance.status);
        if open.author == self.annotator {
            let least = |statuses: Vec<Status>| {
                [Status::Rejected, Status::Draft, Status::Submitted, Status::Accepted]
                    .into_iter()
                    .find(|status| statuses.contains(status))
            };
            item.mine = statuses().collect::<Option<Vec<_>>>().and_then(least);
        } else if !statuses().any(|status| status == Some(Status::Submitted)) {
            item.to_review = None;
        }
    }

    /// Moves every annotation of the open image by the shown author on, or back.
    fn advance(&mut self, transition: Transition, comment: Option<&str>) -> bool {
        self.finish_stroke();
        let Some(open) = &mut self.open else { return false };
        let (image, author) = (open.item.image, open.author.clone());
        let mut targets = Vec::new();
        for instance in &mut open.instances {
            // What was decided so already stays as it is.
            let fits = instance.status.is_none_or(|status| transition.from().contains(&status));
            if instance.status == Some(transition.to()) || (transition == Transition::Reopen && !fits) {
                continue;
            }
            let Some(class) = instance.class else {
                self.ask_class();
                return false;
            };
            targets.push(Target { image, instance: instance.id, class, author: author.clone() });
            instance.status = Some(transition.to());
        }
        self.saving += targets.len() as u32;
        let change = Change::Move { transition, comment: comment.map(str::to_owned) };
        self.effects.extend(targets.into_iter().map(|target| Effect::Apply { target, change: change.clone() }));
        self.refresh_item();
        true
    }

    fn submit(&mut self) {
        let Some(open) = &self.open else { return };
        if open.author != self.annotator {
            let keys = self.keymap.keys_of(Context::Canvas, Command::Accept);
            self.complain(&format!("this is somebody else's annotation; {keys} accepts it"));
            return;
        }
        self.finish_stroke();
        let wanting = self.wanting();
        if !wanting.is_empty() && !self.sure(Command::Submit, &wanting) {
            return;
        }
        if self.advance(Transition::Submit, None) {
            self.done += 1;
            self.remember_attributes();
            self.go_on("submitted");
        }
    }

    /// Takes one's own submitted or accepted work up again.
    fn reopen_work(&mut self) {
        let Some(open) = &self.open else { return };
        if open.author != self.annotator {
            self.complain("this is somebody else's annotation: reject it or send it back");
        } else if open.instances.iter().all(|i| matches!(i.status, None | Some(Status::Draft))) {
            self.say("it is a draft already");
        } else if self.advance(Transition::Reopen, None) {
            self.say("a draft again; it counts when it is submitted and accepted anew");
        }
    }

    /// Whether the active instance may be changed: what a reviewer has accepted may not. Says what to do instead.
    pub(super) fn may_change(&mut self) -> bool {
        let Some(open) = &self.open else { return false };
        if open.instance().status != Some(Status::Accepted) {
            return true;
        }
        let (command, what) = if open.author == self.annotator {
            (Command::Reopen, "sets it back to draft")
        } else {
            (Command::Reject, "rejects it; then fix it and accept it")
        };
        let keys = self.keymap.keys_of(self.focus, command);
        self.complain(&format!("it is accepted, and is not changed by the way: {keys} {what}"));
        false
    }

    /// Decides on somebody else's annotation, or asks why first.
    fn review(&mut self, transition: Transition) {
        let Some(open) = &self.open else { return };
        if open.author == self.annotator {
            self.complain("nobody reviews their own: `rival10 annotate --review` shows what others have submitted");
            return;
        }
        if transition.needs_comment() {
            let purpose = Purpose::Verdict(transition);
            let title = if transition == Transition::Reject { "reject, because" } else { "send back, because" };
            self.overlay = Some(Overlay::Line(Line { purpose, title, text: String::new(), complaint: None }));
        } else {
            // Nothing to say that could be wrong.
            let _ = self.decide(transition, None);
        }
    }

    /// Decides, and goes on; gives what is wrong with the comment.
    pub(super) fn decide(&mut self, transition: Transition, comment: Option<&str>) -> Result<(), String> {
        if transition.needs_comment() && comment.is_none_or(|comment| comment.trim().is_empty()) {
            return Err("say why".to_owned());
        }
        if self.advance(transition, comment) {
            self.done += 1;
            self.go_on(transition.participle());
        }
        Ok(())
    }

    /// To the next image that wants doing, or a word that there is none.
    fn go_on(&mut self, what: &str) {
        match self.queue.next_undone() {
            Some(at) => {
                self.go_to(at);
                self.say(what);
            }
            None => self.say(format!("{what}; everything here is done")),
        }
    }

    /// What a careful annotator would still see to; empty if nothing.
    fn wanting(&self) -> String {
        let Some(open) = &self.open else { return String::new() };
        let (mut unjudged, mut bare, mut objects) = (0, Vec::new(), 0);
        for instance in &open.instances {
            objects += u64::from(instance.is_bare(Layer::Object));
            for (index, (attribute, presence)) in self.taxonomy.attributes.iter().zip(&instance.attributes).enumerate()
            {
                unjudged += u64::from(*presence == Presence::NotJudged);
                if *presence == Presence::Yes && attribute.localised && instance.is_bare(Layer::Attribute(index)) {
                    bare.push(harmless(&attribute.name));
                }
            }
        }
        let mut wanting = Vec::new();
        if objects > 0 {
            wanting.push("the object has no mask".to_owned());
        }
        if unjudged > 0 {
            wanting.push(format!("{} not judged", counted(unjudged, "attribute is", "attributes are")));
        }
        if !bare.is_empty() {
            wanting.push(format!("no mask of {}", bare.join(", ")));
        }
        wanting.join("; ")
    }

    fn show_jump(&mut self) {
        let entries = (0..self.queue.shown.len()).filter_map(|at| {
            let item = self.queue.item(at)?;
            let status = item.mine.map_or("", Status::name);
            Some(Entry {
                label: format!("{} {}", item.image, item.name),
                note: status.to_owned(),
                choice: Choice::Image(at),
            })
        });
        let entries = entries.collect();
        self.overlay = Some(Overlay::Chooser(Chooser { title: "go to image", entries, text: String::new(), at: 0 }));
    }

    /// Shows what the typed filter lets through; gives what is wrong with it.
    pub(super) fn set_filter(&mut self, text: &str) -> Result<(), String> {
        let filter = Filter::parse(text, &self.taxonomy)?;
        self.queue.set_filter(filter);
        let count = self.queue.shown.len() as u64;
        self.gallery_row = self.queue.at;
        self.ask_gallery();
        let open = self.open.as_ref().map(|open| open.item.image);
        match self.queue.item(self.queue.at) {
            Some(item) if Some(item.image) != open => {
                let at = self.queue.at;
                self.go_to(at);
            }
            _ => {}
        }
        self.say(counted(count, "image", "images"));
        Ok(())
    }

    pub(super) fn open_gallery_row(&mut self) {
        self.focus = Context::Canvas;
        self.go_to(self.gallery_row);
    }
}
