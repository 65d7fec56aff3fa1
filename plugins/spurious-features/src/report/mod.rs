//! Rows to findings.
//!
//! - [`trial`]: what one candidate came to. This module judges all of them together and says it in words.

mod trial;

use std::collections::BTreeMap;

use rival10_sdk::{AnalysisError, Division, Estimate, Part, Report, Rows, Study, Table, report::with_bounds};
use rival10_stats::{benjamini_hochberg, interval_method};
use serde_json::Value as Json;

use self::trial::{EFFECTS, Tried, tried};
use crate::{
    SpuriousFeatures,
    groups::Candidates,
    rows::{Seen, read_done, read_seen},
};

/// Images that a finding names.
const EXAMPLES: usize = 8;
/// Images that its sentence names.
const NAMED: usize = 3;

/// A candidate that was tried, and how it stands among all of its model.
struct Judged {
    model: String,
    tried: Tried,
    /// None where too few images could confirm it.
    q: Option<f64>,
    found: bool,
}

impl SpuriousFeatures {
    /// The report, from the rows alone.
    pub(crate) fn conclude(&self, study: &Study<'_>, rows: &[Rows]) -> Result<Report, AnalysisError> {
        let [discovered, confirmed] = rows else {
            return Err(AnalysisError::Unfit(format!("rows of {} phases instead of two", rows.len())));
        };
        let candidates = self.candidates(study, discovered)?;
        let seen = read_seen(discovered)?;
        let done = read_done(confirmed)?;
        let mut judged = Vec::new();
        for (model, _) in &study.provenance.models {
            let of_model: Vec<_> = done.iter().filter(|done| done.model == *model).collect();
            let tried = candidates.get(model).map(|own| tried(own, &of_model, self.seed)).unwrap_or_default();
            judged.extend(self.judge(model, tried));
        }
        let found: Vec<&Judged> = judged.iter().filter(|judged| judged.found).collect();
        let tables = vec![
            self.findings(study, &found, &candidates),
            Self::examples(study, &found, &candidates),
            self.candidates_table(study, &judged),
            Self::interventions(study, &judged),
        ];
        let headline = study.provenance.models.iter().map(|(model, _)| Self::headline(model, &judged, &done)).collect();
        let notes = self.notes(study, &judged, &seen);
        Ok(Report { provenance: study.provenance.clone(), headline, tables, notes })
    }

    /// The candidates of one model, with the false discovery rate controlled over all that could be tried.
    fn judge(&self, model: &str, tried: Vec<Tried>) -> Vec<Judged> {
        let enough = |tried: &Tried| tried.images >= self.members;
        let p: Vec<f64> = tried.iter().filter(|tried| enough(tried)).map(Tried::p).collect();
        let mut adjusted = benjamini_hochberg(&p).into_iter();
        let judge = |tried: Tried| {
            let q = if enough(&tried) { adjusted.next() } else { None };
            let strong = tried.tested().is_some_and(|effect| {
                effect.low.is_some_and(|low| low > 0.0) && effect.mean.is_some_and(|mean| mean >= self.least)
            });
            let found = strong && q.is_some_and(|q| q <= self.q);
            Judged { model: model.to_owned(), tried, q, found }
        };
        tried.into_iter().map(judge).collect()
    }

    fn headline(model: &str, judged: &[Judged], done: &[crate::rows::Done]) -> Estimate {
        let found = judged.iter().filter(|judged| judged.model == model && judged.found).count();
        let mut images: Vec<i64> = done.iter().filter(|done| done.model == model).map(|done| done.image).collect();
        images.sort_unstable();
        images.dedup();
        Estimate {
            name: "spurious features found".to_owned(),
            model: Some(model.to_owned()),
            value: Some(found as f64),
            interval: None,
            interval_method: String::new(),
            n: images.len() as u64,
        }
    }

    fn findings(&self, study: &Study<'_>, found: &[&Judged], candidates: &Candidates) -> Table {
        let row = |(number, judged): (usize, &&Judged)| {
            let effect = judged.tried.tested();
            let cell = |of: fn(&trial::Effect) -> Option<f64>| Json::from(effect.and_then(of));
            let moved: Vec<&str> = judged.tried.moved(self.least).collect();
            let row: Vec<Json> = vec![
                (number + 1).into(),
                judged.model.as_str().into(),
                study.class_name(judged.tried.class).into(),
                name_of_group(judged).into(),
                judged.tried.images.into(),
                cell(|effect| effect.mean),
                cell(|effect| effect.low),
                cell(|effect| effect.high),
                judged.q.into(),
                moved.join(", ").into(),
                sentence(study, judged, candidates).into(),
            ];
            row
        };
        Table {
            name: "findings".to_owned(),
            caption: format!(
                "Backgrounds that a network takes for a class: by how much they raise the logarithm of the class's odds on images \
                 of other classes, beyond a control of equal area; no image of discovery takes part. q is Benjamini and Hochberg's over all candidates of the \
                 model, at most {}, and the effect at least {}. Bounds: {}.",
                self.q,
                self.least,
                interval_method()
            ),
            columns: with_bounds(
                &["finding", "model", "class", "background", "images"],
                &["effect"],
                &["q", "moved by", "sentence"],
            ),
            rows: found.iter().enumerate().map(row).collect(),
        }
    }

    /// The members of the findings' groups, those nearest to the centre first; their maps are in the first phase's rows.
    fn examples(study: &Study<'_>, found: &[&Judged], candidates: &Candidates) -> Table {
        let mut rows = Vec::new();
        for (number, judged) in found.iter().enumerate() {
            for (rank, (image, name, class)) in (1_u64..).zip(members(study, judged, candidates)).take(EXAMPLES) {
                rows.push(vec![
                    (number + 1).into(),
                    judged.model.as_str().into(),
                    study.class_name(judged.tried.class).into(),
                    name_of_group(judged).into(),
                    rank.into(),
                    image.into(),
                    name.into(),
                    study.class_name(class).into(),
                ]);
            }
        }
        let columns = ["finding", "model", "class", "background", "rank", "image", "name", "true class"];
        Table {
            name: "examples".to_owned(),
            caption: "Images of each finding's background; their maps are in the rows of the phase discover."
                .to_owned(),
            columns: columns.map(str::to_owned).to_vec(),
            rows,
        }
    }

    fn candidates_table(&self, study: &Study<'_>, judged: &[Judged]) -> Table {
        let row = |judged: &Judged| {
            let verdict = match (judged.found, judged.q) {
                (true, _) => "found",
                (false, Some(_)) => "not confirmed",
                (false, None) => "too few images to confirm",
            };
            let mut row: Vec<Json> = vec![
                judged.model.as_str().into(),
                study.class_name(judged.tried.class).into(),
                name_of_group(judged).into(),
                judged.tried.members.into(),
                judged.tried.images.into(),
            ];
            row.extend(
                judged.tried.effects.iter().flat_map(|effect| [effect.mean, effect.low, effect.high].map(Json::from)),
            );
            let p = judged.q.map(|_| judged.tried.p());
            row.extend([p.into(), judged.q.into(), verdict.into()]);
            row
        };
        Table {
            name: "candidates".to_owned(),
            caption: format!(
                "Every candidate: images that discovered and that confirmed it, and by how much interventions move the \
                 logarithm of the class's odds beyond their controls. p is the sign-flip test of transplanted (pasted and swapped \
                 together); removed supports and proves nothing, because what is salient beside an object often belongs to it. \
                 Bounds: {}.",
                interval_method()
            ),
            columns: with_bounds(
                &["model", "class", "background", "discovered", "confirmed"],
                &EFFECTS,
                &["p", "q", "verdict"],
            ),
            rows: judged.iter().map(row).collect(),
        }
    }

    fn interventions(study: &Study<'_>, judged: &[Judged]) -> Table {
        let mut rows = Vec::new();
        for judged in judged {
            for effect in &judged.tried.details {
                rows.push(vec![
                    judged.model.as_str().into(),
                    study.class_name(judged.tried.class).into(),
                    name_of_group(judged).into(),
                    effect.intervention.as_str().into(),
                    effect.images.into(),
                    effect.mean.into(),
                ]);
            }
        }
        let columns = ["model", "class", "background", "intervention", "images", "effect"];
        Table {
            name: "interventions".to_owned(),
            caption: "The same by intervention, fills apart.".to_owned(),
            columns: columns.map(str::to_owned).to_vec(),
            rows,
        }
    }

    fn notes(&self, study: &Study<'_>, judged: &[Judged], seen: &[Seen]) -> Vec<String> {
        let division = self.division.settled(study.samples);
        let discovers = study.samples.iter().filter(|s| division.part(s, self.seed) == Part::First).count();
        let by = if division == Division::Split { "by split" } else { "by halves, drawn by content" };
        let mut notes = vec![format!(
            "{discovers} images discovered and {} confirmed, divided {by}; nothing that confirmed took part in discovery.",
            study.samples.len() - discovers
        )];
        for (model, _) in &study.provenance.models {
            let own = || judged.iter().filter(|judged| judged.model == *model);
            let few = own().filter(|judged| judged.q.is_none()).count();
            if few > 0 {
                notes.push(format!(
                    "{model}: {few} of {} candidates have fewer than {} images to confirm them and were not tried.",
                    own().count(),
                    self.members
                ));
            }
            if own().count() == 0 {
                notes.push(format!(
                    "{model}: no background was seen in {} images taken for one class, so that there was nothing to try; more \
                     images, or a smaller `members`, would give candidates.",
                    self.members
                ));
            }
            let left = |why: &str| seen.iter().filter(|s| s.model == *model && s.marking == why).count();
            for (why, reason) in [
                ("missing", "no object mask"),
                ("empty", "no pixel of the object"),
                ("full", "no pixel of background"),
                ("unsalient", "a map that points nowhere in the background"),
            ] {
                let n = left(why);
                if n > 0 {
                    notes.push(format!("{model}: {n} images that would discover have {reason}."));
                }
            }
        }
        notes.push(
            "No finding does not mean that a network rests on no background: small effects, rare backgrounds and cues inside the \
             object's mask are not found so."
                .to_owned(),
        );
        notes
    }
}

fn name_of_group(judged: &Judged) -> String {
    format!("group {}", judged.tried.group + 1)
}

/// Number, name and true class of a candidate's members, those nearest to its centre first.
fn members<'a>(study: &'a Study<'_>, judged: &Judged, candidates: &Candidates) -> Vec<(i64, &'a str, usize)> {
    let known: BTreeMap<i64, (&str, usize)> =
        study.samples.iter().map(|sample| (sample.id.0, (sample.name.as_str(), sample.class))).collect();
    let group =
        candidates.get(&judged.model).and_then(|own| own.classes.get(&judged.tried.class)?.get(judged.tried.group));
    let members = group.map(|group| group.members.as_slice()).unwrap_or_default();
    members.iter().filter_map(|image| known.get(image).map(|&(name, class)| (*image, name, class))).collect()
}

/// The finding in plain words.
fn sentence(study: &Study<'_>, judged: &Judged, candidates: &Candidates) -> String {
    let class = study.class_name(judged.tried.class);
    let names: Vec<&str> =
        members(study, judged, candidates).into_iter().map(|(_, name, _)| name).take(NAMED).collect();
    let Some(effect) = judged.tried.tested() else { return String::new() };
    let [mean, low, high] = [effect.mean, effect.low, effect.high].map(|odds| odds.unwrap_or(0.0).exp());
    format!(
        "{} takes backgrounds like those of {} for {class}: put on images of other classes they multiply the odds of {class} by \
         {mean:.1} ({low:.1} to {high:.1}) more than other backgrounds do.",
        judged.model,
        names.join(", ")
    )
}
