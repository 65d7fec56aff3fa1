//! The contract of an analysis.
//!
//! An analysis is a list of phases. Each phase maps samples to rows, one batch at a time and in any order, and then reduces
//! all of its rows to a small state that the next phase may read: candidates found on one split and confirmed on another,
//! thresholds fixed on train and scored on test. At the end the report is computed from the rows alone, so that shards and
//! resumed runs give the same report.
//!
//! An analysis opens no files, knows no clock and draws nothing that is not keyed by the seed and the sample: run twice, in
//! any order, on any number of threads, its rows are the same. The feature `testing` holds the suite that proves it.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{
    Capabilities, ClassifierError, Column, Frame, Geometry, ImageId, Model, Provenance, Report, Rows, Sample,
    SampleSource, Size, Taxonomy, rows::RowError,
};

/// An analysis that can be asked for: what the registry lists.
#[derive(Clone, Copy)]
pub struct Plugin {
    /// The name it is asked for by, such as `noise-sensitivity`.
    pub name: &'static str,
    /// One line that says what it finds out.
    pub summary: &'static str,
    /// Raised whenever the rows for the same input change.
    pub version: u32,
    /// What can be set.
    pub parameters: &'static [Parameter],
    /// Makes the analysis from its settings.
    pub configure: Configure,
}

/// How an analysis is made from its settings.
pub type Configure = &'static (dyn Fn(&Settings) -> Result<Box<dyn Analysis>, AnalysisError> + Send + Sync);

/// One thing that can be set with `--set name=value`.
#[derive(Clone, Copy, Debug)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// Unit, range and meaning in one sentence.
    pub help: &'static str,
    /// Its value unless set, in the notation of `--set`.
    pub default: &'static str,
}

/// How metrics are computed; metrics.md says what each profile means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Profile {
    /// The model's own normalisation, binary masks, sigma = s/255.
    #[default]
    Strict,
    /// The study's mathematics: no normalisation, the grey levels of the object's mask file, sigma = s/255, one trial.
    Rival10AsIntended,
    /// The authors' code as it runs, for reproduction only: as intended, with the levels divided by 255 twice.
    Rival10AsReleased,
    /// As Hard ImageNet has it: RFS 0 where it is undefined.
    HardImagenet,
}

impl Profile {
    /// Every profile.
    pub const ALL: &'static [Self] =
        &[Self::Strict, Self::Rival10AsIntended, Self::Rival10AsReleased, Self::HardImagenet];

    /// The name that `--profile` takes.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Strict => "strict",
            Self::Rival10AsIntended => "rival10-as-intended",
            Self::Rival10AsReleased => "rival10-as-released",
            Self::HardImagenet => "hard-imagenet",
        }
    }

    /// Whether it is one of the two that follow the study: networks are then fed pixels in [0, 1] as they are, object masks
    /// have grey levels ([`SampleSource::soft_object`]), and one trial is drawn unless another number is asked for.
    #[must_use]
    pub fn follows_study(self) -> bool {
        matches!(self, Self::Rival10AsIntended | Self::Rival10AsReleased)
    }

    /// What every output must say of it, where its numbers are not what they seem.
    #[must_use]
    pub fn caveat(self) -> Option<&'static str> {
        match self {
            Self::Strict | Self::HardImagenet => None,
            Self::Rival10AsIntended => Some(
                "Profile rival10-as-intended feeds networks without the normalisation that they were trained with.",
            ),
            Self::Rival10AsReleased => Some(
                "Profile rival10-as-released reproduces the authors' code with its faults, levels divided by 255 twice and \
                 no normalisation among them: for comparison with published numbers only.",
            ),
        }
    }
}

/// The seed, the profile and every parameter's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The seed of everything random.
    pub seed: u64,
    /// How metrics are computed.
    pub profile: Profile,
    values: BTreeMap<&'static str, String>,
}

impl Settings {
    /// The plugin's defaults, overridden by `given` (`name=value` pairs already split). The default of `trials` is 1 in the
    /// profiles that follow the study, whatever the plugin declares: the study drew once.
    ///
    /// # Errors
    /// [`AnalysisError::Setting`] for a name that the plugin does not declare.
    pub fn new(
        plugin: &Plugin,
        seed: u64,
        profile: Profile,
        given: &[(String, String)],
    ) -> Result<Self, AnalysisError> {
        let mut values: BTreeMap<_, _> = plugin.parameters.iter().map(|p| (p.name, p.default.to_owned())).collect();
        if profile.follows_study()
            && let Some(trials) = values.get_mut("trials")
        {
            "1".clone_into(trials);
        }
        for (name, value) in given {
            let Some(parameter) = plugin.parameters.iter().find(|p| p.name == name) else {
                let known: Vec<_> = plugin.parameters.iter().map(|p| p.name).collect();
                return Err(AnalysisError::Setting {
                    name: name.clone(),
                    reason: format!("{} knows {}", plugin.name, known.join(", ")),
                });
            };
            values.insert(parameter.name, value.clone());
        }
        Ok(Self { seed, profile, values })
    }

    /// Parameter `name`, read as `T`.
    ///
    /// # Errors
    /// [`AnalysisError::Setting`] if the text is no `T`, or no such parameter is declared.
    pub fn get<T: std::str::FromStr>(&self, name: &'static str) -> Result<T, AnalysisError>
    where
        T::Err: std::fmt::Display,
    {
        let text = self.text(name)?;
        text.parse().map_err(|e| AnalysisError::Setting { name: name.to_owned(), reason: format!("{text:?}: {e}") })
    }

    /// Parameter `name`, a comma-separated list of `T`.
    ///
    /// # Errors
    /// [`AnalysisError::Setting`] as for [`Settings::get`], and for an empty list.
    pub fn list<T: std::str::FromStr>(&self, name: &'static str) -> Result<Vec<T>, AnalysisError>
    where
        T::Err: std::fmt::Display,
    {
        let item = |text: &str| {
            text.trim()
                .parse()
                .map_err(|e| AnalysisError::Setting { name: name.to_owned(), reason: format!("{text:?}: {e}") })
        };
        self.text(name)?.split(',').map(item).collect()
    }

    /// Every parameter with its value, in the order of their names.
    #[must_use]
    pub fn values(&self) -> &BTreeMap<&'static str, String> {
        &self.values
    }

    fn text(&self, name: &'static str) -> Result<&str, AnalysisError> {
        self.values.get(name).map(String::as_str).ok_or_else(|| AnalysisError::Setting {
            name: name.to_owned(),
            reason: "the analysis does not declare it".to_owned(),
        })
    }
}

/// What an analysis must be given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// What every model must be able to do; none needed if all are false: the analysis then takes no model.
    pub capabilities: Capabilities,
    /// Whether a sample without an object mask is left out (and counted).
    pub object_mask: bool,
    /// Whether the taxonomy must have attributes.
    pub attributes: bool,
}

impl Needs {
    /// Whether the analysis looks at a model at all.
    #[must_use]
    pub fn model(&self) -> bool {
        self.capabilities != Capabilities::default()
    }
}

/// One phase: the table that it fills.
#[derive(Clone, Copy, Debug)]
pub struct Phase {
    /// A short name, such as `discover`.
    pub name: &'static str,
    /// Its rows' columns; the key columns come first, `image` (int) and `model` (text) before any other. No key is null:
    /// where no model takes part, its name is empty.
    pub columns: &'static [Column],
}

/// The small result of a finished phase, as the next one reads it.
pub type State = serde_json::Value;

/// What is the same for every sample of a run.
#[derive(Clone, Copy)]
pub struct Study<'a> {
    /// The project's classes and attributes.
    pub taxonomy: &'a Taxonomy,
    /// The models under study, in the order they were named.
    pub models: &'a [Model],
    /// Every sample of the run, in the order of their ids.
    pub samples: &'a [Sample],
    /// The states of the phases before this one.
    pub states: &'a [State],
    /// What the report must name.
    pub provenance: &'a Provenance,
}

impl Study<'_> {
    /// The name of class number `class`, or a stand-in where the taxonomy has none.
    #[must_use]
    pub fn class_name(&self, class: usize) -> String {
        self.taxonomy.classes.get(class).map_or_else(|| format!("class {class}"), |class| class.name.clone())
    }

    /// That every model's classes are the taxonomy's.
    ///
    /// # Errors
    /// [`AnalysisError::Unfit`] names the model.
    pub fn check_models(&self) -> Result<(), AnalysisError> {
        for Model { classifier, groups } in self.models {
            let check = groups.check(self.taxonomy, classifier.outputs());
            check.map_err(|reason| AnalysisError::Unfit(format!("model {:?}: {reason}", classifier.name())))?;
        }
        Ok(())
    }

    /// The models by their input size, in the order of the first of each size: what shares an image's picture.
    #[must_use]
    pub fn models_by_size(&self) -> Vec<(Size, Vec<&Model>)> {
        let mut groups: Vec<(Size, Vec<&Model>)> = Vec::new();
        for model in self.models {
            let size = model.classifier.input_size();
            match groups.iter_mut().find(|(known, _)| *known == size) {
                Some((_, models)) => models.push(model),
                None => groups.push((size, vec![model])),
            }
        }
        groups
    }
}

/// What a phase has at hand while it maps.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// What is the same for every sample.
    pub study: Study<'a>,
    /// Pixels and masks, of any sample.
    pub source: &'a dyn SampleSource,
}

impl Context<'_> {
    /// The picture and masks of `sample` at `size`, all of them of that size.
    ///
    /// # Errors
    /// [`AnalysisError::Sample`] as from the source, and if what it gives has another size.
    pub fn frame(&self, sample: &Sample, size: Size) -> Result<Arc<Frame>, AnalysisError> {
        let frame = self.source.frame(sample.id, Geometry::Resize(size))?;
        if frame.image.size != size || frame.image.pixels.len() != 3 * size.pixels() {
            let reason = format!("its picture came as {} where {size} was asked for", frame.image.size);
            return Err(AnalysisError::of(sample, reason));
        }
        let masks = [&frame.object, &frame.ignore].into_iter().flatten().chain(frame.attributes.values());
        if let Some(mask) = masks.into_iter().find(|mask| mask.size() != size) {
            return Err(AnalysisError::of(sample, format!("a mask came as {} and not as {size}", mask.size())));
        }
        Ok(frame)
    }
}

/// An analysis, configured.
pub trait Analysis: Send + Sync {
    /// What it must be given.
    fn needs(&self) -> Needs;

    /// Whether it compares annotators: it is then given every image that two or more have finished, with what each of them
    /// says ([`SampleSource::words`]), and not the annotation that counts.
    fn compares_annotators(&self) -> bool {
        false
    }

    /// The digest of the program that computes it, where that is none of rival10's: a run's manifest names it.
    fn program(&self) -> &str {
        ""
    }

    /// Its phases, in order; at least one.
    fn phases(&self) -> &[Phase];

    /// Rows of `samples` in phase number `phase`. The rows of a sample depend on the settings, the earlier states and that
    /// sample (and what it reaches through the source), never on the rest of the batch.
    ///
    /// # Errors
    /// [`AnalysisError`] names the sample.
    fn map(&self, phase: usize, context: &Context<'_>, samples: &[Sample]) -> Result<Rows, AnalysisError>;

    /// The state that phase number `phase` leaves for those behind it, from all of its rows in key order.
    ///
    /// # Errors
    /// [`AnalysisError`] if the rows can't be reduced.
    fn reduce(&self, phase: usize, study: &Study<'_>, rows: &Rows) -> Result<State, AnalysisError> {
        let _ = (phase, study, rows);
        Ok(State::Null)
    }

    /// What the run says, from the rows of every phase in key order.
    ///
    /// # Errors
    /// [`AnalysisError`] if the rows contradict each other.
    fn report(&self, study: &Study<'_>, rows: &[Rows]) -> Result<Report, AnalysisError>;
}

/// Why an analysis stopped.
#[derive(Debug, thiserror::Error)]
pub enum AnalysisError {
    /// A parameter is unknown or has a value it can't have.
    #[error("parameter {name:?}: {reason}")]
    Setting {
        /// The parameter.
        name: String,
        /// What is wrong, and what would do.
        reason: String,
    },
    /// A sample can't be read.
    #[error("image {id} ({name}): {reason}")]
    Sample {
        /// The image's number.
        id: ImageId,
        /// Its name.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// The network did not answer.
    #[error(transparent)]
    Classifier(#[from] ClassifierError),
    /// A row does not fit its table.
    #[error(transparent)]
    Row(#[from] RowError),
    /// Anything else that keeps it from a result.
    #[error("{0}")]
    Unfit(String),
}

impl AnalysisError {
    /// That `sample` can't be taken, and why.
    #[must_use]
    pub fn of(sample: &Sample, reason: String) -> Self {
        Self::Sample { id: sample.id, name: sample.name.clone(), reason }
    }
}
