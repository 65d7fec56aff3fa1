//! A slow line between the binary and its terminal, as a connection over SSH has it: so many bytes a second, each so late, and
//! no more of them on their way than the buffers of such a connection hold.

use std::{
    io::{self, Read, Write},
    sync::mpsc::{self, Receiver, Sender},
    thread,
    time::{Duration, Instant},
};

/// A packet, and what buffers hold before whoever writes has to wait.
const PACKET: usize = 1400;
const BUFFERED: usize = 64 * 1024;

/// A line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line {
    /// Bytes a second, each way.
    pub(crate) rate: f64,
    /// From one end to the other.
    pub(crate) latency: Duration,
}

impl Line {
    /// 80 ms round trip and 1 Mbit/s.
    pub(crate) const SLOW: Self = Self { rate: 125_000.0, latency: Duration::from_millis(40) };

    fn takes(self, bytes: usize) -> Duration {
        Duration::from_secs_f64(bytes as f64 / self.rate)
    }

    /// Reads `from` to its end and hands it to `show` as it arrives.
    pub(crate) fn carry(self, mut from: impl Read + Send + 'static, mut show: impl FnMut(&[u8])) {
        let (buffered, waiting) = mpsc::sync_channel::<Vec<u8>>(BUFFERED / PACKET);
        thread::spawn(move || {
            let mut buffer = [0; PACKET];
            while let Ok(count @ 1..) = from.read(&mut buffer) {
                if buffered.send(buffer[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
        let (sent, arriving) = mpsc::channel::<(Instant, Vec<u8>)>();
        thread::spawn(move || {
            let mut free = Instant::now();
            for packet in waiting {
                free = free.max(Instant::now()) + self.takes(packet.len());
                sleep_until(free);
                if sent.send((free + self.latency, packet)).is_err() {
                    return;
                }
            }
        });
        for (at, packet) in arriving {
            sleep_until(at);
            show(&packet);
        }
    }

    /// The way out: what is written arrives at `to` as late.
    pub(crate) fn out(self, to: Box<dyn Write + Send>) -> impl Write + Send {
        let (sender, packets) = mpsc::channel();
        thread::spawn(move || deliver(&packets, to));
        Out { line: self, free: Instant::now(), sender }
    }
}

fn deliver(packets: &Receiver<(Instant, Vec<u8>)>, mut to: Box<dyn Write + Send>) {
    for (at, packet) in packets {
        sleep_until(at);
        if to.write_all(&packet).and_then(|()| to.flush()).is_err() {
            return;
        }
    }
}

fn sleep_until(at: Instant) {
    thread::sleep(at.saturating_duration_since(Instant::now()));
}

struct Out {
    line: Line,
    free: Instant,
    sender: Sender<(Instant, Vec<u8>)>,
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.free = self.free.max(Instant::now()) + self.line.takes(bytes.len());
        let _ = self.sender.send((self.free + self.line.latency, bytes.to_vec()));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_line_is_as_late_and_as_narrow_as_it_says() {
    let begun = Instant::now();
    let (mut first, mut count) = (None, 0);
    Line::SLOW.carry(io::repeat(7).take(25_000), |bytes| {
        first.get_or_insert_with(|| begun.elapsed());
        count += bytes.len();
    });
    let (first, all) = (first.unwrap(), begun.elapsed());
    assert_eq!(count, 25_000);
    assert!(first >= Duration::from_millis(40), "{first:?}");
    assert!(
        all >= Duration::from_millis(240) && all < Duration::from_millis(700),
        "{all:?} for 200 ms of bytes and 40 ms of way"
    );
}
