//! How far annotators agree, as an analysis: the figures of `rival10 audit`, recorded as a run like any other.
//!
//! Each two annotators of an object are compared, layer by layer; whoever never drew a layer is not compared on it, for
//! presence is scored apart: in a phase of its own, one row an annotator and attribute. Two empty masks say nothing and have
//! a row without figures, so that they can be counted; one empty mask is no agreement at all, and an infinite distance is
//! null.
//!
//! It needs no model. [`rows`] holds the two tables, `report` what is concluded from them.

mod report;
pub mod rows;

use rival10_sdk::{
    Agreement, Analysis, AnalysisError, Context, Mask, Needs, Parameter, Phase, Plugin, Presence, Report, Rows, Sample,
    Settings, Study, Value, Word,
};

/// The analysis, as the registry lists it.
pub const PLUGIN: Plugin = Plugin {
    name: "mask-agreement",
    summary: "how far annotators agree on masks (IoU, Dice, boundary IoU, HD95, NSD) and answers (kappa, alpha, AC1)",
    version: 1,
    parameters: &[
        Parameter {
            name: "tolerance",
            help: "outlines within so many pixels of each other count as one, 0 to 1000",
            default: "2",
        },
        Parameter { name: "resamples", help: "resamples behind each interval, 100 to 1000000", default: "10000" },
    ],
    configure: &configure,
};

const PHASES: &[Phase] =
    &[Phase { name: "masks", columns: rows::MASKS }, Phase { name: "presence", columns: rows::PRESENCE }];

/// The analysis, configured.
#[derive(Clone, Debug, PartialEq)]
struct MaskAgreement {
    seed: u64,
    tolerance: f64,
    resamples: usize,
}

fn configure(settings: &Settings) -> Result<Box<dyn Analysis>, AnalysisError> {
    let refused = |name: &str, reason: String| Err(AnalysisError::Setting { name: name.to_owned(), reason });
    let tolerance: f64 = settings.get("tolerance")?;
    if !(0.0..=1000.0).contains(&tolerance) {
        return refused("tolerance", format!("{tolerance} is not between 0 and 1000"));
    }
    let resamples: usize = settings.get("resamples")?;
    if !(100..=1_000_000).contains(&resamples) {
        return refused("resamples", format!("{resamples} is not between 100 and 1000000"));
    }
    Ok(Box::new(MaskAgreement { seed: settings.seed, tolerance, resamples }))
}

impl Analysis for MaskAgreement {
    fn needs(&self) -> Needs {
        Needs::default()
    }

    fn compares_annotators(&self) -> bool {
        true
    }

    fn phases(&self) -> &[Phase] {
        PHASES
    }

    fn map(&self, phase: usize, context: &Context<'_>, samples: &[Sample]) -> Result<Rows, AnalysisError> {
        let mut rows = Rows::new(PHASES[phase].columns);
        for sample in samples {
            let words = context.source.words(sample.id)?;
            if phase == 0 {
                self.masks(sample, &words, context, &mut rows)?;
            } else {
                presence(sample, &words, context, &mut rows)?;
            }
        }
        Ok(rows)
    }

    fn report(&self, study: &Study<'_>, rows: &[Rows]) -> Result<Report, AnalysisError> {
        self.conclude(study, rows)
    }
}

impl MaskAgreement {
    fn masks(
        &self,
        sample: &Sample,
        words: &[Word],
        context: &Context<'_>,
        rows: &mut Rows,
    ) -> Result<(), AnalysisError> {
        for (i, first) in words.iter().enumerate() {
            for second in words[i + 1..].iter().take_while(|second| second.ordinal == first.ordinal) {
                let objects = first.object.as_ref().zip(second.object.as_ref()).map(|masks| ("object", masks));
                let parts = first.masks.iter().filter_map(|(at, mask)| {
                    let attribute = context.study.taxonomy.attributes.get(*at)?;
                    Some((attribute.name.as_str(), (mask, second.masks.get(at)?)))
                });
                for (layer, (a, b)) in objects.into_iter().chain(parts) {
                    rows.push(self.compared(sample, [first, second], layer, [a, b])?)?;
                }
            }
        }
        Ok(())
    }

    fn compared(
        &self,
        sample: &Sample,
        words: [&Word; 2],
        layer: &str,
        masks: [&Mask; 2],
    ) -> Result<Vec<Value>, AnalysisError> {
        let agreement = Agreement::between(masks[0], masks[1], self.tolerance).map_err(|error| {
            AnalysisError::Sample { id: sample.id, name: sample.name.clone(), reason: error.to_string() }
        })?;
        let figure = |of: fn(&Agreement) -> f64| {
            let value = agreement.as_ref().map(of).filter(|value| value.is_finite());
            value.map_or(Value::Null, Value::Float)
        };
        let [a, b] = masks.map(|mask| Value::Int(i64::try_from(mask.area()).unwrap_or(i64::MAX)));
        Ok(vec![
            sample.id.0.into(),
            "".into(),
            (i64::from(words[0].ordinal) + 1).into(),
            layer.into(),
            words[0].annotator.as_str().into(),
            words[1].annotator.as_str().into(),
            figure(|agreement| agreement.iou),
            figure(|agreement| agreement.dice),
            figure(|agreement| agreement.boundary_iou),
            figure(|agreement| agreement.hd95),
            figure(|agreement| agreement.nsd),
            a,
            b,
        ])
    }
}

fn presence(sample: &Sample, words: &[Word], context: &Context<'_>, rows: &mut Rows) -> Result<(), AnalysisError> {
    for word in words {
        for (attribute, said) in context.study.taxonomy.attributes.iter().zip(&word.attributes) {
            let said = match said {
                Presence::Yes => 1,
                Presence::No => 0,
                Presence::NotJudged => continue,
            };
            rows.push(vec![
                sample.id.0.into(),
                "".into(),
                (i64::from(word.ordinal) + 1).into(),
                attribute.name.as_str().into(),
                word.annotator.as_str().into(),
                Value::Int(said),
            ])?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
