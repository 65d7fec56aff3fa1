//! What is lost without an attribute, beside what is lost without as many pixels elsewhere in the object.

use rival10_sdk::{Study, Table, report::with_bounds};
use rival10_stats::{Estimates, Measurements, holm, interval_method, sign_flip};
use serde_json::Value as Json;

use super::{ModelResult, cells, effect::Effect, row};
use crate::{
    Ablation,
    rows::{Image, Kind},
};

/// The columns of the table of images that have a control.
struct Controlled;

impl Controlled {
    const AFTER: usize = 0;
    const CONTROL: usize = 1;
    const P_EFFECT: usize = 2;

    fn table<'a>(images: impl Iterator<Item = &'a Image>, attribute: &str, fill: &str) -> Measurements {
        let mut table = Measurements::new(3);
        for image in images {
            let after = image.after(Kind::Attribute, attribute, fill);
            if let (Some(after), Some(control)) = (after, image.after(Kind::Control, attribute, fill)) {
                table.push(image.class, &[after.correct, control.correct, control.p - after.p]);
            }
        }
        table
    }

    /// How much more accuracy the attribute costs than its control does.
    fn effect(means: &[f64]) -> Option<f64> {
        Some(means[Self::CONTROL] - means[Self::AFTER])
    }

    /// The same of the true class's probability.
    fn p_effect(means: &[f64]) -> Option<f64> {
        Some(means[Self::P_EFFECT])
    }
}

const COLUMNS: &[&str] = &["accuracy drop", "probability drop"];
const BESIDE: &[&str] = &["accuracy drop beyond control", "probability drop beyond control"];

/// The drops of the images to which it was done, and what they are beyond those of the controls.
fn drops(images: &[&Image], attribute: &str, fill: &str, seed: u64) -> Vec<Json> {
    let own = Estimates::of(Effect::table(images.iter().copied(), Kind::Attribute, attribute, fill), seed);
    let controlled = Estimates::of(Controlled::table(images.iter().copied(), attribute, fill), seed);
    [
        vec![own.table().images().into()],
        cells(&own, Effect::drop).to_vec(),
        cells(&own, |means| Some(means[Effect::P_DROP])).to_vec(),
        vec![controlled.table().images().into()],
        cells(&controlled, Controlled::effect).to_vec(),
        cells(&controlled, Controlled::p_effect).to_vec(),
    ]
    .concat()
}

fn columns(head: &[&str], tail: &[&str]) -> Vec<String> {
    let head = [head, &["n"]].concat();
    let own = with_bounds(&head, COLUMNS, &["n with control"]);
    own.into_iter().chain(with_bounds(&[], BESIDE, tail)).collect()
}

impl Ablation {
    /// The tables by attribute, and by attribute and class; none if no image has an attribute's mask.
    pub(super) fn by_attribute(&self, study: &Study<'_>, results: &[ModelResult]) -> Vec<Table> {
        let (mut by_attribute, mut by_class) = (Vec::new(), Vec::new());
        for result in results {
            let (mut rows, mut p) = (Vec::new(), Vec::new());
            for attribute in &study.taxonomy.attributes {
                let name = attribute.name.as_str();
                for fill in self.fills.iter().map(|fill| fill.name()) {
                    let images: Vec<&Image> =
                        result.marked().filter(|image| image.after(Kind::Attribute, name, fill).is_some()).collect();
                    if images.is_empty() {
                        continue;
                    }
                    let head: [Json; 3] = [result.name.as_str().into(), name.into(), fill.into()];
                    rows.push(row(head, drops(&images, name, fill, self.seed)));
                    let mut differences = Measurements::new(1);
                    for (class, rows) in Controlled::table(images.iter().copied(), name, fill).classes() {
                        rows.chunks_exact(3).for_each(|row| differences.push(class, &row[Controlled::P_EFFECT..]));
                    }
                    p.push(sign_flip(&differences, self.seed));
                    for class in 0..study.taxonomy.classes.len() {
                        let of_class: Vec<&Image> = images.iter().copied().filter(|i| i.class == class).collect();
                        if !of_class.is_empty() {
                            let head: [Json; 4] =
                                [result.name.as_str().into(), name.into(), study.class_name(class).into(), fill.into()];
                            by_class.push(row(head, drops(&of_class, name, fill, self.seed)));
                        }
                    }
                }
            }
            for ((mut row, p), holm) in rows.into_iter().zip(&p).zip(adjusted(&p)) {
                row.extend([Json::from(*p), holm.into()]);
                by_attribute.push(row);
            }
        }
        if by_attribute.is_empty() {
            return Vec::new();
        }
        let caption = format!(
            "Images with the attribute and its mask: what is lost without it, and how much more that is than without as many \
             pixels elsewhere in the object, on images that have room for them. Bounds: {}.",
            interval_method()
        );
        vec![
            Table {
                name: "by-attribute".to_owned(),
                caption: format!(
                    "{caption} p: sign-flip permutation test of the probability drop beyond control, Holm's adjustment over \
                     the attributes and fills of a model."
                ),
                columns: columns(&["model", "attribute", "fill"], &["p", "p (Holm)"]),
                rows: by_attribute,
            },
            Table {
                name: "by-attribute-and-class".to_owned(),
                caption: format!("The same by true class. {caption}"),
                columns: columns(&["model", "attribute", "class", "fill"], &[]),
                rows: by_class,
            },
        ]
    }
}

/// Holm's adjustment over those that are defined.
pub(super) fn adjusted(p: &[Option<f64>]) -> Vec<Option<f64>> {
    let defined: Vec<f64> = p.iter().flatten().copied().collect();
    let mut adjusted = holm(&defined).into_iter();
    p.iter().map(|p| p.and_then(|_| adjusted.next())).collect()
}
