//! RFS beside what it is under masks that know nothing of their image.

use rival10_sdk::Table;

use super::{
    ModelResult, columns,
    estimates::{Summary, count},
    row,
};
use crate::{NoiseSensitivity, rows::Image};

/// The table of z; none if no null masks were asked for.
pub(super) fn table(analysis: &NoiseSensitivity, results: &[ModelResult]) -> Option<Table> {
    if analysis.nulls == 0 {
        return None;
    }
    let mut rows = Vec::new();
    for ModelResult { name, summary, nulls, .. } in results {
        let rfs = summary.value(Summary::rfs(analysis.rfs()));
        let of_null = |images: &Vec<Image>| {
            let means = Summary::table(images.iter(), analysis.floor).means()?;
            Summary::rfs(analysis.rfs())(&means)
        };
        let drawn: Vec<f64> = nulls.iter().filter_map(of_null).collect();
        let (mean, deviation) = moments(&drawn);
        let z = rfs.zip(mean).zip(deviation).and_then(|((rfs, mean), sd)| (sd > 0.0).then(|| (rfs - mean) / sd));
        rows.push(row(
            [name.as_str().into()],
            vec![rfs.into(), drawn.len().into(), mean.into(), deviation.into(), z.into()],
        ));
    }
    Some(Table {
        name: "null".to_owned(),
        caption: format!(
            "RFS beside its mean and standard deviation over null masks ({}), one of each image at a time: z is how many \
             standard deviations it lies above that mean.",
            analysis.null_mask.describe()
        ),
        columns: columns(&["model"], &["RFS", "null masks", "null mean", "null deviation", "z"]),
        rows,
    })
}

/// Mean and sample standard deviation; none of nothing, and no deviation of one.
fn moments(values: &[f64]) -> (Option<f64>, Option<f64>) {
    let n = count(values.len());
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (Some(mean).filter(|_| n > 0.0), Some((squares / (n - 1.0)).sqrt()).filter(|_| n > 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_deviation_is_that_of_a_sample() {
        assert_eq!(moments(&[1.0, 2.0, 6.0]), (Some(3.0), Some(7.0_f64.sqrt())));
        assert_eq!(moments(&[2.0]), (Some(2.0), None));
        assert_eq!(moments(&[]), (None, None));
    }
}
