//! Rules about pictures that stand in a data set more than once.

use std::collections::{BTreeMap, BTreeSet};

use super::super::{Breach, Report, View, looks};
use crate::domain::{ContentHash, ImageRecord};

pub(super) fn split_leak(view: &View<'_>, report: &mut Report<'_>) {
    for same in same_pictures(view).values() {
        let splits: BTreeSet<&str> = same.iter().map(|image| image.split.as_str()).collect();
        if splits.len() > 1 {
            let splits: Vec<&str> = splits.into_iter().collect();
            let text = format!("is the same picture as {} (splits {})", others(same), splits.join(", "));
            report(breach(same[0], text));
        }
    }
}

pub(super) fn duplicate(view: &View<'_>, report: &mut Report<'_>) {
    for same in same_pictures(view).values() {
        if same.len() > 1 && same.iter().all(|image| image.split == same[0].split) {
            report(breach(same[0], format!("is the same picture as {}", others(same))));
        }
    }
}

pub(super) fn near_split_leak(view: &View<'_>, report: &mut Report<'_>) {
    near(view, |a, b| a.split != b.split, report);
}

pub(super) fn near_duplicate(view: &View<'_>, report: &mut Report<'_>) {
    near(view, |a, b| a.split == b.split, report);
}

/// Pictures that look the same and are not the same file, of which `wanted` holds.
fn near(view: &View<'_>, wanted: impl Fn(&ImageRecord, &ImageRecord) -> bool, report: &mut Report<'_>) {
    let all: Vec<_> = view.files.iter().map(|facts| facts.look.as_ref()).collect();
    for alike in looks::alike(&all) {
        let (first, second) = (&view.images[alike.first], &view.images[alike.second]);
        if first.content != second.content && wanted(first, second) {
            let how = if alike.mirrored { "looks like a mirror image of" } else { "looks the same as" };
            let splits = if first.split == second.split {
                String::new()
            } else {
                format!(" (splits {}, {})", second.split, first.split)
            };
            report(breach(second, format!("{how} {}{splits}", first.path)));
        }
    }
}

fn breach(image: &ImageRecord, text: String) -> Breach {
    Breach { image: Some(image.id), layer: None, subject: image.path.clone(), text, repair: None }
}

/// The images with the same content.
fn same_pictures<'a>(view: &View<'a>) -> BTreeMap<ContentHash, Vec<&'a ImageRecord>> {
    let mut same: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for image in view.images {
        same.entry(image.content).or_default().push(image);
    }
    same
}

fn others(same: &[&ImageRecord]) -> String {
    same[1..].iter().map(|image| image.path.as_str()).collect::<Vec<_>>().join(", ")
}
