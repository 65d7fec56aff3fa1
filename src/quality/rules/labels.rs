//! Rules about labels.

use rival10_stats::doubted;

use super::super::{Breach, Report, View};

/// Labels that a model contradicts with confidence; without a model's opinion none.
pub(super) fn contradicted(view: &View<'_>, report: &mut Report<'_>) {
    let Some(opinion) = view.opinion else { return };
    let known = opinion.of.iter().filter_map(|(id, row)| {
        let image = view.image(*id)?;
        Some((image, image.class?, row))
    });
    let known: Vec<_> = known.collect();
    let labels: Vec<usize> = known.iter().map(|(_, class, _)| *class).collect();
    let rows: Vec<Vec<f64>> = known.iter().map(|(.., row)| (*row).clone()).collect();
    for doubt in doubted(&labels, &rows) {
        let (image, class, _) = known[doubt.at];
        report(Breach {
            image: Some(image.id),
            layer: None,
            subject: image.path.clone(),
            text: format!(
                "labelled {}, which {} holds for {:.1}% likely; {} for {:.1}%, where images labelled so have {:.1}%",
                view.class(class),
                opinion.by,
                100.0 * doubt.of_label,
                view.class(doubt.class),
                100.0 * doubt.probability,
                100.0 * doubt.threshold
            ),
            repair: None,
        });
    }
}
