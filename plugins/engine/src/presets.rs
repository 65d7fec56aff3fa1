//! Preprocessings by name: what `models add --preset` takes.
//!
//! A table, so that a preset is a row. Sizes are left open: a preset fits a network of any input size, where its framing
//! does.

use crate::{
    framing::{Framing, Interpolation},
    preprocessing::{Channels, Preprocessing, PreprocessingError},
};

/// A preprocessing that goes by a name.
#[derive(Clone, Copy, Debug)]
pub struct Preset {
    /// The name that `--preset` takes.
    pub name: &'static str,
    /// Which networks it is right for, in one line.
    pub summary: &'static str,
    channels: Channels,
    scale: f32,
    mean: [f32; 3],
    std: [f32; 3],
    framing: Framing,
}

const IMAGENET_MEAN: [f32; 3] = [0.485, 0.456, 0.406];
const IMAGENET_STD: [f32; 3] = [0.229, 0.224, 0.225];
const HALF: [f32; 3] = [0.5; 3];
const ZERO: [f32; 3] = [0.0; 3];
const ONE: [f32; 3] = [1.0; 3];

const WHOLE: Framing = Framing::Whole { filter: Interpolation::Bilinear };
const TORCHVISION: Framing = Framing::CropFraction { fraction: 0.875, filter: Interpolation::Bilinear };
const BICUBIC_875: Framing = Framing::CropFraction { fraction: 0.875, filter: Interpolation::Bicubic };
const BICUBIC_900: Framing = Framing::CropFraction { fraction: 0.9, filter: Interpolation::Bicubic };
const BICUBIC_FULL: Framing = Framing::CropFraction { fraction: 1.0, filter: Interpolation::Bicubic };

const fn preset(
    name: &'static str,
    summary: &'static str,
    scale: f32,
    mean: [f32; 3],
    std: [f32; 3],
    framing: Framing,
) -> Preset {
    Preset { name, summary, channels: Channels::Rgb, scale, mean, std, framing }
}

/// Every preset.
pub const PRESETS: &[Preset] = &[
    preset(
        "imagenet",
        "torchvision's ImageNet networks: bilinear, resize 256 and crop 224 (in proportion at other sizes)",
        1.0,
        IMAGENET_MEAN,
        IMAGENET_STD,
        TORCHVISION,
    ),
    preset(
        "timm-bicubic",
        "timm's ImageNet networks with crop_pct 0.875 and bicubic resize",
        1.0,
        IMAGENET_MEAN,
        IMAGENET_STD,
        BICUBIC_875,
    ),
    preset(
        "timm-bicubic-900",
        "timm's with crop_pct 0.9 and bicubic resize, such as DeiT",
        1.0,
        IMAGENET_MEAN,
        IMAGENET_STD,
        BICUBIC_900,
    ),
    preset(
        "timm-inception",
        "timm's with mean and deviation 0.5, crop_pct 0.875 and bicubic resize",
        1.0,
        HALF,
        HALF,
        BICUBIC_875,
    ),
    preset(
        "timm-inception-900",
        "timm's with mean and deviation 0.5, crop_pct 0.9 and bicubic resize, such as the AugReg ViTs",
        1.0,
        HALF,
        HALF,
        BICUBIC_900,
    ),
    preset(
        "clip",
        "OpenAI's and OpenCLIP's image encoders: bicubic, resize and crop to the input",
        1.0,
        [0.481_454_66, 0.457_827_5, 0.408_210_73],
        [0.268_629_54, 0.261_302_6, 0.275_777_1],
        BICUBIC_FULL,
    ),
    preset(
        "mobilenet",
        "8-bit values, (x - 128) / 128: MobileNets ported from TensorFlow",
        255.0,
        [128.0; 3],
        [128.0; 3],
        TORCHVISION,
    ),
    preset(
        "efficientnet-lite",
        "8-bit values, (x - 127) / 128: EfficientNet-Lite",
        255.0,
        [127.0; 3],
        [128.0; 3],
        BICUBIC_875,
    ),
    preset(
        "squeezenet-caffe",
        "8-bit values less (123, 117, 104), RGB: SqueezeNet ported from Caffe with its channels turned around",
        255.0,
        [123.0, 117.0, 104.0],
        ONE,
        TORCHVISION,
    ),
    Preset {
        name: "caffe",
        summary: "8-bit values less (123.68, 116.779, 103.939), BGR: networks as Caffe left them",
        channels: Channels::Bgr,
        scale: 255.0,
        mean: [123.68, 116.779, 103.939],
        std: ONE,
        framing: TORCHVISION,
    },
    preset(
        "cifar10",
        "CIFAR-10 networks normalised with ImageNet's statistics, whole picture, such as resnet20 of pytorch_resnet_cifar10",
        1.0,
        IMAGENET_MEAN,
        IMAGENET_STD,
        WHOLE,
    ),
    preset(
        "cifar10-own",
        "CIFAR-10 networks normalised with the data set's own statistics, whole picture",
        1.0,
        [0.4914, 0.4822, 0.4465],
        [0.2470, 0.2435, 0.2616],
        WHOLE,
    ),
    preset("none", "values in [0, 1] as they are, whole picture", 1.0, ZERO, ONE, WHOLE),
];

impl Preset {
    /// The preprocessing that it stands for, its input size, layout and output left to the model file.
    #[must_use]
    pub fn preprocessing(&self) -> Preprocessing {
        let Self { channels, scale, mean, std, framing, .. } = *self;
        Preprocessing { input: None, layout: None, output: None, channels, scale, mean, std, framing }
    }
}

/// The preprocessing of the preset called `name`.
///
/// # Errors
/// [`PreprocessingError::UnknownPreset`] lists the names that there are.
pub fn find(name: &str) -> Result<Preprocessing, PreprocessingError> {
    PRESETS.iter().find(|preset| preset.name == name).map(Preset::preprocessing).ok_or_else(|| {
        let known = PRESETS.iter().map(|preset| preset.name).collect::<Vec<_>>().join(", ");
        PreprocessingError::UnknownPreset { name: name.to_owned(), known }
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_preset_can_be_stored_and_read_back_and_has_a_name_of_its_own() {
        let mut names = HashSet::new();
        for preset in PRESETS {
            assert!(names.insert(preset.name), "{} twice", preset.name);
            assert!(!preset.summary.is_empty() && !preset.summary.ends_with('.'), "{}", preset.name);
            let preprocessing = preset.preprocessing();
            assert_eq!(Preprocessing::from_json(&preprocessing.to_json()).unwrap(), preprocessing);
        }
    }

    #[test]
    fn an_unknown_preset_is_answered_with_the_known_ones() {
        let error = find("imagnet").unwrap_err().to_string();
        assert!(error.contains("\"imagnet\"") && error.contains("imagenet, timm-bicubic"), "{error}");
    }
}
