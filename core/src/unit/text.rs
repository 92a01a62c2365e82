//! What all units share: a number and the unit behind it.

/// A text that is not of the expected form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not {expected}")]
pub struct UnitError {
    pub(super) text: String,
    pub(super) expected: &'static str,
}

/// Splits `8 MiB` into the number and the unit.
pub(super) fn split(text: &str) -> Option<(u64, &str)> {
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits)?;
    Some((number.parse().ok()?, unit.trim()))
}

/// `value` in the largest of `units` (largest first) that divides it, so that reading the text gives the same value.
pub(super) fn exact(value: u64, units: &[(u64, &'static str)]) -> Option<(u64, &'static str)> {
    units
        .iter()
        .find(|(factor, _)| value > 0 && value.is_multiple_of(*factor))
        .map(|(factor, unit)| (value / factor, *unit))
}
