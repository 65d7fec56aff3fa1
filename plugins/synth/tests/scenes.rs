//! What every scene promises: the same bytes wherever it is drawn, masks that nest, attributes that follow from them, and
//! shortcuts that touch nothing but the background.

use std::{collections::BTreeSet, sync::LazyLock};

use rayon::prelude::*;
use rival10_sdk::{ContentHash, Mask, Presence, Size};
use rival10_synth::{ATTRIBUTES, Background, CLASSES, LOCALISED, Plan, Scene, scene};

fn plan(side: u32, shortcuts: &[&str]) -> Plan {
    let shortcuts = shortcuts.iter().map(|text| text.parse().expect("the shortcut is well formed")).collect();
    Plan { seed: 3, size: Size::new(side, side), shortcuts }
}

fn attribute(name: &str) -> usize {
    ATTRIBUTES.iter().position(|a| *a == name).expect("the attribute exists")
}

fn has(scene: &Scene, name: &str) -> bool {
    scene.attributes[attribute(name)] == Presence::Yes
}

fn inside(inner: &Mask, outer: &Mask) -> bool {
    inner.to_bitmap().iter().zip(outer.to_bitmap()).all(|(&i, o)| i <= o)
}

/// Three hundred small scenes, for what must hold in all.
fn many() -> &'static [Scene] {
    static SCENES: LazyLock<Vec<Scene>> = LazyLock::new(|| plan(72, &[]).scenes(300).collect());
    &SCENES
}

#[test]
fn a_scene_is_the_same_on_every_thread_and_in_any_order() {
    let plan = plan(96, &["ship=snow:0.5"]);
    let forwards: Vec<Scene> = (0..12).map(|index| scene(&plan, index)).collect();
    let backwards: Vec<Scene> = (0..12).rev().map(|index| scene(&plan, index)).collect();
    let parallel: Vec<Scene> = plan.scenes(12).collect();
    assert!(forwards.iter().eq(backwards.iter().rev()));
    assert_eq!(forwards, parallel);
    assert_ne!(forwards[0].image, scene(&Plan { seed: 4, ..plan }, 0).image);
}

/// A change of these digests is a change of every data set that was ever generated: say so in the changelog.
#[test]
fn scenes_are_the_same_as_ever_on_every_machine() {
    let plan = plan(64, &[]);
    let mut bytes = Vec::new();
    for scene in (0..60).map(|index| scene(&plan, index)) {
        bytes.extend(&scene.image.pixels);
        bytes.extend(scene.object.to_bitmap());
        scene.parts.values().for_each(|mask| bytes.extend(mask.to_bitmap()));
        bytes.extend(scene.attributes.iter().map(|&a| u8::from(a == Presence::Yes)));
    }
    assert_eq!(ContentHash::of(&bytes).to_string(), "c34cfcafbf18140efd0e5c98fc826b5d21dcef1846bfb39861a43a5fe6145fe6");
}

#[test]
fn masks_nest_and_attributes_follow_from_them() {
    for scene in many() {
        let what = format!("scene {} ({})", scene.index, CLASSES[scene.class]);
        assert!(scene.object.area() > 0, "{what}");
        assert_eq!(scene.attributes.len(), ATTRIBUTES.len());
        assert!(scene.attributes.iter().all(|&a| a != Presence::NotJudged), "{what}");
        for (part, name) in ATTRIBUTES.iter().enumerate().take(LOCALISED) {
            let mask = scene.parts.get(&part);
            assert_eq!(has(scene, name), mask.is_some(), "{what}: {name}");
            if let Some(mask) = mask {
                assert!(mask.area() > 0 && inside(mask, &scene.object), "{what}: {name}");
            }
        }
        assert!(scene.parts.keys().all(|&part| part < LOCALISED), "{what}");
        assert!(!(has(scene, "ears") && has(scene, "floppy-ears")), "{what}");
        assert!(!(has(scene, "long") && has(scene, "tall")), "{what}");
        assert!(scene.background != Background::Water || has(scene, "wet"), "{what}");
    }
}

#[test]
fn parts_belong_to_the_classes_that_have_them() {
    let may = |name: &str| -> &[&str] {
        match name {
            "wings" => &["plane", "bird"],
            "wheels" => &["truck", "car", "plane"],
            "text" => &["truck", "car", "plane", "ship"],
            "horns" => &["deer"],
            "floppy-ears" => &["dog"],
            "mane" => &["equine"],
            "beak" => &["bird"],
            "long-snout" => &["dog", "equine", "deer"],
            "ears" => &["cat", "dog", "equine", "deer"],
            "colored-eyes" => &["cat", "dog", "frog", "bird"],
            "tail" => &["plane", "cat", "dog", "equine", "deer", "bird"],
            "hairy" => &["cat", "dog", "equine", "deer"],
            "metallic" => &["truck", "car", "plane", "ship"],
            _ => &CLASSES,
        }
    };
    let mut seen = BTreeSet::new();
    for scene in many() {
        let class = CLASSES[scene.class];
        for name in ATTRIBUTES.iter().filter(|name| has(scene, name)) {
            assert!(may(name).contains(&class), "scene {}: a {class} has {name}", scene.index);
            seen.insert((*name, class));
        }
    }
    for name in ATTRIBUTES {
        for class in if may(name).len() < CLASSES.len() { may(name) } else { &[] } {
            assert!(seen.contains(&(name, *class)), "no {class} has {name}");
        }
    }
}

#[test]
fn every_attribute_and_background_occurs_and_none_is_always_there() {
    let scenes = many();
    for name in ATTRIBUTES {
        let count = scenes.iter().filter(|scene| has(scene, name)).count();
        assert!((5..scenes.len() - 5).contains(&count), "{name}: {count} of {}", scenes.len());
    }
    for background in Background::ALL {
        assert!(scenes.iter().any(|scene| scene.background == background), "{background}");
    }
}

/// long, tall and rectangular are read off the outline: where nothing stands before the object, off the mask itself.
#[test]
fn shapes_are_those_of_the_outline() {
    let mut checked = 0;
    for scene in many() {
        let (width, bitmap) = (scene.image.size.width as usize, scene.object.to_bitmap());
        let on: Vec<(usize, usize)> =
            (0..bitmap.len()).filter(|&at| bitmap[at] != 0).map(|at| (at % width, at / width)).collect();
        let range = |of: fn(&(usize, usize)) -> usize| {
            let (min, max) = (on.iter().map(of).min().unwrap(), on.iter().map(of).max().unwrap());
            (max + 1 - min) as f32
        };
        let (wide, high, area) = (range(|p| p.0), range(|p| p.1), on.len() as f32);
        // What stands before an object can take from it only: a full outline is at least as large.
        if has(scene, "rectangular") && area >= 0.7 * wide * high {
            checked += 1;
        } else if !has(scene, "rectangular") && area >= 0.8 * wide * high {
            panic!("scene {} fills its box and is not rectangular", scene.index);
        }
        assert!(!has(scene, "long") || wide > high, "scene {}", scene.index);
        assert!(!has(scene, "tall") || high > 0.8 * wide, "scene {}", scene.index);
    }
    assert!(checked > 10, "{checked}");
}

#[test]
fn objects_fill_a_fair_part_of_the_picture() {
    let scenes = many();
    let share = |s: &Scene| s.object.area() as f64 / s.image.size.pixels() as f64;
    let mean = scenes.iter().map(share).sum::<f64>() / scenes.len() as f64;
    assert!((0.08..0.4).contains(&mean), "{mean}");
    for scene in scenes {
        assert!(share(scene) > 0.01, "scene {} ({})", scene.index, CLASSES[scene.class]);
    }
}

#[test]
fn a_shortcut_changes_the_background_and_nothing_of_the_object() {
    let (free, planted) = (plan(64, &[]), plan(64, &["dog=water:1", "truck=snow:1", "cat=watermark:1"]));
    let mut moved = 0;
    for index in 0..60 {
        let (a, b) = (scene(&free, index), scene(&planted, index));
        assert_eq!((a.class, &a.object, &a.parts, a.split), (b.class, &b.object, &b.parts, b.split));
        let wet = attribute("wet");
        let others =
            |s: &Scene| s.attributes.iter().enumerate().filter(|(i, _)| *i != wet).map(|(_, a)| *a).collect::<Vec<_>>();
        assert_eq!(others(&a), others(&b));
        assert_eq!(b.watermark, b.class == 4);
        moved += usize::from(a.background != b.background);
    }
    assert!(moved >= 10, "{moved}");
}

#[test]
fn a_watermark_is_a_small_mark_in_the_corner() {
    let (clean, marked) = (plan(128, &[]), plan(128, &["cat=watermark:1"]));
    let index = (0..10).find(|&i| clean.class(i) == 4).unwrap();
    let (a, b) = (scene(&clean, index), scene(&marked, index));
    assert_eq!(a.background, b.background);
    let changed: Vec<usize> =
        (0..128 * 128).filter(|at| a.image.pixels[3 * at..3 * at + 3] != b.image.pixels[3 * at..3 * at + 3]).collect();
    assert!(!changed.is_empty() && changed.len() < 128 * 128 / 50, "{}", changed.len());
    assert!(changed.iter().all(|at| at % 128 > 90 && at / 128 > 100));
}

#[test]
fn any_size_is_drawn_and_looks_the_same() {
    for (width, height) in [(32, 32), (48, 96), (200, 60), (333, 77), (512, 512), (16, 16), (1, 1), (0, 5), (3, 400)] {
        let plan = Plan { seed: 9, size: Size::new(width, height), shortcuts: Vec::new() };
        for index in 0..4 {
            let scene = scene(&plan, index);
            assert_eq!(scene.image.pixels.len(), 3 * plan.size.pixels());
            assert_eq!(scene.object.size(), plan.size);
            assert!(scene.parts.values().all(|mask| mask.size() == plan.size));
            if width.min(height) >= 32 {
                assert!(scene.object.area() > 0, "{width}x{height}: {index}");
            }
        }
    }
    // The same scene at two sizes shows the same share of object.
    let share = |side| {
        let plan = Plan { seed: 9, size: Size::new(side, side), shortcuts: Vec::new() };
        (0..10)
            .into_par_iter()
            .map(|i| scene(&plan, i).object.area() as f64 / plan.size.pixels() as f64)
            .collect::<Vec<_>>()
    };
    for (small, large) in share(64).into_iter().zip(share(256)) {
        assert!((small - large).abs() < 0.015, "{small} {large}");
    }
}
