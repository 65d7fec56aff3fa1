//! Numbers side by side, each a dot on its interval, in groups that have a heading.

use super::{
    Axis, Bounded, Plot, PlotError,
    canvas::{Anchor, Lettering, cut, plot, width},
    scale::Scale,
};
use crate::report::ink::{Ink, MUTED, RULE, TEXT};

const LABEL: f64 = 12.0;
const ROW: f64 = 20.0;
/// More rows than anybody reads in a picture; the table has all.
pub(in crate::report) const MOST: usize = 60;

/// One number.
#[derive(Clone, Debug)]
pub(in crate::report) struct Bar {
    /// What it belongs to; a heading stands where it changes.
    pub(in crate::report) group: String,
    pub(in crate::report) name: String,
    pub(in crate::report) ink: Ink,
    pub(in crate::report) bounded: Bounded,
}

/// The plot of `bars`; none without one.
pub(in crate::report) fn draw(title: &str, axis: &Axis, bars: &[Bar]) -> Result<Option<Plot>, PlotError> {
    let bars = &bars[..bars.len().min(MOST)];
    if bars.is_empty() {
        return Ok(None);
    }
    let heads = |at: usize| !bars[at].group.is_empty() && (at == 0 || bars[at - 1].group != bars[at].group);
    let rows = bars.len() + (0..bars.len()).filter(|&at| heads(at)).count();
    let (total, top) = (400.0, 34.0);
    #[expect(clippy::cast_precision_loss, reason = "at most 120 rows")]
    let bottom = top + ROW * rows as f64 + 6.0;
    let longest = bars.iter().map(|bar| width(&bar.name, LABEL)).fold(0.0, f64::max).min(160.0);
    let (left, right) = (longest + 16.0, total - 54.0);
    let reach = bars.iter().flat_map(|bar| {
        let (low, high) = bar.bounded.interval.unwrap_or((bar.bounded.value, bar.bounded.value));
        [low.min(bar.bounded.value), high.max(bar.bounded.value), 0.0]
    });
    let across = Scale::of(axis, reach, (left, right));
    plot(title, (total, bottom + 44.0), alt(title, axis, bars), |canvas| {
        for tick in across.ticks(6) {
            let place = across.at(tick);
            canvas.line(&[(place, top), (place, bottom)], RULE, 0.8);
            canvas.text(&axis.number(tick), (place, bottom + 11.0), Anchor::Middle, Lettering::new(11.0, MUTED));
        }
        if across.holds(0.0) {
            canvas.line(&[(across.at(0.0), top), (across.at(0.0), bottom)], MUTED, 1.2);
        }
        let name = cut(&axis.label, 12.0, total - 20.0);
        canvas.text(&name, (total / 2.0, bottom + 31.0), Anchor::Middle, Lettering::new(12.0, TEXT));
        let mut y = top + ROW / 2.0;
        for (at, bar) in bars.iter().enumerate() {
            if heads(at) {
                canvas.text(
                    &cut(&bar.group, LABEL, total - 8.0),
                    (4.0, y),
                    Anchor::Left,
                    Lettering::new(LABEL, TEXT).bold(),
                );
                y += ROW;
            }
            let name = cut(&bar.name, LABEL, longest + 4.0);
            canvas.text(&name, (left - 8.0, y), Anchor::Right, Lettering::new(LABEL, TEXT));
            if let Some((low, high)) = bar.bounded.interval {
                canvas.line(&[(across.clamped(low), y), (across.clamped(high), y)], bar.ink, 3.0);
            }
            canvas.dot((across.clamped(bar.bounded.value), y), 4.5, bar.ink);
            let number = axis.told(bar.bounded.value);
            canvas.text(&number, (total - 4.0, y), Anchor::Right, Lettering::new(11.0, MUTED));
            y += ROW;
        }
    })
    .map(Some)
}

fn alt(title: &str, axis: &Axis, bars: &[Bar]) -> String {
    let told: Vec<String> = bars
        .iter()
        .take(16)
        .map(|bar| {
            let group = if bar.group.is_empty() { String::new() } else { format!("{}, ", bar.group) };
            let interval = bar.bounded.interval.map_or_else(String::new, |(low, high)| {
                format!(" (interval {} to {})", axis.told(low), axis.told(high))
            });
            format!("{group}{} {}{interval}", bar.name, axis.told(bar.bounded.value))
        })
        .collect();
    let more = if bars.len() > 16 { format!("; and {} more", bars.len() - 16) } else { String::new() };
    format!("{title}: {}. {}{more}.", axis.label, told.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::ink::series;

    #[test]
    fn a_bar_is_a_dot_on_its_interval_under_the_heading_of_its_group() {
        let axis = Axis { label: "drop".to_owned(), range: None, percent: true };
        let bar = |group: &str, name: &str, value: f64| Bar {
            group: group.to_owned(),
            name: name.to_owned(),
            ink: series(0),
            bounded: Bounded { value, interval: Some((value - 0.1, value + 0.1)) },
        };
        let bars = [bar("a", "wings", 0.2), bar("a", "beak", -0.1), bar("b", "wings", 0.3)];
        let plot = draw("Drops", &axis, &bars).unwrap().unwrap();
        assert_eq!((plot.svg.matches("<circle").count(), plot.svg.matches(">wings</text>").count()), (3, 2));
        assert_eq!((plot.svg.matches(">a</text>").count(), plot.svg.matches(">b</text>").count()), (1, 1));
        assert!(plot.alt.contains("a, beak −10.0% (interval −20.0% to 0.0%)"), "{}", plot.alt);
        assert_eq!(draw("Drops", &axis, &[]).unwrap(), None);
    }
}
