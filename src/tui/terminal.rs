//! The terminal: taken over, and given back whatever happens.

use std::{
    io::{self, Write},
    panic,
    sync::Once,
};

use crossterm::{
    cursor::{Hide, Show},
    event::{DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture},
    execute,
    terminal::{self, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode},
};

/// Writes to the terminal as far as it still is there.
pub(super) fn write(bytes: &[u8]) {
    let mut out = io::stdout().lock();
    let _ = out.write_all(bytes).and_then(|()| out.flush());
}

/// The terminal while the program has it; dropped, it is given back.
pub(super) struct Terminal(());

impl Terminal {
    /// Takes the terminal over. A panic anywhere gives it back before its message is printed.
    pub(super) fn take() -> io::Result<Self> {
        static HOOK: Once = Once::new();
        HOOK.call_once(|| {
            let before = panic::take_hook();
            panic::set_hook(Box::new(move |info| {
                give_back();
                before(info);
            }));
        });
        let terminal = Self(());
        terminal.enter()?;
        Ok(terminal)
    }

    /// Takes the terminal over again after [`Terminal::leave`].
    pub(super) fn enter(&self) -> io::Result<()> {
        enable_raw_mode()?;
        execute!(io::stdout(), EnterAlternateScreen, EnableMouseCapture, EnableBracketedPaste, Hide)?;
        Ok(())
    }

    /// Gives the terminal back.
    pub(super) fn leave(&self) {
        give_back();
    }

    /// The terminal's size in cells; 80 by 24 if it does not say.
    pub(super) fn size() -> (u16, u16) {
        terminal::size().ok().filter(|(columns, rows)| *columns > 0 && *rows > 0).unwrap_or((80, 24))
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        give_back();
    }
}

/// Gives the terminal back as it was, as far as it still is there.
fn give_back() {
    let _ = execute!(io::stdout(), DisableBracketedPaste, DisableMouseCapture, LeaveAlternateScreen, Show);
    let _ = io::stdout().flush();
    let _ = disable_raw_mode();
}
