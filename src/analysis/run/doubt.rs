//! What intervals do not know, said once for every analysis.

use rival10_sdk::{Report, Sample, Taxonomy};
use rival10_stats::interval_method;

/// Classes that are named; more are counted.
const NAMED: usize = 5;

/// A note on the classes of which a single image takes part, if the report has intervals that resample images within their
/// classes: such a class is the same in every resample, so that nothing of its doubt is in them.
pub(super) fn of_single_images(report: &Report, taxonomy: &Taxonomy, samples: &[Sample]) -> Option<String> {
    let method = interval_method();
    let mut told = report.headline.iter().map(|estimate| &estimate.interval_method);
    if !told.any(|text| *text == method) && !report.tables.iter().any(|table| table.caption.contains(&method)) {
        return None;
    }
    let mut images = vec![0_usize; taxonomy.classes.len()];
    for sample in samples {
        if let Some(n) = images.get_mut(sample.class) {
            *n += 1;
        }
    }
    let single: Vec<&str> =
        taxonomy.classes.iter().zip(&images).filter(|(_, n)| **n == 1).map(|(class, _)| class.name.as_str()).collect();
    let with_images = images.iter().filter(|n| **n > 0).count();
    let names = match single.as_slice() {
        [] => return None,
        few if few.len() <= NAMED => few.join(", "),
        many => format!("{} and {} more", many[..NAMED].join(", "), many.len() - NAMED),
    };
    Some(format!(
        "Of {} of {with_images} classes a single image takes part ({names}): intervals resample images within their classes, and \
         hold nothing of the doubt about these. They are too narrow.",
        single.len()
    ))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use rival10_sdk::SampleSource as _;
    use rival10_sdk::{
        Estimate, Provenance,
        testing::{Scenes, taxonomy},
    };

    use super::*;

    fn report(interval_method: &str) -> Report {
        let provenance = Provenance {
            plugin: "toy".to_owned(),
            plugin_version: 1,
            rival10_version: "0".to_owned(),
            profile: "strict".to_owned(),
            seed: 0,
            trials: 0,
            n: 8,
            models: Vec::new(),
            data: String::new(),
            parameters: BTreeMap::new(),
        };
        let estimate = Estimate {
            name: "score".to_owned(),
            model: None,
            value: Some(0.5),
            interval: Some((0.4, 0.6)),
            interval_method: interval_method.to_owned(),
            n: 7,
        };
        Report { provenance, headline: vec![estimate], tables: Vec::new(), notes: Vec::new() }
    }

    #[test]
    fn classes_of_one_image_are_named_where_intervals_resample_within_classes() {
        // Seven scenes of three classes, and a fourth class with one; a fifth has none.
        let toys = taxonomy(5, 0);
        let mut samples: Vec<Sample> = Scenes::ordinary(&taxonomy(3, 0), 7).samples().to_vec();
        let mut own = samples[0].clone();
        own.class = 3;
        samples.push(own);
        let note = of_single_images(&report(&interval_method()), &toys, &samples).unwrap();
        assert!(
            note.starts_with("Of 1 of 4 classes a single image takes part (class-3): intervals resample"),
            "{note}"
        );
        assert_eq!(of_single_images(&report(&interval_method()), &toys, &samples[..7]), None);
        assert_eq!(of_single_images(&report("of another kind"), &toys, &samples), None);
    }

    #[test]
    fn of_many_such_classes_some_are_named_and_the_rest_counted() {
        let toys = taxonomy(10, 0);
        // The last two of ten are of the ninth class.
        let scenes = Scenes::ordinary(&toys, 10);
        let note = of_single_images(&report(&interval_method()), &toys, scenes.samples()).unwrap();
        assert!(note.contains("Of 8 of 9 classes") && note.contains("class-4 and 3 more)"), "{note}");
    }
}
