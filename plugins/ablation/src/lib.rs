//! What a classifier loses when the background, the object or one of its parts is taken away.
//!
//! x' = x (1 - h) + f h for a hole h and a fill f. An attribute's drop says little by itself, because any hole in an object
//! costs something: beside it stands the drop for a hole of the same area elsewhere in the same object. Backgrounds are also
//! swapped between images of one class and of any, whose difference (the background gap of ImageNet-9) is what the
//! background's meaning is worth, its looks apart. Shapley values share a probability out among all regions at once.
//!
//! - [`rows`]: the tables that a run fills, and how they are read back.
//! - [`region`]: holes of attributes, and their controls. `swap`: backgrounds of other images.
//! - [`shapley`]: exact Shapley values. `coalitions`: the regions that play.
//! - `measure`: samples to rows. `report`: rows to the report.
//!
//! Masks are binary in every profile. An image whose object mask is missing, empty or full at the network's input size has
//! its clean forward in the rows and nothing else, is left out of every estimate, and is counted.

mod coalitions;
mod measure;
pub mod region;
mod report;
pub mod rows;
pub mod shapley;
mod swap;

use rival10_perturbation::Fill;
use rival10_sdk::{
    Analysis, AnalysisError, Capabilities, Context, Needs, Parameter, Phase, Plugin, Report, Rows, Sample, Settings,
    Study, Taxonomy,
};

/// The analysis, as the registry lists it.
pub const PLUGIN: Plugin = Plugin {
    name: "ablation",
    summary: "accuracy and probability lost without the background, the object or an attribute, beside a random part",
    version: 1,
    parameters: &[
        Parameter {
            name: "fills",
            help: "what holes are filled with, comma-separated: gray (0.5), mean (colour of what is left), blur (Gaussian of \
                   a sixteenth of the shorter side), noise (moments of what is left), tiled (largest rectangle of what is \
                   left), inpainted (harmonic surface), or all",
            default: "gray",
        },
        Parameter {
            name: "attributes",
            help: "attributes whose masks are ablated: localised, all, none, or names, comma-separated",
            default: "localised",
        },
        Parameter {
            name: "trials",
            help: "draws of control regions, swapped backgrounds and noise, 1 to 100",
            default: "3",
        },
        Parameter {
            name: "swap",
            help: "whether backgrounds are swapped within a class and among all: on or off",
            default: "on",
        },
        Parameter {
            name: "shapley",
            help: "most regions (background, attributes, rest of the object) of an image whose Shapley values are computed, \
                   with 2^regions forwards, 2 to 12; images of more are left out and counted; 0 for none",
            default: "0",
        },
    ],
    configure: &configure,
};

const ABLATION: Phase = Phase { name: "ablation", columns: rows::COLUMNS };
const SHAPLEY: Phase = Phase { name: "shapley", columns: rows::SHAPLEY_COLUMNS };
const WITHOUT_SHAPLEY: &[Phase] = &[ABLATION];
const WITH_SHAPLEY: &[Phase] = &[ABLATION, SHAPLEY];

/// The analysis, configured.
#[derive(Clone, Debug, PartialEq)]
struct Ablation {
    seed: u64,
    /// No two alike; the first is the one that models are compared by.
    fills: Vec<Fill>,
    attributes: Chosen,
    trials: u32,
    swap: bool,
    /// 0 for no Shapley values.
    shapley: u32,
}

/// Which attributes are ablated.
#[derive(Clone, Debug, PartialEq)]
enum Chosen {
    Localised,
    All,
    Named(Vec<String>),
}

impl Chosen {
    /// Their places in the attribute vector, ascending.
    fn indices(&self, taxonomy: &Taxonomy) -> Result<Vec<usize>, AnalysisError> {
        let all = 0..taxonomy.attributes.len();
        match self {
            Self::All => Ok(all.collect()),
            Self::Localised => Ok(all.filter(|&index| taxonomy.attributes[index].localised).collect()),
            Self::Named(names) => {
                let find = |name: &String| {
                    taxonomy.attribute(name).ok_or_else(|| {
                        let known: Vec<&str> = taxonomy.attributes.iter().map(|a| a.name.as_str()).collect();
                        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
                        refused("attributes", format!("the taxonomy has no attribute {name:?}; it has {known}"))
                    })
                };
                let mut indices = names.iter().map(find).collect::<Result<Vec<_>, _>>()?;
                indices.sort_unstable();
                indices.dedup();
                Ok(indices)
            }
        }
    }
}

fn configure(settings: &Settings) -> Result<Box<dyn Analysis>, AnalysisError> {
    let fills: String = settings.get("fills")?;
    let fills: Vec<Fill> = if fills == "all" { Fill::ALL.to_vec() } else { settings.list("fills")? };
    if let Some(fill) = fills.iter().enumerate().find(|(i, fill)| fills[..*i].contains(fill)).map(|(_, fill)| fill) {
        return Err(refused("fills", format!("{fill} stands twice")));
    }
    let attributes: String = settings.get("attributes")?;
    let attributes = match attributes.as_str() {
        "localised" => Chosen::Localised,
        "all" => Chosen::All,
        "none" => Chosen::Named(Vec::new()),
        _ => Chosen::Named(settings.list("attributes")?),
    };
    let trials: u32 = settings.get("trials")?;
    if !(1..=100).contains(&trials) {
        return Err(refused("trials", format!("{trials} is not between 1 and 100")));
    }
    let swap = match settings.get::<String>("swap")?.as_str() {
        "on" => true,
        "off" => false,
        other => return Err(refused("swap", format!("{other:?}: one of on, off"))),
    };
    let shapley: u32 = settings.get("shapley")?;
    if shapley != 0 && !(2..=12).contains(&shapley) {
        return Err(refused("shapley", format!("{shapley} is neither 0 nor between 2 and 12")));
    }
    Ok(Box::new(Ablation { seed: settings.seed, fills, attributes, trials, swap, shapley }))
}

fn refused(name: &str, reason: String) -> AnalysisError {
    AnalysisError::Setting { name: name.to_owned(), reason }
}

impl Analysis for Ablation {
    fn needs(&self) -> Needs {
        Needs { capabilities: Capabilities::LOGITS, object_mask: true, attributes: false }
    }

    fn phases(&self) -> &[Phase] {
        if self.shapley == 0 { WITHOUT_SHAPLEY } else { WITH_SHAPLEY }
    }

    fn map(&self, phase: usize, context: &Context<'_>, samples: &[Sample]) -> Result<Rows, AnalysisError> {
        if phase == 0 { self.measure(context, samples) } else { self.share_out(context, samples) }
    }

    fn report(&self, study: &Study<'_>, rows: &[Rows]) -> Result<Report, AnalysisError> {
        self.conclude(study, rows)
    }
}

#[cfg(test)]
mod tests;
