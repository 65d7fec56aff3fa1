//! What the annotation screen asks of a project: whose turn it is, what an image holds, and one change at a time.
//!
//! [`Session`] owns the project for one annotator. A change that it has returned from is on the disk: that is what lets a
//! screen say "saved". Annotations come into being with their first change, so that looking at an image leaves no mark.
//!
//! It refuses to decide what a change should be, to keep a picture, and to show anything.

pub mod pages;
mod picture;
mod proposals;
mod queue;
mod sheet;
mod undo;
mod votes;

use std::path::PathBuf;

use super::{OpsError, Project};
use crate::{
    domain::{
        AnnotationId, AnnotatorKind, ImageId, InstanceId, Layer, Mask, Presence, RemarkKind, RemarkOn, Status,
        Taxonomy, Transition,
    },
    store::{Actor, AnnotationFilter, Edit, LogFilter, StoreError},
};

pub use picture::{Picture, load_picture, load_thumbnail};
pub use proposals::{ListedNetwork, Networks, Proposed};
pub use queue::QueueItem;
pub use rival10_engine::masks::Prompt;
pub use sheet::{Author, Desk, Sheet};
pub use undo::{Restored, Scope, Turned};
pub use votes::Votes;

/// A project open for one annotator.
pub struct Session {
    project: Project,
    annotator: String,
}

/// Which annotation is meant: that of `author`, of an instance of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The image.
    pub image: ImageId,
    /// The instance; None for the first of an image that has none yet, which the first change adds.
    pub instance: Option<InstanceId>,
    /// The class that a first instance gets.
    pub class: usize,
    /// Whose annotation.
    pub author: String,
}

/// A change to an annotation or its instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Judge an attribute.
    Attribute {
        /// Which, an index into the taxonomy.
        attribute: usize,
        /// What is said of it.
        presence: Presence,
    },
    /// Add pixels to a layer and take others away.
    Paint {
        /// The layer.
        layer: Layer,
        /// Pixels to add.
        added: Mask,
        /// Pixels to take away.
        removed: Mask,
        /// What found them, where it was no hand: a network, or a way of fitting.
        source: Option<String>,
    },
    /// Take a layer away, which is not the same as emptying it.
    RemoveLayer {
        /// The layer.
        layer: Layer,
    },
    /// Move the annotation on, or back.
    Move {
        /// Which way.
        transition: Transition,
        /// Why; a reviewer who does not agree must say so.
        comment: Option<String>,
    },
    /// Give the instance another class.
    Class {
        /// The class, an index into the taxonomy.
        class: usize,
    },
    /// Note something, or flag it.
    Remark {
        /// Whether it is about the picture and not about what was drawn.
        on_image: bool,
        /// A note or a flag.
        kind: RemarkKind,
        /// What it says; empty takes it away.
        text: String,
    },
    /// Take the masks and attributes of somebody else's annotation of the same instance.
    Adopt {
        /// Whose.
        from: String,
    },
}

impl Session {
    /// Opens `project` for `annotator`. Without a name the only registered person is taken, or the one who is called as
    /// the system's user is.
    ///
    /// # Errors
    /// [`OpsError::Usage`] if nobody, or more than one, may be meant; it lists who is registered.
    pub fn open(project: Project, annotator: Option<&str>, user: Option<&str>) -> Result<Self, OpsError> {
        let all = project.store.annotators()?;
        let people: Vec<&str> =
            all.iter().filter(|a| a.kind == AnnotatorKind::Person).map(|a| a.name.as_str()).collect();
        let list = || if people.is_empty() { "nobody yet".to_owned() } else { people.join(", ") };
        let chosen = match (annotator, &people[..]) {
            (Some(name), people) if people.contains(&name) => name.to_owned(),
            (Some(name), _) => {
                let text = format!(
                    "nobody is registered as {name:?} (registered: {}): `rival10 annotators add {name}` does it",
                    list()
                );
                return Err(OpsError::Usage(text));
            }
            (None, [only]) => (*only).to_owned(),
            (None, people) => match user.filter(|user| people.contains(user)) {
                Some(user) => user.to_owned(),
                None if people.is_empty() => {
                    let text = "nobody is registered: `rival10 annotators add NAME`, then `rival10 annotate`";
                    return Err(OpsError::Usage(text.to_owned()));
                }
                None => return Err(OpsError::Usage(format!("say who you are with --annotator: {}", list()))),
            },
        };
        Ok(Self { project, annotator: chosen })
    }

    /// Who annotates.
    #[must_use]
    pub fn annotator(&self) -> &str {
        &self.annotator
    }

    /// What the project speaks of.
    #[must_use]
    pub fn taxonomy(&self) -> &Taxonomy {
        self.project.store.taxonomy()
    }

    /// What the project is called.
    #[must_use]
    pub fn project_name(&self) -> &str {
        self.project.store.name()
    }

    /// The project's folder.
    #[must_use]
    pub fn project_dir(&self) -> PathBuf {
        self.project.store.dir().to_owned()
    }

    /// Makes a change, and gives the instance that it was made to, if it was made to one. When this returns, the change is on the disk.
    ///
    /// # Errors
    /// [`OpsError::Store`]; the project is then as it was.
    pub fn apply(&mut self, target: &Target, change: &Change) -> Result<Option<InstanceId>, OpsError> {
        if let Change::Class { class } = change
            && let Some(instance) = target.instance
        {
            self.edit(&Edit::Class { instance, class: *class })?;
            return Ok(Some(instance));
        }
        if let Change::Remark { on_image: true, kind, text } = change {
            self.edit(&Edit::Remark { on: RemarkOn::Image(target.image), kind: *kind, text: Some(text.clone()) })?;
            // A picture may be remarked on before anybody has annotated it.
            return Ok(target.instance);
        }
        let (instance, annotation) = self.annotation(target)?;
        match change {
            Change::Remark { kind, text, .. } => {
                let on = RemarkOn::Annotation(annotation);
                self.edit(&Edit::Remark { on, kind: *kind, text: Some(text.clone()) })?;
            }
            Change::Attribute { attribute, presence } => {
                self.edit(&Edit::Attribute { annotation, attribute: *attribute, presence: *presence })?;
            }
            Change::Paint { layer, added, removed, source } => {
                let (added, removed, source) = (added.clone(), removed.clone(), source.clone());
                self.edit(&Edit::Paint { annotation, layer: *layer, added, removed, source })?;
            }
            Change::RemoveLayer { layer } => self.edit(&Edit::Mask { annotation, layer: *layer, mask: None })?,
            Change::Move { transition, comment } => {
                let who = self.annotator.clone();
                self.project.store.advance(&who, &[annotation], *transition, comment.as_deref())?;
            }
            Change::Class { class } => self.edit(&Edit::Class { instance, class: *class })?,
            Change::Adopt { from } => {
                let theirs = self.annotation_of(target.image, instance, from)?;
                let Some((id, _)) = theirs else {
                    return Err(OpsError::Refused(format!("{from} has not annotated this instance")));
                };
                let theirs = self.project.store.annotation(id)?;
                for (attribute, &presence) in theirs.attributes.iter().enumerate() {
                    self.edit(&Edit::Attribute { annotation, attribute, presence })?;
                }
                for (&layer, mask) in &theirs.masks {
                    self.edit(&Edit::Mask { annotation, layer, mask: Some(mask.clone()) })?;
                }
            }
        }
        Ok(Some(instance))
    }

    /// Adds an instance of `class` to `image`.
    ///
    /// # Errors
    /// [`OpsError::Store`].
    pub fn add_instance(&mut self, image: ImageId, class: usize) -> Result<InstanceId, OpsError> {
        Ok(self.project.store.add_instance(&self.annotator, image, class)?.instance)
    }

    /// Removes an instance and whatever anybody annotated of it; undoing the last change brings it back.
    ///
    /// # Errors
    /// [`OpsError::Store`].
    pub fn remove_instance(&mut self, instance: InstanceId) -> Result<(), OpsError> {
        self.edit(&Edit::RemoveInstance { instance })
    }

    /// What `target`'s annotation has drawn on `layer`; None if nothing ever was.
    ///
    /// # Errors
    /// [`OpsError::Store`].
    pub fn mask(&self, target: &Target, layer: Layer) -> Result<Option<Mask>, OpsError> {
        let Some(instance) = target.instance else { return Ok(None) };
        let Some((annotation, _)) = self.annotation_of(target.image, instance, &target.author)? else {
            return Ok(None);
        };
        Ok(self.project.store.annotation(annotation)?.masks.remove(&layer))
    }

    /// Whether the annotator has never changed anything here.
    ///
    /// # Errors
    /// [`OpsError::Store`].
    pub fn is_new(&self) -> Result<bool, OpsError> {
        let actor = Some(self.annotator.clone());
        Ok(self.project.store.log(&LogFilter { actor, limit: Some(1), ..LogFilter::default() })?.is_empty())
    }

    fn edit(&mut self, edit: &Edit) -> Result<(), OpsError> {
        self.project.store.edit(Actor::Annotator(&self.annotator), edit)?;
        Ok(())
    }

    /// The annotation that `target` means; that of the session's own annotator is begun if it is not there.
    fn annotation(&mut self, target: &Target) -> Result<(InstanceId, AnnotationId), OpsError> {
        let instance = match target.instance {
            Some(instance) => instance,
            None => {
                let all = self.project.store.annotations(&AnnotationFilter {
                    image: Some(target.image),
                    masks: false,
                    ..AnnotationFilter::default()
                })?;
                match all.first() {
                    Some(first) => first.instance,
                    None => self.add_instance(target.image, target.class)?,
                }
            }
        };
        if let Some((annotation, _)) = self.annotation_of(target.image, instance, &target.author)? {
            return Ok((instance, annotation));
        }
        if target.author != self.annotator {
            let text = format!("{} has not annotated this instance", target.author);
            return Err(OpsError::Refused(text));
        }
        match self.project.store.add_annotation(&self.annotator, instance) {
            Ok(added) => Ok((instance, added.annotation)),
            // Another window of the same annotator was first.
            Err(StoreError::InvalidEdit(text)) => self
                .annotation_of(target.image, instance, &target.author)?
                .map(|(annotation, _)| (instance, annotation))
                .ok_or(OpsError::Refused(text)),
            Err(error) => Err(error.into()),
        }
    }

    /// The annotation of an instance by `author`, and its status.
    fn annotation_of(
        &self,
        image: ImageId,
        instance: InstanceId,
        author: &str,
    ) -> Result<Option<(AnnotationId, Status)>, OpsError> {
        let filter = AnnotationFilter {
            image: Some(image),
            annotator: Some(author.to_owned()),
            masks: false,
            ..AnnotationFilter::default()
        };
        let found = self.project.store.annotations(&filter)?;
        Ok(found.into_iter().find(|a| a.instance == instance).map(|a| (a.id, a.status)))
    }
}

#[cfg(test)]
mod tests;
