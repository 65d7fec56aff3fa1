//! Who labels which image: dealt like cards, so that everybody gets as many as everybody else, of every class.

use std::collections::{BTreeMap, HashMap, HashSet};

use rival10_sdk::random::Philox;
use serde::Serialize;

use super::{OpsError, Project, named::Named};
use crate::{
    domain::{AnnotatorKind, ImageId, ImageRecord},
    store::{Actor, Assignment, AssignmentFilter, ImageFilter},
};

/// What to assign, and to whom.
#[derive(Clone, Debug, Default)]
pub struct AssignRequest {
    /// The annotators; empty for every person who is registered.
    pub to: Vec<String>,
    /// How many annotators each image shall have, counting those that it has already. At least 1.
    pub overlap: usize,
    /// These images alone, by path, name or number; empty for all.
    pub images: Vec<String>,
    /// The images of this split alone.
    pub split: Option<String>,
    /// The images of this class alone, by name.
    pub class: Option<String>,
    /// At most so many images.
    pub limit: Option<usize>,
    /// What the deal depends on beside the images and names.
    pub seed: u64,
}

/// What was assigned.
#[derive(Debug, Serialize)]
pub struct Assigned {
    /// The journal entry; none if everything was assigned already.
    pub entry: Option<i64>,
    /// Images that got an annotator.
    pub images: u64,
    /// For each annotator: images that are new, and images in all.
    pub shares: BTreeMap<String, (u64, u64)>,
}

/// Assigns images. What is assigned already stays and counts, so that it can be done again when images or people came.
///
/// # Errors
/// [`OpsError::Usage`] if the overlap can't be had or a name is unknown; [`OpsError::Store`].
pub fn assign(project: &mut Project, request: &AssignRequest) -> Result<Assigned, OpsError> {
    let people: Vec<String> = project
        .store
        .annotators()?
        .into_iter()
        .filter(|annotator| annotator.kind == AnnotatorKind::Person)
        .map(|annotator| annotator.name)
        .collect();
    let mut to = if request.to.is_empty() { people.clone() } else { request.to.clone() };
    to.sort();
    to.dedup();
    if let Some(stranger) = to.iter().find(|name| !people.contains(name)) {
        return Err(OpsError::Usage(format!(
            "no person is registered as {stranger:?}: `rival10 annotators add` registers people, `list` shows them"
        )));
    }
    let held = project.store.assignments(&AssignmentFilter::default())?;
    // Who has an image already counts, whoever else is to get it.
    let everybody: HashSet<&str> = to.iter().chain(held.iter().map(|a| &a.annotator)).map(String::as_str).collect();
    if request.overlap == 0 || request.overlap > everybody.len() {
        return Err(OpsError::Usage(format!(
            "an overlap of {} with {} annotators: each image can have 1 to {} of them",
            request.overlap,
            everybody.len(),
            everybody.len()
        )));
    }
    let images = wanted(project, request)?;
    let new = deal(&images, &to, &held, request.overlap, request.limit, request.seed);
    let entry = project.store.assign(Actor::Operator, &new)?;
    let mut shares: BTreeMap<String, (u64, u64)> = to.into_iter().map(|name| (name, (0, 0))).collect();
    for (assignment, is_new) in held.iter().map(|a| (a, false)).chain(new.iter().map(|a| (a, true))) {
        if let Some(share) = shares.get_mut(&assignment.annotator) {
            share.0 += u64::from(is_new);
            share.1 += 1;
        }
    }
    let touched: HashSet<ImageId> = new.iter().map(|assignment| assignment.image).collect();
    Ok(Assigned { entry: entry.map(|entry| entry.0), images: touched.len() as u64, shares })
}

/// Takes back from `annotator` what was assigned and not begun: these images, or all. Gives how many.
///
/// # Errors
/// [`OpsError::Usage`] if an image is unknown; [`OpsError::Store`] if one is not assigned to `annotator`.
pub fn withdraw(project: &mut Project, annotator: &str, images: &[String]) -> Result<u64, OpsError> {
    let filter = AssignmentFilter { annotator: Some(annotator.to_owned()), ..AssignmentFilter::default() };
    let taken = if images.is_empty() {
        let begun: HashSet<ImageId> =
            super::queue::annotations_in_brief(project, Some(annotator))?.iter().map(|a| a.image).collect();
        project.store.assignments(&filter)?.into_iter().filter(|a| !begun.contains(&a.image)).collect()
    } else {
        let named = Named::new(project)?;
        let pair = |text: &String| {
            named.find(text).map(|image| Assignment { image: image.id, annotator: annotator.to_owned() })
        };
        images.iter().map(pair).collect::<Result<Vec<_>, _>>()?
    };
    Ok(project.store.withdraw(Actor::Operator, &taken)?.len() as u64)
}

fn wanted(project: &Project, request: &AssignRequest) -> Result<Vec<ImageRecord>, OpsError> {
    let class = match &request.class {
        None => None,
        Some(name) => Some(project.store.taxonomy().class(name).ok_or_else(|| {
            let known: Vec<_> = project.store.taxonomy().classes.iter().map(|class| class.name.as_str()).collect();
            OpsError::Usage(format!("no class is called {name:?}; there are {}", known.join(", ")))
        })?),
    };
    let filter = ImageFilter { class, split: request.split.clone(), ..ImageFilter::default() };
    let mut images = project.store.images(&filter)?;
    if !request.images.is_empty() {
        let named = Named::new(project)?;
        let chosen: HashSet<ImageId> =
            request.images.iter().map(|text| Ok(named.find(text)?.id)).collect::<Result<_, OpsError>>()?;
        images.retain(|image| chosen.contains(&image.id));
    }
    if images.is_empty() {
        return Err(OpsError::Refused("no image fits what is to be assigned".to_owned()));
    }
    Ok(images)
}

/// The assignments that are missing for each of `images` to have `overlap` annotators, `held` included.
///
/// The images are dealt class after class, in an order that the seed draws, each to those who have the fewest of its class,
/// then the fewest in all, then by a draw: so that everybody's load differs by one at most where nothing was held before,
/// and who shares images with whom is left to chance.
fn deal(
    images: &[ImageRecord],
    to: &[String],
    held: &[Assignment],
    overlap: usize,
    limit: Option<usize>,
    seed: u64,
) -> Vec<Assignment> {
    let mut holders: HashMap<ImageId, HashSet<&str>> = HashMap::new();
    for assignment in held {
        holders.entry(assignment.image).or_default().insert(&assignment.annotator);
    }
    let mut load: Vec<u64> =
        to.iter().map(|name| held.iter().filter(|a| a.annotator == *name).count() as u64).collect();
    let drawn = |image: &ImageRecord, trial| Philox::keyed("assign", seed, &image.content, trial).block([0; 4])[0];
    let mut order: Vec<_> = images.iter().map(|image| (image.class, drawn(image, 0), image.id, image)).collect();
    order.sort_by_key(|(class, draw, id, _)| (*class, *draw, *id));
    if let Some(limit) = limit {
        // The first of every class in turn, so that a part has the classes of the whole.
        let mut place: HashMap<Option<usize>, usize> = HashMap::new();
        let mut turn: Vec<usize> = Vec::with_capacity(order.len());
        for (class, ..) in &order {
            let next = place.entry(*class).or_default();
            turn.push(*next);
            *next += 1;
        }
        let mut by_turn: Vec<usize> = (0..order.len()).collect();
        by_turn.sort_by_key(|&i| (turn[i], order[i].0));
        let kept: HashSet<usize> = by_turn.into_iter().take(limit).collect();
        order = order.into_iter().enumerate().filter(|(i, _)| kept.contains(i)).map(|(_, image)| image).collect();
    }
    let mut new = Vec::new();
    for (_, _, id, image) in order {
        let has = holders.get(&id);
        let missing = overlap.saturating_sub(has.map_or(0, HashSet::len));
        let mut free: Vec<usize> =
            (0..to.len()).filter(|&i| has.is_none_or(|has| !has.contains(to[i].as_str()))).collect();
        free.sort_by_key(|&i| (load[i], drawn(image, 1 + i as u64), i));
        for i in free.into_iter().take(missing) {
            load[i] += 1;
            new.push(Assignment { image: id, annotator: to[i].clone() });
        }
    }
    new
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use proptest::prelude::*;

    use super::*;
    use crate::domain::{ContentHash, Size, Variant};

    fn images(n: usize, classes: usize) -> Vec<ImageRecord> {
        let image = |i: usize| ImageRecord {
            id: ImageId(i64::try_from(i).unwrap() + 1),
            root: String::new(),
            path: format!("{i}.jpg"),
            file: PathBuf::new(),
            name: i.to_string(),
            content: ContentHash::of(&i.to_le_bytes()),
            size: Size::new(1, 1),
            orientation: 1,
            class: Some(i % classes),
            split: String::new(),
            variant: Variant::Ordinary,
            source_id: None,
        };
        (0..n).map(image).collect()
    }

    fn names(n: usize) -> Vec<String> {
        (0..n).map(|i| format!("p{i:02}")).collect()
    }

    proptest! {
        #[test]
        fn every_image_gets_its_annotators_and_everybody_as_much_as_everybody_else(
            n in 1_usize..80, people in 1_usize..9, classes in 1_usize..5, k in 1_usize..9, seed: u64
        ) {
            let overlap = 1 + (k - 1) % people;
            let (images, to) = (images(n, classes), names(people));
            let new = deal(&images, &to, &[], overlap, None, seed);
            let mut unique: HashSet<_> = new.iter().collect();
            prop_assert_eq!(unique.len(), n * overlap, "nobody gets an image twice");
            unique.retain(|assignment| assignment.image == images[0].id);
            prop_assert_eq!(unique.len(), overlap);
            let loads: Vec<usize> = to.iter().map(|p| new.iter().filter(|a| a.annotator == *p).count()).collect();
            prop_assert!(loads.iter().max().unwrap() - loads.iter().min().unwrap() <= 1, "{:?}", loads);
            for class in 0..classes {
                let of_class = |a: &&Assignment| images[usize::try_from(a.image.0 - 1).unwrap()].class == Some(class);
                let share = |p: &String| new.iter().filter(of_class).filter(|a| a.annotator == *p).count();
                let shares: Vec<usize> = to.iter().map(share).collect();
                prop_assert!(shares.iter().max().unwrap() - shares.iter().min().unwrap() <= 2, "{:?}", shares);
            }
            prop_assert_eq!(&deal(&images, &to, &[], overlap, None, seed), &new, "the same seed, the same deal");
            prop_assert!(deal(&images, &to, &new, overlap, None, seed + u64::from(seed < u64::MAX)).is_empty());
        }
    }

    #[test]
    fn a_larger_overlap_and_a_newcomer_get_what_is_missing_alone() {
        let (images, to) = (images(40, 4), names(5));
        let first = deal(&images, &to[..4], &[], 1, None, 7);
        let second = deal(&images, &to, &first, 2, None, 7);
        assert_eq!(second.len(), 40);
        let load = |p: &String| first.iter().chain(&second).filter(|a| a.annotator == *p).count();
        let loads: Vec<usize> = to.iter().map(load).collect();
        assert!(loads.iter().all(|load| (15..=17).contains(load)), "the newcomer caught up: {loads:?}");
    }

    #[test]
    fn a_limit_takes_the_same_number_of_every_class() {
        let images = images(40, 4);
        let new = deal(&images, &names(2), &[], 1, Some(12), 3);
        for class in 0..4 {
            let of_class = |a: &&Assignment| images[usize::try_from(a.image.0 - 1).unwrap()].class == Some(class);
            assert_eq!(new.iter().filter(of_class).count(), 3);
        }
    }

    #[test]
    fn who_shares_images_with_whom_is_left_to_chance() {
        let new = deal(&images(600, 1), &names(6), &[], 2, None, 1);
        let mut pairs: BTreeMap<ImageId, Vec<&str>> = BTreeMap::new();
        for assignment in &new {
            pairs.entry(assignment.image).or_default().push(&assignment.annotator);
        }
        let mut counts: BTreeMap<Vec<&str>, u32> = BTreeMap::new();
        for mut pair in pairs.into_values() {
            pair.sort_unstable();
            *counts.entry(pair).or_default() += 1;
        }
        assert_eq!(counts.len(), 15, "every pair of six meets");
        assert!(counts.values().all(|count| (20..=65).contains(count)), "{counts:?}");
    }
}
