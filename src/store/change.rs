//! What a journal entry can say: every kind of change, from what to what, and how it is written down.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::error::Fault;
use crate::domain::{AnnotatorKind, ClassGroups, ImageId, Presence, RemarkKind, Status};

/// What was changed, from what to what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Change {
    /// A data set came in; the rows it added name this entry.
    Import {
        /// The format.
        format: String,
        /// Images that were new.
        images: u64,
        /// Annotations that were new, those of new images among them.
        annotations: u64,
        /// How the words came about, where that is more than a file: what a consensus was made of, and how.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        provenance: Option<String>,
    },
    /// Somebody was registered.
    AddAnnotator {
        /// The name.
        name: String,
        /// What kind of author.
        annotator: AnnotatorKind,
    },
    /// An instance came, with an empty annotation by the actor.
    AddInstance {
        /// Its class.
        class: usize,
    },
    /// An instance went, with its annotations.
    RemoveInstance {},
    /// The actor began an annotation of an instance.
    AddAnnotation {},
    /// An annotation went.
    RemoveAnnotation {},
    /// An attribute was judged.
    SetAttribute {
        /// The attribute.
        attribute: usize,
        /// What was said of it before.
        from: Presence,
        /// What is said of it now.
        to: Presence,
    },
    /// A mask was drawn, changed or taken away.
    SetMask {
        /// Its area before; none if it had never been drawn.
        from: Option<u64>,
        /// Its area now; none if the layer is gone.
        to: Option<u64>,
        /// What found the pixels, where it was no hand: a network's name and digest, or a way of fitting.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        source: Option<String>,
    },
    /// An annotation moved on.
    SetStatus {
        /// What it was.
        from: Status,
        /// What it is.
        to: Status,
        /// Why, where a reviewer said so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        comment: Option<String>,
    },
    /// Images were given to annotators; the rows it added name this entry, and so do instances that it made so that all
    /// of them speak of the same object.
    Assign {
        /// How many images each of them got.
        images: BTreeMap<String, u64>,
    },
    /// An image was taken back from an annotator.
    Withdraw {
        /// From whom.
        annotator: String,
    },
    /// An image became, or ceased to be, one that annotators are checked against.
    SetGold {
        /// Whether it was.
        from: bool,
        /// Whether it is.
        to: bool,
    },
    /// What counts was given to others under a name.
    Release {
        /// The name.
        name: String,
        /// The digest of the manifest.
        digest: String,
    },
    /// An instance got another class.
    SetClass {
        /// What it was.
        from: usize,
        /// What it is.
        to: usize,
        /// Whether the image's own class went along: it does where it was `from` and every instance is now of `to`.
        image_too: bool,
    },
    /// An image got another class.
    SetImageClass {
        /// What it was.
        from: Option<usize>,
        /// What it is.
        to: Option<usize>,
    },
    /// An image moved to another split.
    SetSplit {
        /// What it was.
        from: String,
        /// What it is.
        to: String,
    },
    /// A remark on an image or an annotation was made, changed or taken away.
    SetRemark {
        /// What kind of remark.
        remark: RemarkKind,
        /// What it said before; none if there was none.
        from: Option<String>,
        /// What it says now.
        to: Option<String>,
    },
    /// A root was named, or its files mounted elsewhere.
    SetRoot {
        /// The root.
        name: String,
        /// Where it was; none if it was new.
        from: Option<String>,
        /// Where it is; none if it is gone.
        to: Option<String>,
    },
    /// Image files were found elsewhere.
    Relink {
        /// Each image that moved.
        images: Vec<Moved>,
    },
    /// A model was added.
    AddModel(StoredModel),
    /// A model was removed.
    RemoveModel(StoredModel),
    /// An earlier entry was undone; undoing this one brings it back.
    Undo {},
    /// The work of another copy came in: the entries from `first` up to this one.
    Merge {
        /// What the other copy was called.
        from: String,
        /// The first entry that came.
        first: i64,
        /// How many came.
        entries: u64,
    },
    /// An earlier merge was undone, by the entries from `first` up to this one.
    UndoMerge {
        /// The first entry that undid one.
        first: i64,
    },
    /// Something was done in another copy that changes nothing here, for another word held.
    Seen {
        /// The kind of entry that it was there.
        what: String,
    },
}

impl Change {
    /// Its name, as the journal has it.
    #[must_use]
    pub fn kind(&self) -> String {
        self.parts().0
    }

    /// Its name and the rest of it as JSON.
    pub(super) fn parts(&self) -> (String, String) {
        let mut fields = match serde_json::to_value(self) {
            Ok(serde_json::Value::Object(fields)) => fields,
            _ => unreachable!("a change is a tagged struct of strings, numbers and lists"),
        };
        match fields.remove("kind") {
            Some(serde_json::Value::String(kind)) => (kind, serde_json::Value::Object(fields).to_string()),
            _ => unreachable!("the tag is called kind"),
        }
    }

    pub(super) fn from_parts(kind: &str, payload: &str) -> Result<Self, Fault> {
        let unreadable = |error: serde_json::Error| Fault::Stored(format!("journal entry of kind {kind:?}: {error}"));
        let mut fields: serde_json::Map<_, _> = serde_json::from_str(payload).map_err(unreadable)?;
        fields.insert("kind".to_owned(), kind.into());
        serde_json::from_value(fields.into()).map_err(unreadable)
    }
}

/// An image file's move.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moved {
    /// The image.
    pub image: ImageId,
    /// Root and path before.
    pub from: (String, String),
    /// Root and path now.
    pub to: (String, String),
}

/// A model as the database has it: its file relative to the project folder where it lies in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredModel {
    /// The name it goes by.
    pub name: String,
    /// The file.
    pub file: String,
    /// The digest of the file.
    pub digest: String,
    /// The engine's JSON.
    pub preprocessing: String,
    /// Which outputs stand for which class.
    pub groups: ClassGroups,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_change_survives_the_database() {
        let model = StoredModel {
            name: "net".to_owned(),
            file: "net.onnx".to_owned(),
            digest: "00".to_owned(),
            preprocessing: "{}".to_owned(),
            groups: ClassGroups::identity(3),
        };
        let place = |path: &str| (String::new(), path.to_owned());
        let moved = Moved { image: ImageId(3), from: place("a"), to: place("b") };
        for change in [
            Change::Import { format: "toys".to_owned(), images: 3, annotations: 4, provenance: None },
            Change::Import { format: "x".to_owned(), images: 0, annotations: 4, provenance: Some("{}".to_owned()) },
            Change::AddAnnotator { name: "ada".to_owned(), annotator: AnnotatorKind::Person },
            Change::AddInstance { class: 2 },
            Change::RemoveInstance {},
            Change::AddAnnotation {},
            Change::RemoveAnnotation {},
            Change::SetAttribute { attribute: 1, from: Presence::NotJudged, to: Presence::Yes },
            Change::SetMask { from: None, to: Some(7), source: None },
            Change::SetMask { from: Some(7), to: Some(9), source: Some("net 0123456789ab".to_owned()) },
            Change::SetStatus { from: Status::Draft, to: Status::Submitted, comment: None },
            Change::SetStatus { from: Status::Submitted, to: Status::Rejected, comment: Some("blurred".to_owned()) },
            Change::Assign { images: BTreeMap::from([("ada".to_owned(), 3)]) },
            Change::Withdraw { annotator: "ada".to_owned() },
            Change::SetGold { from: false, to: true },
            Change::Release { name: "v1".to_owned(), digest: "00".to_owned() },
            Change::SetClass { from: 0, to: 1, image_too: true },
            Change::SetImageClass { from: None, to: Some(1) },
            Change::SetSplit { from: String::new(), to: "test".to_owned() },
            Change::SetRoot { name: "photos".to_owned(), from: None, to: Some("/p".to_owned()) },
            Change::Relink { images: vec![moved] },
            Change::AddModel(model.clone()),
            Change::RemoveModel(model),
            Change::Undo {},
            Change::Merge { from: "ada's pack".to_owned(), first: 7, entries: 3 },
            Change::UndoMerge { first: 9 },
            Change::Seen { what: "set-mask".to_owned() },
        ] {
            let (kind, payload) = change.parts();
            assert!(!payload.contains("kind") && kind.chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{payload}");
            assert_eq!(Change::from_parts(&kind, &payload).unwrap(), change);
        }
        assert!(Change::from_parts("set-colour", "{}").is_err());
    }
}
