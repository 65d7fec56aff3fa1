//! The list of images: which are shown, and which comes next.

use crate::{
    domain::{Status, Taxonomy},
    ops::annotate::QueueItem,
};

/// Which images the queue shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// As it was typed.
    pub text: String,
    class: Option<usize>,
    split: Option<String>,
    status: Option<Wanted>,
    name: Option<String>,
    flagged: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    /// Nothing is done yet.
    None,
    /// Not submitted or accepted.
    Undone,
    /// Somebody else's waits for review.
    Review,
    Is(Status),
}

impl Filter {
    /// Reads `class=bird split=test status=draft name=finch flagged`; another word without `=` is part of a name.
    ///
    /// # Errors
    /// A sentence that says what there is.
    pub fn parse(text: &str, taxonomy: &Taxonomy) -> Result<Self, String> {
        let mut filter = Self { text: text.trim().to_owned(), ..Self::default() };
        for word in text.split_whitespace() {
            match word.split_once('=') {
                Some(("class", name)) => {
                    let class = taxonomy.class(name).ok_or_else(|| {
                        let names: Vec<&str> = taxonomy.classes.iter().map(|class| class.name.as_str()).collect();
                        format!("no class {name:?}; there are {}", names.join(", "))
                    })?;
                    filter.class = Some(class);
                }
                Some(("split", split)) => filter.split = Some(split.to_owned()),
                Some(("status", status)) => {
                    filter.status = Some(match (status, Status::from_name(status)) {
                        ("none", _) => Wanted::None,
                        ("undone", _) => Wanted::Undone,
                        ("review", _) => Wanted::Review,
                        (_, Some(status)) => Wanted::Is(status),
                        _ => {
                            return Err("status: none, undone, review, draft, submitted, accepted, rejected".to_owned());
                        }
                    });
                }
                Some(("name", name)) => filter.name = Some(name.to_lowercase()),
                Some((other, _)) => {
                    return Err(format!("no {other:?}: there are class, split, status, name, and the word flagged"));
                }
                None if word == "flagged" => filter.flagged = true,
                None => filter.name = Some(word.to_lowercase()),
            }
        }
        Ok(filter)
    }

    fn takes(&self, item: &QueueItem) -> bool {
        let status = match self.status {
            None => true,
            Some(Wanted::None) => item.mine.is_none(),
            Some(Wanted::Undone) => !item.is_done(),
            Some(Wanted::Review) => item.to_review.is_some(),
            Some(Wanted::Is(status)) => item.mine == Some(status),
        };
        status
            && (!self.flagged || item.flagged)
            && self.class.is_none_or(|class| item.class == Some(class))
            && self.split.as_ref().is_none_or(|split| item.split == *split)
            && self.name.as_ref().is_none_or(|name| item.name.to_lowercase().contains(name))
    }
}

/// The images and where one is among them.
#[derive(Clone, Debug, Default)]
pub struct Queue {
    /// All of them.
    pub items: Vec<QueueItem>,
    /// Those that the filter lets through: indices into `items`.
    pub shown: Vec<usize>,
    /// The one that is open: an index into `shown`, which an image that is filtered out lies before.
    pub at: usize,
    /// The filter.
    pub filter: Filter,
    /// Whether it is others' work that is looked through.
    pub review: bool,
}

impl Queue {
    /// Shows what `filter` lets through, and stays at the open image, or the next after it.
    pub fn set_filter(&mut self, filter: Filter) {
        let open = self.shown.get(self.at).copied();
        self.shown = (0..self.items.len()).filter(|&i| filter.takes(&self.items[i])).collect();
        self.at = open.map_or(0, |open| self.shown.partition_point(|&i| i < open));
        self.at = self.at.min(self.shown.len().saturating_sub(1));
        self.filter = filter;
    }

    /// The item at place `at` of those shown.
    #[must_use]
    pub fn item(&self, at: usize) -> Option<&QueueItem> {
        self.shown.get(at).map(|&i| &self.items[i])
    }

    /// Whether the item still wants doing.
    #[must_use]
    pub fn waits(&self, item: &QueueItem) -> bool {
        if self.review { item.to_review.is_some() } else { !item.is_done() }
    }

    /// The next place whose image wants doing, from after the open one around to it.
    #[must_use]
    pub fn next_undone(&self) -> Option<usize> {
        let count = self.shown.len();
        (1..=count).map(|step| (self.at + step) % count).find(|&at| self.item(at).is_some_and(|item| self.waits(item)))
    }

    /// How many of those shown are done, and how many are shown.
    #[must_use]
    pub fn progress(&self) -> (usize, usize) {
        let waiting = self.shown.iter().filter(|&&i| self.waits(&self.items[i])).count();
        (self.shown.len() - waiting, self.shown.len())
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::domain::{ImageId, Size};

    fn taxonomy() -> Taxonomy {
        Taxonomy::from_toml("name = \"t\"\n[[classes]]\nname = \"bird\"\n[[classes]]\nname = \"frog\"").unwrap()
    }

    fn item(n: i64, mine: Option<Status>) -> QueueItem {
        QueueItem {
            image: ImageId(n),
            name: format!("Image {n}"),
            file: PathBuf::new(),
            size: Size::new(1, 1),
            class: Some(usize::try_from(n).unwrap() % 2),
            split: if n < 3 { "train" } else { "test" }.to_owned(),
            mine,
            to_review: None,
            flagged: n == 3,
        }
    }

    fn queue() -> Queue {
        let statuses =
            [None, Some(Status::Draft), Some(Status::Submitted), Some(Status::Accepted), Some(Status::Rejected)];
        let items = statuses.into_iter().enumerate().map(|(n, mine)| item(n as i64, mine)).collect();
        let mut queue = Queue { items, ..Queue::default() };
        queue.set_filter(Filter::default());
        queue
    }

    #[test]
    fn filters_let_through_what_they_say() {
        let mut queue = queue();
        for (text, expected) in [
            ("", vec![0, 1, 2, 3, 4]),
            ("class=frog", vec![1, 3]),
            ("split=test status=undone", vec![4]),
            ("status=none", vec![0]),
            ("status=draft", vec![1]),
            ("name=image status=accepted", vec![3]),
            ("2", vec![2]),
            ("flagged", vec![3]),
        ] {
            queue.set_filter(Filter::parse(text, &taxonomy()).unwrap());
            assert_eq!(queue.shown, expected, "{text}");
        }
        for text in ["class=cow", "status=odd", "colour=red"] {
            assert!(Filter::parse(text, &taxonomy()).is_err(), "{text}");
        }
    }

    #[test]
    fn what_comes_next_is_undone_and_lies_ahead_first() {
        let mut queue = queue();
        queue.at = 1;
        assert_eq!(queue.next_undone(), Some(4), "rejected work is undone");
        queue.at = 4;
        assert_eq!(queue.next_undone(), Some(0));
        assert_eq!(queue.progress(), (2, 5));
        queue.items.iter_mut().for_each(|item| item.mine = Some(Status::Accepted));
        assert_eq!(queue.next_undone(), None);
        assert_eq!(Queue::default().next_undone(), None);
    }

    #[test]
    fn a_filter_stays_at_the_image_or_goes_to_the_next() {
        let mut queue = queue();
        queue.at = 2;
        queue.set_filter(Filter::parse("class=frog", &taxonomy()).unwrap());
        assert_eq!(queue.item(queue.at).unwrap().image, ImageId(3));
    }
}
