//! How pictures become a network's input: a description that is stored with a model and is part of its digest.
//!
//! Two things are kept apart. *Scaling* (channel order, scale, mean, deviation) is what the network always needs and what
//! [`crate::Network`] applies itself, to pictures in [0, 1]. *Framing* (which part of a picture the network sees) is
//! decided by the analysis: by default the whole picture is resized to the input size, and only `geometry=preset` asks
//! for the network's own resize and crop, by [`Preprocessing::prepare`].
//!
//! Nothing here is guessed. What a field leaves open is read off the model file or refused.

use std::fmt;

use rival10_sdk::Size;
use serde::{Deserialize, Serialize};

use crate::framing::Framing;

/// How a network is fed and read.
///
/// A picture's value v in [0, 1] reaches the network as (`scale` * v - `mean`\[c\]) / `std`\[c\], in single precision and in
/// that order of operations. With scale 1 that is, to the bit, torchvision's `ToTensor` and `Normalize`; with scale 255
/// an 8-bit value comes back as itself before the mean is taken.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preprocessing {
    /// Width and height of the network's input; none: the model file's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<Size>,
    /// The order of the input's axes; none: read off the axis of length 3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layout: Option<Layout>,
    /// The value in the model file that holds the logits; none: the output called `logits`, else the first output of
    /// shape `[batch, n]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<String>,
    /// The order of the channels in the network's input. `mean` and `std` are red, green, blue whatever it is.
    #[serde(default)]
    pub channels: Channels,
    /// What pictures in [0, 1] are multiplied by before anything else: 1, or 255 for statistics of 8-bit values.
    pub scale: f32,
    /// What is subtracted from red, green and blue.
    pub mean: [f32; 3],
    /// What red, green and blue are divided by.
    pub std: [f32; 3],
    /// Which part of a picture the network was trained to see.
    pub framing: Framing,
}

/// The order of an input's axes, after the batch axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Layout {
    /// `[batch, 3, height, width]`, as PyTorch has it.
    Nchw,
    /// `[batch, height, width, 3]`, as TensorFlow has it.
    Nhwc,
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nchw => "nchw",
            Self::Nhwc => "nhwc",
        })
    }
}

/// The order of a network's input channels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Channels {
    /// Red, green, blue.
    #[default]
    Rgb,
    /// Blue, green, red, as networks trained with Caffe or OpenCV have it.
    Bgr,
}

/// Why a preprocessing was refused.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum PreprocessingError {
    /// The text is not a preprocessing in JSON.
    #[error("not a preprocessing: {0}")]
    Syntax(String),
    /// No preset has that name.
    #[error("no preset {name:?}; there are {known}")]
    UnknownPreset {
        /// What was asked for.
        name: String,
        /// The names that there are.
        known: String,
    },
    /// A number can't be used.
    #[error("preprocessing: {0}")]
    Invalid(String),
}

/// Longest side of an input in pixels: far above any classifier's, and small enough that a picture stays below 1 GiB.
pub const MAX_SIDE: u32 = 8192;

impl Preprocessing {
    /// Reads and checks what [`Preprocessing::to_json`] wrote.
    ///
    /// # Errors
    /// [`PreprocessingError`] names the field.
    pub fn from_json(text: &str) -> Result<Self, PreprocessingError> {
        let preprocessing: Self = serde_json::from_str(text).map_err(|e| PreprocessingError::Syntax(e.to_string()))?;
        preprocessing.check()?;
        Ok(preprocessing)
    }

    /// One line of JSON with the fields in declaration order: what is stored and hashed.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a preprocessing holds only text and numbers, finite or null")
    }

    /// Checks that every number can be computed with.
    ///
    /// # Errors
    /// [`PreprocessingError::Invalid`] names the first that can't.
    pub fn check(&self) -> Result<(), PreprocessingError> {
        let invalid = |text: String| Err(PreprocessingError::Invalid(text));
        if let Some(size) = self.input
            && (size.width.min(size.height) == 0 || size.width.max(size.height) > MAX_SIDE)
        {
            return invalid(format!("input is {size}; each side lies in 1 to {MAX_SIDE}"));
        }
        if !(self.scale.is_finite() && self.scale != 0.0) {
            return invalid(format!("scale is {}; it is 1, or 255 for statistics of 8-bit values", self.scale));
        }
        if let Some(mean) = self.mean.iter().find(|mean| !mean.is_finite()) {
            return invalid(format!("mean holds {mean}; it must be a number"));
        }
        if let Some(std) = self.std.iter().find(|std| !(std.is_finite() && **std > 0.0)) {
            return invalid(format!("std holds {std}; it must be above 0"));
        }
        self.framing.check().map_err(PreprocessingError::Invalid)
    }

    /// Writes `picture` (`[3, height, width]`, RGB, in [0, 1]) as the network's input: scaled, in the network's channel
    /// order, in `layout`. `input` has as many numbers as `picture`.
    pub(crate) fn write_input(&self, picture: &[f32], layout: Layout, input: &mut [f32]) {
        let pixels = picture.len() / 3;
        for (c, plane) in picture.chunks_exact(pixels.max(1)).enumerate() {
            let target = match self.channels {
                Channels::Rgb => c,
                Channels::Bgr => 2 - c,
            };
            let (scale, mean, std) = (self.scale, self.mean[c], self.std[c]);
            let value = |v: &f32| (scale * v - mean) / std;
            match layout {
                Layout::Nchw => {
                    let out = &mut input[target * pixels..(target + 1) * pixels];
                    out.iter_mut().zip(plane).for_each(|(out, v)| *out = value(v));
                }
                Layout::Nhwc => {
                    let out = input[target..].iter_mut().step_by(3);
                    out.zip(plane).for_each(|(out, v)| *out = value(v));
                }
            }
        }
    }

    /// Appends the gradient by the picture, `[3, height, width]` in RGB and in [0, 1], that `by_input`, the gradient by the
    /// network's input in `layout`, stands for: the transpose of [`Preprocessing::write_input`].
    pub(crate) fn push_by_picture(&self, by_input: &[f32], layout: Layout, gradient: &mut Vec<f32>) {
        let pixels = by_input.len() / 3;
        for c in 0..3 {
            let source = match self.channels {
                Channels::Rgb => c,
                Channels::Bgr => 2 - c,
            };
            let slope = self.scale / self.std[c];
            match layout {
                Layout::Nchw => gradient.extend(by_input[source * pixels..][..pixels].iter().map(|g| g * slope)),
                Layout::Nhwc => gradient.extend(by_input[source..].iter().step_by(3).map(|g| g * slope)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::presets;

    fn inputs(preset: &str, layout: Layout, picture: &[f32]) -> Vec<f32> {
        let mut input = vec![f32::NAN; picture.len()];
        presets::find(preset).unwrap().write_input(picture, layout, &mut input);
        input
    }

    #[test]
    fn eight_bit_statistics_see_eight_bit_values_exactly() {
        for k in 0..=255u8 {
            let v = f32::from(k) / 255.0;
            let picture = [v, v, v];
            assert_eq!(inputs("mobilenet", Layout::Nchw, &picture), [(f32::from(k) - 128.0) / 128.0; 3]);
            assert_eq!(
                inputs("squeezenet-caffe", Layout::Nchw, &picture),
                [123.0, 117.0, 104.0].map(|mean| f32::from(k) - mean)
            );
        }
    }

    #[test]
    fn imagenet_normalisation_is_torchvisions_to_the_bit() {
        let picture = [0.2f32, 0.4, 0.6];
        let expected = [(0.2f32 - 0.485) / 0.229, (0.4f32 - 0.456) / 0.224, (0.6f32 - 0.406) / 0.225];
        assert_eq!(inputs("imagenet", Layout::Nchw, &picture), expected);
    }

    #[test]
    fn layouts_and_channel_orders_only_move_numbers() {
        let picture: Vec<f32> = (0u8..12).map(f32::from).collect();
        let mut preprocessing = presets::find("none").unwrap();
        let mut input = vec![0.0; 12];
        preprocessing.write_input(&picture, Layout::Nhwc, &mut input);
        assert_eq!(input, [0.0, 4.0, 8.0, 1.0, 5.0, 9.0, 2.0, 6.0, 10.0, 3.0, 7.0, 11.0]);
        preprocessing.channels = Channels::Bgr;
        preprocessing.write_input(&picture, Layout::Nchw, &mut input);
        assert_eq!(input, [8.0, 9.0, 10.0, 11.0, 4.0, 5.0, 6.0, 7.0, 0.0, 1.0, 2.0, 3.0]);
    }

    #[test]
    fn what_cannot_be_computed_with_is_refused_by_name() {
        for (change, expected) in [
            ("\"std\":[0.0,1.0,1.0]", "std holds 0"),
            ("\"scale\":0.0", "scale is 0"),
            ("\"input\":{\"width\":0,\"height\":4}", "input is 0x4"),
            ("\"colour\":1", "unknown field `colour`"),
        ] {
            let json = presets::find("none").unwrap().to_json();
            let field = change.split(':').next().unwrap();
            let json = match json.find(field) {
                Some(at) => {
                    let end = at + json[at..].find(if change.contains('[') { "]," } else { "," }).unwrap();
                    format!("{}{change}{}", &json[..at], &json[end + usize::from(change.contains('['))..])
                }
                None => format!("{{{change},{}", &json[1..]),
            };
            let error = Preprocessing::from_json(&json).unwrap_err().to_string();
            assert!(error.contains(expected), "{json}: {error}");
        }
    }
}
