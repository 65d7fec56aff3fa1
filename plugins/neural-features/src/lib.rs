//! Which units of a network stand for which attributes, and what its classes rest on.
//!
//! A unit is a channel of the layer that is explained. It stands for an attribute as far as its activations fall inside the
//! attribute's mask (IoU at a threshold that is fixed beforehand, average precision), and as far as its mean over the image
//! tells images with the attribute from those without (AUROC). The best unit for an attribute is chosen on one part of the
//! images and scored on the other: chosen and scored on the same, the best of a thousand units is always good. Beside
//! units stand directions: what a linear classifier learns that tells features inside an attribute's mask from those
//! outside (a concept activation vector, Kim et al., ICML 2018).
//!
//! - [`rows`]: the tables that a run fills. `layer`: a network's units on one picture. `measure`: samples to rows.
//! - `threshold`: where a unit is active. `choose`: the best unit of each attribute. `concept`: directions.
//! - `report`: rows to the report.

mod choose;
mod concept;
mod layer;
mod measure;
mod report;
pub mod rows;
mod threshold;

use rival10_sdk::{
    Analysis, AnalysisError, Capabilities, Context, Division, Needs, Parameter, Phase, Plugin, Report, Rows, Sample,
    Settings, State, Study,
};

/// The analysis, as the registry lists it.
pub const PLUGIN: Plugin = Plugin {
    name: "neural-features",
    summary: "which units and directions of a network stand for which attributes, and which of them its classes rest on",
    version: 1,
    parameters: &[
        Parameter {
            name: "layer",
            help: "the layer whose channels are the units, or auto for each network's own; `rival10 models inspect` tells it",
            default: "auto",
        },
        Parameter {
            name: "division",
            help: "which images choose and which score: split (those of split train choose, all others score), halves (by \
                   content), or auto (split where the run has both, else halves)",
            default: "auto",
        },
        Parameter {
            name: "quantile",
            help: "the share of a unit's activations that lie below its threshold, between 0 and 1",
            default: "0.995",
        },
        Parameter {
            name: "threshold-images",
            help: "images of the choosing part, evenly spread, that thresholds are taken from, 1 to 100000; all of a unit's \
                   activations on each are kept in the rows",
            default: "200",
        },
        Parameter {
            name: "side",
            help: "longest side in pixels at which units' maps are compared with masks, 4 to 1024; the network's input size where \
                   that is smaller",
            default: "64",
        },
        Parameter {
            name: "top",
            help: "most and least activating images of a class, 1 to 1000, whose accuracies make the spurious gap, and units \
                   listed for each class",
            default: "10",
        },
        Parameter {
            name: "examples",
            help: "most activating images, 0 to 100, that are kept for the best unit of each attribute",
            default: "5",
        },
    ],
    configure: &configure,
};

const FEATURES: Phase = Phase { name: "features", columns: rows::FEATURE_COLUMNS };
const MATCH: Phase = Phase { name: "match", columns: rows::MATCH_COLUMNS };
const EXAMPLES: Phase = Phase { name: "examples", columns: rows::EXAMPLE_COLUMNS };

/// The analysis, configured.
struct NeuralFeatures {
    layer: Option<String>,
    division: Division,
    quantile: f64,
    threshold_images: usize,
    side: u32,
    top: usize,
    examples: usize,
    phases: &'static [Phase],
}

fn configure(settings: &Settings) -> Result<Box<dyn Analysis>, AnalysisError> {
    let refused = |name: &str, reason: String| AnalysisError::Setting { name: name.to_owned(), reason };
    let count = |name: &'static str, least: usize, most: usize| match settings.get::<usize>(name)? {
        count if (least..=most).contains(&count) => Ok(count),
        count => Err(refused(name, format!("{count} is not between {least} and {most}"))),
    };
    let quantile: f64 = settings.get("quantile")?;
    if !(quantile > 0.0 && quantile < 1.0) {
        return Err(refused("quantile", format!("{quantile} is not between 0 and 1")));
    }
    let layer: String = settings.get("layer")?;
    let examples = count("examples", 0, 100)?;
    Ok(Box::new(NeuralFeatures {
        layer: (layer != "auto").then_some(layer),
        division: settings.get("division")?,
        quantile,
        threshold_images: count("threshold-images", 1, 100_000)?,
        side: u32::try_from(count("side", 4, 1024)?).expect("at most 1024"),
        top: count("top", 1, 1000)?,
        examples,
        phases: if examples == 0 { &[FEATURES, MATCH] } else { &[FEATURES, MATCH, EXAMPLES] },
    }))
}

impl Analysis for NeuralFeatures {
    fn needs(&self) -> Needs {
        let capabilities = Capabilities { activations: true, vjp: true, ..Capabilities::LOGITS };
        Needs { capabilities, object_mask: false, attributes: true }
    }

    fn phases(&self) -> &[Phase] {
        self.phases
    }

    fn map(&self, phase: usize, context: &Context<'_>, samples: &[Sample]) -> Result<Rows, AnalysisError> {
        match phase {
            0 => self.features(context, samples),
            1 => self.matches(context, samples),
            _ => self.keep_examples(context, samples),
        }
    }

    fn reduce(&self, phase: usize, study: &Study<'_>, rows: &Rows) -> Result<State, AnalysisError> {
        let state = match phase {
            0 => serde_json::to_value(self.after_features(study, rows)?),
            1 if self.examples > 0 => serde_json::to_value(self.after_matches(study, rows)?),
            _ => Ok(State::Null),
        };
        state.map_err(|error| AnalysisError::Unfit(error.to_string()))
    }

    fn report(&self, study: &Study<'_>, rows: &[Rows]) -> Result<Report, AnalysisError> {
        self.conclude(study, rows)
    }
}

#[cfg(test)]
mod tests;
