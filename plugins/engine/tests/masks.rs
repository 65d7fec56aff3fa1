//! Guards networks that give masks: what is stored for a picture is what the network says of it, resized back; what channels
//! mean is never guessed; a pair sees a picture once and is told where points lie.

#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    reason = "a test that can't go on says so by panicking"
)]

use std::path::{Path, PathBuf};

use rival10_engine::{
    Channels, Layout, Preprocessing,
    masks::{Fit, Prompt, Prompted, Scores, Segmenter},
    presets,
};
use rival10_sdk::{Mask, Rgb, Size};

mod small_model;

use small_model::{Small, floats, integers, node, value};

fn picture(size: Size) -> Rgb {
    let pixel = |at: u32| {
        let (x, y) = (at % size.width, at / size.width);
        [(x * 37 % 256) as u8, (y * 53 % 256) as u8, ((x + 2 * y) * 29 % 256) as u8]
    };
    Rgb { size, pixels: (0..size.width * size.height).flat_map(pixel).collect() }
}

/// A 1 x 1 convolution from red, green and blue to each channel, over `[1, 3, 12, 16]`.
fn coloured(weights: &[[f32; 3]], biases: &[f32]) -> Small {
    let mut small = Small::new(12, 16);
    let channels = weights.len() as i64;
    let graph = small.graph();
    graph.node = vec![node("mix", "Conv", &["x", "w", "b"], &["scores"])];
    graph.initializer =
        vec![floats("w", &[channels, 3, 1, 1], weights.concat()), floats("b", &[channels], biases.to_vec())];
    graph.output = vec![value("scores", &[None, Some(channels), Some(12), Some(16)])];
    small
}

fn plain() -> Preprocessing {
    presets::find("none").unwrap()
}

fn open(small: &Small, folder: &Path, scores: Option<Scores>) -> Result<Segmenter, String> {
    Segmenter::open(&small.save(folder), &plain(), Fit::Stretch, scores).map_err(|error| error.to_string())
}

#[test]
fn at_the_networks_own_size_the_masks_are_those_of_its_numbers() {
    let home = tempfile::tempdir().unwrap();
    // Redder than blue; greener than both; neither.
    let network = coloured(&[[0.0; 3], [1.0, 0.0, -1.0], [-1.0, 2.0, -1.0]], &[0.05, 0.0, 0.0]);
    let size = Size::new(16, 12);
    let picture = picture(size);
    let value = |x: u32, y: u32, c: usize| f32::from(picture.pixels[3 * (y * 16 + x) as usize + c]) / 255.0;
    let scores = |x, y| {
        let [r, g, b] = [0, 1, 2].map(|c| value(x, y, c));
        [0.05, r - b, 2.0 * g - r - b]
    };
    let segmenter = open(&network, home.path(), Some(Scores::Exclusive)).unwrap();
    assert_eq!((segmenter.channels(), segmenter.input_size()), (3, size));
    let map = segmenter.scores(&picture).unwrap();
    let masks = map.masks(segmenter.kind(), &[vec![1], vec![1, 2], vec![0]], size);
    let best = |x, y| {
        let scores = scores(x, y);
        (0..3).fold(0, |best, c| if scores[c] > scores[best] { c } else { best })
    };
    assert_eq!(masks[0], Mask::from_fn(size, |x, y| best(x, y) == 1));
    assert_eq!(masks[1], Mask::from_fn(size, |x, y| best(x, y) > 0));
    assert_eq!(masks[2], Mask::from_fn(size, |x, y| best(x, y) == 0));
    assert!(masks.iter().all(|mask| !mask.is_empty()));

    let segmenter = open(&network, home.path(), Some(Scores::Logits)).unwrap();
    let masks = segmenter.scores(&picture).unwrap().masks(Scores::Logits, &[vec![1], vec![2]], size);
    assert_eq!(masks[0], Mask::from_fn(size, |x, y| scores(x, y)[1] > 0.0));
    assert_eq!(masks[1], Mask::from_fn(size, |x, y| scores(x, y)[2] > 0.0));
}

#[test]
fn channels_last_are_the_same_masks() {
    let home = tempfile::tempdir().unwrap();
    let small = coloured(&[[1.0, 0.0, -1.0], [0.0, 1.0, -0.5]], &[0.0, 0.1]);
    let first = open(&small, home.path(), Some(Scores::Logits)).unwrap();
    let mut last = small.clone();
    let graph = last.graph();
    graph.input = vec![value("pixels", &[None, Some(12), Some(16), Some(3)])];
    graph.node.insert(
        0,
        small_model::with(node("in", "Transpose", &["pixels"], &["x"]), small_model::ints("perm", &[0, 3, 1, 2])),
    );
    graph.node.push(small_model::with(
        node("out", "Transpose", &["scores"], &["last"]),
        small_model::ints("perm", &[0, 2, 3, 1]),
    ));
    graph.output = vec![value("last", &[None, Some(12), Some(16), Some(2)])];
    let home = tempfile::tempdir().unwrap();
    let last = open(&last, home.path(), Some(Scores::Logits)).unwrap();
    assert_eq!(last.preprocessing().layout, Some(Layout::Nhwc));
    let picture = picture(Size::new(40, 30));
    let masks = |segmenter: &Segmenter| {
        segmenter.scores(&picture).unwrap().masks(Scores::Logits, &[vec![0], vec![1]], picture.size)
    };
    assert_eq!(masks(&first), masks(&last));
}

#[test]
fn pictures_of_any_size_and_order_of_channels_are_fed_as_stated() {
    let home = tempfile::tempdir().unwrap();
    let small = coloured(&[[1.0, 0.0, -1.0]], &[0.0]);
    let file = small.save(home.path());
    let bgr = Preprocessing { channels: Channels::Bgr, ..plain() };
    // Blue and red change places: what is redder for one is bluer for the other.
    let size = Size::new(37, 23);
    let picture = picture(size);
    let masks = |preprocessing: &Preprocessing, fit| {
        let segmenter = Segmenter::open(&file, preprocessing, fit, Some(Scores::Logits)).unwrap();
        segmenter.scores(&picture).unwrap().masks(Scores::Logits, &[vec![0]], size).remove(0)
    };
    let (rgb, bgr) = (masks(&plain(), Fit::Stretch), masks(&bgr, Fit::Stretch));
    assert_eq!(rgb.intersection_area(&bgr).unwrap(), 0);
    assert!(rgb.area() + bgr.area() > size.pixels() as u64 * 9 / 10);
    // Fitted by its longer side it is another picture in the network's eyes, and the masks lie where it does all the same.
    let fitted = masks(&plain(), Fit::LongestSide);
    let iou = fitted.intersection_area(&rgb).unwrap() as f64 / fitted.union(&rgb).unwrap().area() as f64;
    assert!(iou > 0.6, "{iou}");
}

#[test]
fn what_does_not_follow_the_convention_is_refused_with_what_would_do() {
    let home = tempfile::tempdir().unwrap();
    let refused = |small: &Small, scores: Option<Scores>| open(small, home.path(), scores).unwrap_err();
    let two = coloured(&[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]], &[0.0, 0.0]);
    assert!(refused(&two, None).contains("--scores exclusive"), "{}", refused(&two, None));
    let one = coloured(&[[1.0, 0.0, 0.0]], &[0.0]);
    assert!(refused(&one, Some(Scores::Exclusive)).contains("one channel"));
    assert!(refused(&Small::new(12, 16), Some(Scores::Logits)).contains("lies over the picture"));

    let mut sigmoid = two.clone();
    sigmoid.graph().node.push(node("end", "Sigmoid", &["scores"], &["likely"]));
    sigmoid.graph().output = vec![value("likely", &[None, Some(2), Some(12), Some(16)])];
    assert!(refused(&sigmoid, Some(Scores::Logits)).contains("ends in Sigmoid"));
    assert_eq!(open(&sigmoid, home.path(), None).unwrap().kind(), Scores::Probabilities);

    let mut several = sigmoid.clone();
    several.graph().output.push(value("scores", &[None, Some(2), Some(12), Some(16)]));
    assert!(refused(&several, None).contains("--output"));
    let asked = Preprocessing { output: Some("likely".to_owned()), ..plain() };
    Segmenter::open(&several.save(home.path()), &asked, Fit::Stretch, None).unwrap();
    let unknown = Preprocessing { output: Some("mask".to_owned()), ..plain() };
    let error = Segmenter::open(&several.save(home.path()), &unknown, Fit::Stretch, None).unwrap_err().to_string();
    assert!(error.contains("no output \"mask\""), "{error}");

    let mut batch = two.clone();
    batch.graph().input = vec![value("x", &[Some(4), Some(3), Some(12), Some(16)])];
    assert!(refused(&batch, Some(Scores::Logits)).contains("4 pictures at once"));
}

/// An encoder that leaves the picture as it is.
fn encoder() -> Small {
    let mut small = Small::new(12, 16);
    let graph = small.graph();
    graph.node = vec![node("see", "Identity", &["x"], &["image_embeddings"])];
    graph.initializer = Vec::new();
    graph.output = vec![value("image_embeddings", &[None, Some(3), Some(12), Some(16)])];
    small
}

/// A decoder whose logit at a pixel is `sum over points of (2 label - 1) relu(9 - squared distance), less 4, plus its red`:
/// discs around points, cut by those that are not meant. It has two masks; the second, the better one, is the first turned
/// around where `turned`.
fn decoder(turned: bool) -> Small {
    let mut small = Small::new(12, 16);
    let grid = |of: fn(usize) -> usize| floats("", &[1, 1, 12, 16], (0..192).map(|at| of(at) as f32).collect());
    let mut across = grid(|at| at % 16);
    let mut down = grid(|at| at / 16);
    (across.name, down.name) = ("across".to_owned(), "down".to_owned());
    let graph = small.graph();
    let gather = |name: &str, at: &str, to: &str| {
        small_model::with(node(name, "Gather", &["point_coords", at], &[to]), small_model::int("axis", 2))
    };
    graph.node = vec![
        gather("px", "zero", "xs"),
        gather("py", "one", "ys"),
        node("lx", "Unsqueeze", &["xs", "last"], &["x4"]),
        node("ly", "Unsqueeze", &["ys", "last"], &["y4"]),
        node("dx", "Sub", &["across", "x4"], &["dx"]),
        node("dy", "Sub", &["down", "y4"], &["dy"]),
        node("dx2", "Mul", &["dx", "dx"], &["dx2"]),
        node("dy2", "Mul", &["dy", "dy"], &["dy2"]),
        node("d2", "Add", &["dx2", "dy2"], &["d2"]),
        node("near", "Sub", &["nine", "d2"], &["near"]),
        node("hill", "Relu", &["near"], &["hill"]),
        node("twice", "Mul", &["point_labels", "two"], &["twice"]),
        node("sign", "Sub", &["twice", "unit"], &["signs"]),
        node("l4", "Unsqueeze", &["signs", "last"], &["s4"]),
        node("signed", "Mul", &["hill", "s4"], &["signed"]),
        small_model::with(node("sum", "ReduceSum", &["signed", "points"], &["sum"]), small_model::int("keepdims", 1)),
        node("red", "Conv", &["image_embeddings", "w"], &["red"]),
        node("both", "Add", &["sum", "red"], &["both"]),
        node("logit", "Sub", &["both", "four"], &["logit"]),
        node("other", "Neg", &["logit"], &["other"]),
        small_model::with(
            node("masks", "Concat", if turned { &["logit", "other"] } else { &["other", "logit"] }, &["low_res_masks"]),
            small_model::int("axis", 1),
        ),
        // What depends on the size asked for is not run.
        small_model::with(node("o", "ReduceSum", &["orig_im_size"], &["orig"]), small_model::int("keepdims", 0)),
        node("wide", "Add", &["low_res_masks", "orig"], &["masks"]),
        // Quality: more for the second, whatever is pointed at.
        small_model::with(node("q", "ReduceSum", &["point_labels", "points"], &["q"]), small_model::int("keepdims", 1)),
        node("zeroed", "Mul", &["q", "nothing"], &["zeroed"]),
        node("qs", "Add", &["zeroed", "qualities"], &["iou_predictions"]),
    ];
    let number = |name: &str, v: f32| floats(name, &[1], vec![v]);
    graph.initializer = vec![
        across,
        down,
        integers("zero", &[], vec![0]),
        integers("one", &[], vec![1]),
        integers("last", &[2], vec![2, 3]),
        integers("points", &[1], vec![1]),
        number("nine", 9.0),
        number("two", 2.0),
        number("unit", 1.0),
        number("four", 4.0),
        number("nothing", 0.0),
        floats("qualities", &[1, 2], vec![0.25, 0.75]),
        floats("w", &[1, 3, 1, 1], vec![1.0, 0.0, 0.0]),
    ];
    graph.input = vec![
        value("image_embeddings", &[Some(1), Some(3), Some(12), Some(16)]),
        value("point_coords", &[Some(1), None, Some(2)]),
        value("point_labels", &[Some(1), None]),
        value("mask_input", &[Some(1), Some(1), Some(3), Some(4)]),
        value("has_mask_input", &[Some(1)]),
        value("orig_im_size", &[Some(2)]),
    ];
    graph.output = vec![
        value("masks", &[Some(1), Some(2), None, None]),
        value("iou_predictions", &[Some(1), Some(2)]),
        value("low_res_masks", &[Some(1), Some(2), Some(12), Some(16)]),
    ];
    small
}

fn pair(folder: &Path, encoder: &Small, decoder: &Small) -> (PathBuf, PathBuf) {
    let (first, second) = (folder.join("encoder"), folder.join("decoder"));
    std::fs::create_dir_all(&first).unwrap();
    std::fs::create_dir_all(&second).unwrap();
    (encoder.save(&first), decoder.save(&second))
}

/// The decoder's rule, by hand.
fn expected(picture: &Rgb, points: &[(f32, f32, f32)]) -> Mask {
    let size = picture.size;
    Mask::from_fn(size, |x, y| {
        let red = f32::from(picture.pixels[3 * (y * size.width + x) as usize]) / 255.0;
        let hill = |&(px, py, label): &(f32, f32, f32)| {
            let (dx, dy) = (x as f32 - px, y as f32 - py);
            (2.0 * label - 1.0) * (9.0 - dx * dx - dy * dy).max(0.0)
        };
        points.iter().map(hill).sum::<f32>() + red - 4.0 > 0.0
    })
}

#[test]
fn a_pair_marks_what_points_and_a_box_mean_by_the_best_of_its_masks() {
    let home = tempfile::tempdir().unwrap();
    let (encoder, decoder) = pair(home.path(), &encoder(), &decoder(false));
    let pair = Prompted::open(&encoder, &decoder, &plain(), Fit::Stretch).unwrap();
    let picture = picture(Size::new(16, 12));
    let seen = pair.embed(&picture).unwrap();
    let point = |x, y, inside| Prompt::Point { at: (x, y), inside };
    let mask = |prompts: &[Prompt]| pair.mask(&seen, prompts).unwrap();
    assert!(mask(&[]).is_empty());
    // Without a box one more point comes along, at the corner, which is none.
    let none = (0.0, 0.0, -1.0);
    assert_eq!(mask(&[point(8, 6, true)]), expected(&picture, &[(8.0, 6.0, 1.0), none]));
    let both = [(8.0, 6.0, 1.0), (10.0, 6.0, 0.0), none];
    assert_eq!(mask(&[point(8, 6, true), point(10, 6, false)]), expected(&picture, &both));
    let framed = [(12.0, 9.0, 1.0), (3.0, 2.0, 2.0), (9.0, 8.0, 3.0)];
    let boxes =
        [Prompt::Box { from: (0, 0), to: (1, 1) }, point(12, 9, true), Prompt::Box { from: (3, 2), to: (9, 8) }];
    assert_eq!(mask(&boxes), expected(&picture, &framed), "the last box counts");
    assert!(mask(&[point(8, 6, true)]).area() > 10);
}

#[test]
fn points_lie_in_the_networks_frame_and_masks_in_the_pictures() {
    let home = tempfile::tempdir().unwrap();
    let (encoder, decoder) = pair(home.path(), &encoder(), &decoder(false));
    // Half as high as its input allows: the picture fills the upper half.
    let size = Size::new(32, 12);
    let black = Rgb { size, pixels: vec![0; 3 * size.pixels()] };
    for (fit, high) in [(Fit::Stretch, 1.0), (Fit::LongestSide, 0.5)] {
        let pair = Prompted::open(&encoder, &decoder, &plain(), fit).unwrap();
        let seen = pair.embed(&black).unwrap();
        let mask = pair.mask(&seen, &[Prompt::Point { at: (16, 8), inside: true }]).unwrap();
        // A hill of 9 - d² over 4 is a disc of radius sqrt(5) in the network's frame, around (8, 8 * high).
        let (rx, ry) = (2.0 * 5.0_f64.sqrt(), 5.0_f64.sqrt() / high);
        let area = std::f64::consts::PI * rx * ry;
        let bounds = mask.bbox().unwrap();
        assert!((mask.area() as f64 - area).abs() < 0.35 * area, "{fit:?}: {} of {area}", mask.area());
        let (middle_x, middle_y) =
            (f64::from(bounds.x) + f64::from(bounds.width) / 2.0, f64::from(bounds.y) + f64::from(bounds.height) / 2.0);
        assert!((middle_x - 17.0).abs() <= 1.5 && (middle_y - 8.5).abs() <= 1.5, "{fit:?}: {middle_x}, {middle_y}");
    }
}

#[test]
fn a_pair_that_does_not_fit_together_is_refused_by_the_input_that_is_wrong() {
    let home = tempfile::tempdir().unwrap();
    let refused = |first: &Small, second: &Small| {
        let (encoder, decoder) = pair(home.path(), first, second);
        Prompted::open(&encoder, &decoder, &plain(), Fit::Stretch).unwrap_err().to_string()
    };
    let mut other = decoder(false);
    other.graph().input[0] = value("image_embeddings", &[Some(1), Some(8), Some(12), Some(16)]);
    assert!(refused(&encoder(), &other).contains("the encoder gives [1, 3, 12, 16]"));
    let mut more = decoder(false);
    more.graph().input.push(value("text", &[Some(1)]));
    assert!(refused(&encoder(), &more).contains("\"text\""));
    let mut vast = decoder(false);
    vast.graph().input[3] = value("mask_input", &[Some(1), Some(1), Some(1 << 40), Some(1 << 40)]);
    assert!(refused(&encoder(), &vast).contains("more numbers than can be held"));
    let mut less = decoder(false);
    less.graph().input.remove(1);
    assert!(refused(&encoder(), &less).contains("point_coords"));
    assert!(refused(&encoder(), &encoder()).contains("a decoder takes it"));
    assert!(refused(&Small::new(12, 16), &decoder(false)).contains("one embedding of four axes"));
    let mut dumb = decoder(false);
    dumb.graph().output.retain(|output| output.name == "iou_predictions");
    assert!(refused(&encoder(), &dumb).contains("low_res_masks or masks"));
}

#[test]
fn the_mask_of_the_best_quality_is_taken() {
    let home = tempfile::tempdir().unwrap();
    let picture = picture(Size::new(16, 12));
    let mask = |turned: bool| {
        let (encoder, decoder) = pair(home.path(), &encoder(), &decoder(turned));
        let pair = Prompted::open(&encoder, &decoder, &plain(), Fit::Stretch).unwrap();
        pair.mask(&pair.embed(&picture).unwrap(), &[Prompt::Point { at: (8, 6), inside: true }]).unwrap()
    };
    assert_eq!(
        mask(false).intersection_area(&mask(true)).unwrap(),
        0,
        "the second one, be it the disc or what is around it"
    );
}
