//! The body of a cat or dog: trunk and legs, standing, walking, sitting or lying.

use super::creature::{Joint, Step, limb};
use crate::{
    geometry::{Ring, Tube, Vec3, ring, vec3},
    random::Random,
    render::Model,
};

/// How it holds itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Pose {
    Stand,
    Walk,
    Sit,
    Lie,
}

/// Its build, in units of the distance from hip to shoulder.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Body {
    pub(crate) pose: Pose,
    /// The height of the trunk's axis above the ground when standing.
    pub(crate) height: f32,
    /// How stout the trunk is; 1 is a lean cat.
    pub(crate) girth: f32,
    /// How stout the legs are.
    pub(crate) bone: f32,
    /// How far the head is from the shoulders.
    pub(crate) neck: f32,
}

/// Where the rest is put on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ends {
    /// The middle of the head.
    pub(crate) head: Vec3,
    /// The root of the tail.
    pub(crate) tail: Vec3,
}

impl Body {
    /// Puts it into the mesh.
    pub(crate) fn build(self, model: &mut Model, surface: u16, random: &mut Random) -> Ends {
        match self.pose {
            Pose::Stand | Pose::Walk => self.upright(model, surface, random),
            Pose::Sit => self.sitting(model, surface),
            Pose::Lie => self.lying(model, surface),
        }
    }

    fn trunk(self, model: &mut Model, surface: u16, rings: &[(f32, f32, f32, f32)]) {
        let rings: Vec<Ring> =
            rings.iter().map(|&(x, y, up, side)| ring(vec3(x, y, 0.0), up * self.girth, side * self.girth)).collect();
        model.mesh.tube(surface, &rings, Tube { steps: 3, corners: 16, ..Tube::default() });
    }

    fn necked(self, model: &mut Model, surface: u16, from: Vec3, head: Vec3) {
        let (g, middle) = (self.girth, from.mix(head, 0.5));
        let rings = [
            ring(from, 0.16 * g, 0.14 * g),
            ring(middle + vec3(-0.02, 0.0, 0.0), 0.125 * g, 0.115 * g),
            ring(head, 0.11 * g, 0.11 * g),
        ];
        model.mesh.tube(surface, &rings, Tube { steps: 3, corners: 12, caps: [0.3, 0.3], ..Tube::default() });
    }

    fn upright(self, model: &mut Model, surface: u16, random: &mut Random) -> Ends {
        let (h, b, g) = (self.height, self.bone, self.girth);
        self.trunk(
            model,
            surface,
            &[
                (-0.6, h + 0.03, 0.09, 0.08),
                (-0.5, h + 0.03, 0.165, 0.14),
                (-0.28, h + 0.02, 0.175, 0.155),
                (0.02, h, 0.185, 0.165),
                (0.3, h - 0.02, 0.205, 0.165),
                (0.5, h + 0.02, 0.19, 0.14),
                (0.61, h + 0.06, 0.12, 0.1),
            ],
        );
        let front: [Joint; 5] = [
            (0.42, h - 0.02, 0.12 * b, 0.08 * b),
            (0.41, h * 0.68, 0.085 * b, 0.065 * b),
            (0.43, h * 0.36, 0.052 * b, 0.048 * b),
            (0.43, h * 0.12, 0.045 * b, 0.045 * b),
            (0.47, 0.035, 0.068 * b, 0.055 * b),
        ];
        let hind: [Joint; 6] = [
            (-0.45, h - 0.02, 0.17 * b, 0.1 * b),
            (-0.4, h * 0.7, 0.14 * b, 0.08 * b),
            (-0.47, h * 0.46, 0.075 * b, 0.055 * b),
            (-0.56, h * 0.3, 0.046 * b, 0.042 * b),
            (-0.52, h * 0.1, 0.042 * b, 0.042 * b),
            (-0.47, 0.035, 0.068 * b, 0.055 * b),
        ];
        let stride = if self.pose == Pose::Walk { random.range(14.0, 30.0) } else { random.range(0.0, 7.0) };
        let lift = if self.pose == Pose::Walk { -random.range(10.0, 40.0) } else { 0.0 };
        for (side, sign) in [(1.0, 1.0), (-1.0, -1.0)] {
            let swing = stride * sign;
            let bend = if swing > 0.0 { 0.0 } else { lift };
            limb(model, surface, &front, 0.095 * g * side, 0.01, Step { swing, bend: bend * 0.6, knee: 1 });
            limb(model, surface, &hind, 0.1 * g * side, 0.01, Step { swing: -swing, bend: 0.0, knee: 1 });
        }
        let head = vec3(0.68 + 0.5 * self.neck, h + 0.22 + self.neck, 0.0);
        self.necked(model, surface, vec3(0.48, h + 0.06, 0.0), head);
        Ends { head, tail: vec3(-0.6, h + 0.1, 0.0) }
    }

    fn sitting(self, model: &mut Model, surface: u16) -> Ends {
        let (b, g, tall) = (self.bone, self.girth, self.height / 0.62);
        self.trunk(
            model,
            surface,
            &[
                (-0.42, 0.14, 0.08, 0.09),
                (-0.34, 0.2, 0.185, 0.19),
                (-0.22, 0.33 * tall, 0.195, 0.19),
                (-0.07, 0.48 * tall, 0.18, 0.17),
                (0.06, 0.62 * tall, 0.165, 0.145),
                (0.13, 0.75 * tall, 0.11, 0.1),
            ],
        );
        let front: [Joint; 4] = [
            (0.09, 0.56 * tall, 0.085 * b, 0.07 * b),
            (0.14, 0.34 * tall, 0.06 * b, 0.055 * b),
            (0.15, 0.12, 0.046 * b, 0.046 * b),
            (0.19, 0.035, 0.068 * b, 0.055 * b),
        ];
        for side in [1.0, -1.0] {
            limb(model, surface, &front, 0.085 * g * side, 0.0, Step::default());
            model.mesh.ball(surface, vec3(-0.2, 0.19, 0.14 * g * side), vec3(0.22, 0.18, 0.09) * b);
            model.mesh.ball(surface, vec3(0.0, 0.045, 0.17 * g * side), vec3(0.13, 0.045, 0.055) * b);
        }
        let head = vec3(0.19 + 0.3 * self.neck, 0.8 * tall + 0.1 + self.neck, 0.0);
        self.necked(model, surface, vec3(0.07, 0.64 * tall, 0.0), head);
        Ends { head, tail: vec3(-0.45, 0.09, 0.0) }
    }

    fn lying(self, model: &mut Model, surface: u16) -> Ends {
        let (b, g) = (self.bone, self.girth);
        let h = 0.185 * g;
        self.trunk(
            model,
            surface,
            &[
                (-0.62, h - 0.02, 0.08, 0.09),
                (-0.5, h, 0.17, 0.18),
                (-0.2, h + 0.02, 0.19, 0.2),
                (0.15, h + 0.01, 0.18, 0.18),
                (0.38, h + 0.06, 0.175, 0.15),
                (0.5, h + 0.16, 0.11, 0.1),
            ],
        );
        let front: [Joint; 4] = [
            (0.32, 0.17, 0.09 * b, 0.07 * b),
            (0.38, 0.06, 0.06 * b, 0.055 * b),
            (0.6, 0.05, 0.046 * b, 0.046 * b),
            (0.74, 0.045, 0.05 * b, 0.058 * b),
        ];
        for side in [1.0, -1.0] {
            limb(model, surface, &front, 0.1 * g * side, 0.01, Step::default());
            model.mesh.ball(surface, vec3(-0.38, 0.15, 0.17 * g * side), vec3(0.22, 0.15, 0.08) * b);
            model.mesh.ball(surface, vec3(-0.18, 0.045, 0.22 * g * side), vec3(0.14, 0.045, 0.05) * b);
        }
        let head = vec3(0.58 + 0.3 * self.neck, h + 0.3 + self.neck, 0.0);
        self.necked(model, surface, vec3(0.42, h + 0.1, 0.0), head);
        Ends { head, tail: vec3(-0.64, h, 0.0) }
    }
}

/// A tail through `points` that thins from `radius` to its tip, with or without a tuft.
pub(crate) fn tail(model: &mut Model, surface: u16, points: &[Vec3], radius: f32, tip: f32, flat: bool) {
    let last = points.len() - 1;
    let rings: Vec<Ring> = points
        .iter()
        .enumerate()
        .map(|(i, &at)| {
            let r = radius + (tip - radius) * i as f32 / last as f32;
            ring(at, r, r)
        })
        .collect();
    // A tail on the ground turns sideways, where z is no direction across it.
    let side = if flat { Vec3::Y } else { Vec3::Z };
    model.mesh.tube(surface, &rings, Tube { side, steps: 4, corners: 9, caps: [0.3, 0.9] });
}
