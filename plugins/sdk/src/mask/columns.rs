//! A mask seen column by column, in time that its runs take and not its width.

use super::Mask;

/// What comes next, from left to right.
pub(super) enum Columns<'a> {
    /// So many whole columns, all of them inside or all outside.
    Alike {
        /// How many: 1 or more.
        count: u32,
        /// Their value.
        inside: bool,
    },
    /// One column of both values: the rows, ascending, from which the value is another. It begins outside.
    Mixed(&'a [u32]),
}

impl Mask {
    /// Shows every column once.
    pub(super) fn each_column(&self, mut see: impl FnMut(Columns<'_>)) {
        let height = self.size.height;
        if height == 0 {
            return;
        }
        let mut edges = Vec::new();
        // Rows of the current column that the runs before have covered.
        let mut covered = 0;
        for (i, &run) in self.runs.iter().enumerate() {
            let inside = i % 2 == 1;
            let mut left = run;
            if covered > 0 {
                let part = left.min(height - covered);
                edges.push(covered);
                covered += part;
                left -= part;
                if covered < height {
                    continue;
                }
                see(Columns::Mixed(&edges));
                edges.clear();
            }
            let count = left / height;
            if count > 0 {
                see(Columns::Alike { count, inside });
            }
            covered = left % height;
            if covered > 0 && inside {
                edges.push(0);
            }
        }
    }
}
