//! Networks that propose masks on the annotation screen: added and opened.
//!
//! They are models of the project as classifiers are, with a name, a file and its digest; what is stored of how they are fed
//! says that they give masks. Which channel stands for which layer or class is stated, never guessed.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use rival10_engine::masks::{Fit, MaskRecipe, MaskTask, Prompted, Scores, Segmenter};
use serde::Serialize;

use super::{
    OpsError, Project,
    models::{digest_of, find_model, parse_size, preprocessing, record_model, unstated},
};
use crate::domain::{ClassGroups, Layer, ModelRecord, Taxonomy};

/// A network that proposes masks, to be added.
#[derive(Clone, Debug, Default)]
pub struct AddProposer {
    /// The name that it will go by.
    pub name: String,
    /// The ONNX file; of a pair the encoder's.
    pub file: PathBuf,
    /// The decoder's file, which makes it a pair.
    pub decoder: Option<PathBuf>,
    /// A preset's name, or a file of the engine's JSON; it must be stated.
    pub preset: Option<String>,
    /// `WxH` of the input, where the file leaves it free.
    pub input: Option<String>,
    /// The output that holds the scores, where there are several.
    pub output: Option<String>,
    /// Whether the longer side is fitted to the input instead of the whole picture being stretched to it.
    pub longest_side: bool,
    /// `exclusive`, `logits` or `probabilities`; none: as the file's last operator tells.
    pub scores: Option<String>,
    /// What channels stand for: `NAME=N` or `NAME=N,N`. None: a single channel is the object.
    pub channels: Vec<String>,
    /// Replace a model of the same name.
    pub replace: bool,
}

/// A network that was added.
#[derive(Debug, Serialize)]
pub struct AddedProposer {
    /// Its name.
    pub name: String,
    /// Width and height of its input.
    pub input: String,
    /// What it does: `segment` or `prompt`.
    pub task: &'static str,
    /// By layer or class: its channels.
    pub channels: BTreeMap<String, Vec<usize>>,
    /// The digest of its file.
    pub digest: String,
}

/// What a channel stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// This layer, whatever the image's class.
    Layer(Layer),
    /// The object, where the instance is of this class.
    Class(usize),
}

/// A network that is ready to propose.
pub(super) enum Proposer {
    /// By itself, with what stands for what.
    Segmenter(Box<Segmenter>, Vec<(Meaning, Vec<usize>)>),
    /// Where somebody points.
    Prompted(Box<Prompted>),
}

/// Adds a network that proposes masks: opens it, runs it once, and records how.
///
/// # Errors
/// [`OpsError`] if it can't be run, its answer is none that the convention knows, a channel stands for nothing that the project
/// has, or the name is taken.
pub fn add_proposer(project: &mut Project, request: &AddProposer) -> Result<AddedProposer, OpsError> {
    let preset = request.preset.as_deref().ok_or_else(|| unstated(&request.file, None))?;
    let mut preprocessing = preprocessing(preset)?;
    if let Some(input) = &request.input {
        preprocessing.input = Some(parse_size(input)?);
    }
    if let Some(output) = &request.output {
        preprocessing.output = Some(output.clone());
    }
    let fit = if request.longest_side { Fit::LongestSide } else { Fit::Stretch };
    let (masks, preprocessing, input) = match &request.decoder {
        Some(decoder) => {
            if request.scores.is_some() || !request.channels.is_empty() {
                let text =
                    "a pair with a decoder gives logits for whatever is pointed at: leave out --scores and --channel";
                return Err(OpsError::Usage(text.to_owned()));
            }
            let pair = Prompted::open(&request.file, decoder, &preprocessing, fit)?;
            let digest = digest_of(decoder)?;
            let decoder = seen_from(&request.file, decoder)?;
            (MaskTask::Prompt { decoder, digest, fit }, pair.preprocessing().clone(), pair.input_size())
        }
        None => {
            let stated = request.scores.as_deref().map(scores_named).transpose()?;
            let network = Segmenter::open(&request.file, &preprocessing, fit, stated)?;
            let channels = channels(project.store.taxonomy(), &request.channels, network.channels())?;
            let masks = MaskTask::Segment { scores: network.kind(), fit, channels };
            (masks, network.preprocessing().clone(), network.input_size())
        }
    };
    let recipe = MaskRecipe { masks, preprocessing };
    let record = ModelRecord {
        name: request.name.clone(),
        file: request.file.canonicalize().map_err(OpsError::io(&request.file))?,
        digest: digest_of(&request.file)?,
        preprocessing: recipe.to_json(),
        groups: ClassGroups(Vec::new()),
    };
    record_model(project, &record, request.replace)?;
    let (task, channels) = match recipe.masks {
        MaskTask::Segment { channels, .. } => ("segment", channels),
        MaskTask::Prompt { .. } => ("prompt", BTreeMap::new()),
    };
    Ok(AddedProposer { name: record.name, input: input.to_string(), task, channels, digest: record.digest })
}

/// Opens the network called `name`; gives the digest of its file too.
pub(super) fn open_proposer(project: &Project, name: &str) -> Result<(Proposer, String), OpsError> {
    let record = find_model(project, name)?;
    let recipe = stored(&record)?.ok_or_else(|| {
        OpsError::Refused(format!(
            "model {name:?} is a classifier; `rival10 models add --task segment` adds one that gives masks"
        ))
    })?;
    let opened = match recipe.masks {
        MaskTask::Segment { scores, fit, channels } => {
            let network = Segmenter::open(&record.file, &recipe.preprocessing, fit, Some(scores))?;
            let taxonomy = project.store.taxonomy();
            let named = |(name, channels): (String, Vec<usize>)| Ok((meaning(taxonomy, &name)?, channels));
            let meanings = channels.into_iter().map(named).collect::<Result<Vec<_>, OpsError>>()?;
            Proposer::Segmenter(Box::new(network), meanings)
        }
        MaskTask::Prompt { decoder, digest, fit } => {
            let decoder = record.file.parent().unwrap_or(Path::new("")).join(decoder);
            if digest_of(&decoder)? != digest {
                return Err(OpsError::Refused(format!(
                    "{} is not the decoder that was added with model {name:?}: restore it, or add both again with --replace",
                    decoder.display()
                )));
            }
            Proposer::Prompted(Box::new(Prompted::open(&record.file, &decoder, &recipe.preprocessing, fit)?))
        }
    };
    Ok((opened, record.digest))
}

/// What is stored of a network that gives masks; None for a classifier.
pub(super) fn stored(record: &ModelRecord) -> Result<Option<MaskRecipe>, OpsError> {
    MaskRecipe::from_json(&record.preprocessing)
        .map_err(|e| OpsError::Refused(format!("model {:?}: {e}; add it again with --replace", record.name)))
}

/// `decoder` as seen from the folder of `encoder`, so that both can be moved together; absolute where they lie apart.
fn seen_from(encoder: &Path, decoder: &Path) -> Result<String, OpsError> {
    let settled = |path: &Path| path.canonicalize().map_err(OpsError::io(path));
    let (encoder, decoder) = (settled(encoder)?, settled(decoder)?);
    let seen = encoder.parent().and_then(|folder| decoder.strip_prefix(folder).ok()).unwrap_or(&decoder);
    let refused = || OpsError::Refused(format!("{}: the name is not UTF-8: rename it", decoder.display()));
    seen.to_str().map(str::to_owned).ok_or_else(refused)
}

fn scores_named(name: &str) -> Result<Scores, OpsError> {
    match name {
        "exclusive" => Ok(Scores::Exclusive),
        "logits" => Ok(Scores::Logits),
        "probabilities" => Ok(Scores::Probabilities),
        _ => Err(OpsError::Usage(format!("--scores {name:?}: there are exclusive, logits and probabilities"))),
    }
}

/// The channels of each name that was stated, all of them names of the taxonomy and channels of the network.
fn channels(taxonomy: &Taxonomy, stated: &[String], count: usize) -> Result<BTreeMap<String, Vec<usize>>, OpsError> {
    let mut channels: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    if stated.is_empty() && count == 1 {
        return Ok(BTreeMap::from([("object".to_owned(), vec![0])]));
    }
    if stated.is_empty() {
        return Err(OpsError::Usage(format!(
            "what do its {count} channels stand for? --channel object=1 --channel beak=2,3: each with the name of a layer or a class, \
             counted from 0; those that stand for nothing are left out"
        )));
    }
    for text in stated {
        let wrong = |why: String| OpsError::Usage(format!("--channel {text:?}: {why}"));
        let Some((name, numbers)) = text.split_once('=') else {
            return Err(wrong("expected NAME=N or NAME=N,N".to_owned()));
        };
        meaning(taxonomy, name)?;
        let of_name = channels.entry(name.to_owned()).or_default();
        for number in numbers.split(',') {
            let channel: usize =
                number.trim().parse().map_err(|_| wrong(format!("{number:?} is no channel's number")))?;
            if channel >= count {
                return Err(wrong(format!("there is no channel {channel}; the network has {count}, counted from 0")));
            }
            if !of_name.contains(&channel) {
                of_name.push(channel);
            }
        }
    }
    Ok(channels)
}

/// What a name stands for: `object`, `ignore`, an attribute or a class; `class:` or `attribute:` before it says which, where
/// both are called so.
fn meaning(taxonomy: &Taxonomy, name: &str) -> Result<Meaning, OpsError> {
    let class = |name: &str| taxonomy.classes.iter().position(|class| class.name == name).map(Meaning::Class);
    let attribute = |name: &str| taxonomy.attribute(name).map(|attribute| Meaning::Layer(Layer::Attribute(attribute)));
    let found = match (name, name.split_once(':')) {
        ("object", _) => Some(Meaning::Layer(Layer::Object)),
        ("ignore", _) => Some(Meaning::Layer(Layer::Ignore)),
        (_, Some(("class", name))) => class(name),
        (_, Some(("attribute", name))) => attribute(name),
        _ => match (attribute(name), class(name)) {
            (Some(_), Some(_)) => {
                let text = format!("{name:?} is an attribute and a class: say attribute:{name} or class:{name}");
                return Err(OpsError::Usage(text));
            }
            (attribute, class) => attribute.or(class),
        },
    };
    found.ok_or_else(|| {
        OpsError::Usage(format!("{name:?} is neither object nor ignore, and no attribute or class of the project"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taxonomy() -> Taxonomy {
        Taxonomy::from_toml(include_str!("../../schema/taxonomy/rival10.toml")).unwrap()
    }

    #[test]
    fn channels_are_named_by_layers_and_classes_and_are_there() {
        let taxonomy = taxonomy();
        let stated = |texts: &[&str], count| {
            let texts: Vec<String> = texts.iter().map(|&text| text.to_owned()).collect();
            channels(&taxonomy, &texts, count).map_err(|error| error.to_string())
        };
        assert_eq!(stated(&[], 1).unwrap(), BTreeMap::from([("object".to_owned(), vec![0])]));
        let both = stated(&["object=1", "beak=2, 3", "object=4,1"], 5).unwrap();
        assert_eq!(both, BTreeMap::from([("object".to_owned(), vec![1, 4]), ("beak".to_owned(), vec![2, 3])]));
        assert_eq!(meaning(&taxonomy, "bird").unwrap(), Meaning::Class(9));
        assert_eq!(meaning(&taxonomy, "class:bird").unwrap(), Meaning::Class(9));
        assert_eq!(meaning(&taxonomy, "attribute:beak").unwrap(), Meaning::Layer(Layer::Attribute(10)));
        for (texts, count, expected) in [
            (&[][..], 3, "what do its 3 channels stand for"),
            (&["beak"], 3, "expected NAME=N"),
            (&["beak=x"], 3, "no channel's number"),
            (&["beak=3"], 3, "the network has 3"),
            (&["snout=1"], 3, "no attribute or class"),
            (&["class:beak=1"], 3, "no attribute or class"),
        ] {
            let error = stated(texts, count).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn a_name_that_is_an_attribute_and_a_class_must_say_which() {
        let text = "name = \"t\"\n[[classes]]\nname = \"wing\"\n[[attributes]]\nname = \"wing\"\nlocalised = true\n";
        let taxonomy = Taxonomy::from_toml(text).unwrap();
        assert!(meaning(&taxonomy, "wing").unwrap_err().to_string().contains("attribute:wing or class:wing"));
        assert_eq!(meaning(&taxonomy, "class:wing").unwrap(), Meaning::Class(0));
    }

    #[test]
    fn a_decoder_beside_its_encoder_is_named_so_that_both_can_move() {
        let home = tempfile::tempdir().unwrap();
        let (encoder, decoder) = (home.path().join("a.onnx"), home.path().join("b.onnx"));
        std::fs::write(&encoder, "").unwrap();
        std::fs::write(&decoder, "").unwrap();
        assert_eq!(seen_from(&encoder, &decoder).unwrap(), "b.onnx");
        let apart = tempfile::tempdir().unwrap();
        let other = apart.path().join("b.onnx");
        std::fs::write(&other, "").unwrap();
        assert_eq!(seen_from(&encoder, &other).unwrap(), other.canonicalize().unwrap().to_str().unwrap());
    }
}
