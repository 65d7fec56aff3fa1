//! How many there are in each of a row of bins.

use super::{Axis, Plot, PlotError, canvas::plot, lines::axes, scale::Scale};
use crate::report::ink::{Ink, MUTED};

/// A bin and how many there are in it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::report) struct Bin {
    pub(in crate::report) from: f64,
    pub(in crate::report) to: f64,
    pub(in crate::report) count: f64,
}

/// The plot of `bins`, ascending; none without one.
pub(in crate::report) fn draw(
    title: &str,
    x: &Axis,
    y: &Axis,
    ink: Ink,
    bins: &[Bin],
) -> Result<Option<Plot>, PlotError> {
    let (Some(first), Some(last)) = (bins.first(), bins.last()) else { return Ok(None) };
    let (total, height) = (400.0, 230.0);
    let (left, right, top, bottom) = (50.0, 388.0, 34.0, 186.0);
    let most = bins.iter().map(|bin| bin.count).fold(1.0, f64::max);
    let across =
        Scale::of(&Axis { range: Some((first.from, last.to)), ..x.clone() }, std::iter::empty(), (left, right));
    let up = Scale::of(&Axis { range: Some((0.0, most * 1.08)), ..y.clone() }, std::iter::empty(), (bottom, top));
    plot(title, (total, height), alt(title, x, bins), |canvas| {
        axes(canvas, (x, &across), (y, &up));
        for bin in bins {
            let (from, to) = (across.at(bin.from) + 1.0, across.at(bin.to) - 1.0);
            canvas.block((from, up.at(bin.count)), (to, bottom), ink, 1.0);
        }
        if across.holds(0.0) {
            canvas.line(&[(across.at(0.0), top), (across.at(0.0), bottom)], MUTED, 1.2);
        }
    })
    .map(Some)
}

fn alt(title: &str, x: &Axis, bins: &[Bin]) -> String {
    let told: Vec<String> = bins
        .iter()
        .filter(|bin| bin.count > 0.0)
        .map(|bin| format!("{:.0} from {} to {}", bin.count, x.number(bin.from), x.number(bin.to)))
        .collect();
    format!("{title}: images by {}. {}.", x.label, told.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::ink::series;

    #[test]
    fn every_bin_is_a_block_and_the_words_leave_out_the_empty_ones() {
        let axis = |label: &str| Axis { label: label.to_owned(), range: None, percent: false };
        let bin = |from: f64, count: f64| Bin { from, to: from + 0.5, count };
        let bins = [bin(-1.0, 3.0), bin(-0.5, 0.0), bin(0.0, 5.0)];
        let plot = draw("net", &axis("iRFS"), &axis("images"), series(0), &bins).unwrap().unwrap();
        assert_eq!(plot.svg.matches("<rect").count(), 3);
        assert_eq!(plot.alt, "net: images by iRFS. 3 from −1 to −0.5; 5 from 0 to 0.5.");
    }
}
