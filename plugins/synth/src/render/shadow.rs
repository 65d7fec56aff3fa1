//! What the sun does not reach: the object's depths as the light sees them.

use super::raster::scan;
use crate::geometry::{Mesh, Vec3};

const SIDE: usize = 128;

/// Heights towards the light over a plane across it.
pub(crate) struct ShadowMap {
    towards: Vec3,
    axes: [Vec3; 2],
    centre: Vec3,
    /// Cells a unit of length.
    scale: f32,
    heights: Vec<f32>,
}

impl ShadowMap {
    /// The shadows of `mesh` in light that comes from the unit vector `towards`.
    pub(crate) fn new(mesh: &Mesh, towards: Vec3) -> Self {
        let (min, max) = mesh.bounds();
        let centre = (min + max) * 0.5;
        let u = Vec3::Y.cross(towards);
        let u = if u.length() > 1e-3 { u.unit() } else { Vec3::X };
        let axes = [u, towards.cross(u)];
        let reach = mesh.vertices.iter().fold(1e-6f32, |reach, v| {
            let d = v.position - centre;
            reach.max(d.dot(axes[0]).abs()).max(d.dot(axes[1]).abs())
        });
        let scale = (SIDE as f32 * 0.5 - 2.0) / reach;
        let mut map = Self { towards, axes, centre, scale, heights: vec![f32::NEG_INFINITY; SIDE * SIDE] };
        let cells: Vec<_> = mesh.vertices.iter().map(|v| map.cell(v.position)).collect();
        for (corners, _) in &mesh.triangles {
            scan(corners.map(|i| cells[i as usize]), SIDE, SIDE, 1.0, &[0.5], |at, height| {
                map.heights[at] = map.heights[at].max(height);
            });
        }
        map
    }

    /// The share of the light that reaches `point`, which may be `slack` deep in the object's own surface.
    pub(crate) fn light(&self, point: Vec3, slack: f32) -> f32 {
        let (x, y, height) = self.cell(point);
        let (x, y) = (x - 0.5, y - 0.5);
        let last = (SIDE - 1) as f32;
        if !(0.0..last).contains(&x) || !(0.0..last).contains(&y) {
            return 1.0;
        }
        let (u, v) = (x - x as usize as f32, y - y as usize as f32);
        let at = y as usize * SIDE + x as usize;
        let lit = |at: usize| if self.heights[at] > height + slack { 0.0 } else { 1.0 };
        let upper = lit(at) * (1.0 - u) + lit(at + 1) * u;
        let lower = lit(at + SIDE) * (1.0 - u) + lit(at + SIDE + 1) * u;
        upper * (1.0 - v) + lower * v
    }

    fn cell(&self, point: Vec3) -> (f32, f32, f32) {
        let d = point - self.centre;
        let half = SIDE as f32 * 0.5;
        (d.dot(self.axes[0]) * self.scale + half, d.dot(self.axes[1]) * self.scale + half, d.dot(self.towards))
    }
}

/// How much the object closes the ground under and beside it off from the sky.
pub(crate) struct Contact {
    centre: Vec3,
    scale: f32,
    cover: Vec<f32>,
}

impl Contact {
    const SIDE: usize = 48;
    /// From this height on the object leaves the ground open.
    const REACH: f32 = 0.4;

    /// Over the plane at height `ground`.
    pub(crate) fn new(mesh: &Mesh, ground: f32) -> Self {
        let (min, max) = mesh.bounds();
        let centre = (min + max) * 0.5;
        let reach = (max.x - min.x).max(max.z - min.z) * 0.5 + 0.25;
        let half = Self::SIDE as f32 * 0.5;
        let scale = half / reach.max(1e-6);
        let mut cover = vec![0.0f32; Self::SIDE * Self::SIDE];
        let cell = |p: Vec3| {
            let near = 1.0 - (p.y - ground) / Self::REACH;
            ((p.x - centre.x) * scale + half, (p.z - centre.z) * scale + half, near)
        };
        for (corners, _) in &mesh.triangles {
            let corners = corners.map(|i| cell(mesh.vertices[i as usize].position));
            if corners.iter().any(|c| c.2 > 0.0) {
                scan(corners, Self::SIDE, Self::SIDE, 1.0, &[0.5], |at, near| cover[at] = cover[at].max(near.min(1.0)));
            }
        }
        for _ in 0..2 {
            cover = Self::soften(&Self::soften(&cover));
        }
        Self { centre, scale, cover }
    }

    /// Means of three neighbours along the rows, transposed.
    fn soften(cover: &[f32]) -> Vec<f32> {
        let side = Self::SIDE;
        let mut out = vec![0.0; cover.len()];
        for (at, value) in out.iter_mut().enumerate() {
            let (column, row) = (at / side, at % side * side);
            let pick = |column: usize| cover[row + column.min(side - 1)];
            *value = (pick(column.saturating_sub(1)) + pick(column) + pick(column + 1)) / 3.0;
        }
        out
    }

    /// 0 for open ground, 1 right under the object.
    pub(crate) fn at(&self, point: Vec3) -> f32 {
        let half = Self::SIDE as f32 * 0.5;
        let x = (point.x - self.centre.x) * self.scale + half - 0.5;
        let z = (point.z - self.centre.z) * self.scale + half - 0.5;
        let last = (Self::SIDE - 1) as f32;
        if !(0.0..last).contains(&x) || !(0.0..last).contains(&z) {
            return 0.0;
        }
        let (column, row) = (x as usize, z as usize);
        let (u, v) = (x - column as f32, z - row as f32);
        let at = row * Self::SIDE + column;
        let upper = self.cover[at] * (1.0 - u) + self.cover[at + 1] * u;
        let lower = self.cover[at + Self::SIDE] * (1.0 - u) + self.cover[at + Self::SIDE + 1] * u;
        upper * (1.0 - v) + lower * v
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::vec3;

    #[test]
    fn a_ball_shades_what_lies_behind_it_and_nothing_else() {
        let mut mesh = Mesh::default();
        mesh.ball(0, Vec3::Y, Vec3::grey(0.5));
        let map = ShadowMap::new(&mesh, vec3(1.0, 1.0, 0.0).unit());
        assert_eq!(map.light(vec3(-1.0, 0.0, 0.0), 0.01), 0.0);
        assert_eq!(map.light(vec3(0.0, 0.0, 0.0), 0.01), 1.0);
        assert_eq!(map.light(vec3(9.0, 0.0, 0.0), 0.01), 1.0);
        let contact = Contact::new(&mesh, 0.5);
        assert!(contact.at(Vec3::ZERO) > 0.5 && contact.at(vec3(2.0, 0.0, 0.0)) == 0.0);
        assert_eq!(Contact::new(&mesh, -2.0).at(Vec3::ZERO), 0.0);
        let lit_side = Vec3::Y + vec3(0.5, 0.5, 0.0).unit() * 0.5;
        assert_eq!(map.light(lit_side, 0.05), 1.0);
    }
}
