//! What stands in an undo's way: something later that still holds and touches the same thing.

use std::collections::HashMap;

use super::{
    super::{Change, Entry, EntryId, StoreError, error::Fault, journal},
    Step, origin,
};

impl Step<'_> {
    pub(super) fn blocked(&self, by: &Entry) -> Fault {
        let kind = by.change.kind();
        StoreError::Blocked { entry: self.undone.id, by: by.id, kind }.into()
    }

    /// Fails if something later that still holds touches what the change touches.
    pub(super) fn refuse_if_built_upon(&self) -> Result<(), Fault> {
        let mut chains: HashMap<EntryId, (Entry, u32, EntryId)> = HashMap::new();
        for entry in self.later()? {
            let (original, _) = origin(self.tx, &entry)?;
            let chain = chains.entry(original.id).or_insert((original, 0, entry.id));
            chain.1 += 1;
            chain.2 = chain.2.max(entry.id);
        }
        // An odd number of later members: the chain stands otherwise than it stood when `undone` was written.
        let mut standing: Vec<_> = chains.into_values().filter(|(_, members, _)| members % 2 == 1).collect();
        standing.sort_by_key(|(_, _, last)| std::cmp::Reverse(*last));
        for (other, _, last) in standing {
            if self.conflicts(&other)? {
                return Err(self.blocked(&journal::entry(self.tx, last)?));
            }
        }
        Ok(())
    }

    /// The later entries that may touch the same thing.
    fn later(&self) -> Result<Vec<Entry>, Fault> {
        let about = match (&self.original.change, self.original.image) {
            (Change::Import { .. }, _) => {
                "journal.image IN (SELECT image FROM instances WHERE added = ?2 UNION SELECT id FROM images WHERE added = ?2
                                   UNION SELECT image FROM annotations WHERE added = ?2)"
            }
            (_, Some(_)) => "journal.image = ?2",
            (_, None) => "journal.image IS NULL AND ?2 IS NULL",
        };
        let which = match (&self.original.change, self.original.image) {
            (Change::Import { .. }, _) => Some(self.original.id.0),
            (_, image) => image.map(|id| id.0),
        };
        let sql = format!("{} WHERE journal.id > ?1 AND {about}", journal::SELECT);
        let mut query = self.tx.prepare_cached(&sql)?;
        let mut rows = query.query((self.undone.id.0, which))?;
        let mut entries = Vec::new();
        while let Some(row) = rows.next()? {
            entries.push(journal::entry_from(row)?);
        }
        Ok(entries)
    }

    /// Whether the change of `other`, an original entry, touches what this one touches.
    fn conflicts(&self, other: &Entry) -> Result<bool, Fault> {
        if matches!(self.original.change, Change::Import { .. }) {
            return self.import_holds(other);
        }
        let (mine, theirs) = (places(self.original), places(other));
        let meet = |a: &str, b: &str| a.starts_with(b) || b.starts_with(a);
        if !mine.iter().any(|mine| theirs.iter().any(|theirs| meet(mine, theirs))) {
            return Ok(false);
        }
        match (&self.original.change, &other.change) {
            (
                Change::SetMask { from: Some(_), to: Some(_), .. },
                Change::SetMask { from: Some(_), to: Some(_), .. },
            ) => {
                let (a, b) = (self.delta(self.original.id)?, self.delta(other.id)?);
                let shared = a.intersection_area(&b).map_err(|error| Fault::Stored(error.to_string()))?;
                Ok(shared > 0)
            }
            _ => Ok(true),
        }
    }

    /// Whether `other` is about something that the import added.
    fn import_holds(&self, other: &Entry) -> Result<bool, Fault> {
        let holds = |table: &str, id: Option<i64>| -> Result<bool, Fault> {
            let Some(id) = id else { return Ok(false) };
            let sql = format!("SELECT added = ?1 FROM {table} WHERE id = ?2");
            Ok(self.tx.prepare_cached(&sql)?.query_row([self.original.id.0, id], |row| row.get(0))?)
        };
        Ok(holds("images", other.image.map(|id| id.0))?
            || holds("instances", other.instance.map(|id| id.0))?
            || holds("annotations", other.annotation.map(|id| id.0))?)
    }
}

/// What an original entry's change touches, as paths that end in `/`: one is a prefix of another exactly if a change to
/// the one is a change to the other. An import has none; it is asked for by the rows that name it.
fn places(entry: &Entry) -> Vec<String> {
    let number = |id: Option<i64>| id.map_or_else(|| "?".to_owned(), |id| id.to_string());
    let image = format!("image/{}/", number(entry.image.map(|id| id.0)));
    let instance = format!("{image}instance/{}/", number(entry.instance.map(|id| id.0)));
    let annotation = format!("{instance}annotation/{}/", number(entry.annotation.map(|id| id.0)));
    match &entry.change {
        Change::AddInstance { .. } | Change::RemoveInstance {} => vec![instance],
        Change::AddAnnotation {} | Change::RemoveAnnotation {} => vec![annotation],
        Change::SetAttribute { attribute, .. } => vec![format!("{annotation}attribute/{attribute}/")],
        Change::SetMask { .. } => {
            let layer = entry.layer.map_or_else(String::new, |layer| layer.to_string());
            vec![format!("{annotation}mask/{layer}/")]
        }
        Change::SetStatus { .. } => vec![format!("{annotation}status/")],
        Change::SetClass { image_too, .. } => {
            let mut places = vec![format!("{instance}class/")];
            if *image_too {
                places.push(format!("{image}class/"));
            }
            places
        }
        Change::SetRemark { remark, .. } => {
            let on = if entry.annotation.is_some() { &annotation } else { &image };
            vec![format!("{on}{}/", remark.name())]
        }
        Change::SetImageClass { .. } => vec![format!("{image}class/")],
        Change::SetSplit { .. } => vec![format!("{image}split/")],
        Change::Withdraw { annotator } => vec![format!("{image}assigned/{annotator}/")],
        Change::SetGold { .. } => vec![format!("{image}gold/")],
        Change::Release { name, .. } => vec![format!("release/{name}/")],
        Change::SetRoot { name, .. } => vec![format!("root/{name}/")],
        Change::Relink { images } => images.iter().map(|moved| format!("file/{}/", moved.image)).collect(),
        Change::AddModel(model) | Change::RemoveModel(model) => vec![format!("model/{}/", model.name)],
        Change::Import { .. }
        | Change::Assign { .. }
        | Change::AddAnnotator { .. }
        | Change::Seen { .. }
        | Change::Merge { .. }
        | Change::UndoMerge { .. }
        | Change::Undo {} => Vec::new(),
    }
}
