//! How iRFS is spread over the images.

use rival10_sdk::Table;

use super::{ModelResult, columns, estimates::Summary};

/// Bins from -1 to 1.
const BINS: usize = 10;

/// The table of images by iRFS; both kinds of it.
pub(super) fn table(results: &[ModelResult]) -> Table {
    let mut rows = Vec::new();
    for ModelResult { name, summary, .. } in results {
        let mut counts = [[0_u64; 2]; BINS];
        for (_, images) in summary.table().classes() {
            for image in images.chunks_exact(summary.table().width()) {
                counts[bin(image[Summary::IRFS])][0] += 1;
                counts[bin(image[Summary::FLOORED])][1] += 1;
            }
        }
        for (i, [plain, floored]) in counts.into_iter().enumerate() {
            rows.push(vec![name.as_str().into(), edge(i).into(), edge(i + 1).into(), plain.into(), floored.into()]);
        }
    }
    Table {
        name: "irfs-distribution".to_owned(),
        caption: "Images by their iRFS: at least the first bound and below the second, 1 in the last bin.".to_owned(),
        columns: columns(&["model"], &["from", "to", "images by iRFS", "images by floored iRFS"]),
        rows,
    }
}

/// The lower bound of bin `i`.
fn edge(i: usize) -> f64 {
    // A division and no sum, so that it is the double nearest to its decimal text.
    (i as f64 - 5.0) / 5.0
}

/// The bin of a value in [-1, 1].
fn bin(value: f64) -> usize {
    (0..BINS).rev().find(|&i| value >= edge(i)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_on_an_edge_belongs_to_the_bin_that_begins_there() {
        assert_eq!([-1.0, -0.9, -0.8, -0.1, 0.0, 0.1, 0.2, 0.8, 1.0].map(bin), [0, 0, 1, 4, 5, 5, 6, 9, 9]);
        assert_eq!((edge(0), edge(BINS)), (-1.0, 1.0));
    }
}
