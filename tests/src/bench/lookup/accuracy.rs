//! Accuracy: whether the right person was found, and how often somebody is named who is not listed.

use std::collections::BTreeMap;

use super::corpus::Question;

/// What one system answered to one question: persons with their scores, best first, and the time it took.
pub(super) struct Reply {
    pub(super) persons: Vec<(u64, f32)>,
    pub(super) seconds: f64,
}

/// Counts of one class.
#[derive(Default)]
struct Class {
    asked: usize,
    first: usize,
    tenth: usize,
    /// With a first hit at or above the published threshold: the right person, or anybody for those who are not listed.
    strong: usize,
    seconds: Vec<f64>,
}

/// The figures of one system over all questions but those for a number.
pub(super) struct Accuracy {
    pub(super) recall1: f64,
    pub(super) recall10: f64,
    /// Share of listed persons found first with a score that one in a hundred, one in a thousand of the others reaches.
    pub(super) tpr_at_fpr1: f64,
    pub(super) tpr_at_fpr01: f64,
    /// The same at the published threshold, and the share of the others who reach it.
    pub(super) tpr_strong: f64,
    pub(super) fpr_strong: f64,
    /// Share of the others for whom anything at all is returned.
    pub(super) fpr_any: f64,
    /// Of each question.
    #[cfg_attr(
        not(feature = "rivals"),
        allow(dead_code, reason = "the index measures its own in rounds")
    )]
    pub(super) seconds: Vec<f64>,
    classes: BTreeMap<String, Class>,
}

/// A question for a number says nothing about matching.
pub(super) fn is_number(question: &Question) -> bool {
    question.class == "dl_exact"
}

impl Accuracy {
    /// Of questions with their replies; `strong` is the published threshold.
    pub(super) fn of(questions: &[&Question], replies: &[Reply], strong: f32) -> Self {
        let mut classes: BTreeMap<String, Class> = BTreeMap::new();
        let (mut listed, mut others, mut seconds) = (Vec::new(), Vec::new(), Vec::new());
        let mut tenth = 0;
        for (question, reply) in questions.iter().zip(replies) {
            let class = classes.entry(question.class.clone()).or_default();
            let truth = question.truth.map(u64::from);
            let top = reply.persons.first();
            let score = top.map_or(f32::NEG_INFINITY, |(_, score)| *score);
            let right = truth.is_some() && top.map(|(id, _)| *id) == truth;
            let among = reply.persons.iter().take(10).any(|(id, _)| Some(*id) == truth);
            class.asked += 1;
            class.first += usize::from(right);
            class.tenth += usize::from(among);
            class.strong += usize::from((right || truth.is_none()) && score >= strong);
            class.seconds.push(reply.seconds);
            if is_number(question) {
                continue;
            }
            seconds.push(reply.seconds);
            if truth.is_some() {
                tenth += usize::from(among);
                listed.push((score, right));
            } else {
                others.push(score);
            }
        }
        others.sort_by(|a, b| b.total_cmp(a));
        let found_from = |threshold: f32| share(&listed, |(score, right)| *right && *score >= threshold);
        let threshold = |share: f64| {
            let at = (share * others.len() as f64) as usize;
            others.get(at).copied().unwrap_or(0.0).next_up()
        };
        Self {
            recall1: share(&listed, |(_, right)| *right),
            recall10: tenth as f64 / listed.len().max(1) as f64,
            tpr_at_fpr1: found_from(threshold(0.01)),
            tpr_at_fpr01: found_from(threshold(0.001)),
            tpr_strong: found_from(strong),
            fpr_strong: share(&others, |score| *score >= strong),
            fpr_any: share(&others, |score| score.is_finite()),
            seconds,
            classes,
        }
    }

    /// Prints a line for each class.
    pub(super) fn print(&self, system: &str) {
        eprintln!(
            "{system:<22} {:>6} {:>9} {:>9} {:>10} {:>9} {:>9}",
            "asked", "recall@1", "recall@10", "strong", "p50 us", "p99 us"
        );
        for (name, class) in &self.classes {
            let share = |count: usize| count as f64 / class.asked as f64;
            eprintln!(
                "{name:<22} {:>6} {:>9.4} {:>9.4} {:>10.4} {:>9.0} {:>9.0}",
                class.asked,
                share(class.first),
                share(class.tenth),
                share(class.strong),
                crate::bench::quantile(&class.seconds, 0.5) * 1e6,
                crate::bench::quantile(&class.seconds, 0.99) * 1e6,
            );
        }
    }
}

fn share<T>(items: &[T], counts: impl Fn(&T) -> bool) -> f64 {
    items.iter().filter(|item| counts(item)).count() as f64 / items.len().max(1) as f64
}
