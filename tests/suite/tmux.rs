//! Guards the screen inside a real tmux, with the mouse and with keys that tmux sends: what is painted is stored, and the pane
//! is a shell's again afterwards.

use std::{
    path::Path,
    process::{Command, Output},
    thread,
    time::{Duration, Instant},
};

use rival10::tui::app::viewport::Viewport;

use crate::{
    annotate::{SIZE, discs, project, stored, stroke},
    pty::{Pty, Speaks},
};

/// A tmux server of the test's own.
struct Tmux {
    socket: String,
}

impl Tmux {
    /// A session of 80 by 24 whose shell stands in `home`; None where there is no tmux.
    fn start(home: &Path) -> Option<Self> {
        let socket = home.join("tmux").to_str().unwrap().to_owned();
        let tmux = Self { socket };
        Command::new("tmux").arg("-V").output().ok()?;
        let shell =
            ["-f", "/dev/null", "new-session", "-d", "-x", "80", "-y", "24", "-c", home.to_str().unwrap(), "sh"];
        let made = tmux.run(&shell);
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        tmux.run(&["set", "-g", "mouse", "on"]);
        tmux.run(&["set", "-g", "escape-time", "20"]);
        Some(tmux)
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new("tmux");
        command.args(["-S", &self.socket]).args(arguments).env_remove("TMUX").env("TERM", "xterm-256color");
        command.output().unwrap()
    }

    /// The pane's text.
    fn text(&self) -> String {
        String::from_utf8(self.run(&["capture-pane", "-p"]).stdout).unwrap()
    }

    fn shows(&self, wanted: &str) {
        self.wait(wanted, |text| text.contains(wanted));
    }

    fn wait(&self, what: &str, wanted: impl Fn(&str) -> bool) {
        let begun = Instant::now();
        while !wanted(&self.text()) {
            assert!(begun.elapsed() < Duration::from_secs(60), "no {what:?} came; the pane shows\n{}", self.text());
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Types into the pane, as it is.
    fn types(&self, text: &str) {
        self.run(&["send-keys", "-l", text]);
    }

    /// A mouse report at a cell, counted from 0, sent to the program in the pane as a terminal sends it.
    fn mouse(&self, button: u16, (column, row): (u16, u16), down: bool) {
        let report = format!("\x1b[<{button};{};{}{}", column + 1, row + 1, if down { 'M' } else { 'm' });
        let bytes: Vec<String> = report.bytes().map(|byte| format!("{byte:02x}")).collect();
        let bytes: Vec<&str> = bytes.iter().map(String::as_str).collect();
        self.run(&[&["send-keys", "-H"], &bytes[..]].concat());
    }

    fn annotate(&self, home: &Path) {
        let config = home.to_str().unwrap();
        self.types(&format!(
            "XDG_CONFIG_HOME={config} {} annotate; echo it ended with $?",
            env!("CARGO_BIN_EXE_rival10")
        ));
        self.run(&["send-keys", "Enter"]);
        self.shows("Welcome");
        self.run(&["send-keys", "Escape"]);
        self.wait("end of the tour", |text| !text.contains("Welcome") && text.contains("paint object"));
        self.types("\\");
        self.shows("1x");
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        self.run(&["kill-server"]);
    }
}

/// The canvas of a pane of 80 by 24, at one image pixel a dot.
fn viewport() -> Viewport {
    let mut view = Viewport::new(80 - 27, 24 - 3);
    view.fit(SIZE);
    view.rescale(1.0, (32, 24));
    view
}

#[test]
fn what_is_painted_in_tmux_by_sent_keys_and_mouse_reports_is_stored() {
    let home = tempfile::tempdir().unwrap();
    let Some(tmux) = Tmux::start(home.path()) else {
        println!("skipped: there is no tmux");
        return;
    };
    project(home.path());
    tmux.annotate(home.path());
    let view = viewport();
    let ends = [(10, 8), (30, 9)].map(|(column, row)| view.pixel(column, row));
    tmux.mouse(0, (10, 9), true);
    tmux.mouse(32, (30, 10), true);
    tmux.mouse(0, (30, 10), false);
    tmux.shows("saved 1");
    tmux.types("'b");
    tmux.shows("paint beak");
    tmux.types(" ");
    tmux.shows("saved 3");
    tmux.types("q");
    tmux.shows("it ended with 0");
    assert!(!tmux.text().contains("paint beak"), "the pane is the shell's again:\n{}", tmux.text());
    let masks = stored(home.path()).2;
    assert_eq!(masks["object"], discs(9, &stroke(ends[0], ends[1])));
    assert_eq!(masks["attribute beak"], discs(9, &[ends[1]]), "the cursor is where the mouse was last");
}

#[test]
fn a_terminal_around_tmux_paints_through_it() {
    let home = tempfile::tempdir().unwrap();
    let Some(tmux) = Tmux::start(home.path()) else {
        println!("skipped: there is no tmux");
        return;
    };
    project(home.path());
    // A client, as a person has it: keys and mouse go to tmux, which hands them on to the pane.
    let attach = ["-S", &tmux.socket, "attach"];
    let mut pty = Pty::run("tmux", Speaks::Plainly, None, home.path(), &attach, (80, 25));
    pty.wait("tmux", |text| text.contains("[0]") || text.contains("0:sh"));
    tmux.annotate(home.path());
    pty.shows("paint object");
    let view = viewport();
    let ends = [(10, 8), (40, 12)].map(|(column, row)| view.pixel(column, row));
    pty.mouse(0, (10, 9), true);
    for column in [20, 30, 40] {
        pty.mouse(32, (column, 9 + (column - 10) * 4 / 30), true);
    }
    pty.mouse(0, (40, 13), false);
    pty.shows("saved 1");
    let column = |text: &str| text.lines().any(|line| line.contains("paint object") && line.contains("saved 1"));
    assert!(column(&tmux.text()));
    // Another size of the window, and back to the shell.
    pty.resize(100, 31);
    pty.wait("a wider screen", |text| text.lines().next().is_some_and(|line| line.trim_end().len() > 90));
    pty.send("q");
    tmux.shows("it ended with 0");
    let object = &stored(home.path()).2["object"];
    for (x, y) in ends {
        assert!(object.contains(x as u32, y as u32), "{x}, {y}");
    }
    tmux.run(&["kill-server"]);
    pty.end();
}
