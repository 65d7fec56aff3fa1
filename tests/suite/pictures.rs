//! Guards pictures by a terminal's own graphics: what is asked and understood at the start, that what is sent are the very
//! pixels, that a stroke sends the tiles that it touched and no others, and that nothing is left behind.

use std::{collections::HashMap, fs, path::Path, thread, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use image::RgbImage;
use rival10::tui::app::viewport::Viewport;
use rival10_sdk::Size;

use crate::{
    binary::ok,
    pty::{Pty, Speaks},
};

const SIZE: Size = Size::new(64, 48);

/// A picture whose colours say where they are.
fn colour(x: u32, y: u32) -> [u8; 3] {
    [(x * 4) as u8, (y * 5) as u8, 90]
}

fn project(home: &Path) {
    let folder = home.join("pictures/bird");
    fs::create_dir_all(&folder).unwrap();
    let pixel = |x: u32, y: u32| image::Rgb(colour(x, y));
    RgbImage::from_fn(SIZE.width, SIZE.height, pixel).save(folder.join("finch0.png")).unwrap();
    ok(home, ["init", "."]);
    ok(home, ["import", "--format", "images", "pictures"]);
    ok(home, ["annotators", "add", "ada"]);
}

fn screen(home: &Path, speaks: Speaks, more: &[&str]) -> Pty {
    let mut pty = Pty::start_in(speaks, home, &[&["annotate"], more].concat(), 80, 24);
    pty.shows("Welcome");
    pty.send("\x1b");
    pty.wait("end of the tour", |text| !text.contains("Welcome"));
    pty.send("\\");
    pty.shows("1x");
    settle(&pty);
    pty
}

/// Waits until nothing more comes.
fn settle(pty: &Pty) {
    let mut before = usize::MAX;
    loop {
        let now = pty.received().len();
        if now == before {
            return;
        }
        before = now;
        thread::sleep(Duration::from_millis(400));
    }
}

/// What came since `before`, once no more comes.
fn since(pty: &Pty, before: usize) -> Vec<u8> {
    settle(pty);
    pty.received().split_off(before)
}

/// The canvas's view after `\`, as the screen promises it.
fn viewport() -> Viewport {
    let mut view = Viewport::new(80 - 27, 24 - 3);
    view.fit(SIZE);
    view.rescale(1.0, (32, 24));
    view
}

/// The pictures that a terminal with kitty's graphics holds after these bytes, by their numbers.
fn kitty(bytes: &[u8]) -> HashMap<u32, RgbImage> {
    let text = String::from_utf8_lossy(bytes);
    let (mut images, mut id, mut data) = (HashMap::new(), 0, String::new());
    for command in text.split("\x1b_G").skip(1) {
        let (command, _) = command.split_once("\x1b\\").expect("every command ends");
        let (head, chunk) = command.split_once(';').unwrap_or((command, ""));
        let value = |key: &str| head.split(',').find_map(|pair| pair.strip_prefix(key)?.strip_prefix('='));
        match value("a") {
            Some("T") => {
                (id, data) = (value("i").unwrap().parse().unwrap(), chunk.to_owned());
                assert_eq!((value("U"), value("f"), value("q")), (Some("1"), Some("100"), Some("2")), "{head}");
            }
            Some("d") => {
                images.remove(&value("i").unwrap().parse().unwrap());
                continue;
            }
            Some("q") => continue,
            _ => data.push_str(chunk),
        }
        if value("m") == Some("0") {
            let png = STANDARD.decode(&data).expect("whole base64");
            images.insert(id, image::load_from_memory(&png).expect("a PNG").to_rgb8());
        }
    }
    images
}

/// The marks with which placeholders count, as far as a tile has rows and columns.
const MARKS: [char; 8] = ['\u{305}', '\u{30d}', '\u{30e}', '\u{310}', '\u{312}', '\u{33d}', '\u{33e}', '\u{33f}'];

/// The colour in the middle of what a terminal with kitty's graphics shows in a cell of the canvas.
fn shown(pty: &Pty, images: &HashMap<u32, RgbImage>, column: u16, row: u16) -> [u8; 3] {
    let (symbol, colour) = pty.cell(column, row + 1);
    let [placeholder, down, across, _page] = symbol.chars().collect::<Vec<_>>()[..] else {
        panic!("cell {column}, {row} holds {symbol:?}")
    };
    assert_eq!(placeholder, '\u{10eeee}');
    let at = |mark: char| MARKS.iter().position(|known| *known == mark).unwrap() as u32;
    let image = images.iter().find(|(id, _)| *id & 0xff == u32::from(colour.unwrap())).expect("its tile was sent").1;
    image.get_pixel(at(across) * 10 + 5, at(down) * 20 + 5).0
}

#[test]
fn kittys_tiles_show_the_picture_and_a_stroke_sends_those_that_it_touched() {
    let home = tempfile::tempdir().unwrap();
    project(home.path());
    let mut pty = screen(home.path(), Speaks::Kitty, &[]);
    let images = kitty(&pty.received());
    let view = viewport();
    for (column, row) in [(0, 0), (7, 3), (11, 9), (50, 20), (52, 2), (33, 17)] {
        let (x, y) = view.pixel(column, row);
        // The upper half of a cell is the upper of its two pixels.
        assert_eq!(shown(&pty, &images, column, row), colour(x as u32, y as u32 - 1), "cell {column}, {row}");
    }

    // A stroke of two cells away from the cursor: the brush is nine pixels wide, a cell two high.
    let mut frames = Vec::new();
    pty.mouse(0, (10, 8), true);
    settle(&pty);
    let before = pty.received().len();
    for column in 11..13 {
        let before = pty.received().len();
        pty.mouse(32, (column, 8), true);
        frames.push(since(&pty, before));
    }
    pty.mouse(0, (12, 8), false);
    pty.shows("saved 1");
    let stroke = since(&pty, before);
    let touched = kitty(&stroke).len();
    assert!((1..=12).contains(&touched), "{touched} of 63 tiles for a stroke");
    let largest = frames.iter().map(Vec::len).max().unwrap();
    println!("kitty: {largest} bytes at most for a step of a stroke, {} for all of it", stroke.len());
    assert!(largest < 12_000, "a step of a stroke took {largest} bytes");
    let all = kitty(&pty.received());
    let (x, y) = view.pixel(11, 7);
    let mixed = shown(&pty, &all, 11, 7);
    assert_ne!(mixed, colour(x as u32, y as u32 - 1), "the stroke is seen");

    // Every update comes whole.
    let text = String::from_utf8_lossy(&stroke).into_owned();
    assert_eq!(text.matches("\x1b[?2026h").count(), text.matches("\x1b[?2026l").count());

    // What lies over the picture is text, and the picture is there again without being sent again.
    let before = pty.received().len();
    pty.send("?");
    pty.shows("keys: arrows scroll");
    pty.send("\x1b");
    pty.wait("end of help", |text| !text.contains("keys: arrows scroll"));
    assert!(kitty(&since(&pty, before)).is_empty());
    pty.send("q");
    assert_eq!(pty.end(), 0);
    assert!(kitty(&pty.received()).is_empty(), "nothing is left in the terminal's memory");
}

/// Sixels, each with the cell where it was drawn.
fn sixels(bytes: &[u8]) -> HashMap<(u16, u16), icy_sixel::SixelImage> {
    let text = String::from_utf8_lossy(bytes);
    let mut found = HashMap::new();
    for (at, _) in text.match_indices("\x1bP") {
        let end = at + text[at..].find("\x1b\\").expect("every sixel ends");
        let place = text[..at].rsplit("\x1b[").next().unwrap().strip_suffix('H').expect("the cursor was put there");
        let (row, column) = place.split_once(';').unwrap();
        let place = (column.parse::<u16>().unwrap() - 1, row.parse::<u16>().unwrap() - 1);
        found.insert(place, icy_sixel::SixelImage::decode(text[at..end + 2].as_bytes()).unwrap());
    }
    found
}

#[test]
fn sixels_are_drawn_tile_by_tile_within_the_canvas_and_again_after_what_lay_over_them() {
    let home = tempfile::tempdir().unwrap();
    project(home.path());
    let mut pty = screen(home.path(), Speaks::Sixel, &[]);
    let all = sixels(&pty.received());
    let pixels: usize = all.values().map(|tile| tile.width * tile.height).sum();
    assert_eq!(pixels, 53 * 10 * 21 * 20, "the canvas, and no pixel beside it");
    let view = viewport();
    for ((column, row), tile) in &all {
        // The middle of a tile's first cell's upper half.
        let (x, y) = view.pixel(*column, row - 1);
        let at = 4 * (5 * tile.width + 5);
        let meant =
            if (0..64).contains(&x) && (1..48).contains(&y) { colour(x as u32, y as u32 - 1) } else { continue };
        let off = meant.iter().zip(&tile.pixels[at..]).map(|(a, b)| a.abs_diff(*b)).max().unwrap();
        assert!(off < 24, "{off} grey levels off at {column}, {row}");
    }

    pty.mouse(0, (10, 8), true);
    settle(&pty);
    let before = pty.received().len();
    pty.mouse(32, (11, 8), true);
    pty.mouse(0, (11, 8), false);
    pty.shows("saved 1");
    let stroke = since(&pty, before);
    let touched = sixels(&stroke).len();
    println!("sixel: {} bytes for a stroke of two cells, {touched} tiles", stroke.len());
    assert!((1..=16).contains(&touched) && stroke.len() < 60_000, "{touched} tiles, {} bytes", stroke.len());

    let before = pty.received().len();
    pty.send("zm");
    let map = sixels(&since(&pty, before));
    pty.send("?");
    pty.shows("keys: arrows scroll");
    let before = pty.received().len();
    pty.send("\x1b");
    pty.wait("end of help", |text| !text.contains("keys: arrows scroll"));
    let again = sixels(&since(&pty, before));
    assert!(again.len() > 40 && map.len() < 10, "help covered the canvas: {} tiles came again", again.len());
    pty.send("q");
    assert_eq!(pty.end(), 0);
}

#[test]
fn iterm2_is_known_by_its_name_and_takes_files() {
    let home = tempfile::tempdir().unwrap();
    project(home.path());
    let mut pty = screen(home.path(), Speaks::Iterm2, &[]);
    let text = String::from_utf8_lossy(&pty.received()).into_owned();
    let file = text.split("\x1b]1337;File=").nth(1).expect("a file").split('\x07').next().unwrap();
    let (head, data) = file.split_once(':').unwrap();
    assert!(head.contains("inline=1") && head.contains("width=6;height=3;preserveAspectRatio=0"), "{head}");
    let picture = image::load_from_memory(&STANDARD.decode(data).unwrap()).unwrap();
    assert_eq!((picture.width(), picture.height()), (60, 60));
    pty.send("q");
    assert_eq!(pty.end(), 0);
}

#[test]
fn behind_tmux_pictures_are_handed_through() {
    let home = tempfile::tempdir().unwrap();
    project(home.path());
    let mut pty = screen(home.path(), Speaks::KittyBehindTmux, &[]);
    let text = String::from_utf8_lossy(&pty.received()).into_owned();
    let wrapped = text.matches("\x1bPtmux;\x1b\x1b_Gq=2,a=T").count();
    assert!(wrapped >= 63 && !text.contains("\x1b_Gq=2,a=T,U=1,f=100,i=0"), "{wrapped} tiles");
    let unwrapped = text.replace("\x1bPtmux;", "").replace("\x1b\x1b", "\x1b");
    assert!(kitty(unwrapped.as_bytes()).len() >= 63);
    pty.send("q");
    assert_eq!(pty.end(), 0);
}

#[test]
fn a_terminal_that_says_nothing_or_too_late_gets_cells_and_keeps_its_keys() {
    for speaks in [Speaks::Nothing, Speaks::KittyLate] {
        let home = tempfile::tempdir().unwrap();
        project(home.path());
        let mut pty = screen(home.path(), speaks, &[]);
        // Whatever came late was no key: nothing was opened, begun or typed.
        thread::sleep(Duration::from_millis(900));
        let text = pty.text();
        assert!(text.contains("paint object  brush") && text.contains("saved 0"), "{text}");
        pty.send(" ");
        pty.shows("saved 1");
        assert_ne!(pty.cell(20, 10).0.chars().next(), Some('\u{10eeee}'));
        pty.send("q");
        assert_eq!(pty.end(), 0);
    }
}

#[test]
fn pictures_are_chosen_by_hand_and_given_up_for_cells() {
    let home = tempfile::tempdir().unwrap();
    project(home.path());
    let mut pty = screen(home.path(), Speaks::Plainly, &["--pictures", "kitty"]);
    assert!(!kitty(&pty.received()).is_empty(), "whatever it says of itself");
    pty.send("zp");
    pty.shows("half blocks");
    assert_ne!(pty.cell(20, 10).0.chars().next(), Some('\u{10eeee}'));
    pty.send("zpzpzp");
    pty.shows("pictures by kitty");
    assert_eq!(pty.cell(20, 10).0.chars().next(), Some('\u{10eeee}'));
    pty.send("q");
    assert_eq!(pty.end(), 0);
    let mut pty = screen(home.path(), Speaks::Kitty, &["--pictures", "half"]);
    assert!(kitty(&pty.received()).is_empty(), "cells were wished for");
    pty.send("q");
    assert_eq!(pty.end(), 0);
}
