//! How a classifier's accuracy falls when foreground or background is noised.
//!
//! The same standard normal field, at several levels, is added once to the object's pixels and once to all others. A
//! network that rests on the object loses more by the first, one that rests on the background by the second: the relative
//! foreground sensitivity says which, and by how much. x_fg = clip(x + s n m), x_bg = clip(x + s n (1 - m)); what s is, the
//! [`Mode`] says.
//!
//! - [`rows`]: the table that a run fills, and how it is read back.
//! - [`sensitivity`]: RFS and iRFS.
//! - `null`: masks that know nothing of their image.
//! - `view`: what of an image a network is shown. `measure`: samples to rows. `report`: rows to the report.
//!
//! What a mask means is decided by [`rival10_perturbation::region`]; an image whose mask is missing, empty or full at the
//! network's input size has its clean forward in the rows and no noise, is left out of every estimate, and is counted.

mod measure;
mod null;
mod report;
pub mod rows;
pub mod sensitivity;
mod view;

use rival10_perturbation::Mode;
use rival10_sdk::{
    Analysis, AnalysisError, Capabilities, Context, Needs, Parameter, Phase, Plugin, Profile, Report, Rows, Sample,
    Settings, Study,
};

use crate::{null::NullMask, sensitivity::Rfs, view::Framing};

/// The analysis, as the registry lists it.
pub const PLUGIN: Plugin = Plugin {
    name: "noise-sensitivity",
    summary: "accuracy under noise on the foreground and on the background, and their balance (RFS, iRFS)",
    version: 2,
    parameters: &[
        Parameter {
            name: "mode",
            help: "what a level is: sigma (standard deviation in units of 1/255), l2 (norm of the masked noise) or matched \
                   (sigma, the background noised on a place of the object's shape with the same energy after clipping)",
            default: "sigma",
        },
        Parameter {
            name: "levels",
            help: "levels above 0 and at most 1000000, comma-separated, or study: 30,60,90,120,150,180,210 (25,50,75,100,125,150,175,200 in \
                   mode l2)",
            default: "study",
        },
        Parameter { name: "trials", help: "noise draws an image, 1 to 1000", default: "3" },
        Parameter {
            name: "floor",
            help: "least value that min(p, 1 - p) may take in the floored iRFS, above 0 and at most 0.5",
            default: "0.01",
        },
        Parameter {
            name: "nulls",
            help: "null masks an image, 0 to 1000, of which each costs as many forwards as the image's own; two and more \
                   give RFS as z",
            default: "0",
        },
        Parameter {
            name: "null-mask",
            help: "where null masks come from: translated (the image's own, moved around the edges) or swapped (that of \
                   another image)",
            default: "translated",
        },
        Parameter {
            name: "geometry",
            help: "resize (the whole picture, resized to the network's input) or preset (the network's own resize and crop, \
                   on picture and masks; a mask that it empties is left out and counted)",
            default: "resize",
        },
    ],
    configure: &configure,
};

/// Far above any noise that means something, and far below where single precision overflows.
const MAX_LEVEL: f64 = 1e6;

const PHASES: &[Phase] = &[Phase { name: "noise", columns: rows::COLUMNS }];

/// The analysis, configured.
#[derive(Clone, Debug, PartialEq)]
struct NoiseSensitivity {
    seed: u64,
    profile: Profile,
    mode: Mode,
    /// Ascending, no two alike.
    levels: Vec<f64>,
    trials: u32,
    floor: f64,
    nulls: u32,
    null_mask: NullMask,
    framing: Framing,
}

fn configure(settings: &Settings) -> Result<Box<dyn Analysis>, AnalysisError> {
    let refused = |name: &str, reason: String| Err(AnalysisError::Setting { name: name.to_owned(), reason });
    let mode: Mode = settings.get("mode")?;
    let given: String = settings.get("levels")?;
    let mut levels = if given == "study" { mode.levels() } else { settings.list("levels")? };
    levels.sort_by(f64::total_cmp);
    if let Some(level) = levels.iter().find(|level| !(**level > 0.0 && **level <= MAX_LEVEL)) {
        let reason = format!("{level} is not above 0 and at most {MAX_LEVEL}; the clean forward is always measured");
        return refused("levels", reason);
    }
    if let Some(pair) = levels.windows(2).find(|pair| pair[0] == pair[1]) {
        return refused("levels", format!("{} stands twice", pair[0]));
    }
    let trials: u32 = settings.get("trials")?;
    if !(1..=1000).contains(&trials) {
        return refused("trials", format!("{trials} is not between 1 and 1000"));
    }
    let floor: f64 = settings.get("floor")?;
    if !(floor > 0.0 && floor <= 0.5) {
        return refused("floor", format!("{floor} is not above 0 and at most 0.5"));
    }
    let nulls: u32 = settings.get("nulls")?;
    if nulls > 1000 {
        return refused("nulls", format!("{nulls} is above 1000"));
    }
    let null_mask = settings.get("null-mask")?;
    let framing = settings.get("geometry")?;
    let (profile, seed) = (settings.profile, settings.seed);
    if profile.follows_study() {
        let reason =
            format!("profile {} takes masks with grey levels, whole pictures and the study's modes", profile.name());
        if mode == Mode::Matched {
            return refused("mode", reason);
        }
        if framing == Framing::Preset {
            return refused("geometry", reason);
        }
    }
    Ok(Box::new(NoiseSensitivity { seed, profile, mode, levels, trials, floor, nulls, null_mask, framing }))
}

impl NoiseSensitivity {
    /// What noise is scaled by at each level.
    fn scales(&self) -> Vec<f64> {
        self.levels.iter().map(|&level| self.mode.scale(level, self.profile)).collect()
    }

    /// RFS as the profile has it where it is undefined.
    fn rfs(&self) -> Rfs {
        Rfs { undefined: (self.profile == Profile::HardImagenet).then_some(0.0) }
    }
}

impl Analysis for NoiseSensitivity {
    fn needs(&self) -> Needs {
        Needs { capabilities: Capabilities::LOGITS, object_mask: true, attributes: false }
    }

    fn phases(&self) -> &[Phase] {
        PHASES
    }

    fn map(&self, _: usize, context: &Context<'_>, samples: &[Sample]) -> Result<Rows, AnalysisError> {
        self.measure(context, samples)
    }

    fn report(&self, study: &Study<'_>, rows: &[Rows]) -> Result<Report, AnalysisError> {
        self.conclude(study, rows)
    }
}

#[cfg(test)]
mod tests;
