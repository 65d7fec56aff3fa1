//! The list of the analyses: those that are built in, and programs of the user's behind them.

use std::path::PathBuf;

use rival10_sdk::Plugin;

use super::external::{self, ExternalError};

/// Every analysis that is built in.
pub const PLUGINS: &[&Plugin] = &[
    &rival10_noise_sensitivity::PLUGIN,
    &rival10_ablation::PLUGIN,
    &rival10_mask_agreement::PLUGIN,
    &rival10_saliency_alignment::PLUGIN,
    &rival10_spurious_features::PLUGIN,
    &rival10_neural_features::PLUGIN,
];

fn built_in(name: &str) -> Option<&'static Plugin> {
    PLUGINS.iter().copied().find(|plugin| plugin.name == name)
}

/// The analysis called `name`: one that is built in, or the program `rival10-plugin-NAME`.
///
/// # Errors
/// [`ExternalError`] if there is such a program and it does not say what it is.
pub fn find(name: &str) -> Result<Option<&'static Plugin>, ExternalError> {
    match built_in(name) {
        Some(plugin) => Ok(Some(plugin)),
        None => external::locate(name).map(|program| external::introduce(&program)).transpose(),
    }
}

/// Whether an analysis is called `name`; no program is started.
#[must_use]
pub fn is_known(name: &str) -> bool {
    built_in(name).is_some() || external::locate(name).is_some()
}

/// The names of the analyses; no program is started.
#[must_use]
pub fn names() -> Vec<String> {
    let programs = external::list().into_iter().map(|(name, _)| name).filter(|name| built_in(name).is_none());
    PLUGINS.iter().map(|plugin| plugin.name.to_owned()).chain(programs).collect()
}

/// Every analysis that is a program, with its file or why it is none.
#[must_use]
pub fn programs() -> Vec<Result<(&'static Plugin, PathBuf), ExternalError>> {
    let of_program = |(name, program): (String, PathBuf)| match built_in(&name) {
        Some(_) => {
            Err(ExternalError { program, reason: format!("the analysis {name} that is built in comes before it") })
        }
        None => external::introduce(&program).map(|plugin| (plugin, program)),
    };
    external::list().into_iter().map(of_program).collect()
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
