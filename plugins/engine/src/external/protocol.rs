//! The messages between rival10 and an external model, as `schema/model-protocol.md` has them.
//!
//! One line of JSON, then the numbers that it announces: the tensors named by their shapes under `tensors`, one behind the
//! other, little-endian and single precision. Requests and replies alternate. What is read is bounded by what was asked
//! for: a program can't make rival10 hold more than the answer to its question.

use std::io::BufRead;

use rival10_program::{Fault, message};
use rival10_sdk::{Grid, Size, Tensor};
use serde::{Deserialize, Serialize};

use crate::{
    preprocessing::MAX_SIDE,
    sidecar::{StatedLabels, StatedPreprocessing},
};

/// The version of the protocol.
pub(super) const VERSION: u32 = 1;
/// Far above any line of a reply, a description of a thousand layers included.
const MAX_LINE: u64 = 4 << 20;
/// Far above any classifier's.
const MAX_OUTPUTS: usize = 1 << 20;
/// Most copies of a program that run at once.
const MAX_PROCESSES: usize = 64;
/// Most numbers in one tensor: 1 GiB.
const MAX_NUMBERS: usize = 1 << 28;

/// What is asked of a program.
#[derive(Debug, Serialize)]
#[serde(tag = "request", rename_all = "snake_case")]
pub(super) enum Request<'a> {
    /// What are you?
    Describe { rival10_model: u32 },
    /// Logits of pictures, and activations of the layers in `taps`.
    Forward { taps: &'a [&'a str], tensors: [&'a [usize]; 1] },
    /// Gradients of sum(seed * logits) for pictures, by `targets`.
    Gradient { targets: &'a [&'a str], tensors: [&'a [usize]; 2] },
    /// Logits from activations of `layer` on.
    ForwardFrom { layer: &'a str, tensors: [&'a [usize]; 1] },
}

#[derive(Deserialize)]
struct Header {
    error: Option<String>,
    tensors: Option<Vec<Vec<usize>>>,
}

/// Reads the answer to a request for tensors of `shapes`.
pub(super) fn read_tensors(from: &mut impl BufRead, shapes: &[Vec<usize>]) -> Result<Vec<Tensor>, Fault> {
    let line = message::read_line(from, MAX_LINE)?;
    let header: Header = message::parse(&line)?;
    if let Some(error) = header.error {
        return Err(Fault::Refused(error));
    }
    let found = header.tensors.ok_or_else(|| Fault::Garbled("it names neither tensors nor an error".to_owned()))?;
    if found != shapes {
        return Err(Fault::Garbled(format!(
            "it answers with tensors of the shapes {found:?}; asked for are {shapes:?}"
        )));
    }
    let mut tensors = Vec::with_capacity(shapes.len());
    for shape in shapes {
        let mut bytes = vec![0u8; 4 * shape.iter().product::<usize>()];
        from.read_exact(&mut bytes).map_err(|_| Fault::Ended)?;
        let data = bytes.as_chunks::<4>().0.iter().map(|number| f32::from_le_bytes(*number)).collect();
        tensors.push(Tensor { shape: shape.clone(), data });
    }
    Ok(tensors)
}

/// Reads the answer to a request for a description.
pub(super) fn read_description(from: &mut impl BufRead) -> Result<Description, Fault> {
    let line = message::read_line(from, MAX_LINE)?;
    if let Header { error: Some(error), .. } = message::parse(&line)? {
        return Err(Fault::Refused(error));
    }
    let description: Description = message::parse(&line)?;
    description.check().map_err(Fault::Garbled)?;
    Ok(description)
}

/// What a program says of itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Description {
    /// The protocol's version.
    pub rival10_model: u32,
    /// What its answers depend on, such as its version and the digest of its weights.
    pub identity: String,
    /// Width and height of its pictures.
    pub input: [u32; 2],
    /// How many logits it gives.
    pub outputs: usize,
    /// How it is fed; none: it is to be said when it is added.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preprocessing: Option<StatedPreprocessing>,
    /// What its outputs stand for; none: as said when it is added.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<StatedLabels>,
    /// Layers whose activations it gives.
    #[serde(default)]
    pub layers: Vec<StatedLayer>,
    /// The layer that is explained unless another is asked for.
    #[serde(default)]
    pub target: Option<String>,
    /// Whether it gives gradients by the picture.
    #[serde(default)]
    pub input_gradient: bool,
    /// How many pictures it takes at once; its answer to one must not depend on the others.
    #[serde(default = "one")]
    pub max_batch: usize,
    /// How many copies of it may run at once.
    #[serde(default = "one")]
    pub processes: usize,
}

/// A layer, as a program describes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct StatedLayer {
    pub name: String,
    /// For people to read.
    #[serde(default)]
    pub operator: String,
    /// For one picture, the batch axis (1) included.
    pub shape: Vec<usize>,
    /// How its numbers lie over the picture; none: as `[1, channels, height, width]`, where it has four axes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grid: Option<Grid>,
    /// Whether it gives gradients by it.
    #[serde(default)]
    pub gradient: bool,
    /// Whether it gives logits from it on.
    #[serde(default)]
    pub entry: bool,
}

const fn one() -> usize {
    1
}

impl StatedLayer {
    /// How its numbers lie over the picture.
    pub(super) fn grid(&self) -> Option<Grid> {
        match (self.grid, self.shape.as_slice()) {
            (Some(grid), _) => Some(grid),
            (None, &[1, channels, height, width]) if height * width > 1 => {
                Some(Grid { height, width, channels, before: 0, after: 0, channels_last: false })
            }
            _ => None,
        }
    }

    fn check(&self) -> Result<(), String> {
        let name = &self.name;
        let numbers = self.shape.iter().try_fold(1usize, |product, &n| product.checked_mul(n));
        let held = numbers.is_some_and(|numbers| numbers > 0 && numbers <= MAX_NUMBERS);
        if !held || self.shape.len() < 2 || self.shape[0] != 1 {
            return Err(format!(
                "its layer {name:?} has the shape {:?}; it begins with 1, for one picture",
                self.shape
            ));
        }
        let fits = |grid: Grid| {
            let sides = [grid.height, grid.width, grid.channels, grid.before, grid.after];
            sides.iter().all(|&side| side <= MAX_NUMBERS) && Some(grid.numbers()) == numbers
        };
        if !self.grid.is_none_or(fits) {
            return Err(format!(
                "the grid of its layer {name:?} does not hold the numbers of its shape {:?}",
                self.shape
            ));
        }
        Ok(())
    }
}

impl Description {
    /// Width and height of its pictures.
    pub(super) fn size(&self) -> Size {
        Size::new(self.input[0], self.input[1])
    }

    fn check(&self) -> Result<(), String> {
        if self.rival10_model != VERSION {
            return Err(format!(
                "it speaks version {} of the protocol; this program speaks {VERSION}",
                self.rival10_model
            ));
        }
        if self.input.iter().any(|side| !(1..=MAX_SIDE).contains(side)) {
            return Err(format!("its input is {:?}; each side lies in 1 to {MAX_SIDE}", self.input));
        }
        if !(1..=MAX_OUTPUTS).contains(&self.outputs) {
            return Err(format!("it says that it has {} outputs; 1 to {MAX_OUTPUTS} are taken", self.outputs));
        }
        if !(1..=1024).contains(&self.max_batch) || !(1..=MAX_PROCESSES).contains(&self.processes) {
            return Err(format!(
                "max_batch is {} and processes {}; they lie in 1 to 1024 and 1 to {MAX_PROCESSES}",
                self.max_batch, self.processes
            ));
        }
        self.layers.iter().try_for_each(StatedLayer::check)?;
        let mut names: Vec<&str> = self.layers.iter().map(|layer| layer.name.as_str()).collect();
        names.sort_unstable();
        if let Some(twice) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(format!("two of its layers are called {:?}", twice[0]));
        }
        match &self.target {
            Some(target) if !names.contains(&target.as_str()) => {
                Err(format!("its target {target:?} is none of its layers"))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn description(change: impl FnOnce(&mut serde_json::Value)) -> Result<Description, Fault> {
        let mut json = serde_json::json!({
            "rival10_model": 1, "identity": "toy 1", "input": [8, 6], "outputs": 3,
            "layers": [{"name": "maps", "shape": [1, 2, 3, 4]}], "target": "maps",
        });
        change(&mut json);
        read_description(&mut format!("{json}\n").as_bytes())
    }

    #[test]
    fn a_description_says_what_is_needed_and_leaves_the_rest_open() {
        let found = description(|_| ()).unwrap();
        assert_eq!((found.size(), found.outputs, found.max_batch, found.processes), (Size::new(8, 6), 3, 1, 1));
        let grid = found.layers[0].grid().unwrap();
        assert_eq!((grid.height, grid.width, grid.channels, grid.channels_last), (3, 4, 2, false));
        assert!(!found.layers[0].gradient && !found.input_gradient);
    }

    #[test]
    fn what_contradicts_itself_is_refused_with_the_reason() {
        type Change = fn(&mut serde_json::Value);
        let cases: &[(Change, &str)] = &[
            (|d| d["rival10_model"] = 2.into(), "version 2"),
            (|d| d["input"] = serde_json::json!([0, 6]), "input is [0, 6]"),
            (|d| d["outputs"] = 0.into(), "0 outputs"),
            (|d| d["max_batch"] = 0.into(), "max_batch is 0"),
            (|d| d["target"] = "blobs".into(), "none of its layers"),
            (|d| d["layers"][0]["shape"] = serde_json::json!([2, 3]), "shape [2, 3]"),
            (|d| d["layers"][0]["shape"] = serde_json::json!([1, 1_u64 << 40, 1_u64 << 40]), "begins with 1"),
            (|d| d["layers"] = serde_json::json!([d["layers"][0], d["layers"][0]]), "two of its layers"),
            (
                |d| {
                    let grid = Grid { height: 2, width: 2, channels: 2, before: 1, after: 0, channels_last: true };
                    d["layers"][0]["grid"] = serde_json::to_value(grid).unwrap();
                },
                "does not hold the numbers",
            ),
            (|d| *d = serde_json::json!([1]), "no reply"),
        ];
        for (change, expected) in cases {
            match description(change) {
                Err(Fault::Garbled(reason)) => assert!(reason.contains(expected), "{expected}: {reason}"),
                other => panic!("{expected}: {other:?}"),
            }
        }
        let error = description(|d| *d = serde_json::json!({"error": "no weights"}));
        assert!(matches!(error, Err(Fault::Refused(reason)) if reason == "no weights"));
    }

    #[test]
    fn tensors_come_back_as_they_were_written_and_only_those_asked_for() {
        let mut bytes = b"{\"tensors\": [[1, 2], [3]]}\n".to_vec();
        message::write_numbers(&mut bytes, &[0.5, -1.0, 2.0, 3.0, f32::MIN_POSITIVE]).unwrap();
        let shapes = [vec![1, 2], vec![3]];
        let tensors = read_tensors(&mut bytes.as_slice(), &shapes).unwrap();
        assert_eq!(tensors[0], Tensor { shape: vec![1, 2], data: vec![0.5, -1.0] });
        assert_eq!(tensors[1].data, [2.0, 3.0, f32::MIN_POSITIVE]);
        let other = read_tensors(&mut bytes.as_slice(), &[vec![1, 3]]);
        assert!(matches!(other, Err(Fault::Garbled(reason)) if reason.contains("asked for are [[1, 3]]")));
        let short = &bytes[..bytes.len() - 1];
        assert!(matches!(read_tensors(&mut &short[..], &shapes), Err(Fault::Ended)));
        assert!(matches!(read_tensors(&mut &b"Loading weights\n"[..], &shapes), Err(Fault::Garbled(_))));
        assert!(matches!(read_tensors(&mut &b""[..], &shapes), Err(Fault::Ended)));
    }
}
