//! A tile's pixels as what the terminal takes.
//!
//! Each transmission stands for itself: it names where it belongs, so that tiles can be sent in any order, and any of them
//! again. Kitty's are PNG files under a number each, shown by placeholder characters wherever those stand; sixels and
//! iTerm2's files are drawn where the cursor is, which is put there first.

use std::fmt::Write;

use base64::{Engine, engine::general_purpose::STANDARD};
use icy_sixel::{BackgroundMode, EncodeOptions, QuantizeMethod, SixelImage};
use ratatui::{layout::Rect, style::Color};
use rival10_imaging::{encode_jpeg, encode_png_rgb};
use rival10_sdk::Rgb;

use super::{Graphics, Protocol, Quality};

/// The character for which kitty shows a picture.
const PLACEHOLDER: char = '\u{10eeee}';

/// The first of the marks with which a placeholder counts, from kitty's table (rowcolumn-diacritics.txt).
const MARKS: [char; 64] = [
    '\u{305}', '\u{30d}', '\u{30e}', '\u{310}', '\u{312}', '\u{33d}', '\u{33e}', '\u{33f}', '\u{346}', '\u{34a}',
    '\u{34b}', '\u{34c}', '\u{350}', '\u{351}', '\u{352}', '\u{357}', '\u{35b}', '\u{363}', '\u{364}', '\u{365}',
    '\u{366}', '\u{367}', '\u{368}', '\u{369}', '\u{36a}', '\u{36b}', '\u{36c}', '\u{36d}', '\u{36e}', '\u{36f}',
    '\u{483}', '\u{484}', '\u{485}', '\u{486}', '\u{487}', '\u{592}', '\u{593}', '\u{594}', '\u{595}', '\u{597}',
    '\u{598}', '\u{599}', '\u{59c}', '\u{59d}', '\u{59e}', '\u{59f}', '\u{5a0}', '\u{5a1}', '\u{5a8}', '\u{5a9}',
    '\u{5ab}', '\u{5ac}', '\u{5af}', '\u{5c4}', '\u{610}', '\u{611}', '\u{612}', '\u{613}', '\u{614}', '\u{615}',
    '\u{616}', '\u{617}', '\u{657}', '\u{658}',
];

/// Tiles that share a number's upper byte: the lower one is a colour of the 256, of which the first 16 are left alone.
const PAGE: usize = 240;

/// Base64 characters that kitty takes at once.
const CHUNK: usize = 4096;

/// Kitty's number of tile `index`. It is told by a colour of the 256 and a mark, which tmux hands on as they are where it
/// would round a colour of 24 bits.
fn number(index: usize) -> (u8, u8) {
    // Two programs in one terminal shall not take each other's numbers.
    let program = std::process::id() as usize % 31 * 2;
    (((program + index / PAGE) % MARKS.len()) as u8, (16 + index % PAGE) as u8)
}

/// The placeholder of a cell of tile `index`, by its column and row within the tile, and its colour.
#[must_use]
pub fn placeholder(index: usize, column: u16, row: u16) -> (String, Color) {
    let (page, colour) = number(index);
    let mark = |at: usize| MARKS[at.min(MARKS.len() - 1)];
    let symbol = [PLACEHOLDER, mark(row.into()), mark(column.into()), mark(page.into())].iter().collect();
    (symbol, Color::Indexed(colour))
}

/// Whether a cell with this symbol is shown by kitty as a part of a picture.
#[must_use]
pub fn is_placeholder(symbol: &str) -> bool {
    symbol.starts_with(PLACEHOLDER)
}

/// `pixels` of tile `index` for the terminal, to be shown at `place`. Empty if there is nothing to show.
#[must_use]
pub fn tile(graphics: Graphics, quality: Quality, index: usize, place: Rect, pixels: &Rgb) -> Vec<u8> {
    match graphics.protocol {
        Protocol::Kitty => kitty(graphics, index, place, pixels),
        Protocol::Sixel => sixel(graphics, quality, place, pixels),
        Protocol::Iterm2 => iterm2(quality, place, pixels),
    }
    .unwrap_or_default()
}

fn kitty(graphics: Graphics, index: usize, place: Rect, pixels: &Rgb) -> Option<Vec<u8>> {
    let data = STANDARD.encode(encode_png_rgb(pixels).ok()?);
    let (page, colour) = number(index);
    let id = u32::from(page) << 24 | u32::from(colour);
    let mut out = Vec::with_capacity(data.len() + 128);
    let chunks = data.len().div_ceil(CHUNK);
    for (at, chunk) in data.as_bytes().chunks(CHUNK).enumerate() {
        let first = match at {
            0 => format!("a=T,U=1,f=100,i={id},c={},r={},", place.width, place.height),
            _ => String::new(),
        };
        let head = format!("\x1b_Gq=2,{first}m={};", u8::from(at + 1 < chunks));
        passed_on(graphics.tmux, &[head.as_bytes(), chunk, b"\x1b\\"].concat(), &mut out);
    }
    Some(out)
}

/// What makes a terminal with kitty's graphics forget the first `count` tiles.
#[must_use]
pub fn forget(graphics: Graphics, count: usize) -> Vec<u8> {
    let mut out = Vec::new();
    if graphics.protocol == Protocol::Kitty {
        for index in 0..count {
            let (page, colour) = number(index);
            let id = u32::from(page) << 24 | u32::from(colour);
            passed_on(graphics.tmux, format!("\x1b_Gq=2,a=d,d=I,i={id}\x1b\\").as_bytes(), &mut out);
        }
    }
    out
}

/// Adds `sequence` to `out`, wrapped so that tmux hands it on if that lies between.
fn passed_on(tmux: bool, sequence: &[u8], out: &mut Vec<u8>) {
    if !tmux {
        out.extend_from_slice(sequence);
        return;
    }
    out.extend_from_slice(b"\x1bPtmux;");
    for &byte in sequence {
        if byte == 0x1b {
            out.push(byte);
        }
        out.push(byte);
    }
    out.extend_from_slice(b"\x1b\\");
}

/// What puts the cursor at the upper left cell of `place`.
fn cursor(place: Rect) -> String {
    format!("\x1b[{};{}H", place.y + 1, place.x + 1)
}

/// What blanks the cells of a row.
#[must_use]
pub fn blank(row: Rect) -> String {
    format!("\x1b[0m{}\x1b[{}X", cursor(row), row.width)
}

fn sixel(graphics: Graphics, quality: Quality, place: Rect, pixels: &Rgb) -> Option<Vec<u8>> {
    let colours = match quality {
        Quality::Full => 32,
        Quality::Half => 16,
        Quality::Quarter => 8,
    };
    // A sixel is as large as it is: coarse pixels are repeated, and never beyond the tile.
    let repeat = usize::from(quality.divisor());
    let across = usize::from(place.width) * usize::from(graphics.cell.0);
    let down = usize::from(place.height) * usize::from(graphics.cell.1);
    let mut rgba = Vec::with_capacity(4 * across * down);
    for row in 0..down {
        for column in 0..across {
            let at = 3 * (row / repeat * pixels.size.width as usize + column / repeat);
            rgba.extend_from_slice(pixels.pixels.get(at..at + 3)?);
            rgba.push(255);
        }
    }
    // No dithering: the same pixels are the same sixels, whatever lies beside them.
    let options = EncodeOptions { max_colors: colours, diffusion: 0.0, quantize_method: QuantizeMethod::Wu };
    let image = SixelImage::try_from_rgba(rgba, across, down).ok()?;
    let sixels = image.with_background_mode(BackgroundMode::Transparent).encode_with(&options).ok()?;
    Some((cursor(place) + &sixels).into_bytes())
}

fn iterm2(quality: Quality, place: Rect, pixels: &Rgb) -> Option<Vec<u8>> {
    let mut file = encode_png_rgb(pixels).ok()?;
    // On a slow line, whichever is smaller: a JPEG's tables outweigh a tile of few colours.
    if quality < Quality::Full {
        let jpeg = encode_jpeg(pixels, 75).ok()?;
        file = if jpeg.len() < file.len() { jpeg } else { file };
    }
    let mut out = cursor(place);
    let (width, height, size) = (place.width, place.height, file.len());
    write!(out, "\x1b]1337;File=inline=1;size={size};width={width};height={height};preserveAspectRatio=0").ok()?;
    write!(out, ";doNotMoveCursor=1:{}\x07", STANDARD.encode(file)).ok()?;
    Some(out.into_bytes())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use rival10_sdk::Size;

    use super::*;

    const PLACE: Rect = Rect::new(5, 2, 6, 3);

    fn graphics(protocol: Protocol) -> Graphics {
        Graphics { protocol, cell: (9, 18), tmux: false }
    }

    /// A tile of slopes, with a hard edge.
    fn slopes(divisor: u32) -> Rgb {
        let size = Size::new(54_u32.div_ceil(divisor), 54_u32.div_ceil(divisor));
        let pixel = |at: u32| {
            let (x, y) = (at % size.width * divisor, at / size.width * divisor);
            if x > 30 { [250, 250, 10] } else { [(x * 4) as u8, (y * 4) as u8, 60] }
        };
        Rgb { size, pixels: (0..size.width * size.height).flat_map(pixel).collect() }
    }

    #[test]
    fn kittys_bytes_are_the_very_pixels() {
        let bytes = tile(graphics(Protocol::Kitty), Quality::Full, 7, PLACE, &slopes(1));
        let text = String::from_utf8(bytes).unwrap();
        let mut data = String::new();
        for (at, command) in text.split("\x1b_G").skip(1).enumerate() {
            let (head, chunk) = command.strip_suffix("\x1b\\").unwrap().split_once(';').unwrap();
            assert_eq!(head.contains("a=T,U=1,f=100,") && head.contains("c=6,r=3"), at == 0, "{head}");
            data.push_str(chunk);
        }
        let png = image::load_from_memory(&STANDARD.decode(data).unwrap()).unwrap().to_rgb8();
        assert_eq!(png.into_raw(), slopes(1).pixels);
    }

    #[test]
    fn sixels_show_about_these_pixels_and_end_where_the_tile_does() {
        for (quality, divisor) in [(Quality::Full, 1), (Quality::Half, 2), (Quality::Quarter, 4)] {
            let pixels = slopes(divisor);
            let text = String::from_utf8(tile(graphics(Protocol::Sixel), quality, 7, PLACE, &pixels)).unwrap();
            let sixels = text.strip_prefix("\x1b[3;6H").expect("it is put where it belongs");
            let shown = SixelImage::decode(sixels.as_bytes()).unwrap();
            assert_eq!((shown.width, shown.height), (54, 54));
            let mut off = 0_u32;
            for (at, pixel) in shown.pixels.chunks_exact(4).enumerate() {
                let (x, y) = (at as u32 % 54 / divisor, at as u32 / 54 / divisor);
                let meant = &pixels.pixels[3 * (y * pixels.size.width + x) as usize..][..3];
                off += meant.iter().zip(pixel).map(|(a, b)| u32::from(a.abs_diff(*b))).sum::<u32>();
            }
            assert!(off < 54 * 54 * 3 * 24, "{} grey levels off a channel, {quality:?}", off / (54 * 54 * 3));
        }
    }

    #[test]
    fn a_coarser_picture_is_fewer_bytes_in_every_protocol() {
        for protocol in [Protocol::Kitty, Protocol::Sixel, Protocol::Iterm2] {
            let size = |quality: Quality| {
                let pixels = slopes(quality.divisor().into());
                tile(graphics(protocol), quality, 0, PLACE, &pixels).len()
            };
            let sizes = [Quality::Full, Quality::Half, Quality::Quarter].map(size);
            assert!(sizes.is_sorted_by(|a, b| a > b) && sizes[2] > 0, "{protocol:?}: {sizes:?}");
        }
    }

    #[test]
    fn through_tmux_every_escape_is_doubled_and_every_command_wrapped() {
        let direct = tile(graphics(Protocol::Kitty), Quality::Full, 7, PLACE, &slopes(1));
        let wrapped = Graphics { tmux: true, ..graphics(Protocol::Kitty) };
        let wrapped = String::from_utf8(tile(wrapped, Quality::Full, 7, PLACE, &slopes(1))).unwrap();
        let inner: String = wrapped
            .split("\x1bPtmux;")
            .skip(1)
            .map(|part| part.strip_suffix("\x1b\\").expect("it is closed").replace("\x1b\x1b", "\x1b"))
            .collect();
        assert_eq!(inner.into_bytes(), direct);
    }

    #[test]
    fn every_cell_of_every_tile_has_a_placeholder_of_its_own() {
        let mut seen = HashSet::new();
        for index in 0..600 {
            for (column, row) in [(0, 0), (5, 0), (0, 2), (15, 15)] {
                let (symbol, colour) = placeholder(index, column, row);
                assert!(seen.insert((symbol, format!("{colour:?}"))), "{index} {column} {row}");
            }
        }
    }
}
