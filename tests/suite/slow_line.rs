//! Guards the screen at the end of a slow line, 80 ms round trip and 1 Mbit/s: the cursor answers within one round trip, strokes
//! stay whole, and pictures become coarser by themselves, and cells where that is not enough.

use std::{
    fs, thread,
    time::{Duration, Instant},
};

use rival10::tui::app::viewport::Viewport;

use crate::{
    annotate::{SIZE, discs, project, stored, stroke},
    binary::ok,
    line::Line,
    pty::{Pty, Speaks},
};

const ROUND_TRIP: Duration = Duration::from_millis(80);

fn begin(pty: &mut Pty) {
    pty.shows("Welcome");
    pty.send("\x1b");
    pty.wait("end of the tour", |text| !text.contains("Welcome"));
}

/// How long after a key the screen shows what it did, the middle one of `times` keys.
fn answers(pty: &mut Pty, times: usize) -> Duration {
    let column = |text: &str| {
        let line = text.lines().find(|line| line.contains("paint object"))?;
        line.split("  ").find_map(|part| part.split_once(", ")?.0.trim().parse::<u32>().ok())
    };
    let mut took: Vec<Duration> = (0..times)
        .map(|_| {
            let before = column(&pty.text()).expect("the status line says where the cursor is");
            let begun = Instant::now();
            pty.send("l");
            pty.wait("step of the cursor", |text| column(text).is_some_and(|now| now > before));
            begun.elapsed()
        })
        .collect();
    took.sort_unstable();
    took[times / 2]
}

#[test]
fn the_cursor_answers_within_a_round_trip_and_strokes_stay_whole() {
    let home = tempfile::tempdir().unwrap();
    project(home.path());
    let mut pty = Pty::start_over(Line::SLOW, Speaks::Plainly, home.path(), &["annotate"], (80, 24));
    begin(&mut pty);
    pty.send("\\");
    pty.shows("1x");
    let answer = answers(&mut pty, 9);
    println!("a step of the cursor is seen after {answer:?}");
    assert!(answer >= ROUND_TRIP, "{answer:?}: the line is a line");
    assert!(answer < 2 * ROUND_TRIP, "{answer:?}: never a second round trip");

    // Mouse reports as a quick hand sends them, far more than frames fit through.
    let mut view = Viewport::new(80 - 27, 24 - 3);
    view.fit(SIZE);
    view.rescale(1.0, (32, 24));
    let mut painted = Vec::new();
    for row in [6, 10, 14] {
        let ends = [(8, row), (44, row)].map(|(column, row)| view.pixel(column, row));
        painted.extend(stroke(ends[0], ends[1]));
        pty.mouse(0, (8, row + 1), true);
        for column in 9..=44 {
            pty.mouse(32, (column, row + 1), true);
            thread::sleep(Duration::from_millis(4));
        }
        pty.mouse(0, (44, row + 1), false);
    }
    pty.shows("saved 3");
    pty.send("q");
    assert_eq!(pty.end(), 0);
    assert_eq!(stored(home.path()).2["object"], discs(9, &painted));
}

#[test]
fn pictures_become_coarser_by_themselves_and_cells_where_that_is_not_enough() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("pictures/bird");
    fs::create_dir_all(&folder).unwrap();
    // Noise: no compression helps.
    let mut state = 1_u32;
    let noise = image::RgbImage::from_fn(1200, 900, |_, _| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        image::Rgb([(state >> 24) as u8, (state >> 16) as u8, (state >> 8) as u8])
    });
    noise.save(folder.join("noise.png")).unwrap();
    ok(home.path(), ["init", "."]);
    ok(home.path(), ["import", "--format", "images", "pictures"]);
    ok(home.path(), ["annotators", "add", "ada"]);
    let mut pty = Pty::start_over(Line::SLOW, Speaks::Kitty, home.path(), &["annotate"], (200, 60));
    begin(&mut pty);
    let begun = Instant::now();
    // While the picture is on its way the cursor answers, behind no more than the tiles that are on their way: one of noise
    // takes a tenth of a second of the line.
    let answer = answers(&mut pty, 5);
    println!("while a picture comes, a step of the cursor is seen after {answer:?}");
    assert!(answer < Duration::from_millis(1200), "{answer:?}");
    pty.send(" ");
    pty.shows("the line is too slow for pictures: cells from now on");
    let (took, bytes) = (begun.elapsed(), pty.received().len());
    println!("cells after {took:?} and {bytes} bytes");
    assert!(took < Duration::from_secs(15), "{took:?}");
    pty.wait("cells", |_| pty.cell(20, 20).0 != "\u{10eeee}" && "▀▄█ ".contains(&pty.cell(20, 20).0));
    pty.shows("saved 1");
    let answer = answers(&mut pty, 5);
    assert!(answer < 4 * ROUND_TRIP, "{answer:?} with cells");
    pty.send("q");
    assert_eq!(pty.end(), 0);
    assert!(ok(home.path(), ["log"]).contains("draw object"));
}
