//! What everything passes through.

/// By node of an acyclic graph: the last node, other than itself, that every path from node 0 to it passes through.
///
/// `inputs` lists the nodes that each node is fed by, all with smaller numbers. Node 0, and a node that nothing leads to,
/// have node 0. K. Cooper, T. Harvey and K. Kennedy, "A Simple, Fast Dominance Algorithm", 2001: without cycles one pass
/// is enough.
pub(crate) fn dominators<'a>(inputs: impl Iterator<Item = &'a [usize]>) -> Vec<usize> {
    let mut immediate: Vec<usize> = Vec::new();
    for (node, inputs) in inputs.enumerate() {
        let meet = |immediate: &[usize], mut a: usize, mut b: usize| {
            while a != b {
                if a > b {
                    a = immediate[a];
                } else {
                    b = immediate[b];
                }
            }
            a
        };
        let dominator = inputs.iter().copied().filter(|&input| input < node).reduce(|a, b| meet(&immediate, a, b));
        immediate.push(dominator.unwrap_or(0));
    }
    immediate
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(inputs: &[Vec<usize>]) -> Vec<usize> {
        dominators(inputs.iter().map(Vec::as_slice))
    }

    #[test]
    fn a_residual_block_is_passed_through_at_its_ends_alone() {
        // 0 → 1 → 2 → 3 = 2 + 1 → 4
        assert_eq!(of(&[vec![], vec![0], vec![1], vec![2, 1], vec![3]]), [0, 0, 1, 1, 3]);
    }

    /// Whether `to` can be reached from node 0 without `without`.
    fn reached_without(inputs: &[Vec<usize>], to: usize, without: usize) -> bool {
        to != without && (to == 0 || inputs[to].iter().any(|&input| reached_without(inputs, input, without)))
    }

    proptest! {
        #[test]
        fn a_dominator_is_what_no_path_avoids(picks in proptest::collection::vec((0usize..100, 0usize..100), 1..12)) {
            let mut inputs = vec![Vec::new()];
            inputs.extend(picks.iter().enumerate().map(|(i, &(a, b))| vec![a % (i + 1), b % (i + 1)]));
            let immediate = of(&inputs);
            for (node, immediate) in immediate.iter().enumerate().skip(1) {
                let passed: Vec<usize> = (0..node).filter(|&other| !reached_without(&inputs, node, other)).collect();
                prop_assert_eq!(Some(immediate), passed.last());
            }
        }
    }
}
