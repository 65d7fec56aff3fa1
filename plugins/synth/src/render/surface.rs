//! What an object is made of: a mesh, the surfaces that paint it, and what the drawing makes true of it.

use std::rc::Rc;

use crate::{
    geometry::{Mesh, Vec3},
    subject::Part,
};

/// Where on a surface a sample lies: as the piece was made, before it was placed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spot {
    /// The point.
    pub(crate) at: Vec3,
    /// The direction of the surface.
    pub(crate) facing: Vec3,
}

/// What a surface is like at a spot.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Texel {
    /// The share of light that it throws back in all directions.
    pub(crate) colour: Vec3,
    /// The strength of its highlight.
    pub(crate) gloss: f32,
    /// How small the highlight is: its exponent is 4 doubled so many times.
    pub(crate) polish: u8,
    /// How much of its surroundings it mirrors.
    pub(crate) mirror: f32,
    /// The share of its colour that it gives off by itself.
    pub(crate) glow: f32,
    /// Added to the direction of the surface, as fur and feathers do.
    pub(crate) tilt: Vec3,
    /// What part the spot belongs to, beside its surface's.
    pub(crate) part: Option<Part>,
    /// Whether the spot is a mark of a pattern.
    pub(crate) patterned: bool,
}

impl Texel {
    /// Without highlights.
    pub(crate) const fn matte(colour: Vec3) -> Self {
        Self { colour, gloss: 0.0, polish: 2, mirror: 0.0, glow: 0.0, tilt: Vec3::ZERO, part: None, patterned: false }
    }

    /// With the highlight of a smooth, dull thing.
    pub(crate) const fn satin(colour: Vec3) -> Self {
        Self { gloss: 0.25, polish: 3, ..Self::matte(colour) }
    }

    /// Window panes, eyes.
    pub(crate) const fn glass(colour: Vec3) -> Self {
        Self { gloss: 0.9, polish: 5, mirror: 0.25, ..Self::matte(colour) }
    }

    /// The paint of a surface that is the same everywhere.
    pub(crate) fn constant(self) -> impl Fn(&Spot) -> Self {
        move |_| self
    }

    /// Polished metal or metallic paint.
    pub(crate) const fn metal(colour: Vec3) -> Self {
        Self { gloss: 0.9, polish: 4, mirror: 0.22, ..Self::matte(colour) }
    }
}

/// How the triangles of one number are painted.
pub(crate) struct Surface {
    /// What part all of it belongs to.
    pub(crate) part: Option<Part>,
    /// Whether its back is seen too.
    pub(crate) two_sided: bool,
    /// What it is like at a spot.
    pub(crate) paint: Rc<dyn Fn(&Spot) -> Texel>,
}

/// What the drawing makes true of the object and no single part shows.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Traits {
    /// Strokes of fur were drawn.
    pub(crate) hairy: bool,
    /// Its outside has the highlights and reflections of metal.
    pub(crate) metallic: bool,
    /// It was drawn with a wet sheen.
    pub(crate) wet: bool,
}

/// An object to draw.
#[derive(Default)]
pub(crate) struct Model {
    pub(crate) mesh: Mesh,
    pub(crate) surfaces: Vec<Surface>,
    pub(crate) traits: Traits,
}

impl Model {
    /// A new surface; its number goes with every piece that is made of it.
    pub(crate) fn surface(&mut self, part: impl Into<Option<Part>>, paint: impl Fn(&Spot) -> Texel + 'static) -> u16 {
        self.surfaces.push(Surface { part: part.into(), two_sided: false, paint: Rc::new(paint) });
        (self.surfaces.len() - 1) as u16
    }

    /// A surface that is seen from both sides: for sheets and strands.
    pub(crate) fn sheet_surface(
        &mut self,
        part: impl Into<Option<Part>>,
        paint: impl Fn(&Spot) -> Texel + 'static,
    ) -> u16 {
        let surface = self.surface(part, paint);
        self.surfaces[surface as usize].two_sided = true;
        surface
    }

    /// The same surface for strands that stand out from it.
    pub(crate) fn strands_of(&mut self, surface: u16) -> u16 {
        let Surface { part, ref paint, .. } = self.surfaces[surface as usize];
        let strands = Surface { part, two_sided: true, paint: Rc::clone(paint) };
        self.surfaces.push(strands);
        (self.surfaces.len() - 1) as u16
    }

    /// A surface of one texel.
    pub(crate) fn plain(&mut self, part: impl Into<Option<Part>>, texel: Texel) -> u16 {
        self.surface(part, texel.constant())
    }
}
