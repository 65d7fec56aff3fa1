//! Where a unit is active: above a quantile of all of its activations on images that choose (Bau et al., Network
//! Dissection, CVPR 2017).

use std::collections::BTreeMap;

use rival10_sdk::{AnalysisError, Rows, Sample, Study};
use rival10_stats::quantile;
use serde::{Deserialize, Serialize};

use crate::{NeuralFeatures, rows::read_features};

/// What the first phase leaves: by model, every unit's threshold.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Thresholds(pub(crate) BTreeMap<String, Vec<f32>>);

impl NeuralFeatures {
    /// Whether thresholds are taken from `sample`: one of those of the choosing part that are evenly spread over it.
    pub(crate) fn gives_thresholds(&self, samples: &[Sample], sample: &Sample) -> bool {
        let division = self.division.settled(samples);
        let chooses = |sample: &Sample| division.part(sample, 0) == rival10_sdk::Part::First;
        if !chooses(sample) {
            return false;
        }
        let choosing = samples.iter().filter(|sample| chooses(sample)).count();
        let place = samples.iter().filter(|other| other.id < sample.id && chooses(other)).count();
        let wanted = self.threshold_images.min(choosing);
        // The first image of each of `wanted` equal stretches.
        (place * wanted).div_ceil(choosing) < ((place + 1) * wanted).div_ceil(choosing)
    }

    /// The state that the first phase leaves.
    pub(crate) fn after_features(&self, study: &Study<'_>, rows: &Rows) -> Result<Thresholds, AnalysisError> {
        let mut thresholds = Thresholds::default();
        let featured = read_features(rows)?;
        for (model, _) in &study.provenance.models {
            let kept: Vec<(&[f32], usize)> = featured
                .iter()
                .filter(|featured| featured.model == *model)
                .filter_map(|featured| Some((featured.activations.as_deref()?, featured.pooled.len())))
                .collect();
            let units = kept.first().map_or(0, |(_, units)| *units);
            let of_unit = |unit: usize| {
                let own = kept.iter().flat_map(|(activations, units)| {
                    let positions = activations.len() / units.max(&1);
                    activations.get(unit * positions..(unit + 1) * positions).unwrap_or_default()
                });
                let mut own: Vec<f64> = own.map(|&value| f64::from(value)).collect();
                own.sort_by(f64::total_cmp);
                #[expect(clippy::cast_possible_truncation, reason = "activations are single precision")]
                let threshold = quantile(&own, self.quantile).unwrap_or(0.0) as f32;
                threshold
            };
            thresholds.0.insert(model.clone(), (0..units).map(of_unit).collect());
        }
        Ok(thresholds)
    }
}
