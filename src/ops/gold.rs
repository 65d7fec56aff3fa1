//! Gold: images whose annotation is known to be right. Whoever annotates them is scored against it at once, and isn't told
//! which they are: nothing in a queue or an assignment names them.

use std::collections::BTreeMap;

use rival10_stats::MaskAgreement;
use serde::Serialize;

use super::{
    OpsError, Project,
    named::Named,
    selection::{self, StatusFilter},
};
use crate::{
    domain::{Annotation, AnnotatorKind, ImageId, Presence, Status},
    quality::audit::{Comparisons, Said, summary},
    store::{Actor, AnnotationFilter},
};

/// The gold images and how everybody did on them.
#[derive(Debug, Serialize)]
pub struct Gold {
    /// The images' paths.
    pub images: Vec<String>,
    /// Gold images without an annotation that counts, with the reason: nobody can be scored on them.
    pub unusable: BTreeMap<String, &'static str>,
    /// Everybody who annotated one, the one with the lowest IoU first.
    pub scores: Vec<GoldScore>,
}

/// One annotator's work on gold images.
#[derive(Debug, Serialize)]
pub struct GoldScore {
    /// The name.
    pub annotator: String,
    /// Gold images annotated and submitted.
    pub images: u64,
    /// The masks, compared with those that are right; null without any.
    pub masks: Option<MaskAgreement>,
    /// Answers that are right, and answers given.
    pub answers: (u64, u64),
    /// Masks that are right and were not drawn, or were drawn and should not have been.
    pub undrawn: u64,
}

/// Makes the images that `names` call gold (or ordinary again, unless `gold`), in the name of `annotator`, and gives the
/// journal's entries.
///
/// # Errors
/// [`OpsError::Usage`] for a name that no image has.
pub fn set_gold(
    project: &mut Project,
    names: &[String],
    gold: bool,
    annotator: Option<&str>,
) -> Result<Vec<i64>, OpsError> {
    let named = Named::new(project)?;
    let images = names.iter().map(|name| named.find(name).map(|image| image.id)).collect::<Result<Vec<_>, _>>()?;
    let actor = annotator.map_or(Actor::Operator, Actor::Annotator);
    Ok(project.store.set_gold(actor, &images, gold)?.into_iter().map(|entry| entry.0).collect())
}

/// The gold images, and everybody's score on them: their submitted annotations against the one that counts. `tolerance` is
/// that of the normalised surface distance, in pixels.
///
/// # Errors
/// [`OpsError::Store`] if the project can't be read.
pub fn gold(project: &Project, tolerance: f64) -> Result<Gold, OpsError> {
    let mut found = Gold { images: Vec::new(), unusable: BTreeMap::new(), scores: Vec::new() };
    let mut scores: BTreeMap<String, (Comparisons, GoldScore)> = BTreeMap::new();
    for id in project.store.gold()? {
        let path = project.store.image(id)?.path;
        score(project, id, &path, tolerance, &mut found, &mut scores)?;
        found.images.push(path);
    }
    found.scores = scores
        .into_values()
        .map(|(comparisons, score)| GoldScore {
            masks: summary(comparisons.compared.iter()),
            undrawn: comparisons.drawn_by_one.values().sum(),
            ..score
        })
        .collect();
    let iou = |score: &GoldScore| score.masks.as_ref().map_or(1.0, |masks| masks.iou);
    found.scores.sort_by(|a, b| iou(a).total_cmp(&iou(b)));
    Ok(found)
}

fn score(
    project: &Project,
    id: ImageId,
    path: &str,
    tolerance: f64,
    found: &mut Gold,
    scores: &mut BTreeMap<String, (Comparisons, GoldScore)>,
) -> Result<(), OpsError> {
    let all = project.store.annotations(&AnnotationFilter { image: Some(id), ..AnnotationFilter::default() })?;
    // Whoever is scored can't be the measure as well: a sole submission is no gold.
    let measures = all.iter().filter(|one| one.kind != AnnotatorKind::Person || one.status == Status::Accepted);
    let selection = selection::select([id], measures.cloned().collect(), StatusFilter::Accepted);
    let Some(right) = selection.chosen.get(&id) else {
        let reason = selection.excluded.get(&id).copied().unwrap_or("not annotated");
        found.unusable.insert(path.to_owned(), reason);
        return Ok(());
    };
    let mut seen = std::collections::BTreeSet::new();
    for truth in right {
        let others = all.iter().filter(|one| {
            one.instance == truth.instance
                && one.id != truth.id
                && one.kind == AnnotatorKind::Person
                && one.status != Status::Draft
        });
        for other in others {
            let said = [Said { by: 0, at: 0, annotation: truth }, Said { by: 1, at: 0, annotation: other }];
            let (comparisons, score) = scores.entry(other.annotator.clone()).or_insert_with(|| {
                let annotator = other.annotator.clone();
                (Comparisons::default(), GoldScore { annotator, images: 0, masks: None, answers: (0, 0), undrawn: 0 })
            });
            comparisons.extend(Comparisons::of(&said, None, tolerance));
            let (right, given) = answers(truth, other);
            score.answers = (score.answers.0 + right, score.answers.1 + given);
            score.images += u64::from(seen.insert(other.annotator.clone()));
        }
    }
    Ok(())
}

/// How many answers are right, and how many were given where the truth is known.
fn answers(truth: &Annotation, other: &Annotation) -> (u64, u64) {
    let judged = |presence: &Presence| *presence != Presence::NotJudged;
    let both = truth.attributes.iter().zip(&other.attributes).filter(|(a, b)| judged(a) && judged(b));
    both.fold((0, 0), |(right, given), (a, b)| (right + u64::from(a == b), given + 1))
}
