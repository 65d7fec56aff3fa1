//! Backgrounds that a classifier takes for a class: discovered on some images, confirmed by intervention on others.
//!
//! Discovery is cheap and proves nothing: of the images that a network takes for a class, those whose saliency falls beside
//! the object, and those whose probability suffers more from noise on the background than on the object, are grouped by what
//! lies under the saliency's peak, as the network's own features tell it. A group of a class is a candidate, and is frozen.
//! Confirmation takes images that discovery has not seen: the salient background is pasted on images of other classes, whole
//! backgrounds are swapped, and the salient background is taken away, each beside a control of equal area. A candidate is a
//! finding only if what is put on other images raises the class's odds more than its control does, by more than chance would
//! have it, over all candidates of all classes together.
//!
//! - [`rows`]: the tables that a run fills. `scene`: what of an image is looked at.
//! - `discover`: samples to the first phase's rows. [`groups`]: rows to candidates. `confirm`: interventions.
//! - `report`: rows to findings.

mod confirm;
mod discover;
pub mod groups;
mod report;
pub mod rows;
mod scene;

use rival10_attribution::{Method, Options, find};
use rival10_sdk::{
    Analysis, AnalysisError, Capabilities, Context, Division, Needs, Parameter, Phase, Plugin, Report, Rows, Sample,
    Settings, State, Study,
};

use crate::scene::Explainers;

/// The analysis, as the registry lists it.
pub const PLUGIN: Plugin = Plugin {
    name: "spurious-features",
    summary: "backgrounds that a network takes for a class, found on some images and confirmed by intervention on others",
    version: 1,
    parameters: &[
        Parameter {
            name: "method",
            help: "the method of attribution that says where the network looks; `rival10 models explain --list` tells them",
            default: "grad_cam",
        },
        Parameter {
            name: "division",
            help: "which images discover and which confirm: split (those of split train discover, all others confirm), halves \
                   (drawn by content), or auto (split where the run has both, else halves)",
            default: "auto",
        },
        Parameter {
            name: "worst",
            help: "share of the images taken for a class that is looked at, worst alignment first, and as much by the noise \
                   gap; above 0 and at most 1",
            default: "0.5",
        },
        Parameter { name: "groups", help: "groups that a class's backgrounds are divided into, 1 to 20", default: "2" },
        Parameter {
            name: "members",
            help: "least images of a group that is a candidate, and of those that confirm it, 2 to 1000",
            default: "5",
        },
        Parameter {
            name: "share",
            help: "share of the background, its most salient pixels, that is taken away and pasted; above 0 and at most 0.5",
            default: "0.25",
        },
        Parameter {
            name: "crop",
            help: "side of the crop around the saliency's peak, by which backgrounds are grouped, as a share of the shorter \
                   side; above 0 and at most 1",
            default: "0.4",
        },
        Parameter {
            name: "level",
            help: "standard deviation, in units of 1/255 and at most 1000, of the noise that the noise gap is taken with; 0 for \
                   discovery by alignment alone",
            default: "60",
        },
        Parameter {
            name: "trials",
            help: "images of other classes that each background is put on, and draws of control regions, 1 to 100",
            default: "5",
        },
        Parameter {
            name: "least",
            help: "smallest effect that makes a finding: by how much the logarithm of the class's odds rises beyond the \
                   control's, 0 to 10; 0.4 multiplies the odds by one and a half",
            default: "0.4",
        },
        Parameter {
            name: "q",
            help: "false discovery rate that findings are held to, above 0 and at most 0.5",
            default: "0.05",
        },
    ],
    configure: &configure,
};

const PHASES: &[Phase] = &[
    Phase { name: "discover", columns: rows::DISCOVER_COLUMNS },
    Phase { name: "confirm", columns: rows::CONFIRM_COLUMNS },
];

/// The analysis, configured.
struct SpuriousFeatures {
    seed: u64,
    method: &'static Method,
    options: Options,
    division: Division,
    worst: f64,
    groups: usize,
    members: usize,
    share: f64,
    crop: f64,
    /// In units of the full range; 0 for none.
    level: f32,
    trials: u32,
    least: f64,
    q: f64,
    explainers: Explainers,
}

fn configure(settings: &Settings) -> Result<Box<dyn Analysis>, AnalysisError> {
    let refused = |name: &str, reason: String| AnalysisError::Setting { name: name.to_owned(), reason };
    let share = |name: &'static str, least: f64, most: f64| match settings.get::<f64>(name)? {
        share if share >= least && share <= most => Ok(share),
        share => Err(refused(name, format!("{share} is not between {least} and {most}"))),
    };
    let count = |name: &'static str, least: usize, most: usize| match settings.get::<usize>(name)? {
        count if (least..=most).contains(&count) => Ok(count),
        count => Err(refused(name, format!("{count} is not between {least} and {most}"))),
    };
    let method: String = settings.get("method")?;
    let method = find(&method).map_err(|error| refused("method", error.to_string()))?;
    if !method.needs_layer() {
        let reason = format!("{} looks at no layer, whose features backgrounds could be grouped by", method.name);
        return Err(refused("method", reason));
    }
    // The least share that is not nothing.
    let some = 1e-6;
    #[expect(clippy::cast_possible_truncation, reason = "pictures are single precision")]
    let level = (share("level", 0.0, 1000.0)? / 255.0) as f32;
    Ok(Box::new(SpuriousFeatures {
        seed: settings.seed,
        method,
        options: Options { seed: settings.seed, ..Options::default() },
        division: settings.get("division")?,
        worst: share("worst", some, 1.0)?,
        groups: count("groups", 1, 20)?,
        members: count("members", 2, 1000)?,
        share: share("share", some, 0.5)?,
        crop: share("crop", some, 1.0)?,
        level,
        trials: u32::try_from(count("trials", 1, 100)?).expect("at most 100"),
        least: share("least", 0.0, 10.0)?,
        q: share("q", some, 0.5)?,
        explainers: Explainers::default(),
    }))
}

impl Analysis for SpuriousFeatures {
    fn needs(&self) -> Needs {
        let needs = self.method.needs;
        Needs { capabilities: Capabilities { logits: true, ..needs }, object_mask: true, attributes: false }
    }

    fn phases(&self) -> &[Phase] {
        PHASES
    }

    fn map(&self, phase: usize, context: &Context<'_>, samples: &[Sample]) -> Result<Rows, AnalysisError> {
        if phase == 0 { self.discover(context, samples) } else { self.confirm(context, samples) }
    }

    fn reduce(&self, phase: usize, study: &Study<'_>, rows: &Rows) -> Result<State, AnalysisError> {
        if phase > 0 {
            return Ok(State::Null);
        }
        serde_json::to_value(self.candidates(study, rows)?).map_err(|error| AnalysisError::Unfit(error.to_string()))
    }

    fn report(&self, study: &Study<'_>, rows: &[Rows]) -> Result<Report, AnalysisError> {
        self.conclude(study, rows)
    }
}

#[cfg(test)]
mod tests;
