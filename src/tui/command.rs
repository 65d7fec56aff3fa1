//! Everything that can be asked of the screen, as data: help, palette and key bindings read this one list.

/// Declares [`Command`] with its names, groups and summaries.
macro_rules! commands {
    ($($group:literal { $($variant:ident $name:literal $summary:literal;)* })*) => {
        /// Something that can be asked of the screen.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Command {
            $($(#[doc = $summary] $variant,)*)*
        }

        impl Command {
            /// Every command, grouped.
            pub const ALL: &'static [Self] = &[$($(Self::$variant,)*)*];

            /// Its name in the palette and in key files.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $($(Self::$variant => $name,)*)* }
            }

            /// What it does, in a few words.
            #[must_use]
            pub fn summary(self) -> &'static str {
                match self { $($(Self::$variant => $summary,)*)* }
            }

            /// The heading under which help shows it.
            #[must_use]
            pub fn group(self) -> &'static str {
                match self { $($(Self::$variant => $group,)*)* }
            }
        }
    };
}

commands! {
    "Moving" {
        Left "left" "cursor left by a dot; a number before it repeats";
        Down "down" "cursor down";
        Up "up" "cursor up";
        Right "right" "cursor right";
        FarLeft "far-left" "cursor left by eight dots";
        FarDown "far-down" "cursor down by eight dots";
        FarUp "far-up" "cursor up by eight dots";
        FarRight "far-right" "cursor right by eight dots";
        PixelLeft "pixel-left" "cursor left by one image pixel";
        PixelDown "pixel-down" "cursor down by one image pixel";
        PixelUp "pixel-up" "cursor up by one image pixel";
        PixelRight "pixel-right" "cursor right by one image pixel";
        SetMark "set-mark" "keep this place under the next key";
        GoToMark "go-to-mark" "cursor to the place kept under the next key";
    }
    "View" {
        ZoomIn "zoom-in" "nearer, around the cursor";
        ZoomOut "zoom-out" "farther";
        Fit "fit" "the whole image";
        OneToOne "one-to-one" "one image pixel a dot";
        PanLeft "pan-left" "view left by a quarter";
        PanDown "pan-down" "view down";
        PanUp "pan-up" "view up";
        PanRight "pan-right" "view right";
        Centre "centre" "the cursor in the middle";
        Brighter "brighter" "brighter";
        Darker "darker" "darker";
        MoreContrast "more-contrast" "more contrast";
        LessContrast "less-contrast" "less contrast";
        PlainLight "plain-light" "brightness and contrast as they were";
        Minimap "minimap" "the whole image in a corner, or not";
        Pictures "pictures" "another way to draw: half blocks, quadrants, sextants";
        Monochrome "monochrome" "characters without colour, or with";
    }
    "Tools" {
        Brush "brush" "brush";
        Polygon "polygon" "polygon: set corners, then close it";
        Lasso "lasso" "lasso: draw around it";
        Rectangle "rectangle" "rectangle between two corners";
        Ellipse "ellipse" "ellipse between two corners";
        Bucket "bucket" "flood fill";
        Wand "wand" "magic wand: like colours that hang together";
        Superpixel "superpixel" "superpixels: whole patches of like colour";
        Erase "erase" "take pixels away instead of adding them, or back";
        Smaller "smaller" "smaller brush, or less tolerance";
        Larger "larger" "larger brush, or more tolerance";
        Tip "tip" "round brush, or square";
        Apply "apply" "use the tool here: dab, corner, anchor, fill";
        Pen "pen" "pen down, or up: moving draws while it is down";
        Finish "finish" "finish: close the polygon, lift the pen";
        Cancel "cancel" "give up what was begun";
        DropCorner "drop-corner" "take the last corner back";
    }
    "Mask" {
        UndoLayer "undo" "take back the last stroke on this layer";
        RedoLayer "redo" "do it again";
        UndoImage "undo-any" "take back the last change to this image, whatever it was";
        RedoImage "redo-any" "do that again";
        FillHoles "fill-holes" "fill the holes of this layer";
        RemoveSpecks "remove-specks" "remove parts under 20 pixels, or the number before it";
        Grow "grow" "grow by a pixel, or the number before it";
        Shrink "shrink" "shrink by a pixel, or the number before it";
        Propose "propose" "what a network proposes: enter accepts it, esc leaves it";
        Network "network" "choose the network that proposes";
        Refine "refine" "fit a rough mask to the picture's edges (GrabCut)";
        CopyLayer "copy-layer" "add the layer of the next key to this one";
        SubtractObject "subtract-object" "leave out what the object holds";
        IntersectObject "intersect-object" "keep only what the object holds";
        Invert "invert" "turn it inside out";
        Clear "clear" "clear the layer";
        RemoveLayer "remove-layer" "remove the layer, as if it had never been drawn";
    }
    "Layers" {
        ObjectLayer "object-layer" "the object's layer";
        IgnoreLayer "ignore-layer" "the layer of pixels to ignore";
        NextLayer "next-layer" "the next layer";
        PreviousLayer "previous-layer" "the layer before";
        ChooseLayer "choose-layer" "the layer of the attribute of the next key";
        Hide "hide" "hide the layer, or show it";
        HideOthers "hide-others" "show this layer alone, or all";
        Lock "lock" "lock the layer against changes, or not";
        Outline "outline" "its outline only, or filled";
        MoreOpaque "more-opaque" "more opaque";
        LessOpaque "less-opaque" "less opaque";
        Peek "peek" "the bare picture, until the next key";
    }
    "Attributes" {
        Panel "panel" "to the attributes, or back to the image";
        Answer "answer" "the attribute of the next key: yes, no, not judged";
        RowDown "row-down" "the next row";
        RowUp "row-up" "the row before";
        AnswerYes "answer-yes" "yes";
        AnswerNo "answer-no" "no";
        AnswerUnknown "answer-unknown" "not judged";
        RestNo "rest-no" "no to all that is not judged";
        PaintRow "paint-row" "paint its layer";
        CopyLast "copy-last" "the attributes of the last image";
        Adopt "adopt" "take over somebody else's annotation";
    }
    "Instances" {
        AddInstance "add-instance" "add an instance";
        NextInstance "next-instance" "the next instance";
        PreviousInstance "previous-instance" "the instance before";
        SetClass "set-class" "its class";
        DeleteInstance "delete-instance" "delete the instance";
    }
    "Queue" {
        NextImage "next-image" "the next image";
        PreviousImage "previous-image" "the image before";
        NextUndone "next-undone" "the next image that is not done";
        Submit "submit" "submit, and go to the next that is not done";
        Jump "jump" "an image by its number or name";
        Filter "filter" "which images: class=bird split=test status=draft name=… flagged";
        Gallery "gallery" "the images as a list with statuses";
        RowLeft "row-left" "the picture before";
        RowRight "row-right" "the next picture";
        Thumbnails "thumbnails" "the images as small pictures, or as lines";
        Findings "findings" "what the rules and the audit find; Enter goes there";
        Runs "runs" "recorded analyses: what they concluded";
        Accept "accept" "review: accept";
        Reject "reject" "review: reject, saying why";
        Reopen "reopen" "take submitted or accepted work up again, as a draft";
        SendBack "send-back" "review: send back for more work, saying what";
    }
    "Remarks and comparison" {
        Note "note" "a note on this annotation";
        Flag "flag" "flag this annotation, saying why";
        NoteImage "note-image" "a note on this picture";
        FlagImage "flag-image" "flag this picture, saying why";
        Compare "compare" "somebody else's annotation beside this one, with the difference";
        Votes "votes" "how many have drawn each pixel of this layer";
    }
    "Screen" {
        Help "help" "the keys of where you are";
        Palette "palette" "find a command by name";
        Redraw "redraw" "draw the screen anew";
        Retry "retry" "save now what could not be saved";
        Suspend "suspend" "to the shell; fg comes back";
        Quit "quit" "quit";
    }
}

impl Command {
    /// The command called `name`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|command| command.name() == name)
    }

    /// Whether the key after it says what it is about: a mark or an attribute.
    #[must_use]
    pub fn takes_key(self) -> bool {
        matches!(self, Self::SetMark | Self::GoToMark | Self::CopyLayer | Self::ChooseLayer | Self::Answer)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_are_unique_and_lead_back() {
        let names: HashSet<_> = Command::ALL.iter().map(|command| command.name()).collect();
        assert_eq!(names.len(), Command::ALL.len());
        for &command in Command::ALL {
            assert_eq!(Command::from_name(command.name()), Some(command));
            assert!(!command.summary().is_empty());
        }
    }
}
