//! The camera: a pinhole whose picture may be shifted, so that the object lies where the composition wants it while
//! object, ground and horizon keep one perspective.

use super::{Vec3, cos, sin, vec3};

/// World: x to the right, y up, z towards the viewer. Picture: x to the right, y down, in pixels.
#[derive(Clone, Debug)]
pub(crate) struct Camera {
    /// Where it stands.
    pub(crate) eye: Vec3,
    right: Vec3,
    up: Vec3,
    forward: Vec3,
    /// Pixels a unit of tangent.
    pub(crate) focal: f32,
    /// Where the optical axis meets the picture.
    pub(crate) centre: (f32, f32),
}

impl Camera {
    /// Looks at `target` from `distance` away, from `elevation` degrees above.
    pub(crate) fn orbit(target: Vec3, distance: f32, elevation: f32, focal: f32, centre: (f32, f32)) -> Self {
        let (s, c) = (sin(elevation), cos(elevation));
        let forward = vec3(0.0, -s, -c);
        Self { eye: target - forward * distance, right: Vec3::X, up: vec3(0.0, c, -s), forward, focal, centre }
    }

    /// Where `point` lies in the picture and 1 / its depth, which is linear in the picture and larger when nearer. A point
    /// behind the camera has a depth that is not positive.
    pub(crate) fn project(&self, point: Vec3) -> (f32, f32, f32) {
        let v = point - self.eye;
        let near = 1.0 / v.dot(self.forward);
        let scale = self.focal * near;
        (self.centre.0 + v.dot(self.right) * scale, self.centre.1 - v.dot(self.up) * scale, near)
    }

    /// The direction, of depth 1, in which pixel position (`x`, `y`) looks.
    pub(crate) fn ray(&self, x: f32, y: f32) -> Vec3 {
        let (u, v) = ((x - self.centre.0) / self.focal, (self.centre.1 - y) / self.focal);
        self.forward + self.right * u + self.up * v
    }

    /// The row of the horizon.
    pub(crate) fn horizon(&self) -> f32 {
        // The forward direction made level, seen from the camera.
        self.centre.1 + self.forward.y / self.up.y * self.focal
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ray_through_a_projected_point_meets_it_again() {
        let camera = Camera::orbit(vec3(0.1, 0.4, 0.0), 4.0, 17.0, 300.0, (100.0, 130.0));
        for point in [vec3(0.0, 0.0, 0.0), vec3(0.7, -0.2, 0.9), vec3(-3.0, 2.0, -8.0)] {
            let (x, y, near) = camera.project(point);
            let again = camera.eye + camera.ray(x, y) * (1.0 / near);
            assert!((again - point).length() < 1e-4, "{again:?} {point:?}");
        }
    }

    #[test]
    fn the_horizon_is_where_level_rays_leave() {
        let camera = Camera::orbit(Vec3::ZERO, 4.0, 17.0, 300.0, (100.0, 130.0));
        assert!(camera.ray(20.0, camera.horizon()).y.abs() < 1e-6);
        assert!(camera.ray(20.0, camera.horizon() + 1.0).y < 0.0);
    }
}
