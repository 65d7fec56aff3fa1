//! How far annotators agree, as `audit` finds it, with the masks that differ most.

use std::collections::HashMap;

use rival10_imaging::{Limits, decode};
use rival10_sdk::{Mask, Size, Table};
use rival10_stats::{Coefficient, masks};
use serde_json::Value;

use super::tiles::{OTHER, OUTLINE, cropped, outlined, tile};
use crate::{
    domain::{ImageRecord, Layer, Progress},
    formats::DEFAULT_MAX_PIXELS,
    ops::{
        AuditRequest, OpsError, Project,
        audit::{Audit, AuditGroup, AuditPerson, WorstMask, audit, layer_named},
    },
    report::{Case, Part, Pictures},
    store::{AnnotationFilter, ImageFilter},
};

/// Masks that are shown.
const WORST: usize = 8;

/// The part of the page.
pub(super) fn part(project: &Project, progress: &dyn Progress) -> Result<Part, OpsError> {
    let empty =
        Part { name: "agreement".to_owned(), heading: "How far annotators agree".to_owned(), ..Part::default() };
    let request = AuditRequest { worst: WORST, ..AuditRequest::default() };
    let audit = match audit(project, &request, progress) {
        Ok(audit) => audit,
        // Nobody to compare is no fault of a report.
        Err(OpsError::Refused(reason)) => {
            return Ok(Part { paragraphs: vec![format!("Nothing to compare: {reason}.")], ..empty });
        }
        Err(error) => return Err(error),
    };
    let paragraphs = vec![format!(
        "{} images have annotations by two or more of {}. Masks are compared by overlap and by the distance of their \
         outlines, answers beyond what chance would make equal.",
        audit.images,
        audit.annotators.join(", ")
    )];
    let pictures = worst(project, &audit.worst)?;
    Ok(Part { paragraphs, tables: tables(&audit), pictures: vec![pictures], notes: notes(&audit), ..empty })
}

/// What is left out, and what a reader must know.
pub(super) fn notes(audit: &Audit) -> Vec<String> {
    let mut notes: Vec<String> =
        audit.left_out.iter().map(|(reason, times)| format!("{times} annotations are left out: {reason}.")).collect();
    if audit.both_empty > 0 {
        notes.push(format!("{} pairs of masks are both empty and left out.", audit.both_empty));
    }
    let alone: u64 = audit.drawn_by_one.values().sum();
    if alone > 0 {
        notes.push(format!("{alone} masks were drawn by one of two alone; that is scored as presence."));
    }
    notes.extend(audit.warnings.iter().map(|warning| format!("{warning}.")));
    notes
}

/// The tables of an audit, agreement by layer first.
pub(super) fn tables(audit: &Audit) -> Vec<Table> {
    let mut tables = vec![groups("layers", "layer", "Masks of each layer", &audit.layers, audit.tolerance)];
    for (name, heading, groups_of, caption) in [
        ("pairs", "pair", &audit.pairs, "Masks of each two annotators"),
        ("classes", "class", &audit.classes, "Masks of each class"),
        ("days", "day", &audit.days, "Masks by the day of the later annotation (UTC)"),
    ] {
        if groups_of.len() > 1 {
            tables.push(groups(name, heading, caption, groups_of, audit.tolerance));
        }
    }
    tables.extend(presence(audit));
    tables.push(people(&audit.people));
    tables.retain(|table| !table.rows.is_empty());
    tables
}

fn groups(name: &str, heading: &str, caption: &str, groups: &[AuditGroup], tolerance: f64) -> Table {
    let caption = format!(
        "{caption}: IoU, Dice, boundary IoU (a band of 2% of the diagonal), 95th percentile Hausdorff distance in pixels, and \
         the share of the outlines within {tolerance} pixels of each other (NSD)."
    );
    masks::table(name, heading, caption, groups.iter().map(|group| (group.name.as_str(), &group.summary)))
}

fn presence(audit: &Audit) -> Option<Table> {
    let known: Vec<&str> = Coefficient::ALL
        .into_iter()
        .map(Coefficient::name)
        .filter(|name| audit.attributes.iter().any(|attribute| attribute.coefficients.contains_key(name)))
        .collect();
    if audit.attributes.is_empty() {
        return None;
    }
    let mut columns: Vec<String> = ["attribute", "judged", "share of yes"].map(str::to_owned).to_vec();
    columns.extend(known.iter().flat_map(|name| [(*name).to_owned(), format!("{name} low"), format!("{name} high")]));
    columns.push("rare".to_owned());
    let row = |attribute: &crate::ops::AuditAttribute| {
        let mut row: Vec<Value> =
            vec![attribute.name.as_str().into(), attribute.instances.into(), attribute.prevalence.into()];
        for name in &known {
            let (value, interval) = attribute.coefficients.get(name).copied().unwrap_or((None, None));
            row.extend([value.into(), interval.map(|i| i[0]).into(), interval.map(|i| i[1]).into()]);
        }
        row.push(if attribute.rare { "rare" } else { "" }.into());
        row
    };
    Some(Table {
        name: "presence".to_owned(),
        caption: "Answers whether an attribute is there, with 95% bootstrap intervals. Where an attribute is rare, kappa says \
                  little: look at AC1."
            .to_owned(),
        columns,
        rows: audit.attributes.iter().map(row).collect(),
    })
}

fn people(people: &[AuditPerson]) -> Table {
    let row = |person: &AuditPerson| -> Vec<Value> {
        vec![
            person.name.as_str().into(),
            person.standing.into(),
            person.masks.as_ref().map(|masks| masks.iou).into(),
            person.area_ratio.into(),
            person.presence.into(),
        ]
    };
    Table {
        name: "people".to_owned(),
        caption: "Each annotator against the others, the least agreed-with first: the mean of IoU and equal answers, the IoU, \
                  the median of the own area over the other's, the share of equal answers."
            .to_owned(),
        columns: ["annotator", "agreement", "IoU", "area ratio", "equal answers"].map(str::to_owned).to_vec(),
        rows: people.iter().map(row).collect(),
    }
}

/// The masks that differ most, both outlines on the picture.
pub(super) fn worst(project: &Project, differing: &[WorstMask]) -> Result<Pictures, OpsError> {
    let images: HashMap<String, ImageRecord> =
        project.store.images(&ImageFilter::default())?.into_iter().map(|image| (image.path.clone(), image)).collect();
    let mut cases = Vec::new();
    for mask in differing {
        if let Some(image) = images.get(&mask.image) {
            cases.extend(case(project, image, mask)?);
        }
    }
    Ok(Pictures {
        title: "The masks that differ most".to_owned(),
        note: "Blue is the outline of the first annotator, orange that of the second; the right picture is the part where \
               either has drawn."
            .to_owned(),
        cases,
    })
}

fn case(project: &Project, image: &ImageRecord, worst: &WorstMask) -> Result<Option<Case>, OpsError> {
    let layer: Layer = layer_named(project.store.taxonomy(), &worst.layer)?;
    let annotations =
        project.store.annotations(&AnnotationFilter { image: Some(image.id), ..AnnotationFilter::default() })?;
    let by = |name: &String| -> Option<Mask> {
        let own = annotations.iter().find(|a| a.annotator == *name && a.ordinal + 1 == worst.instance)?;
        own.masks.get(&layer).cloned()
    };
    let [Some(first), Some(second)] = [by(&worst.annotators[0]), by(&worst.annotators[1])] else { return Ok(None) };
    let bytes = std::fs::read(&image.file).map_err(OpsError::io(&image.file))?;
    let limits = Limits { max_pixels: DEFAULT_MAX_PIXELS };
    let (picture, _) =
        decode(&bytes, limits).map_err(|e| OpsError::Refused(format!("{}: {e}", image.file.display())))?;
    if picture.size != first.size() || picture.size != second.size() {
        return Ok(None);
    }
    let whole = outlined(&picture, &[(&first, OUTLINE), (&second, OTHER)]);
    let names = worst.annotators.join(" and ");
    let mut tiles = vec![tile(
        &whole,
        format!("{}: the outlines of {} by {names}", worst.image, worst.layer),
        format!("{}, IoU {:.3}, boundary IoU {:.3}", worst.layer, worst.iou, worst.boundary_iou),
    )?];
    if let Some((from, to)) = around(&first, &second) {
        let [near_first, near_second] = [&first, &second].map(|mask| part_of(mask, from, to));
        let near = outlined(&cropped(&picture, from, to), &[(&near_first, OUTLINE), (&near_second, OTHER)]);
        tiles.push(tile(&near, format!("the part of {} where either has drawn", worst.image), "nearer".to_owned())?);
    }
    let instance = if worst.instance == 1 { String::new() } else { format!(" #{}", worst.instance) };
    Ok(Some(Case { heading: format!("{}{instance}, {}", worst.image, worst.annotators.join(" / ")), tiles }))
}

/// The part of `mask` within `from` and `to`.
fn part_of(mask: &Mask, from: (u32, u32), to: (u32, u32)) -> Mask {
    let (bits, width) = (mask.to_bitmap(), mask.size().width as usize);
    Mask::from_fn(Size::new(to.0 - from.0, to.1 - from.1), |x, y| {
        bits[(y + from.1) as usize * width + (x + from.0) as usize] != 0
    })
}

/// The corners of what either mask covers, with a margin; none if it is nothing, or most of the picture.
fn around(a: &Mask, b: &Mask) -> Option<((u32, u32), (u32, u32))> {
    let size = a.size();
    let boxes: Vec<_> = [a, b].into_iter().filter_map(Mask::bbox).collect();
    let left = boxes.iter().map(|b| b.x).min()?;
    let top = boxes.iter().map(|b| b.y).min()?;
    let right = boxes.iter().map(|b| b.x + b.width).max()?;
    let bottom = boxes.iter().map(|b| b.y + b.height).max()?;
    let margin = ((right - left).max(bottom - top) / 6).max(8);
    let from = (left.saturating_sub(margin), top.saturating_sub(margin));
    let to = ((right + margin).min(size.width), (bottom + margin).min(size.height));
    let share = f64::from(to.0 - from.0) * f64::from(to.1 - from.1) / (f64::from(size.width) * f64::from(size.height));
    (share < 0.6).then_some((from, to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearer_picture_holds_what_either_has_drawn() {
        let size = Size::new(200, 100);
        let square =
            |at: u32| Mask::from_fn(size, move |x, y| (at..at + 20).contains(&x) && (at..at + 20).contains(&y));
        let (a, b) = (square(30), square(40));
        let (from, to) = around(&a, &b).unwrap();
        assert_eq!((from, to), ((22, 22), (68, 68)));
        assert_eq!(part_of(&a, from, to).area(), a.area());
        assert_eq!(around(&Mask::empty(size), &Mask::empty(size)), None);
        assert_eq!(around(&Mask::full(size), &a), None, "nothing is nearer than the picture");
    }
}
