//! The only list of the analyses that are built in.

use rival10_sdk::Plugin;

/// Every analysis that is built in.
pub const PLUGINS: &[&Plugin] = &[
    &rival10_noise_sensitivity::PLUGIN,
    &rival10_ablation::PLUGIN,
    &rival10_mask_agreement::PLUGIN,
    &rival10_saliency_alignment::PLUGIN,
    &rival10_spurious_features::PLUGIN,
    &rival10_neural_features::PLUGIN,
];

/// The analysis called `name`.
#[must_use]
pub fn find(name: &str) -> Option<&'static Plugin> {
    PLUGINS.iter().copied().find(|plugin| plugin.name == name)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use rival10_sdk::{Profile, Settings};

    use super::*;

    #[test]
    fn every_plugin_has_a_name_of_its_own_and_defaults_that_it_accepts() {
        let mut names = HashSet::new();
        for plugin in PLUGINS {
            assert!(names.insert(plugin.name), "{} is listed twice", plugin.name);
            assert!(!plugin.summary.is_empty());
            let settings = Settings::new(plugin, 0, Profile::Strict, &[]).unwrap();
            let analysis = (plugin.configure)(&settings).unwrap();
            assert!(!analysis.phases().is_empty());
            for phase in analysis.phases() {
                let keys: Vec<_> = phase.columns.iter().take_while(|c| c.key).map(|c| c.name).collect();
                assert_eq!(&keys[..2], ["image", "model"], "{} {}", plugin.name, phase.name);
            }
        }
    }
}
