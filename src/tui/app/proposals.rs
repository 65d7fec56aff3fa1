//! Proposals of networks: asked for, shown over the layer, accepted, or left.
//!
//! A proposal is no part of an annotation until somebody accepts it; then it is a stroke like any other, whose source the
//! journal keeps. Nothing waits for a network: what it says of a picture that was left meanwhile, or after it was told to give
//! up, is not shown.

use std::{collections::BTreeMap, sync::Arc};

use rival10_drawing::{Bits, Point};

use super::{
    super::{
        action::{Ask, Asked, Effect},
        command::Command,
        text::{counted, harmless},
    },
    App,
    overlay::{Choice, Chooser, Entry, Overlay},
    sheet::Drawn,
    stroke::Use,
    tools::Tool,
};
use crate::{
    domain::{ImageId, Layer},
    ops::annotate::{ListedNetwork, Prompt},
};

/// What a network proposes for the instance that was active when it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// The network's name and digest: what the journal keeps.
    pub source: String,
    /// The layers that hold anything.
    pub layers: BTreeMap<Layer, Drawn>,
}

/// The networks, and what they are asked and have said.
#[derive(Clone, Debug, Default)]
pub struct Proposals {
    /// The networks of the project.
    pub networks: Vec<ListedNetwork>,
    /// The one that is asked; None while nobody has chosen among several.
    pub chosen: Option<usize>,
    /// What was pointed at.
    pub prompts: Vec<Prompt>,
    /// What is proposed, for this place among the instances.
    proposal: Option<(usize, Proposal)>,
    /// The number of the question that is not answered yet.
    asking: Option<u64>,
    asked: u64,
}

impl Proposals {
    /// Those of a project with these networks.
    #[must_use]
    pub fn new(networks: Vec<ListedNetwork>, chosen: Option<usize>) -> Self {
        let only = (networks.len() == 1).then_some(0);
        Self { chosen: chosen.or(only), networks, ..Self::default() }
    }

    /// The network that is asked.
    #[must_use]
    pub fn network(&self) -> Option<&ListedNetwork> {
        self.networks.get(self.chosen?)
    }

    /// Whether an answer is being waited for.
    #[must_use]
    pub fn is_asking(&self) -> bool {
        self.asking.is_some()
    }

    /// Forgets what is proposed, pointed at and asked.
    pub fn forget(&mut self) {
        (self.proposal, self.asking) = (None, None);
        self.prompts.clear();
    }
}

impl App {
    pub(super) fn run_on_proposals(&mut self, command: Command) -> bool {
        match command {
            Command::Propose => self.propose(),
            Command::Network => self.choose_network(),
            // What was begun by hand comes first.
            Command::Finish if self.gesture.is_none() && self.proposed(self.layer).is_some() => self.accept(),
            Command::Cancel if self.gesture.is_none() && self.has_proposal() => {
                self.proposals.forget();
                self.say("left as it is");
            }
            Command::DropCorner if self.gesture.is_none() && self.tools.tool == Tool::Prompt => {
                if self.proposals.prompts.pop().is_some() {
                    self.ask_prompted();
                }
            }
            _ => return false,
        }
        true
    }

    /// What is proposed for `layer` of the active instance.
    #[must_use]
    pub fn proposed(&self, layer: Layer) -> Option<&Drawn> {
        self.proposal()?.layers.get(&layer)
    }

    /// What is proposed for the active instance.
    #[must_use]
    pub fn proposal(&self) -> Option<&Proposal> {
        let (instance, proposal) = self.proposals.proposal.as_ref()?;
        (self.open.as_ref()?.active == *instance).then_some(proposal)
    }

    fn has_proposal(&self) -> bool {
        self.proposal().is_some() || self.proposals.is_asking() || !self.proposals.prompts.is_empty()
    }

    /// Asks the network that was chosen, or which one.
    fn propose(&mut self) {
        if self.proposals.networks.is_empty() {
            self.complain("the project has no network that gives masks: `rival10 models add --task segment` adds one");
            return;
        }
        let Some(network) = self.proposals.network().cloned() else {
            self.choose_network();
            return;
        };
        if !self.may_draw() {
            return;
        }
        self.finish_stroke();
        self.gesture = None;
        self.proposals.forget();
        let name = harmless(&network.name);
        if network.prompted {
            self.tools.tool = Tool::Prompt;
            if self.ask(Asked::Prompt { layer: self.layer, prompts: Vec::new() }) {
                self.say(format!(
                    "{name}: point at it; drag a box around it; the right button, or e, says what is not meant"
                ));
            }
        } else if let Some(class) = self.open.as_ref().map(|open| open.instance().class)
            && self.ask(Asked::Segment { class })
        {
            self.say(format!("{name} looks at the picture; esc gives up"));
        }
    }

    fn choose_network(&mut self) {
        let entries = self.proposals.networks.iter().enumerate().map(|(at, network)| Entry {
            label: network.name.clone(),
            note: if network.prompted { "points and a box" } else { "by itself" }.to_owned(),
            choice: Choice::Network(at),
        });
        let entries: Vec<Entry> = entries.collect();
        if entries.is_empty() {
            self.propose();
            return;
        }
        self.overlay = Some(Overlay::Chooser(Chooser { title: "which network?", entries, text: String::new(), at: 0 }));
    }

    pub(super) fn network_chosen(&mut self, at: usize) {
        self.proposals.chosen = Some(at);
        self.propose();
    }

    /// Sends a question to the networks' lane; false if there is no picture to ask about.
    fn ask(&mut self, asked: Asked) -> bool {
        let network = self.proposals.network().map(|network| network.name.clone());
        let (Some(open), Some(network)) = (&self.open, network) else { return false };
        let Some(picture) = open.picture() else {
            self.complain("a network needs the picture, which is not there");
            return false;
        };
        let (image, picture, instance) = (open.item.image, Arc::clone(picture), open.active);
        self.proposals.asked += 1;
        let number = self.proposals.asked;
        self.proposals.asking = Some(number);
        self.effects.push(Effect::Ask(Ask { number, network, image, picture, instance, asked }));
        true
    }

    fn ask_prompted(&mut self) {
        let (layer, prompts) = (self.layer, self.proposals.prompts.clone());
        self.proposals.proposal = self.proposals.proposal.take().filter(|_| !prompts.is_empty());
        self.ask(Asked::Prompt { layer, prompts });
    }

    /// Points at a pixel.
    pub(super) fn point_at(&mut self, at: Point, inside: bool) {
        let Some(at) = self.pixel_of(at) else { return };
        self.proposals.prompts.push(Prompt::Point { at, inside });
        self.ask_prompted();
    }

    /// Puts a box around what is meant, in the place of another one; a box of one pixel is a point.
    pub(super) fn box_between(&mut self, a: Point, b: Point, inside: bool) {
        let (Some(a), Some(b)) = (self.pixel_of(a), self.pixel_of(b)) else { return };
        if a == b || !inside {
            self.point_at((i64::from(a.0), i64::from(a.1)), inside);
            return;
        }
        self.proposals.prompts.retain(|prompt| !matches!(prompt, Prompt::Box { .. }));
        let (from, to) = ((a.0.min(b.0), a.1.min(b.1)), (a.0.max(b.0), a.1.max(b.1)));
        self.proposals.prompts.push(Prompt::Box { from, to });
        self.ask_prompted();
    }

    /// A place of the image as a pixel of it.
    fn pixel_of(&self, (x, y): Point) -> Option<(u32, u32)> {
        let size = self.open.as_ref()?.item.size;
        let within = |at: i64, side: u32| at.clamp(0, i64::from(side.max(1)) - 1) as u32;
        Some((within(x, size.width), within(y, size.height)))
    }

    pub(super) fn answered(&mut self, number: u64, image: ImageId, instance: usize, answer: Result<Proposal, String>) {
        let still = self.open.as_ref().is_some_and(|open| open.item.image == image);
        if self.proposals.asking != Some(number) || !still {
            return;
        }
        self.proposals.asking = None;
        let proposal = match answer {
            Ok(proposal) => proposal,
            Err(reason) => {
                self.complain(&reason);
                return;
            }
        };
        let keys = |command| self.keymap.keys_of(super::Context::Canvas, command);
        let (accept, leave) = (keys(Command::Finish), keys(Command::Cancel));
        let found: Vec<String> = proposal
            .layers
            .iter()
            .map(|(&layer, drawn)| format!("{} {}", self.layer_name(layer), drawn.area))
            .collect();
        let network = self.proposals.network().map_or_else(String::new, |network| harmless(&network.name));
        let text = match (&found[..], self.tools.tool == Tool::Prompt && self.proposals.prompts.is_empty()) {
            ([], true) => format!("{network} has seen the picture: point at it, or drag a box around it"),
            ([], false) => format!("{network} finds nothing here"),
            ([one], _) => format!("{network} proposes {one}; {accept} accepts it, {leave} leaves it"),
            _ => format!(
                "{network} proposes {}: {}; {accept} accepts this layer, {leave} leaves all",
                counted(found.len() as u64, "layer", "layers"),
                found.join(", ")
            ),
        };
        self.proposals.proposal = (!proposal.layers.is_empty()).then_some((instance, proposal));
        // A layer of which nothing is proposed is left for the first of which something is, unless the hand is at work.
        if self.gesture.is_none()
            && let Some(proposal) = self.proposal()
            && !proposal.layers.contains_key(&self.layer)
            && let Some(&first) = proposal.layers.keys().next()
        {
            self.choose_layer(first);
        }
        self.say(text);
    }

    /// Makes the layer what is proposed for it.
    fn accept(&mut self) {
        if !self.may_draw() {
            return;
        }
        let layer = self.layer;
        let Some((_, proposal)) = &mut self.proposals.proposal else { return };
        let Some(drawn) = proposal.layers.remove(&layer) else { return };
        let (source, next) = (proposal.source.clone(), proposal.layers.keys().next().copied());
        self.combine_from(&Bits::clone(&drawn.bits), Use::Become, Some(source));
        match next {
            Some(next) => {
                self.choose_layer(next);
                self.say(format!("accepted; next is {}", self.layer_name(next)));
            }
            None => {
                self.proposals.forget();
                self.say("accepted; u takes it back");
            }
        }
    }
}
