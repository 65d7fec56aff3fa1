//! From meshes to samples: colours, surfaces, light, visibility.

mod colour;
mod light;
mod noise;
mod raster;
mod shadow;
mod surface;

pub(crate) use colour::{Encoder, srgb};
pub(crate) use light::{Light, shade};
pub(crate) use noise::{Noise, hash, scatter};
pub(crate) use raster::{Raster, SAMPLES, Screen, Window, area};
pub(crate) use shadow::{Contact, ShadowMap};
pub(crate) use surface::{Model, Spot, Texel};
