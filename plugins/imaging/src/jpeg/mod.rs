//! JPEG by libjpeg-turbo's code: the pixels and the files are those of Pillow.

mod cmyk;
mod decode;
mod encode;
mod frame;

pub(crate) use decode::{decode_grey, decode_rgb};
pub use encode::{encode_jpeg, encode_jpeg_grey};
pub(crate) use frame::Frame;
