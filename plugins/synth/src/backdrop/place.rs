//! The twelve places: which sky, horizon, ground and things belong together.

use super::{
    Backdrop, Prop,
    furniture::{picture, potted, shelf, sofa, wall, window},
    ground::{Ground, Kind},
    plants::{bush, cactus, fir, palm, rock, stem, tree},
    ridge::{Outline, Ridge},
    sky::{Sky, day, direction, night},
    town::{ball, crate_box, fence, house, lamp, sign},
};
use crate::{
    background::Background,
    geometry::{Vec3, vec3},
    random::Random,
    render::{Light, srgb},
};

/// Puts a backdrop together for an object that has turned by `heading`.
pub(crate) fn backdrop(background: Background, heading: f32, random: &mut Random) -> Backdrop {
    match background {
        Background::Meadow => meadow(random),
        Background::Forest => forest(random),
        Background::Sky => sky(random),
        Background::Water => water(random),
        Background::Snow => snow(random),
        Background::Desert => desert(random),
        Background::Beach => beach(random),
        Background::Road => road(heading, random),
        Background::City => city(heading, random),
        Background::Indoor => indoor(random),
        Background::Night => dark(random),
        Background::Studio => studio(random),
    }
}

/// An open place by day.
fn open((sky, light): (Sky, Light), kind: Kind, random: &mut Random) -> Backdrop {
    Backdrop {
        light,
        sky,
        ridges: Vec::new(),
        ground: Ground::new(kind, random.range(-40.0, 40.0), random),
        wall: None,
        props: Vec::new(),
        haze: random.range(35.0, 120.0),
        blur: if random.chance(0.6) { random.range(0.004, 0.016) } else { 0.0 },
        mirrors: false,
        wet: false,
    }
}

fn ridge(outline: Outline, height: f32, relief: f32, colour: u32, haze: f32, random: &mut Random) -> Ridge {
    Ridge {
        outline,
        height: height * random.range(0.7, 1.3),
        relief: relief * random.range(0.7, 1.3),
        colour: srgb(colour) * random.range(0.35, 0.5),
        haze,
        offset: random.unit(),
    }
}

/// Somewhere behind the object, in view of a usual lens.
fn behind(nearest: f32, farthest: f32, random: &mut Random) -> Vec3 {
    let depth = random.range(nearest, farthest);
    vec3(random.range(-0.42, 0.42) * (5.0 + depth), 0.0, -depth)
}

fn scattered(
    props: &mut Vec<Prop>,
    count: usize,
    (nearest, farthest): (f32, f32),
    random: &mut Random,
    make: impl Fn(Vec3, &mut Random) -> Prop,
) {
    for _ in 0..count {
        let at = behind(nearest, farthest, random);
        props.push(make(at, random));
    }
}

/// Now and then something that has nothing to do with place or object.
fn distraction(props: &mut Vec<Prop>, random: &mut Random) {
    if random.chance(0.25) {
        let at = behind(0.9, 3.0, random);
        props.push(match random.below(3) {
            0 => ball(at, random.range(0.1, 0.25), random),
            1 => crate_box(at, random.range(0.25, 0.55), random),
            _ => sign(at, random.range(0.7, 1.4), random),
        });
    }
}

fn meadow(random: &mut Random) -> Backdrop {
    let flowers = random.chance(0.55).then(|| srgb(random.pick(&[0xf0ece0, 0xe8d040, 0xc85a9a, 0xd04030])));
    let kind = Kind::Grass { flowers, dry: random.range(0.0, 0.6) };
    let mut place = open(day(srgb(0x5f7a2c), random), kind, random);
    if random.chance(0.6) {
        place.ridges.push(ridge(Outline::Hills, 0.05, 0.14, 0x6a8a6a, 0.5, random));
    }
    if random.chance(0.75) {
        place.ridges.push(ridge(Outline::Trees, 0.03, 0.05, 0x4a6a34, 0.2, random));
    }
    scattered(&mut place.props, random.below(5), (3.5, 14.0), random, |at, r| tree(at, r.range(1.5, 3.4), r));
    scattered(&mut place.props, random.below(4), (1.5, 6.0), random, |at, r| bush(at, r.range(0.3, 0.7), r));
    if random.chance(0.2) {
        place.props.push(fence(-random.range(2.0, 4.0), random.range(0.4, 0.7), random));
    }
    distraction(&mut place.props, random);
    place
}

fn forest(random: &mut Random) -> Backdrop {
    let kind = Kind::Litter { moss: random.range(0.0, 1.0) };
    let mut place = open(day(srgb(0x4a3c24), random), kind, random);
    // Under trees there is less sky, and what there is of it is green.
    place.light.sky = place.light.sky * vec3(0.62, 0.72, 0.55);
    place.light.sun = place.light.sun * 0.75;
    place.light.horizon = srgb(0x5a6a4a) * 0.6;
    place.sky.horizon = srgb(random.pick(&[0x8aa07a, 0x6a8468, 0xa8b498])) * 0.7;
    place.sky.zenith = srgb(0x3a5230);
    place.sky.clouds = 0.75;
    place.sky.bright = srgb(0x7a9a4a);
    place.sky.dark = srgb(0x28401e);
    place.haze = random.range(14.0, 30.0);
    place.ridges.push(ridge(Outline::Trees, 0.12, 0.1, 0x3a5230, 0.35, random));
    let conifers = random.chance(0.4);
    scattered(&mut place.props, 10 + random.below(12), (1.6, 14.0), random, move |at, r| {
        if conifers && r.chance(0.5) { fir(at, r.range(2.0, 4.5), false, r) } else { stem(at, 9.0, r) }
    });
    scattered(&mut place.props, 3 + random.below(5), (1.2, 8.0), random, |at, r| bush(at, r.range(0.25, 0.7), r));
    place
}

fn sky(random: &mut Random) -> Backdrop {
    let bright = Vec3::grey(0.92);
    let (mut sky, light) = day(srgb(0xc8d0d8), random);
    sky.clouds = random.range(0.3, 0.62);
    sky.below = random.range(0.25, 0.5);
    sky.stretch = random.range(0.7, 1.3);
    let dark = sky.zenith.mix(Vec3::grey(0.6), 0.55);
    let mut place = open((sky, light), Kind::Cloud { bright, dark }, random);
    place.haze = 200.0;
    place.blur = 0.0;
    if random.chance(0.2) {
        let at = behind(2.0, 7.0, random) + vec3(0.0, random.range(0.8, 2.0), 0.0);
        place.props.push(ball(at, random.range(0.12, 0.22), random));
    }
    place
}

fn water(random: &mut Random) -> Backdrop {
    let deep = srgb(random.pick(&[0x123a52, 0x1c4a5a, 0x0f2f48, 0x2a5048])) * random.range(0.7, 1.2);
    let kind = Kind::Water { deep, rough: random.range(0.3, 1.0) };
    let mut place = open(day(deep, random), kind, random);
    place.mirrors = true;
    place.wet = true;
    match random.below(4) {
        0 => place.ridges.push(ridge(Outline::Hills, 0.02, 0.09, 0x5a7084, 0.55, random)),
        1 => place.ridges.push(ridge(
            Outline::Mountains { snow: random.chance(0.5) },
            0.02,
            0.13,
            0x6a7484,
            0.55,
            random,
        )),
        2 => place.ridges.push(ridge(Outline::Trees, 0.015, 0.03, 0x3f5a3a, 0.4, random)),
        _ => {}
    }
    let stone = srgb(0x6a6660);
    scattered(&mut place.props, random.below(4), (2.5, 10.0), random, move |at, r| {
        rock(at, r.range(0.3, 1.2), stone, r)
    });
    place
}

fn snow(random: &mut Random) -> Backdrop {
    let kind = Kind::Snow { tracks: random.chance(0.4) };
    let mut place = open(day(srgb(0xe0e6f0), random), kind, random);
    place.light.sun = place.light.sun * 0.8;
    if random.chance(0.7) {
        place.ridges.push(ridge(Outline::Mountains { snow: true }, 0.05, 0.22, 0x7a8494, 0.4, random));
    }
    if random.chance(0.7) {
        place.ridges.push(ridge(Outline::Firs, 0.03, 0.07, 0x3a4a44, 0.3, random));
    }
    scattered(&mut place.props, 2 + random.below(7), (2.0, 12.0), random, |at, r| fir(at, r.range(1.0, 3.2), true, r));
    let stone = srgb(0x8a8c90);
    scattered(&mut place.props, random.below(3), (1.5, 5.0), random, move |at, r| {
        rock(at, r.range(0.2, 0.6), stone, r)
    });
    distraction(&mut place.props, random);
    place
}

fn desert(random: &mut Random) -> Backdrop {
    let kind = Kind::Sand { ripples: random.range(0.3, 1.0) };
    let mut place = open(day(srgb(0xc89a5a), random), kind, random);
    place.sky.clouds *= 0.6;
    if random.chance(0.75) {
        place.ridges.push(ridge(Outline::Hills, 0.04, 0.16, 0xd0a468, 0.35, random));
    }
    if random.chance(0.4) {
        place.ridges.push(ridge(Outline::Mountains { snow: false }, 0.03, 0.12, 0xa8704a, 0.45, random));
    }
    scattered(&mut place.props, random.below(4), (2.0, 9.0), random, |at, r| cactus(at, r.range(0.6, 1.6), r));
    let stone = srgb(random.pick(&[0xa8744a, 0x8a6a50, 0xc09060]));
    scattered(&mut place.props, 1 + random.below(5), (1.3, 8.0), random, move |at, r| {
        rock(at, r.range(0.15, 0.7), stone, r)
    });
    distraction(&mut place.props, random);
    place
}

fn beach(random: &mut Random) -> Backdrop {
    let sea = srgb(random.pick(&[0x2a8a9a, 0x1f6a8a, 0x3aa0a8, 0x2f6070]));
    let kind = Kind::Shore { sea, edge: random.range(1.4, 3.2) };
    let mut place = open(day(srgb(0xd0b080), random), kind, random);
    place.ground.head(random.range(-12.0, 12.0));
    if random.chance(0.35) {
        place.ridges.push(ridge(Outline::Hills, 0.01, 0.07, 0x6a8470, 0.55, random));
    }
    if random.chance(0.5) {
        let side = random.pick(&[-1.0, 1.0]);
        for _ in 0..=random.below(3) {
            let at = vec3(side * random.range(0.9, 2.6), 0.0, -random.range(0.6, 1.6));
            place.props.push(palm(at, random.range(1.8, 3.2), random));
        }
    }
    let stone = srgb(0x7a7066);
    scattered(&mut place.props, random.below(3), (1.0, 3.0), random, move |at, r| {
        rock(at, r.range(0.12, 0.4), stone, r)
    });
    distraction(&mut place.props, random);
    place
}

fn road(heading: f32, random: &mut Random) -> Backdrop {
    let verge = srgb(random.pick(&[0x5a7a30, 0x8a8a4a, 0xb0905a]));
    let marking = srgb(random.pick(&[0xf0ede4, 0xf0ede4, 0xe0b030]));
    let kind = Kind::Asphalt { half: random.range(0.9, 1.6), marking, verge };
    let mut place = open(day(verge, random), kind, random);
    // The road runs the way that the object is headed, give or take.
    place.ground.head(-level(heading) + random.range(-8.0, 8.0));
    if random.chance(0.7) {
        place.ridges.push(ridge(Outline::Hills, 0.04, 0.13, 0x6a846a, 0.5, random));
    }
    if random.chance(0.6) {
        place.ridges.push(ridge(Outline::Trees, 0.03, 0.05, 0x4a6434, 0.25, random));
    }
    scattered(&mut place.props, random.below(4), (3.5, 12.0), random, |at, r| tree(at, r.range(1.2, 2.8), r));
    if random.chance(0.4) {
        let at = behind(2.6, 4.5, random);
        place.props.push(if random.chance(0.5) {
            sign(at, random.range(0.9, 1.6), random)
        } else {
            lamp(at, 2.4, false)
        });
    }
    place
}

/// The smallest turn that makes a road along x run the way of `heading`.
fn level(heading: f32) -> f32 {
    let turn = heading.rem_euclid(180.0);
    if turn > 90.0 { turn - 180.0 } else { turn }
}

fn city(heading: f32, random: &mut Random) -> Backdrop {
    let tint = srgb(random.pick(&[0x8a8a88, 0x9a8e80, 0xa8a49a, 0x7a6a60]));
    let paved = random.chance(0.6);
    let kind = if paved {
        Kind::Paving { size: random.range(0.22, 0.5), tint }
    } else {
        Kind::Asphalt { half: random.range(0.9, 1.5), marking: srgb(0xe8e6de), verge: tint }
    };
    let mut place = open(day(tint, random), kind, random);
    place.ground.head(if paved { random.range(-6.0, 6.0) } else { -0.3 * level(heading) });
    place.ridges.push(ridge(Outline::Roofs { lit: false }, 0.08, 0.2, 0x7a7c84, 0.4, random));
    house_row(&mut place.props, false, random);
    scattered(&mut place.props, random.below(3), (1.6, 3.0), random, |at, _| lamp(at, 2.2, false));
    if random.chance(0.4) {
        let at = behind(1.8, 3.0, random);
        place.props.push(tree(at, random.range(1.3, 2.2), random));
    }
    distraction(&mut place.props, random);
    place
}

/// House fronts side by side across the view.
fn house_row(props: &mut Vec<Prop>, lit: bool, random: &mut Random) {
    let z = -random.range(3.2, 6.5);
    let mut x = -7.0;
    while x < 7.0 {
        let width = random.range(1.2, 2.6);
        let gap = random.chance(0.12);
        if !gap {
            let height = random.range(1.6, 4.6);
            props.push(house(vec3(x + 0.5 * width, 0.0, z), width - 0.03, height, lit, random));
        }
        x += width;
    }
}

fn indoor(random: &mut Random) -> Backdrop {
    let warm = vec3(1.0, 0.93, 0.82);
    let light = Light {
        towards: direction(random.range(35.0, 60.0), random.range(-85.0, 85.0)),
        sun: warm * random.range(0.45, 0.75),
        sky: warm * random.range(0.34, 0.5),
        ground: warm * 0.16,
        horizon: warm * 0.45,
    };
    let kind = match random.below(4) {
        0 | 1 => Kind::Planks {
            wood: srgb(random.pick(&[0xa8703c, 0x7a4a28, 0xc89a62, 0x5a3a26])),
            width: random.range(0.16, 0.32),
            polish: random.pick(&[0.0, 0.2, 0.35]),
        },
        2 => Kind::Tiles {
            light: srgb(random.pick(&[0xe0dcd0, 0xc8c0b0])),
            dark: srgb(random.pick(&[0xb0a894, 0x3a3c40, 0x8a5a44])),
            size: random.range(0.3, 0.7),
        },
        _ => Kind::Carpet { pile: srgb(random.pick(&[0x8a3a34, 0x4a5a7a, 0xa89a80, 0x5a6a50])) },
    };
    let sky = Sky {
        zenith: warm * 0.5,
        horizon: warm * 0.5,
        clouds: 0.0,
        bright: Vec3::ZERO,
        dark: Vec3::ZERO,
        stretch: 1.0,
        offset: 0.0,
        disc: None,
        stars: false,
        below: 0.0,
    };
    let mut place = open((sky, light), kind, random);
    place.haze = 1e6;
    place.mirrors = matches!(kind, Kind::Planks { polish, .. } if polish > 0.0) || matches!(kind, Kind::Tiles { .. });
    place.ground.head(random.pick(&[0.0, 90.0]) + random.range(-8.0, 8.0));
    let z = -random.range(1.6, 3.4);
    place.wall = Some(wall(z, &light, random));
    // What hangs on the wall and stands before it, side by side.
    let mut x = -4.2 + random.range(0.0, 0.8);
    while x < 4.0 {
        let at = vec3(x, 0.0, z + 0.05);
        let piece = random.weighted(&[2.0, 2.0, 2.0, 1.5, 1.5, 2.0]);
        let wide = match piece {
            0 => {
                place.props.push(window(at + vec3(0.5, random.range(0.7, 1.0), 0.0), 1.1, 1.3));
                1.4
            }
            1 => {
                let (w, h) = (random.range(0.5, 1.0), random.range(0.4, 0.7));
                place.props.push(picture(at + vec3(0.4, random.range(0.9, 1.3), 0.0), w, h, random));
                1.2
            }
            2 => {
                place.props.push(sofa(at + vec3(0.9, 0.0, 0.3), random.range(1.7, 2.2), random));
                2.1
            }
            3 => {
                place.props.push(shelf(at + vec3(0.6, 0.0, 0.15), 1.1, random.range(1.1, 2.3), random));
                1.4
            }
            4 => {
                place.props.push(potted(at + vec3(0.3, 0.0, 0.4), random.range(0.8, 1.4), random));
                0.8
            }
            _ => random.range(0.6, 1.6),
        };
        x += wide;
    }
    distraction(&mut place.props, random);
    place
}

fn dark(random: &mut Random) -> Backdrop {
    let kind = match random.below(3) {
        0 => Kind::Asphalt { half: random.range(1.0, 1.6), marking: srgb(0xd8d6ce), verge: srgb(0x3a4a28) },
        1 => Kind::Grass { flowers: None, dry: 0.3 },
        _ => Kind::Paving { size: random.range(0.25, 0.5), tint: srgb(0x77767a) },
    };
    let mut place = open(night(random), kind, random);
    place.haze = random.range(6.0, 12.0);
    place.sky.horizon = place.sky.horizon * 0.6;
    if random.chance(0.6) {
        place.ridges.push(ridge(Outline::Roofs { lit: true }, 0.03, 0.12, 0x14161c, 0.1, random));
    } else {
        place.ridges.push(ridge(Outline::Trees, 0.04, 0.06, 0x0c120c, 0.1, random));
    }
    if random.chance(0.35) {
        house_row(&mut place.props, true, random);
    }
    scattered(&mut place.props, random.below(4), (2.0, 7.0), random, |at, _| lamp(at, 2.4, true));
    place
}

fn studio(random: &mut Random) -> Backdrop {
    let colour =
        srgb(random.pick(&[0xe8e6e2, 0xd8d4cc, 0xb8c8d4, 0xd8b8b0, 0x9aa8a0, 0xe0cfa0, 0x5a5e66, 0x34363c, 0xc0b0d0]));
    let key = random.range(0.4, 0.65);
    let light = Light {
        towards: direction(random.range(38.0, 65.0), random.range(-70.0, 70.0)),
        sun: Vec3::grey(key),
        sky: Vec3::grey(random.range(0.4, 0.55)),
        ground: colour * 0.35,
        horizon: colour * 0.7,
    };
    let polish = random.pick(&[0.0, 0.0, 0.3]);
    // The paper sweeps up behind: the floor fades into a sky of its own colour.
    let lit = colour * (light.sun * light.towards.y + light.sky);
    let sky = Sky {
        zenith: lit * random.range(0.45, 0.8),
        horizon: lit,
        clouds: 0.0,
        bright: Vec3::ZERO,
        dark: Vec3::ZERO,
        stretch: 1.0,
        offset: 0.0,
        disc: None,
        stars: false,
        below: 0.0,
    };
    let mut place = open((sky, light), Kind::Paper { colour, polish }, random);
    place.haze = 12.0;
    place.blur = 0.0;
    place.mirrors = polish > 0.0;
    place
}
