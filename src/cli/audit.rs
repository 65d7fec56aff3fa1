//! `rival10 audit`.

use std::path::PathBuf;

use super::{
    Outcome,
    shell::{Shell, counted, grouped},
};
use crate::ops::{self, Audit, AuditGroup, AuditRequest, MaskAgreement, SignOffRequest};

/// How far annotators agree, the worst masks first.
///
/// Every two annotators of an image are compared: masks by IoU, Dice, boundary IoU (a band of 2% of the diagonal), the 95th
/// percentile Hausdorff distance and the normalised surface distance (NSD); presence by raw agreement, kappa,
/// Krippendorff's alpha and Gwet's AC1 with bootstrap intervals.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  rival10 audit
  rival10 audit --layer object --below 0.8           every object mask on which two differ that much
  rival10 audit --annotators ada,bob --json
  rival10 audit --layer object --require iou=0.85 --sample 200
  rival10 audit --layer object --require iou=0.85 --sample 200 --page sign-off.html

With --require the sample's lower confidence bound must show that the share of images in --share
reaches it; the command exits with 1 where it does not. An image reaches it if each of its compared
masks does. Drafts and rejected annotations are left out and counted.")]
pub(super) struct Args {
    /// This layer alone: object, ignore or an attribute
    #[arg(long, value_name = "LAYER")]
    layer: Option<String>,
    /// These annotators alone [default: everybody but consensus]
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    annotators: Vec<String>,
    /// List every mask with an IoU below this, instead of the worst few
    #[arg(long, value_name = "IOU")]
    below: Option<f64>,
    /// How many of the worst masks are listed
    #[arg(long, value_name = "N", default_value_t = 10)]
    worst: usize,
    /// Outlines within so many pixels of each other count as one
    #[arg(long, value_name = "PIXELS", default_value_t = 2.0)]
    tolerance: f64,
    /// What the masks must reach: iou, dice, boundary-iou, nsd or hd95 (in pixels, no more than)
    #[arg(long, value_name = "METRIC=VALUE")]
    require: Option<String>,
    /// Images drawn to be held to it [default: all]
    #[arg(long, value_name = "N", requires = "require")]
    sample: Option<usize>,
    /// The share of images that must reach it
    #[arg(long, value_name = "SHARE", default_value_t = 0.95, requires = "require")]
    share: f64,
    /// Write the page that is signed off on: what holds, the sample, the worst masks, who signs
    #[arg(long, value_name = "FILE.html", requires = "require")]
    page: Option<PathBuf>,
    /// Resamples behind each interval
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    resamples: usize,
}

pub(super) fn run(args: &Args, shell: &Shell) -> anyhow::Result<Outcome> {
    let request = AuditRequest {
        layer: args.layer.clone(),
        annotators: args.annotators.clone(),
        below: args.below,
        worst: args.worst,
        tolerance: args.tolerance,
        require: args.require.clone(),
        sample: args.sample,
        share: args.share,
        seed: shell.seed(),
        resamples: args.resamples,
    };
    let project = shell.open()?;
    let audit = match &args.page {
        None => ops::audit(&project, &request, shell.progress())?,
        Some(page) => {
            let request = SignOffRequest { audit: request, out: page.clone() };
            ops::sign_off(&project, &request, shell.progress())?
        }
    };
    if shell.json() {
        shell.print_json(&audit)?;
    } else {
        print(&audit, shell)?;
    }
    Ok(if audit.required.as_ref().is_none_or(|required| required.holds) { Outcome::Done } else { Outcome::DoesNotHold })
}

fn print(audit: &Audit, shell: &Shell) -> anyhow::Result<()> {
    shell.print(format!(
        "{} with annotations by two or more of {}",
        counted(audit.images, "image"),
        audit.annotators.join(", ")
    ))?;
    groups("layer", &audit.layers, audit.all.as_ref().map(|all| ("all", all)), shell)?;
    let several = |groups: &'_ [AuditGroup]| groups.len() > 1;
    for (heading, part) in [("class", &audit.classes), ("pair", &audit.pairs), ("day", &audit.days)] {
        if several(part) {
            groups(heading, part, None, shell)?;
        }
    }
    presence(audit, shell)?;
    people(audit, shell)?;
    worst(audit, shell)?;
    left_out(audit, shell)?;
    for warning in &audit.warnings {
        shell.print(format!("note: {warning}"))?;
    }
    if let Some(required) = &audit.required {
        shell.print(format!(
            "\n{}: {} of {} sampled images ({}){}; at least {} of all {} with {:.0}% confidence, {} required: {}",
            required.requirement,
            grouped(required.passed),
            grouped(required.sampled),
            percent(required.share),
            if required.sampled == required.images { ", which are all" } else { "" },
            percent(Some(required.lower_bound)),
            grouped(required.images),
            100.0 * required.confidence,
            percent(Some(required.share_required)),
            if required.holds { "holds" } else { "DOES NOT HOLD" }
        ))?;
    }
    Ok(())
}

fn groups(
    heading: &str,
    groups: &[AuditGroup],
    all: Option<(&str, &MaskAgreement)>,
    shell: &Shell,
) -> anyhow::Result<()> {
    if groups.is_empty() {
        return Ok(());
    }
    let named = groups.iter().map(|group| (group.name.as_str(), &group.summary));
    let rows: Vec<Vec<String>> = named
        .chain(all.filter(|_| groups.len() > 1))
        .map(|(name, of)| {
            let mut row = vec![name.to_owned(), grouped(of.masks)];
            row.extend([of.iou, of.iou_median, of.iou_low, of.dice, of.boundary_iou].map(three));
            row.extend([of.hd95.map_or_else(|| "∞".to_owned(), |hd95| format!("{hd95:.1}")), three(of.nsd)]);
            row
        })
        .collect();
    shell.print("")?;
    let columns = [heading, "masks", "IoU", "median", "95% above", "Dice", "boundary IoU", "HD95 median", "NSD"];
    Ok(shell.print_table(&columns, &rows)?)
}

fn presence(audit: &Audit, shell: &Shell) -> anyhow::Result<()> {
    if audit.attributes.is_empty() {
        return Ok(());
    }
    let names = ["raw agreement", "Cohen's kappa", "Fleiss' kappa", "Krippendorff's alpha", "Gwet's AC1"];
    let shown: Vec<&str> = names
        .into_iter()
        .filter(|name| audit.attributes.iter().any(|attribute| attribute.coefficients.contains_key(name)))
        .collect();
    let rows: Vec<Vec<String>> = audit
        .attributes
        .iter()
        .map(|attribute| {
            let mut row =
                vec![attribute.name.clone(), grouped(attribute.instances), percent(Some(attribute.prevalence))];
            row.extend(shown.iter().map(|name| match attribute.coefficients.get(name) {
                Some((Some(value), Some([low, high]))) => format!("{value:.2} ({low:.2} to {high:.2})"),
                Some((Some(value), None)) => format!("{value:.2}"),
                _ => "–".to_owned(),
            }));
            row.push(if attribute.rare { "rare".to_owned() } else { String::new() });
            row
        })
        .collect();
    let mut columns = vec!["presence of", "judged", "yes"];
    columns.extend(shown);
    columns.push("");
    shell.print("")?;
    Ok(shell.print_table(&columns, &rows)?)
}

fn people(audit: &Audit, shell: &Shell) -> anyhow::Result<()> {
    let rows: Vec<Vec<String>> = audit
        .people
        .iter()
        .map(|person| {
            let alone = |of: fn(&ops::AttributeHabit) -> u64| {
                let mut habits: Vec<_> = person.attributes.iter().map(|(name, habit)| (of(habit), name)).collect();
                habits.retain(|(times, _)| *times > 0);
                habits.sort_by_key(|(times, _)| std::cmp::Reverse(*times));
                habits.iter().take(3).map(|(times, name)| format!("{name} {times}")).collect::<Vec<_>>().join(", ")
            };
            let quarters = person.drift.as_ref().map_or_else(
                || "–".to_owned(),
                |drift| drift.quarters.map(|quarter| format!("{quarter:.2}")).join(" "),
            );
            vec![
                person.name.clone(),
                person.standing.map_or_else(|| "–".to_owned(), three),
                person.masks.as_ref().map_or_else(|| "–".to_owned(), |masks| three(masks.iou)),
                person.area_ratio.map_or_else(|| "–".to_owned(), |ratio| format!("{ratio:.2}")),
                percent(person.presence),
                alone(|habit| habit.only_yes),
                alone(|habit| habit.only_no),
                quarters,
            ]
        })
        .collect();
    shell.print("")?;
    let columns =
        ["annotator", "agreement", "IoU", "area", "presence", "alone says yes", "alone says no", "IoU by quarter"];
    Ok(shell.print_table(&columns, &rows)?)
}

fn worst(audit: &Audit, shell: &Shell) -> anyhow::Result<()> {
    if let Some(below) = audit.below {
        shell.print(format!("\n{} below", counted(below, "mask")))?;
    }
    if audit.worst.is_empty() {
        return Ok(());
    }
    let rows: Vec<Vec<String>> = audit
        .worst
        .iter()
        .map(|mask| {
            let instance = if mask.instance == 1 { String::new() } else { format!(" #{}", mask.instance) };
            vec![
                format!("{}{instance}", mask.image),
                mask.layer.clone(),
                mask.annotators.join(" / "),
                three(mask.iou),
                three(mask.boundary_iou),
                mask.hd95.map_or_else(|| "∞".to_owned(), |hd95| format!("{hd95:.1}")),
                three(mask.nsd),
            ]
        })
        .collect();
    shell.print("")?;
    Ok(shell.print_table(&["worst masks", "layer", "pair", "IoU", "boundary IoU", "HD95", "NSD"], &rows)?)
}

fn left_out(audit: &Audit, shell: &Shell) -> anyhow::Result<()> {
    shell.print("")?;
    for (reason, times) in &audit.left_out {
        shell.print(format!("left out: {} ({reason})", counted(*times, "annotation")))?;
    }
    if audit.both_empty > 0 {
        shell.print(format!("left out: {} that are both empty", counted(audit.both_empty, "pair")))?;
    }
    let alone: u64 = audit.drawn_by_one.values().sum();
    if alone > 0 {
        let layers: Vec<String> =
            audit.drawn_by_one.iter().map(|(layer, times)| format!("{layer} {}", grouped(*times))).collect();
        shell.print(format!("drawn by one of two alone, scored as presence: {}", layers.join(", ")))?;
    }
    Ok(())
}

fn three(value: f64) -> String {
    format!("{value:.3}")
}

fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| "–".to_owned(), |share| format!("{:.1}%", 100.0 * share))
}
