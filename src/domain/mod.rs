//! What the toolkit speaks of, as plain types without behaviour that reaches a disk, a clock or a screen.

pub mod annotation;
pub mod image;
pub mod item;
pub mod layer;
pub mod progress;
pub mod remark;
pub mod review;
pub mod run;

pub use annotation::{Annotation, AnnotationId, AnnotatorKind, InstanceId, Status};
pub use image::{ImageRecord, Variant};
pub use item::{Item, ItemInstance, SourceMask};
pub use layer::Layer;
pub use progress::{Forecast, Progress, Silent};
pub use remark::{RemarkKind, RemarkOn, Remarks};
pub use review::Transition;
pub use rival10_sdk::{
    Agreement, Attribute, AttributeKind, Bbox, Class, ClassGroups, ContentHash, ImageId, Mask, MaskError, Presence,
    Sample, Size, Stratum, Taxonomy,
};
pub use run::{ModelRecord, RunRecord, RunStatus};
