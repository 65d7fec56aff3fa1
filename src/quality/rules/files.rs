//! Rules about image files.

use super::super::{Breach, FileState, Report, View};

/// Reports what `look` says of an image's file.
fn each_file(view: &View<'_>, report: &mut Report<'_>, look: impl Fn(&super::super::FileFacts) -> Option<String>) {
    for (image, facts) in view.images.iter().zip(view.files) {
        if let Some(text) = look(facts) {
            report(Breach { image: Some(image.id), layer: None, subject: image.path.clone(), text, repair: None });
        }
    }
}

pub(super) fn missing(view: &View<'_>, report: &mut Report<'_>) {
    for (image, facts) in view.images.iter().zip(view.files) {
        if facts.state == FileState::Missing {
            let text = format!("{} is not there", image.file.display());
            report(Breach { image: Some(image.id), layer: None, subject: image.path.clone(), text, repair: None });
        }
    }
}

pub(super) fn changed(view: &View<'_>, report: &mut Report<'_>) {
    each_file(view, report, |facts| match &facts.state {
        FileState::Changed(how) => Some(format!("the file has changed: {how}")),
        FileState::Unreadable(why) => Some(format!("the file can't be read: {why}")),
        FileState::Intact | FileState::Missing | FileState::Resized(_) => None,
    });
}

pub(super) fn resized(view: &View<'_>, report: &mut Report<'_>) {
    for (image, facts) in view.images.iter().zip(view.files) {
        if let FileState::Resized(now) = facts.state {
            let text = format!("the picture is now {now}, and its masks are {}", image.size);
            report(Breach { image: Some(image.id), layer: None, subject: image.path.clone(), text, repair: None });
        }
    }
}

pub(super) fn orientation(view: &View<'_>, report: &mut Report<'_>) {
    each_file(view, report, |facts| facts.exif.as_ref().map(|why| format!("{why}; it was taken as upright")));
}
