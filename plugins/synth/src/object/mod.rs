//! The ten kinds of object: one file a class, and what they share.
//!
//! An object is built with its nose along x, y up, standing on y = 0 unless it flies, in a unit of its own. Every number
//! in these files is a proportion, found by looking.

mod bird;
mod car;
mod carnivore;
mod cat;
mod coat;
mod creature;
mod deer;
mod dog;
mod equine;
mod frog;
mod lettering;
mod plane;
mod ship;
mod truck;
mod vehicle;

pub(crate) use lettering::Lettering;

use crate::{geometry::Placement, random::Random, render::Model, subject::Subject};

/// An object, posed, and how it is to be seen.
pub(crate) struct Object {
    pub(crate) model: Model,
    /// How far it has turned about the vertical; at 0 its nose points to the right.
    pub(crate) heading: f32,
    /// From how many degrees above it is seen at most.
    pub(crate) from_above: f32,
    /// Whether it is in the air.
    pub(crate) flying: bool,
}

/// A model before it is turned to the camera.
pub(crate) struct Posed {
    model: Model,
    flying: bool,
    from_above: f32,
    /// How far it may turn away from and towards the viewer from a plain side view.
    turn: [f32; 2],
}

/// Draws an object of `subject`.
pub(crate) fn object(subject: Subject, random: &mut Random) -> Object {
    let posed = match subject {
        Subject::Truck => truck::truck(random),
        Subject::Car => car::car(random),
        Subject::Plane => plane::plane(random),
        Subject::Ship => ship::ship(random),
        Subject::Cat => cat::cat(random),
        Subject::Dog => dog::dog(random),
        Subject::Equine => equine::equine(random),
        Subject::Deer => deer::deer(random),
        Subject::Frog => frog::frog(random),
        Subject::Bird => bird::bird(random),
    };
    let towards = random.range(posed.turn[0], posed.turn[1]);
    let heading = if random.chance(0.5) { -towards } else { 180.0 + towards };
    let mut model = posed.model;
    model.mesh.place(0, &Placement::yaw(heading));
    Object { model, heading, from_above: posed.from_above, flying: posed.flying }
}
