//! What becomes of every item that both sides speak of: three-way over what they have in common.
//!
//! What one side alone changed is taken. What both changed to the same is left. Strokes of both on one mask are combined if
//! they share no pixel, for then their order does not matter. Everything else is a conflict, and nobody chooses silently:
//! it stays open, with all the entries that it hangs on, until somebody says whose word holds.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use rusqlite::Connection;

use super::{
    Take,
    conflict::{Conflict, describe_item, describe_removal},
    item::{Item, Value, read, same, value_after},
    sides::{Journals, Lone, Rows},
};
use crate::{
    domain::{AnnotationId, ImageId, InstanceId, Mask, Presence, RemarkKind, RemarkOn, Status, Taxonomy},
    store::{Change, Entry, EntryId, error::Fault, journal, undo::Direction},
};

/// What becomes of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// Theirs is taken, entry by entry.
    Follow,
    /// Their strokes are made on ours.
    Combine,
    /// Ours stays.
    Keep,
    /// Theirs takes the place of ours.
    Replace,
    /// Nobody has chosen.
    Open,
}

/// A row that one side removed and the other did not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum RowId {
    Image(ImageId),
    Instance(InstanceId),
    Annotation(AnnotationId),
}

impl RowId {
    pub(super) fn table(self) -> &'static str {
        match self {
            Self::Image(_) => "images",
            Self::Instance(_) => "instances",
            Self::Annotation(_) => "annotations",
        }
    }

    pub(super) fn number(self) -> i64 {
        match self {
            Self::Image(id) => id.0,
            Self::Instance(id) => id.0,
            Self::Annotation(id) => id.0,
        }
    }

    /// Whether `entry`, of the row's own side, changed it or what belongs to it.
    fn holds(self, entry: &Entry) -> bool {
        if matches!(entry.change, Change::Seen { .. }) {
            return false;
        }
        match self {
            Self::Image(id) => entry.image == Some(id),
            Self::Instance(id) => entry.instance == Some(id),
            Self::Annotation(id) => entry.annotation == Some(id),
        }
    }
}

/// Everything that was decided.
pub(super) struct Plan {
    /// By our numbers.
    pub(super) items: BTreeMap<Item, Decision>,
    /// Their numbers for the items above.
    pub(super) theirs: BTreeMap<Item, Item>,
    /// Their entries that stay out until a conflict is resolved, by place in `fresh`.
    pub(super) open: BTreeSet<usize>,
    /// Rows that they removed: their entry, our rows that are still there, and whether ours are removed too.
    pub(super) removals: BTreeMap<EntryId, (Vec<RowId>, bool)>,
    /// Our rows that a common entry had removed and they brought back.
    pub(super) returns: Vec<RowId>,
    /// Our removals that are taken back for what they did with the rows.
    pub(super) revivals: BTreeSet<EntryId>,
    pub(super) conflicts: Vec<Conflict>,
}

/// What the planning looks at.
pub(super) struct Sides<'a> {
    pub(super) ours: &'a Connection,
    pub(super) theirs: &'a Connection,
    pub(super) taxonomy: &'a Taxonomy,
    pub(super) journals: &'a Journals,
    pub(super) rows: &'a Rows,
}

type Choose<'a> = &'a mut dyn FnMut(&Conflict) -> Option<Take>;

impl Sides<'_> {
    pub(super) fn plan(&self, choose: Choose<'_>) -> Result<Plan, Fault> {
        let mut plan = Plan {
            items: BTreeMap::new(),
            theirs: BTreeMap::new(),
            open: BTreeSet::new(),
            removals: BTreeMap::new(),
            returns: Vec::new(),
            revivals: BTreeSet::new(),
            conflicts: Vec::new(),
        };
        let mut fresh: BTreeMap<Item, Vec<&Lone>> = BTreeMap::new();
        for lone in &self.journals.fresh {
            for item in &lone.items {
                if let Some(ours) = self.rows.ours(item) {
                    plan.theirs.insert(ours.clone(), item.clone());
                    fresh.entry(ours).or_default().push(lone);
                }
            }
        }
        for (item, theirs) in self.twin_items()? {
            plan.theirs.insert(item.clone(), theirs);
            fresh.entry(item).or_default();
        }
        let mut unseen: HashMap<&Item, Vec<&Lone>> = HashMap::new();
        for lone in &self.journals.unseen {
            for item in &lone.items {
                unseen.entry(item).or_default().push(lone);
            }
        }
        for (item, their_changes) in &fresh {
            let our_changes = unseen.get(item).map_or(&[][..], Vec::as_slice);
            let decision = self.decide(item, &plan.theirs[item], our_changes, their_changes)?;
            let decision = match decision {
                Some(decision) => decision,
                None => {
                    let conflict = describe_item(self, item, &plan.theirs[item], our_changes, their_changes)?;
                    settle(conflict, choose, &mut plan.conflicts)
                }
            };
            plan.items.insert(item.clone(), decision);
        }
        self.plan_removals(&mut plan, choose)?;
        self.spread(&mut plan);
        Ok(plan)
    }

    /// The items of annotations that were begun on both sides: whatever theirs says beyond a blank one.
    fn twin_items(&self) -> Result<Vec<(Item, Item)>, Fault> {
        let mut items = Vec::new();
        let twins = self.rows.annotations.iter().filter(|(_, ours)| self.rows.twins.contains_key(ours));
        for (&there, &here) in twins {
            items.extend(
                (0..self.taxonomy.attributes.len()).map(|a| (Item::Attribute(here, a), Item::Attribute(there, a))),
            );
            items.extend(
                crate::domain::Layer::all(self.taxonomy.attributes.len())
                    .map(|layer| (Item::Mask(here, layer), Item::Mask(there, layer))),
            );
            items.push((Item::Status(here), Item::Status(there)));
            items.extend(RemarkKind::ALL.map(|kind| {
                let of = |id| Item::Remark(RemarkOn::Annotation(id), kind);
                (of(here), of(there))
            }));
        }
        let mut said = Vec::new();
        for (ours, theirs) in items {
            if !is_blank(&read(self.theirs, &theirs)?) {
                said.push((ours, theirs));
            }
        }
        Ok(said)
    }

    /// Whether the item's annotation meets its twin for the first time, and then whether theirs knows ours already.
    fn twin(&self, item: &Item) -> Option<bool> {
        match item {
            Item::Attribute(id, _)
            | Item::Mask(id, _)
            | Item::Status(id)
            | Item::Remark(RemarkOn::Annotation(id), _) => self.rows.twins.get(id).copied(),
            _ => None,
        }
    }

    /// None for a conflict.
    fn decide(
        &self,
        item: &Item,
        theirs: &Item,
        our_changes: &[&Lone],
        their_changes: &[&Lone],
    ) -> Result<Option<Decision>, Fault> {
        let (ours_now, theirs_now) = (read(self.ours, item)?, read(self.theirs, theirs)?);
        if let Some(known) = self.twin(item)
            && !(known && our_changes.is_empty())
        {
            return Ok(if same(&ours_now, &theirs_now) || is_blank(&theirs_now) {
                Some(Decision::Keep)
            } else if is_blank(&ours_now) {
                Some(Decision::Follow)
            } else {
                None
            });
        }
        if our_changes.is_empty() {
            return Ok(Some(Decision::Follow));
        }
        if same(&ours_now, &theirs_now) {
            return Ok(Some(Decision::Keep));
        }
        if let (Value::Mask(ours_now), Value::Mask(theirs_now)) = (&ours_now, &theirs_now) {
            return self.decide_mask(ours_now.as_ref(), theirs_now.as_ref(), our_changes, their_changes);
        }
        // Where the two last agreed: the value after the newest entry about it that both have.
        let here = |id: EntryId| self.journals.our_common.contains(&id);
        let there = |id: EntryId| self.journals.common.contains_key(&id);
        let our_base = first_after_common(self.ours, item, &here, our_changes)?;
        let their_base = first_after_common(self.theirs, theirs, &there, their_changes)?;
        let (our_base, their_base) = match (our_base, their_base) {
            (Some(ours), Some(theirs)) => (ours, theirs),
            // One of them has changed nothing since.
            (Some(_), None) => return Ok(Some(Decision::Keep)),
            (None, _) => return Ok(Some(Decision::Follow)),
        };
        let base = before(our_base, item);
        Ok(match (base, before(their_base, theirs)) {
            (Some(a), Some(b)) if same(&a, &b) && same(&a, &theirs_now) => Some(Decision::Keep),
            (Some(a), Some(b)) if same(&a, &b) && same(&a, &ours_now) => Some(Decision::Follow),
            _ => None,
        })
    }

    fn decide_mask(
        &self,
        ours: Option<&Mask>,
        theirs: Option<&Mask>,
        our_changes: &[&Lone],
        their_changes: &[&Lone],
    ) -> Result<Option<Decision>, Fault> {
        let damaged = |error: rival10_sdk::MaskError| Fault::Stored(error.to_string());
        let (Some(ours), Some(theirs)) = (ours, theirs) else { return Ok(None) };
        let sum = |connection: &Connection, changes: &[&Lone]| -> Result<Mask, Fault> {
            changes.iter().try_fold(Mask::empty(ours.size()), |sum, lone| {
                sum.symmetric_difference(&delta_of(connection, lone)?).map_err(damaged)
            })
        };
        let (our_delta, their_delta) = (sum(self.ours, our_changes)?, sum(self.theirs, their_changes)?);
        let base = ours.symmetric_difference(&our_delta).map_err(damaged)?;
        let their_base = theirs.symmetric_difference(&their_delta).map_err(damaged)?;
        Ok(if base != their_base {
            None
        } else if their_delta.is_empty() {
            Some(Decision::Keep)
        } else if our_delta.is_empty() {
            Some(Decision::Follow)
        } else if our_delta.intersection_area(&their_delta).map_err(damaged)? == 0 {
            Some(Decision::Combine)
        } else {
            None
        })
    }

    /// Rows that are there on one side alone.
    fn plan_removals(&self, plan: &mut Plan, choose: Choose<'_>) -> Result<(), Fault> {
        let images = self.rows.images.iter().map(|(t, o)| (RowId::Image(*t), RowId::Image(*o)));
        let instances = self.rows.instances.iter().map(|(t, o)| (RowId::Instance(*t), RowId::Instance(*o)));
        let annotations = self.rows.annotations.iter().map(|(t, o)| (RowId::Annotation(*t), RowId::Annotation(*o)));
        let mut pairs: Vec<(RowId, RowId)> = images.chain(instances).chain(annotations).collect();
        pairs.sort();
        let ours_known: BTreeSet<EntryId> = self.journals.unseen.iter().map(|lone| lone.entry.id).collect();
        let mut ours_removed: BTreeMap<EntryId, Vec<(RowId, RowId)>> = BTreeMap::new();
        for (there, here) in pairs {
            match (removed_by(self.theirs, there)?, removed_by(self.ours, here)?) {
                (Some(by), None) if !self.journals.common.contains_key(&by) => {
                    plan.removals.entry(by).or_default().0.push(here);
                }
                // Gone here already: their removal is known, and removes nothing. A second one would stand in the way of
                // whoever takes ours back.
                (Some(by), Some(_)) if !self.journals.common.contains_key(&by) => {
                    plan.removals.entry(by).or_default();
                }
                (None, Some(by)) if ours_known.contains(&by) => {
                    ours_removed.entry(by).or_default().push((there, here));
                }
                (None, Some(_)) => plan.returns.push(here),
                _ => {}
            }
        }
        let mut left_out = Vec::new();
        for (by, (rows, applies)) in &mut plan.removals {
            let edited = self.journals.unseen.iter().find(|lone| rows.iter().any(|row| row.holds(&lone.entry)));
            *applies = !rows.is_empty();
            if let Some(edit) = edited {
                let conflict = describe_removal(self, rows[0], false, *by, edit)?;
                match settle(conflict, choose, &mut plan.conflicts) {
                    Decision::Replace => {}
                    decision => {
                        *applies = false;
                        if decision == Decision::Open {
                            left_out.push(*by);
                        }
                    }
                }
            }
        }
        for by in left_out {
            plan.removals.remove(&by);
            plan.open.extend(self.journals.fresh.iter().position(|lone| lone.entry.id == by));
        }
        for (by, rows) in ours_removed {
            let inside = |lone: &&Lone| rows.iter().any(|(there, _)| there.holds(&lone.entry));
            let Some(edit) = self.journals.fresh.iter().find(inside) else { continue };
            let conflict = describe_removal(self, rows[0].1, true, by, edit)?;
            match settle(conflict, choose, &mut plan.conflicts) {
                Decision::Replace => _ = plan.revivals.insert(by),
                Decision::Open => {
                    let inside = self.journals.fresh.iter().enumerate().filter(|(_, lone)| inside(lone));
                    plan.open.extend(inside.map(|(place, _)| place));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// An entry stays out if one of its items is open, and an item is open if one of its entries stays out.
    fn spread(&self, plan: &mut Plan) {
        loop {
            let before = (plan.open.len(), plan.items.values().filter(|d| **d == Decision::Open).count());
            for (place, lone) in self.journals.fresh.iter().enumerate() {
                let items: Vec<Item> = lone.items.iter().filter_map(|item| self.rows.ours(item)).collect();
                let is_open = |item: &Item| plan.items.get(item) == Some(&Decision::Open);
                if plan.open.contains(&place) || items.iter().any(is_open) {
                    plan.open.insert(place);
                    for item in items {
                        plan.items.insert(item, Decision::Open);
                    }
                }
            }
            if before == (plan.open.len(), plan.items.values().filter(|d| **d == Decision::Open).count()) {
                return;
            }
        }
    }
}

/// Asks whose word holds, and notes the conflict with the answer.
fn settle(mut conflict: Conflict, choose: Choose<'_>, conflicts: &mut Vec<Conflict>) -> Decision {
    conflict.taken = choose(&conflict);
    let decision = match conflict.taken {
        Some(Take::Ours) => Decision::Keep,
        Some(Take::Theirs) => Decision::Replace,
        None => Decision::Open,
    };
    conflicts.push(conflict);
    decision
}

fn is_blank(value: &Value) -> bool {
    matches!(
        value,
        Value::Presence(Presence::NotJudged)
            | Value::Mask(None)
            | Value::Status(Status::Draft, _)
            | Value::Remark(None)
    )
}

/// The first of `changes` after the newest entry about `item` that both sides have.
fn first_after_common<'a>(
    connection: &Connection,
    item: &Item,
    is_common: &dyn Fn(EntryId) -> bool,
    changes: &[&'a Lone],
) -> Result<Option<&'a Lone>, Fault> {
    let (image, ..) = super::item::place(connection, item)?;
    let mut query = connection.prepare_cached("SELECT id FROM journal WHERE image IS ?1 ORDER BY id DESC")?;
    let ids: Vec<i64> = query.query_map([image.map(|id| id.0)], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let mut newest = EntryId(0);
    for id in ids.into_iter().map(EntryId).filter(|id| is_common(*id)) {
        let entry = journal::entry(connection, id)?;
        let (original, _) = crate::store::undo::origin(connection, &entry)?;
        if super::item::items_of(connection, &original)?.contains(item) {
            newest = id;
            break;
        }
    }
    Ok(changes.iter().copied().find(|lone| lone.entry.id > newest))
}

/// What `item` was before `lone` set it.
fn before(lone: &Lone, item: &Item) -> Option<Value> {
    value_after(&lone.original, lone.effect.other(), item)
}

/// The pixels that an entry changed.
pub(super) fn delta_of(connection: &Connection, lone: &Lone) -> Result<Mask, Fault> {
    let bytes = journal::delta(connection, lone.original.id)?;
    Mask::from_bytes(&bytes).map_err(|error| Fault::Stored(error.to_string()))
}

/// Whether a mask is there after `lone`.
pub(super) fn mask_is_there(lone: &Lone) -> bool {
    match &lone.original.change {
        Change::SetMask { from, to, .. } => lone.effect.pick(from, to).is_some(),
        _ => lone.effect == Direction::Forth,
    }
}

/// The entry that removed `row`; None if it is there.
pub(super) fn removed_by(connection: &Connection, row: RowId) -> Result<Option<EntryId>, Fault> {
    let mut query = connection.prepare_cached(&format!("SELECT removed FROM {} WHERE id = ?1", row.table()))?;
    Ok(query.query_row([row.number()], |row| row.get::<_, Option<i64>>(0))?.map(EntryId))
}
