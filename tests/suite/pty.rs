//! A terminal for the tests: the binary runs in a pseudo-terminal, and what it sends is parsed as a terminal would.

use std::{
    io::{Read, Write},
    path::Path,
    process::Command,
    sync::{Arc, Mutex},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use crate::line::Line;
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

/// How long anything may take before a test gives up on it: the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the terminal says of itself when it is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Speaks {
    /// Nothing at all.
    Nothing,
    /// That it is there.
    #[default]
    Plainly,
    /// That it has kitty's graphics.
    Kitty,
    /// The same, a second and a half too late.
    KittyLate,
    /// The same, from behind tmux.
    KittyBehindTmux,
    /// That it has sixels.
    Sixel,
    /// That it is iTerm2.
    Iterm2,
}

impl Speaks {
    /// The questions that it understands, and its answers.
    fn answers(self) -> Vec<(&'static str, &'static str)> {
        let ground = ("\x1b]11;?\x07", "\x1b]11;rgb:1616/1616/1a1a\x1b\\");
        let plain = [("\x1b[5n", "\x1b[0n"), ("\x1b[c", "\x1b[?62;22c")];
        let cell = ("\x1b[16t", "\x1b[6;20;10t");
        let kitty = [("\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\\", "\x1b_Gi=31;OK\x1b\\"), cell, ground];
        let mut answers = Vec::new();
        match self {
            Self::Nothing => {}
            Self::Plainly => answers.extend(plain),
            Self::Kitty | Self::KittyLate => {
                answers.extend(plain);
                answers.extend(kitty);
            }
            Self::KittyBehindTmux => {
                answers.extend(plain);
                answers.push(cell);
                answers.push(("\x1bPtmux;\x1b\x1b_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\x1b\x1b\\", "\x1b_Gi=31;OK\x1b\\"));
            }
            Self::Sixel => answers.extend([plain[0], ("\x1b[c", "\x1b[?62;4;22c"), cell, ground]),
            Self::Iterm2 => {
                answers.extend(plain);
                answers.extend([cell, ground, ("\x1b[>0q", "\x1bP>|iTerm2 3.5.0\x1b\\")]);
            }
        }
        answers
    }
}

/// Finds questions in what comes, and answers them in their order.
struct Answerer {
    speaks: Speaks,
    pending: Vec<u8>,
}

impl Answerer {
    fn hear(&mut self, bytes: &[u8], keys: &Keys) {
        self.pending.extend_from_slice(bytes);
        let answers = self.speaks.answers();
        let find = |pending: &[u8], question: &str| {
            pending.windows(question.len()).position(|window| window == question.as_bytes())
        };
        while let Some((at, question, answer)) = answers
            .iter()
            .filter_map(|(question, answer)| Some((find(&self.pending, question)?, *question, *answer)))
            .min_by_key(|(at, ..)| *at)
        {
            if self.speaks == Speaks::KittyLate {
                thread::sleep(Duration::from_millis(1500));
                self.speaks = Speaks::Kitty;
            }
            self.pending.drain(..at + question.len());
            let mut keys = keys.lock().unwrap();
            let _ = keys.write_all(answer.as_bytes());
            let _ = keys.flush();
        }
        let keep = self.pending.len().saturating_sub(64);
        self.pending.drain(..keep);
    }
}

/// What keys and answers are written to.
type Keys = Arc<Mutex<Box<dyn Write + Send>>>;

/// The binary in a terminal.
pub(crate) struct Pty {
    child: Box<dyn Child + Send + Sync>,
    master: Box<dyn MasterPty + Send>,
    keys: Keys,
    screen: Arc<Mutex<vt100::Parser>>,
    /// Bytes that came.
    received: Arc<Mutex<Vec<u8>>>,
    reader: Option<JoinHandle<()>>,
}

impl Pty {
    /// Runs the binary with `arguments` in `dir`, in a terminal of `columns` by `rows`.
    pub(crate) fn start(dir: &Path, arguments: &[&str], columns: u16, rows: u16) -> Self {
        Self::start_in(Speaks::default(), dir, arguments, columns, rows)
    }

    /// The same in a terminal that says so of itself.
    pub(crate) fn start_in(speaks: Speaks, dir: &Path, arguments: &[&str], columns: u16, rows: u16) -> Self {
        Self::run(env!("CARGO_BIN_EXE_rival10"), speaks, None, dir, arguments, (columns, rows))
    }

    /// The same at the other end of a line.
    pub(crate) fn start_over(
        line: Line,
        speaks: Speaks,
        dir: &Path,
        arguments: &[&str],
        (columns, rows): (u16, u16),
    ) -> Self {
        Self::run(env!("CARGO_BIN_EXE_rival10"), speaks, Some(line), dir, arguments, (columns, rows))
    }

    /// Runs any program so.
    pub(crate) fn run(
        program: &str,
        speaks: Speaks,
        line: Option<Line>,
        dir: &Path,
        arguments: &[&str],
        (columns, rows): (u16, u16),
    ) -> Self {
        let size = PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new(program);
        command.cwd(dir);
        command.args(arguments);
        command.env("TERM", "xterm-256color");
        command.env("COLORTERM", "truecolor");
        command.env("XDG_CONFIG_HOME", dir);
        command.env_remove("NO_COLOR");
        command.env_remove("TMUX");
        for name in ["TERM_PROGRAM", "LC_TERMINAL", "WEZTERM_EXECUTABLE", "KONSOLE_VERSION"] {
            command.env_remove(name);
        }
        if speaks == Speaks::KittyBehindTmux {
            command.env("TERM_PROGRAM", "tmux");
        }
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let screen = Arc::new(Mutex::new(vt100::Parser::new(rows, columns, 0)));
        let received = Arc::new(Mutex::new(Vec::new()));
        let mut output = pair.master.try_clone_reader().unwrap();
        let keys = pair.master.take_writer().unwrap();
        let keys: Keys = Arc::new(Mutex::new(match line {
            Some(line) => Box::new(line.out(keys)),
            None => keys,
        }));
        let mut answerer = Answerer { speaks, pending: Vec::new() };
        let reader = {
            let (screen, received, keys) = (Arc::clone(&screen), Arc::clone(&received), Arc::clone(&keys));
            thread::spawn(move || {
                let mut show = |bytes: &[u8]| {
                    received.lock().unwrap().extend_from_slice(bytes);
                    screen.lock().unwrap().process(bytes);
                    answerer.hear(bytes, &keys);
                };
                if let Some(line) = line {
                    line.carry(output, show);
                    return;
                }
                let mut buffer = [0; 65536];
                while let Ok(count @ 1..) = output.read(&mut buffer) {
                    show(&buffer[..count]);
                }
            })
        };
        Self { child, master: pair.master, keys, screen, received, reader: Some(reader) }
    }

    /// Types `text`, escape sequences included.
    pub(crate) fn send(&mut self, text: &str) {
        // A terminal whose program has ended takes no more keys, which the test finds out in its own way.
        let mut keys = self.keys.lock().unwrap();
        let _ = keys.write_all(text.as_bytes());
        let _ = keys.flush();
    }

    /// Sends a mouse report at a cell, counted from 0: button 0 left, 2 right, 32 more while it is dragged.
    pub(crate) fn mouse(&mut self, button: u16, (column, row): (u16, u16), down: bool) {
        let end = if down { 'M' } else { 'm' };
        self.send(&format!("\x1b[<{button};{};{}{end}", column + 1, row + 1));
    }

    /// The screen as text.
    pub(crate) fn text(&self) -> String {
        self.screen.lock().unwrap().screen().contents()
    }

    /// The character of a cell, with its marks, and its colour's number.
    pub(crate) fn cell(&self, column: u16, row: u16) -> (String, Option<u8>) {
        let screen = self.screen.lock().unwrap();
        let cell = screen.screen().cell(row, column).unwrap();
        let colour = if let vt100::Color::Idx(colour) = cell.fgcolor() { Some(colour) } else { None };
        (cell.contents().to_owned(), colour)
    }

    /// Whether the terminal is as a shell wants it: the main screen, a cursor, no mouse reports.
    pub(crate) fn is_given_back(&self) -> bool {
        let screen = self.screen.lock().unwrap();
        let screen = screen.screen();
        !screen.alternate_screen()
            && !screen.hide_cursor()
            && !screen.bracketed_paste()
            && screen.mouse_protocol_mode() == vt100::MouseProtocolMode::None
    }

    /// Everything that came.
    pub(crate) fn received(&self) -> Vec<u8> {
        self.received.lock().unwrap().clone()
    }

    /// Waits until the screen's text is as wanted, and gives it.
    pub(crate) fn wait(&self, what: &str, wanted: impl Fn(&str) -> bool) -> String {
        let begun = Instant::now();
        loop {
            let text = self.text();
            if wanted(&text) {
                return text;
            }
            assert!(begun.elapsed() < PATIENCE, "no {what} came; the screen shows\n{text}");
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Waits until the screen shows `text`.
    pub(crate) fn shows(&self, text: &str) -> String {
        self.wait(text, |screen| screen.contains(text))
    }

    /// Gives the terminal another size.
    pub(crate) fn resize(&mut self, columns: u16, rows: u16) {
        // The parser keeps rows of the old width; the program draws everything anew anyway.
        let mut fresh = vt100::Parser::new(rows, columns, 0);
        fresh.process(b"\x1b[?1049h\x1b[?25l");
        *self.screen.lock().unwrap() = fresh;
        self.master.resize(PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 }).unwrap();
    }

    /// The process's number.
    pub(crate) fn id(&self) -> u32 {
        self.child.process_id().unwrap()
    }

    /// Sends a signal, by its name as `kill` has it.
    pub(crate) fn signal(&self, name: &str) {
        let id = self.id();
        assert!(Command::new("kill").arg(format!("-{name}")).arg(id.to_string()).status().unwrap().success());
    }

    /// Whether the process is stopped, as after Ctrl-Z.
    pub(crate) fn is_stopped(&self) -> bool {
        let id = self.id();
        let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with('T'))
    }

    /// Waits for the end, and gives the exit code; none after a signal.
    pub(crate) fn end(&mut self) -> u32 {
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(begun.elapsed() < PATIENCE, "it does not end; the screen shows\n{}", self.text());
            thread::sleep(Duration::from_millis(10));
        };
        if let Some(reader) = self.reader.take() {
            reader.join().unwrap();
        }
        status.exit_code()
    }

    /// Ends it with `kill -9`.
    pub(crate) fn kill(&mut self) {
        self.signal("KILL");
        self.end();
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}
