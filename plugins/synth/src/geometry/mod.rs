//! Points, placements, cameras and meshes: shapes without colour.

mod camera;
mod mesh;
mod vector;

pub(crate) use camera::Camera;
pub(crate) use mesh::{Mesh, Ring, Tube, Vertex, ring};
pub(crate) use vector::{Placement, Vec3, cos, floor, fract, mix, sin, smooth, vec3};
