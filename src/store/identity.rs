//! What rows are called in every copy of a project, whatever their numbers are in this one.

use std::{collections::BTreeMap, fmt};

use rusqlite::{
    ToSql,
    types::{FromSql, FromSqlResult, ToSqlOutput, ValueRef},
};

use super::{Store, StoreError};
use crate::domain::{ImageId, InstanceId};

/// A row's name in every copy of its project: 16 random bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Uid(pub(super) [u8; 16]);

impl fmt::Display for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromSql for Uid {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        <[u8; 16]>::column_result(value).map(Self)
    }
}

impl ToSql for Uid {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(&self.0[..]))
    }
}

/// The names of a project's images and instances.
#[derive(Clone, Debug, Default)]
pub struct Identities {
    /// Of the images that are there.
    pub images: BTreeMap<Uid, ImageId>,
    /// Of the instances that are there.
    pub instances: BTreeMap<InstanceId, Uid>,
}

impl Store {
    /// What its images and instances are called in every copy.
    ///
    /// # Errors
    /// [`StoreError`] if the project can't be read.
    pub fn identities(&self) -> Result<Identities, StoreError> {
        self.read(|connection| {
            let mut identities = Identities::default();
            let mut query = connection.prepare_cached("SELECT uid, id FROM images WHERE removed IS NULL")?;
            let mut rows = query.query([])?;
            while let Some(row) = rows.next()? {
                identities.images.insert(row.get(0)?, ImageId(row.get(1)?));
            }
            let mut query = connection.prepare_cached("SELECT id, uid FROM instances WHERE removed IS NULL")?;
            let mut rows = query.query([])?;
            while let Some(row) = rows.next()? {
                identities.instances.insert(InstanceId(row.get(0)?), row.get(1)?);
            }
            Ok(identities)
        })
    }
}
