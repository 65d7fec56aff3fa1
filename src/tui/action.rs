//! What happens to the screen, and what it asks for in return.

use std::{path::PathBuf, sync::Arc, time::Duration};

use crossterm::event::{KeyEvent, MouseEvent};
use rival10_drawing::{Bits, Point, Region, Superpixels};
use rival10_sdk::Rgb;

use super::app::{
    proposals::Proposal,
    sheet::{Drawn, Spread},
};
use crate::{
    domain::{ImageId, InstanceId, Layer, Size},
    ops::{
        ListedRun,
        annotate::{
            Change, Picture, Prompt, QueueItem, Scope, Target, Votes,
            pages::{FindingLine, RunView},
        },
    },
};

/// Something that happened: the only thing that changes the state.
#[derive(Debug)]
pub enum Action {
    /// A key was pressed.
    Key(KeyEvent),
    /// The mouse was moved, pressed or turned.
    Mouse(MouseEvent),
    /// Text was pasted.
    Paste(String),
    /// The terminal has this size now.
    Resize {
        /// Cells across.
        columns: u16,
        /// Cells down.
        rows: u16,
    },
    /// So much time has passed since the start.
    Clock(Duration),
    /// A frame has left.
    Tiles {
        /// Whether tiles of the canvas wait for the next ones.
        waiting: bool,
        /// How many bytes it was.
        bytes: usize,
    },
    /// The queue was read.
    Queue(Vec<QueueItem>),
    /// An image's annotations were read.
    Opened {
        /// The image.
        image: ImageId,
        /// What it holds.
        spread: Spread,
    },
    /// A picture was read, or could not be.
    Picture {
        /// The image.
        image: ImageId,
        /// The picture, or why not.
        picture: Result<Arc<Picture>, String>,
    },
    /// A change is on the disk.
    Saved {
        /// The image.
        image: ImageId,
        /// The instance that it was made to; None for the picture.
        instance: Option<InstanceId>,
    },
    /// A change could not be put on the disk yet; it is tried again.
    Unsaved(String),
    /// A change was refused for good; what the screen shows of it is wrong.
    Refused(String),
    /// An undo or redo is done.
    Turned(Turn),
    /// An instance was added.
    InstanceAdded(Result<InstanceId, String>),
    /// An instance was removed, or could not be.
    InstanceRemoved(Result<(), String>),
    /// A tool that takes its time has found its pixels.
    Found(Bits),
    /// A network has said what it proposes, or could not.
    Answered {
        /// The question's number.
        number: u64,
        /// The image.
        image: ImageId,
        /// The place of the instance that it was asked about.
        instance: usize,
        /// What it proposes.
        answer: Result<Proposal, String>,
    },
    /// The picture has been divided into patches.
    Patches(Superpixels),
    /// Somebody else's annotation of the open image was read, to be laid beside it.
    Compared {
        /// The image.
        image: ImageId,
        /// What it holds.
        spread: Spread,
    },
    /// What everybody has drawn was counted.
    Counted {
        /// The image.
        image: ImageId,
        /// How many annotators hold each pixel.
        votes: Votes,
    },
    /// The findings were read, or could not be.
    Findings(Result<Vec<FindingLine>, String>),
    /// The runs were read, or could not be.
    Runs(Result<Vec<ListedRun>, String>),
    /// What a run concluded was read, or could not be.
    Run(Result<Box<RunView>, String>),
    /// A small picture was made; None if there is none.
    Thumbnail {
        /// The image.
        image: ImageId,
        /// The picture.
        picture: Option<Rgb>,
    },
    /// The project can't be read.
    Failed(String),
    /// The terminal is gone, or somebody asks the program to end.
    Hangup,
}

/// What an undo or redo has come to.
#[derive(Debug)]
pub enum Turn {
    /// There was nothing to take back, or do again.
    Nothing,
    /// A layer is as it was.
    Layer {
        /// What was turned, in a few words.
        what: String,
        /// The layer.
        layer: Layer,
        /// What it holds now; None if it is not drawn.
        drawn: Option<Drawn>,
    },
    /// Something else of the image is as it was.
    Image {
        /// What was turned, in a few words.
        what: String,
        /// The image, read again.
        spread: Spread,
    },
    /// It can't be.
    Refused(String),
}

/// Something that the state asks for; the worker does it, the frame loop where it concerns the terminal.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Read the queue.
    LoadQueue,
    /// Read an image's annotations by an author.
    Open {
        /// The image.
        image: ImageId,
        /// Whose annotations.
        author: String,
    },
    /// Read a picture.
    LoadPicture {
        /// The image.
        image: ImageId,
        /// Its file.
        file: PathBuf,
        /// Its size when it was imported.
        size: Size,
    },
    /// Put a change on the disk.
    Apply {
        /// The annotation.
        target: Target,
        /// The change.
        change: Change,
    },
    /// Put a stroke on the disk.
    Stroke(Stroke),
    /// Take something back, or do it again.
    Turn {
        /// The annotation.
        target: Target,
        /// Of what.
        scope: Scope,
        /// Whether it is done again.
        forth: bool,
    },
    /// Add an instance.
    AddInstance {
        /// To this image.
        image: ImageId,
        /// Of this class.
        class: usize,
    },
    /// Remove an instance.
    RemoveInstance(InstanceId),
    /// Read somebody else's annotation of an image.
    Compare {
        /// The image.
        image: ImageId,
        /// Whose.
        author: String,
    },
    /// Count how many annotators hold each pixel of a layer.
    Count {
        /// The image.
        image: ImageId,
        /// The instance.
        instance: InstanceId,
        /// The layer.
        layer: Layer,
    },
    /// Hold the project to the rules, and compare its annotators.
    LoadFindings,
    /// Read which runs there are.
    LoadRuns,
    /// Read what a run concluded.
    LoadRun(String),
    /// Make small pictures of these, and forget about others that were asked for.
    LoadThumbnails(Vec<(ImageId, PathBuf)>),
    /// Find pixels.
    Find(Search),
    /// Ask a network what it proposes.
    Ask(Ask),
    /// Save now what could not be saved.
    Retry,
    /// Give the terminal back and stop until one is continued.
    Suspend,
    /// Send every cell again.
    Redraw,
}

/// A stroke: a layer before and after it.
#[derive(Clone, Debug, PartialEq)]
pub struct Stroke {
    /// The annotation.
    pub target: Target,
    /// The layer.
    pub layer: Layer,
    /// The layer before.
    pub before: Arc<Bits>,
    /// The layer after.
    pub after: Arc<Bits>,
    /// Where they may differ.
    pub region: Region,
    /// What found the pixels, where it was no hand.
    pub source: Option<String>,
}

/// A question to a network.
#[derive(Clone, Debug, PartialEq)]
pub struct Ask {
    /// Its number: only the answer to the last question counts.
    pub number: u64,
    /// The network.
    pub network: String,
    /// The image.
    pub image: ImageId,
    /// Its picture.
    pub picture: Arc<Picture>,
    /// The place of the instance that is asked about.
    pub instance: usize,
    /// What is asked.
    pub asked: Asked,
}

/// What a network is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// What it sees of an instance of this class.
    Segment {
        /// The class.
        class: Option<usize>,
    },
    /// What these mean.
    Prompt {
        /// The layer that the answer is for.
        layer: Layer,
        /// Points and a box; none: it shall look at the picture.
        prompts: Vec<Prompt>,
    },
}

/// What pixels are looked for, by tools that take longer than a frame.
#[derive(Clone, Debug, PartialEq)]
pub enum Search {
    /// Like colours around a pixel.
    Wand {
        /// In this picture.
        picture: Arc<Picture>,
        /// From this pixel.
        seed: Point,
        /// Up to this difference of a channel.
        tolerance: u8,
    },
    /// The object that a rough mask means.
    Refine {
        /// In this picture.
        picture: Arc<Picture>,
        /// The rough mask.
        rough: Arc<Bits>,
    },
    /// The picture's patches; they come as [`Action::Patches`].
    Patches(Arc<Picture>),
    /// The layer, grown.
    Grow(Arc<Bits>, u32),
    /// The layer, shrunk.
    Shrink(Arc<Bits>, u32),
}
