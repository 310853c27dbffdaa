//! How far an import has come, told while it runs: a bar on a terminal, otherwise a line now and then. It changes nothing.

use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::tally::Tally;

const BAR_EVERY: Duration = Duration::from_millis(100);
const LINE_EVERY: Duration = Duration::from_secs(10);

/// Tells the progress until it is dropped.
pub(super) struct Progress {
    done: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Progress {
    /// Begins to tell. `size` is that of the file in bytes, where it is known.
    pub(super) fn start(tally: Arc<Tally>, size: Option<u64>, quiet: bool) -> Self {
        let (done, finished) = channel();
        let bar = std::io::stderr().is_terminal().then(|| bar(size));
        let every = if bar.is_some() { BAR_EVERY } else { LINE_EVERY };
        let started = Instant::now();
        let tell = move || {
            while finished.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
                match &bar {
                    Some(bar) => {
                        bar.set_position(tally.bytes.load(Relaxed));
                        bar.set_message(words(&tally, started.elapsed()));
                    }
                    None => eprintln!("import: {}", words(&tally, started.elapsed())),
                }
            }
            if let Some(bar) = bar {
                bar.finish_and_clear();
            }
        };
        // An import without its bar is still an import.
        let thread = if quiet {
            None
        } else {
            std::thread::Builder::new().spawn(tell).ok()
        };
        Self {
            done: Some(done),
            thread,
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        drop(self.done.take());
        if let Some(thread) = self.thread.take() {
            let _shown = thread.join();
        }
    }
}

fn bar(size: Option<u64>) -> ProgressBar {
    let (bar, template) = match size {
        Some(size) => (
            ProgressBar::new(size),
            "{bar:32} {bytes}/{total_bytes}  {msg}  {eta} left",
        ),
        None => (ProgressBar::new_spinner(), "{spinner} {bytes}  {msg}"),
    };
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

fn words(tally: &Tally, elapsed: Duration) -> String {
    let counts = tally.counts();
    let per_second = counts.read as f64 / elapsed.as_secs_f64().max(0.001);
    format!(
        "{} read, {} filed, {} there, {} refused, {per_second:.0}/s",
        counts.read,
        counts.filed,
        counts.already_there,
        counts.refused + counts.differing
    )
}
