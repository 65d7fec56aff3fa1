//! Triangle meshes and the few ways in which every object is made: tubes with a changing cross-section, balls, blocks,
//! turned profiles, sheets and strands.
//!
//! Closed pieces turn themselves outside out: whichever way their points were given, their triangles end up
//! counter-clockwise as seen from outside.

use super::{Placement, Vec3, cos, sin, vec3};

/// A corner.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Vertex {
    /// Where it is.
    pub(crate) position: Vec3,
    /// The surface's direction there.
    pub(crate) normal: Vec3,
    /// Where it was when it was made, before any placement: what patterns are painted by.
    pub(crate) rest: Vec3,
    /// The surface's direction when it was made.
    pub(crate) facing: Vec3,
}

/// Triangles over shared vertices, each with the number of its surface.
#[derive(Debug, Default)]
pub(crate) struct Mesh {
    pub(crate) vertices: Vec<Vertex>,
    pub(crate) triangles: Vec<([u32; 3], u16)>,
}

/// A cross-section of a tube.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ring {
    at: Vec3,
    up: f32,
    side: f32,
    power: f32,
}

/// An elliptical cross-section at `at`, `up` and `side` being its half-axes.
pub(crate) fn ring(at: Vec3, up: f32, side: f32) -> Ring {
    Ring { at, up, side, power: 2.0 }
}

impl Ring {
    /// Makes it a superellipse of this exponent: 2 is an ellipse, more is boxier.
    pub(crate) fn power(mut self, power: f32) -> Self {
        self.power = power;
        self
    }
}

/// How a tube is laid through its rings.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tube {
    /// The direction that a ring's `side` points in, as far as it is across the tube.
    pub(crate) side: Vec3,
    /// Pieces between two rings.
    pub(crate) steps: usize,
    /// Corners of a cross-section.
    pub(crate) corners: usize,
    /// How far the two ends bulge, as a share of their radius.
    pub(crate) caps: [f32; 2],
}

impl Default for Tube {
    fn default() -> Self {
        Self { side: Vec3::Z, steps: 3, corners: 12, caps: [0.7, 0.7] }
    }
}

impl Mesh {
    /// The vertices made from here on can be moved by [`Mesh::place`].
    pub(crate) fn mark(&self) -> usize {
        self.vertices.len()
    }

    /// Moves the vertices made since `mark`; what they are painted by stays.
    pub(crate) fn place(&mut self, mark: usize, placement: &Placement) {
        for vertex in &mut self.vertices[mark..] {
            vertex.position = placement.point(vertex.position);
            vertex.normal = placement.direction(vertex.normal).unit();
        }
    }

    /// A tube through `rings`, smoothly interpolated (Catmull and Rom), with rounded ends.
    pub(crate) fn tube(&mut self, surface: u16, rings: &[Ring], tube: Tube) {
        let Some(last) = rings.len().checked_sub(1).filter(|&last| last > 0) else { return };
        let at = |index: isize| rings[index.clamp(0, last as isize) as usize];
        let mut path = Vec::with_capacity(last * tube.steps + 1);
        for span in 0..last as isize {
            let corners = [at(span - 1), at(span), at(span + 1), at(span + 2)];
            path.extend((0..tube.steps).map(|step| between(corners, step as f32 / tube.steps as f32)));
        }
        path.push(rings[last]);

        let end = path.len() - 1;
        let tangent = |i: usize| (path[(i + 1).min(end)].at - path[i.saturating_sub(1)].at).unit();
        const CAP: [(f32, f32); 3] = [(0.0, 1.0), (0.5, 0.866_025_4), (0.866_025_4, 0.5)];
        let mut rows = Vec::with_capacity(path.len() + 2 * CAP.len());
        let bulge = |ring: Ring, shrink: f32, along: Vec3| Ring {
            at: ring.at + along * ring.up.max(ring.side),
            up: ring.up * shrink,
            side: ring.side * shrink,
            power: ring.power,
        };
        rows.extend(CAP.map(|(shrink, out)| (bulge(path[0], shrink, tangent(0) * -(out * tube.caps[0])), tangent(0))));
        rows.extend((0..=end).map(|i| (path[i], tangent(i))));
        let tip =
            CAP.map(|(shrink, out)| (bulge(path[end], shrink, tangent(end) * (out * tube.caps[1])), tangent(end)));
        rows.extend(tip.into_iter().rev());

        let angles: Vec<_> = (0..tube.corners)
            .map(|corner| 360.0 * (corner as f32 + 0.5) / tube.corners as f32)
            .map(|angle| (cos(angle), sin(angle)))
            .collect();
        let mut points = Vec::with_capacity(rows.len() * tube.corners);
        for (ring, tangent) in &rows {
            let side = tube.side.across(*tangent).unit();
            let up = side.cross(*tangent);
            for &(c, s) in &angles {
                let out = if ring.power == 2.0 { 1.0 } else { squared(c, s, ring.power) };
                points.push(ring.at + side * (c * ring.side * out) + up * (s * ring.up * out));
            }
        }
        self.closed_grid(surface, &points, tube.corners);
    }

    /// An ellipsoid with half-axes `radii`.
    pub(crate) fn ball(&mut self, surface: u16, centre: Vec3, radii: Vec3) {
        const ROWS: usize = 9;
        const COLUMNS: usize = 14;
        let points: Vec<_> = (0..ROWS)
            .flat_map(|row| {
                let latitude = 180.0 * row as f32 / (ROWS - 1) as f32;
                (0..COLUMNS).map(move |column| {
                    let longitude = 360.0 * column as f32 / COLUMNS as f32;
                    let (r, h) = (sin(latitude), cos(latitude));
                    centre + radii * vec3(r * cos(longitude), h, r * sin(longitude))
                })
            })
            .collect();
        self.closed_grid(surface, &points, COLUMNS);
    }

    /// A profile of (radius, height along z) turned about the z axis, with hard edges where it bends by much.
    pub(crate) fn turned(&mut self, surface: u16, profile: &[(f32, f32)], corners: usize) {
        for pair in profile.windows(2) {
            let start = self.vertices.len() as u32;
            let (dr, dh) = (pair[1].0 - pair[0].0, pair[1].1 - pair[0].1);
            for corner in 0..corners {
                let angle = 360.0 * corner as f32 / corners as f32;
                let (c, s) = (cos(angle), sin(angle));
                for &(radius, height) in pair {
                    self.corner(vec3(c * radius, s * radius, height), vec3(c * dh, s * dh, -dr).unit());
                }
            }
            for corner in 0..corners as u32 {
                let (a, b) = (start + 2 * corner, start + 2 * ((corner + 1) % corners as u32));
                self.triangles.push(([a, b, b + 1], surface));
                self.triangles.push(([a, b + 1, a + 1], surface));
            }
        }
    }

    /// A box between two corners, its upper face shrunk by `taper` (0 for none) along x and z.
    pub(crate) fn block(&mut self, surface: u16, min: Vec3, max: Vec3, taper: f32) {
        let centre = (min + max) * 0.5;
        let corner = |x: bool, y: bool, z: bool| {
            let shrink = if y { 1.0 - taper } else { 1.0 };
            let pick = |upper: bool, min: f32, max: f32| if upper { max } else { min };
            vec3(
                centre.x + (pick(x, min.x, max.x) - centre.x) * shrink,
                pick(y, min.y, max.y),
                centre.z + (pick(z, min.z, max.z) - centre.z) * shrink,
            )
        };
        let (f, t) = (false, true);
        for face in [
            [corner(t, f, t), corner(t, f, f), corner(t, t, f), corner(t, t, t)],
            [corner(f, f, f), corner(f, f, t), corner(f, t, t), corner(f, t, f)],
            [corner(f, t, t), corner(t, t, t), corner(t, t, f), corner(f, t, f)],
            [corner(f, f, f), corner(t, f, f), corner(t, f, t), corner(f, f, t)],
            [corner(f, f, t), corner(t, f, t), corner(t, t, t), corner(f, t, t)],
            [corner(t, f, f), corner(f, f, f), corner(f, t, f), corner(t, t, f)],
        ] {
            self.sheet(surface, face);
        }
    }

    /// A flat quadrangle, counter-clockwise as seen from its front.
    pub(crate) fn sheet(&mut self, surface: u16, corners: [Vec3; 4]) {
        let normal = (corners[2] - corners[0]).cross(corners[3] - corners[1]).unit();
        let start = self.vertices.len() as u32;
        for position in corners {
            self.corner(position, normal);
        }
        self.triangles.push(([start, start + 1, start + 2], surface));
        self.triangles.push(([start, start + 2, start + 3], surface));
    }

    /// A thin triangle from `root` to `tip`, shaded and painted like the `root`.
    pub(crate) fn strand(&mut self, surface: u16, root: &Vertex, across: Vec3, tip: Vec3) {
        let start = self.vertices.len() as u32;
        for position in [root.position - across, root.position + across, tip] {
            self.vertices.push(Vertex { position, ..*root });
        }
        self.triangles.push(([start, start + 1, start + 2], surface));
    }

    /// The box around all vertices: its least and its greatest corner.
    pub(crate) fn bounds(&self) -> (Vec3, Vec3) {
        let start = (Vec3::grey(f32::INFINITY), Vec3::grey(f32::NEG_INFINITY));
        self.vertices.iter().map(|v| v.position).fold(start, |(min, max), p| {
            (vec3(min.x.min(p.x), min.y.min(p.y), min.z.min(p.z)), vec3(max.x.max(p.x), max.y.max(p.y), max.z.max(p.z)))
        })
    }

    fn corner(&mut self, position: Vec3, normal: Vec3) {
        self.vertices.push(Vertex { position, normal, rest: position, facing: normal });
    }

    /// Rows of `columns` points each, closed around; the first and last row are taken to close the ends.
    pub(crate) fn closed_grid(&mut self, surface: u16, points: &[Vec3], columns: usize) {
        let rows = points.len() / columns;
        let mut faces = Vec::with_capacity(2 * rows * columns);
        for row in 0..rows.saturating_sub(1) {
            for column in 0..columns {
                let next = (column + 1) % columns;
                let at = |row: usize, column: usize| (row * columns + column) as u32;
                let [a, b, c, d] = [at(row, column), at(row, next), at(row + 1, next), at(row + 1, column)];
                faces.push([a, b, c]);
                faces.push([a, c, d]);
            }
        }
        let centre = points.iter().fold(Vec3::ZERO, |sum, &p| sum + p) * (1.0 / points.len() as f32);
        let corner = |i: u32| points[i as usize] - centre;
        let volume: f32 = faces.iter().map(|f| corner(f[0]).cross(corner(f[1])).dot(corner(f[2]))).sum();
        if volume < 0.0 {
            faces.iter_mut().for_each(|f| f.swap(1, 2));
        }

        let mut normals = vec![Vec3::ZERO; points.len()];
        for face in &faces {
            let [a, b, c] = face.map(|i| points[i as usize]);
            let normal = (b - a).cross(c - a);
            face.iter().for_each(|&i| normals[i as usize] += normal);
        }
        // Where a row has shrunk to a point, its vertices share the normal of the whole.
        for row in [0, rows.saturating_sub(1)] {
            let row = row * columns..(row + 1) * columns;
            if points[row.clone()].iter().all(|p| (*p - points[row.start]).length() < 1e-6) {
                let sum = normals[row.clone()].iter().fold(Vec3::ZERO, |sum, &n| sum + n);
                normals[row].fill(sum);
            }
        }
        let start = self.vertices.len() as u32;
        for (&position, normal) in points.iter().zip(normals) {
            self.corner(position, normal.unit());
        }
        self.triangles.extend(faces.into_iter().map(|f| (f.map(|i| i + start), surface)));
    }
}

/// The ring at `t` in [0, 1] between the middle two of four.
fn between([a, b, c, d]: [Ring; 4], t: f32) -> Ring {
    // Catmull and Rom's cubic, as weights of the four.
    let (t2, t3) = (t * t, t * t * t);
    let weights = [
        0.5 * (-t3 + 2.0 * t2 - t),
        0.5 * (3.0 * t3 - 5.0 * t2 + 2.0),
        0.5 * (-3.0 * t3 + 4.0 * t2 + t),
        0.5 * (t3 - t2),
    ];
    let number =
        |of: fn(&Ring) -> f32| of(&a) * weights[0] + of(&b) * weights[1] + of(&c) * weights[2] + of(&d) * weights[3];
    Ring {
        at: a.at * weights[0] + b.at * weights[1] + c.at * weights[2] + d.at * weights[3],
        up: number(|r| r.up).max(0.0),
        side: number(|r| r.side).max(0.0),
        power: number(|r| r.power).max(1.0),
    }
}

/// How far from the centre the superellipse of `power` lies in the direction (c, s), where the circle lies at 1.
fn squared(c: f32, s: f32, power: f32) -> f32 {
    let sum = libm::powf(c.abs(), power) + libm::powf(s.abs(), power);
    libm::powf(sum, -1.0 / power)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Six times the volume that the triangles enclose.
    fn volume(mesh: &Mesh) -> f32 {
        let corner = |i: u32| mesh.vertices[i as usize].position;
        mesh.triangles.iter().map(|(t, _)| corner(t[0]).cross(corner(t[1])).dot(corner(t[2]))).sum::<f32>() / 6.0
    }

    #[test]
    fn pieces_are_closed_and_outside_out() {
        let mut mesh = Mesh::default();
        mesh.block(0, vec3(0.0, 0.0, 0.0), vec3(1.0, 2.0, 3.0), 0.0);
        assert!((volume(&mesh) - 6.0).abs() < 1e-5);

        let mut mesh = Mesh::default();
        mesh.ball(0, vec3(1.0, 1.0, 1.0), vec3(1.0, 2.0, 0.5));
        let exact = 4.0 / 3.0 * std::f32::consts::PI;
        assert!((volume(&mesh) / exact - 1.0).abs() < 0.1, "{}", volume(&mesh));

        for direction in [1.0, -1.0] {
            let mut mesh = Mesh::default();
            let rings = [0.0, 1.0, 2.0].map(|x| ring(vec3(x * direction, 0.0, 0.0), 0.5, 0.25));
            mesh.tube(0, &rings, Tube { caps: [0.0, 0.0], corners: 24, ..Tube::default() });
            let exact = std::f32::consts::PI * 0.5 * 0.25 * 2.0;
            assert!((volume(&mesh) / exact - 1.0).abs() < 0.03, "{}", volume(&mesh));
        }

        let mut mesh = Mesh::default();
        mesh.turned(0, &[(0.0, -0.5), (1.0, -0.5), (1.0, 0.5), (0.0, 0.5)], 48);
        assert!((volume(&mesh) / std::f32::consts::PI - 1.0).abs() < 0.01, "{}", volume(&mesh));
    }

    #[test]
    fn normals_point_outwards() {
        let mut mesh = Mesh::default();
        mesh.ball(0, Vec3::ZERO, vec3(1.0, 1.0, 1.0));
        mesh.tube(0, &[ring(-Vec3::X, 0.3, 0.3), ring(Vec3::X, 0.3, 0.3)], Tube::default());
        for vertex in &mesh.vertices {
            assert!(vertex.normal.dot(vertex.position) > 0.0, "{vertex:?}");
        }
    }

    #[test]
    fn a_boxy_ring_is_a_superellipse() {
        assert!((squared(1.0, 0.0, 6.0) - 1.0).abs() < 1e-6);
        let diagonal = squared(cos(45.0), sin(45.0), 100.0);
        assert!((diagonal - 2f32.sqrt()).abs() < 0.02, "{diagonal}");
    }
}
