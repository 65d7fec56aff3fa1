//! The methods, as a table.

pub(crate) mod ablation_cam;
pub(crate) mod attention_rollout;
pub(crate) mod cam;
pub(crate) mod eigen_cam;
pub(crate) mod finite_difference_grad_cam;
pub(crate) mod grad_cam;
pub(crate) mod grad_cam_pp;
pub(crate) mod hires_cam;
pub(crate) mod input_gradient;
pub(crate) mod integrated_gradients;
pub(crate) mod layer_cam;
pub(crate) mod occlusion;
pub(crate) mod recipro_cam;
pub(crate) mod rise;
pub(crate) mod score_cam;
pub(crate) mod smooth_grad;
pub(crate) mod xgrad_cam;

use rival10_sdk::Capabilities;

use crate::{AttributionError, Evidence, Site};

/// A method of attribution.
#[derive(Debug)]
pub struct Method {
    /// The name it is asked for by.
    pub name: &'static str,
    /// One line that says what it computes.
    pub summary: &'static str,
    /// Where it comes from.
    pub paper: &'static str,
    /// What the engine must be able to do.
    pub needs: Capabilities,
    /// What the forward must hand out.
    pub taps: Taps,
    pub(crate) attribute: fn(&Site<'_>) -> Result<Evidence, AttributionError>,
}

/// What a method wants to see of the forward.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taps {
    /// The logits alone.
    Nothing,
    /// The activations of the layer that is explained.
    Layer,
    /// The attention of every block of a transformer.
    Attention,
}

impl Method {
    /// Whether it looks at a layer that the user may choose.
    #[must_use]
    pub fn needs_layer(&self) -> bool {
        self.taps == Taps::Layer
    }
}

/// What a method over a layer's activations needs.
const ACTIVATIONS: Capabilities = Capabilities { activations: true, ..Capabilities::LOGITS };
/// What a method over a layer's activations and gradients needs.
const LAYER_GRADIENTS: Capabilities = Capabilities { vjp: true, ..ACTIVATIONS };
/// What a method that enters the network at a layer needs.
const ENTRY: Capabilities = Capabilities { forward_from: true, ..ACTIVATIONS };
/// What a method over the picture's gradients needs.
const INPUT_GRADIENTS: Capabilities = Capabilities { vjp: true, ..Capabilities::LOGITS };

/// Every method.
pub static METHODS: &[&Method] = &[
    &grad_cam::METHOD,
    &grad_cam_pp::METHOD,
    &hires_cam::METHOD,
    &layer_cam::METHOD,
    &xgrad_cam::METHOD,
    &cam::METHOD,
    &finite_difference_grad_cam::METHOD,
    &eigen_cam::METHOD,
    &score_cam::METHOD,
    &ablation_cam::METHOD,
    &recipro_cam::METHOD,
    &attention_rollout::METHOD,
    &input_gradient::METHOD,
    &smooth_grad::METHOD,
    &integrated_gradients::METHOD,
    &occlusion::METHOD,
    &rise::METHOD,
];

/// The method called `name`.
///
/// # Errors
/// [`AttributionError::UnknownMethod`] lists the names that there are.
pub fn find(name: &str) -> Result<&'static Method, AttributionError> {
    METHODS.iter().copied().find(|method| method.name == name).ok_or_else(|| {
        let known: Vec<&str> = METHODS.iter().map(|method| method.name).collect();
        AttributionError::UnknownMethod { name: name.to_owned(), known: known.join(", ") }
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_method_has_a_name_of_its_own_a_summary_and_a_paper() {
        let mut names = HashSet::new();
        for method in METHODS {
            assert!(names.insert(method.name), "{} is listed twice", method.name);
            assert!(method.name.chars().all(|c| c.is_ascii_lowercase() || c == '_'), "{}", method.name);
            assert!(std::ptr::eq(find(method.name).unwrap(), *method));
            assert!(!method.summary.is_empty() && !method.summary.ends_with('.'), "{}", method.name);
            let year = |word: &str| word.parse::<u16>().is_ok_and(|year| (2010..2030).contains(&year));
            assert!(method.paper.split(|c: char| !c.is_ascii_digit()).any(year), "{} without a year", method.name);
        }
        let error = find("gradcam").unwrap_err().to_string();
        assert!(error.contains("there are grad_cam, grad_cam_pp"), "{error}");
    }

    #[test]
    fn what_a_method_is_shown_agrees_with_what_it_needs() {
        for method in METHODS {
            assert!(method.needs.logits && !method.needs.randomised, "{}", method.name);
            assert_eq!(method.taps != Taps::Nothing, method.needs.activations, "{}", method.name);
            assert!(method.needs.activations || !method.needs.forward_from, "{}", method.name);
        }
    }

    #[test]
    fn every_file_of_this_folder_is_a_method_of_the_table() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/methods");
        let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let mut files: Vec<String> = files.map(|file| file.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
        let mut names: Vec<&str> = METHODS.iter().map(|method| method.name).collect();
        files.sort();
        names.sort_unstable();
        assert_eq!(files, names);
    }
}
