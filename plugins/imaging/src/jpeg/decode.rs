//! Decoding by libjpeg-turbo's code, through the mozjpeg crate.
//!
//! libjpeg calls damage a warning and goes on with grey. Here it is an error, found in two ways: the source notices when
//! libjpeg reads past its end, and the error manager notices warnings while coefficients are read. Warnings elsewhere
//! (an unknown JFIF version, bytes between the last scan and the end marker) harm no pixel and are let pass.

use std::{
    cell::Cell,
    io::{self, BufRead, Read},
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    ptr,
};

use mozjpeg::{ColorSpace, decompress::DecompressBuilder};
use mozjpeg_sys::{jpeg_common_struct, jpeg_error_mgr};

use super::{Frame, cmyk};
use crate::ImageError;

/// Decodes `bytes`, whose frame is `frame`, to RGB in the stored frame.
pub(crate) fn decode_rgb(bytes: &[u8], frame: &Frame) -> Result<Vec<u8>, ImageError> {
    match frame.components {
        1 | 3 => decode(bytes, frame, ColorSpace::JCS_RGB),
        4 => decode(bytes, frame, ColorSpace::JCS_CMYK).map(|inks| cmyk::to_rgb(&inks)),
        components => Err(ImageError::Invalid(format!("a JPEG of {components} components can't be read as colours"))),
    }
}

/// Decodes `bytes`, whose frame `frame` has one component, to grey in the stored frame.
pub(crate) fn decode_grey(bytes: &[u8], frame: &Frame) -> Result<Vec<u8>, ImageError> {
    decode(bytes, frame, ColorSpace::JCS_GRAYSCALE)
}

fn decode(bytes: &[u8], frame: &Frame, colours: ColorSpace) -> Result<Vec<u8>, ImageError> {
    let damaged = |reason: &str| ImageError::Invalid(format!("the JPEG data are damaged: {reason}"));
    frame.check_scans(bytes)?;
    let past_end = Cell::new(false);
    let attempt = |manager| {
        catch_unwind(AssertUnwindSafe(|| scan(Source { rest: bytes, past_end: &past_end }, frame, colours, manager)))
    };
    let result = attempt(DecompressBuilder::new().with_err(counting_manager()));
    if past_end.get() {
        return Err(damaged("they end early"));
    }
    match result {
        Ok(Ok(Scanned { warnings: 0, pixels })) => Ok(pixels),
        Ok(Ok(_)) => Err(damaged("some of them make no sense; what other programs show there is made up")),
        Ok(Err(error)) => Err(damaged(&error.to_string())),
        // Only the crate's own manager can put libjpeg's reason into words, so it is asked once more.
        Err(_) => match attempt(DecompressBuilder::new()) {
            Err(payload) => Err(damaged(payload.downcast_ref::<String>().map_or("libjpeg gave up", String::as_str))),
            Ok(_) => Err(damaged("libjpeg gave up")),
        },
    }
}

/// What libjpeg made of a file.
struct Scanned {
    pixels: Vec<u8>,
    /// How often it warned while it read coefficients.
    warnings: u32,
}

fn scan(source: Source<'_>, frame: &Frame, colours: ColorSpace, manager: DecompressBuilder<'_>) -> io::Result<Scanned> {
    let decoder = manager.from_reader(source)?;
    if (decoder.width(), decoder.height()) != (frame.size.width as usize, frame.size.height as usize) {
        return Err(io::Error::other("the header states two sizes"));
    }
    WARNINGS.set(0);
    let mut started = decoder.to_colorspace(colours)?;
    // Several scans are read in full before the first row is made; of a single scan nothing has been read yet.
    if !frame.several_scans {
        WARNINGS.set(0);
    }
    let pixels = started.read_scanlines()?;
    let warnings = WARNINGS.get();
    started.finish()?;
    Ok(Scanned { pixels, warnings })
}

/// A file in memory that notices when it is read past its end.
struct Source<'a> {
    rest: &'a [u8],
    past_end: &'a Cell<bool>,
}

impl Read for Source<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.read(buffer)?;
        self.consume(count);
        Ok(count)
    }
}

impl BufRead for Source<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.rest.is_empty() {
            self.past_end.set(true);
        }
        Ok(self.rest)
    }

    fn consume(&mut self, count: usize) {
        self.rest = &self.rest[count..];
    }
}

thread_local! {
    /// How often libjpeg has warned on this thread since the count was last set to 0.
    static WARNINGS: Cell<u32> = const { Cell::new(0) };
}

/// An error manager that unwinds on errors and counts warnings. The fields that only libjpeg's own message formatting
/// reads stay empty.
fn counting_manager() -> jpeg_error_mgr {
    extern "C-unwind" fn give_up(_: &mut jpeg_common_struct) {
        // Unlike a panic, this calls no hook and prints nothing.
        resume_unwind(Box::new(()));
    }
    extern "C-unwind" fn count(_: &mut jpeg_common_struct, level: i32) {
        // Levels from 0 on are traces.
        if level < 0 {
            WARNINGS.set(WARNINGS.get().saturating_add(1));
        }
    }
    extern "C-unwind" fn nothing(_: &mut jpeg_common_struct) {}

    jpeg_error_mgr {
        error_exit: Some(give_up),
        emit_message: Some(count),
        output_message: Some(nothing),
        format_message: None,
        reset_error_mgr: Some(nothing),
        msg_code: 0,
        msg_parm: mozjpeg_sys::msg_parm_union::default(),
        trace_level: 0,
        num_warnings: 0,
        jpeg_message_table: ptr::null(),
        last_jpeg_message: 0,
        addon_message_table: ptr::null(),
        first_addon_message: 0,
        last_addon_message: 0,
    }
}
