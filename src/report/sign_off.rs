//! The sheet that a delivery of masks is signed off on: what was required, what a sample of it says, and who answers for it.

use askama::Template;
use rival10_sdk::Table;

use super::{
    PageError, Pictures, methods,
    number::{Style, count},
    table::Shown,
    view::{Frame, PicturesView},
};

/// What the sheet says.
#[derive(Clone, Debug, Default)]
pub struct SignOff {
    /// The project.
    pub title: String,
    /// What the compared masks of an image must reach, such as `iou >= 0.85`.
    pub requirement: String,
    /// The layer that was compared; none for all.
    pub layer: Option<String>,
    /// Who was compared.
    pub annotators: Vec<String>,
    /// The share of images that must reach it.
    pub share_required: f64,
    /// Images that could be compared.
    pub images: u64,
    /// Images that were drawn of them.
    pub sampled: u64,
    /// Drawn images that reach it.
    pub passed: u64,
    /// `passed` of `sampled`; none without images.
    pub share: Option<f64>,
    /// No less than this share of all images reaches it, as sure as `confidence` says.
    pub lower_bound: f64,
    /// How sure the bound is.
    pub confidence: f64,
    /// Whether it holds.
    pub holds: bool,
    /// How the sample was drawn.
    pub drawn: String,
    /// The agreement in numbers, the most important table first.
    pub tables: Vec<Table>,
    /// The worst masks.
    pub worst: Pictures,
    /// What a reader must know.
    pub notes: Vec<String>,
    /// The command that gives the same sheet again.
    pub command: String,
    /// What the numbers were made from, by name.
    pub digests: Vec<(String, String)>,
}

#[derive(Template)]
#[template(path = "sign_off.html", config = "src/report/askama.toml")]
struct SignOffView {
    frame: Frame,
    title: String,
    subtitle: String,
    holds: bool,
    verdict: String,
    sentence: String,
    drawn: String,
    bound: &'static str,
    bound_url: &'static str,
    tables: Vec<Shown>,
    pictures: Option<PicturesView>,
    notes: Vec<String>,
    command: String,
    digests: Vec<(String, String)>,
    version: &'static str,
}

/// The sheet as one HTML document.
///
/// # Errors
/// [`PageError`] if a template fails.
pub fn sign_off(sheet: &SignOff) -> Result<String, PageError> {
    let percent = |share: f64| format!("{:.1}%", 100.0 * share);
    let bound = methods::reference("bound");
    let whole = sheet.sampled == sheet.images;
    let seen = sheet.share.map_or_else(|| "none could be compared".to_owned(), percent);
    let sample = if whole { "all there are" } else { "a sample" };
    let sure = if whole {
        String::new()
    } else {
        format!(
            " At least {} of all {} images reach it, with {:.0}% confidence (lower bound of Clopper and Pearson).",
            percent(sheet.lower_bound),
            count(sheet.images),
            100.0 * sheet.confidence
        )
    };
    let view = SignOffView {
        frame: Frame::new(),
        title: sheet.title.clone(),
        subtitle: "sign-off of masks".to_owned(),
        holds: sheet.holds,
        verdict: if sheet.holds { "The requirement holds." } else { "The requirement does not hold." }.to_owned(),
        sentence: format!(
            "{} of {} images ({sample}) reach {}: {seen}.{sure} Required: {}.",
            count(sheet.passed),
            count(sheet.sampled),
            sheet.requirement.replace(">=", "\u{2265}").replace("<=", "\u{2264}"),
            percent(sheet.share_required)
        ),
        drawn: sheet.drawn.clone(),
        bound: if whole { "" } else { bound.map_or("", |work| work.text) },
        bound_url: bound.map_or("", |work| work.url),
        tables: sheet.tables.iter().map(|table| Shown::of(table, &format!("sign-off-{}", table.name))).collect(),
        pictures: (!sheet.worst.cases.is_empty()).then(|| PicturesView::of(&sheet.worst)),
        notes: sheet.notes.clone(),
        command: sheet.command.clone(),
        digests: [
            vec![
                ("compared".to_owned(), sheet.layer.clone().unwrap_or_else(|| "every layer".to_owned())),
                ("annotators".to_owned(), sheet.annotators.join(", ")),
                ("bound".to_owned(), Style::Fraction.write(sheet.lower_bound)),
            ],
            sheet.digests.clone(),
        ]
        .concat(),
        version: env!("CARGO_PKG_VERSION"),
    };
    Ok(view.render()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sheet_says_what_holds_of_a_sample_and_of_all() {
        let sheet = SignOff {
            title: "photos".to_owned(),
            requirement: "iou >= 0.85".to_owned(),
            images: 300,
            sampled: 100,
            passed: 100,
            share: Some(1.0),
            lower_bound: 0.9705,
            confidence: 0.95,
            share_required: 0.95,
            holds: true,
            ..SignOff::default()
        };
        let html = sign_off(&sheet).unwrap();
        for expected in [
            "The requirement holds.",
            "100 of 100 images (a sample) reach iou ≥ 0.85: 100.0%.",
            "At least 97.0% of all 300 images",
            "Required: 95.0%.",
            "Signature",
        ] {
            assert!(html.contains(expected), "{expected} is missing");
        }
        let all = SignOff { sampled: 300, holds: false, ..sheet };
        let html = sign_off(&all).unwrap();
        assert!(html.contains("does not hold") && html.contains("all there are") && !html.contains("Clopper"));
    }
}
