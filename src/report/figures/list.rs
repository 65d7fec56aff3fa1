//! The list: which table of which analysis is drawn, and how.

use super::Form;
use crate::report::ink::{BACKGROUND, FOREGROUND};

/// A table that is drawn.
pub(super) struct Spec {
    /// The analysis, or the part of the page, whose table it is.
    pub(super) analysis: &'static str,
    pub(super) table: &'static str,
    pub(super) title: &'static str,
    /// How to read it.
    pub(super) note: &'static str,
    pub(super) form: Form,
}

/// Every figure, in the order of the page.
pub(super) const FIGURES: &[Spec] = &[
    Spec {
        analysis: "noise-sensitivity",
        table: "by-level",
        title: "Accuracy under noise",
        note: "The wider the gap between the two lines, the more the network rests on the region whose line falls lower. \
               Bands are the intervals.",
        form: Form::Curves {
            x: "level",
            y: "accuracy",
            lines: &[
                ("foreground noise", "noise on object", FOREGROUND),
                ("background noise", "noise behind it", BACKGROUND),
            ],
        },
    },
    Spec {
        analysis: "noise-sensitivity",
        table: "by-model",
        title: "Foreground against background",
        note: "Accuracy under noise on the background (across) and on the foreground (upwards), over all levels. A network \
               above the line loses more by noise behind the object than on it.",
        form: Form::Scatter {
            x: "background noise",
            y: "foreground noise",
            sides: ("loses more by noise behind", "loses more by noise on the object"),
        },
    },
    Spec {
        analysis: "noise-sensitivity",
        table: "by-model",
        title: "Relative foreground sensitivity by model",
        note: "Over all levels. Above 0 a network rests on the object, below 0 on what is behind it.",
        form: Form::Models { estimate: "RFS", percent: false },
    },
    Spec {
        analysis: "noise-sensitivity",
        table: "by-level",
        title: "Relative foreground sensitivity by level",
        note: "Above 0 a network loses more by noise on the object, below 0 by noise behind it.",
        form: Form::Lines { x: "level", estimate: "RFS" },
    },
    Spec {
        analysis: "noise-sensitivity",
        table: "irfs-distribution",
        title: "Images by their own sensitivity (floored iRFS)",
        note: "Images to the left of 0 lose more probability by noise behind the object.",
        form: Form::Histogram { from: "from", to: "to", count: "images by floored iRFS", x: "floored iRFS" },
    },
    Spec {
        analysis: "noise-sensitivity",
        table: "by-class",
        title: "Relative foreground sensitivity by class",
        note: "Of the images of each true class.",
        form: Form::Bars { name: &["class"], estimate: "RFS", percent: false },
    },
    Spec {
        analysis: "ablation",
        table: "by-fill",
        title: "Accuracy lost without background or object",
        note: "By what stands in the place of what was taken away.",
        form: Form::Bars { name: &["without", "fill"], estimate: "accuracy drop", percent: true },
    },
    Spec {
        analysis: "ablation",
        table: "by-attribute",
        title: "What an attribute is worth",
        note: "Probability of the true class lost without the attribute, beyond what as many pixels elsewhere in the object \
               cost: above 0, the attribute matters more than its area.",
        form: Form::Bars { name: &["attribute", "fill"], estimate: "probability drop beyond control", percent: true },
    },
    Spec {
        analysis: "ablation",
        table: "by-attribute-and-class",
        title: "Attribute by class: probability lost without it",
        note: "In percent of probability of the true class; a dot where no image of the class has the attribute's mask.",
        form: Form::Heat {
            row: "attribute",
            column: "class",
            value: "probability drop",
            apart: &["fill"],
            percent: true,
        },
    },
    Spec {
        analysis: "ablation",
        table: "shapley",
        title: "What each region brings (Shapley values)",
        note: "Parts of the true class's probability, over all orders in which regions may be shown.",
        form: Form::Bars { name: &["region"], estimate: "Shapley value", percent: true },
    },
    Spec {
        analysis: "saliency-alignment",
        table: "alignment",
        title: "Saliency on the object by model (IoU)",
        note: "Of each model's first method.",
        form: Form::Models { estimate: "IoU", percent: false },
    },
    Spec {
        analysis: "saliency-alignment",
        table: "alignment",
        title: "Alignment: IoU",
        note: "Of the map above half of its maximum. The maps that need no network stand beside it: what they reach is the object's being in the middle.",
        form: Form::Bars { name: &["method"], estimate: "IoU", percent: false },
    },
    Spec {
        analysis: "saliency-alignment",
        table: "alignment",
        title: "Alignment: delta density",
        note: "Mean brightness inside the object less outside of it.",
        form: Form::Bars { name: &["method"], estimate: "delta density", percent: false },
    },
    Spec {
        analysis: "saliency-alignment",
        table: "alignment",
        title: "Alignment: average precision",
        note: "Of the map as a ranking of pixels.",
        form: Form::Bars { name: &["method"], estimate: "average precision", percent: false },
    },
    Spec {
        analysis: "saliency-alignment",
        table: "by-class",
        title: "Alignment by class (delta density)",
        note: "By the class that the map explains.",
        form: Form::Heat { row: "class", column: "method", value: "delta density", apart: &[], percent: false },
    },
    Spec {
        analysis: "spurious-features",
        table: "candidates",
        title: "Candidates: what their background moves",
        note: "The logarithm of the class's odds on images of other classes, beyond a control of equal area, when the background is pasted or swapped in.",
        form: Form::Bars { name: &["class", "background"], estimate: "transplanted", percent: false },
    },
    Spec {
        analysis: "neural-features",
        table: "units",
        title: "How well units mark attributes (IoU)",
        note: "The unit was chosen on one part of the images, and is scored on the other.",
        form: Form::Bars { name: &["attribute"], estimate: "IoU", percent: false },
    },
    Spec {
        analysis: "neural-features",
        table: "concepts",
        title: "How well directions tell attributes",
        note: "How often a linear direction tells features inside an attribute's mask from those outside; 50% is chance.",
        form: Form::Bars { name: &["attribute"], estimate: "accuracy", percent: true },
    },
    Spec {
        analysis: "mask-agreement",
        table: "by-layer",
        title: "Agreement of masks by layer",
        note: "Mean IoU of what two annotators drew of one layer.",
        form: Form::Bars { name: &["layer"], estimate: "IoU", percent: false },
    },
    Spec {
        analysis: "mask-agreement",
        table: "by-pair",
        title: "Agreement of masks by pair of annotators",
        note: "Mean IoU.",
        form: Form::Bars { name: &["pair"], estimate: "IoU", percent: false },
    },
    Spec {
        analysis: "study",
        table: "groups",
        title: "Groups: foreground against background",
        note: "Mean accuracy of each group's models under noise on the background (across) and on the foreground (upwards).",
        form: Form::Scatter {
            x: "background noise",
            y: "foreground noise",
            sides: ("loses more by noise behind", "loses more by noise on the object"),
        },
    },
    Spec {
        analysis: "study",
        table: "groups",
        title: "Groups: relative foreground sensitivity",
        note: "Means over each group's models.",
        form: Form::Models { estimate: "RFS", percent: false },
    },
    Spec {
        analysis: "study",
        table: "groups-by-level",
        title: "Groups: relative foreground sensitivity by level",
        note: "Means over each group's models.",
        form: Form::Lines { x: "level", estimate: "RFS" },
    },
    Spec {
        analysis: "data",
        table: "attribute-by-class",
        title: "How often a class has an attribute",
        note: "In percent of the images of the class that were judged.",
        form: Form::Heat { row: "attribute", column: "class", value: "share", apart: &[], percent: true },
    },
];
