//! Who is compared, and everything that they said of the same instances.
//!
//! The project is read on the calling thread, whose store is its own, while another hands what was read to every core: a
//! mask is decoded once, compared with its counterparts and forgotten.

use std::{
    collections::{BTreeMap, HashMap},
    mem,
    sync::mpsc::{Receiver, sync_channel},
    thread,
};

use rayon::prelude::*;

use crate::{
    domain::{Annotation, AnnotationId, AnnotatorKind, ImageId, Layer, Progress, Status},
    ops::OpsError,
    quality::audit::{Comparisons, Said, Words},
    store::{AnnotationFilter, ImageFilter, Store},
};

/// Instances that are compared together: enough to keep every core busy, and a few megabytes of masks.
const CHUNK: usize = 512;

/// Whose words are compared.
pub(in crate::ops) struct Who {
    /// Their names; a comparison speaks of them by their places here.
    pub(in crate::ops) names: Vec<String>,
}

impl Who {
    /// Those who are `named`, or everybody but consensus.
    pub(in crate::ops) fn of(store: &Store, named: &[String]) -> Result<Self, OpsError> {
        let known = store.annotators()?;
        if let Some(unknown) = named.iter().find(|name| !known.iter().any(|annotator| annotator.name == **name)) {
            let known: Vec<_> = known.into_iter().map(|annotator| annotator.name).collect();
            return Err(OpsError::Usage(format!("nobody is called {unknown:?}; there are {}", known.join(", "))));
        }
        let wanted = known.into_iter().filter(|annotator| {
            if named.is_empty() { annotator.kind != AnnotatorKind::Consensus } else { named.contains(&annotator.name) }
        });
        let names: Vec<String> = wanted.map(|annotator| annotator.name).collect();
        if names.len() < 2 {
            return Err(OpsError::Refused(format!(
                "two annotators or more are compared, and there is {}: `rival10 annotators add NAME`, then annotate, or \
                 import with --annotator NAME",
                names.first().map_or("none", String::as_str)
            )));
        }
        Ok(Self { names })
    }

    /// The place of `name` among them.
    pub(in crate::ops) fn place(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|known| known == name)
    }

    /// The names of two of them.
    pub(super) fn pair(&self, pair: [usize; 2]) -> String {
        pair.map(|at| self.names[at].as_str()).join(" / ")
    }
}

/// What was said of one instance by two or more: who, when and what, in the order of the annotators' places.
struct Instance(Vec<(usize, i64, Annotation)>);

impl Instance {
    fn said(&self) -> Vec<Said<'_>> {
        self.0.iter().map(|(by, at, annotation)| Said { by: *by, at: *at, annotation }).collect()
    }
}

/// Everything that was compared.
pub(super) struct Found {
    /// Images with two or more annotators.
    pub(super) images: u64,
    /// Their masks.
    pub(super) comparisons: Comparisons,
    /// Their judgements.
    pub(super) words: Words,
    /// Annotations that were left out, by reason.
    pub(super) left_out: BTreeMap<&'static str, u64>,
}

/// Compares what `who` say of every instance of the project.
pub(super) fn compare(
    store: &Store,
    who: &Who,
    layer: Option<Layer>,
    tolerance: f64,
    progress: &dyn Progress,
) -> Result<Found, OpsError> {
    let times = store.annotation_times()?;
    let (annotators, attributes) = (who.names.len(), store.taxonomy().attributes.len());
    progress.begin("images", store.images(&ImageFilter::default())?.len() as u64);
    let mut reading = Reading {
        who,
        times: &times,
        open: Vec::new(),
        full: Vec::new(),
        seen: None,
        images: 0,
        left_out: BTreeMap::new(),
    };
    let (outcome, (comparisons, words)) = thread::scope(|scope| {
        let (send, receive) = sync_channel(2);
        let worker = scope.spawn(move || work(receive, annotators, attributes, layer, tolerance));
        // The worker goes before the reader only if it panics, and joining it passes that on.
        let hand_over = |chunk| send.send(chunk).map_err(|_| OpsError::Stopped);
        let outcome = store
            .each_annotation(&AnnotationFilter::default(), |annotation| {
                if progress.stopped() {
                    return Err(OpsError::Stopped);
                }
                reading.take(annotation, progress);
                if reading.full.len() < CHUNK { Ok(()) } else { hand_over(mem::take(&mut reading.full)) }
            })
            .and_then(|()| {
                reading.close();
                hand_over(mem::take(&mut reading.full))
            });
        drop(send);
        (outcome, worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    });
    progress.end();
    outcome?;
    Ok(Found { images: reading.images, comparisons, words, left_out: reading.left_out })
}

/// Compares chunk after chunk, on every core.
fn work(
    chunks: Receiver<Vec<Instance>>,
    annotators: usize,
    attributes: usize,
    layer: Option<Layer>,
    tolerance: f64,
) -> (Comparisons, Words) {
    let mut comparisons = Comparisons::default();
    let mut words = Words::new(annotators, attributes);
    for chunk in chunks {
        let found: Vec<Comparisons> =
            chunk.par_iter().map(|instance| Comparisons::of(&instance.said(), layer, tolerance)).collect();
        found.into_iter().for_each(|found| comparisons.extend(found));
        chunk.iter().for_each(|instance| words.add(&instance.said()));
    }
    (comparisons, words)
}

/// Annotations on their way into instances, as they come: by image, then instance.
struct Reading<'a> {
    who: &'a Who,
    times: &'a HashMap<AnnotationId, i64>,
    /// What was said of the instance that is being read.
    open: Vec<(usize, i64, Annotation)>,
    /// Instances that two or more spoke of.
    full: Vec<Instance>,
    /// The image that is being read, and whether it counts already.
    seen: Option<(ImageId, bool)>,
    images: u64,
    left_out: BTreeMap<&'static str, u64>,
}

impl Reading<'_> {
    fn take(&mut self, annotation: Annotation, progress: &dyn Progress) {
        if self.open.first().is_some_and(|(.., open)| open.instance != annotation.instance) {
            self.close();
        }
        if self.seen.is_none_or(|(image, _)| image != annotation.image) {
            self.seen = Some((annotation.image, false));
            progress.advance(1);
        }
        let Some(by) = self.who.place(&annotation.annotator) else { return };
        let reason = match annotation.status {
            Status::Draft => "not submitted",
            Status::Rejected => "rejected",
            Status::Submitted | Status::Accepted => {
                let at = self.times.get(&annotation.id).copied().unwrap_or(0);
                self.open.push((by, at, annotation));
                return;
            }
        };
        *self.left_out.entry(reason).or_insert(0) += 1;
    }

    /// The instance that was being read is complete.
    fn close(&mut self) {
        let mut said = mem::take(&mut self.open);
        if let [(.., first), _, ..] = said.as_slice() {
            let image = first.image;
            if self.seen != Some((image, true)) {
                self.images += 1;
            }
            self.seen = self.seen.map(|(open, counted)| (open, counted || open == image));
            said.sort_by_key(|(by, ..)| *by);
            self.full.push(Instance(said));
        }
    }
}
