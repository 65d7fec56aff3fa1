//! One annotation made of several people's, written as such and undoable.

use std::{collections::BTreeMap, mem};

use rayon::prelude::*;
use serde::Serialize;

use super::{
    OpsError, Project,
    audit::{Who, layer_name},
};
use crate::{
    domain::{
        Annotation, AnnotatorKind, ImageId, ImageRecord, InstanceId, Item, ItemInstance, Progress, Status, Taxonomy,
    },
    quality::{
        audit::{Said, Words},
        consensus::{self, Answers, Masks, Merged, Open, Word},
    },
    store::{AnnotationFilter, ImageFilter, ImportOutcome, ImportPlan},
};
use rival10_stats::{DawidSkene, bootstrap::RESAMPLES};

/// The name that a consensus goes by unless it is given another.
pub const CONSENSUS: &str = "consensus";

/// How several words become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConsensusMethod {
    /// Answers and masks by more than half.
    Majority,
    /// Masks by STAPLE, answers by more than half.
    Staple,
    /// Answers by Dawid and Skene's model, masks by more than half.
    DawidSkene,
}

/// What to merge.
#[derive(Clone, Debug)]
pub struct ConsensusRequest {
    /// How; several are combined.
    pub methods: Vec<ConsensusMethod>,
    /// Whose words; none: everybody but consensus.
    pub annotators: Vec<String>,
    /// The name that the consensus goes by.
    pub name: String,
    /// Find out what would happen and change nothing.
    pub dry_run: bool,
    /// The seed of resamples.
    pub seed: u64,
}

/// What was merged.
#[derive(Debug, Default, Serialize)]
pub struct ConsensusReport {
    /// Whose words were merged.
    pub annotators: Vec<String>,
    /// Instances of which everything was decided.
    pub decided: u64,
    /// Instances of which a person has to decide something: their consensus is a draft, which does not count.
    pub undecided: u64,
    /// What a person has to decide: image, instance (from 1) and what.
    pub open: Vec<(String, u32, String)>,
    /// Images that were left out, by reason.
    pub left_out: BTreeMap<&'static str, u64>,
    /// Images whose consensus says something else already.
    pub conflicts: Vec<(String, String)>,
    /// What Dawid and Skene's model finds of each attribute; empty without it.
    pub rates: Vec<AttributeRates>,
    /// The journal's entries, for `undo`.
    pub entries: Vec<i64>,
    /// Whether nothing was changed on purpose.
    pub dry_run: bool,
}

/// How often each annotator is right about one attribute.
#[derive(Debug, Serialize)]
pub struct AttributeRates {
    /// The attribute.
    pub attribute: String,
    /// How often it is there.
    pub prior: f64,
    /// By annotator: the probability of a yes where it is there, with its 95% bootstrap interval.
    pub sensitivity: Vec<Rate>,
    /// By annotator: the probability of a no where it is not there.
    pub specificity: Vec<Rate>,
}

/// A rate, null where the annotator met no such instance, and its interval.
pub type Rate = (Option<f64>, Option<[f64; 2]>);

/// What is kept with the entry of the journal.
#[derive(Serialize)]
struct Provenance<'a> {
    methods: Vec<&'static str>,
    annotators: &'a [String],
    rates: &'a [AttributeRates],
    /// By instance: where they differed, what was found.
    instances: BTreeMap<i64, Differing<'a>>,
}

#[derive(Serialize)]
struct Differing<'a> {
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    yes: BTreeMap<&'a str, f64>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    layers: BTreeMap<String, &'a consensus::LayerMerge>,
}

/// An image and what became of its instances.
struct MergedImage {
    image: ImageId,
    instances: Vec<(InstanceId, Annotation, Merged)>,
}

impl MergedImage {
    fn decided(&self) -> bool {
        self.instances.iter().all(|(.., merged)| merged.open.is_empty())
    }
}

/// Merges the words of two or more annotators of every image, and writes the result in the name of a consensus.
///
/// # Errors
/// [`OpsError::Refused`] if there is nothing to merge, or too few annotators for the method.
pub fn consensus(
    project: &mut Project,
    request: &ConsensusRequest,
    progress: &dyn Progress,
) -> Result<ConsensusReport, OpsError> {
    let who = Who::of(&project.store, &request.annotators)?;
    let has = |method| request.methods.contains(&method);
    if who.names.len() < 3 && (has(ConsensusMethod::Staple) || has(ConsensusMethod::DawidSkene)) {
        return Err(OpsError::Refused(format!(
            "with two annotators nothing tells which of them is right: take --method majority, or have a third annotate \
             what {} differ on",
            who.names.join(" and ")
        )));
    }
    let mut report = ConsensusReport { annotators: who.names.clone(), dry_run: request.dry_run, ..Default::default() };
    let models =
        if has(ConsensusMethod::DawidSkene) { models(project, &who, request.seed, &mut report)? } else { Vec::new() };
    let answers = if models.is_empty() { Answers::Majority } else { Answers::DawidSkene(&models) };
    let masks = if has(ConsensusMethod::Staple) { Masks::Staple } else { Masks::Majority };
    let merged = merge_all(project, &who, &answers, masks, &mut report, progress)?;
    if merged.is_empty() {
        return Err(OpsError::Refused(format!(
            "no image has finished annotations by two of {} for all of its instances",
            who.names.join(", ")
        )));
    }
    let images: BTreeMap<ImageId, ImageRecord> =
        project.store.images(&ImageFilter::default())?.into_iter().map(|image| (image.id, image)).collect();
    let taxonomy = project.store.taxonomy().clone();
    for one in &merged {
        for (_, annotation, merged) in &one.instances {
            *(if merged.open.is_empty() { &mut report.decided } else { &mut report.undecided }) += 1;
            let path = images.get(&one.image).map_or_else(String::new, |image| image.path.clone());
            let told = merged.open.iter().map(|open| (path.clone(), annotation.ordinal + 1, tell(&taxonomy, open)));
            report.open.extend(told);
        }
    }
    for (status, decided) in [(Status::Submitted, true), (Status::Draft, false)] {
        let part: Vec<&MergedImage> = merged.iter().filter(|image| image.decided() == decided).collect();
        if part.is_empty() {
            continue;
        }
        let items: Vec<Item> = part.iter().filter_map(|one| Some(item(images.get(&one.image)?, one))).collect();
        let provenance = provenance(&taxonomy, request, &report, &part);
        let plan = ImportPlan {
            annotator: request.name.clone(),
            kind: AnnotatorKind::Consensus,
            status,
            format: format!("consensus by {}", names(&request.methods).join(" and ")),
            provenance: Some(provenance),
            folders: Vec::new(),
            dry_run: request.dry_run,
        };
        let ImportOutcome { entry, conflicts, .. } = project.store.import(&plan, &items)?;
        report.entries.extend(entry.map(|entry| entry.0));
        let told = |conflict: crate::store::Conflict| (conflict.file.display().to_string(), conflict.reason);
        report.conflicts.extend(conflicts.into_iter().map(told));
    }
    Ok(report)
}

/// Dawid and Skene's model of each attribute, over all instances that two or more judged.
fn models(
    project: &Project,
    who: &Who,
    seed: u64,
    report: &mut ConsensusReport,
) -> Result<Vec<Option<DawidSkene>>, OpsError> {
    let taxonomy = project.store.taxonomy();
    let mut words = Words::new(who.names.len(), taxonomy.attributes.len());
    each_instance(project, who, false, |said| {
        let said: Vec<Said<'_>> = said.iter().map(|(by, annotation)| Said { by: *by, at: 0, annotation }).collect();
        if said.len() > 1 {
            words.add(&said);
        }
        Ok(())
    })?;
    let models: Vec<Option<DawidSkene>> = words.attributes.iter().map(DawidSkene::fit).collect();
    for ((attribute, ratings), model) in taxonomy.attributes.iter().zip(&words.attributes).zip(&models) {
        let Some(model) = model else { continue };
        // A tenth of the usual resamples: each is a whole estimate.
        let intervals = model.intervals(ratings, seed, RESAMPLES / 10);
        let rates = |category: usize| {
            let interval = |rater: usize| intervals[rater][category].map(|interval| [interval.low, interval.high]);
            (0..ratings.raters()).map(|rater| (model.rate(rater, category), interval(rater))).collect()
        };
        report.rates.push(AttributeRates {
            attribute: attribute.name.clone(),
            prior: model.prior()[1],
            sensitivity: rates(1),
            specificity: rates(0),
        });
    }
    Ok(models)
}

/// Hands the finished annotations of each instance by `who` to `take`, with their places.
fn each_instance(
    project: &Project,
    who: &Who,
    masks: bool,
    mut take: impl FnMut(Vec<(usize, Annotation)>) -> Result<(), OpsError>,
) -> Result<(), OpsError> {
    let mut open: Vec<(usize, Annotation)> = Vec::new();
    let mut instance = None;
    let filter = AnnotationFilter { masks, ..AnnotationFilter::default() };
    project.store.each_annotation(&filter, |annotation| {
        if instance != Some(annotation.instance) {
            if instance.is_some() {
                take(mem::take(&mut open))?;
            }
            instance = Some(annotation.instance);
        }
        let finished = matches!(annotation.status, Status::Submitted | Status::Accepted);
        if let Some(by) = who.place(&annotation.annotator).filter(|_| finished) {
            open.push((by, annotation));
        }
        Ok::<(), OpsError>(())
    })?;
    if instance.is_some() { take(open) } else { Ok(()) }
}

/// Merges every image all of whose instances two or more spoke of.
fn merge_all(
    project: &Project,
    who: &Who,
    answers: &Answers<'_>,
    masks: Masks,
    report: &mut ConsensusReport,
    progress: &dyn Progress,
) -> Result<Vec<MergedImage>, OpsError> {
    const CHUNK: usize = 512;
    let images = project.store.images(&ImageFilter::default())?.len() as u64;
    progress.begin("images", images);
    let annotators = who.names.len();
    let merge = |said: Vec<(usize, Annotation)>| -> Option<(InstanceId, Annotation, Merged)> {
        let words: Vec<Word<'_>> = said.iter().map(|(by, annotation)| (*by, annotation)).collect();
        let merged = consensus::merge(&words, annotators, answers, masks);
        let altered = said.iter().fold(vec![false; merged.attributes.len()], |mut all, (_, annotation)| {
            all.iter_mut().zip(&annotation.altered).for_each(|(all, one)| *all |= one);
            all
        });
        let (_, mut first) = said.into_iter().next()?;
        first.altered = altered;
        first.masks = BTreeMap::new();
        Some((first.instance, first, merged))
    };
    let mut all: BTreeMap<ImageId, Option<MergedImage>> = BTreeMap::new();
    let mut chunk: Vec<Vec<(usize, Annotation)>> = Vec::new();
    let mut alone: BTreeMap<ImageId, ()> = BTreeMap::new();
    let flush = |chunk: &mut Vec<Vec<(usize, Annotation)>>, all: &mut BTreeMap<ImageId, Option<MergedImage>>| {
        let merged: Vec<_> = mem::take(chunk).into_par_iter().filter_map(merge).collect();
        for one in merged {
            let image = one.1.image;
            let entry = all.entry(image).or_insert_with(|| Some(MergedImage { image, instances: Vec::new() }));
            if let Some(of) = entry {
                of.instances.push(one);
            }
        }
    };
    each_instance(project, who, true, |said| {
        if progress.stopped() {
            return Err(OpsError::Stopped);
        }
        progress.advance(1);
        match said.as_slice() {
            [] => {}
            [(_, only)] => _ = alone.insert(only.image, ()),
            _ => chunk.push(said),
        }
        if chunk.len() >= CHUNK {
            flush(&mut chunk, &mut all);
        }
        Ok(())
    })?;
    flush(&mut chunk, &mut all);
    progress.end();
    if !alone.is_empty() {
        report.left_out.insert("an instance has one annotator only", alone.len() as u64);
    }
    Ok(all.into_values().flatten().filter(|one| !alone.contains_key(&one.image)).collect())
}

/// What the store takes in: the image as it is, with the merged words.
fn item(image: &ImageRecord, merged: &MergedImage) -> Item {
    let instance = |(_, annotation, merged): &(InstanceId, Annotation, Merged)| ItemInstance {
        class: annotation.class,
        source_id: annotation.source_id,
        crowd: annotation.crowd,
        attributes: merged.attributes.clone(),
        altered: annotation.altered.clone(),
        masks: merged.masks.clone(),
    };
    Item {
        file: image.file.clone(),
        name: image.name.clone(),
        content: image.content,
        size: image.size,
        orientation: image.orientation,
        class: image.class,
        split: image.split.clone(),
        variant: image.variant,
        source_id: image.source_id,
        instances: merged.instances.iter().map(instance).collect(),
        source_masks: Vec::new(),
        remarks: Vec::new(),
    }
}

fn provenance(
    taxonomy: &Taxonomy,
    request: &ConsensusRequest,
    report: &ConsensusReport,
    part: &[&MergedImage],
) -> String {
    let attribute = |at: usize| taxonomy.attributes.get(at).map_or("?", |attribute| attribute.name.as_str());
    let differing =
        |merged: &'_ Merged| -> Option<()> { (!merged.answers.is_empty() || !merged.layers.is_empty()).then_some(()) };
    let mut instances = BTreeMap::new();
    for (id, _, merged) in part.iter().flat_map(|image| &image.instances) {
        if differing(merged).is_some() {
            let yes = merged.answers.iter().map(|(at, yes)| (attribute(*at), *yes)).collect();
            let layers = merged.layers.iter().map(|(layer, merge)| (layer_name(taxonomy, *layer), merge)).collect();
            instances.insert(id.0, Differing { yes, layers });
        }
    }
    let provenance = Provenance {
        methods: names(&request.methods),
        annotators: &report.annotators,
        rates: &report.rates,
        instances,
    };
    serde_json::to_string(&provenance).expect("names, numbers and lists")
}

fn names(methods: &[ConsensusMethod]) -> Vec<&'static str> {
    let name = |method: &ConsensusMethod| match method {
        ConsensusMethod::Majority => "majority",
        ConsensusMethod::Staple => "staple",
        ConsensusMethod::DawidSkene => "dawid-skene",
    };
    methods.iter().map(name).collect()
}

fn tell(taxonomy: &Taxonomy, open: &Open) -> String {
    match open {
        Open::Answer(at) => {
            format!("{}: as many say yes as no", taxonomy.attributes.get(*at).map_or("?", |a| a.name.as_str()))
        }
        Open::Drawn(layer, drawn) => format!("{}: {drawn} drew it, and no fewer did not", layer_name(taxonomy, *layer)),
        Open::Tied(layer, share) => {
            format!("{}: the votes are even on {:.0}% of the mask", layer_name(taxonomy, *layer), 100.0 * share)
        }
    }
}
