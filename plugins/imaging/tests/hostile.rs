//! Files that mean no good, or were cut short, or claim to be larger than they are: every one is refused or read, none
//! panics, and none is given room before the limits have been asked.

use std::{io::Cursor, panic::catch_unwind, sync::LazyLock};

use image::{DynamicImage, ImageFormat, RgbImage};
use proptest::prelude::*;
use rival10_imaging::{Grey, ImageError, Limits, decode, decode_grey, encode_jpeg, encode_jpeg_grey, inspect};
use rival10_sdk::{Rgb, Size};

const LIMITS: Limits = Limits { max_pixels: 1 << 16 };

/// A file of each kind that can be read, of the same waves.
static FILES: LazyLock<Vec<(&'static str, Vec<u8>)>> = LazyLock::new(|| {
    let (width, height) = (29, 23);
    let picture = RgbImage::from_fn(width, height, |x, y| {
        image::Rgb([(x * 8) as u8, ((x * y) % 256) as u8, 255 - (y * 10) as u8])
    });
    let written = |image: &DynamicImage, format| {
        let mut bytes = Cursor::new(Vec::new());
        image.write_to(&mut bytes, format).expect("every format takes these channels");
        bytes.into_inner()
    };
    let rgb = Rgb { size: Size::new(width, height), pixels: picture.as_raw().clone() };
    let grey = Grey { size: rgb.size, pixels: rgb.pixels.iter().step_by(3).copied().collect() };
    let colour = DynamicImage::ImageRgb8(picture);
    vec![
        ("JPEG of quality 95", encode_jpeg(&rgb, 95).expect("a small picture")),
        ("JPEG of quality 40", encode_jpeg(&rgb, 40).expect("a small picture")),
        ("grey JPEG", encode_jpeg_grey(&grey, 75).expect("a small picture")),
        ("PNG", written(&colour, ImageFormat::Png)),
        ("16-bit PNG", written(&colour.to_rgba16().into(), ImageFormat::Png)),
        ("grey PNG", written(&colour.to_luma8().into(), ImageFormat::Png)),
        ("BMP", written(&colour, ImageFormat::Bmp)),
        ("grey BMP", written(&colour.to_luma8().into(), ImageFormat::Bmp)),
        ("WebP", written(&colour, ImageFormat::WebP)),
        ("TIFF", written(&colour, ImageFormat::Tiff)),
        ("float TIFF", written(&colour.to_rgb32f().into(), ImageFormat::Tiff)),
        ("GIF", written(&colour, ImageFormat::Gif)),
        ("progressive JPEG", progressive(&rgb)),
    ]
});

/// A progressive JPEG, which the crate itself never writes.
fn progressive(image: &Rgb) -> Vec<u8> {
    let mut encoder = mozjpeg::Compress::new(mozjpeg::ColorSpace::JCS_RGB);
    encoder.set_size(image.size.width as usize, image.size.height as usize);
    encoder.set_progressive_mode();
    let mut started = encoder.start_compress(Vec::new()).expect("a small picture");
    started.write_scanlines(&image.pixels).expect("all rows");
    started.finish().expect("a small picture")
}

/// Reads `bytes` in every way, and holds the answers against each other.
fn read(bytes: &[u8]) -> Result<Rgb, ImageError> {
    let header = inspect(bytes, LIMITS);
    if let Ok(grey) = decode_grey(bytes, LIMITS) {
        assert_eq!(grey.pixels.len(), grey.size.pixels());
    }
    let (image, decoded) = decode(bytes, LIMITS)?;
    assert_eq!(header.expect("what decodes has a header"), decoded);
    assert_eq!((image.size, image.pixels.len()), (decoded.size, 3 * decoded.size.pixels()));
    Ok(image)
}

#[test]
fn the_files_that_are_damaged_below_are_sound() {
    for (name, bytes) in FILES.iter() {
        assert_eq!(read(bytes).expect(name).size, Size::new(29, 23), "{name}");
    }
}

#[test]
fn a_jpeg_cut_anywhere_is_refused() {
    for (name, bytes) in FILES.iter().filter(|(name, _)| name.contains("JPEG")) {
        for length in 0..bytes.len() {
            assert!(read(&bytes[..length]).is_err(), "{name}: {length} of {} bytes", bytes.len());
        }
    }
}

#[test]
fn another_file_cut_anywhere_is_refused_or_whole() {
    for (name, bytes) in FILES.iter().filter(|(name, _)| !name.contains("JPEG")) {
        let whole = read(bytes).expect(name);
        for length in 0..bytes.len() {
            if let Ok(cut) = read(&bytes[..length]) {
                assert!(cut == whole, "{name}: {length} of {} bytes give other pixels", bytes.len());
            }
        }
    }
}

#[test]
fn a_jpeg_that_misses_the_end_of_its_only_scan_is_refused() {
    let (_, bytes) = &FILES[0];
    for dropped in [30, 100, 400] {
        // The end marker is there, so the file does not look cut; libjpeg fills in grey and warns.
        let cut = [&bytes[..bytes.len() - 2 - dropped], &[0xff, 0xd9]].concat();
        assert!(matches!(decode(&cut, LIMITS), Err(ImageError::Invalid(reason)) if reason.contains("made up")));
    }
}

#[test]
fn bytes_before_a_jpeg_s_end_marker_and_after_it_harm_nothing() {
    let (_, bytes) = &FILES[0];
    let whole = read(bytes).expect("a sound file");
    let body = &bytes[..bytes.len() - 2];
    assert!(read(&[body, &[1, 2, 3, 0xff, 0xd9]].concat()).expect("bytes before the end") == whole);
    assert!(read(&[body, &[0xff, 0xd9, 1, 2, 3]].concat()).expect("bytes after the end") == whole);
}

#[test]
fn a_jpeg_of_absurdly_many_scans_is_refused() {
    let bytes = &FILES.last().expect("the progressive one").1;
    assert!(read(bytes).is_ok());
    let last_scan = bytes.windows(2).rposition(|pair| pair == [0xff, 0xda]).expect("a scan");
    let (before, scan) = bytes[..bytes.len() - 2].split_at(last_scan);
    let absurd = [before, &scan.repeat(501), &[0xff, 0xd9]].concat();
    assert!(matches!(read(&absurd), Err(ImageError::Invalid(reason)) if reason.contains("500 scans")));
}

#[test]
fn libjpegs_own_words_reach_the_reader() {
    let (_, bytes) = &FILES[0];
    let frame = bytes.windows(2).position(|pair| pair == [0xff, 0xc0]).expect("a baseline frame");
    let mut lossless = bytes.clone();
    lossless[frame + 1] = 0xc3;
    assert!(
        matches!(decode(&lossless, LIMITS), Err(ImageError::Invalid(reason)) if reason.contains("Unsupported JPEG process"))
    );
}

/// `bytes` with its width and height, which stand at `at` as numbers of `digits` bytes, set to `extent`.
fn claiming(bytes: &[u8], at: &[usize], digits: usize, big_endian: bool, extent: u32) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for &at in at {
        if big_endian {
            bytes[at..at + digits].copy_from_slice(&extent.to_be_bytes()[4 - digits..]);
        } else {
            bytes[at..at + digits].copy_from_slice(&extent.to_le_bytes()[..digits]);
        }
    }
    bytes
}

#[test]
fn a_size_above_the_limit_is_refused_by_the_header_and_names_the_limit() {
    let file = |name: &str| &FILES.iter().find(|(other, _)| *other == name).expect("a file of that name").1;
    let jpeg = file("JPEG of quality 95");
    let frame = jpeg.windows(2).position(|pair| pair == [0xff, 0xc0]).expect("a baseline frame");
    let mut png = claiming(file("PNG"), &[16, 20], 4, true, 60_000);
    // The checksum over IHDR, whose name stands at 12.
    let checksum = crc32(&png[12..29]);
    png[29..33].copy_from_slice(&checksum.to_be_bytes());
    let tiff = file("TIFF");
    let tag = |number: u16| {
        let entry = [number.to_le_bytes().as_slice(), &[4, 0, 1, 0, 0, 0]].concat();
        tiff.windows(8).position(|window| window == entry).expect("a tag of one 32-bit number") + 8
    };
    for (name, bytes) in [
        ("JPEG", claiming(jpeg, &[frame + 5, frame + 7], 2, true, 60_000)),
        ("PNG", png),
        ("BMP", claiming(file("BMP"), &[18, 22], 4, false, 60_000)),
        ("GIF", claiming(file("GIF"), &[6, 8], 2, false, 60_000)),
        ("TIFF", claiming(tiff, &[tag(256), tag(257), tag(278)], 4, false, 60_000)),
    ] {
        for refusal in
            [inspect(&bytes, LIMITS).map(drop), decode(&bytes, LIMITS).map(drop), decode_grey(&bytes, LIMITS).map(drop)]
        {
            let refusal = refusal.expect_err(name);
            assert!(matches!(refusal, ImageError::TooLarge { pixels: 3_600_000_000, .. }), "{name}: {refusal}");
            assert!(refusal.to_string().contains("--max-pixels 3600000000"), "{refusal}");
        }
    }
}

/// The checksum of PNG's chunks (ISO/IEC 15948, annex D), bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 })
    })
}

#[test]
fn a_size_at_the_limit_is_read() {
    let (_, bytes) = &FILES[3];
    assert!(decode(bytes, Limits { max_pixels: 29 * 23 }).is_ok());
    assert!(decode(bytes, Limits { max_pixels: 29 * 23 - 1 }).is_err());
}

#[test]
fn what_is_no_picture_says_so() {
    for bytes in
        [&b""[..], b"\xff\xd8", b"%PDF-1.7", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"BM", b"II*\0", b"RIFF\0\0\0\0WEBP"]
    {
        assert!(matches!(read(bytes), Err(ImageError::Invalid(reason)) if !reason.is_empty()), "{bytes:?}");
    }
}

#[test]
fn what_can_t_be_written_is_an_error() {
    for size in [Size::new(0, 4), Size::new(4, 0), Size::new(65_501, 1)] {
        let image = Rgb { size, pixels: vec![0; 3 * size.pixels()] };
        assert!(encode_jpeg(&image, 95).is_err(), "{size}");
    }
    let dot = Rgb { size: Size::new(1, 1), pixels: vec![9; 3] };
    for quality in [0, 1, 100, 255] {
        assert!(encode_jpeg(&dot, quality).is_ok(), "{quality}");
    }
}

proptest! {
    #[test]
    fn random_bytes_never_panic(kind in 0..FILES.len(), keep in 0..64_usize, rest: Vec<u8>) {
        // Behind the beginning of a real file, so that more than the first test is reached.
        let bytes = [&FILES[kind].1[..keep], &rest].concat();
        prop_assert!(catch_unwind(|| read(&bytes).map(drop)).is_ok());
    }

    #[test]
    fn files_with_wrong_bytes_never_panic(
        kind in 0..FILES.len(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in prop::option::weighted(0.2, any::<prop::sample::Index>()),
    ) {
        let mut bytes = FILES[kind].1.clone();
        for (at, value) in &changes {
            let at = at.index(bytes.len());
            bytes[at] = *value;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        prop_assert!(catch_unwind(|| read(&bytes).map(drop)).is_ok());
    }

    #[test]
    fn headers_with_wrong_bytes_never_panic(
        kind in 0..FILES.len(),
        changes in prop::collection::vec((0..64_usize, any::<u8>()), 1..6),
    ) {
        let mut bytes = FILES[kind].1.clone();
        for (at, value) in changes {
            bytes[at] = value;
        }
        prop_assert!(catch_unwind(|| read(&bytes).map(drop)).is_ok());
    }
}
