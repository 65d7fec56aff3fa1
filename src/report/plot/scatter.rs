//! Two quantities of each of many things, with the line on which both are equal.

use super::{
    Axis, Plot, PlotError,
    canvas::{Anchor, Lettering, cut, plot, width},
    lines::axes,
    scale::Scale,
};
use crate::report::ink::{Ink, MUTED};

const LABEL: f64 = 12.0;

/// One thing.
#[derive(Clone, Debug)]
pub(in crate::report) struct Point {
    pub(in crate::report) name: String,
    pub(in crate::report) ink: Ink,
    pub(in crate::report) at: (f64, f64),
}

/// The plot of `points`; none without one. What lies `above` the line of equals, and what
/// `below`, is said in its corners.
pub(in crate::report) fn draw(
    title: &str,
    x: &Axis,
    y: &Axis,
    (above, below): (&str, &str),
    points: &[Point],
) -> Result<Option<Plot>, PlotError> {
    if points.is_empty() {
        return Ok(None);
    }
    let (total, height) = (400.0, 372.0);
    let (left, right, top, bottom) = (50.0, 384.0, 34.0, 328.0);
    let (across, up) = (
        Scale::of(x, points.iter().map(|p| p.at.0), (left, right)),
        Scale::of(y, points.iter().map(|p| p.at.1), (bottom, top)),
    );
    plot(title, (total, height), alt(title, x, y, points), |canvas| {
        axes(canvas, (x, &across), (y, &up));
        canvas.line(&[(across.clamped(0.0), up.clamped(0.0)), (across.clamped(1.0), up.clamped(1.0))], MUTED, 1.0);
        canvas.text(above, (left + 6.0, top + 10.0), Anchor::Left, Lettering::new(11.0, MUTED));
        canvas.text(below, (right - 4.0, bottom - 10.0), Anchor::Right, Lettering::new(11.0, MUTED));
        let mut taken: Vec<[f64; 4]> = Vec::new();
        let places: Vec<(f64, f64)> = points.iter().map(|p| (across.clamped(p.at.0), up.clamped(p.at.1))).collect();
        for (point, &place) in points.iter().zip(&places) {
            canvas.dot(place, 5.0, point.ink);
            taken.push([place.0 - 5.0, place.1 - 5.0, place.0 + 5.0, place.1 + 5.0]);
        }
        for (point, &(px, py)) in points.iter().zip(&places) {
            let name = cut(&point.name, LABEL, 150.0);
            let wide = width(&name, LABEL);
            let spots = [
                (px + 9.0, py, Anchor::Left),
                (px - 9.0, py, Anchor::Right),
                (px, py - 13.0, Anchor::Middle),
                (px, py + 13.0, Anchor::Middle),
                (px + 9.0, py - 12.0, Anchor::Left),
                (px + 9.0, py + 12.0, Anchor::Left),
                (px - 9.0, py - 12.0, Anchor::Right),
                (px - 9.0, py + 12.0, Anchor::Right),
            ];
            let boxed = |&(x, y, anchor): &(f64, f64, Anchor)| {
                let from = match anchor {
                    Anchor::Left => x,
                    Anchor::Middle => x - wide / 2.0,
                    Anchor::Right => x - wide,
                };
                [from, y - 6.0, from + wide, y + 6.0]
            };
            let free = |area: &[f64; 4]| {
                area[0] >= left
                    && area[2] <= total
                    && area[1] >= top - 8.0
                    && area[3] <= bottom
                    && taken.iter().all(|t| area[2] < t[0] || t[2] < area[0] || area[3] < t[1] || t[3] < area[1])
            };
            // A name without room is left to the table: one over another can't be read.
            if let Some(spot) = spots.iter().find(|spot| free(&boxed(spot))) {
                taken.push(boxed(spot));
                canvas.text(&name, (spot.0, spot.1), spot.2, Lettering::new(LABEL, point.ink).bold());
            }
        }
    })
    .map(Some)
}

fn alt(title: &str, x: &Axis, y: &Axis, points: &[Point]) -> String {
    let told: Vec<String> = points
        .iter()
        .take(12)
        .map(|point| format!("{} at {} and {}", point.name, x.told(point.at.0), y.told(point.at.1)))
        .collect();
    let more = if points.len() > 12 { format!("; and {} more", points.len() - 12) } else { String::new() };
    format!("{title}: {} across and {} upwards. {}{more}.", x.label, y.label, told.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::ink::series;

    #[test]
    fn every_point_is_drawn_and_no_name_covers_another() {
        let axis = Axis { label: "accuracy".to_owned(), range: Some((0.0, 1.0)), percent: true };
        let point = |i: u8| Point { name: format!("network-{i}"), ink: series(i.into()), at: (0.5, 0.5) };
        let points: Vec<Point> = (0..40).map(point).collect();
        let plot = draw("models", &axis, &axis, ("over", "under"), &points).unwrap().unwrap();
        assert_eq!(plot.svg.matches("<circle").count(), 40);
        let named = plot.svg.matches(">network-").count();
        assert!((2..20).contains(&named), "{named} names where there is room for a few");
        assert!(plot.alt.contains("network-0 at 50.0% and 50.0%"), "{}", plot.alt);
    }
}
