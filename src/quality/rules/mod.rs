//! The rules.

mod attributes;
mod duplicates;
mod files;
mod labels;
mod masks;
mod people;
#[cfg(test)]
mod tests;

use super::{Needs, Rule, Severity};

/// Every rule.
pub const RULES: &[Rule] = &[
    Rule {
        code: "missing-file",
        severity: Severity::Error,
        says: "an image's file is not where it was",
        fix: "`rival10 relink DIR` finds moved and renamed files by their content",
        needs: Needs::Bytes,
        check: files::missing,
    },
    Rule {
        code: "changed-file",
        severity: Severity::Error,
        says: "an image's file is not the one that was imported, or can't be read",
        fix: "restore the file; masks and numbers belong to the picture that was imported",
        needs: Needs::Bytes,
        check: files::changed,
    },
    Rule {
        code: "wrong-size",
        severity: Severity::Error,
        says: "an image's file holds a picture of another size than the one that was imported",
        fix: "restore the file; masks of one size don't lie on a picture of another",
        needs: Needs::Bytes,
        check: files::resized,
    },
    Rule {
        code: "unreadable-orientation",
        severity: Severity::Warning,
        says: "an image's EXIF block says an orientation that there is none of, or breaks off before it",
        fix: "look whether the picture stands upright; mend its EXIF block and import it anew if not",
        needs: Needs::Bytes,
        check: files::orientation,
    },
    Rule {
        code: "missing-object",
        severity: Severity::Error,
        says: "an annotation has no object mask",
        fix: "draw it, or import it again with its masks",
        needs: Needs::Nothing,
        check: masks::missing_object,
    },
    Rule {
        code: "empty-mask",
        severity: Severity::Warning,
        says: "a mask was drawn and holds no pixel",
        fix: "draw it, or take the attribute's yes back; --fix takes the layer away where the answer is no",
        needs: Needs::Nothing,
        check: masks::empty,
    },
    Rule {
        code: "full-mask",
        severity: Severity::Warning,
        says: "a mask covers its whole image, so that there is no background",
        fix: "draw the outline",
        needs: Needs::Nothing,
        check: masks::full,
    },
    Rule {
        code: "yes-without-mask",
        severity: Severity::Error,
        says: "a localised attribute is yes and has no mask",
        fix: "draw the attribute's layer, or answer no",
        needs: Needs::Nothing,
        check: attributes::yes_without_mask,
    },
    Rule {
        code: "mask-without-yes",
        severity: Severity::Error,
        says: "an attribute has a mask and is not yes",
        fix: "answer yes (--fix does where nobody judged it), or empty the layer",
        needs: Needs::Nothing,
        check: attributes::mask_without_yes,
    },
    Rule {
        code: "part-outside-object",
        severity: Severity::Warning,
        says: "an attribute's mask reaches outside the object's by more than a twentieth of itself",
        fix: "intersect the attribute's layer with the object, or complete the object",
        needs: Needs::Nothing,
        check: masks::outside_object,
    },
    Rule {
        code: "specks",
        severity: Severity::Note,
        says: "a mask has parts of at most 4 pixels and a hundredth of itself, apart from the rest",
        fix: "erase them; --fix does",
        needs: Needs::Nothing,
        check: masks::specks,
    },
    Rule {
        code: "pinholes",
        severity: Severity::Note,
        says: "a mask has holes of at most 4 pixels and a hundredth of itself",
        fix: "fill them; --fix does",
        needs: Needs::Nothing,
        check: masks::pinholes,
    },
    Rule {
        code: "touches-all-borders",
        severity: Severity::Note,
        says: "an object touches all four borders of its image without filling it",
        fix: "look whether the mask is inverted, or the background marked",
        needs: Needs::Nothing,
        check: masks::touches_all_borders,
    },
    Rule {
        code: "copied-mask",
        severity: Severity::Warning,
        says: "a mask is the same to the pixel as one on another picture",
        fix: "draw it on the picture that it belongs to",
        needs: Needs::Nothing,
        check: masks::copied,
    },
    Rule {
        code: "improbable-attribute",
        severity: Severity::Note,
        says: "an attribute is answered as for at most 1 in 200 instances of the class",
        fix: "look at it again: rare answers are often slips",
        needs: Needs::Nothing,
        check: attributes::improbable,
    },
    Rule {
        code: "label-contradicted",
        severity: Severity::Warning,
        says: "a model (--model) that has not learned from the label holds another class as likely as images that bear it",
        fix: "look at the image: the plainest contradictions come first; mend the class where it is wrong, keep it where not",
        needs: Needs::Opinion,
        check: labels::contradicted,
    },
    Rule {
        code: "annotator-area",
        severity: Severity::Warning,
        says: "an annotator's objects are 1.5 times as large, or as small, as is usual for their classes",
        fix: "look at some together (`rival10 audit --annotators`), and agree on where objects end",
        needs: Needs::Nothing,
        check: people::area,
    },
    Rule {
        code: "annotator-time",
        severity: Severity::Warning,
        says: "an annotator takes a quarter of the others' time for an annotation, or four times as much",
        fix: "look at some together: haste and hesitation both show in masks",
        needs: Needs::Nothing,
        check: people::time,
    },
    Rule {
        code: "split-leak",
        severity: Severity::Error,
        says: "the same picture stands in two splits",
        fix: "remove it from one of them: a test image that was trained on tests nothing",
        needs: Needs::Nothing,
        check: duplicates::split_leak,
    },
    Rule {
        code: "duplicate-image",
        severity: Severity::Warning,
        says: "the same picture stands in a split twice",
        fix: "remove one of them, or keep both on purpose",
        needs: Needs::Nothing,
        check: duplicates::duplicate,
    },
    Rule {
        code: "near-split-leak",
        severity: Severity::Error,
        says: "a picture looks the same as one in another split: re-encoded, resized or mirrored",
        fix: "remove it from one of them: a test image that was trained on tests nothing",
        needs: Needs::Pixels,
        check: duplicates::near_split_leak,
    },
    Rule {
        code: "near-duplicate",
        severity: Severity::Warning,
        says: "a picture looks the same as another in its split: re-encoded, resized or mirrored",
        fix: "remove one of them, or keep both on purpose",
        needs: Needs::Pixels,
        check: duplicates::near_duplicate,
    },
];
