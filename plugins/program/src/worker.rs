//! One running program: its process, and the two threads that talk to it.
//!
//! A program may hang, die, or fill a pipe that nobody reads. So the asking thread never touches a pipe itself: it hands a
//! job to the thread that owns the process's stdin and stdout, and waits for the answer no longer than it may. What is late
//! is killed. The last lines that it wrote to stderr are kept, for they say why.

use std::{
    collections::VecDeque,
    ffi::OsStr,
    fmt,
    io::{self, BufRead, BufReader, Read, Write},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio},
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{RecvTimeoutError, Sender, channel},
    },
    thread,
    time::{Duration, Instant},
};

use crate::Fault;

/// How many of the last lines of stderr are kept.
const KEPT_LINES: usize = 4;
/// How long a program may take to end after its stdin was closed.
const GRACE: Duration = Duration::from_secs(2);

/// What the thread does that owns the pipes.
type Job = Box<dyn FnOnce(&mut ChildStdin, &mut BufReader<ChildStdout>) + Send>;

/// A running program. Dropped, it is ended.
pub struct Worker {
    child: Child,
    jobs: Option<Sender<Job>>,
    said: Arc<Mutex<VecDeque<String>>>,
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker").field("process", &self.child.id()).finish_non_exhaustive()
    }
}

impl Worker {
    /// Starts `program`, with `file` for its argument if there is one.
    ///
    /// # Errors
    /// What the system says: that it is no program, or may not be run.
    pub fn start(program: &Path, file: Option<&Path>) -> io::Result<Self> {
        let mut command = Command::new(program);
        command.args(file.map(Path::as_os_str).as_slice());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // A group of its own: Ctrl-C is for rival10, which then stops cleanly and ends the program itself.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut child = command.spawn()?;
        let (Some(mut stdin), Some(stdout), Some(stderr)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(io::Error::other("its pipes were not made"));
        };
        let said = Arc::new(Mutex::new(VecDeque::new()));
        let lines = Arc::clone(&said);
        thread::Builder::new().name("stderr of a program".to_owned()).spawn(move || keep_last_lines(stderr, &lines))?;
        let (jobs, taken) = channel::<Job>();
        thread::Builder::new().name("pipes of a program".to_owned()).spawn(move || {
            let mut stdout = BufReader::new(stdout);
            taken.into_iter().for_each(|job| job(&mut stdin, &mut stdout));
        })?;
        Ok(Self { child, jobs: Some(jobs), said })
    }

    /// Writes a message by `write`, and gives what `read` makes of the answer, if it comes within `limit`. A program that
    /// is late is killed; one that has failed in another way is in no known state, and asked no more.
    ///
    /// # Errors
    /// The [`Fault`].
    pub fn ask<T: Send + 'static>(
        &mut self,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()> + Send + 'static,
        read: impl FnOnce(&mut dyn BufRead) -> Result<T, Fault> + Send + 'static,
        limit: Duration,
    ) -> Result<T, Fault> {
        let (give, answer) = channel();
        let job: Job = Box::new(move |stdin, stdout| {
            // What stands there before it was asked is the end of an earlier answer, or talk.
            let early = String::from_utf8_lossy(stdout.buffer()).trim_end().chars().take(80).collect::<String>();
            let outcome = if stdout.buffer().is_empty() {
                write(stdin).and_then(|()| stdin.flush()).map_err(|_| Fault::Ended).and_then(|()| read(stdout))
            } else {
                Err(Fault::Garbled(format!("it said {early:?} unasked; what it prints goes to stderr")))
            };
            // Nobody waits for the answer of a program that was late.
            _ = give.send(outcome);
        });
        if self.jobs.as_ref().is_none_or(|jobs| jobs.send(job).is_err()) {
            return Err(Fault::Ended);
        }
        match answer.recv_timeout(limit) {
            Ok(answer) => answer,
            Err(RecvTimeoutError::Disconnected) => Err(Fault::Ended),
            Err(RecvTimeoutError::Timeout) => {
                self.kill();
                Err(Fault::Late)
            }
        }
    }

    /// How it ended, if it did, and the last that it wrote to stderr.
    pub fn last_words(&mut self) -> String {
        let status = self.wait(GRACE);
        // What it wrote last may still be on its way.
        thread::sleep(Duration::from_millis(20));
        let said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        let lines: Vec<&str> = said.iter().map(String::as_str).collect();
        let ended = status.map_or_else(String::new, |status| format!(" ({status})"));
        if lines.is_empty() { ended } else { format!("{ended}; it last said: {}", lines.join(" / ")) }
    }

    fn wait(&mut self, limit: Duration) -> Option<ExitStatus> {
        let begun = Instant::now();
        loop {
            match self.child.try_wait() {
                Ok(Some(status)) => return Some(status),
                Ok(None) if begun.elapsed() < limit => thread::sleep(Duration::from_millis(5)),
                _ => return None,
            }
        }
    }

    /// Ends it and what it has started.
    fn kill(&mut self) {
        #[cfg(unix)]
        {
            let group = format!("-{}", self.child.id());
            let arguments = ["-KILL", "--", &group].map(OsStr::new);
            // Best effort: without that program, the child alone is killed below.
            _ = Command::new("kill")
                .args(arguments)
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status();
        }
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // The thread that owns its stdin ends, and with it the program.
        self.jobs = None;
        if self.wait(GRACE).is_none() {
            self.kill();
        }
    }
}

/// Keeps the last lines of `from`, each cut to a readable length.
fn keep_last_lines(from: impl Read, lines: &Mutex<VecDeque<String>>) {
    let mut from = BufReader::new(from);
    let mut line = Vec::new();
    loop {
        line.clear();
        match (&mut from).take(4096).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) => {
                let text: String = String::from_utf8_lossy(&line).trim().chars().take(200).collect();
                if !text.is_empty() {
                    let mut lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
                    lines.push_back(text);
                    if lines.len() > KEPT_LINES {
                        lines.pop_front();
                    }
                }
            }
        }
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use super::*;
    use crate::message;

    /// A program in the shell, running.
    fn shell(text: &str) -> (tempfile::TempDir, Worker) {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("program");
        // Renamed into place, so that no process starts a file that is still being written.
        fs::write(dir.path().join("new"), format!("#!/bin/sh\n{text}\n")).unwrap();
        fs::set_permissions(dir.path().join("new"), fs::Permissions::from_mode(0o755)).unwrap();
        fs::rename(dir.path().join("new"), &file).unwrap();
        let worker = Worker::start(&file, None).unwrap();
        (dir, worker)
    }

    fn ask(worker: &mut Worker) -> Result<Vec<u8>, Fault> {
        let read = |from: &mut dyn BufRead| message::read_line(from, 100);
        worker.ask(|to| to.write_all(b"well?\n"), read, Duration::from_millis(500))
    }

    #[test]
    fn a_program_is_asked_and_answers_until_its_stdin_ends() {
        let (_dir, mut worker) = shell("while read -r line; do echo \"$line indeed\"; done");
        for _ in 0..3 {
            assert_eq!(ask(&mut worker).unwrap(), b"well? indeed\n");
        }
    }

    #[test]
    fn one_that_hangs_is_killed_with_all_that_it_has_started() {
        let (_dir, mut worker) = shell("sleep 1000 & cat > /dev/null");
        let begun = Instant::now();
        assert!(matches!(ask(&mut worker), Err(Fault::Late)));
        drop(worker);
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    }

    #[test]
    fn one_that_dies_says_how_and_its_last_words() {
        let (_dir, mut worker) = shell("read -r line; echo one >&2; echo out of memory >&2; exit 3");
        let fault = ask(&mut worker).unwrap_err();
        let told = fault.told(&mut worker, Duration::from_millis(500), "");
        assert_eq!(told, "it ended before it answered (exit status: 3); it last said: one / out of memory");
    }

    #[test]
    fn what_is_said_unasked_is_not_taken_for_the_next_answer() {
        let (_dir, mut worker) = shell("while read -r line; do printf 'one\\ntwo\\n'; done");
        assert_eq!(ask(&mut worker).unwrap(), b"one\n");
        let fault = ask(&mut worker);
        assert!(
            matches!(&fault, Err(Fault::Garbled(reason)) if reason.contains("it said \"two\" unasked")),
            "{fault:?}"
        );
    }
}
