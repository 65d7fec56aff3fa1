//! Instances: add, choose, delete, and say what they are.

use super::{
    super::{action::Effect, command::Command},
    App, Waiting,
    overlay::{Choice, Chooser, Entry, Overlay},
    sheet::Instance,
};
use crate::{domain::InstanceId, ops::annotate::Change};

impl App {
    pub(super) fn run_on_instances(&mut self, command: Command) -> bool {
        use Command as C;
        match command {
            C::AddInstance => self.choose_class("a new instance of", Choice::NewInstance),
            C::SetClass => self.ask_class(),
            C::NextInstance => self.go_to_instance(1),
            C::PreviousInstance => self.go_to_instance(-1),
            C::DeleteInstance => {
                let Some(open) = &self.open else { return true };
                let Some(id) = open.instance().id else {
                    self.say("there is nothing to delete");
                    return true;
                };
                if self.sure(command, "this deletes the instance and what anybody annotated of it") {
                    self.finish_stroke();
                    self.waiting = Some(Waiting::InstanceRemoved);
                    self.effects.push(Effect::RemoveInstance(id));
                }
            }
            _ => return false,
        }
        true
    }

    /// Asks for the class of the active instance.
    pub(super) fn ask_class(&mut self) {
        self.choose_class("what is it?", Choice::Class);
    }

    fn choose_class(&mut self, title: &'static str, choice: fn(usize) -> Choice) {
        if self.open.is_none() {
            return;
        }
        self.finish_stroke();
        let classes = self.taxonomy.classes.iter().enumerate();
        let entries = classes
            .map(|(index, class)| Entry { label: class.name.clone(), note: String::new(), choice: choice(index) })
            .collect();
        self.overlay = Some(Overlay::Chooser(Chooser { title, entries, text: String::new(), at: 0 }));
    }

    pub(super) fn set_class(&mut self, class: usize) {
        let Some(open) = &mut self.open else { return };
        let known = open.instance().id.is_some();
        open.instance_mut().class = Some(class);
        if open.item.class.is_none() {
            open.item.class = Some(class);
        }
        // An instance that is not there yet gets its class with its first change.
        if known {
            self.change(Change::Class { class });
        }
    }

    pub(super) fn add_instance(&mut self, class: usize) {
        let Some(open) = &mut self.open else { return };
        if open.instance().id.is_none() {
            self.set_class(class);
            return;
        }
        let image = open.item.image;
        self.waiting = Some(Waiting::InstanceAdded { class });
        self.effects.push(Effect::AddInstance { image, class });
    }

    pub(super) fn instance_added(&mut self, added: Result<InstanceId, String>) {
        let Some(Waiting::InstanceAdded { class }) = self.waiting.take() else { return };
        match added {
            Ok(id) => {
                let attributes = self.taxonomy.attributes.len();
                if let Some(open) = &mut self.open {
                    let mut instance = Instance::blank(Some(id), Some(class), attributes);
                    instance.status = Some(crate::domain::Status::Draft);
                    open.instances.push(instance);
                    open.active = open.instances.len() - 1;
                }
                self.saved += 1;
                self.choose_layer(crate::domain::Layer::Object);
            }
            Err(reason) => self.complain(&reason),
        }
    }

    pub(super) fn instance_removed(&mut self, removed: Result<(), String>) {
        self.waiting = None;
        match removed {
            Ok(()) => {
                let attributes = self.taxonomy.attributes.len();
                if let Some(open) = &mut self.open {
                    open.instances.remove(open.active);
                    if open.instances.is_empty() {
                        open.instances.push(Instance::blank(None, open.item.class, attributes));
                    }
                    open.active = open.active.min(open.instances.len() - 1);
                }
                self.saved += 1;
                let keys = self.keymap.keys_of(self.focus, Command::UndoImage);
                self.say(format!("deleted; {keys} brings it back"));
            }
            Err(reason) => self.complain(&reason),
        }
    }

    fn go_to_instance(&mut self, step: isize) {
        self.finish_stroke();
        let Some(open) = &mut self.open else { return };
        let count = open.instances.len() as isize;
        open.active = (open.active as isize + step).rem_euclid(count) as usize;
        let bounds = open.instance().layers.get(&crate::domain::Layer::Object).map(|drawn| drawn.bounds);
        if let Some(bounds) = bounds.filter(|bounds| !bounds.is_empty()) {
            let middle = (i64::from(bounds.left + bounds.right) / 2, i64::from(bounds.top + bounds.bottom) / 2);
            self.move_cursor(middle);
            self.viewport.follow(self.cursor);
        }
        self.choose_layer(self.layer);
    }
}
