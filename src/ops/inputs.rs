//! The images that take part in an analysis, as it is fed with them.

use std::{collections::BTreeMap, sync::Arc};

use rival10_sdk::{Mask, Presence, Profile, Sample, Stratum, Taxonomy, Word};

use super::{
    AnalyzeRequest, OpsError, Project,
    contact_sheet::evenly,
    selection::{self, StatusFilter},
};
use crate::{
    analysis::source::Input,
    domain::{Annotation, AnnotatorKind, ImageId, ImageRecord, Layer, Status},
    store::{AnnotationFilter, ImageFilter},
};

/// The images that take part, and how many do not, by reason.
pub(super) fn inputs(
    project: &Project,
    taxonomy: &Taxonomy,
    request: &AnalyzeRequest,
    (object_mask, profile): (bool, Profile),
) -> Result<(Vec<Input>, BTreeMap<String, u64>), OpsError> {
    let store = &project.store;
    let records = store.images(&ImageFilter { split: request.split.clone(), ..ImageFilter::default() })?;
    if let (Some(split), true) = (&request.split, records.is_empty()) {
        return Err(OpsError::Usage(format!("no image is in split {split:?}; `rival10 stats --by split` lists them")));
    }
    let annotations =
        store.annotations(&AnnotationFilter { split: request.split.clone(), ..AnnotationFilter::default() })?;
    let selection = selection::select(records.iter().map(|r| r.id), annotations, StatusFilter::Accepted);
    let mut excluded = selection.reasons();
    let mut leave_out = |reason: &str| *excluded.entry(reason.to_owned()).or_insert(0) += 1;
    let mut inputs = Vec::new();
    for record in records {
        let Some(annotations) = selection.chosen.get(&record.id) else { continue };
        let Some(class) = record.class else {
            leave_out("its instances are of several classes");
            continue;
        };
        let mut input = input(record, class, annotations, taxonomy);
        if object_mask && input.object.is_none() {
            leave_out("no object mask");
            continue;
        }
        // Only what was imported is what its mask file shows.
        if profile.follows_study() && annotations.iter().all(|a| a.kind == AnnotatorKind::Import) {
            let mut files = store.source_masks(input.sample.id)?.into_iter();
            let of_object = files.find(|mask| mask.layer == Some(Layer::Object));
            input.grey = of_object.map(|mask| (mask.file, mask.content));
        }
        inputs.push(input);
    }
    Ok((limited(inputs, request.limit, &mut excluded), excluded))
}

/// Every image that is of one class, whatever is annotated of it.
pub(super) fn labelled(project: &Project) -> Result<Vec<Input>, OpsError> {
    let records = project.store.images(&ImageFilter::default())?;
    let of_class = |record: ImageRecord| Some((record.class?, record));
    Ok(records
        .into_iter()
        .filter_map(of_class)
        .map(|(class, record)| input(record, class, &[], project.store.taxonomy()))
        .collect())
}

/// The images that two or more annotators have finished, with what each of them says, and how many do not take part, by
/// reason.
pub(super) fn words(
    project: &Project,
    taxonomy: &Taxonomy,
    request: &AnalyzeRequest,
) -> Result<(Vec<Input>, BTreeMap<String, u64>), OpsError> {
    let store = &project.store;
    let records = store.images(&ImageFilter { split: request.split.clone(), ..ImageFilter::default() })?;
    let filter = AnnotationFilter { split: request.split.clone(), ..AnnotationFilter::default() };
    let mut said: BTreeMap<ImageId, Vec<Annotation>> = BTreeMap::new();
    store.each_annotation(&filter, |annotation| {
        let finished = matches!(annotation.status, Status::Submitted | Status::Accepted);
        if finished && annotation.kind != AnnotatorKind::Consensus {
            said.entry(annotation.image).or_default().push(annotation);
        }
        Ok::<(), OpsError>(())
    })?;
    let mut excluded = BTreeMap::new();
    let mut leave_out = |reason: &str| *excluded.entry(reason.to_owned()).or_insert(0) += 1;
    let mut inputs = Vec::new();
    for record in records {
        let mut said = said.remove(&record.id).unwrap_or_default();
        let alone = |one: &Annotation| !said.iter().any(|other| other.instance == one.instance && other.id != one.id);
        if said.iter().all(alone) {
            leave_out("finished by fewer than two annotators");
            continue;
        }
        said.sort_by(|a, b| (a.ordinal, &a.annotator).cmp(&(b.ordinal, &b.annotator)));
        let class = record.class.unwrap_or(said[0].class);
        let words = said.into_iter().map(|annotation| word(annotation, taxonomy)).collect();
        inputs.push(Input { words: Arc::new(words), ..input(record, class, &[], taxonomy) });
    }
    Ok((limited(inputs, request.limit, &mut excluded), excluded))
}

/// `limit` of `inputs`, evenly spread.
fn limited(inputs: Vec<Input>, limit: Option<usize>, excluded: &mut BTreeMap<String, u64>) -> Vec<Input> {
    let Some(limit) = limit.filter(|&limit| limit < inputs.len()) else { return inputs };
    *excluded.entry("beyond --limit".to_owned()).or_insert(0) += (inputs.len() - limit) as u64;
    evenly(inputs.len(), limit).map(|at| inputs[at].clone()).collect()
}

/// What one annotation says; pixels to be ignored are no layer that people agree on.
fn word(annotation: Annotation, taxonomy: &Taxonomy) -> Word {
    let mut masks = annotation.masks;
    let object = masks.remove(&Layer::Object);
    let attribute = |(layer, mask)| match layer {
        Layer::Attribute(index) if index < taxonomy.attributes.len() => Some((index, mask)),
        _ => None,
    };
    Word {
        ordinal: annotation.ordinal,
        annotator: annotation.annotator,
        attributes: annotation.attributes,
        object,
        masks: masks.into_iter().filter_map(attribute).collect(),
    }
}

/// The sample of one image: what its instances of the image's class are, taken together.
fn input(record: ImageRecord, class: usize, annotations: &[Annotation], taxonomy: &Taxonomy) -> Input {
    let of_class: Vec<&Annotation> = annotations.iter().filter(|a| a.class == class).collect();
    let union = |layer: Layer| {
        let masks = of_class.iter().filter_map(|a| a.masks.get(&layer));
        masks.cloned().reduce(|a, b| a.union(&b).expect("masks of one image have one size"))
    };
    let presence = |index: usize| {
        let said = |what| of_class.iter().any(|a| a.attributes.get(index) == Some(&what));
        match () {
            () if said(Presence::Yes) => Presence::Yes,
            () if said(Presence::NotJudged) || of_class.is_empty() => Presence::NotJudged,
            () => Presence::No,
        }
    };
    let ignored = annotations.iter().filter_map(|a| a.masks.get(&Layer::Ignore)).cloned();
    Input {
        object: union(Layer::Object),
        ignore: ignored.reduce(|a, b| a.union(&b).expect("masks of one image have one size")),
        attributes: (0..taxonomy.attributes.len())
            .filter_map(|index| union(Layer::Attribute(index)).map(|mask: Mask| (index, mask)))
            .collect(),
        sample: Sample {
            id: record.id,
            content: record.content,
            stratum: Stratum::of_source_name(&record.name),
            name: record.name,
            split: record.split,
            class,
            attributes: (0..taxonomy.attributes.len()).map(presence).collect(),
            size: record.size,
        },
        file: record.file,
        grey: None,
        words: Arc::default(),
    }
}
