//! The two tables that a run fills.

use rival10_sdk::{Column, Kind};

/// One row for each two annotators' masks of a layer.
pub const MASKS: &[Column] = &[
    Column::key("image", Kind::Int, "the image's number"),
    Column::key("model", Kind::Text, "empty: no model takes part"),
    Column::key("instance", Kind::Int, "the object's place in its image, from 1"),
    Column::key("layer", Kind::Text, "object, or the attribute"),
    Column::key("first", Kind::Text, "one annotator"),
    Column::key("second", Kind::Text, "another, later in the alphabet"),
    Column::value(
        "iou",
        Kind::Float,
        "intersection over union, 0 to 1; null if both masks are empty, as all that follow",
    ),
    Column::value("dice", Kind::Float, "twice the intersection over the sum of the areas, 0 to 1"),
    Column::value("boundary_iou", Kind::Float, "IoU of the inner bands of 2% of the diagonal, 0 to 1"),
    Column::value("hd95", Kind::Float, "95th percentile Hausdorff distance in pixels; null also if one mask is empty"),
    Column::value("nsd", Kind::Float, "share of the outlines within the tolerance of each other, 0 to 1"),
    Column::value("area_first", Kind::Int, "pixels that the one marked"),
    Column::value("area_second", Kind::Int, "pixels that the other marked"),
];

/// One row for each annotator's answer.
pub const PRESENCE: &[Column] = &[
    Column::key("image", Kind::Int, "the image's number"),
    Column::key("model", Kind::Text, "empty: no model takes part"),
    Column::key("instance", Kind::Int, "the object's place in its image, from 1"),
    Column::key("attribute", Kind::Text, "the attribute"),
    Column::key("annotator", Kind::Text, "who answered"),
    Column::value("said", Kind::Int, "1 for yes, 0 for no; what was left open has no row"),
];
