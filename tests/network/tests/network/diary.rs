//! What happened in a simulated network, line by line, with the moment: two runs of one seed must write the same. It judges
//! nothing.

use std::sync::{Arc, Mutex};

#[derive(Clone, Default)]
pub(crate) struct Diary(Arc<Mutex<Vec<String>>>);

impl Diary {
    /// Notes what happened at `who`, now.
    pub(crate) fn note(&self, who: &str, what: &str) {
        let at = turmoil::sim_elapsed().unwrap_or_default();
        self.0
            .lock()
            .unwrap()
            .push(format!("{:>10.3} {who} {what}", at.as_secs_f64()));
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    /// The last lines, for whoever has to find out why a run went wrong.
    pub(crate) fn end(&self) -> String {
        let lines = self.0.lock().unwrap();
        lines[lines.len().saturating_sub(40)..].join("\n")
    }
}
