//! Lines over a quantity, each with the band of its intervals and its name at its end.

use super::{
    Axis, Bounded, Plot, PlotError,
    canvas::{Anchor, Canvas, Lettering, cut, plot, width},
    scale::Scale,
};
use crate::report::ink::{Ink, MUTED, RULE, TEXT};

const LABEL: f64 = 12.0;
const LEFT: f64 = 50.0;
const TOP: f64 = 34.0;
const BOTTOM: f64 = 44.0;
const ROW: f64 = 15.0;
/// Bold letters are wider.
const BOLD: f64 = 1.08;

/// One line.
#[derive(Clone, Debug)]
pub(in crate::report) struct Line {
    pub(in crate::report) name: String,
    pub(in crate::report) ink: Ink,
    /// From left to right.
    pub(in crate::report) points: Vec<(f64, Bounded)>,
}

/// The plot of `lines`; none without a point.
pub(in crate::report) fn draw(title: &str, x: &Axis, y: &Axis, lines: &[Line]) -> Result<Option<Plot>, PlotError> {
    let ends: Vec<&(f64, Bounded)> = lines.iter().filter_map(|line| line.points.last()).collect();
    if ends.is_empty() {
        return Ok(None);
    }
    let longest = lines.iter().map(|line| width(&line.name, LABEL)).fold(0.0, f64::max).min(140.0) * BOLD;
    let total = 400.0;
    #[expect(clippy::cast_precision_loss, reason = "a handful of lines")]
    let height = (ROW * lines.len() as f64 + TOP + BOTTOM).max(260.0);
    let (left, right) = (LEFT, total - longest - 16.0);
    let (top, bottom) = (TOP, height - BOTTOM);
    let points = || lines.iter().flat_map(|line| &line.points);
    let reach = points().flat_map(|(_, b)| b.interval.map_or([b.value; 2], |(low, high)| [low, high]));
    let across = Scale::of(
        &Axis { range: x.range.or_else(|| exact(points().map(|(x, _)| *x))), ..x.clone() },
        std::iter::empty(),
        (left, right),
    );
    let up = Scale::of(y, reach, (bottom, top));
    plot(title, (total, height), alt(title, x, y, lines), |canvas| {
        axes(canvas, (x, &across), (y, &up));
        for line in lines {
            let bounds: Option<Vec<(f64, f64, f64)>> =
                line.points.iter().map(|(x, b)| b.interval.map(|(low, high)| (*x, low, high))).collect();
            if let Some(bounds) = bounds.filter(|bounds| bounds.len() > 1) {
                let lower = bounds.iter().map(|(x, low, _)| (across.at(*x), up.clamped(*low)));
                let upper = bounds.iter().rev().map(|(x, _, high)| (across.at(*x), up.clamped(*high)));
                canvas.area(&lower.chain(upper).collect::<Vec<_>>(), line.ink, 0.18);
            }
        }
        for line in lines {
            let path: Vec<_> = line.points.iter().map(|(x, b)| (across.at(*x), up.clamped(b.value))).collect();
            canvas.line(&path, line.ink, 2.0);
            path.iter().for_each(|&point| canvas.dot(point, 2.2, line.ink));
        }
        let mut order: Vec<(f64, &Line)> =
            lines.iter().filter_map(|line| Some((up.clamped(line.points.last()?.1.value), line))).collect();
        order.sort_by(|a, b| a.0.total_cmp(&b.0));
        let places = apart(&order.iter().map(|(place, _)| *place).collect::<Vec<_>>(), ROW, (top, bottom));
        for ((_, line), place) in order.into_iter().zip(places) {
            let name = cut(&line.name, LABEL, longest + 4.0);
            canvas.text(&name, (right + 8.0, place), Anchor::Left, Lettering::new(LABEL, line.ink).bold());
        }
    })
    .map(Some)
}

/// The smallest range of `values`; none of fewer than two different ones.
fn exact(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
    (low < high).then_some((low, high))
}

/// Both axes with their ticks and names.
pub(super) fn axes(canvas: &mut Canvas<'_>, (x, across): (&Axis, &Scale), (y, up): (&Axis, &Scale)) {
    let (left, right, top, bottom) = (across.begin(), across.end(), up.end(), up.begin());
    for tick in up.ticks(6) {
        let place = up.at(tick);
        canvas.line(&[(left, place), (right, place)], RULE, 0.8);
        canvas.text(&y.number(tick), (left - 6.0, place), Anchor::Right, Lettering::new(11.0, MUTED));
    }
    for tick in across.ticks(8) {
        let place = across.at(tick);
        canvas.line(&[(place, bottom), (place, bottom + 4.0)], MUTED, 0.8);
        canvas.text(&x.number(tick), (place, bottom + 13.0), Anchor::Middle, Lettering::new(11.0, MUTED));
    }
    canvas.line(&[(left, bottom), (right, bottom)], MUTED, 1.0);
    let (middle, name) = (f64::midpoint(left, right), cut(&x.label, 12.0, right - left + 60.0));
    canvas.text(&name, (middle, bottom + 32.0), Anchor::Middle, Lettering::new(12.0, TEXT));
    let name = cut(&y.label, 12.0, bottom - top + 20.0);
    canvas.text(&name, (11.0, f64::midpoint(top, bottom)), Anchor::Middle, Lettering::new(12.0, TEXT).upright());
}

/// Ascending `places` moved so far apart that each two are `gap` from one another, and within `bounds` if they fit.
fn apart(places: &[f64], gap: f64, (top, bottom): (f64, f64)) -> Vec<f64> {
    let mut moved = places.to_vec();
    let mut least = top;
    for place in &mut moved {
        *place = place.max(least);
        least = *place + gap;
    }
    let mut most = bottom;
    for place in moved.iter_mut().rev() {
        *place = place.min(most);
        most = *place - gap;
    }
    moved
}

fn alt(title: &str, x: &Axis, y: &Axis, lines: &[Line]) -> String {
    let told: Vec<String> = lines
        .iter()
        .filter_map(|line| {
            let ((from, first), (to, last)) = (line.points.first()?, line.points.last()?);
            let interval = last
                .interval
                .map_or_else(String::new, |(low, high)| format!(" (interval {} to {})", y.told(low), y.told(high)));
            Some(format!(
                "{} goes from {} at {} to {}{interval} at {}",
                line.name,
                y.told(first.value),
                x.number(*from),
                y.told(last.value),
                x.number(*to)
            ))
        })
        .take(12)
        .collect();
    let more = if lines.len() > 12 { format!("; and {} more", lines.len() - 12) } else { String::new() };
    format!("{title}: {} over {}. {}{more}.", y.label, x.label, told.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::ink::series;

    fn line(name: &str, values: &[f64]) -> Line {
        let bounded = |value: f64| Bounded { value, interval: Some((value - 0.05, value + 0.05)) };
        let points = (0..).zip(values).map(|(x, &value)| (f64::from(x) * 30.0, bounded(value))).collect();
        Line { name: name.to_owned(), ink: series(0), points }
    }

    #[test]
    fn every_line_has_its_band_its_dots_and_its_name_and_the_words_say_where_it_ends() {
        let x = Axis { label: "level".to_owned(), range: None, percent: false };
        let y = Axis { label: "accuracy".to_owned(), range: Some((0.0, 1.0)), percent: true };
        let lines = [line("foreground", &[0.9, 0.5, 0.2]), line("background", &[0.9, 0.8, 0.7])];
        let plot = draw("net", &x, &y, &lines).unwrap().unwrap();
        assert_eq!(plot.svg.matches("<polygon").count(), 2);
        assert_eq!(plot.svg.matches("<circle").count(), 6);
        assert!(plot.svg.contains(">foreground</text>") && plot.svg.contains(">100%</text>"), "{}", plot.svg);
        assert!(
            plot.alt.contains("foreground goes from 90.0% at 0 to 20.0% (interval 15.0% to 25.0%) at 60"),
            "{}",
            plot.alt
        );
        assert_eq!(draw("net", &x, &y, &[]).unwrap(), None);
    }

    #[test]
    fn names_that_would_overlap_are_moved_apart() {
        assert_eq!(apart(&[10.0, 12.0, 13.0], 10.0, (0.0, 100.0)), [10.0, 20.0, 30.0]);
        assert_eq!(apart(&[95.0, 96.0, 97.0], 10.0, (0.0, 100.0)), [80.0, 90.0, 100.0]);
    }
}
