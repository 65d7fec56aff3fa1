//! How an annotation moves from one status to the next, and who moves it.
//!
//! The table below is the whole workflow. A move that it does not hold is refused by name, never bent.

use super::Status;

/// A move of an annotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Transition {
    /// Its annotator holds it for done.
    Submit,
    /// A reviewer agrees.
    Accept,
    /// A reviewer does not: it counts for nothing, and says why.
    Reject,
    /// A reviewer wants more work on it: it is a draft again.
    SendBack,
    /// Its annotator takes it up again: what was accepted is changed in no other way.
    Reopen,
}

impl Transition {
    /// Every move.
    pub const ALL: [Self; 5] = [Self::Submit, Self::Accept, Self::Reject, Self::SendBack, Self::Reopen];

    /// What the command line calls it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Submit => "submit",
            Self::Accept => "accept",
            Self::Reject => "reject",
            Self::SendBack => "send-back",
            Self::Reopen => "reopen",
        }
    }

    /// What an annotation then was: "it was sent back".
    #[must_use]
    pub fn participle(self) -> &'static str {
        match self {
            Self::Submit => "submitted",
            Self::Accept => "accepted",
            Self::Reject => "rejected",
            Self::SendBack => "sent back",
            Self::Reopen => "reopened",
        }
    }

    /// From where it leads.
    #[must_use]
    pub fn from(self) -> &'static [Status] {
        match self {
            Self::Submit => &[Status::Draft],
            Self::Accept => &[Status::Submitted, Status::Rejected],
            Self::Reject => &[Status::Submitted, Status::Accepted],
            Self::SendBack | Self::Reopen => &[Status::Submitted, Status::Accepted, Status::Rejected],
        }
    }

    /// Where it leads.
    #[must_use]
    pub fn to(self) -> Status {
        match self {
            Self::Submit => Status::Submitted,
            Self::Accept => Status::Accepted,
            Self::Reject => Status::Rejected,
            Self::SendBack | Self::Reopen => Status::Draft,
        }
    }

    /// Whether the annotator makes it; every other is made by somebody else, for nobody reviews their own work.
    #[must_use]
    pub fn is_authors(self) -> bool {
        matches!(self, Self::Submit | Self::Reopen)
    }

    /// Whether it must say why.
    #[must_use]
    pub fn needs_comment(self) -> bool {
        matches!(self, Self::Reject | Self::SendBack)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_is_reached_and_every_status_is_left() {
        for status in Status::ALL {
            assert!(Transition::ALL.iter().any(|t| t.to() == status), "{status:?} is never reached");
            assert!(Transition::ALL.iter().any(|t| t.from().contains(&status)), "{status:?} is never left");
        }
    }

    #[test]
    fn no_move_leads_to_where_it_came_from() {
        assert!(Transition::ALL.iter().all(|t| !t.from().contains(&t.to())));
    }
}
