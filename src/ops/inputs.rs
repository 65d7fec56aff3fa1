//! The images that take part in an analysis, as it is fed with them.

use std::collections::BTreeMap;

use rival10_sdk::{Mask, Presence, Profile, Sample, Stratum, Taxonomy};

use super::{
    AnalyzeRequest, OpsError, Project,
    contact_sheet::evenly,
    selection::{self, StatusFilter},
};
use crate::{
    analysis::source::Input,
    domain::{Annotation, AnnotatorKind, ImageRecord, Layer},
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
    if let Some(limit) = request.limit.filter(|&limit| limit < inputs.len()) {
        *excluded.entry("beyond --limit".to_owned()).or_insert(0) += (inputs.len() - limit) as u64;
        inputs = evenly(inputs.len(), limit).map(|at| inputs[at].clone()).collect();
    }
    Ok((inputs, excluded))
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
    }
}
