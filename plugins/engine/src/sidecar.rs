//! What an export script writes beside a network, and the replay that proves it.
//!
//! A network in the wrong channel order, normalised twice, or with its labels shuffled still answers, only badly, and
//! nothing in the file tells. A [`Sidecar`] does: it states preprocessing and labels, and holds one picture with the logits
//! that the exporting framework gave for it. [`Sidecar::replay`] runs that picture and compares.
//!
//! It lies beside the network as `NETWORK.onnx.json`; `schema/sidecar.schema.json` describes it.

use std::{
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use rival10_imaging::{Limits, decode};
use rival10_sdk::{Batch, Classifier, Size};
use serde::{Deserialize, Serialize};

use crate::{Labels, Preprocessing, presets};

/// The version of sidecars that this crate reads.
const VERSION: u32 = 1;
/// Far above any sidecar: a picture and some thousand numbers.
const MAX_BYTES: u64 = 64 << 20;
/// How far replayed logits may lie from the stated ones, as a share of the stated ones' spread: thirty times what two
/// runtimes differ by, and far below what a wrong preprocessing does.
const TOLERANCE: f32 = 1e-3;

/// What is stated of a network in the file beside it.
#[derive(Clone, Debug)]
pub struct Sidecar {
    /// The file that it was read from.
    pub file: PathBuf,
    /// Where the network comes from, in the exporter's words.
    pub source: String,
    /// How the network is fed.
    pub preprocessing: Preprocessing,
    /// What its outputs stand for.
    pub labels: Labels,
    /// The picture that was run: shape `[3, height, width]`, RGB, in [0, 1], of the network's input size.
    picture: Batch,
    /// What the exporting framework gave for it.
    logits: Vec<f32>,
}

/// Why a network and its sidecar do not go together.
#[derive(Debug, thiserror::Error)]
pub enum SidecarError {
    /// It can't be read.
    #[error("sidecar {}: {source}", file.display())]
    Io {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is none.
    #[error("sidecar {}: {reason}; export the network again, or take the file away and state --preset and --labels", file.display())]
    Invalid {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The network answers otherwise than the framework that it was exported from.
    #[error("sidecar {}: {reason}", file.display())]
    Mismatch {
        /// The file.
        file: PathBuf,
        /// How far apart the answers are, and what may be wrong.
        reason: String,
    },
}

#[derive(Deserialize)]
struct Document {
    rival10_sidecar: u32,
    source: String,
    preprocessing: StatedPreprocessing,
    labels: StatedLabels,
    replay: Replay,
}

/// A preset by name, or in numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum StatedPreprocessing {
    Preset(String),
    Numbers(Preprocessing),
}

/// A set of labels by name, or the label of every output.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum StatedLabels {
    Known(String),
    Listed(Vec<String>),
}

impl StatedPreprocessing {
    /// In numbers.
    pub(crate) fn resolve(self) -> Result<Preprocessing, String> {
        let preprocessing = match self {
            Self::Preset(name) => presets::find(&name).map_err(|e| e.to_string())?,
            Self::Numbers(preprocessing) => preprocessing,
        };
        preprocessing.check().map_err(|e| e.to_string())?;
        Ok(preprocessing)
    }
}

impl StatedLabels {
    /// As labels; a file of them is none of what can be stated.
    pub(crate) fn resolve(self) -> Result<Labels, String> {
        match self {
            Self::Known(name) => match name.parse().unwrap_or_else(|never| match never {}) {
                Labels::File(path) => {
                    Err(format!("labels {:?} are none of imagenet, cifar10, project", path.display()))
                }
                known => Ok(known),
            },
            Self::Listed(names) => Ok(Labels::Listed(names)),
        }
    }
}

#[derive(Deserialize)]
struct Replay {
    /// A PNG file in base64.
    picture: String,
    logits: Vec<f32>,
}

/// Where the sidecar of `network` lies, if it has one: its name with `.json` after it.
#[must_use]
pub fn path_of(network: &Path) -> PathBuf {
    let mut name = OsString::from(network);
    name.push(".json");
    PathBuf::from(name)
}

impl Sidecar {
    /// The sidecar of the network in `file`; None where there is none.
    ///
    /// # Errors
    /// [`SidecarError`] if it can't be read, or is none.
    pub fn beside(network: &Path) -> Result<Option<Self>, SidecarError> {
        let file = path_of(network);
        let io = |source| SidecarError::Io { file: file.clone(), source };
        let bytes = match fs::metadata(&file) {
            Ok(metadata) => metadata.len(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(io(error)),
        };
        let invalid = |reason: String| SidecarError::Invalid { file: file.clone(), reason };
        if bytes > MAX_BYTES {
            return Err(invalid(format!("{bytes} bytes are too many; at most {MAX_BYTES}")));
        }
        let text = fs::read_to_string(&file).map_err(io)?;
        Self::parse(&file, &text).map(Some).map_err(invalid)
    }

    fn parse(file: &Path, text: &str) -> Result<Self, String> {
        let document: Document = serde_json::from_str(text).map_err(|e| e.to_string())?;
        if document.rival10_sidecar != VERSION {
            return Err(format!("it is of version {}; this program reads {VERSION}", document.rival10_sidecar));
        }
        let preprocessing = document.preprocessing.resolve()?;
        let labels = document.labels.resolve()?;
        let logits = document.replay.logits;
        if spread(&logits).is_nan() || spread(&logits) <= 0.0 {
            return Err("its logits are all the same or no numbers, so that they tell nothing".to_owned());
        }
        let png = STANDARD.decode(document.replay.picture).map_err(|e| format!("its picture: {e}"))?;
        let side = u64::from(crate::MAX_SIDE);
        let (image, _) = decode(&png, Limits { max_pixels: side * side }).map_err(|e| format!("its picture: {e}"))?;
        let mut picture = Batch::new(image.size);
        for channel in 0..3 {
            picture.data.extend(image.pixels.iter().skip(channel).step_by(3).map(|&v| f32::from(v) / 255.0));
        }
        Ok(Self { file: file.to_owned(), source: document.source, preprocessing, labels, picture, logits })
    }

    /// Width and height of the picture that was run.
    #[must_use]
    pub fn size(&self) -> Size {
        self.picture.size
    }

    /// Runs the picture through `network` and compares the logits; returns the largest difference as a share of the stated
    /// logits' spread.
    ///
    /// # Errors
    /// [`SidecarError::Mismatch`] if it is more than a thousandth, or the logits are of another number.
    pub fn replay(&self, network: &dyn Classifier) -> Result<f32, SidecarError> {
        let mismatch = |reason: String| SidecarError::Mismatch { file: self.file.clone(), reason };
        let forward = network.forward(&self.picture, &[]).map_err(|e| mismatch(e.to_string()))?;
        let found = forward.logits.data;
        if found.len() != self.logits.len() {
            return Err(mismatch(format!(
                "the network gives {} logits, {} are stated: it is another network's",
                found.len(),
                self.logits.len()
            )));
        }
        let apart = found.iter().zip(&self.logits).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        let share = apart / spread(&self.logits);
        if share <= TOLERANCE {
            return Ok(share);
        }
        Err(mismatch(format!(
            "replayed, the network's logits are up to {apart:.4} from the stated ones, which span {:.4}: the \
             preprocessing is not the one it was exported for (channel order, or normalised inside as well), or the file \
             is another network's",
            spread(&self.logits)
        )))
    }
}

/// The largest less the smallest; NaN if one is no number.
fn spread(logits: &[f32]) -> f32 {
    let extreme = |of: fn(f32, f32) -> f32| logits.iter().copied().reduce(of).unwrap_or(f32::NAN);
    if logits.iter().all(|v| v.is_finite()) { extreme(f32::max) - extreme(f32::min) } else { f32::NAN }
}

#[cfg(test)]
mod tests {
    use rival10_sdk::Rgb;

    use super::*;
    use crate::Network;

    const CNN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/models/cnn.onnx");

    fn picture() -> Rgb {
        let pixels = (0..64 * 64 * 3u32).map(|i| u8::try_from((i * 37 + i / 64) % 256).expect("below 256")).collect();
        Rgb { size: Size::new(64, 64), pixels }
    }

    fn network(change: impl FnOnce(&mut Preprocessing)) -> Network {
        let mut preprocessing = presets::find("none").unwrap();
        change(&mut preprocessing);
        Network::open("cnn", Path::new(CNN), &preprocessing).unwrap()
    }

    /// A sidecar of the fixture CNN, with logits that the engine itself gives: what is tested is the comparison, and
    /// `tests/interop` has sidecars that PyTorch wrote.
    fn document() -> serde_json::Value {
        let network = network(|_| ());
        let image = picture();
        let mut batch = Batch::new(image.size);
        for channel in 0..3 {
            batch.data.extend(image.pixels.iter().skip(channel).step_by(3).map(|&v| f32::from(v) / 255.0));
        }
        let logits = network.forward(&batch, &[]).unwrap().logits.data;
        serde_json::json!({
            "rival10_sidecar": 1,
            "source": "a test",
            "preprocessing": "none",
            "labels": "project",
            "replay": {"picture": STANDARD.encode(rival10_imaging::encode_png_rgb(&image).unwrap()), "logits": logits},
        })
    }

    fn parse(document: &serde_json::Value) -> Result<Sidecar, String> {
        Sidecar::parse(Path::new("net.onnx.json"), &document.to_string())
    }

    #[test]
    fn a_network_that_is_fed_as_stated_answers_as_stated() {
        let sidecar = parse(&document()).unwrap();
        assert_eq!(sidecar.size(), Size::new(64, 64));
        assert_eq!(sidecar.replay(&network(|_| ())).unwrap(), 0.0);
    }

    #[test]
    fn channels_turned_around_and_doubled_normalisation_are_refused() {
        let sidecar = parse(&document()).unwrap();
        let turned = network(|p| p.channels = crate::Channels::Bgr);
        let twice = network(|p| (p.mean, p.std) = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]));
        for wrong in [turned, twice] {
            let error = sidecar.replay(&wrong).unwrap_err().to_string();
            assert!(error.contains("net.onnx.json") && error.contains("from the stated ones"), "{error}");
        }
    }

    #[test]
    fn a_sidecar_of_another_network_is_refused() {
        let mut other = document();
        other["replay"]["logits"] = serde_json::json!([1.0, 2.0, 3.0]);
        let error = parse(&other).unwrap().replay(&network(|_| ())).unwrap_err().to_string();
        assert!(error.contains("10 logits, 3 are stated"), "{error}");
    }

    #[test]
    fn what_is_no_sidecar_is_refused_with_the_reason() {
        for (pointer, value, expected) in [
            ("/rival10_sidecar", serde_json::json!(2), "version 2"),
            ("/preprocessing", serde_json::json!("imagnet"), "no preset \"imagnet\""),
            ("/labels", serde_json::json!("own.txt"), "none of imagenet"),
            ("/replay/logits", serde_json::json!([0.5, 0.5]), "tell nothing"),
            ("/replay/logits", serde_json::json!([]), "tell nothing"),
            ("/replay/picture", serde_json::json!("AAAA"), "its picture"),
            ("/replay/picture", serde_json::json!("*"), "its picture"),
            ("/source", serde_json::json!(7), "expected a string"),
        ] {
            let mut document = document();
            *document.pointer_mut(pointer).unwrap() = value;
            let error = parse(&document).unwrap_err();
            assert!(error.contains(expected), "{pointer}: {error}");
        }
    }

    #[test]
    fn a_network_without_a_sidecar_has_none() {
        assert!(Sidecar::beside(Path::new(CNN)).unwrap().is_none());
        assert_eq!(path_of(Path::new("a/net.onnx")), Path::new("a/net.onnx.json"));
    }
}
