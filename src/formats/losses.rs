//! What an export can't write down, counted on the way and said in a line each.

/// Counts images by what of them gets lost.
#[derive(Debug, Default)]
pub(super) struct Losses(Vec<Loss>);

#[derive(Debug)]
struct Loss {
    what: &'static str,
    images: u64,
    first: String,
}

impl Losses {
    /// Counts the image called `name` for `what`, a phrase such as `crowd flags`.
    pub(super) fn note(&mut self, what: &'static str, name: &str) {
        match self.0.iter_mut().find(|loss| loss.what == what) {
            Some(loss) => loss.images += 1,
            None => self.0.push(Loss { what, images: 1, first: name.to_owned() }),
        }
    }

    /// One line a loss, in the order in which they first came up: `crowd flags: 3 images, first cat_1`.
    pub(super) fn sentences(&self) -> Vec<String> {
        let sentence = |loss: &Loss| match loss.images {
            1 => format!("{}: 1 image, {}", loss.what, loss.first),
            images => format!("{}: {images} images, first {}", loss.what, loss.first),
        };
        self.0.iter().map(sentence).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_loss_is_one_line_with_its_count_and_first_image() {
        let mut losses = Losses::default();
        for (what, name) in [("crowd flags", "a"), ("ids", "a"), ("crowd flags", "b")] {
            losses.note(what, name);
        }
        assert_eq!(losses.sentences(), ["crowd flags: 2 images, first a", "ids: 1 image, a"]);
    }
}
