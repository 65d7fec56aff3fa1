//! What can be set of the methods, by name: what a plugin and a command offer their user.

use rival10_sdk::Parameter;

use crate::AttributionError;

/// The settings of every method; each method reads those that concern it.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// The seed of everything drawn.
    pub seed: u64,
    /// The grey that stands for nothing, in [0, 1]: what is occluded or masked away becomes it, and integrated gradients
    /// start from it.
    pub baseline: f32,
    /// Points of integrated gradients' quadrature.
    pub steps: usize,
    /// Noised copies that `smooth_grad` averages over.
    pub samples: usize,
    /// The standard deviation of their noise, as a share of the picture's range of values.
    pub noise: f64,
    /// Masks that `rise` draws.
    pub masks: usize,
    /// Cells of a RISE mask along each axis.
    pub cells: usize,
    /// The share of cells that a RISE mask keeps.
    pub keep: f64,
    /// The side of the occluding window as a share of the picture's.
    pub window: f64,
    /// The step between windows as a share of the window's side.
    pub stride: f64,
}

/// Every setting but the seed, with its default in the notation of `--set`.
pub const PARAMETERS: &[Parameter] = &[
    Parameter {
        name: "baseline",
        help: "the grey in 0 to 1 that what is occluded, masked or integrated from becomes; the papers' codes multiply \
               normalised pictures, whose zero is about 0.5",
        default: "0.5",
    },
    Parameter { name: "steps", help: "points of integrated gradients' quadrature, 1 to 1000", default: "50" },
    Parameter { name: "samples", help: "noised copies that smooth_grad averages over, 1 to 10000", default: "25" },
    Parameter {
        name: "noise",
        help: "standard deviation of smooth_grad's noise, above 0 and at most 1, as a share of the picture's range",
        default: "0.15",
    },
    Parameter { name: "masks", help: "masks that rise draws, 1 to 100000", default: "1000" },
    Parameter { name: "cells", help: "cells of a rise mask along each axis, 1 to 64", default: "7" },
    Parameter { name: "keep", help: "share of cells that a rise mask keeps, above 0 and below 1", default: "0.5" },
    Parameter {
        name: "window",
        help: "side of occlusion's window as a share of the picture's, above 0 and at most 1",
        default: "0.125",
    },
    Parameter {
        name: "stride",
        help: "step between occlusion's windows as a share of the window's side, above 0 and at most 1",
        default: "0.5",
    },
];

impl Default for Options {
    fn default() -> Self {
        Self {
            seed: 0,
            baseline: 0.5,
            steps: 50,
            samples: 25,
            noise: 0.15,
            masks: 1000,
            cells: 7,
            keep: 0.5,
            window: 0.125,
            stride: 0.5,
        }
    }
}

impl Options {
    /// Sets `name`, one of [`PARAMETERS`], to what `value` says.
    ///
    /// # Errors
    /// [`AttributionError::Setting`] names the setting and its range.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), AttributionError> {
        let refused = |reason: String| Err(AttributionError::Setting { name: name.to_owned(), reason });
        let Some(parameter) = PARAMETERS.iter().find(|parameter| parameter.name == name) else {
            let known: Vec<&str> = PARAMETERS.iter().map(|parameter| parameter.name).collect();
            return refused(format!("there is no such setting; there are {}", known.join(", ")));
        };
        let number = value.trim().parse::<f64>().ok().filter(|number| number.is_finite());
        let share = |least: f64, most: f64| number.filter(|number| (least..=most).contains(number));
        let count = |most: usize| value.trim().parse().ok().filter(|count| (1..=most).contains(count));
        // The least share that is not nothing.
        let some = f64::MIN_POSITIVE;
        let taken = match name {
            #[expect(clippy::cast_possible_truncation, reason = "pictures are single precision")]
            "baseline" => share(0.0, 1.0).map(|share| self.baseline = share as f32),
            "steps" => count(1000).map(|count| self.steps = count),
            "samples" => count(10_000).map(|count| self.samples = count),
            "noise" => share(some, 1.0).map(|share| self.noise = share),
            "masks" => count(100_000).map(|count| self.masks = count),
            "cells" => count(64).map(|count| self.cells = count),
            "keep" => share(some, 1.0 - f64::EPSILON).map(|share| self.keep = share),
            "window" => share(some, 1.0).map(|share| self.window = share),
            _ => share(some, 1.0).map(|share| self.stride = share),
        };
        match taken {
            Some(()) => Ok(()),
            None => refused(format!("{value:?} does not do: {}", parameter.help)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_is_what_its_text_says() {
        let mut options =
            Options { steps: 3, samples: 3, masks: 3, cells: 3, noise: 0.3, keep: 0.3, ..Options::default() };
        (options.baseline, options.window, options.stride) = (0.3, 0.3, 0.3);
        for parameter in PARAMETERS {
            let before = options.clone();
            options.set(parameter.name, parameter.default).unwrap();
            assert_ne!(options, before, "{} sets nothing", parameter.name);
        }
        assert_eq!(options, Options::default());
    }

    #[test]
    fn what_cannot_be_is_refused_by_name_and_range() {
        for (name, value) in [
            ("steps", "0"),
            ("steps", "1001"),
            ("samples", "-1"),
            ("noise", "0"),
            ("noise", "nan"),
            ("keep", "1"),
            ("baseline", "1.5"),
            ("window", "x"),
            ("stride", "2"),
        ] {
            let error = Options::default().set(name, value).unwrap_err().to_string();
            assert!(error.contains(name) && error.contains(value), "{error}");
        }
        assert!(Options::default().set("colour", "1").unwrap_err().to_string().contains("there are baseline, steps"));
    }
}
