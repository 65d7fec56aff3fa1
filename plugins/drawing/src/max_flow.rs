//! The smallest cut of a grid of pixels between a source and a sink, by Boykov and Kolmogorov's algorithm ("An experimental
//! comparison of min-cut/max-flow algorithms for energy minimization in vision", 2004): two trees grow from the terminals
//! until they touch, the path between them is filled, and what that cuts off is adopted again.

use std::collections::VecDeque;

/// The neighbours of a pixel; the opposite of `d` is `(d + 4) % 8`.
pub(crate) const NEIGHBOURS: [(i64, i64); 8] = [(1, 0), (1, 1), (0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -1), (1, -1)];

/// Which tree a node is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tree {
    None,
    Source,
    Sink,
}

/// How a node hangs in its tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Parent {
    None,
    Terminal,
    Neighbour(u8),
}

/// A grid with a capacity from each pixel to each neighbour, and one to each terminal.
pub(crate) struct Grid {
    width: usize,
    height: usize,
    /// What is left of the way to each neighbour.
    links: Vec<[f32; 8]>,
    /// What is left of the way from the source (positive) or to the sink (negative).
    terminal: Vec<f32>,
    tree: Vec<Tree>,
    parent: Vec<Parent>,
    active: VecDeque<usize>,
    orphans: VecDeque<usize>,
    /// When a node's way to its terminal was looked at last, and how long it was.
    seen: Vec<(u32, u32)>,
    time: u32,
}

impl Grid {
    /// A grid without any capacity.
    pub(crate) fn new(width: usize, height: usize) -> Self {
        let nodes = width * height;
        Self {
            width,
            height,
            links: vec![[0.0; 8]; nodes],
            terminal: vec![0.0; nodes],
            tree: vec![Tree::None; nodes],
            parent: vec![Parent::None; nodes],
            active: VecDeque::new(),
            orphans: VecDeque::new(),
            seen: vec![(0, 0); nodes],
            time: 0,
        }
    }

    /// Gives a pixel what it costs to be on the sink's side, and what it costs to be on the source's.
    pub(crate) fn set_terminals(&mut self, node: usize, from_source: f32, to_sink: f32) {
        self.terminal[node] = from_source - to_sink;
    }

    /// Gives a pair of neighbours what it costs to be on different sides; `direction` is one of the first four.
    pub(crate) fn set_link(&mut self, node: usize, direction: usize, capacity: f32) {
        if let Some(other) = self.neighbour(node, direction) {
            self.links[node][direction] = capacity;
            self.links[other][(direction + 4) % 8] = capacity;
        }
    }

    /// The pixel next to `node`, if the grid has it.
    pub(crate) fn neighbour(&self, node: usize, direction: usize) -> Option<usize> {
        let (dx, dy) = NEIGHBOURS[direction];
        let x = (node % self.width).checked_add_signed(dx as isize).filter(|&x| x < self.width)?;
        let y = (node / self.width).checked_add_signed(dy as isize).filter(|&y| y < self.height)?;
        Some(y * self.width + x)
    }

    /// Finds the cut; true for each pixel on the source's side.
    pub(crate) fn cut(mut self) -> Vec<bool> {
        for node in 0..self.terminal.len() {
            if self.terminal[node] != 0.0 {
                self.tree[node] = if self.terminal[node] > 0.0 { Tree::Source } else { Tree::Sink };
                self.parent[node] = Parent::Terminal;
                self.active.push_back(node);
            }
        }
        while let Some((from, direction)) = self.grow() {
            self.time += 1;
            self.augment(from, direction);
            while let Some(orphan) = self.orphans.pop_front() {
                self.adopt(orphan);
            }
        }
        self.tree.iter().map(|tree| *tree == Tree::Source).collect()
    }

    /// What is left of the way between a node and its neighbour, in the direction of the flow of the node's tree.
    fn left(&self, node: usize, direction: usize, other: usize) -> f32 {
        match self.tree[node] {
            Tree::Sink => self.links[other][(direction + 4) % 8],
            _ => self.links[node][direction],
        }
    }

    /// Grows the trees until they touch: a node of the source's tree and the direction of one of the sink's.
    fn grow(&mut self) -> Option<(usize, usize)> {
        while let Some(&node) = self.active.front() {
            if self.tree[node] != Tree::None {
                for direction in 0..8 {
                    let Some(other) = self.neighbour(node, direction) else { continue };
                    if self.left(node, direction, other) <= 0.0 {
                        continue;
                    }
                    if self.tree[other] == Tree::None {
                        self.tree[other] = self.tree[node];
                        self.parent[other] = Parent::Neighbour(((direction + 4) % 8) as u8);
                        self.seen[other] = (self.seen[node].0, self.seen[node].1 + 1);
                        self.active.push_back(other);
                    } else if self.tree[other] != self.tree[node] {
                        return Some(match self.tree[node] {
                            Tree::Source => (node, direction),
                            _ => (other, (direction + 4) % 8),
                        });
                    }
                }
            }
            self.active.pop_front();
        }
        None
    }

    /// Fills the path over the link from `from`, and makes orphans of the nodes whose way is full.
    fn augment(&mut self, from: usize, direction: usize) {
        let Some(to) = self.neighbour(from, direction) else { return };
        let mut flow = self.links[from][direction];
        for (start, source) in [(from, true), (to, false)] {
            let mut node = start;
            while let Parent::Neighbour(up) = self.parent[node] {
                let Some(parent) = self.neighbour(node, up.into()) else { break };
                let up = usize::from(up);
                let left = if source { self.links[parent][(up + 4) % 8] } else { self.links[node][up] };
                flow = flow.min(left);
                node = parent;
            }
            flow = flow.min(self.terminal[node].abs());
        }
        self.links[from][direction] -= flow;
        self.links[to][(direction + 4) % 8] += flow;
        for (start, source) in [(from, true), (to, false)] {
            let mut node = start;
            while let Parent::Neighbour(up) = self.parent[node] {
                let up = usize::from(up);
                let Some(parent) = self.neighbour(node, up) else { break };
                let (forth, back) = if source { (parent, node) } else { (node, parent) };
                let (there, here) = if source { ((up + 4) % 8, up) } else { (up, (up + 4) % 8) };
                self.links[forth][there] -= flow;
                self.links[back][here] += flow;
                if self.links[forth][there] <= 0.0 {
                    self.parent[node] = Parent::None;
                    self.orphans.push_back(node);
                }
                node = parent;
            }
            self.terminal[node] -= if source { flow } else { -flow };
            let full = if source { self.terminal[node] <= 0.0 } else { self.terminal[node] >= 0.0 };
            if full {
                self.parent[node] = Parent::None;
                self.orphans.push_back(node);
            }
        }
    }

    /// Finds an orphan a new parent in its tree, the one nearest to the terminal, or lets it go free.
    fn adopt(&mut self, orphan: usize) {
        let mut best: Option<(u32, u8)> = None;
        for direction in 0..8 {
            let Some(other) = self.neighbour(orphan, direction) else { continue };
            if self.tree[other] != self.tree[orphan] || self.parent[other] == Parent::None {
                continue;
            }
            // The way from the other to the orphan, for the source's tree; from the orphan to the other, for the sink's.
            let left = match self.tree[orphan] {
                Tree::Source => self.links[other][(direction + 4) % 8],
                _ => self.links[orphan][direction],
            };
            if left > 0.0
                && let Some(distance) = self.distance(other)
                && best.is_none_or(|(nearest, _)| distance < nearest)
            {
                best = Some((distance, direction as u8));
            }
        }
        if let Some((distance, direction)) = best {
            self.parent[orphan] = Parent::Neighbour(direction);
            self.seen[orphan] = (self.time, distance + 1);
            return;
        }
        let tree = self.tree[orphan];
        for direction in 0..8 {
            let Some(other) = self.neighbour(orphan, direction) else { continue };
            if self.tree[other] != tree {
                continue;
            }
            let left = match tree {
                Tree::Source => self.links[other][(direction + 4) % 8],
                _ => self.links[orphan][direction],
            };
            if left > 0.0 {
                self.active.push_back(other);
            }
            if self.parent[other] == Parent::Neighbour(((direction + 4) % 8) as u8) {
                self.parent[other] = Parent::None;
                self.orphans.push_back(other);
            }
        }
        self.tree[orphan] = Tree::None;
    }

    /// How far a node is from its terminal; none if its way there is cut.
    fn distance(&mut self, node: usize) -> Option<u32> {
        let mut way = Vec::new();
        let mut at = node;
        let mut distance = loop {
            if self.seen[at].0 == self.time && self.parent[at] != Parent::None && self.time > 0 {
                break self.seen[at].1;
            }
            match self.parent[at] {
                Parent::None => return None,
                Parent::Terminal => {
                    self.seen[at] = (self.time, 1);
                    break 1;
                }
                Parent::Neighbour(up) => {
                    way.push(at);
                    at = self.neighbour(at, up.into())?;
                }
            }
        };
        for &node in way.iter().rev() {
            distance += 1;
            self.seen[node] = (self.time, distance);
        }
        Some(distance)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What a division costs, by its definition.
    fn cost(width: usize, height: usize, terminals: &[(u8, u8)], links: &[[u8; 4]], side: &[bool]) -> f32 {
        let grid = Grid::new(width, height);
        let mut cost = 0.0;
        for node in 0..width * height {
            cost += f32::from(if side[node] { terminals[node].1 } else { terminals[node].0 });
            for (direction, &link) in links[node].iter().enumerate() {
                if let Some(other) = grid.neighbour(node, direction)
                    && side[node] != side[other]
                {
                    cost += f32::from(link);
                }
            }
        }
        cost
    }

    proptest! {
        #[test]
        fn no_division_of_a_small_grid_costs_less_than_the_cut(
            width in 1_usize..5, height in 1_usize..4,
            terminals in prop::collection::vec((0_u8..20, 0_u8..20), 12),
            links in prop::collection::vec(prop::array::uniform4(0_u8..12), 12),
        ) {
            let nodes = width * height;
            let mut grid = Grid::new(width, height);
            for node in 0..nodes {
                grid.set_terminals(node, terminals[node].0.into(), terminals[node].1.into());
                for (direction, &link) in links[node].iter().enumerate() {
                    grid.set_link(node, direction, link.into());
                }
            }
            let cut = grid.cut();
            let found = cost(width, height, &terminals, &links, &cut);
            let least = (0..1_u32 << nodes)
                .map(|set| {
                    let side: Vec<bool> = (0..nodes).map(|node| set >> node & 1 == 1).collect();
                    cost(width, height, &terminals, &links, &side)
                })
                .fold(f32::INFINITY, f32::min);
            prop_assert_eq!(found, least);
        }
    }
}
