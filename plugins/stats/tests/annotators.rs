//! Whether the rates that are estimated without knowing the truth are the true ones, as often as their intervals say: people
//! of known care annotate drawn scenes. A few simulations in the ordinary tier, two hundred in the full one (RIVAL10_FULL=1).

#![allow(clippy::unwrap_used, reason = "a test that can't go on says so by panicking")]

use rayon::prelude::*;
use rival10_sdk::{ContentHash, Mask, Philox, Presence, Size, random::unit};
use rival10_stats::{DawidSkene, Interval, MaskVotes, Measurements, Ratings, Resamples};
use rival10_synth::{Plan, Scene, scene};

/// Sensitivity and specificity of five people, the third of them careless.
const PEOPLE: [(f64, f64); 5] = [(0.93, 0.96), (0.9, 0.97), (0.7, 0.85), (0.95, 0.94), (0.92, 0.98)];
const CARELESS: usize = 2;

fn simulations() -> u64 {
    if std::env::var_os("RIVAL10_FULL").is_some() { 200 } else { 12 }
}

/// Whether so many hits of so many intervals are what 95% intervals give: 90 to 98% of 200, and as far from 95% as few
/// simulations may be by chance.
fn covers(hits: u64, intervals: u64) -> bool {
    let share = hits as f64 / intervals as f64;
    let slack = if simulations() == 200 { 0.0 } else { 0.06 };
    (0.9 - slack..=0.98 + slack).contains(&share)
}

fn scenes(n: u64) -> Vec<Scene> {
    let plan = Plan { seed: 7, size: Size::new(48, 48), shortcuts: Vec::new() };
    (0..n).into_par_iter().map(|index| scene(&plan, index)).collect()
}

fn within(interval: Option<Interval>, truth: f64) -> u64 {
    u64::from(interval.is_some_and(|interval| (interval.low..=interval.high).contains(&truth)))
}

#[test]
fn intervals_of_dawid_and_skenes_rates_cover_the_truth_and_the_careless_one_is_the_worst() {
    // Whether a scene's object is hairy: half of them are.
    let truth: Vec<bool> = scenes(300).iter().map(|scene| scene.attributes[11] == Presence::Yes).collect();
    let simulate = |simulation: u64| {
        let mut ratings = Ratings::new(PEOPLE.len(), 2);
        for (unit_of, yes) in (0..).zip(&truth) {
            let said: Vec<_> = (0..)
                .zip(PEOPLE)
                .map(|(who, (sensitivity, specificity))| {
                    let generator = Philox::keyed("answers", simulation, &ContentHash([0; 32]), who);
                    let [right, there, ..] = generator.block([unit_of, 0, 0, 0]);
                    let right = unit(right) < if *yes { sensitivity } else { specificity };
                    (unit(there) < 0.9).then_some(usize::from(*yes == right))
                })
                .collect();
            ratings.push(0, &said);
        }
        let fit = DawidSkene::fit(&ratings).unwrap();
        let worst = (0..PEOPLE.len()).min_by(|a, b| {
            let sum = |who: usize| fit.rate(who, 0).unwrap() + fit.rate(who, 1).unwrap();
            sum(*a).total_cmp(&sum(*b))
        });
        assert_eq!(worst, Some(CARELESS), "simulation {simulation}");
        let intervals = fit.intervals(&ratings, simulation, 400);
        let hits = intervals
            .iter()
            .zip(PEOPLE)
            .map(|(of, (sensitivity, specificity))| within(of[1], sensitivity) + within(of[0], specificity));
        hits.sum::<u64>()
    };
    let hits: u64 = (0..simulations()).map(simulate).sum();
    let intervals = simulations() * 2 * PEOPLE.len() as u64;
    println!("Dawid and Skene: {hits} of {intervals} intervals cover the truth");
    assert!(covers(hits, intervals), "{hits} of {intervals} cover");
}

/// The pixels of the box that STAPLE looks at, by the truth: nobody errs far from the object.
fn near(truth: &Mask) -> impl Fn(u32, u32) -> bool {
    let bbox = truth.bbox().unwrap();
    let (dx, dy) = (bbox.width / 4, bbox.height / 4);
    move |x, y| {
        (bbox.x.saturating_sub(dx)..bbox.x + bbox.width + dx).contains(&x)
            && (bbox.y.saturating_sub(dy)..bbox.y + bbox.height + dy).contains(&y)
    }
}

/// A person's mask of one image, whose care differs a little from image to image, and its rates over the box.
fn drawn(truth: &Mask, box_of: &impl Fn(u32, u32) -> bool, rates: (f64, f64), generator: Philox) -> Mask {
    let [a, b, ..] = generator.block([0, 0, 0, 1]);
    let (sensitivity, specificity) = (rates.0 + 0.1 * (unit(a) - 0.5), rates.1 + 0.04 * (unit(b) - 0.5));
    let inside = truth.to_bitmap();
    Mask::from_fn(truth.size(), |x, y| {
        let is = inside[(y * truth.size().width + x) as usize] == 1;
        let draw = unit(generator.block([x.into(), y.into(), 0, 0])[0]);
        let right = draw < if is { sensitivity } else { specificity };
        box_of(x, y) && is == right
    })
}

#[test]
fn intervals_of_staples_sensitivities_cover_the_truth_and_the_careless_one_is_the_worst() {
    let images: Vec<Mask> = scenes(40).into_iter().map(|scene| scene.object).collect();
    let simulate = |simulation: u64| {
        let of_image = |(image, truth): (usize, &Mask)| -> Vec<f64> {
            let box_of = near(truth);
            let masks: Vec<Mask> = (0..)
                .zip(PEOPLE)
                .map(|(who, rates)| {
                    let key = ContentHash::of(&image.to_le_bytes());
                    drawn(truth, &box_of, rates, Philox::keyed("pixels", simulation, &key, who))
                })
                .collect();
            let staple = MaskVotes::count(&masks.iter().collect::<Vec<_>>()).unwrap().staple().unwrap();
            staple.sensitivity.into_iter().map(Option::unwrap).collect()
        };
        let rows: Vec<Vec<f64>> = images.par_iter().enumerate().map(of_image).collect();
        let mut table = Measurements::new(PEOPLE.len());
        rows.iter().for_each(|row| table.push(0, row));
        let means = table.means().unwrap();
        let worst = (0..PEOPLE.len()).min_by(|a, b| means[*a].total_cmp(&means[*b]));
        assert_eq!(worst, Some(CARELESS), "simulation {simulation}");
        let resamples = Resamples::draw(&table, simulation, 1000).unwrap();
        let hit = |(who, (sensitivity, _)): (usize, (f64, f64))| {
            within(resamples.percentile(0.95, |means| Some(means[who])), sensitivity)
        };
        PEOPLE.into_iter().enumerate().map(hit).sum::<u64>()
    };
    let hits: u64 = (0..simulations()).map(simulate).sum();
    let intervals = simulations() * PEOPLE.len() as u64;
    println!("STAPLE: {hits} of {intervals} intervals cover the truth");
    assert!(covers(hits, intervals), "{hits} of {intervals} cover");
}
