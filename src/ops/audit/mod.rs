//! How far the project's annotators agree.

mod gather;

use std::collections::{BTreeMap, HashMap};

use chrono::DateTime;
use rival10_stats::MaskAgreement;
use serde::Serialize;

use super::{OpsError, Project};
use crate::{
    domain::{ImageId, Layer, Progress, Taxonomy},
    quality::audit::{
        AttributeAgreement, AttributeHabit, Compared, Drift, Person, Required, Requirement, Words, people, summarise,
        summary,
    },
    store::ImageFilter,
};
pub(super) use gather::Who;
use gather::compare;

/// What to audit.
#[derive(Clone, Debug)]
pub struct AuditRequest {
    /// This layer alone: `object`, `ignore` or an attribute.
    pub layer: Option<String>,
    /// These annotators; none: everybody but consensus.
    pub annotators: Vec<String>,
    /// List every mask with an IoU below this; none: the worst `worst`.
    pub below: Option<f64>,
    /// How many of the worst masks are listed.
    pub worst: usize,
    /// Outlines within so many pixels count as one.
    pub tolerance: f64,
    /// `metric=value`: what the compared masks of an image must reach.
    pub require: Option<String>,
    /// How many images are drawn to be held to it; none: all.
    pub sample: Option<usize>,
    /// The share of images that must reach it.
    pub share: f64,
    /// The seed of resamples and of the sample.
    pub seed: u64,
    /// Resamples behind each interval.
    pub resamples: usize,
}

impl Default for AuditRequest {
    fn default() -> Self {
        Self {
            layer: None,
            annotators: Vec::new(),
            below: None,
            worst: 20,
            tolerance: 2.0,
            require: None,
            sample: None,
            share: 0.95,
            seed: 0,
            resamples: rival10_stats::bootstrap::RESAMPLES,
        }
    }
}

/// What an audit found.
#[derive(Debug, Serialize)]
pub struct Audit {
    /// Images with two or more annotators.
    pub images: u64,
    /// Who was compared.
    pub annotators: Vec<String>,
    /// Outlines within so many pixels counted as one.
    pub tolerance: f64,
    /// Annotations that were left out, by reason.
    pub left_out: BTreeMap<&'static str, u64>,
    /// Pairs of masks that are both empty and say nothing.
    pub both_empty: u64,
    /// By layer: masks that one of two drew and the other never did. Presence is scored apart.
    pub drawn_by_one: BTreeMap<String, u64>,
    /// All masks together; null without any.
    pub all: Option<MaskAgreement>,
    /// By layer, class, pair of annotators, and day (UTC) of the later of two annotations.
    pub layers: Vec<AuditGroup>,
    /// By class.
    pub classes: Vec<AuditGroup>,
    /// By pair.
    pub pairs: Vec<AuditGroup>,
    /// By day.
    pub days: Vec<AuditGroup>,
    /// Presence of each attribute that two or more judged of some instance.
    pub attributes: Vec<AuditAttribute>,
    /// Everybody who was compared, the one whom the others agree with least first.
    pub people: Vec<AuditPerson>,
    /// The worst masks, the worst first.
    pub worst: Vec<WorstMask>,
    /// How many masks are below `below`, listed or not; null if it was not given.
    pub below: Option<u64>,
    /// How the requirement was met; null without one.
    pub required: Option<Required>,
    /// What a reader must know.
    pub warnings: Vec<String>,
}

/// A group of comparisons.
#[derive(Debug, Serialize)]
pub struct AuditGroup {
    /// What they have in common.
    pub name: String,
    /// What they come to.
    #[serde(flatten)]
    pub summary: MaskAgreement,
}

/// Agreement on the presence of one attribute.
#[derive(Debug, Serialize)]
pub struct AuditAttribute {
    /// The attribute.
    pub name: String,
    /// Instances that two or more judged.
    pub instances: u64,
    /// How often it is said to be there.
    pub prevalence: f64,
    /// Each coefficient by its name: value and 95% bootstrap interval, null where undefined.
    pub coefficients: BTreeMap<&'static str, (Option<f64>, Option<[f64; 2]>)>,
    /// Whether kappa is low because the attribute is rare, and not because people disagree.
    pub rare: bool,
}

/// One annotator against the others.
#[derive(Debug, Serialize)]
pub struct AuditPerson {
    /// The name.
    pub name: String,
    /// How far the others agree, in [0, 1].
    pub standing: Option<f64>,
    /// Masks, compared with everybody else's.
    pub masks: Option<MaskAgreement>,
    /// The median of the annotator's area over the other's.
    pub area_ratio: Option<f64>,
    /// The share of judgements on which the annotator and another say the same.
    pub presence: Option<f64>,
    /// How the agreement moved over the annotator's work; null with too few masks.
    pub drift: Option<Drift>,
    /// By attribute: what the annotator says alone.
    pub attributes: BTreeMap<String, AttributeHabit>,
}

/// A mask on which two differ.
#[derive(Debug, Serialize)]
pub struct WorstMask {
    /// The image's path.
    pub image: String,
    /// The instance's place in its image, from 1.
    pub instance: u32,
    /// The layer.
    pub layer: String,
    /// The two annotators.
    pub annotators: [String; 2],
    /// Their IoU.
    pub iou: f64,
    /// Their boundary IoU.
    pub boundary_iou: f64,
    /// Their 95th percentile Hausdorff distance in pixels; null if one of the masks is empty.
    pub hd95: Option<f64>,
    /// The share of the outlines within the tolerance of each other.
    pub nsd: f64,
}

/// Compares every two annotators of every instance.
///
/// # Errors
/// [`OpsError::Usage`] for a layer, annotator or requirement that is none, [`OpsError::Refused`] if nobody can be compared.
pub fn audit(project: &Project, request: &AuditRequest, progress: &dyn Progress) -> Result<Audit, OpsError> {
    let taxonomy = project.store.taxonomy();
    let layer = request.layer.as_deref().map(|name| layer_named(taxonomy, name)).transpose()?;
    let requirement: Option<Requirement> = request
        .require
        .as_deref()
        .map(str::parse)
        .transpose()
        .map_err(|why| OpsError::Usage(format!("--require: {why}")))?;
    let who = Who::of(&project.store, &request.annotators)?;
    let images = project.store.images(&ImageFilter::default())?;
    let found = compare(&project.store, &who, layer, request.tolerance, progress)?;
    if found.images == 0 {
        return Err(OpsError::Refused(format!(
            "no image has finished annotations by two of {}: import a second annotator's with --annotator, or submit drafts",
            who.names.join(", ")
        )));
    }
    let name = |layer: Layer| layer_name(taxonomy, layer);
    let compared = &found.comparisons.compared;
    let group = |(name, summary): (String, MaskAgreement)| AuditGroup { name, summary };
    let class = |at: usize| taxonomy.classes.get(at).map_or_else(String::new, |class| class.name.clone());
    let attributes = attributes(taxonomy, &found.words, request);
    let paths: HashMap<ImageId, String> = images.into_iter().map(|image| (image.id, image.path)).collect();
    let mut ranked: Vec<&Compared> = compared.iter().collect();
    ranked.sort_by(|a, b| {
        let key = |one: &Compared| (one.agreement.iou, one.agreement.boundary_iou);
        let ((iou, boundary), (other_iou, other_boundary)) = (key(a), key(b));
        iou.total_cmp(&other_iou).then(boundary.total_cmp(&other_boundary)).then(a.image.cmp(&b.image))
    });
    let below = request.below.map(|below| ranked.partition_point(|one| one.agreement.iou < below));
    let listed = below.unwrap_or(request.worst.min(ranked.len()));
    let mut warnings: Vec<String> = attributes.iter().filter_map(rare_warning).collect();
    let people = people(who.names.len(), compared, &found.words);
    let people: Vec<AuditPerson> = people.into_iter().map(|person| told(taxonomy, &who, person)).collect();
    warnings.extend(people.iter().filter_map(drift_warning));
    Ok(Audit {
        images: found.images,
        tolerance: request.tolerance,
        left_out: found.left_out,
        both_empty: found.comparisons.both_empty,
        drawn_by_one: found.comparisons.drawn_by_one.iter().map(|(layer, times)| (name(*layer), *times)).collect(),
        all: summary(compared.iter()),
        layers: summarise(compared, |one| one.layer).into_iter().map(|(l, s)| group((name(l), s))).collect(),
        classes: summarise(compared, |one| one.class).into_iter().map(|(c, s)| group((class(c), s))).collect(),
        pairs: summarise(compared, |one| one.pair).into_iter().map(|(p, s)| group((who.pair(p), s))).collect(),
        days: summarise(compared, |one| day(one.when())).into_iter().map(group).collect(),
        worst: ranked[..listed].iter().map(|one| worst(one, &paths, taxonomy, &who)).collect(),
        below: below.map(|below| below as u64),
        required: requirement
            .map(|requirement| requirement.held_to(compared, request.sample, request.share, request.seed)),
        annotators: who.names,
        attributes,
        people,
        warnings,
    })
}

fn attributes(taxonomy: &Taxonomy, words: &Words, request: &AuditRequest) -> Vec<AuditAttribute> {
    let of = |(attribute, found): (&crate::domain::Attribute, AttributeAgreement)| AuditAttribute {
        name: attribute.name.clone(),
        instances: found.agreement.units,
        prevalence: found.prevalence,
        coefficients: found.numbers(),
        rare: found.rare,
    };
    let all = taxonomy.attributes.iter().zip(words.agreement(request.seed, request.resamples)).map(of);
    all.filter(|attribute| attribute.instances > 0).collect()
}

fn told(taxonomy: &Taxonomy, who: &Who, person: Person) -> AuditPerson {
    let standing = person.standing();
    let names = taxonomy.attributes.iter().map(|attribute| attribute.name.clone());
    let judged = |habit: &AttributeHabit| habit.both_yes + habit.both_no + habit.only_yes + habit.only_no > 0;
    AuditPerson {
        name: who.names[person.who].clone(),
        standing,
        masks: person.masks,
        area_ratio: person.area_ratio,
        presence: person.presence,
        drift: person.drift,
        attributes: names.zip(person.attributes).filter(|(_, habit)| judged(habit)).collect(),
    }
}

fn rare_warning(attribute: &AuditAttribute) -> Option<String> {
    let value = |name: &str| attribute.coefficients.get(name).and_then(|(value, _)| *value);
    let text = |value: Option<f64>| value.map_or_else(|| "undefined".to_owned(), |value| format!("{value:.2}"));
    let kappa = value("Cohen's kappa").or(value("Fleiss' kappa"));
    attribute.rare.then(|| {
        format!(
            "{}: kappa {} and AC1 {} part because {} of the answers are yes; kappa says little of it, look at AC1 and at \
             the answers themselves",
            attribute.name,
            text(kappa),
            text(value("Gwet's AC1")),
            format_args!("{:.1}%", 100.0 * attribute.prevalence)
        )
    })
}

fn drift_warning(person: &AuditPerson) -> Option<String> {
    let drift = person.drift.as_ref().filter(|drift| drift.notable)?;
    let [first, .., last] = drift.quarters;
    Some(format!(
        "{}: the IoU with others went from {first:.3} in the first quarter of the work to {last:.3} in the last",
        person.name
    ))
}

fn worst(one: &Compared, paths: &HashMap<ImageId, String>, taxonomy: &Taxonomy, who: &Who) -> WorstMask {
    WorstMask {
        image: paths.get(&one.image).cloned().unwrap_or_default(),
        instance: one.ordinal + 1,
        layer: layer_name(taxonomy, one.layer),
        annotators: one.pair.map(|at| who.names[at].clone()),
        iou: one.agreement.iou,
        boundary_iou: one.agreement.boundary_iou,
        hd95: Some(one.agreement.hd95).filter(|distance| distance.is_finite()),
        nsd: one.agreement.nsd,
    }
}

/// The layer that people call `name`: `object`, `ignore` or an attribute.
pub(super) fn layer_named(taxonomy: &Taxonomy, name: &str) -> Result<Layer, OpsError> {
    let all = || Layer::all(taxonomy.attributes.len());
    all().find(|layer| layer_name(taxonomy, *layer) == name).ok_or_else(|| {
        let known: Vec<_> = all().map(|layer| layer_name(taxonomy, layer)).collect();
        OpsError::Usage(format!("no layer is called {name:?}; there are {}", known.join(", ")))
    })
}

/// What people call a layer.
pub(super) fn layer_name(taxonomy: &Taxonomy, layer: Layer) -> String {
    match layer {
        Layer::Attribute(index) => taxonomy.attributes.get(index).map_or_else(String::new, |a| a.name.clone()),
        other => other.to_string(),
    }
}

/// The day of a time in Unix milliseconds, UTC.
fn day(at: i64) -> String {
    DateTime::from_timestamp_millis(at).map_or_else(String::new, |time| time.format("%Y-%m-%d").to_string())
}
