//! One running copy of an external model: its process, and the two threads that talk to it.
//!
//! A program may hang, die, or fill a pipe that nobody reads. So the asking thread never touches a pipe itself: it hands a
//! job to the thread that owns the process's stdin and stdout, and waits for the answer no longer than it may. What is late
//! is killed. The last lines that it wrote to stderr are kept, for they say why.

use std::{
    collections::VecDeque,
    ffi::OsStr,
    io::{self, BufRead, BufReader, Read},
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    thread,
    time::{Duration, Instant},
};

use rival10_sdk::Tensor;

use super::protocol::{self, Description, Fault, Request};

/// How many of the last lines of stderr are kept.
const KEPT_LINES: usize = 4;
/// How long a program may take to end after its stdin was closed.
const GRACE: Duration = Duration::from_secs(2);

struct Job {
    request: Vec<u8>,
    numbers: Vec<f32>,
    /// The shapes of the answer; none: a description.
    answer: Option<Vec<Vec<usize>>>,
}

enum Answer {
    Description(Box<Description>),
    Tensors(Vec<Tensor>),
}

/// A running program.
pub(super) struct Worker {
    child: Child,
    jobs: Option<Sender<Job>>,
    answers: Receiver<Result<Answer, Fault>>,
    said: Arc<Mutex<VecDeque<String>>>,
}

impl Worker {
    /// Starts `program`, with `file` for its argument if there is one.
    pub(super) fn start(program: &Path, file: Option<&Path>) -> io::Result<Self> {
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
        thread::Builder::new().name("stderr of a model".to_owned()).spawn(move || keep_last_lines(stderr, &lines))?;
        let (jobs, taken) = channel::<Job>();
        let (give, answers) = channel();
        thread::Builder::new().name("pipes of a model".to_owned()).spawn(move || {
            let mut stdout = BufReader::new(stdout);
            for job in taken {
                let written = protocol::write(&mut stdin, &job.request, &job.numbers).map_err(|_| Fault::Ended);
                let answer = written.and_then(|()| match &job.answer {
                    None => Ok(Answer::Description(Box::new(protocol::read_description(&mut stdout)?))),
                    Some(shapes) => Ok(Answer::Tensors(protocol::read_tensors(&mut stdout, shapes)?)),
                });
                if give.send(answer).is_err() {
                    break;
                }
            }
        })?;
        Ok(Self { child, jobs: Some(jobs), answers, said })
    }

    /// What it says of itself.
    pub(super) fn describe(&mut self, limit: Duration) -> Result<Description, Fault> {
        let request = Request::Describe { rival10_model: protocol::VERSION };
        match self.ask(&request, Vec::new(), None, limit)? {
            Answer::Description(description) => Ok(*description),
            Answer::Tensors(_) => Err(Fault::Garbled("it answers with tensors".to_owned())),
        }
    }

    /// Its answer to `request` with `numbers`: tensors of `shapes`.
    pub(super) fn tensors(
        &mut self,
        request: &Request<'_>,
        numbers: Vec<f32>,
        shapes: Vec<Vec<usize>>,
        limit: Duration,
    ) -> Result<Vec<Tensor>, Fault> {
        match self.ask(request, numbers, Some(shapes), limit)? {
            Answer::Tensors(tensors) => Ok(tensors),
            Answer::Description(_) => Err(Fault::Garbled("it answers with a description".to_owned())),
        }
    }

    fn ask(
        &mut self,
        request: &Request<'_>,
        numbers: Vec<f32>,
        answer: Option<Vec<Vec<usize>>>,
        limit: Duration,
    ) -> Result<Answer, Fault> {
        let request = serde_json::to_vec(request).map_err(|error| Fault::Garbled(error.to_string()))?;
        let sent = self.jobs.as_ref().map(|jobs| jobs.send(Job { request, numbers, answer }));
        if !matches!(sent, Some(Ok(()))) {
            return Err(Fault::Ended);
        }
        match self.answers.recv_timeout(limit) {
            Ok(answer) => answer,
            Err(RecvTimeoutError::Disconnected) => Err(Fault::Ended),
            Err(RecvTimeoutError::Timeout) => {
                self.kill();
                Err(Fault::Late)
            }
        }
    }

    /// How it ended, if it did, and the last that it wrote to stderr.
    pub(super) fn last_words(&mut self) -> String {
        let status = self.wait(GRACE);
        // What it wrote last may still be on its way.
        thread::sleep(Duration::from_millis(20));
        let said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        let lines: Vec<&str> = said.iter().map(String::as_str).collect();
        let ended = status.map_or_else(String::new, |status| format!(" ({status})"));
        if lines.is_empty() { ended } else { format!("{ended}; it last said: {}", lines.join(" / ")) }
    }

    fn wait(&mut self, limit: Duration) -> Option<std::process::ExitStatus> {
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
