//! The use cases that every surface shares, and the only part that wires the others: store, formats, quality, analyses.
//!
//! Every function here takes plain data, says how far it is through [`Progress`](crate::domain::Progress), and gives plain
//! data back. Nothing here prints, parses arguments or exits.

mod analyze;
pub mod annotate;
mod annotators;
mod archive;
mod assign;
mod audit;
mod backup;
mod blame;
mod compare;
mod consensus;
mod contact_sheet;
mod demo;
mod diff;
mod dump;
mod explain;
mod export;
mod gold;
mod history;
mod import;
mod init;
mod inputs;
mod lettering;
mod map_sheet;
mod merge;
mod model_check;
mod models;
mod named;
mod network;
mod opinion;
mod probe;
mod project;
mod proposers;
mod queue;
mod release;
mod relink;
mod report;
mod review;
mod runs;
mod selection;
mod share;
mod stats;
mod study;
mod synth;
mod upgrade;
mod validate;

use std::{
    io,
    path::{Path, PathBuf},
};

pub use crate::quality::audit::AttributeHabit;
pub use crate::{
    analysis::run::{Difference, Manifest, ModelError, Part, RunError, Shard},
    formats::{ClassFrom, DEFAULT_MAX_PIXELS, FormatError, ImportOptions, MaskFrame, MaskValue},
    store::StoreError,
};
pub use analyze::{
    AnalyzeRequest, Analyzed, ListedAnalysis, Sharded, analyze, analyze_shard, describe_analysis, list_analyses,
    preview,
};
pub use annotators::{ListedAnnotator, add_annotator, list_annotators};
pub use assign::{AssignRequest, Assigned, assign, withdraw};
pub use audit::{Audit, AuditAttribute, AuditGroup, AuditPerson, AuditRequest, WorstMask, audit};
pub use backup::{Packed, Restored, Unpacked, backup, pack, pack_each, restore, unpack};
pub use blame::{AttributeBlame, Blame, BlameRequest, MaskBlame, PixelShare, blame};
pub use compare::{ComparedEstimate, ComparedRows, Comparison, compare_runs};
pub use consensus::{AttributeRates, CONSENSUS, ConsensusMethod, ConsensusReport, ConsensusRequest, Rate, consensus};
pub use demo::{Demo, demo};
pub use diff::{AnnotationDiff, Diff, ImageDiff, MaskDiff, Presence, Turn, diff};
pub use dump::dump;
pub use explain::{ExplainRequest, ExplainedMap, Explanations, ListedMethod, explain, list_methods, method_settings};
pub use export::{ExportReport, ExportRequest, export, export_release};
pub use gold::{Gold, GoldScore, gold, set_gold};
pub use history::{LogEntry, LogRequest, log, undo};
pub use import::{ImportReport, ImportRequest, OnError, import};
pub use init::{Made, init};
pub use merge::{ListedConflict, MergeRequest, Merged, merge};
pub use model_check::{CheckRequest, CheckedClass, ModelCheck, Trial, check_model};
pub use models::{
    AddModel, AddedModel, GradientRequest, ListedModel, WrittenGradient, add_model, inspect_model, list_models,
    write_gradient,
};
pub use probe::{ProbeRequest, Probed, probe_model};
pub use project::{Project, find_project, refuse_network_file_system};
pub use proposers::{AddProposer, AddedProposer, add_proposer};
pub use queue::{QueueItem, QueueRequest, WorkState, queue};
pub use release::{ListedRelease, ReleaseManifest, ReleasedImage, list_releases};
pub use relink::{Relinked, relink};
pub use report::{ReportRequest, Reported, ReportedRun, SignOffRequest, sign_off, write_report};
pub use review::{ReviewRequest, Reviewed, review};
pub use rival10_engine::Inspection;
pub use rival10_sdk::{Layer as NetworkLayer, Parameter, Report, Table};
pub use rival10_stats::MaskAgreement;
pub use runs::{ListedRun, list_runs, merge_run, resume_run, show_run};
pub use selection::StatusFilter;
pub use share::{Shared, share};
pub use stats::{Stats, StatsBy, stats};
pub use study::{Studied, StudyPlan, StudyRequest, StudyStep, TestedClaim, TestedPart, Verdict, plan_study, study};
pub use synth::{SynthReport, SynthRequest, synth};
pub use upgrade::{Upgraded, upgrade};
pub use validate::{Finding, Mended, Rule, Severity, ValidateRequest, Validation, mend, rules, sarif, validate};

use crate::durable;

/// Why a use case failed. Every variant says where, and what to do next.
#[derive(Debug, thiserror::Error)]
pub enum OpsError {
    /// The project file.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A foreign data set.
    #[error(transparent)]
    Format(#[from] FormatError),
    /// A network that is being added.
    #[error(transparent)]
    Engine(#[from] rival10_engine::EngineError),
    /// What an export script wrote beside a network.
    #[error(transparent)]
    Sidecar(#[from] rival10_engine::SidecarError),
    /// A model that the project knows.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A run.
    #[error(transparent)]
    Run(#[from] RunError),
    /// A file or folder of the user's.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// What was asked for does not exist or makes no sense; the text names what does.
    #[error("{0}")]
    Usage(String),
    /// What was asked for can't be done with what is there.
    #[error("{0}")]
    Refused(String),
    /// The user asked to stop.
    #[error("stopped; nothing was changed")]
    Stopped,
}

impl OpsError {
    /// Whether the command was wrong rather than the world.
    #[must_use]
    pub fn is_usage(&self) -> bool {
        use rival10_sdk::AnalysisError;
        matches!(self, Self::Usage(_) | Self::Run(RunError::Analysis(AnalysisError::Setting { .. })))
    }

    /// Whether the same command may succeed later as it is: it was stopped, or the disk, a lock or the network was in the
    /// way.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Stopped | Self::Store(StoreError::Locked { .. } | StoreError::DiskFull { .. }) => true,
            Self::Store(StoreError::Io { source, .. }) | Self::Io { source, .. } => durable::may_pass(source.kind()),
            Self::Run(error) => error.is_retryable(),
            _ => false,
        }
    }

    fn io(path: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
        move |source| Self::Io { path: path.to_owned(), source }
    }
}
