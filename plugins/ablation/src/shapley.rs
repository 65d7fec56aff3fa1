//! Exact Shapley values of a game of few players.
//!
//! phi_i = sum over coalitions S without i of |S|! (r - |S| - 1)! / r! * (v(S + i) - v(S)): the only way to share v(all) -
//! v(none) out that treats like players alike and gives nothing to one who changes nothing (L. S. Shapley, "A value for
//! n-person games", 1953).

/// The Shapley value of each of `players`; `values` holds v by coalition, bit i of the index standing for player i.
///
/// # Panics
/// If there are not 2^players values.
#[must_use]
pub fn shapley(players: usize, values: &[f64]) -> Vec<f64> {
    assert_eq!(values.len(), 1 << players, "a value a coalition");
    let weights: Vec<f64> = (0..players).map(|size| weight(players, size)).collect();
    let value = |i: usize| {
        let without = (0..values.len()).filter(|coalition| coalition >> i & 1 == 0);
        without
            .map(|coalition: usize| {
                weights[coalition.count_ones() as usize] * (values[coalition | 1 << i] - values[coalition])
            })
            .sum()
    };
    (0..players).map(value).collect()
}

/// size! (players - size - 1)! / players!, which is 1 / (players * C(players - 1, size)).
fn weight(players: usize, size: usize) -> f64 {
    let choose = (0..size).fold(1.0, |c, i| c * count(players - 1 - i) / count(i + 1));
    1.0 / (count(players) * choose)
}

#[expect(clippy::cast_precision_loss, reason = "a dozen players")]
fn count(n: usize) -> f64 {
    n as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The mean over all orders of what a player adds when it comes.
    fn by_orders(players: usize, values: &[f64]) -> Vec<f64> {
        fn orders(left: &[usize]) -> Vec<Vec<usize>> {
            if left.is_empty() {
                return vec![Vec::new()];
            }
            let with_first = |&first: &usize| {
                let rest: Vec<usize> = left.iter().copied().filter(|&p| p != first).collect();
                orders(&rest).into_iter().map(move |rest| [vec![first], rest].concat())
            };
            left.iter().flat_map(with_first).collect()
        }
        let orders = orders(&(0..players).collect::<Vec<_>>());
        let mut sums = vec![0.0; players];
        for order in &orders {
            let mut coalition = 0;
            for &player in order {
                sums[player] += values[coalition | 1 << player] - values[coalition];
                coalition |= 1 << player;
            }
        }
        sums.into_iter().map(|sum| sum / count(orders.len())).collect()
    }

    #[test]
    fn values_are_means_over_all_orders_and_share_out_the_whole() {
        for players in 1..=5 {
            let values: Vec<f64> = (0..1_u32 << players).map(|s| f64::from(s * 37 % 23) / 23.0).collect();
            let found = shapley(players, &values);
            for (a, b) in found.iter().zip(by_orders(players, &values)) {
                assert!((a - b).abs() < 1e-12, "{players} players");
            }
            let whole = values.last().unwrap() - values[0];
            assert!((found.iter().sum::<f64>() - whole).abs() < 1e-12);
        }
        assert!(shapley(0, &[1.0]).is_empty());
    }

    #[test]
    fn a_glove_game_is_shared_as_the_textbooks_have_it() {
        // Player 0 has a left glove, players 1 and 2 a right one each; a pair is worth 1.
        let values: Vec<f64> = (0..8).map(|s| if s & 1 == 1 && s > 1 { 1.0 } else { 0.0 }).collect();
        let found = shapley(3, &values);
        for (a, b) in found.iter().zip([4.0 / 6.0, 1.0 / 6.0, 1.0 / 6.0]) {
            assert!((a - b).abs() < 1e-12);
        }
    }
}
