//! Undo and redo from the journal: they work across restarts, for a layer or for all of an annotation.

use std::collections::HashMap;

use super::{Session, Target};
use crate::{
    domain::Layer,
    ops::{OpsError, history},
    store::{Actor, Entry, EntryId, LogFilter},
};

/// What an undo looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The strokes of one layer.
    Layer(Layer),
    /// Every change that the annotator made to the image.
    Image,
}

/// What was taken back, or done again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turned {
    /// In a few words.
    pub what: String,
    /// What has to be read again.
    pub restored: Restored,
}

/// What an undo has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restored {
    /// A layer of the target's annotation.
    Layer(Layer),
    /// Something else of the image.
    Image,
}

/// The kinds of change that a key makes, and takes back. An assignment or the beginning of an annotation is undone with
/// `rival10 undo`, not by a key that is pressed once too often.
const OF_THE_HAND: [&str; 7] =
    ["set-mask", "set-attribute", "set-status", "set-class", "set-remark", "add-instance", "remove-instance"];

/// An original change with the undos that follow it: an even number of them leaves it standing.
struct Chain {
    tip: EntryId,
    undos: u32,
}

impl Session {
    /// Takes the latest change of `scope` back; None if there is none.
    ///
    /// # Errors
    /// [`OpsError::Store`], among others if somebody's later change builds on it.
    pub fn undo(&mut self, target: &Target, scope: Scope) -> Result<Option<Turned>, OpsError> {
        let chains = self.chains(target, scope)?;
        let latest = chains.iter().filter(|(_, chain)| chain.undos % 2 == 0).max_by_key(|(original, _)| original.id);
        self.turn(latest)
    }

    /// Does again what the latest undo of `scope` took back; None if there is none, or if something new was done since.
    ///
    /// # Errors
    /// As [`Session::undo`].
    pub fn redo(&mut self, target: &Target, scope: Scope) -> Result<Option<Turned>, OpsError> {
        let chains = self.chains(target, scope)?;
        let newest = chains.iter().map(|(original, _)| original.id).max();
        let latest = chains
            .iter()
            .filter(|(_, chain)| chain.undos % 2 == 1 && newest.is_none_or(|newest| chain.tip > newest))
            .max_by_key(|(_, chain)| chain.tip);
        self.turn(latest)
    }

    fn turn(&mut self, chain: Option<&(Entry, Chain)>) -> Result<Option<Turned>, OpsError> {
        let Some((original, chain)) = chain else { return Ok(None) };
        let what = history::describe(&self.project, &Entry { undone_by: None, ..original.clone() });
        self.project.store.undo(Actor::Annotator(&self.annotator), chain.tip)?;
        let restored = match (original.change.kind().as_str(), original.layer) {
            ("set-mask", Some(layer)) => Restored::Layer(layer),
            _ => Restored::Image,
        };
        Ok(Some(Turned { what, restored }))
    }

    /// The annotator's own changes of `scope`, each with the undos that follow it.
    fn chains(&self, target: &Target, scope: Scope) -> Result<Vec<(Entry, Chain)>, OpsError> {
        let annotation = match (scope, target.instance) {
            (Scope::Layer(_), Some(instance)) => match self.annotation_of(target.image, instance, &target.author)? {
                Some((annotation, _)) => Some(annotation),
                None => return Ok(Vec::new()),
            },
            (Scope::Layer(_), None) => return Ok(Vec::new()),
            (Scope::Image, _) => None,
        };
        let filter = LogFilter { image: Some(target.image), annotation, ..LogFilter::default() };
        let mut entries = self.project.store.log(&filter)?;
        entries.reverse();
        // The original that each entry ends at.
        let mut origins: HashMap<EntryId, usize> = HashMap::new();
        let mut chains: Vec<(Entry, Chain)> = Vec::new();
        for entry in entries {
            match entry.undoes {
                Some(undone) => {
                    let Some(&origin) = origins.get(&undone) else { continue };
                    origins.insert(entry.id, origin);
                    chains[origin].1 = Chain { tip: entry.id, undos: chains[origin].1.undos + 1 };
                }
                None => {
                    let mine = entry.actor.as_deref() == Some(self.annotator.as_str());
                    let kind = entry.change.kind();
                    let of_scope = match scope {
                        Scope::Layer(layer) => kind == "set-mask" && entry.layer == Some(layer),
                        Scope::Image => OF_THE_HAND.contains(&kind.as_str()),
                    };
                    if mine && of_scope {
                        origins.insert(entry.id, chains.len());
                        let tip = entry.id;
                        chains.push((entry, Chain { tip, undos: 0 }));
                    }
                }
            }
        }
        Ok(chains)
    }
}
