//! Vectors, placements and the few scalar functions that everything is drawn with.
//!
//! Single precision in IEEE basic operations and libm, so that a scene is the same on every machine.

use std::ops::{Add, AddAssign, Mul, Neg, Sub};

/// A point, a direction or a colour in linear light.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Vec3 {
    pub(crate) x: f32,
    pub(crate) y: f32,
    pub(crate) z: f32,
}

pub(crate) const fn vec3(x: f32, y: f32, z: f32) -> Vec3 {
    Vec3 { x, y, z }
}

impl Vec3 {
    pub(crate) const ZERO: Self = vec3(0.0, 0.0, 0.0);
    pub(crate) const X: Self = vec3(1.0, 0.0, 0.0);
    pub(crate) const Y: Self = vec3(0.0, 1.0, 0.0);
    pub(crate) const Z: Self = vec3(0.0, 0.0, 1.0);

    /// The same value three times.
    pub(crate) const fn grey(value: f32) -> Self {
        vec3(value, value, value)
    }

    pub(crate) fn dot(self, other: Self) -> f32 {
        self.x * other.x + self.y * other.y + self.z * other.z
    }

    pub(crate) fn cross(self, other: Self) -> Self {
        vec3(
            self.y * other.z - self.z * other.y,
            self.z * other.x - self.x * other.z,
            self.x * other.y - self.y * other.x,
        )
    }

    pub(crate) fn length(self) -> f32 {
        self.dot(self).sqrt()
    }

    /// At length 1; zero stays zero.
    pub(crate) fn unit(self) -> Self {
        let length = self.length();
        if length > 0.0 { self * (1.0 / length) } else { self }
    }

    /// `self` at 0, `other` at 1.
    pub(crate) fn mix(self, other: Self, t: f32) -> Self {
        self + (other - self) * t
    }

    /// Without its component along the unit vector `axis`.
    pub(crate) fn across(self, axis: Self) -> Self {
        self - axis * self.dot(axis)
    }

    /// The mean of the three.
    pub(crate) fn mean(self) -> f32 {
        (self.x + self.y + self.z) * (1.0 / 3.0)
    }
}

impl Add for Vec3 {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        vec3(self.x + other.x, self.y + other.y, self.z + other.z)
    }
}

impl AddAssign for Vec3 {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sub for Vec3 {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        vec3(self.x - other.x, self.y - other.y, self.z - other.z)
    }
}

impl Mul<f32> for Vec3 {
    type Output = Self;
    fn mul(self, factor: f32) -> Self {
        vec3(self.x * factor, self.y * factor, self.z * factor)
    }
}

/// Component by component, as light is filtered.
impl Mul for Vec3 {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        vec3(self.x * other.x, self.y * other.y, self.z * other.z)
    }
}

impl Neg for Vec3 {
    type Output = Self;
    fn neg(self) -> Self {
        vec3(-self.x, -self.y, -self.z)
    }
}

/// Sine of an angle in degrees.
pub(crate) fn sin(degrees: f32) -> f32 {
    libm::sinf(degrees.to_radians())
}

/// Cosine of an angle in degrees.
pub(crate) fn cos(degrees: f32) -> f32 {
    libm::cosf(degrees.to_radians())
}

/// `a` at 0, `b` at 1.
pub(crate) fn mix(a: f32, b: f32, t: f32) -> f32 {
    a + (b - a) * t
}

/// 0 up to `from`, 1 from `to` on, a cubic without corners between; `to` may be the smaller.
pub(crate) fn smooth(from: f32, to: f32, at: f32) -> f32 {
    let t = ((at - from) / (to - from)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

/// The greatest whole number that is not above `value`: `f32::floor` is a call on processors that lack an instruction for
/// it, and this is asked for at every pixel. Values beyond an i32 are clamped to it.
pub(crate) fn floor(value: f32) -> i32 {
    let whole = value as i32;
    whole.saturating_sub(i32::from(value < whole as f32))
}

/// What `value` exceeds its floor by, in [0, 1].
pub(crate) fn fract(value: f32) -> f32 {
    value - floor(value) as f32
}

/// A rigid motion with an optional uniform scale: three axes and an origin.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Placement {
    x: Vec3,
    y: Vec3,
    z: Vec3,
    origin: Vec3,
}

impl Placement {
    /// Moves to `origin`.
    pub(crate) fn at(origin: Vec3) -> Self {
        Self { x: Vec3::X, y: Vec3::Y, z: Vec3::Z, origin }
    }

    /// Turns x towards -z by `degrees`, about y: a nose along x goes to the left as seen by itself.
    pub(crate) fn yaw(degrees: f32) -> Self {
        let (s, c) = (sin(degrees), cos(degrees));
        Self { x: vec3(c, 0.0, -s), y: Vec3::Y, z: vec3(s, 0.0, c), origin: Vec3::ZERO }
    }

    /// Turns x towards y by `degrees`, about z: a nose along x goes up.
    pub(crate) fn pitch(degrees: f32) -> Self {
        let (s, c) = (sin(degrees), cos(degrees));
        Self { x: vec3(c, s, 0.0), y: vec3(-s, c, 0.0), z: Vec3::Z, origin: Vec3::ZERO }
    }

    /// Turns y towards z by `degrees`, about x.
    pub(crate) fn roll(degrees: f32) -> Self {
        let (s, c) = (sin(degrees), cos(degrees));
        Self { x: Vec3::X, y: vec3(0.0, c, s), z: vec3(0.0, -s, c), origin: Vec3::ZERO }
    }

    /// Scales about the origin.
    pub(crate) fn scale(factor: f32) -> Self {
        Self { x: Vec3::X * factor, y: Vec3::Y * factor, z: Vec3::Z * factor, origin: Vec3::ZERO }
    }

    /// `self` first, then `next`.
    pub(crate) fn then(self, next: Self) -> Self {
        Self {
            x: next.direction(self.x),
            y: next.direction(self.y),
            z: next.direction(self.z),
            origin: next.point(self.origin),
        }
    }

    pub(crate) fn point(&self, p: Vec3) -> Vec3 {
        self.direction(p) + self.origin
    }

    pub(crate) fn direction(&self, d: Vec3) -> Vec3 {
        self.x * d.x + self.y * d.y + self.z * d.z
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placements_turn_as_they_say_and_chain_in_order() {
        let close = |a: Vec3, b: Vec3| assert!((a - b).length() < 1e-6, "{a:?} {b:?}");
        close(Placement::yaw(90.0).point(Vec3::X), -Vec3::Z);
        close(Placement::pitch(90.0).point(Vec3::X), Vec3::Y);
        close(Placement::roll(90.0).point(Vec3::Y), Vec3::Z);
        let both = Placement::pitch(90.0).then(Placement::at(vec3(0.0, 0.0, 5.0)));
        close(both.point(Vec3::X), vec3(0.0, 1.0, 5.0));
        close(both.direction(Vec3::X), Vec3::Y);
    }

    #[test]
    fn floors_are_those_of_the_standard_library() {
        for value in [0.0, -0.0, 0.5, -0.5, 3.0, -3.0, 3.999, -3.001, 1e6, -1e6] {
            assert_eq!(floor(value) as f32, f32::floor(value), "{value}");
            assert!((0.0..=1.0).contains(&fract(value)));
        }
        assert_eq!((floor(f32::NAN), floor(f32::INFINITY), floor(f32::NEG_INFINITY)), (0, i32::MAX, i32::MIN));
    }

    #[test]
    fn smooth_runs_either_way() {
        assert_eq!((smooth(1.0, 3.0, 0.0), smooth(1.0, 3.0, 2.0), smooth(1.0, 3.0, 9.0)), (0.0, 0.5, 1.0));
        assert_eq!((smooth(3.0, 1.0, 0.0), smooth(3.0, 1.0, 9.0)), (1.0, 0.0));
    }
}
