//! Networks that give masks instead of logits: a [`Segmenter`] marks by itself what it knows in a picture, a [`Prompted`] pair
//! marks what points and a box mean.
//!
//! The convention, of which nothing is guessed:
//!
//! - A segmenter takes one RGB picture, `[1, 3, height, width]` (or channels last), fed by a [`Preprocessing`](crate::Preprocessing), and gives
//!   `[1, channels, h, w]` (or channels last, as its input) of any `h` and `w`, over the whole input. [`Scores`] says whether
//!   channels exclude each other, or are logits or probabilities of their own.
//! - A prompted pair follows Segment Anything's published files. The encoder takes a picture and gives one embedding of four
//!   axes. The decoder takes `image_embeddings`, `point_coords` `[1, n, 2]` (x, y in the encoder's input, by pixels from its
//!   upper left corner) and `point_labels` `[1, n]` (1 belongs to it, 0 does not, 2 and 3 the corners of a box, -1 nothing),
//!   may take `mask_input`, `has_mask_input` and `orig_im_size`, and gives `low_res_masks` (or else `masks`) `[1, m, h, w]`,
//!   logits over the encoder's input, and, if it likes, `iou_predictions` `[1, m]`: the mask of the best one is taken.
//!
//! Scores are brought to the picture's size by bilinear interpolation between the pixels' centres, in single precision, as
//! PyTorch's `interpolate(mode="bilinear", align_corners=False)` does it, and only then decided: the greatest of exclusive
//! ones (the first, where several are), a logit above 0, a probability above 0.5.

mod feed;
mod map;
mod picture_network;
mod prompted;
mod recipe;
mod segmenter;

pub use feed::Fit;
pub use map::{ScoreMap, Scores};
pub use prompted::{Embedding, Prompt, Prompted};
pub use recipe::{MaskRecipe, MaskTask};
pub use segmenter::Segmenter;

use std::path::Path;

use tract_onnx::tract_core::{
    internal::{TValue, TVec, TractResult},
    prelude::Tensor as EngineTensor,
};

use crate::{EngineError, graph::Plan, guard::guarded};
use picture_network::PictureNetwork;

/// Runs `plan` once; an error names `file`.
fn run(plan: &Plan, inputs: TVec<TValue>, file: &Path) -> Result<TVec<TValue>, EngineError> {
    let outcome: Result<TractResult<TVec<TValue>>, String> = guarded(|| plan.spawn()?.run(inputs));
    match outcome {
        Ok(Ok(values)) => Ok(values),
        Ok(Err(error)) => Err(EngineError::Invalid { file: file.to_owned(), reason: format!("{error:#}") }),
        Err(reason) => Err(EngineError::Panic { file: file.to_owned(), reason }),
    }
}

/// The numbers of a value, in the order of its axes.
fn numbers(value: &TValue, file: &Path) -> Result<Vec<f32>, EngineError> {
    let read = || TractResult::Ok(value.to_plain_array_view::<f32>()?.iter().copied().collect());
    read().map_err(|error| EngineError::Invalid { file: file.to_owned(), reason: format!("{error:#}") })
}

fn tensor(shape: &[usize], data: &[f32], file: &Path) -> Result<EngineTensor, EngineError> {
    EngineTensor::from_shape(shape, data)
        .map_err(|error| EngineError::Invalid { file: file.to_owned(), reason: format!("{error:#}") })
}
