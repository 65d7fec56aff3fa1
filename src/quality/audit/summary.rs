//! Many comparisons in a few numbers.

use std::collections::BTreeMap;

use rival10_stats::MaskAgreement;

use super::Compared;

/// What `compared` come to; none of nothing.
pub fn summary<'a>(compared: impl Iterator<Item = &'a Compared>) -> Option<MaskAgreement> {
    MaskAgreement::of(compared.map(|one| &one.agreement))
}

/// The summary of each group that `key` makes, in the order of the keys.
pub fn summarise<K: Ord>(compared: &[Compared], key: impl Fn(&Compared) -> K) -> Vec<(K, MaskAgreement)> {
    let mut groups: BTreeMap<K, Vec<&Compared>> = BTreeMap::new();
    for one in compared {
        groups.entry(key(one)).or_default().push(one);
    }
    groups.into_iter().filter_map(|(key, group)| Some((key, summary(group.into_iter())?))).collect()
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
pub(super) fn count(n: usize) -> f64 {
    n as f64
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            Comparisons,
            comparison::tests::{annotation, said, square},
        },
        *,
    };
    use crate::domain::Layer;

    #[test]
    fn each_group_has_its_own_summary() {
        let object = |mask| annotation(1, &[], &[(Layer::Object, mask)]);
        let all = [object(square(0, 20)), object(square(0, 20)), object(square(0, 10))];
        let compared = Comparisons::of(&said(&all), None, 2.0).compared;
        assert_eq!(summary(compared.iter()).map(|all| (all.masks, all.iou)), Some((3, 0.5)));
        let by_pair = summarise(&compared, |c| c.pair);
        assert_eq!(
            by_pair.iter().map(|(pair, s)| (*pair, s.iou)).collect::<Vec<_>>(),
            [([0, 1], 1.0), ([0, 2], 0.25), ([1, 2], 0.25)]
        );
        assert!(summarise(&[], |c| c.class).is_empty());
        assert_eq!(summary([].iter()), None);
    }
}
