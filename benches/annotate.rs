//! What the annotation screen costs: frame time of a stroke, bytes a frame, opening an image, memory.
//!
//! `cargo bench --bench annotate` (or, with what `cargo test` has built already, `cargo bench --profile dev --bench annotate`).
//! A picture of 4000 x 3000 pixels with 19 layers is drawn on, in character mode, at several sizes of terminal: from the
//! mouse report to the bytes that would be written, everything included but the write itself; then with pictures by the terminal's graphics: time and bytes of the tiles.

#![allow(clippy::print_stdout, reason = "a bench prints what it measured")]

use std::{
    fs,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use crossterm::event::{KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use ratatui::{buffer::Buffer, layout::Rect};
use rival10::{
    domain::{ImageId, InstanceId, Layer, Mask, Presence, Remarks, Size, Taxonomy},
    ops::annotate::{Picture, QueueItem, load_picture},
    tui::{
        action::{Action, Effect},
        app::{
            App, Cells, Settings,
            queue::Filter,
            sheet::{Instance, Spread, drawn},
        },
        frames::{Frames, Palette},
        graphics::{Graphics, Protocol, Quality, encoder::Tiles},
        keymap::Keymap,
        view,
    },
};
use rival10_sdk::Rgb;

const SIZE: Size = Size::new(4000, 3000);

fn main() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("large.jpg");
    fs::write(&file, rival10_imaging::encode_jpeg(&photo(), 92).expect("a JPEG")).expect("the disk has room");
    let mut opening: Vec<Duration> =
        (0..9).map(|_| timed(|| load_picture(&file, SIZE).expect("the picture")).0).collect();
    let (decoding, picture) = timed(|| Arc::new(load_picture(&file, SIZE).expect("the picture")));
    opening.push(decoding);
    report("decode a JPEG of 12 megapixels, ahead", &mut opening);

    let masks: Vec<(Layer, Mask)> = Layer::all(18).take(19).map(|layer| (layer, mask(layer))).collect();
    let mut spreading: Vec<Duration> = (0..9)
        .map(|_| timed(|| masks.iter().map(|(layer, mask)| (*layer, drawn(mask))).collect::<Vec<_>>()).0)
        .collect();
    report("19 masks of 12 megapixels to bits", &mut spreading);

    for (columns, rows) in [(80, 24), (120, 40), (200, 60)] {
        for (name, zoom) in [("whole image", 0), ("1:1", 1)] {
            strokes(&picture, &masks, &file, (columns, rows), name, zoom == 1);
        }
    }
    for protocol in [Protocol::Kitty, Protocol::Sixel, Protocol::Iterm2] {
        for quality in [Quality::Full, Quality::Half, Quality::Quarter] {
            pictured(&picture, &masks, &file, protocol, quality);
        }
    }
    println!("memory of this process at its largest: {}", peak_memory());
}

/// Plays strokes of the mouse and times every report from its coming to its bytes.
fn strokes(
    picture: &Arc<Picture>,
    masks: &[(Layer, Mask)],
    file: &Path,
    (columns, rows): (u16, u16),
    name: &str,
    one_to_one: bool,
) {
    let (opened, mut app) = timed(|| opened(settings(), picture, masks, file, (columns, rows)));
    if one_to_one {
        app.viewport.rescale(1.0, (2000, 1500));
        app.viewport.centre((2000, 1500));
    }
    let mut frames = Frames::new(Palette::True);
    let (first, bytes) = timed(|| frame(&app, &mut frames));
    println!(
        "{columns}x{rows}, {name}: open {:.1} ms, first frame {:.1} ms, {} KiB",
        ms(opened),
        ms(first),
        bytes.len() / 1024
    );
    let (mut times, mut sizes) = (Vec::new(), Vec::new());
    for event in reports(columns, rows) {
        let (time, bytes) = timed(|| {
            let effects = app.update(Action::Mouse(event));
            for effect in effects {
                if let Effect::Stroke(stroke) = effect {
                    app.update(Action::Saved { image: stroke.target.image, instance: stroke.target.instance });
                }
            }
            frame(&app, &mut frames)
        });
        times.push(time);
        sizes.push(bytes.len());
    }
    report("  mouse report to bytes", &mut times);
    sizes.sort_unstable();
    println!("  bytes a frame: median {}, 99% {}", sizes[sizes.len() / 2], sizes[sizes.len() * 99 / 100]);
}

/// The screen with the image open.
fn opened(
    settings: Settings,
    picture: &Arc<Picture>,
    masks: &[(Layer, Mask)],
    file: &Path,
    (columns, rows): (u16, u16),
) -> App {
    let (mut app, _) = App::new(settings, columns, rows);
    let item = QueueItem {
        image: ImageId(1),
        name: "large".to_owned(),
        file: file.to_owned(),
        size: SIZE,
        class: Some(9),
        split: String::new(),
        mine: None,
        to_review: None,
        flagged: false,
    };
    app.update(Action::Queue(vec![item]));
    let mut instance = Instance::blank(Some(InstanceId(1)), Some(9), 18);
    instance.attributes.fill(Presence::Yes);
    instance.layers = masks.iter().map(|(layer, mask)| (*layer, drawn(mask))).collect();
    let (author, remarks) = ("ada".to_owned(), Remarks::default());
    let spread = Spread { author, instances: vec![instance], authors: Vec::new(), remarks };
    app.update(Action::Opened { image: ImageId(1), spread });
    app.update(Action::Picture { image: ImageId(1), picture: Ok(Arc::clone(picture)) });
    app
}

/// Plays the same strokes where the terminal has graphics: time and bytes of the tiles that each report changes, on a canvas
/// of 93 by 37 cells of 10 by 20 pixels.
fn pictured(picture: &Arc<Picture>, masks: &[(Layer, Mask)], file: &Path, protocol: Protocol, quality: Quality) {
    let graphics = Graphics { protocol, cell: (10, 20), tmux: false };
    let settings = Settings { graphics: Some(graphics), cells: Cells::Pixels, ..settings() };
    let mut app = opened(settings, picture, masks, file, (120, 40));
    app.quality = quality;
    let mut tiles = Tiles::default();
    let mut encode = |app: &App| {
        let shot = view::canvas::shot(app).expect("the terminal has graphics");
        let batch = tiles.encode(shot);
        batch.tiles.iter().map(|(_, bytes)| bytes.len()).sum::<usize>()
    };
    let (first, whole) = timed(|| encode(&app));
    let (mut times, mut sizes) = (Vec::new(), Vec::new());
    for event in reports(120, 40) {
        app.update(Action::Mouse(event));
        let (time, bytes) = timed(|| encode(&app));
        times.push(time);
        sizes.push(bytes);
    }
    println!("{protocol:?}, {quality:?}: the whole canvas {:.0} ms, {} KiB", ms(first), whole / 1024);
    report("  mouse report to tiles", &mut times);
    sizes.sort_unstable();
    println!("  bytes a report: median {}, 99% {}", sizes[sizes.len() / 2], sizes[sizes.len() * 99 / 100]);
}

/// Mouse reports of forty strokes over the canvas.
fn reports(columns: u16, rows: u16) -> impl Iterator<Item = MouseEvent> {
    (0..40_u16).flat_map(move |stroke| {
        (0..25_u16).map(move |step| {
            let kind = match step {
                0 => MouseEventKind::Down(MouseButton::Left),
                24 => MouseEventKind::Up(MouseButton::Left),
                _ => MouseEventKind::Drag(MouseButton::Left),
            };
            let column = (4 + step * 2).min(columns - 30);
            let row = 2 + stroke % (rows - 6) + step / 12;
            MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE }
        })
    })
}

fn frame(app: &App, frames: &mut Frames) -> Vec<u8> {
    let mut buffer = Buffer::empty(Rect::new(0, 0, app.screen.0, app.screen.1));
    view::draw(app, &mut buffer);
    frames.frame(buffer, (0, 0), usize::MAX)
}

fn settings() -> Settings {
    Settings {
        taxonomy: Taxonomy::from_toml(include_str!("../schema/taxonomy/rival10.toml")).expect("the taxonomy"),
        project: "bench".to_owned(),
        annotator: "ada".to_owned(),
        keymap: Keymap::default(),
        cells: Cells::Half,
        graphics: None,
        monochrome: false,
        review: false,
        first: None,
        layer: None,
        filter: Filter::default(),
        networks: Vec::new(),
        network: None,
        tour: false,
    }
}

/// Something with edges, slopes and noise, so that neither JPEG nor the differences between frames have it easy.
fn photo() -> Rgb {
    let mut state = 1_u32;
    let mut pixels = Vec::with_capacity(3 * SIZE.pixels());
    for y in 0..SIZE.height {
        for x in 0..SIZE.width {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let noise = (state >> 28) as u8;
            let disc = x.abs_diff(2000).pow(2) + y.abs_diff(1500).pow(2) < 900_000;
            let base = if disc { [200, 150, 40] } else { [(x / 20) as u8, (y / 15) as u8, ((x + y) / 30) as u8] };
            pixels.extend(base.map(|channel: u8| channel.saturating_add(noise)));
        }
    }
    Rgb { size: SIZE, pixels }
}

/// A disc for the object and smaller ones within it for the attributes.
fn mask(layer: Layer) -> Mask {
    let (x, y, r) = match layer {
        Layer::Object | Layer::Ignore => (2000, 1500, 940_i64),
        Layer::Attribute(i) => {
            let i = i as i64;
            (1400 + i % 6 * 240, 1100 + i / 6 * 380, 100 + 10 * i)
        }
    };
    Mask::from_fn(SIZE, |px, py| (i64::from(px) - x).pow(2) + (i64::from(py) - y).pow(2) < r * r)
}

fn timed<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let begun = Instant::now();
    let value = work();
    (begun.elapsed(), value)
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

fn report(what: &str, times: &mut [Duration]) {
    times.sort_unstable();
    let at = |share: usize| ms(times[(times.len() * share / 100).min(times.len() - 1)]);
    println!(
        "{what}: median {:.2} ms, 99% {:.2} ms, longest {:.2} ms ({} times)",
        at(50),
        at(99),
        at(100),
        times.len()
    );
}

/// The peak resident set, as Linux tells it.
fn peak_memory() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.map_or_else(|| "unknown".to_owned(), |line| line.trim().to_owned())
}
