//! Whether tests reject, and intervals cover, as often as they say, in simulations whose truth is known.

use rival10_sdk::{ContentHash, Philox, random::unit};
use rival10_stats::{Measurements, Resamples, mcnemar, sign_flip};

const SIMULATIONS: u32 = 400;

/// Uniform draws of one simulation.
fn uniforms(purpose: &str, simulation: u32) -> impl Iterator<Item = f64> {
    let generator = Philox::keyed(purpose, 1, &ContentHash([0; 32]), simulation.into());
    (0..).flat_map(move |i| generator.block([i, 0, 0, 0])).map(unit)
}

fn share(hits: u32) -> f64 {
    f64::from(hits) / f64::from(SIMULATIONS)
}

/// 120 images of three classes of unequal size.
fn classes() -> impl Iterator<Item = usize> {
    (0..120).map(|i| if i < 60 { 0 } else { i % 2 + 1 })
}

#[test]
fn of_400_null_comparisons_the_tests_at_5_percent_reject_2_to_8_and_mcnemar_at_most_8() {
    let (mut flips, mut boots, mut mcnemars) = (0, 0, 0);
    for simulation in 0..SIMULATIONS {
        let mut draws = uniforms("null", simulation);
        let mut draw = || draws.next().unwrap();
        let mut differences = Measurements::new(1);
        let (mut only_a, mut only_b) = (0, 0);
        for class in classes() {
            // Both models share how hard the image is, and differ by skewed noise of one distribution.
            let difficulty = draw();
            let (a, b) = (difficulty + draw().powi(3), difficulty + draw().powi(3));
            differences.push(class, &[a - b]);
            only_a += u64::from(a > 0.8 && b <= 0.8);
            only_b += u64::from(b > 0.8 && a <= 0.8);
        }
        let boot =
            Resamples::draw(&differences, simulation.into(), 1000).unwrap().p_value(|means| Some(means[0])).unwrap();
        flips += u32::from(sign_flip(&differences, simulation.into()).unwrap() <= 0.05);
        boots += u32::from(boot <= 0.05);
        mcnemars += u32::from(mcnemar(only_a, only_b) <= 0.05);
    }
    let rates = [flips, boots, mcnemars].map(share);
    assert!((0.02..=0.08).contains(&rates[0]), "sign flip rejects {}", rates[0]);
    assert!((0.02..=0.08).contains(&rates[1]), "the bootstrap rejects {}", rates[1]);
    assert!((0.005..=0.08).contains(&rates[2]), "McNemar's exact test rejects {}", rates[2]);
}

/// Two accuracies whose truth is known by class, and the ratio that RFS is.
#[test]
fn of_400_intervals_at_95_percent_90_to_98_percent_cover_the_truth() {
    let rfs = |means: &[f64]| {
        let (a, b) = (means[0], means[1]);
        let room = (a + b).min(2.0 - a - b);
        (room > 0.0).then(|| (b - a) / room)
    };
    let truth: [[f64; 2]; 3] = [[0.5, 0.7], [0.3, 0.6], [0.6, 0.55]];
    let mean = |column: usize| truth.iter().map(|class| class[column]).sum::<f64>() / 3.0;
    let expected = rfs(&[mean(0), mean(1)]).unwrap();
    let (mut percentile, mut bca) = (0, 0);
    for simulation in 0..SIMULATIONS {
        let mut draws = uniforms("coverage", simulation);
        let mut table = Measurements::new(2);
        for class in classes() {
            // One draw for both, as the same image is seen twice.
            let u = draws.next().unwrap();
            let row = truth[class].map(|p| f64::from(u8::from(u < p)));
            table.push(class, &row);
        }
        let resamples = Resamples::draw(&table, simulation.into(), 1000).unwrap();
        let covers = |interval: Option<rival10_stats::Interval>| {
            u32::from(interval.is_some_and(|i| (i.low..=i.high).contains(&expected)))
        };
        percentile += covers(resamples.percentile(0.95, rfs));
        bca += covers(resamples.bca(&table, 0.95, rfs));
    }
    for (name, hits) in [("percentile", percentile), ("BCa", bca)] {
        assert!((0.90..=0.98).contains(&share(hits)), "{name} intervals cover {}", share(hits));
    }
}
