//! How well a classifier's saliency maps fall on the object.
//!
//! A map says where in an image a network finds its evidence for a class; the metrics of [`rival10_attribution::alignment`]
//! say how well that falls on the object's mask. The class that is explained is the predicted one unless the true one is
//! asked for. Beside every method stand three maps that need no model, because an object in the middle is hit by any map
//! that looks at the middle; and a map's IoU stands beside what it reaches on other images' masks.
//!
//! - [`rows`]: the tables that a run fills, and how they are read back.
//! - [`metrics`]: what is measured of one map. `shuffled`: other images' masks. `substitute`: what shows nothing.
//! - `measure`: samples to rows. `extremes`: the best and worst maps, kept. `sanity`: cascading randomisation.
//! - `report`: rows to the report.
//!
//! An image whose mask is missing, empty or full at the network's input size has no alignment, is left out of every
//! estimate, and is counted; the profiles that follow the study keep the numbers that its formulas give for empty and full
//! masks.

mod extremes;
mod measure;
pub mod metrics;
mod report;
pub mod rows;
mod sanity;
mod shuffled;
mod substitute;

use rival10_attribution::{Explained, Method, Options, find};
use rival10_sdk::{
    Analysis, AnalysisError, Capabilities, Context, Needs, Parameter, Phase, Plugin, Profile, Report, Rows, Sample,
    Settings, State, Study,
};

use crate::{measure::Explainers, metrics::Rule, sanity::Copies, shuffled::Pool, substitute::Substitute};

/// The analysis, as the registry lists it.
pub const PLUGIN: Plugin = Plugin {
    name: "saliency-alignment",
    summary: "where a network finds its evidence, and how well that falls on the object",
    version: 1,
    parameters: PARAMETERS,
    configure: &configure,
};

const OWN: [Parameter; 8] = [
    Parameter {
        name: "method",
        help: "methods of attribution, comma-separated (`rival10 models explain --list` tells them), or all; the first is the \
               headline's, and every one is compared",
        default: "grad_cam",
    },
    Parameter {
        name: "layer",
        help: "the layer to explain, or auto for each network's own; `rival10 models inspect` tells it",
        default: "auto",
    },
    Parameter {
        name: "explain",
        help: "the class whose score is explained: predicted, true, or profile (true in hard-imagenet, else predicted)",
        default: "profile",
    },
    Parameter {
        name: "trials",
        help: "masks of other images, 0 to 100, that a map's IoU is also taken on, to correct it for chance",
        default: "5",
    },
    Parameter {
        name: "extremes",
        help: "best and worst images of each explained class, 0 to 100 of each, that are kept with their maps",
        default: "5",
    },
    Parameter {
        name: "faithfulness",
        help: "steps of insertion and deletion, 2 to 1000, of which each costs two forwards an image and method; 0 for none",
        default: "0",
    },
    Parameter {
        name: "substitute",
        help: "what stands where insertion and deletion show nothing: gray (0.5) or blur (Gaussian of a sixteenth of the \
               shorter side)",
        default: "gray",
    },
    Parameter {
        name: "randomise",
        help: "stages, 1 to 20, of cascading randomisation: a sound method's map changes as the network's weights are shuffled, \
               from the last layer to the first; 0 for none",
        default: "0",
    },
];

const METHODS: usize = rival10_attribution::PARAMETERS.len();

/// Our own parameters and those of the methods.
const PARAMETERS: &[Parameter] = &{
    let mut all = [OWN[0]; OWN.len() + METHODS];
    let mut i = 0;
    while i < all.len() {
        all[i] = if i < OWN.len() { OWN[i] } else { rival10_attribution::PARAMETERS[i - OWN.len()] };
        i += 1;
    }
    all
};

const ALIGN: Phase = Phase { name: "align", columns: rows::COLUMNS };
const EXTREMES: Phase = Phase { name: "extremes", columns: rows::EXTREME_COLUMNS };
const SANITY: Phase = Phase { name: "sanity", columns: rows::SANITY_COLUMNS };

/// What a phase does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Align,
    Extremes,
    Sanity,
}

/// Which class is explained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Target {
    Predicted,
    True,
}

impl Target {
    fn of(self, sample: &Sample) -> Explained {
        match self {
            Self::Predicted => Explained::Predicted,
            Self::True => Explained::Class(sample.class),
        }
    }
}

/// The analysis, configured.
struct SaliencyAlignment {
    seed: u64,
    profile: Profile,
    rule: Rule,
    /// No two alike; the first is the headline's.
    methods: Vec<&'static Method>,
    layer: Option<String>,
    target: Target,
    trials: u32,
    extremes: usize,
    /// 0 for none.
    faithfulness: usize,
    substitute: Substitute,
    /// 0 for none.
    stages: usize,
    options: Options,
    phases: &'static [Phase],
    explainers: Explainers,
    copies: Copies,
    pool: Pool,
}

fn configure(settings: &Settings) -> Result<Box<dyn Analysis>, AnalysisError> {
    let refused = |name: &str, reason: String| AnalysisError::Setting { name: name.to_owned(), reason };
    let names: Vec<String> = match settings.get::<String>("method")?.as_str() {
        "all" => rival10_attribution::METHODS.iter().map(|method| method.name.to_owned()).collect(),
        _ => settings.list("method")?,
    };
    let mut methods: Vec<&'static Method> = Vec::new();
    for name in &names {
        let method = find(name).map_err(|e| refused("method", e.to_string()))?;
        if methods.iter().any(|other| other.name == method.name) {
            return Err(refused("method", format!("{name} stands twice")));
        }
        methods.push(method);
    }
    let layer: String = settings.get("layer")?;
    let target = match (settings.get::<String>("explain")?.as_str(), settings.profile) {
        ("predicted", _) => Target::Predicted,
        ("true", _) | ("profile", Profile::HardImagenet) => Target::True,
        ("profile", _) => Target::Predicted,
        (other, _) => return Err(refused("explain", format!("{other:?}: one of predicted, true, profile"))),
    };
    let count = |name: &'static str, least: usize, most: usize| match settings.get::<usize>(name)? {
        count if count == 0 || (least..=most).contains(&count) => Ok(count),
        count => Err(refused(name, format!("{count} is neither 0 nor between {least} and {most}"))),
    };
    let (extremes, faithfulness, stages) =
        (count("extremes", 1, 100)?, count("faithfulness", 2, 1000)?, count("randomise", 1, 20)?);
    let trials = u32::try_from(count("trials", 1, 100)?).expect("at most 100");
    let mut options = Options { seed: settings.seed, ..Options::default() };
    for parameter in rival10_attribution::PARAMETERS {
        let value: String = settings.get(parameter.name)?;
        options.set(parameter.name, &value).map_err(|e| refused(parameter.name, e.to_string()))?;
    }
    let phases: &'static [Phase] = match (extremes, stages) {
        (0, 0) => &[ALIGN],
        (_, 0) => &[ALIGN, EXTREMES],
        (0, _) => &[ALIGN, SANITY],
        _ => &[ALIGN, EXTREMES, SANITY],
    };
    Ok(Box::new(SaliencyAlignment {
        seed: settings.seed,
        profile: settings.profile,
        rule: Rule::of(settings.profile),
        methods,
        layer: (layer != "auto").then_some(layer),
        target,
        trials,
        extremes,
        faithfulness,
        substitute: settings.get("substitute")?,
        stages,
        options,
        phases,
        explainers: Explainers::default(),
        copies: Copies::default(),
        pool: Pool::default(),
    }))
}

impl SaliencyAlignment {
    fn step(&self, phase: usize) -> Step {
        match self.phases.get(phase).map(|phase| phase.name) {
            Some("extremes") => Step::Extremes,
            Some("sanity") => Step::Sanity,
            _ => Step::Align,
        }
    }
}

impl Analysis for SaliencyAlignment {
    fn needs(&self) -> Needs {
        let mut capabilities = Capabilities::LOGITS;
        for needs in self.methods.iter().map(|method| method.needs) {
            capabilities.activations |= needs.activations;
            capabilities.vjp |= needs.vjp;
            capabilities.forward_from |= needs.forward_from;
        }
        capabilities.randomised = self.stages > 0;
        Needs { capabilities, object_mask: true, attributes: false }
    }

    fn phases(&self) -> &[Phase] {
        self.phases
    }

    fn map(&self, phase: usize, context: &Context<'_>, samples: &[Sample]) -> Result<Rows, AnalysisError> {
        match self.step(phase) {
            Step::Align => self.measure(context, samples),
            Step::Extremes => self.keep(context, samples),
            Step::Sanity => self.try_sanity(context, samples),
        }
    }

    fn reduce(&self, phase: usize, study: &Study<'_>, rows: &Rows) -> Result<State, AnalysisError> {
        match self.step(phase) {
            Step::Align if self.extremes > 0 => self.choose_extremes(study, rows),
            _ => Ok(State::Null),
        }
    }

    fn report(&self, study: &Study<'_>, rows: &[Rows]) -> Result<Report, AnalysisError> {
        self.conclude(study, rows)
    }
}

#[cfg(test)]
mod tests;
