//! Rules about attributes.

use super::super::{Repair, Report, View};
use crate::domain::Presence;

/// So many instances of a class must have been judged before an answer can be improbable ...
const JUDGED: u64 = 200;
/// ... which it is if no more than one in so many gives it.
const ONE_IN: u64 = 200;

pub(super) fn yes_without_mask(view: &View<'_>, report: &mut Report<'_>) {
    view.each_attribute(report, |annotation, at, presence, mask| {
        let lacks = view.taxonomy.attributes[at].localised && presence == Presence::Yes && mask.is_none();
        lacks.then(|| view.breach(annotation, format!("{} is yes and has no mask", view.attribute(at)), None))
    });
}

pub(super) fn mask_without_yes(view: &View<'_>, report: &mut Report<'_>) {
    view.each_attribute(report, |annotation, at, presence, mask| {
        let drawn = presence != Presence::Yes && mask.is_some_and(|mask| !mask.is_empty());
        // What was drawn and never judged is there; what was judged absent and drawn is for a person to decide.
        let repair = (presence == Presence::NotJudged).then_some(Repair::Answer(annotation.id, at, Presence::Yes));
        drawn.then(|| view.breach(annotation, format!("{} has a mask and is not yes", view.attribute(at)), repair))
    });
}

pub(super) fn improbable(view: &View<'_>, report: &mut Report<'_>) {
    let (classes, attributes) = (view.taxonomy.classes.len(), view.taxonomy.attributes.len());
    // By class and attribute: how many say yes, and how many no.
    let mut said = vec![[0_u64; 2]; classes * attributes];
    for annotation in view.annotations.iter().filter(|annotation| annotation.class < classes) {
        for (at, presence) in annotation.attributes.iter().enumerate().take(attributes) {
            let counts = &mut said[annotation.class * attributes + at];
            counts[0] += u64::from(*presence == Presence::Yes);
            counts[1] += u64::from(*presence == Presence::No);
        }
    }
    view.each_attribute(report, |annotation, at, presence, _| {
        let [yes, no] = *said.get(annotation.class * attributes + at)?;
        let (given, word) = match presence {
            Presence::Yes => (yes, "yes"),
            Presence::No => (no, "no"),
            Presence::NotJudged => return None,
        };
        let rare = yes + no >= JUDGED && given * ONE_IN <= yes + no;
        let (class, attribute) = (view.class(annotation.class), view.attribute(at));
        rare.then(|| {
            let text = format!("{attribute} is {word}, as for {given} of {} instances of {class}", yes + no);
            view.breach(annotation, text, None)
        })
    });
}
