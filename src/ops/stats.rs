//! Counts, coverage and frequencies. It reads no mask's pixels, so that 26,000 images take a moment.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::Serialize;
use serde_json::{Value, json};

use super::{
    OpsError, Project,
    selection::{self, StatusFilter},
};
use crate::{
    domain::{Annotation, AnnotationId, ImageId, ImageRecord, Layer, Presence, Taxonomy},
    store::{AnnotationFilter, ImageFilter},
};

/// What a row of the table stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatsBy {
    /// A class.
    Class,
    /// An attribute.
    Attribute,
    /// An annotator.
    Annotator,
    /// A split.
    Split,
}

/// Counts, and a table of more of them.
#[derive(Debug, Serialize)]
pub struct Stats {
    /// Images.
    pub images: u64,
    /// Instances that somebody annotated.
    pub instances: u64,
    /// Annotations, whether they count or not.
    pub annotations: u64,
    /// Masks.
    pub masks: u64,
    /// Images without an annotation that counts, by reason.
    pub excluded: BTreeMap<String, u64>,
    /// The table's headings.
    pub columns: Vec<String>,
    /// The table's rows.
    pub rows: Vec<Vec<Value>>,
}

/// What the tables are made from: every image and the annotations that count, without their pixels.
struct Counted<'a> {
    taxonomy: &'a Taxonomy,
    images: &'a [ImageRecord],
    chosen: &'a BTreeMap<ImageId, Vec<Annotation>>,
    areas: &'a HashMap<(AnnotationId, Layer), u64>,
}

/// The project in numbers.
///
/// # Errors
/// [`OpsError`] if the project can't be read.
pub fn stats(project: &Project, by: StatsBy) -> Result<Stats, OpsError> {
    let store = &project.store;
    let images = store.images(&ImageFilter::default())?;
    let annotations = store.annotations(&AnnotationFilter { masks: false, ..AnnotationFilter::default() })?;
    let areas: HashMap<_, _> = store.mask_summaries()?.into_iter().map(|m| ((m.annotation, m.layer), m.area)).collect();
    let count = annotations.len() as u64;
    let mut instances: Vec<_> = annotations.iter().map(|a| a.instance).collect();
    instances.sort_unstable();
    instances.dedup();
    let drawn: HashSet<AnnotationId> = areas.keys().map(|(annotation, _)| *annotation).collect();
    let is_drawn = |annotation: &Annotation| drawn.contains(&annotation.id);
    let (columns, rows, selection);
    if by == StatsBy::Annotator {
        (columns, rows) = by_annotator(&annotations, &areas);
        selection = selection::select_by(images.iter().map(|i| i.id), annotations, StatusFilter::Accepted, &is_drawn);
    } else {
        selection = selection::select_by(images.iter().map(|i| i.id), annotations, StatusFilter::Accepted, &is_drawn);
        let counted = Counted { taxonomy: store.taxonomy(), images: &images, chosen: &selection.chosen, areas: &areas };
        (columns, rows) = match by {
            StatsBy::Attribute => counted.by_attribute(),
            StatsBy::Split => counted.by_group(&["split"], |image| vec![json!(image.split)]),
            StatsBy::Class | StatsBy::Annotator => counted.by_class(),
        };
    }
    Ok(Stats {
        images: images.len() as u64,
        instances: instances.len() as u64,
        annotations: count,
        masks: areas.len() as u64,
        excluded: selection.reasons(),
        columns,
        rows,
    })
}

type TableOf = (Vec<String>, Vec<Vec<Value>>);

impl Counted<'_> {
    fn by_class(&self) -> TableOf {
        let name = |image: &ImageRecord| {
            image.class.and_then(|c| self.taxonomy.classes.get(c)).map_or("(several)", |class| class.name.as_str())
        };
        let (columns, mut rows) = self.by_group(&["class"], |image| vec![json!(name(image))]);
        let place = |row: &Vec<Value>| row[0].as_str().and_then(|name| self.taxonomy.class(name)).unwrap_or(usize::MAX);
        rows.sort_by_key(place);
        (columns, rows)
    }

    /// Images, coverage and object areas of every group that `key` makes.
    fn by_group(&self, names: &[&str], key: impl Fn(&ImageRecord) -> Vec<Value>) -> TableOf {
        #[derive(Default)]
        struct Group {
            images: u64,
            annotated: u64,
            masks: u64,
            shares: Vec<f64>,
        }
        let mut groups: BTreeMap<String, (Vec<Value>, Group)> = BTreeMap::new();
        for image in self.images {
            let key = key(image);
            let (_, group) = groups.entry(json!(key).to_string()).or_insert_with(|| (key, Group::default()));
            group.images += 1;
            let Some(annotations) = self.chosen.get(&image.id) else { continue };
            group.annotated += 1;
            for annotation in annotations {
                if let Some(area) = self.areas.get(&(annotation.id, Layer::Object)) {
                    group.shares.push(share(*area, image));
                }
                group.masks += self.masks_of(annotation);
            }
        }
        let columns = ["images", "annotated", "masks", "object share: median", "5%", "95%"];
        let rows = groups.into_values().map(|(mut row, mut group)| {
            group.shares.sort_by(f64::total_cmp);
            row.extend([json!(group.images), json!(group.annotated), json!(group.masks)]);
            row.extend([0.5, 0.05, 0.95].map(|q| json!(quantile(&group.shares, q))));
            row
        });
        (names.iter().chain(&columns).map(|name| (*name).to_owned()).collect(), rows.collect())
    }

    fn masks_of(&self, annotation: &Annotation) -> u64 {
        let layers = (0..self.taxonomy.attributes.len()).map(Layer::Attribute).chain([Layer::Object, Layer::Ignore]);
        layers.filter(|layer| self.areas.contains_key(&(annotation.id, *layer))).count() as u64
    }

    /// How many instances have, have not and were not judged for each attribute; and its frequency in each class.
    fn by_attribute(&self) -> TableOf {
        let classes = &self.taxonomy.classes;
        let mut columns: Vec<String> = ["attribute", "yes", "no", "not judged", "masks"].map(str::to_owned).to_vec();
        columns.extend(classes.iter().map(|class| class.name.clone()));
        let row = |(index, attribute): (usize, &crate::domain::Attribute)| {
            let (mut yes, mut no, mut open, mut masks) = (0u64, 0u64, 0u64, 0u64);
            let mut of_class = vec![(0u64, 0u64); classes.len()];
            for annotation in self.chosen.values().flatten() {
                let counts = of_class.get_mut(annotation.class);
                match annotation.attributes.get(index) {
                    Some(Presence::Yes) => {
                        yes += 1;
                        counts.into_iter().for_each(|(with, all)| (*with, *all) = (*with + 1, *all + 1));
                    }
                    Some(Presence::No) => {
                        no += 1;
                        counts.into_iter().for_each(|(_, all)| *all += 1);
                    }
                    _ => open += 1,
                }
                masks += u64::from(self.areas.contains_key(&(annotation.id, Layer::Attribute(index))));
            }
            let mut row = vec![json!(attribute.name), json!(yes), json!(no), json!(open), json!(masks)];
            #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
            row.extend(
                of_class
                    .iter()
                    .map(|&(with, all)| if all == 0 { Value::Null } else { json!(with as f64 / all as f64) }),
            );
            row
        };
        let rows = self.taxonomy.attributes.iter().enumerate().map(row).collect();
        (columns, rows)
    }
}

fn by_annotator(annotations: &[Annotation], areas: &HashMap<(AnnotationId, Layer), u64>) -> TableOf {
    #[derive(Default)]
    struct Group<'a> {
        annotations: u64,
        statuses: BTreeMap<&'a str, u64>,
        drawn: u64,
    }
    let mut groups: BTreeMap<(&str, &str), Group<'_>> = BTreeMap::new();
    for annotation in annotations {
        let key = (annotation.annotator.as_str(), annotation.kind.name());
        let group = groups.entry(key).or_default();
        group.annotations += 1;
        *group.statuses.entry(annotation.status.name()).or_insert(0) += 1;
        group.drawn += u64::from(areas.contains_key(&(annotation.id, Layer::Object)));
    }
    let statuses = crate::domain::Status::ALL.map(crate::domain::Status::name);
    let mut columns: Vec<String> = ["annotator", "kind", "annotations", "object masks"].map(str::to_owned).to_vec();
    columns.extend(statuses.map(str::to_owned));
    let rows = groups.into_iter().map(|((name, kind), group)| {
        let mut row = vec![json!(name), json!(kind), json!(group.annotations), json!(group.drawn)];
        row.extend(statuses.map(|status| json!(group.statuses.get(status).copied().unwrap_or(0))));
        row
    });
    (columns, rows.collect())
}

#[expect(clippy::cast_precision_loss, reason = "areas are far below 2^53")]
fn share(area: u64, image: &ImageRecord) -> f64 {
    area as f64 / (image.size.pixels() as f64).max(1.0)
}

/// The `q` quantile of sorted numbers, by nearest rank; none of none.
pub(super) fn quantile(sorted: &[f64], q: f64) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rank")]
    let rank = (q * sorted.len() as f64).ceil().max(1.0) as usize - 1;
    sorted.get(rank.min(sorted.len().saturating_sub(1))).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_by_nearest_rank() {
        let sorted = [1.0, 2.0, 3.0, 4.0];
        assert_eq!([0.0, 0.25, 0.5, 0.51, 1.0].map(|q| quantile(&sorted, q).unwrap()), [1.0, 1.0, 2.0, 3.0, 4.0]);
        assert_eq!(quantile(&[], 0.5), None);
    }
}
