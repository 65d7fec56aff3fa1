//! Rows to the report.

use std::collections::{BTreeMap, BTreeSet};

use rival10_sdk::{Agreement, AnalysisError, Estimate, Report, Rows, Study, Table, Value};
use rival10_stats::{
    Coefficient, Judgement, MaskAgreement as Summary, Measurements, RaterAgreement, Ratings, Resamples, masks,
};
use serde_json::Value as Json;

use crate::MaskAgreement;

/// One comparison, read back.
struct Compared<'a> {
    image: i64,
    layer: &'a str,
    pair: String,
    /// None if both masks are empty.
    agreement: Option<Agreement>,
}

impl MaskAgreement {
    pub(crate) fn conclude(&self, study: &Study<'_>, rows: &[Rows]) -> Result<Report, AnalysisError> {
        let [masks, presence] = rows else {
            return Err(AnalysisError::Unfit(format!("rows of {} phases instead of two", rows.len())));
        };
        let all = masks.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        let compared: Vec<&Compared<'_>> = all.iter().filter(|one| one.agreement.is_some()).collect();
        let empty = all.len() - compared.len();
        let mut notes = vec![format!(
            "Outlines within {} pixels of each other count as one. Means are over masks, intervals over images.",
            self.tolerance
        )];
        if empty > 0 {
            notes.push(format!("{empty} pairs of masks are both empty and left out."));
        }
        let (answers, rare) = self.answers(presence)?;
        notes.extend(rare);
        Ok(Report {
            provenance: study.provenance.clone(),
            headline: self.headline(&compared),
            tables: vec![
                by("by-layer", "layer", "Agreement of masks by layer.", &compared, |one| one.layer.to_owned()),
                by("by-pair", "pair", "Agreement of masks by pair of annotators.", &compared, |one| one.pair.clone()),
                answers,
            ],
            notes,
        })
    }

    /// The mean of each figure, with its interval: an image's masks stay together when images are resampled.
    fn headline(&self, compared: &[&Compared<'_>]) -> Vec<Estimate> {
        let mut images: BTreeMap<i64, [f64; 5]> = BTreeMap::new();
        for one in compared {
            let sums = images.entry(one.image).or_default();
            if let Some(Agreement { iou, dice, boundary_iou, nsd, .. }) = one.agreement {
                sums.iter_mut().zip([iou, dice, boundary_iou, nsd, 1.0]).for_each(|(sum, figure)| *sum += figure);
            }
        }
        let mut table = Measurements::new(5);
        images.values().for_each(|sums| table.push(0, sums));
        let resamples = Resamples::draw(&table, self.seed, self.resamples);
        let ratio = |at: usize| move |means: &[f64]| (means[4] > 0.0).then(|| means[at] / means[4]);
        let estimate = |(at, name): (usize, &str)| {
            let interval = resamples.as_ref().and_then(|resamples| resamples.percentile(0.95, ratio(at)));
            Estimate {
                name: name.to_owned(),
                model: None,
                value: table.means().and_then(|means| ratio(at)(&means)),
                interval: interval.map(|interval| (interval.low, interval.high)),
                interval_method: if interval.is_some() { self.method() } else { String::new() },
                n: images.len() as u64,
            }
        };
        ["IoU", "Dice", "boundary IoU", "NSD"].into_iter().enumerate().map(estimate).collect()
    }

    fn method(&self) -> String {
        format!("95% percentile bootstrap over images, {} resamples", self.resamples)
    }

    /// The coefficients of each attribute, and what is to be said where it is too rare for kappa.
    fn answers(&self, presence: &Rows) -> Result<(Table, Vec<String>), AnalysisError> {
        let answers = presence.iter().map(answer).collect::<Result<Vec<_>, _>>()?;
        let people: BTreeSet<&str> = answers.iter().map(|(.., who, _)| *who).collect();
        let people: Vec<&str> = people.into_iter().collect();
        let mut said: BTreeMap<&str, BTreeMap<(i64, i64), Vec<Judgement>>> = BTreeMap::new();
        for (image, instance, attribute, who, what) in answers {
            let unit =
                said.entry(attribute).or_default().entry((image, instance)).or_insert_with(|| vec![None; people.len()]);
            if let Ok(at) = people.binary_search(&who) {
                unit[at] = Some(usize::from(what == 1));
            }
        }
        let (mut rows, mut notes) = (Vec::new(), Vec::new());
        for (attribute, units) in said {
            let mut ratings = Ratings::new(people.len(), 2);
            units.values().for_each(|judgements| ratings.push(0, judgements));
            let agreement = ratings.agreement(self.seed, self.resamples);
            rows.push(row(attribute, &agreement));
            notes.extend(rare(attribute, &agreement));
        }
        let mut columns: Vec<String> = ["attribute", "objects", "yes"].map(str::to_owned).to_vec();
        for coefficient in Coefficient::ALL {
            let name = coefficient.name();
            columns.extend([name.to_owned(), format!("{name} low"), format!("{name} high")]);
        }
        let caption = format!("Agreement of answers by attribute. Bounds: {}.", self.method());
        Ok((Table { name: "presence".to_owned(), caption, columns, rows }, notes))
    }
}

fn row(attribute: &str, agreement: &RaterAgreement) -> Vec<Json> {
    let mut row = vec![attribute.into(), agreement.units.into(), agreement.shares[1].into()];
    for coefficient in Coefficient::ALL {
        let estimated = agreement.coefficients.get(&coefficient).copied().unwrap_or_default();
        let interval = estimated.interval;
        row.extend([estimated.value, interval.map(|i| i.low), interval.map(|i| i.high)].map(Json::from));
    }
    row
}

/// What is to be said where kappa is low because nearly everybody says the same of nearly every object.
fn rare(attribute: &str, agreement: &RaterAgreement) -> Option<String> {
    let ac1 = agreement.value(Coefficient::Ac1)?;
    agreement.too_rare_for_kappa().then(|| {
        let kappa = agreement.kappa().map_or_else(|| "undefined".to_owned(), |kappa| format!("{kappa:.2}"));
        format!("{attribute}: kappa is {kappa} and AC1 {ac1:.2} because one answer is rare; kappa says little of it.")
    })
}

fn by(
    name: &str,
    heading: &str,
    caption: &str,
    compared: &[&Compared<'_>],
    key: impl Fn(&Compared<'_>) -> String,
) -> Table {
    let mut groups: BTreeMap<String, Vec<&Compared<'_>>> = BTreeMap::new();
    for one in compared {
        groups.entry(key(one)).or_default().push(one);
    }
    let summary = |group: Vec<&Compared<'_>>| Summary::of(group.iter().filter_map(|one| one.agreement.as_ref()));
    let groups: Vec<(String, Summary)> =
        groups.into_iter().filter_map(|(name, group)| Some((name, summary(group)?))).collect();
    masks::table(name, heading, caption.to_owned(), groups.iter().map(|(name, summary)| (name.as_str(), summary)))
}

fn read(row: &[Value]) -> Result<Compared<'_>, AnalysisError> {
    let read = || {
        let [image, _, _, layer, first, second, iou, dice, boundary_iou, hd95, nsd, ..] = row else { return None };
        let agreement = || {
            Some(Agreement {
                iou: iou.as_f64()?,
                dice: dice.as_f64()?,
                boundary_iou: boundary_iou.as_f64()?,
                hd95: hd95.as_f64().unwrap_or(f64::INFINITY),
                nsd: nsd.as_f64()?,
            })
        };
        Some(Compared {
            image: image.as_i64()?,
            layer: layer.as_str()?,
            pair: format!("{} / {}", first.as_str()?, second.as_str()?),
            agreement: agreement(),
        })
    };
    read().ok_or_else(|| AnalysisError::Unfit(format!("a row of masks that can't be read: {row:?}")))
}

/// Image, object, attribute, annotator and answer.
type Answer<'a> = (i64, i64, &'a str, &'a str, i64);

fn answer(row: &[Value]) -> Result<Answer<'_>, AnalysisError> {
    let read = || match row {
        [image, _, instance, attribute, who, said] => {
            Some((image.as_i64()?, instance.as_i64()?, attribute.as_str()?, who.as_str()?, said.as_i64()?))
        }
        _ => None,
    };
    read().ok_or_else(|| AnalysisError::Unfit(format!("a row of answers that can't be read: {row:?}")))
}
