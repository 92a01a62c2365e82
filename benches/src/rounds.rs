//! Comparing rates on a machine whose speed drifts.

use crate::Rate;

/// Measures each of `contenders` once per round, in turn, and returns the median of each. So a slow phase of the
/// machine affects all of them, and one odd round does not matter. An extra first round fills caches and allocators.
///
/// # Panics
/// If `count` is zero.
pub fn rounds<const N: usize>(count: usize, contenders: &mut [&mut dyn FnMut() -> Rate; N]) -> [Rate; N] {
    assert!(count > 0, "there is no median of nothing");
    for measure in contenders.iter_mut() {
        measure();
    }
    let mut measured: [Vec<Rate>; N] = std::array::from_fn(|_| Vec::with_capacity(count));
    for _ in 0..count {
        for (measure, rates) in contenders.iter_mut().zip(&mut measured) {
            rates.push(measure());
        }
    }
    measured.map(|mut rates| {
        rates.sort_by(|a, b| a.per_s.total_cmp(&b.per_s));
        rates[rates.len() / 2]
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Unit;

    #[test]
    fn the_median_counts_and_the_first_round_does_not() {
        let mut rates = [1e9, 5.0, 900.0, 4.0].into_iter();
        let mut steady = || Rate { per_s: 7.0, unit: Unit::Operations };
        let mut drifting = || Rate { per_s: rates.next().unwrap(), unit: Unit::Operations };
        let [drifting, steady] = rounds(3, &mut [&mut drifting, &mut steady]);
        assert!((drifting.per_s - 5.0).abs() < 1e-9 && (steady.per_s - 7.0).abs() < 1e-9);
    }
}
