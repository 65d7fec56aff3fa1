//! Guards masks that networks propose on the annotation screen: what is accepted is, pixel for pixel, what the network says of
//! the picture, resized back; what is left changes nothing; the journal keeps which network it was.

use std::{collections::BTreeMap, fs, path::Path};

use rival10_imaging::Filter;
use rival10_sdk::{Mask, Rgb, Size};
use serde_json::Value;

use crate::{
    annotate::screen_with,
    binary::{fails, images, json, ok},
    onnx::{file, floats, free_value, integers, node, node_with, value},
    pty::Pty,
};

const SIZE: Size = Size::new(64, 48);

/// The networks' input: half as large.
const INPUT: Size = Size::new(32, 24);

fn colour(x: u32, y: u32, n: u32) -> [u8; 3] {
    [(x * 4) as u8, (y * 5) as u8, (n * 80) as u8]
}

/// A project with pictures of a bird, and Ada, who has looked around before.
fn project(home: &Path) {
    let folder = home.join("pictures/bird");
    fs::create_dir_all(&folder).unwrap();
    for n in 0..2 {
        let pixel = |x, y| image::Rgb(colour(x, y, n));
        image::RgbImage::from_fn(SIZE.width, SIZE.height, pixel).save(folder.join(format!("finch{n}.png"))).unwrap();
    }
    ok(home, ["init", "."]);
    ok(home, ["import", "--format", "images", "pictures"]);
    ok(home, ["annotators", "add", "ada"]);
}

/// Scores of three channels: nothing; where red is above green; where green is well above red.
const WEIGHTS: [[f32; 3]; 3] = [[0.0; 3], [1.0, -1.0, 0.0], [-1.0, 1.0, 0.0]];
const BIASES: [f32; 3] = [0.0, 0.013, -0.207];

fn segmenter() -> Vec<u8> {
    file(&[
        node("mix", "Conv", &["x", "w", "b"], &["scores"]),
        floats("w", &[3, 3, 1, 1], &WEIGHTS.concat()),
        floats("b", &[3], &BIASES),
        value(11, "x", &[1, 3, 24, 32]),
        value(12, "scores", &[1, 3, 24, 32]),
    ])
}

/// An encoder that leaves the picture as it is, and a decoder: discs around points, cut by those that are not meant.
fn pair() -> (Vec<u8>, Vec<u8>) {
    let encoder = file(&[
        node("see", "Identity", &["x"], &["image_embeddings"]),
        value(11, "x", &[1, 3, 24, 32]),
        value(12, "image_embeddings", &[1, 3, 24, 32]),
    ]);
    let grid = |of: fn(usize) -> usize| (0..24 * 32).map(|at| of(at) as f32).collect::<Vec<f32>>();
    let decoder = file(&[
        node_with("px", "Gather", &["point_coords", "zero"], &["xs"], ("axis", 2)),
        node_with("py", "Gather", &["point_coords", "one"], &["ys"], ("axis", 2)),
        node("lx", "Unsqueeze", &["xs", "last"], &["x4"]),
        node("ly", "Unsqueeze", &["ys", "last"], &["y4"]),
        node("dx", "Sub", &["across", "x4"], &["dx"]),
        node("dy", "Sub", &["down", "y4"], &["dy"]),
        node("dx2", "Mul", &["dx", "dx"], &["dx2"]),
        node("dy2", "Mul", &["dy", "dy"], &["dy2"]),
        node("d2", "Add", &["dx2", "dy2"], &["d2"]),
        node("near", "Sub", &["reach", "d2"], &["near"]),
        node("hill", "Relu", &["near"], &["hill"]),
        node("twice", "Mul", &["point_labels", "two"], &["twice"]),
        node("sign", "Sub", &["twice", "unit"], &["signs"]),
        node("l4", "Unsqueeze", &["signs", "last"], &["s4"]),
        node("signed", "Mul", &["hill", "s4"], &["signed"]),
        node_with("sum", "ReduceSum", &["signed", "points"], &["sum"], ("keepdims", 1)),
        node("red", "Conv", &["image_embeddings", "w"], &["red"]),
        node("both", "Add", &["sum", "red"], &["both"]),
        node("logit", "Sub", &["both", "least"], &["low_res_masks"]),
        floats("across", &[1, 1, 24, 32], &grid(|at| at % 32)),
        floats("down", &[1, 1, 24, 32], &grid(|at| at / 32)),
        integers("zero", &[], &[0]),
        integers("one", &[], &[1]),
        integers("last", &[2], &[2, 3]),
        integers("points", &[1], &[1]),
        floats("reach", &[1], &[REACH]),
        floats("two", &[1], &[2.0]),
        floats("unit", &[1], &[1.0]),
        floats("least", &[1], &[LEAST]),
        floats("w", &[1, 3, 1, 1], &[1.0, 0.0, 0.0]),
        value(11, "image_embeddings", &[1, 3, 24, 32]),
        free_value(11, "point_coords", &[Some(1), None, Some(2)]),
        free_value(11, "point_labels", &[Some(1), None]),
        value(12, "low_res_masks", &[1, 1, 24, 32]),
    ]);
    (encoder, decoder)
}

const REACH: f32 = 36.3;
const LEAST: f32 = 9.17;

/// The first picture as the networks see it, values in [0, 1].
fn seen() -> impl Fn(u32, u32, usize) -> f32 {
    let pixels = (0..SIZE.pixels() as u32).flat_map(|at| colour(at % SIZE.width, at / SIZE.width, 0)).collect();
    let small = rival10_imaging::resize_with(&Rgb { size: SIZE, pixels }, INPUT, Filter::Bilinear);
    move |x, y, c| f32::from(small.pixels[3 * (y * INPUT.width + x) as usize + c]) / 255.0
}

/// Scores at the picture's size: PyTorch's bilinear interpolation between pixels' centres, a pixel at a time.
fn resized(score: &dyn Fn(u32, u32) -> f32, x: u32, y: u32) -> f32 {
    let place = |at: u32, from: u32, to: u32| {
        let at = ((at as f32 + 0.5) * (from as f32 / to as f32) - 0.5).max(0.0);
        (at as u32, (at as u32 + 1).min(from - 1), at - at.floor())
    };
    let (x0, x1, fx) = place(x, INPUT.width, SIZE.width);
    let (y0, y1, fy) = place(y, INPUT.height, SIZE.height);
    let row = |y| (1.0 - fx) * score(x0, y) + fx * score(x1, y);
    (1.0 - fy) * row(y0) + fy * row(y1)
}

/// The pixels whose greatest score is that of a channel.
fn of_channel(channel: usize) -> Mask {
    let seen = seen();
    let score = |c: usize| {
        let seen = &seen;
        move |x: u32, y: u32| (0..3).map(|i| WEIGHTS[c][i] * seen(x, y, i)).sum::<f32>() + BIASES[c]
    };
    Mask::from_fn(SIZE, |x, y| {
        let scores: Vec<f32> = (0..3).map(|c| resized(&score(c), x, y)).collect();
        (0..3).fold(0, |best, c| if scores[c] > scores[best] { c } else { best }) == channel
    })
}

/// What the pair's decoder says of points, each with its label, in the picture's pixels.
fn of_points(points: &[(u32, u32, f32)]) -> Mask {
    let seen = seen();
    let score = |x: u32, y: u32| {
        let hill = |&(px, py, label): &(u32, u32, f32)| {
            let (dx, dy) = (x as f32 - px as f32 / 2.0, y as f32 - py as f32 / 2.0);
            (2.0 * label - 1.0) * (REACH - dx * dx - dy * dy).max(0.0)
        };
        points.iter().map(hill).sum::<f32>() + seen(x, y, 0) - LEAST
    };
    Mask::from_fn(SIZE, |x, y| resized(&score, x, y) > 0.0)
}

fn add_networks(home: &Path) {
    let (encoder, decoder) = pair();
    for (name, bytes) in [("parts", &segmenter()), ("encoder", &encoder), ("decoder", &decoder)] {
        fs::write(home.join(format!("{name}.onnx")), bytes).unwrap();
    }
    let channels = ["--channel", "bird=1", "--channel", "beak=2"];
    let segment =
        ["models", "add", "parts", "parts.onnx", "--task", "segment", "--preset", "none", "--scores", "exclusive"];
    let said = ok(home, [&segment[..], &channels[..]].concat());
    assert!(said.contains("model parts: 32x24 input, channels beak 2  bird 1"), "{said}");
    let said = ok(
        home,
        [
            "models",
            "add",
            "points",
            "encoder.onnx",
            "--task",
            "segment",
            "--decoder",
            "decoder.onnx",
            "--preset",
            "none",
        ],
    );
    assert!(said.contains("marks what is pointed at"), "{said}");
}

fn screen(home: &Path, network: &str) -> Pty {
    screen_with(home, &["--network", network])
}

/// The masks that Ada has drawn of the first image.
fn masks(home: &Path) -> BTreeMap<String, Mask> {
    let dump = ok(home, ["dump"]);
    let instances = &images(&dump)[0].1;
    let Some(annotations) = instances.first().map(|instance| instance["annotations"].as_array().unwrap()) else {
        return BTreeMap::new();
    };
    let ada = annotations.iter().find(|annotation| annotation["annotator"] == "ada");
    let Some(ada) = ada else { return BTreeMap::new() };
    let masks: Vec<(String, String)> = serde_json::from_value(ada["masks"].clone()).unwrap();
    masks.into_iter().map(|(name, runs)| (name, Mask::from_coco_string(SIZE, &runs).unwrap())).collect()
}

#[test]
fn a_networks_mask_is_left_accepted_and_taken_back_and_is_what_the_network_says() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    project(home);
    add_networks(home);
    let (object, beak) = (of_channel(1), of_channel(2));
    assert!(object.area() > 300 && beak.area() > 300);
    let proposes = format!("parts proposes 2 layers: object {}, beak {}", object.area(), beak.area());

    let mut pty = screen(home, "parts");
    pty.send("a");
    pty.shows(&proposes);
    pty.shows("proposed by parts");
    pty.send("\x1b");
    pty.shows("left as it is");
    pty.send("a");
    pty.shows(&proposes);
    pty.send("\r");
    pty.shows("accepted; next is beak");
    pty.shows("saved 1");
    pty.send("\r");
    pty.shows("accepted; u takes it back");
    pty.send("u");
    pty.shows("taken back: draw beak");
    pty.send("\x12");
    pty.shows("again: draw beak");
    pty.send("0u");
    pty.shows("taken back: draw object");
    pty.send("q");
    assert_eq!(pty.end(), 0);
    let stored = masks(home);
    assert_eq!(stored.get("attribute beak"), Some(&beak));
    assert_eq!(stored.get("object").map_or(0, Mask::area), 0, "accepting is one step, and was taken back");

    // Accepted and then fixed by hand: two entries, of which the first names the network.
    let mut pty = screen(home, "parts");
    pty.send("a");
    pty.shows(&proposes);
    pty.send("\r");
    pty.shows("accepted");
    pty.send("\x1b");
    pty.shows("left as it is");
    pty.send("0erl 3l3j ");
    pty.shows("saved 2");
    pty.send("q");
    assert_eq!(pty.end(), 0);
    let bite = Mask::from_fn(SIZE, |x, y| (33..=36).contains(&x) && (24..=27).contains(&y));
    assert_eq!(masks(home)["object"], object.difference(&bite).unwrap());
    let log = json(home, &["log"]);
    let said: Vec<&str> = log.as_array().unwrap().iter().filter_map(|entry| entry["what"].as_str()).collect();
    let digest = &json(home, &["models", "list"])[0]["digest"].as_str().unwrap()[..12].to_owned();
    let by = format!("draw object: {} pixels, by parts {digest}", object.area());
    assert!(said.iter().any(|what| what.starts_with(&by)), "{said:?}");
}

#[test]
fn a_pair_marks_what_is_pointed_at_with_keys_and_mouse() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    project(home);
    add_networks(home);
    let none = (0, 0, -1.0);
    let one = of_points(&[(32, 24, 1.0), none]);
    let two = of_points(&[(32, 24, 1.0), (40, 24, 0.0), none]);
    assert!(one.area() > two.area() && two.area() > 50);

    let mut pty = screen(home, "points");
    pty.send("a");
    pty.shows("has seen the picture");
    pty.send(" ");
    pty.shows(&format!("points proposes object {};", one.area()));
    pty.send("8le e");
    pty.shows(&format!("points proposes object {};", two.area()));
    pty.send("\x1b");
    pty.shows("left as it is");
    assert_eq!(masks(home).len(), 0);
    pty.send(" ");
    let beside = of_points(&[(40, 24, 1.0), none]);
    pty.shows(&format!("points proposes object {};", beside.area()));
    pty.send("\r");
    pty.shows("accepted");
    pty.shows("saved 1");
    assert_eq!(masks(home)["object"], beside);

    // A box, by the mouse: its corners are the pixels of the cells where the button went down and up.
    let mut view = rival10::tui::app::viewport::Viewport::new(80 - 27, 24 - 3);
    view.fit(SIZE);
    view.rescale(1.0, (32, 24));
    let (from, to) = (view.pixel(20, 8), view.pixel(28, 12));
    pty.mouse(0, (20, 9), true);
    pty.mouse(32, (24, 11), true);
    pty.mouse(32, (28, 13), true);
    pty.mouse(0, (28, 13), false);
    let boxed = of_points(&[(from.0 as u32, from.1 as u32, 2.0), (to.0 as u32, to.1 as u32, 3.0)]);
    pty.shows(&format!("points proposes object {};", boxed.area()));
    pty.send("\r");
    pty.shows("saved 2");
    pty.send("q");
    assert_eq!(pty.end(), 0);
    assert_eq!(masks(home)["object"], boxed);
}

#[test]
fn networks_that_give_masks_and_classifiers_are_not_taken_for_each_other() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    project(home);
    add_networks(home);
    let listed = json(home, &["models", "list"]);
    let tasks: Vec<&Value> = listed.as_array().unwrap().iter().map(|model| &model["task"]).collect();
    assert_eq!(tasks, ["segment", "prompt"]);
    let said = fails(home, 1, &["analyze", "--plugin", "noise-sensitivity", "--model", "parts"]);
    assert!(said.contains("\"parts\" gives masks"), "{said}");
    let add = |more: &[&str]| {
        let all = [&["models", "add", "more", "parts.onnx"], more].concat();
        fails(home, 2, &all)
    };
    assert!(add(&["--task", "segment"]).contains("--preset"));
    assert!(add(&["--preset", "none", "--channel", "object=1"]).contains("--task segment"));
    let segment = ["--task", "segment", "--preset", "none", "--scores", "logits"];
    assert!(add(&segment).contains("what do its 3 channels stand for"));
    assert!(add(&[&segment[..], &["--channel", "wing=1"]].concat()).contains("no attribute or class"));
    assert!(add(&[&segment[..], &["--labels", "imagenet"]].concat()).contains("for classifiers"));
    let said = fails(home, 1, &["models", "add", "more", "parts.onnx", "--task", "segment", "--preset", "none"]);
    assert!(said.contains("--scores exclusive"), "{said}");

    // What was added and is another file now is refused on the screen, and the screen goes on.
    let mut changed = segmenter();
    changed.push(0);
    let mut pty = screen(home, "parts");
    fs::write(home.join("parts.onnx"), changed).unwrap();
    pty.send("a");
    pty.shows("is not the file that was added");
    pty.send(" ");
    pty.shows("saved 1");
    pty.send("q");
    assert_eq!(pty.end(), 0);
}
