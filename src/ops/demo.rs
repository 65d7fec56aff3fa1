//! From nothing to a report, with what the binary carries.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::{
    AddModel, AnalyzeRequest, Analyzed, ExportRequest, OpsError, Project, ReportRequest, Reported, SynthRequest,
    ValidateRequest, add_model, analyze, export, init, synth, validate, write_report,
};
use crate::{domain::Progress, durable};

/// A small network, trained on such scenes with a planted shortcut: fixtures/models/README.md says how.
const MODEL: &[u8] = include_bytes!("../../fixtures/models/cnn.onnx");
/// The name that it goes by.
const MODEL_NAME: &str = "demo-cnn";
/// The analyses that it is put to, and what each asks.
const ANALYSES: &[(&str, &str)] = &[
    ("noise-sensitivity", "its sensitivity to noise in foreground and background"),
    ("ablation", "what it loses without background, object or attribute"),
    ("saliency-alignment", "whether its evidence lies on the object"),
];
/// The side of the scenes: at this size masks can be looked at, and drawing takes a moment.
const SIDE: u32 = 224;

/// What the demo left behind.
#[derive(Debug, Serialize)]
pub struct Demo {
    /// The project's folder.
    pub project: PathBuf,
    /// Scenes drawn and imported.
    pub scenes: u64,
    /// What validation found.
    pub findings: u64,
    /// The COCO export.
    pub coco: PathBuf,
    /// Pictures with their masks laid over.
    pub contact_sheet: PathBuf,
    /// The analyses.
    pub analyses: Vec<Analyzed>,
    /// The page that tells of them.
    pub report: Reported,
}

/// Makes a project in `dir`, fills it with `n` scenes, validates it, exports COCO, adds the network, analyses it and
/// writes the report. `tell` hears of each step.
///
/// # Errors
/// [`OpsError`] if `dir` holds a project already or the disk says no.
pub fn demo(dir: &Path, n: u64, seed: u64, tell: &dyn Fn(&str), progress: &dyn Progress) -> Result<Demo, OpsError> {
    tell(&format!("a project in {} (rival10 init)", dir.display()));
    let made = init(dir, None)?;
    let mut project = Project::open(&made.dir)?;

    tell(&format!("{n} scenes, drawn and imported (rival10 synth --import)"));
    let scenes = SynthRequest { n, out: made.dir.clone(), size: SIDE, seed, shortcuts: Vec::new() };
    let drawn = synth(&scenes, Some(&mut project), progress)?;

    tell("held to the rules (rival10 validate)");
    let validation = validate(&project, &ValidateRequest::default(), progress)?;

    tell("exported, read back and compared (rival10 export --format coco)");
    let coco = made.dir.join("coco");
    let request = ExportRequest { format: "coco".to_owned(), out: coco.clone(), ..ExportRequest::default() };
    let exported = export(&project, &request, progress)?;
    if !exported.differing_masks.is_empty() {
        return Err(OpsError::Refused(format!("{} masks read back otherwise", exported.differing_masks.len())));
    }

    tell("a network that learned such scenes, and a shortcut (rival10 models add)");
    let file = made.dir.join("models").join(format!("{MODEL_NAME}.onnx"));
    durable::write_bytes(&file, MODEL).map_err(OpsError::io(&file))?;
    let model = AddModel {
        name: MODEL_NAME.to_owned(),
        file: Some(file),
        labels: Some("project".to_owned()),
        preset: Some("none".to_owned()),
        ..AddModel::default()
    };
    add_model(&mut project, &model)?;

    let mut analyses = Vec::new();
    for (plugin, question) in ANALYSES {
        tell(&format!("{question} (rival10 analyze --plugin {plugin})"));
        let request = AnalyzeRequest {
            plugin: (*plugin).to_owned(),
            models: vec![MODEL_NAME.to_owned()],
            profile: "strict".to_owned(),
            seed,
            ..AnalyzeRequest::default()
        };
        analyses.push(analyze(&mut project, &request, progress)?);
    }

    tell("all of it on one page (rival10 report)");
    let report = write_report(&project, &ReportRequest::default(), progress)?;
    let imported = drawn.imported.unwrap_or_default();
    Ok(Demo {
        project: made.dir,
        scenes: drawn.scenes,
        findings: validation.mistakes(),
        coco,
        contact_sheet: imported.contact_sheet.unwrap_or_default(),
        analyses,
        report,
    })
}
